"""The nodules that Part II learns from, who is locked away, and how the rest is split.

The lock protects new choices: 150 patients are looked at once, after every model and setting has
been chosen on the others. It cannot undo what was chosen before with all patients in view.
"""

import hashlib
from collections.abc import Iterator

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from medml.data import lidc

LOCKED_PATIENTS = 150
FOLDS = 5


def load_cohort() -> pd.DataFrame:
    """Load the labelled nodules with a column that tells whose patients are locked away.

    The locked patients are the first 150 in the order of the SHA-256 of their id: a draw that
    nobody can steer, and that no data set or library version changes.

    Returns
    -------
    DataFrame
        As `lidc.labelled_nodules` gives it (869 nodules of 530 patients; malignant is the
        readers' opinion, not pathology), with the column locked.

    Raises
    ------
    DataError
        If the data are missing or damaged, or the cache cannot be written.
    """
    nodules = lidc.labelled_nodules()
    order = sorted(
        nodules.patient_id.unique(), key=lambda name: hashlib.sha256(name.encode()).digest()
    )
    return nodules.assign(locked=nodules.patient_id.isin(order[:LOCKED_PATIENTS]))


def folds(nodules: pd.DataFrame, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Split nodules into five folds with every patient in one fold only.

    Parameters
    ----------
    nodules : DataFrame
        Rows of `load_cohort`.
    seed : int
        Seed of the shuffle; another seed is another repetition.

    Yields
    ------
    train, test : arrays of int
        Row numbers; the shares of malignant nodules are kept alike.

    Raises
    ------
    ValueError
        If a class has fewer patients than there are folds: some fold would lack it.
    """
    patients = (
        nodules.groupby("malignant").patient_id.nunique().reindex([False, True], fill_value=0)
    )
    if patients.min() < FOLDS:
        msg = (
            f"{FOLDS} folds need {FOLDS} patients of each class, got {patients[False]} with a "
            f"benign and {patients[True]} with a malignant nodule: take more patients"
        )
        raise ValueError(msg)
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    yield from splitter.split(nodules, nodules.malignant, nodules.patient_id)
