"""A number never stands without its interval: the bootstrap that draws whole patients."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


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
