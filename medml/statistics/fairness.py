"""What can be made equal between groups of patients, and what then cannot.

Equal sensitivity, equal false alarms and equal predictive values cannot be had together where
groups differ in prevalence: which of them matters is no question of statistics.
"""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from medml.statistics.columns import as_groups, as_labels, as_numbers
from medml.statistics.thresholds import threshold_for_sensitivity


def equal_opportunity_thresholds(
    labels: ArrayLike, scores: ArrayLike, groups: ArrayLike, wanted: float
) -> pd.Series:
    """Return a threshold for each group, so that all find the same share of their positives.

    Choose them on other patients than those they are judged on. Using a group in a decision is
    for law and ethics to allow, and a better model for the worse-off group may do more.

    Parameters
    ----------
    labels, scores, groups : array_like of shape (rows,)
        As in `group_table`; scores need not be probabilities.
    wanted : float
        Sensitivity in each group, above 0 and at most 1.

    Returns
    -------
    Series
        Indexed by group; flag by ``scores >= thresholds.loc[groups].to_numpy()``.

    Raises
    ------
    ValueError
        If a column is not what it should be, a group is missing or has no positive, or `wanted`
        is out of range.

    References
    ----------
    Hardt M, Price E, Srebro N (2016), arXiv 1610.02413.

    Examples
    --------
    >>> equal_opportunity_thresholds([1, 1, 0, 1], [0.9, 0.7, 0.5, 0.2], list("aabb"), 1).to_dict()
    {'a': 0.7, 'b': 0.2}
    """
    labels = as_labels(labels)
    scores, groups = as_numbers(scores, len(labels)), as_groups(groups, len(labels))
    found = {}
    for group in np.unique(groups).tolist():
        inside = groups == group
        try:
            found[group] = threshold_for_sensitivity(labels[inside], scores[inside], wanted)
        except ValueError as error:
            raise ValueError(f"group {group!s}: {error}") from None
    return pd.Series(found, name="threshold").rename_axis("group")


def implied_false_positive_rate(
    prevalence: ArrayLike, ppv: ArrayLike, false_negative_rate: ArrayLike
) -> float:
    """Return the false positive rate that a PPV and a false negative rate leave no choice about.

    FPR = π / (1 - π) · (1 - PPV) / PPV · (1 - FNR). Two groups with the same PPV and FNR but
    another prevalence π must differ in their FPR, unless the test is perfect: no threshold and no
    model escapes.

    Parameters
    ----------
    prevalence, ppv, false_negative_rate : float or array_like
        Shares: the prevalence from 0 to below 1, the PPV above 0 and at most 1.

    Returns
    -------
    float or numpy.ndarray
        Above 1 if no test has these three together.

    Raises
    ------
    ValueError
        If a share is out of its range.

    References
    ----------
    Chouldechova A (2017), doi:10.1089/big.2016.0047. For calibrated scores: Kleinberg J,
    Mullainathan S, Raghavan M (2016), arXiv 1609.05807.

    Examples
    --------
    >>> implied_false_positive_rate([0.1, 0.2], ppv=0.5, false_negative_rate=0.1).round(3).tolist()
    [0.1, 0.225]
    """
    given = prevalence, ppv, false_negative_rate
    prior, precision, missed = (np.asarray(share, dtype=float) for share in given)
    ranges = (
        (prior >= 0) & (prior < 1),
        (precision > 0) & (precision <= 1),
        (missed >= 0) & (missed <= 1),
    )
    if not all(inside.all() for inside in ranges):
        raise ValueError(
            "expected shares with a prevalence below 1 and a PPV above 0, got "
            f"{prevalence}, {ppv} and {false_negative_rate}: divide percentages by 100"
        )
    found = prior / (1 - prior) * (1 - precision) / precision * (1 - missed)
    return found if found.ndim else float(found)
