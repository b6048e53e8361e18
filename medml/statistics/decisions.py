"""What a model is worth when somebody acts on it: net benefit and the decision curve."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from medml.statistics.columns import as_counts, as_labels, as_probabilities, ratio
from medml.statistics.intervals import cautious_interval

THRESHOLDS = tuple(np.arange(1, 20) / 20)


def net_benefit(
    labels: ArrayLike,
    probabilities: ArrayLike,
    thresholds: ArrayLike,
    *,
    counts: ArrayLike | None = None,
) -> float | np.ndarray:
    """Return the net benefit of treating those at or above a threshold: TP/n - FP/n · t/(1-t).

    The threshold t says what a false alarm costs against a miss (`threshold_from_costs`), so that
    false alarms are counted in true positives. Treating nobody has net benefit 0, and treating
    all, net_benefit(labels, [1, 1, …], t), π - (1 - π) t / (1 - t) at the prevalence π.

    Parameters
    ----------
    labels : array_like of shape (rows,)
        1 or True for a patient who gains from the treatment.
    probabilities : array_like of shape (rows,)
        Calibrated risks, 0-1.
    thresholds : float or array_like of shape (thresholds,)
        Above 0 and below 1.
    counts : array_like of shape (..., rows), optional
        How often each row was drawn.

    Returns
    -------
    float or numpy.ndarray of shape (...) or (..., thresholds)
        True positives a patient, net of false alarms; at most the prevalence. 0.02 is as good as
        finding 2 of 100 patients without a false alarm.

    Raises
    ------
    ValueError
        If a column is not what it should be, or a threshold is outside 0-1.

    References
    ----------
    Vickers AJ, Elkin EB (2006), doi:10.1177/0272989X06295361.

    Examples
    --------
    >>> net_benefit([1, 0, 0, 0], [0.9, 0.6, 0.1, 0.2], 0.5)  # 1/4 - 1/4
    0.0
    """
    labels = as_labels(labels)
    probabilities = as_probabilities(probabilities, len(labels))
    counts = as_counts(counts, len(labels))
    thresholds = np.asarray(thresholds, dtype=float)
    if not ((thresholds > 0) & (thresholds < 1)).all():
        raise ValueError(f"thresholds lie between 0 and 1, both excluded, got {thresholds}")
    worth = np.where(labels[:, None], 1, -thresholds.reshape(1, -1) / (1 - thresholds.ravel()))
    gained = counts @ np.where(probabilities[:, None] >= thresholds.ravel(), worth, 0)
    found = ratio(gained, counts.sum(axis=-1)[..., None])
    return found if thresholds.ndim else ratio(found[..., 0], 1)


def decision_curve(
    labels: ArrayLike,
    probabilities: ArrayLike,
    thresholds: ArrayLike = THRESHOLDS,
    *,
    patients: ArrayLike | None = None,
    **options,
) -> pd.DataFrame:
    """Return the net benefit of a model, of treating all and of treating none, with intervals.

    Parameters
    ----------
    labels, probabilities, thresholds
        As in `net_benefit`; only thresholds that a clinic would consider mean something.
    patients, **options
        As in `bootstrap_interval`.

    Returns
    -------
    DataFrame
        Indexed by threshold: `model`, `low`, `high`; `treat_all`, `treat_none`; `gain`, the model
        minus the better of the two, `gain_low`, `gain_high`. The model's own interval moves mostly
        with the prevalence; the gain, on the same draws, tells whether the model is of use. Ends
        are NaN, "not estimable", as in `cautious_interval`.

    Raises
    ------
    ValueError
        As in `net_benefit`.

    Examples
    --------
    >>> curve = decision_curve([1, 0, 0, 0], [0.9, 0.6, 0.1, 0.2], [0.2, 0.7])
    >>> curve[["model", "treat_all", "gain"]].round(3).to_numpy().tolist()
    [[0.125, 0.062, 0.062], [0.25, -1.5, 0.25]]
    """
    thresholds = np.atleast_1d(np.asarray(thresholds, dtype=float))

    def curves(labels, probabilities, counts=None):
        model = net_benefit(labels, probabilities, thresholds, counts=counts)
        treat_all = net_benefit(labels, np.ones(len(labels)), thresholds, counts=counts)
        return np.stack([model, treat_all, model - np.maximum(treat_all, 0)], axis=-1)

    found = cautious_interval(curves, labels, probabilities, patients=patients, **options)
    (model, treat_all, gain), (low, _, gain_low), (high, _, gain_high) = (one.T for one in found)
    columns = {"model": model, "low": low, "high": high, "treat_all": treat_all, "treat_none": 0.0}
    columns |= {"gain": gain, "gain_low": gain_low, "gain_high": gain_high}
    return pd.DataFrame(columns, index=pd.Index(thresholds, name="threshold"))
