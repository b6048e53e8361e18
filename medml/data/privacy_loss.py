"""Put a promise of privacy to the test: draw often from two neighbouring tables and compare."""

import math
from collections.abc import Sequence

import numpy as np
from scipy.stats import beta

from medml.statistics import Interval


def empirical_privacy_loss(
    first: Sequence[bool], second: Sequence[bool], delta: float = 0.0, level: float = 0.99
) -> Interval:
    """Return the privacy loss seen in draws from two neighbouring tables, with its bounds.

    An event S is chosen before the draws. The loss of S is ln((P(S | D) − δ) / P(S | D′)); a
    mechanism that keeps its promise has at most ε for every S. A lower bound above ε therefore
    refutes the promise; a bound below proves nothing, since another event may show more.

    Parameters
    ----------
    first, second : sequence of bool
        For each draw from D and from D′, whether the event happened.
    delta : float
        δ of the promise.
    level : float
        Confidence of each bound by itself.

    Returns
    -------
    Interval
        The loss with a lower and an upper bound, from Clopper and Pearson's bounds of both
        shares, each at (1 + level) / 2 so that together they hold at `level`. Minus or plus
        infinity where a share cannot be told from δ or zero.

    Raises
    ------
    ValueError
        If there are no draws, or δ or the level is out of its range.

    References
    ----------
    Clopper CJ, Pearson ES (1934), doi:10.1093/biomet/26.4.404. Testing a mechanism by an event:
    Ding Z et al. (2018), doi:10.1145/3243734.3243818.

    Examples
    --------
    >>> loss = empirical_privacy_loss([True] * 500 + [False] * 500, [True] * 200 + [False] * 800)
    >>> round(loss.estimate, 2), loss.low < loss.estimate < loss.high
    (0.92, True)
    """
    counts = [(int(np.sum(draws)), len(draws)) for draws in (first, second)]
    if min(draws for _, draws in counts) == 0:
        raise ValueError("no draws: draw at least once from each table")
    if not (0 <= delta < 1 and 0 < level < 1):
        raise ValueError(f"expected 0 ≤ delta < 1 and 0 < level < 1, got {delta} and {level}")
    p, q = (hits / draws for hits, draws in counts)
    (p_low, p_high), (q_low, q_high) = (
        _clopper_pearson(*count, (1 + level) / 2) for count in counts
    )
    return Interval(
        _log_ratio(p - delta, q),
        _log_ratio(p_low - delta, q_high),
        _log_ratio(p_high - delta, q_low),
    )


def _clopper_pearson(hits: int, draws: int, level: float) -> tuple[float, float]:
    """Return a lower and an upper bound of a share, each one-sided at `level`."""
    low = beta.ppf(1 - level, hits, draws - hits + 1) if hits else 0.0
    high = beta.ppf(level, hits + 1, draws - hits) if hits < draws else 1.0
    return float(low), float(high)


def _log_ratio(p: float, q: float) -> float:
    if p <= 0:
        return -math.inf
    return math.log(p / q) if q > 0 else math.inf
