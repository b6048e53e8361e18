"""How well scores put positives before negatives: AUROC, within strata and among equals."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from medml.statistics.columns import as_counts, as_labels, as_numbers, ratio


def auroc(labels: ArrayLike, scores: ArrayLike, *, counts: ArrayLike | None = None) -> float:
    """Return the AUROC: how often a positive scores above a negative, a tie counting one half.

    Parameters
    ----------
    labels : array_like of shape (rows,)
        1 or True for a positive, 0 or False for a negative.
    scores : array_like of shape (rows,)
        A higher score speaks for a positive.
    counts : array_like of shape (..., rows), optional
        How often each row was drawn (see `as_counts`).

    Returns
    -------
    float or numpy.ndarray of shape (...)
        0.5 is chance, and what identical scores give; NaN, "not estimable", for one class only.

    Raises
    ------
    ValueError
        If labels, scores or counts are not what they should be (see `medml.statistics.columns`).

    References
    ----------
    Hanley JA, McNeil BJ (1982), doi:10.1148/radiology.143.1.7063747.

    Examples
    --------
    >>> auroc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    positives, negatives = _by_score(labels, scores, counts)
    below = negatives.cumsum(axis=-1) - negatives / 2
    pairs = positives.sum(axis=-1) * negatives.sum(axis=-1)
    return ratio((positives * below).sum(axis=-1), pairs)


def average_precision(
    labels: ArrayLike, scores: ArrayLike, *, counts: ArrayLike | None = None
) -> float:
    """Return the area under the precision-recall curve as a sum of steps (AUPRC).

    Σ (R_n - R_(n-1)) P_n over the thresholds from the highest score down, with precision P_n and
    recall R_n. Chance is the share of positives, not 0.5: a number without the prevalence beside
    it says nothing.

    Parameters
    ----------
    labels, scores, counts
        As in `auroc`.

    Returns
    -------
    float or numpy.ndarray of shape (...)
        NaN, "not estimable", without a positive.

    Raises
    ------
    ValueError
        As in `auroc`.

    References
    ----------
    Davis J, Goadrich M (2006), doi:10.1145/1143844.1143874.

    Examples
    --------
    >>> round(average_precision([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), 3)
    0.833
    """
    positives, negatives = (group[..., ::-1] for group in _by_score(labels, scores, counts))
    found = positives.cumsum(axis=-1)
    flagged = found + negatives.cumsum(axis=-1)
    precision = found / np.where(flagged > 0, flagged, 1)  # none drawn yet: no step in recall
    return ratio((positives * precision).sum(axis=-1), positives.sum(axis=-1))


def _by_score(labels: ArrayLike, scores: ArrayLike, counts: ArrayLike | None) -> tuple:
    """Return how many positives and negatives have each score, the scores in rising order."""
    labels = as_labels(labels)
    scores = as_numbers(scores, len(labels))
    counts = as_counts(counts, len(labels))
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=-np.inf))
    counts, labels = counts[..., order], labels[order]
    positives, negatives = counts * labels, counts * ~labels
    return tuple(np.add.reduceat(group, starts, axis=-1) for group in (positives, negatives))


def column_auroc(values: ArrayLike, labels: ArrayLike) -> np.ndarray:
    """Return the AUROC of each column by itself, from the ranks of its values.

    AUROC = (R - p (p + 1) / 2) / (p n), where R is the sum of the positives' ranks, p the number
    of positives and n of negatives (the Mann-Whitney statistic). Ties get their mean rank.

    Parameters
    ----------
    values : array_like of shape (rows, columns)
        A higher value speaks for a positive.
    labels : array_like of shape (rows,)
        1 or True for a positive, 0 or False for a negative.

    Returns
    -------
    numpy.ndarray of shape (columns,)
        Between 0 and 1; 0.5 is chance.

    Raises
    ------
    ValueError
        If the labels hold one class only.

    References
    ----------
    Hanley JA, McNeil BJ (1982), doi:10.1148/radiology.143.1.7063747.

    Examples
    --------
    >>> column_auroc([[1, 5], [2, 5], [3, 5]], [0, 0, 1]).tolist()
    [1.0, 0.5]
    """
    positive = np.asarray(labels).astype(bool)
    p, n = positive.sum(), (~positive).sum()
    if p == 0 or n == 0:
        raise ValueError(f"AUROC needs both classes, got {p} positives and {n} negatives")
    ranks = rankdata(values, axis=0)
    return (ranks[positive].sum(axis=0) - p * (p + 1) / 2) / (p * n)


def stratified_auroc(labels: ArrayLike, scores: ArrayLike, strata: ArrayLike) -> float:
    """Return the AUROC over those pairs of a positive and a negative that share a stratum.

    Each fold of a cross-validation has a model of its own, and one model's 0.7 need not be
    another's. Taking the folds as strata compares each model's scores only with themselves. It is
    the mean of the strata's AUROC, weighted by their numbers of pairs.

    Parameters
    ----------
    labels : array_like of shape (rows,)
        1 or True for a positive, 0 or False for a negative.
    scores : array_like of shape (rows,)
        A higher score speaks for a positive.
    strata : array_like of shape (rows,)
        Such as the fold in which each row was tested.

    Returns
    -------
    float
        NaN, "not estimable", if no stratum holds both classes.

    Examples
    --------
    >>> stratified_auroc([0, 1, 0, 1], [0.1, 0.2, 0.8, 0.9], ["a", "a", "b", "b"])
    1.0
    """
    labels, scores, strata = (np.asarray(column) for column in (labels, scores, strata))
    right = pairs = 0.0
    for stratum in np.unique(strata):
        inside = strata == stratum
        positives = np.count_nonzero(labels[inside])
        count = positives * (np.count_nonzero(inside) - positives)
        if count:
            right += count * float(column_auroc(scores[inside], labels[inside]))
            pairs += count
    return float(right / pairs) if pairs else np.nan


def matched_auroc(
    labels: ArrayLike, scores: ArrayLike, sizes: ArrayLike, tolerance: float = 0.05
) -> float:
    """Return the AUROC over those pairs of a positive and a negative that are alike in size.

    It asks whether a score tells more than size does. Cutting a table to one range of sizes only
    weakens size as a rival; among pairs of equal size it has nothing left to say. A pair counts if
    larger ≤ (1 + tolerance) × smaller, and its score is right, wrong or, when tied, half right.

    Parameters
    ----------
    labels : array_like of shape (rows,)
        1 or True for a positive, 0 or False for a negative.
    scores : array_like of shape (rows,)
        A higher score speaks for a positive.
    sizes : array_like of shape (rows,)
        Positive numbers in any unit, such as diameters in mm.
    tolerance : float
        Share by which the sizes of a pair may differ, at least 0.

    Returns
    -------
    float
        Between 0 and 1, chance is 0.5; NaN, "not estimable", if no pair is alike.

    Raises
    ------
    ValueError
        If the columns differ in length, a size is not above 0, or the tolerance is below 0.

    Examples
    --------
    >>> matched_auroc([0, 1, 1], [0.2, 0.9, 0.1], [10.0, 10.4, 20.0])
    1.0
    """
    labels, scores, sizes = (np.asarray(column) for column in (labels, scores, sizes))
    if not labels.shape == scores.shape == sizes.shape:
        shapes = [column.shape for column in (labels, scores, sizes)]
        raise ValueError(f"labels, scores and sizes need one length, got shapes {shapes}")
    if not (sizes > 0).all() or not tolerance >= 0:
        raise ValueError(
            f"expected sizes above 0 and a tolerance of at least 0, got a size of "
            f"{sizes.min()} and {tolerance}: leave rows without a size out"
        )
    positive = labels.astype(bool)
    larger = np.maximum.outer(sizes[positive], sizes[~positive])
    smaller = np.minimum.outer(sizes[positive], sizes[~positive])
    alike = larger <= (1 + tolerance) * smaller
    if not alike.any():
        return np.nan
    lead = np.subtract.outer(scores[positive], scores[~positive])[alike]
    return float((np.sign(lead).mean() + 1) / 2)
