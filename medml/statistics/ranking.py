"""How well scores put positives before negatives: AUROC, within strata and among equals."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata


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
