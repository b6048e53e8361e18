"""A number never stands without its interval: the bootstrap that draws whole patients."""

import inspect
from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

# Below so many patients, draws of them say little about patients not seen.
FEWEST_PATIENTS = 10
BLOCK = 2**21  # counts held at once, 16 MB


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

    A statistic with a parameter `counts`, as every measure of this package has, is called with all
    resamples at once, which is many times faster; any other is called for each resample. The draws
    are the same.

    Parameters
    ----------
    statistic : callable
        Takes the columns, returns one number; ``statistic(*columns)`` is the estimate. One that
        returns an array gets an Interval of arrays.
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
        example an AUROC when a small group was drawn without a single death. Ends that are equal
        mean that no resample differed; `cautious_interval` calls that not estimable as well.

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
    if _takes_counts(statistic):
        blocks = _count_blocks(patient, resamples, seed)
        draws = np.concatenate([statistic(*columns, counts=block) for block in blocks])
    else:
        tables = _tables(columns, patient, resamples, seed)
        draws = np.array([statistic(*table) for table in tables])
    known = np.isfinite(draws).all(axis=0)
    ends = [(1 - level) / 2, (1 + level) / 2]
    return _interval(statistic(*columns), *np.quantile(np.where(known, draws, 0), ends, 0), known)


def cautious_interval(
    statistic: Callable[..., float],
    *columns: ArrayLike,
    patients: ArrayLike | None = None,
    **options,
) -> Interval:
    """Return `bootstrap_interval`, not estimable where the bootstrap would claim too much.

    Three patients drawn again and again remain three patients, and a sensitivity of 10 out of 10
    is 10 out of 10 in every resample: neither shows how far other patients may differ.

    Parameters
    ----------
    statistic, *columns, patients, **options
        As in `bootstrap_interval`.

    Returns
    -------
    Interval
        Its ends are NaN, "not estimable", as in `bootstrap_interval`, and also if there are fewer
        than 10 patients or if no resample differed.

    Examples
    --------
    >>> cautious_interval(np.mean, [1, 2, 3])
    Interval(estimate=2.0, low=nan, high=nan)
    """
    estimate, low, high = bootstrap_interval(statistic, *columns, patients=patients, **options)
    number = len(np.unique(patients)) if patients is not None else len(columns[0])
    known = np.not_equal(low, high) & (number >= FEWEST_PATIENTS)
    return _interval(estimate, low, high, known)


def paired_difference(
    statistic: Callable[..., float],
    labels: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    **options,
) -> Interval:
    """Return the statistic of the first scores minus that of the second, on the same patients.

    Both scores see the same draw of patients. What makes a patient hard for both cancels, so the
    interval is narrower than two intervals side by side suggest.

    Parameters
    ----------
    statistic : callable
        Takes labels and scores, such as `auroc`.
    labels : array_like of shape (rows,)
    first, second : array_like of shape (rows,)
        The scores of two models.
    **options
        `patients`, `resamples`, `level` and `seed` as in `bootstrap_interval`.

    Returns
    -------
    Interval
        As in `bootstrap_interval`.

    Examples
    --------
    >>> from medml.statistics import auroc
    >>> paired_difference(auroc, [0, 1, 0, 1], [1, 2, 3, 4], [2, 1, 4, 3]).estimate
    0.5
    """

    def difference(labels, first, second):
        return statistic(labels, first) - statistic(labels, second)

    def counted_difference(labels, first, second, counts=None):
        return statistic(labels, first, counts=counts) - statistic(labels, second, counts=counts)

    chosen = counted_difference if _takes_counts(statistic) else difference
    return bootstrap_interval(chosen, labels, first, second, **options)


def _interval(estimate: float, low: float, high: float, known: bool) -> Interval:
    """Return an interval of floats, or of arrays, whose ends are NaN where they are not known."""
    ends = (np.where(known, end, np.nan) for end in (low, high))
    every = (np.asarray(one, dtype=float) for one in (estimate, *ends))
    return Interval(*(one if one.ndim else float(one) for one in every))


def _takes_counts(statistic: Callable) -> bool:
    """Return whether a statistic has a parameter `counts`; some built-in functions cannot tell."""
    try:
        return "counts" in inspect.signature(statistic).parameters
    except ValueError:
        return False


def _draws(patients: int, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """Yield the numbers of the patients in each resample."""
    generator = np.random.default_rng(seed)
    for _ in range(resamples):
        yield generator.integers(patients, size=patients)


def _count_blocks(patient: np.ndarray, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """Yield how often each row was drawn, shape (some resamples, rows)."""
    patients = patient.max() + 1
    draws = _draws(patients, resamples, seed)
    size = max(1, BLOCK // len(patient))
    for _ in range(0, resamples, size):
        some = islice(draws, size)
        yield np.array([np.bincount(one, minlength=patients)[patient] for one in some], float)


def _tables(columns: list, patient: np.ndarray, resamples: int, seed: int) -> Iterator[list]:
    """Yield the columns of each resample, patient by patient."""
    rows_of = np.split(np.argsort(patient, kind="stable"), np.cumsum(np.bincount(patient))[:-1])
    for drawn in _draws(len(rows_of), resamples, seed):
        chosen = np.concatenate([rows_of[one] for one in drawn])
        yield [column[chosen] for column in columns]
