"""SUPPORT2's day-3 values that slid to other patients, and how they are moved back.

In the public file, the values of blood pressure to urine of the study's second phase stand beside
the wrong patients: from row 431 of that phase on, they stand 1 to 90 rows too far down, farther the
further down one reads. Nothing in the file says so. It shows when values that must agree do not:
creatinine with the patient's own physiology score, bilirubin with cirrhosis.
``experiments/support2_slips.py`` finds the distances without looking at any outcome; a copy of the
file from another source has the same fault.
"""

from importlib import resources

import numpy as np
import pandas as pd

MOVED = (
    "meanbp",
    "wblc",
    "hrt",
    "resp",
    "temp",
    "pafi",
    "alb",
    "bili",
    "crea",
    "sod",
    "ph",
    "glucose",
    "bun",
    "urine",
)


def second_phase(records: pd.DataFrame) -> np.ndarray:
    """Tell which patients belong to the second phase of the study: 4,804 of 9,105.

    The file has no column for it. The first phase did not record glucose, bun and urine, so a row
    with any of them belongs to the second. These rows lie in five blocks, one for each hospital
    it seems; eleven single rows inside the blocks lack all three and belong to them as well. Both
    phases then have exactly the size that the study reports.

    Parameters
    ----------
    records : DataFrame
        All rows of `records.load_support2`, in the order of the file.

    Returns
    -------
    numpy.ndarray of bool, shape (patients,)

    References
    ----------
    SUPPORT Principal Investigators (1995), doi:10.1001/jama.1995.03530200027032.
    """
    recorded = records[["glucose", "bun", "urine"]].notna().any(axis=1).to_numpy()
    enclosed = np.zeros_like(recorded)
    enclosed[1:-1] = recorded[:-2] & recorded[2:]
    return recorded | enclosed


def move_back(records: pd.DataFrame) -> pd.DataFrame:
    """Return the records with each day-3 value beside its patient, or a gap.

    Parameters
    ----------
    records : DataFrame
        All rows of `records.load_support2`, in the order of the file.

    Returns
    -------
    DataFrame
        A copy. The columns `MOVED` of the second phase are moved up by the distance that the
        experiment found; where it found none, they are gaps (NaN). The first phase is untouched.

    Raises
    ------
    ValueError
        If rows are missing or in another order: the distances count rows of the file.
    """
    if records["sno"].tolist() != list(range(1, len(records) + 1)) or len(records) != 9105:
        raise ValueError(
            f"expected all 9,105 rows of load_support2() in their order, got {len(records)}: "
            "move values back first, then choose rows"
        )
    table = resources.files("medml.data").joinpath("support2_slips.csv")
    with table.open(encoding="utf-8") as file:
        runs = pd.read_csv(file)
    rows = np.flatnonzero(second_phase(records))
    filed = records.loc[rows, list(MOVED)].to_numpy(float)
    moved = np.full_like(filed, np.nan)
    for run in runs.itertuples():
        source = slice(run.start + run.distance, run.stop + run.distance)
        moved[run.start : run.stop] = filed[source]
    result = records.copy()
    result[list(MOVED)] = result[list(MOVED)].astype(float)
    result.loc[rows, list(MOVED)] = moved
    return result
