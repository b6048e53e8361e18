"""Labels, scores and probabilities as arrays, or one clear error; counts of drawn rows."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


def as_labels(labels: ArrayLike) -> np.ndarray:
    """Return labels as booleans of shape (rows,): 1 or True is a positive.

    Raises
    ------
    ValueError
        If there is no row, or a label is anything but 0, 1, False or True.

    Examples
    --------
    >>> as_labels([0, 1.0, True]).tolist()
    [False, True, True]
    """
    given = np.asarray(labels)
    if given.ndim != 1 or not len(given):
        raise ValueError(f"expected one label a row and at least one row, got shape {given.shape}")
    return _as_booleans(
        given, "labels", "compare with the positive class, and leave rows without a label out"
    )


def as_decisions(decisions: ArrayLike, rows: int) -> np.ndarray:
    """Return decisions as booleans of shape (rows,): 1 or True is a flagged patient.

    Raises
    ------
    ValueError
        If their number is not `rows`, or one is anything but 0, 1, False or True, as a score is.
    """
    given = np.asarray(decisions)
    if given.shape != (rows,):
        raise ValueError(f"expected {rows} decisions, one for each row, got shape {given.shape}")
    return _as_booleans(given, "decisions", "compare the scores with a threshold")


def as_numbers(values: ArrayLike, rows: int, name: str = "scores") -> np.ndarray:
    """Return scores as finite floats of shape (rows,).

    Raises
    ------
    ValueError
        If their number is not `rows`, or one is NaN or infinite.
    """
    values = np.asarray(values, dtype=float)
    if values.shape != (rows,):
        raise ValueError(f"expected {rows} {name}, one for each row, got shape {values.shape}")
    if not np.isfinite(values).all():
        row = int(np.argmin(np.isfinite(values)))
        raise ValueError(
            f"{name} must be finite, got {values[row]} in row {row}: impute what is missing "
            "before the model scores it, or leave the row out and say so"
        )
    return values


def as_probabilities(values: ArrayLike, rows: int) -> np.ndarray:
    """Return probabilities as floats of shape (rows,), each between 0 and 1.

    Raises
    ------
    ValueError
        As `as_numbers`, or if one lies outside 0-1.
    """
    values = as_numbers(values, rows, "probabilities")
    outside = (values < 0) | (values > 1)
    if outside.any():
        row = int(np.argmax(outside))
        raise ValueError(
            f"probabilities lie between 0 and 1, got {values[row]} in row {row}: "
            "pass predict_proba(x)[:, 1], or the sigmoid of a logit"
        )
    return values


def as_groups(groups: ArrayLike, rows: int) -> np.ndarray:
    """Return the name of each row's group, shape (rows,).

    Raises
    ------
    ValueError
        If their number is not `rows`, or one is missing.
    """
    groups = np.asarray(groups)
    if groups.shape != (rows,):
        raise ValueError(f"expected {rows} groups, one for each row, got shape {groups.shape}")
    missing = pd.isna(groups)
    if missing.any():
        raise ValueError(
            f"no group in row {int(np.argmax(missing))}: call it 'unknown' and keep it in the "
            "table, since those whose group is not known may fare worst"
        )
    return groups


def as_counts(counts: ArrayLike | None, rows: int) -> np.ndarray:
    """Return how often each row was drawn, shape (..., rows); without counts each row once.

    Every measure of this package takes such counts: a row that counts 2 is a row that stands in
    the table twice, and one that counts 0 is not there. With counts of shape (resamples, rows) the
    measure is computed for all resamples at once and has shape (resamples,).

    Raises
    ------
    ValueError
        If the last axis is not `rows` long, or a count is below 0 or NaN.
    """
    if counts is None:
        return np.ones(rows)
    counts = np.asarray(counts, dtype=float)
    if counts.shape[-1:] != (rows,) or not (counts >= 0).all():
        raise ValueError(
            f"expected counts of at least 0 for {rows} rows, got shape {counts.shape}"
            + (f" with {counts.min()}" if counts.size else "")
        )
    return counts


def ratio(top: ArrayLike, bottom: ArrayLike) -> float | np.ndarray:
    """Return top / bottom, and NaN, "not estimable", where nothing is there to divide by.

    Examples
    --------
    >>> ratio(1, 4), ratio([1, 0], [2, 0]).tolist()
    (0.25, [0.5, nan])
    """
    top, bottom = np.broadcast_arrays(np.asarray(top, dtype=float), bottom)
    result = np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom != 0)
    return result if result.ndim else float(result)


def _as_booleans(given: np.ndarray, name: str, cure: str) -> np.ndarray:
    """Return zeros and ones as booleans."""
    strange = ~((given == 0) | (given == 1))
    if strange.any():
        row = int(np.argmax(strange))
        raise ValueError(
            f"{name} must be 0 or 1 (or False or True), got {given[row]!s} in row {row}: {cure}"
        )
    return given.astype(bool)
