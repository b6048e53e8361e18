"""Make probabilities honest on held-out patients: one temperature, or a monotone curve."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression

from medml.statistics.columns import as_labels, as_numbers, as_probabilities

COLDEST, HOTTEST = 1e-3, 1e3


def fit_temperature(labels: ArrayLike, logits: ArrayLike) -> float:
    """Return the temperature T > 0 for which σ(logit / T) has the highest likelihood.

    Minimises Σ log(1 + exp(-s z / T)), with s = 1 for a positive and -1 for a negative. It is
    convex in 1 / T, so that a search in one dimension finds the optimum. Dividing by T keeps the
    order of the patients: the AUROC stays as it was, unless T is so small that risks round to 1.

    Parameters
    ----------
    labels : array_like of shape (rows,)
        Of patients that the model was not trained on: on its training patients every model looks
        well calibrated.
    logits : array_like of shape (rows,)
        log(p / (1 - p)), what a network gives before its sigmoid. Of a softmax over two classes,
        the logit of the positive class minus that of the negative.

    Returns
    -------
    float
        Above 1 for a model that was too sure of itself.

    Raises
    ------
    ValueError
        If a column is not what it should be, or no T in 0.001-1,000 is best: the logits separate
        the classes perfectly, or point the wrong way.

    References
    ----------
    Guo C, Pleiss G, Sun Y, Weinberger KQ (2017), arXiv 1706.04599.

    Examples
    --------
    >>> round(fit_temperature([0, 1, 1, 1], [4.0, 4.0, 4.0, 4.0]), 3)  # 4 / log 3
    3.641
    """
    labels = as_labels(labels)
    margin = as_numbers(logits, len(labels), "logits") * np.where(labels, 1, -1)

    def loss(log_temperature):
        return np.logaddexp(0, -margin * np.exp(-log_temperature)).sum()

    bounds = np.log(COLDEST), np.log(HOTTEST)
    best = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-8}).x
    if min(best - bounds[0], bounds[1] - best) < 1e-3:
        raise ValueError(
            f"no temperature fits: the likelihood still grows at {np.exp(best):.3g}, as the logits "
            "separate the classes perfectly or point the wrong way; use more held-out patients "
            "and check which class is the positive"
        )
    return float(np.exp(best))


def at_temperature(logits: ArrayLike, temperature: float) -> np.ndarray:
    """Return the probabilities σ(logit / T).

    Raises
    ------
    ValueError
        If the temperature is not above 0.

    Examples
    --------
    >>> at_temperature([0.0, 2.0], 2.0).round(3).tolist()
    [0.5, 0.731]
    """
    if not temperature > 0:
        raise ValueError(f"a temperature is above 0, got {temperature}")
    return expit(np.asarray(logits, dtype=float) / temperature)


def fit_isotonic(labels: ArrayLike, probabilities: ArrayLike) -> Callable[[ArrayLike], np.ndarray]:
    """Return the monotone step function that fits best, by scikit-learn's isotonic regression.

    It needs hundreds of patients, and its steps tie what the model had told apart: the AUROC can
    change. Outside the probabilities it has seen it stays at the end values.

    Parameters
    ----------
    labels : array_like of shape (rows,)
        Of patients that the model was not trained on.
    probabilities : array_like of shape (rows,)

    Returns
    -------
    callable
        From probabilities to calibrated probabilities.

    Raises
    ------
    ValueError
        If a column is not what it should be.

    References
    ----------
    Zadrozny B, Elkan C (2002), doi:10.1145/775047.775151.

    Examples
    --------
    >>> calibrate = fit_isotonic([0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4])
    >>> calibrate([0.05, 0.25, 0.9]).tolist()
    [0.0, 0.5, 1.0]
    """
    labels = as_labels(labels)
    curve = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
    curve.fit(as_probabilities(probabilities, len(labels)), labels)
    return lambda values: curve.predict(as_probabilities(values, len(values)))
