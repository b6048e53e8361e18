"""From which score on somebody acts: operating points by cost and by sensitivity."""

import numpy as np
from numpy.typing import ArrayLike

from medml.statistics.columns import as_labels, as_numbers


def threshold_from_costs(false_alarm: float, miss: float) -> float:
    """Return the risk from which acting costs less than waiting: t = false alarm / (both).

    Acting on a patient with risk p costs (1 - p) × false alarm, waiting costs p × miss; at t they
    are equal. Each cost is what the wrong decision takes beyond the right one, in any common unit,
    such as days of life or unneeded biopsies. It holds for calibrated risks only.

    Parameters
    ----------
    false_alarm, miss : float
        Above 0.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    ValueError
        If a cost is not above 0.

    References
    ----------
    Pauker SG, Kassirer JP (1980), doi:10.1056/NEJM198005153022003.

    Examples
    --------
    >>> threshold_from_costs(false_alarm=1, miss=9)  # a miss is as bad as nine false alarms
    0.1
    """
    if not (false_alarm > 0 and miss > 0):
        raise ValueError(
            f"costs are above 0, got {false_alarm} for a false alarm and {miss} for a miss: "
            "where one of them costs nothing, no model is needed"
        )
    return false_alarm / (false_alarm + miss)


def threshold_for_sensitivity(labels: ArrayLike, scores: ArrayLike, wanted: float) -> float:
    """Return the highest threshold that still finds the wanted share of the positives.

    Choose it on other patients than those it is judged on: on its own it keeps its promise by
    construction.

    Parameters
    ----------
    labels : array_like of shape (rows,)
        1 or True for a positive.
    scores : array_like of shape (rows,)
        A row is flagged if its score is at least the threshold.
    wanted : float
        Sensitivity, above 0 and at most 1.

    Returns
    -------
    float
        The score of a positive.

    Raises
    ------
    ValueError
        If a column is not what it should be, there is no positive or `wanted` is out of range.

    Examples
    --------
    >>> threshold_for_sensitivity([1, 1, 1, 0], [0.9, 0.7, 0.2, 0.5], 0.6)
    0.7
    """
    labels = as_labels(labels)
    found = np.sort(as_numbers(scores, len(labels))[labels])[::-1]
    if not len(found) or not 0 < wanted <= 1:
        raise ValueError(
            f"expected a positive and a sensitivity above 0 and at most 1, got {len(found)} "
            f"positives and {wanted}"
        )
    return float(found[int(np.ceil(wanted * len(found) - 1e-9)) - 1])


def threshold_of_least_cost(
    labels: ArrayLike,
    scores: ArrayLike,
    false_alarm: float,
    miss: float,
    prevalence: float | None = None,
) -> float:
    """Return the threshold of the least cost a patient, for scores that need not be risks.

    Cost = miss × (1 - sensitivity) × π + false alarm × (1 - specificity) × (1 - π), at the
    prevalence π. Choose it on other patients than those it is judged on.

    Parameters
    ----------
    labels, scores
        As in `threshold_for_sensitivity`.
    false_alarm, miss : float
        As in `threshold_from_costs`.
    prevalence : float, optional
        Where the threshold will be used, above 0 and below 1; without it, that of the sample.

    Returns
    -------
    float
        One of the scores, the highest of equally good ones; infinity if it is best to flag nobody.

    Raises
    ------
    ValueError
        If a column, cost or prevalence is not what it should be, or a class is missing.

    Examples
    --------
    >>> labels, scores = [0, 0, 1, 0, 1], [1, 2, 3, 4, 5]
    >>> threshold_of_least_cost(labels, scores, false_alarm=1, miss=5)
    3.0
    >>> threshold_of_least_cost(labels, scores, false_alarm=5, miss=1)
    5.0
    """
    labels = as_labels(labels)
    scores = as_numbers(scores, len(labels))
    threshold_from_costs(false_alarm, miss)  # refuses costs that are none
    prior = labels.mean() if prevalence is None else prevalence
    if labels.all() or not labels.any() or not 0 < prior < 1:
        raise ValueError(
            f"expected both classes and a prevalence between 0 and 1, got {labels.sum()} of "
            f"{len(labels)} positive and {prior}"
        )
    candidates = np.append(np.unique(scores), np.inf)
    missed = np.searchsorted(np.sort(scores[labels]), candidates) / labels.sum()
    alarmed = 1 - np.searchsorted(np.sort(scores[~labels]), candidates) / (~labels).sum()
    cost = miss * prior * missed + false_alarm * (1 - prior) * alarmed
    return float(candidates[::-1][np.argmin(np.round(cost[::-1], 12))])
