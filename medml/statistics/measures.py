"""One table of what a classifier does, each number with its interval."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from medml.statistics.calibration import expected_calibration_error
from medml.statistics.columns import as_labels, as_probabilities
from medml.statistics.intervals import cautious_interval
from medml.statistics.ranking import auroc, average_precision
from medml.statistics.rates import (
    accuracy,
    mean,
    negative_predictive_value,
    positive_predictive_value,
    predictive_values,
    sensitivity,
    specificity,
)

OF_DECISIONS = {
    "accuracy": accuracy,
    "sensitivity": sensitivity,
    "specificity": specificity,
    "PPV": positive_predictive_value,
    "NPV": negative_predictive_value,
}


def brier_score(
    labels: ArrayLike, probabilities: ArrayLike, *, counts: ArrayLike | None = None
) -> float:
    """Return the mean squared error of the probabilities, (p - y)².

    Parameters
    ----------
    labels : array_like of shape (rows,)
        1 or True for a positive.
    probabilities : array_like of shape (rows,)
        Of the positive class, 0-1.
    counts : array_like of shape (..., rows), optional
        How often each row was drawn.

    Returns
    -------
    float or numpy.ndarray of shape (...)
        0 is perfect; always saying the prevalence π gives π (1 - π), at most 0.25.

    Raises
    ------
    ValueError
        If a column is not what it should be.

    References
    ----------
    Brier GW (1950), doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.

    Examples
    --------
    >>> brier_score([0, 1], [0.5, 0.5])
    0.25
    """
    labels = as_labels(labels)
    return mean((as_probabilities(probabilities, len(labels)) - labels) ** 2, counts=counts)


OF_PROBABILITIES = {
    "AUROC": auroc,
    "AUPRC": average_precision,
    "Brier": brier_score,
    "ECE": expected_calibration_error,
}


def measure_table(
    labels: ArrayLike,
    probabilities: ArrayLike,
    threshold: float = 0.5,
    *,
    patients: ArrayLike | None = None,
    prevalence: float | None = None,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the measures of a classifier, each with its patient-bootstrap interval.

    Parameters
    ----------
    labels : array_like of shape (rows,)
        1 or True for a positive.
    probabilities : array_like of shape (rows,)
        Of the positive class, 0-1.
    threshold : float
        A row is flagged if its probability is at least this. It must have been chosen on other
        patients.
    patients : array_like of shape (rows,), optional
        Patient of each row; without it each row is a patient of its own.
    prevalence : float, optional
        Share of diseased patients where the model will be used; adds PPV and NPV there.
    resamples, level, seed
        As in `bootstrap_interval`.

    Returns
    -------
    DataFrame
        Indexed by measure: accuracy, sensitivity, specificity, PPV, NPV (of this sample), AUROC,
        AUPRC, Brier, ECE (ten bins of equal width). Columns `estimate`, `low` and `high`: an
        estimate is NaN where nothing is there to estimate, ends are NaN as `cautious_interval`
        says.

    Raises
    ------
    ValueError
        If a column is not what it should be.

    Examples
    --------
    >>> table = measure_table([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.8], prevalence=0.01)
    >>> table.estimate.round(3).loc[["accuracy", "AUROC", "PPV at 1 %"]].tolist()
    [0.5, 0.75, 0.01]
    """
    labels = as_labels(labels)
    probabilities = as_probabilities(probabilities, len(labels))
    names = [*OF_DECISIONS, *OF_PROBABILITIES]
    if prevalence is not None:
        names += [f"{name} at {100 * prevalence:g} %" for name in ("PPV", "NPV")]

    def every_measure(labels, probabilities, counts=None):
        decisions = probabilities >= threshold
        found = [one(labels, decisions, counts=counts) for one in OF_DECISIONS.values()]
        found += [one(labels, probabilities, counts=counts) for one in OF_PROBABILITIES.values()]
        if prevalence is not None:
            found += predictive_values(found[1], found[2], prevalence)
        return np.stack(found, axis=-1)

    options = {"patients": patients, "resamples": resamples, "level": level, "seed": seed}
    interval = cautious_interval(every_measure, labels, probabilities, **options)
    return pd.DataFrame(interval._asdict(), index=pd.Index(names, name="measure"))
