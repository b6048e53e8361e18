"""Statistics that every chapter shares: a number never stands without its interval."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata


class Interval(NamedTuple):
    """An estimate with the ends of its interval, all in the unit of the statistic."""

    estimate: float
    low: float
    high: float


def bootstrap_interval(
    statistic: Callable[..., float],
    *columns: ArrayLike,
    patients: ArrayLike | None = None,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Return a statistic with its percentile bootstrap interval, resampling whole patients.

    Rows of one patient are alike. Drawing rows would count them as independent and make the
    interval too narrow, so patients are drawn with replacement, each with all of its rows.

    Parameters
    ----------
    statistic : callable
        Takes the columns, returns one number; ``statistic(*columns)`` is the estimate.
    *columns : array_like of shape (rows, ...)
        The data, row by row, such as labels and scores.
    patients : array_like of shape (rows,), optional
        Patient of each row; without it each row is a patient of its own.
    resamples : int
        Number of resamples.
    level : float
        Coverage that is aimed at, between 0 and 1.
    seed : int
        Seed of the generator.

    Returns
    -------
    Interval
        Its ends are NaN, "not estimable", if the statistic is not finite on some resample, for
        example an AUROC when a small group was drawn without a single death.

    Raises
    ------
    ValueError
        If the columns differ in length or are empty, or a setting is out of its range.

    References
    ----------
    Efron B (1979), doi:10.1214/aos/1176344552. Field CA, Welsh AH (2007), the cluster bootstrap,
    doi:10.1111/j.1467-9868.2007.00593.x.

    Examples
    --------
    >>> estimate, low, high = bootstrap_interval(np.mean, [1, 2, 3, 4])
    >>> estimate, low < 2.5 < high
    (2.5, True)
    """
    columns = [np.asarray(column) for column in columns]
    rows = len(columns[0])
    patients = np.arange(rows) if patients is None else np.asarray(patients)
    lengths = [len(column) for column in (*columns, patients)]
    if rows == 0 or len(set(lengths)) != 1:
        raise ValueError(f"columns and patients need one length of at least 1, got {lengths}")
    if resamples < 1 or not 0 < level < 1:
        raise ValueError(f"expected resamples ≥ 1 and 0 < level < 1, got {resamples} and {level}")
    _, patient = np.unique(patients, return_inverse=True)
    rows_of = np.split(np.argsort(patient, kind="stable"), np.cumsum(np.bincount(patient))[:-1])
    generator = np.random.default_rng(seed)
    draws = np.empty(resamples)
    for number in range(resamples):
        drawn = generator.integers(len(rows_of), size=len(rows_of))
        chosen = np.concatenate([rows_of[one] for one in drawn])
        draws[number] = statistic(*(column[chosen] for column in columns))
    estimate = float(statistic(*columns))
    if not np.isfinite(draws).all():
        return Interval(estimate, np.nan, np.nan)
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Interval(estimate, float(low), float(high))


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
