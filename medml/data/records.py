"""Patient records as tables."""

from importlib import resources

import pandas as pd

from medml.data.catalogue import locate

# Levels in their order, where they have one.
_LEVELS = {
    "income": ["under $11k", "$11-$25k", "$25-$50k", ">$50k"],
    "ca": ["no", "yes", "metastatic"],
    "sfdm2": [
        "no(M2 and SIP pres)",
        "adl>=4 (>=5 if sur)",
        "SIP>=30",
        "Coma or Intub",
        "<2 mo. follow-up",
    ],
}
_NOMINAL = ["sex", "dzgroup", "dzclass", "race", "dnr"]
# Centre and spread of an adult in hospital, in the unit of `support2_columns`: textbook values
# and this course's choice, not computed from the patients.
_TEXTBOOK = {
    "age": (60, 15),
    "num.co": (1, 2),
    "scoma": (0, 30),
    "aps": (30, 20),
    "meanbp": (85, 25),
    "hrt": (80, 30),
    "resp": (18, 9),
    "temp": (37, 1),
    "wblc": (9, 6),
    "crea": (1, 1.5),
    "sod": (140, 6),
    "ph": (7.4, 0.08),
    "pafi": (330, 100),
    "alb": (3.5, 0.9),
    "bili": (1, 3),
    "bun": (15, 20),
}


def load_support2() -> pd.DataFrame:
    """Return the SUPPORT2 records as they are: gaps, impossible values and all.

    Returns
    -------
    pandas.DataFrame of shape (9105, 48)
        One row = one patient. Text columns are categorical (`income`, `ca` and `sfdm2` ordered),
        all others numeric; a gap is NaN. `support2_columns` gives each column's meaning and unit.

    Raises
    ------
    DataError
        If the file is missing or damaged.

    References
    ----------
    Knaus WA et al. (1995) Ann Intern Med 122:191-203, doi:10.7326/0003-4819-122-3-199502010-00007.
    """
    dtypes = {name: pd.CategoricalDtype(levels, ordered=True) for name, levels in _LEVELS.items()}
    dtypes |= dict.fromkeys(_NOMINAL, "category")
    return pd.read_csv(locate("support2", "support2.csv"), dtype=dtypes)


def support2_columns() -> pd.DataFrame:
    """Return what each column of SUPPORT2 means, as a table indexed by the column's name.

    Returns
    -------
    pandas.DataFrame of shape (48, 6)
        `meaning`; `unit`, empty for a category; `low` and `high`, limits of what can be true of a
        living adult, NaN where none is set; `when` the value is known: "identifier", "entry",
        "day 3", "forecast" (an estimate of survival made on day 3), "after day 3" or "outcome";
        `leaks`, True if a model of survival must not see the column, because it was recorded later
        or was itself fitted to the outcomes of this study.

    Notes
    -----
    Meanings and units follow the description of the data by their authors (F. E. Harrell,
    Vanderbilt University). The limits are this course's choice, wider than any normal range: a
    value outside is an error of recording or, for a pulse of 0, perhaps an arrest.

    Examples
    --------
    >>> support2_columns().loc["crea", "unit"]
    'mg/dL'
    """
    table = resources.files("medml.data").joinpath("support2_columns.csv")
    with table.open(encoding="utf-8") as file:
        columns = pd.read_csv(file, index_col="name", dtype={"low": float, "high": float})
    columns["unit"] = columns["unit"].fillna("")
    columns["leaks"] = columns["leaks"] == "yes"
    return columns


def textbook_features(patients: pd.DataFrame) -> pd.DataFrame:
    """Return what is known by day 3 as numbers near −1 to 1, scaled without looking at patients.

    Means of a table tell about its patients. Here centre and spread come from a textbook, so
    that scaling gives nothing away and two hospitals scale alike without sharing anything.

    Parameters
    ----------
    patients : pandas.DataFrame
        Rows of `load_support2`.

    Returns
    -------
    pandas.DataFrame of float, shape (patients, 26)
        First `one`, a column of ones for the intercept. Then (value − centre) / spread, cut at
        −4 and 4, 0 for a gap; 1 for each gap in a value that is often missing; and 0 or 1 for
        male sex, diabetes, dementia, cancer and metastatic cancer.
    """
    centre, spread = pd.DataFrame(_TEXTBOOK, index=["centre", "spread"], dtype=float).to_numpy()
    values = patients[list(_TEXTBOOK)]
    scaled = ((values - centre) / spread).clip(-4, 4).fillna(0.0)
    gaps = values[["ph", "pafi", "alb", "bili"]].isna().add_suffix(" missing").astype(float)
    flags = pd.DataFrame(
        {
            "male": patients["sex"] == "male",
            "diabetes": patients["diabetes"] == 1,
            "dementia": patients["dementia"] == 1,
            "cancer": patients["ca"] != "no",
            "metastatic": patients["ca"] == "metastatic",
        }
    ).astype(float)
    ones = pd.Series(1.0, index=patients.index, name="one")
    return pd.concat([ones, scaled, gaps, flags], axis=1)
