"""A model that may abstain: the risk among those it answers, against how many it answers.

A loss is what an answer costs: 1 for a wrong one and 0 for a right one, or any number such as the
squared error. A confidence orders the answers: the highest are given first.
"""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

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
    losses = as_numbers(losses, len(losses), "losses")
    confidence = as_numbers(confidence, len(losses), "confidences")
    if not len(losses):
        raise ValueError("expected at least one row, got none")
    table = pd.DataFrame({"threshold": confidence, "loss": losses}).groupby("threshold")["loss"]
    from_the_surest = table.agg(["size", "sum"])[::-1].cumsum()
    rows = from_the_surest["size"]
    return pd.DataFrame({"coverage": rows / len(losses), "risk": from_the_surest["sum"] / rows})


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
