"""How early a ranked list finds the actives: an assay reads the top, AUROC the whole list.

Known actives can be mixed into a library nobody has measured ("spiked"). The rest of the library is
then presumed inactive, which is mostly true but not known; and where the actives differ from the
library in size or charge, telling them apart is easier than finding new ones.
"""

import math

import numpy as np
from numpy.typing import ArrayLike


def enrichment_factor(scores: ArrayLike, active: ArrayLike, share: float = 0.01) -> float:
    """Return how many times more actives the top of a list holds than a random choice would.

    EF = (actives among the first n / n) / (all actives / N), with n = ⌈share · N⌉. Molecules of
    the same score share their places. 1 is chance; `largest_enrichment` is the best there can be.

    Parameters
    ----------
    scores : array_like of shape (N,)
        Higher is better.
    active : array_like of shape (N,)
        1 or True for an active.
    share : float
        Share of the list that is assayed, above 0 and at most 1; EF1 % is a share of 0.01.

    Raises
    ------
    ValueError
        If lengths differ, a score is not finite, there is no active, or the share is out of range.

    Examples
    --------
    >>> enrichment_factor([5, 4, 3, 2, 1], [1, 0, 0, 1, 0], share=0.4)
    1.25
    """
    expected = _expected_actives(scores, active)
    top = _top(len(expected), share)
    return float(expected[:top].mean() / expected.mean())


def largest_enrichment(active: ArrayLike, share: float = 0.01) -> float:
    """Return the enrichment factor of the perfect list: at most 1 / share, and N / actives.

    Where a third of the molecules are active, no list reaches more than 3, so that an enrichment
    factor says little; it is made for the one active in hundreds of a real library.

    Examples
    --------
    >>> largest_enrichment([1, 0, 0, 0], share=0.25)
    4.0
    """
    return enrichment_factor(active, active, share)


def bedroc(scores: ArrayLike, active: ArrayLike, alpha: float = 20.0) -> float:
    """Return BEDROC, the early recovery of actives: 1 if all come first, 0 if all come last.

    The active at place i of N counts exp(−α i / N); the sum is put on a scale from its least to
    its greatest possible value. With α = 20 the first 8 % of the list make 80 % of the score. It
    depends on the share of actives: compare lists of one make-up only.

    Parameters
    ----------
    scores, active : array_like of shape (N,)
        As in `enrichment_factor`.
    alpha : float
        Above 0; larger looks at less of the list.

    Raises
    ------
    ValueError
        As in `enrichment_factor`; or if all are active, alpha is not above 0, or it is so far
        from the usual that all weights are 0 or all alike.

    References
    ----------
    Truchon JF, Bayly CI (2007) Evaluating virtual screening methods: good and bad metrics for the
    "early recognition" problem, doi:10.1021/ci600426e.

    Examples
    --------
    >>> bedroc([4, 3, 2, 1], [1, 1, 0, 0]), bedroc([4, 3, 2, 1], [0, 0, 1, 1])
    (1.0, 0.0)
    """
    if not alpha > 0:
        raise ValueError(f"expected alpha above 0, got {alpha}")
    expected = _expected_actives(scores, active)
    count = round(expected.sum())
    if count == len(expected):
        raise ValueError(f"all {count} molecules are active: no order is better than another")
    weight = np.exp(-alpha * np.arange(1, len(expected) + 1) / len(expected))
    least, greatest = weight[-count:].sum(), weight[:count].sum()
    if not greatest > least:
        msg = f"alpha = {alpha:g} tells no places of {len(expected)} apart: 20 is usual"
        raise ValueError(msg)
    return float((expected @ weight - least) / (greatest - least))


def _top(count: int, share: float) -> int:
    """Return the number of molecules in a share of the list."""
    if not 0 < share <= 1:
        raise ValueError(f"expected a share above 0 and at most 1, got {share}")
    return max(1, math.ceil(count * share - 1e-9))  # 0.07 · 100 is a little above 7


def _expected_actives(scores: ArrayLike, active: ArrayLike) -> np.ndarray:
    """Return the expected number of actives at each place of the list, shape (N,).

    Equal scores can stand in any order, so each of their places holds the mean of the group.
    """
    scores, active = np.asarray(scores, float), np.asarray(active).astype(bool)
    if scores.shape != active.shape or scores.ndim != 1:
        msg = f"expected as many scores as labels, got shapes {scores.shape} and {active.shape}"
        raise ValueError(msg)
    if not np.isfinite(scores).all():
        raise ValueError(f"expected finite scores, got {scores[~np.isfinite(scores)][0]}")
    if not active.any():
        raise ValueError(f"none of {len(active)} molecules is active: nothing can be found")
    _, group, sizes = np.unique(-scores, return_inverse=True, return_counts=True)
    return np.repeat(np.bincount(group, active) / sizes, sizes)
