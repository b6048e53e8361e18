"""SUPPORT2's columns by source, those known on day 3 apart from those that leak the outcome.

A model that is to be used on day 3 may see what is known on day 3. Every other column has a reason
here why it is left out, and asking for one by name is an error that tells the reason.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from medml.data.records import load_support2, support2_columns
from medml.data.slips import move_back

SOURCES = {
    "clinical": ("age", "sex", "dzgroup", "num.co", "diabetes", "dementia", "ca", "hday"),
    "physiological": ("scoma", "meanbp", "hrt", "resp", "temp", "urine"),
    "laboratory": ("wblc", "alb", "bili", "crea", "sod", "ph", "pafi", "glucose", "bun"),
}
# It was not known on day 3, or it was made from the outcomes of these very patients.
LEAKS = {
    "hospdead": "it is the outcome itself",
    "death": "it is an outcome, known years later",
    "d.time": "it ends with the death of those who died",
    "slos": "the stay ends on the day of death for those who died in hospital",
    "sfdm2": "it is recorded two months later, and its worst level is death",
    "charges": "it adds up the whole stay, known at discharge",
    "totcst": "it adds up the whole stay, known at discharge",
    "totmcst": "it adds up the whole stay, known at discharge",
    "avtisst": "it averages the intensity of treatment over days 3-25",
    "dnr": "half of the orders were written after day 3, when death was already expected",
    "dnrday": "it tells when the order was written, half the time after day 3",
    "sps": "its weights were fitted to the survival of this study's patients",
    "surv2m": "it is the forecast of a model fitted to the survival of this study's patients",
    "surv6m": "it is the forecast of a model fitted to the survival of this study's patients",
}
# It does not leak in the strict sense, yet no source may hold it.
LEFT_OUT = {
    "sno": "it is the row's number in the file",
    "dzclass": "dzgroup says it more finely",
    "aps": "it is a sum over physiology and laboratory: use it as a rival, not as a source",
    "prg2m": "it is a physician's forecast: use it as a rival, not as a source",
    "prg6m": "it is a physician's forecast: use it as a rival, not as a source",
    "adlp": "patients too ill to be asked lack it, and its gap tells more than its value",
    "adls": "whether a relative could be asked decides if it is there",
    "adlsc": "it is filled in by a model whose inputs are not described",
    "edu": "whether it is known depends on an interview that the sickest did not give",
    "income": "whether it is known depends on an interview that the sickest did not give",
    "race": "it is used to judge the model for each group, not to decide",
}
# A pulse of 0 may be an arrest: it stays. Other values outside the limits are errors of recording.
MAY_BE_ZERO = ("meanbp", "hrt", "resp")


@dataclass(frozen=True, eq=False)
class Day3:
    """What is known of each patient on day 3, and what became of them.

    Attributes
    ----------
    features : DataFrame of float, shape (patients, columns)
        Indexed by the patient's number; a gap is NaN, categories are columns of 0 and 1.
    labels : numpy.ndarray of bool, shape (patients,)
        True for a death in hospital.
    patients : numpy.ndarray of int, shape (patients,)
        The patient's number, `sno`.
    days : numpy.ndarray of float, shape (patients,)
        Follow-up since study entry, in days; 3 or more.
    died : numpy.ndarray of bool, shape (patients,)
        True if the follow-up ended with death, False if it was censored.
    """

    features: pd.DataFrame
    labels: np.ndarray
    patients: np.ndarray
    days: np.ndarray
    died: np.ndarray


def columns_of(sources: Iterable[str] = SOURCES) -> list[str]:
    """Return the columns of the named sources.

    Raises
    ------
    ValueError
        If a source is unknown.

    Examples
    --------
    >>> columns_of(["physiological"])
    ['scoma', 'meanbp', 'hrt', 'resp', 'temp', 'urine']
    """
    sources = [sources] if isinstance(sources, str) else list(sources)
    for source in sources:
        if source not in SOURCES:
            raise ValueError(f"unknown source {source!r}, expected some of {', '.join(SOURCES)}")
    return [name for source in sources for name in SOURCES[source]]


def refuse_leaks(names: Iterable[str]) -> None:
    """Raise if a column may not be used on day 3.

    Raises
    ------
    ValueError
        If a column leaks, is left out for another reason, or is unknown; the message says why.

    Examples
    --------
    >>> refuse_leaks(["age", "dnr"])
    Traceback (most recent call last):
        ...
    ValueError: column 'dnr' leaks: half of the orders were written after day 3, when death was \
already expected
    """
    known = columns_of()
    for name in names:
        if name in LEAKS:
            raise ValueError(f"column {name!r} leaks: {LEAKS[name]}")
        if name in LEFT_OUT:
            raise ValueError(f"column {name!r} is left out: {LEFT_OUT[name]}")
        if name not in known:
            raise ValueError(f"unknown column {name!r}, expected some of {', '.join(known)}")


def column_table() -> pd.DataFrame:
    """Return where each column of SUPPORT2 belongs, and why.

    Returns
    -------
    DataFrame of shape (48, 4)
        Indexed by the column's name: `place` (a source, "leaks" or "left out"), `when` it is known
        (see `support2_columns`), `meaning`, and `reason`, empty for a column of a source.
    """
    table = support2_columns()[["when", "meaning"]]
    place = {name: source for source, names in SOURCES.items() for name in names}
    place |= dict.fromkeys(LEAKS, "leaks") | dict.fromkeys(LEFT_OUT, "left out")
    reasons = pd.Series(LEAKS | LEFT_OUT).reindex(table.index).fillna("")
    table.insert(0, "place", pd.Series(place))
    return table.assign(reason=reasons)


def day3_features(records: pd.DataFrame, names: Sequence[str] | None = None) -> pd.DataFrame:
    """Return columns that are known on day 3 as numbers.

    Parameters
    ----------
    records : DataFrame
        Rows of `load_support2`, with `medml.data.slips.move_back` applied; without it, values of
        day 3 belong to other patients for almost half of the rows.
    names : sequence of str, optional
        Columns of any sources; all of them without it.

    Returns
    -------
    DataFrame of float, shape (patients, columns)
        Indexed by the patient's number. `sex` becomes `male`; `ca` 0 none, 1 cancer, 2 metastatic;
        `dzgroup` eight columns of 0 and 1. Impossible values become gaps (NaN), except a vital
        sign of 0. Gaps stay: how to fill them is the model's choice, made on training patients.

    Raises
    ------
    ValueError
        If a column may not be used (see `refuse_leaks`).
    """
    names = columns_of() if names is None else list(names)
    refuse_leaks(names)
    limits = support2_columns().loc[names]
    parts = []
    for name in names:
        column = records[name]
        if name == "sex":
            parts.append((column == "male").rename("male"))
        elif name == "ca":
            parts.append(column.cat.codes.rename("ca"))
        elif name == "dzgroup":
            parts.append(pd.get_dummies(column, prefix="dzgroup", prefix_sep=": "))
        else:
            outside = column.lt(limits["low"][name]) | column.gt(limits["high"][name])
            arrest = (column == 0) & (name in MAY_BE_ZERO)
            parts.append(column.mask(outside & ~arrest))
    features = pd.concat(parts, axis=1).astype(float)
    return features.set_index(pd.Index(records["sno"], name="patient"))


def load_day3(sources: Iterable[str] = SOURCES) -> Day3:
    """Load SUPPORT2 as it may be used on day 3: 9,105 patients, 25.9 % died in hospital.

    Values of day 3 that stand beside the wrong patient in the public file are moved back, or are
    gaps where that cannot be done (`medml.data.slips`).

    Parameters
    ----------
    sources : iterable of str
        Some of "clinical", "physiological" and "laboratory".

    Raises
    ------
    ValueError
        If a source is unknown.
    DataError
        If the data are missing or damaged.

    Examples
    --------
    >>> day3 = load_day3(["laboratory"])
    >>> day3.features.shape, int(day3.labels.sum())
    ((9105, 9), 2360)
    """
    names = columns_of(sources)
    records = move_back(load_support2())
    return Day3(
        features=day3_features(records, names),
        labels=records["hospdead"].to_numpy(bool),
        patients=records["sno"].to_numpy(),
        days=records["d.time"].to_numpy(float),
        died=records["death"].to_numpy(bool),
    )


def held_out(patients: ArrayLike, share: float = 0.3) -> np.ndarray:
    """Tell which rows belong to patients who are held out for the test.

    The held-out patients come first in the order of the SHA-256 of their number: a draw that
    nobody can steer, the same in every notebook, and the same whatever other rows are there.

    Parameters
    ----------
    patients : array_like of shape (rows,)
        Who each row comes from; all rows of a patient stay together.
    share : float
        Of the patients, about, between 0 and 1.

    Returns
    -------
    numpy.ndarray of bool, shape (rows,)

    Raises
    ------
    ValueError
        If the share is not between 0 and 1.
    """
    if not 0 < share < 1:
        raise ValueError(f"share {share} of patients held out: expected between 0 and 1")
    digests = [hashlib.sha256(str(patient).encode()).digest() for patient in patients]
    return np.array([int.from_bytes(digest[:8]) < share * 2**64 for digest in digests])
