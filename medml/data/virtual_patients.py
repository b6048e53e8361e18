"""Virtual patients with type 1 diabetes, glucose sensors and insulin pumps: simglucose's tables.

Nobody was measured: the patients are constants of the UVA/Padova model (`medml.treatment`).
"""

import pandas as pd

from medml.data.catalogue import locate

STATE = tuple(f"x{number}" for number in range(1, 14))


def load_virtual_patients() -> pd.DataFrame:
    """Return the 30 virtual patients: 10 adolescents, 10 adults, 10 children.

    Returns
    -------
    DataFrame
        Indexed by name, such as ``adult#001``. `x1` to `x13` is the state with fasting glucose
        under the basal rate; the constants have the model's own names (`BW` is the body weight in
        kg). What a clinic would know:

        * `CR`: grams of carbohydrate that one unit of insulin covers, g/U
        * `CF`: how far one unit lowers glucose, (mg/dL)/U
        * `TDI`: insulin in a whole day, U
        * `age`: years
        * `basal`: the infusion that keeps the fasting state, U/h

    Raises
    ------
    DataError
        If a file is missing or damaged.

    References
    ----------
    Model: Dalla Man C et al. (2007), doi:10.1109/TBME.2007.893506; patients: Kovatchev BP et al.
    (2009), doi:10.1177/193229680900300106; tables: Xie J (2018), simglucose.

    Examples
    --------
    >>> patients = load_virtual_patients()
    >>> len(patients), patients.loc["adult#001", ["BW", "CR", "age"]].tolist()
    (30, [102.32, 10.0, 61.0])
    """
    constants = pd.read_csv(locate("virtual-patients", "vpatient_params.csv"), index_col="Name")
    constants = constants.drop(columns=["i", "dosekempt", "patient_history"])
    constants = constants.rename(columns={f"x0_{n:2d}": f"x{n}" for n in range(1, 14)})
    rules = pd.read_csv(locate("virtual-patients", "Quest.csv"), index_col="Name")
    table = constants.join(rules.rename(columns={"Age": "age"}), validate="1:1").astype(float)
    # The table gives pmol/kg/min; a unit of insulin is 6,000 pmol.
    return table.assign(basal=table.u2ss * table.BW * 60 / 6000).rename_axis("name")


def load_sensors() -> pd.DataFrame:
    """Return three glucose sensors: the constants of their noise and their limits.

    Returns
    -------
    DataFrame
        Indexed by name. `sample_time` in min; `min` and `max`, the readings they can show, in
        mg/dL; `PACF`, `gamma`, `lambda`, `delta` and `xi` are the constants of the noise, the same
        for all three (`medml.treatment.devices`).

    Raises
    ------
    DataError
        If the file is missing or damaged.

    References
    ----------
    Breton M, Kovatchev B (2008) J Diabetes Sci Technol 2:853-862, PMC2740661.

    Examples
    --------
    >>> load_sensors().sample_time.to_dict()
    {'Dexcom': 3.0, 'GuardianRT': 5.0, 'Navigator': 1.0}
    """
    return pd.read_csv(locate("virtual-patients", "sensor_params.csv"), index_col="Name")


def load_pumps() -> pd.DataFrame:
    """Return two insulin pumps: what they can deliver.

    Returns
    -------
    DataFrame
        Indexed by name. `max_basal` in U/h, `max_bolus` in U, `inc_basal` and `inc_bolus` the
        smallest steps of both. (simglucose itself takes the limits as U/min.)

    Raises
    ------
    DataError
        If the file is missing or damaged.

    Examples
    --------
    >>> load_pumps().loc["Insulet", ["max_bolus", "inc_bolus"]].tolist()
    [30.0, 0.05]
    """
    return pd.read_csv(locate("virtual-patients", "pump_params.csv"), index_col="Name")
