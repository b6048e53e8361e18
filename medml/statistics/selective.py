"""A model that may abstain: the risk among those it answers, against how many it answers.

A loss is what an answer costs: 1 for a wrong one and 0 for a right one, or any number such as the
squared error. A confidence orders the answers: the highest are given first.
"""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import digamma

from medml.statistics.columns import as_counts, as_decisions, as_numbers, as_probabilities, ratio


def confidence(probabilities: ArrayLike) -> np.ndarray:
    """Return how sure a two-class model is of its answer: max(p, 1 - p), 0.5-1.

    Parameters
    ----------
    probabilities : array_like of shape (rows,)

    Returns
    -------
    numpy.ndarray of shape (rows,)

    Raises
    ------
    ValueError
        If a probability is NaN or outside 0-1.

    Examples
    --------
    >>> confidence([0.5, 0.75, 0.0]).tolist()
    [0.5, 0.75, 1.0]
    """
    probabilities = as_probabilities(probabilities, len(probabilities))
    return np.maximum(probabilities, 1 - probabilities)


def risk_coverage_curve(losses: ArrayLike, confidence: ArrayLike) -> pd.DataFrame:
    """Return the risk and the coverage of every threshold on the confidence.

    Parameters
    ----------
    losses : array_like of shape (rows,)
        Finite numbers.
    confidence : array_like of shape (rows,)
        Any finite score; rows of the same confidence are answered together.

    Returns
    -------
    DataFrame
        Indexed by `threshold`, each confidence from the highest down: `coverage` (share of rows at
        or above it) and `risk` (mean loss of those).

    Raises
    ------
    ValueError
        If there is no row, the lengths differ or a number is not finite.

    References
    ----------
    El-Yaniv R, Wiener Y (2010), https://jmlr.org/papers/v11/el-yaniv10a.html. Geifman Y,
    El-Yaniv R (2017), arXiv 1705.08500.

    Examples
    --------
    >>> risk_coverage_curve([1, 0, 0, 1], [0.6, 0.9, 0.8, 0.6]).to_dict("list")
    {'coverage': [0.25, 0.5, 1.0], 'risk': [0.0, 0.0, 0.5]}
    """
    rows, total, thresholds = _from_the_surest(losses, confidence, None)
    rows, total = rows.cumsum(), total.cumsum()
    curve = {"coverage": rows / rows[-1], "risk": total / rows}
    return pd.DataFrame(curve, index=pd.Index(thresholds, name="threshold"))


def area_under_risk_coverage(
    losses: ArrayLike, confidence: ArrayLike, *, counts: ArrayLike | None = None
) -> float:
    """Return the mean of the risk over the coverages 1/n, 2/n, … 1.

    Of rows with the same confidence none comes first: their order is averaged out. A confidence
    that says nothing gives the mean loss. 0 is out of reach for a model that errs at all: with
    wrong answers last, and their share r, the area still is about r + (1 - r) log(1 - r).

    Parameters
    ----------
    losses, confidence : array_like of shape (rows,)
        As in `risk_coverage_curve`.
    counts : array_like of shape (..., rows), optional
        How often each row was drawn.

    Returns
    -------
    float or numpy.ndarray of shape (...)
        In the unit of the losses; NaN where no row was drawn.

    Raises
    ------
    ValueError
        As in `risk_coverage_curve`.

    References
    ----------
    Geifman Y, Uziel G, El-Yaniv R (2019), arXiv 1805.08206.

    Examples
    --------
    >>> round(area_under_risk_coverage([0, 0, 1], [0.9, 0.8, 0.7]), 3)  # (0 + 0 + 1/3) / 3
    0.111
    """
    rows, total, _ = _from_the_surest(losses, confidence, counts)
    before_rows = rows.cumsum(axis=-1) - rows
    before_total = total.cumsum(axis=-1) - total
    loss = total / np.where(rows > 0, rows, 1)
    # Σ over j = 1 … rows of (before_total + j loss) / (before_rows + j), by harmonic numbers.
    harmonic = digamma(before_rows + rows + 1) - digamma(before_rows + 1)
    area = rows * loss + (before_total - before_rows * loss) * harmonic
    return ratio(area.sum(axis=-1), rows.sum(axis=-1))


def selective_risk(
    losses: ArrayLike, answered: ArrayLike, *, counts: ArrayLike | None = None
) -> float:
    """Return the mean loss of the answered rows. Its partner, the coverage, is `mean(answered)`.

    Parameters
    ----------
    losses : array_like of shape (rows,)
    answered : array_like of shape (rows,)
        1 or True where the model answers, such as ``confidence(p) >= threshold``.
    counts : array_like of shape (..., rows), optional
        How often each row was drawn.

    Returns
    -------
    float or numpy.ndarray of shape (...)
        NaN, "not estimable", if no row is answered.

    Raises
    ------
    ValueError
        If a column is not what it should be.

    Examples
    --------
    >>> selective_risk([1, 0, 1, 0], [1, 1, 0, 0])
    0.5
    """
    losses = as_numbers(losses, len(losses), "losses")
    counts = as_counts(counts, len(losses)) * as_decisions(answered, len(losses))
    return ratio(counts @ losses, counts.sum(axis=-1))


def threshold_for_risk(losses: ArrayLike, confidence: ArrayLike, wanted: float) -> float:
    """Return the lowest confidence from which the mean loss is at most `wanted`.

    Choose it on other patients than those it is judged on. Even there it is a hope, not a promise:
    the best of many thresholds was lucky, and patients of another hospital can be unlike these.

    Parameters
    ----------
    losses, confidence : array_like of shape (rows,)
        As in `risk_coverage_curve`.
    wanted : float
        Mean loss, at least 0.

    Returns
    -------
    float
        One of the confidences; infinity, "always abstain", if no threshold is safe enough.

    Raises
    ------
    ValueError
        As in `risk_coverage_curve`, or if `wanted` is below 0 or NaN.

    Examples
    --------
    >>> threshold_for_risk([0, 1, 0, 0, 1], [0.9, 0.8, 0.7, 0.6, 0.5], 0.25)
    0.6
    """
    if not wanted >= 0:
        raise ValueError(f"expected a risk of at least 0, got {wanted}")
    curve = risk_coverage_curve(losses, confidence)
    safe = curve.index[curve["risk"] <= wanted + 1e-12]
    return float(safe.min()) if len(safe) else np.inf


def _from_the_surest(losses: ArrayLike, confidence: ArrayLike, counts: ArrayLike | None) -> tuple:
    """Return how many rows have each confidence, their total loss and the confidences, falling."""
    losses = as_numbers(losses, len(losses), "losses")
    confidence = as_numbers(confidence, len(losses), "confidences")
    if not len(losses):
        raise ValueError("expected at least one row, got none")
    counts = as_counts(counts, len(losses))
    order = np.argsort(-confidence, kind="stable")
    starts = np.flatnonzero(np.diff(-confidence[order], prepend=-np.inf))
    counts = counts[..., order]
    rows = np.add.reduceat(counts, starts, axis=-1)
    total = np.add.reduceat(counts * losses[order], starts, axis=-1)
    return rows, total, confidence[order][starts]
