"""Rates of decisions against the truth, and what they mean where the disease is rarer.

A decision is True or 1 for a flagged patient, such as ``probabilities >= 0.5``. Each measure takes
`counts` (see `columns.as_counts`), so that `bootstrap_interval` computes all resamples at once.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from medml.statistics.columns import as_counts, as_decisions, as_labels, as_numbers, ratio


class PredictiveValues(NamedTuple):
    """What a test result means: P(disease | positive) and P(no disease | negative)."""

    ppv: float
    npv: float


def mean(values: ArrayLike, *, counts: ArrayLike | None = None) -> float:
    """Return the mean; of booleans, the share of True.

    Parameters
    ----------
    values : array_like of shape (rows,)
        Finite numbers, for example the difference of two columns.
    counts : array_like of shape (..., rows), optional
        How often each row was drawn.

    Returns
    -------
    float or numpy.ndarray of shape (...)
        In the unit of the values; NaN where no row was drawn.

    Examples
    --------
    >>> mean([1, 2, 6]), mean([1, 2, 6], counts=[2, 1, 0])
    (3.0, 1.3333333333333333)
    """
    values = as_numbers(values, len(values), "values")
    counts = as_counts(counts, len(values))
    return ratio(counts @ values, counts.sum(axis=-1))


def accuracy(labels: ArrayLike, decisions: ArrayLike, *, counts: ArrayLike | None = None) -> float:
    """Return the share of right decisions. It depends on the prevalence.

    Parameters
    ----------
    labels : array_like of shape (rows,)
        1 or True for a diseased patient, 0 or False for a healthy one.
    decisions : array_like of shape (rows,)
        1 or True for a flagged patient.
    counts : array_like of shape (..., rows), optional
        How often each row was drawn.

    Returns
    -------
    float or numpy.ndarray of shape (...)
        Between 0 and 1; NaN where no row was drawn.

    Examples
    --------
    >>> accuracy([1, 1, 0, 0], [1, 0, 0, 0])
    0.75
    """
    labels = as_labels(labels)
    return mean(as_decisions(decisions, len(labels)) == labels, counts=counts)


def sensitivity(
    labels: ArrayLike, decisions: ArrayLike, *, counts: ArrayLike | None = None
) -> float:
    """Return the share of the diseased that are flagged: TP / (TP + FN). Also called recall.

    Parameters
    ----------
    labels, decisions, counts
        As in `accuracy`.

    Returns
    -------
    float or numpy.ndarray of shape (...)
        NaN, "not estimable", without a diseased patient.

    Examples
    --------
    >>> sensitivity([1, 1, 0, 0], [1, 0, 0, 0])
    0.5
    """
    labels = as_labels(labels)
    return _share(as_decisions(decisions, len(labels)), labels, counts)


def specificity(
    labels: ArrayLike, decisions: ArrayLike, *, counts: ArrayLike | None = None
) -> float:
    """Return the share of the healthy that are not flagged: TN / (TN + FP).

    Parameters
    ----------
    labels, decisions, counts
        As in `accuracy`.

    Returns
    -------
    float or numpy.ndarray of shape (...)
        NaN, "not estimable", without a healthy patient.

    Examples
    --------
    >>> specificity([1, 1, 0, 0], [1, 0, 1, 0])
    0.5
    """
    labels = as_labels(labels)
    return _share(~as_decisions(decisions, len(labels)), ~labels, counts)


def positive_predictive_value(
    labels: ArrayLike,
    decisions: ArrayLike,
    prevalence: float | None = None,
    *,
    counts: ArrayLike | None = None,
) -> float:
    """Return the share of the flagged that are diseased, in this sample or at a prevalence.

    Parameters
    ----------
    labels, decisions, counts
        As in `accuracy`.
    prevalence : float, optional
        Share of diseased patients where the test will be used: sensitivity and specificity are
        taken from the sample and carried there (see `predictive_values`). Without it, the value
        in the sample, TP / (TP + FP), which is true only where patients are as in the sample.

    Returns
    -------
    float or numpy.ndarray of shape (...)
        NaN, "not estimable", without a flagged patient.

    Examples
    --------
    >>> positive_predictive_value([1, 1, 0, 0], [1, 1, 1, 0])
    0.6666666666666666
    """
    if prevalence is None:
        labels = as_labels(labels)
        return _share(labels, as_decisions(decisions, len(labels)), counts)
    rates = (rate(labels, decisions, counts=counts) for rate in (sensitivity, specificity))
    return predictive_values(*rates, prevalence).ppv


def negative_predictive_value(
    labels: ArrayLike,
    decisions: ArrayLike,
    prevalence: float | None = None,
    *,
    counts: ArrayLike | None = None,
) -> float:
    """Return the share of those not flagged that are healthy, in this sample or at a prevalence.

    Parameters
    ----------
    labels, decisions, prevalence, counts
        As in `positive_predictive_value`.

    Returns
    -------
    float or numpy.ndarray of shape (...)
        NaN, "not estimable", if all are flagged.

    Examples
    --------
    >>> negative_predictive_value([1, 1, 0, 0], [1, 0, 0, 0])
    0.6666666666666666
    """
    if prevalence is None:
        labels = as_labels(labels)
        return _share(~labels, ~as_decisions(decisions, len(labels)), counts)
    rates = (rate(labels, decisions, counts=counts) for rate in (sensitivity, specificity))
    return predictive_values(*rates, prevalence).npv


def predictive_values(
    sensitivity: ArrayLike, specificity: ArrayLike, prevalence: ArrayLike
) -> PredictiveValues:
    """Return PPV and NPV at a prevalence, by Bayes' formula.

    With prevalence π: PPV = sens π / (sens π + (1 - spec) (1 - π)) and
    NPV = spec (1 - π) / (spec (1 - π) + (1 - sens) π).

    It holds if sensitivity and specificity are the same where the test will be used. They often
    are not: where disease is rarer it is also milder, and the healthy are healthier.

    Parameters
    ----------
    sensitivity, specificity, prevalence : float or array_like
        Shares between 0 and 1; NaN, "not estimable", stays NaN.

    Returns
    -------
    PredictiveValues
        NaN where nobody is flagged, or everybody.

    Raises
    ------
    ValueError
        If one is outside 0-1.

    References
    ----------
    Altman DG, Bland JM (1994), doi:10.1136/bmj.309.6947.102.

    Examples
    --------
    >>> ppv, npv = predictive_values(0.9, 0.9, 0.01)
    >>> round(ppv, 3), round(npv, 4)
    (0.083, 0.9989)
    """
    shares = {"sensitivity": sensitivity, "specificity": specificity, "prevalence": prevalence}
    for name, share in shares.items():
        outside = np.asarray(share)[(np.asarray(share) < 0) | (np.asarray(share) > 1)]
        if outside.size:
            raise ValueError(f"{name} is a share from 0 to 1, got {outside[0]}: divide a % by 100")
    sens, spec, prior = (np.asarray(share, dtype=float) for share in shares.values())
    true_positives, false_positives = sens * prior, (1 - spec) * (1 - prior)
    true_negatives, false_negatives = spec * (1 - prior), (1 - sens) * prior
    return PredictiveValues(
        ratio(true_positives, true_positives + false_positives),
        ratio(true_negatives, true_negatives + false_negatives),
    )


def _share(part: np.ndarray, whole: np.ndarray, counts: ArrayLike | None) -> float:
    """Return which share of the drawn rows in `whole` is in `part` as well."""
    counts = as_counts(counts, len(whole))
    return ratio(counts @ (part & whole).astype(float), counts @ whole.astype(float))
