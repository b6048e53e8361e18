"""Train a model with differential privacy: clip what each patient adds, then add noise."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import expit, gammaln, logsumexp

ORDERS = np.r_[2:64, 64:513:16]  # orders of Rényi divergence that the accountant tries


def logistic_gradients(weights: ArrayLike, x: ArrayLike, y: ArrayLike) -> np.ndarray:
    """Return the gradient of each patient's logistic loss, (p − y) · x with p = σ(x · w).

    Parameters
    ----------
    weights : array_like of shape (features,)
    x : array_like of shape (patients, features)
        With a column of ones for the intercept.
    y : array_like of shape (patients,)
        0 or 1.

    Returns
    -------
    numpy.ndarray of shape (patients, features)

    Examples
    --------
    >>> logistic_gradients([0.0, 0.0], [[1.0, 4.0]], [1]).tolist()
    [[-0.5, -2.0]]
    """
    x = np.asarray(x, dtype=float)
    return (expit(x @ np.asarray(weights)) - np.asarray(y))[:, None] * x


def dp_sgd_step(
    weights: ArrayLike,
    gradients: ArrayLike,
    *,
    clip: float,
    noise: float,
    lot: float,
    learning_rate: float,
    generator: np.random.Generator,
) -> np.ndarray:
    """Return the weights after one private step.

    Each patient's gradient g is shortened to g / max(1, ‖g‖ / C), so that nobody can move the sum
    by more than C. Normal noise of standard deviation noise · C hides whether one was there.

    Parameters
    ----------
    weights : array_like of shape (features,)
    gradients : array_like of shape (patients, features)
        One row for each patient drawn for this step; there may be none.
    clip : float
        C, the longest gradient that one patient may have, above 0.
    noise : float
        Noise multiplier; 0 gives no privacy.
    lot : float
        Number of patients expected in a step, not the number drawn, which is itself private.
    learning_rate : float
    generator : numpy.random.Generator

    Raises
    ------
    ValueError
        If `clip` or `lot` is not above 0, `noise` is below 0, or the shapes do not fit.

    References
    ----------
    Abadi M et al. (2016), algorithm 1, doi:10.1145/2976749.2978318.

    Examples
    --------
    >>> settings = {"clip": 1, "noise": 0, "lot": 2, "learning_rate": 1}
    >>> dp_sgd_step([0, 0], [[3, 4], [0, 0.5]], generator=None, **settings).tolist()
    [-0.3, -0.65]
    """
    weights, gradients = np.asarray(weights, dtype=float), np.asarray(gradients, dtype=float)
    if not (clip > 0 and lot > 0 and noise >= 0):
        raise ValueError(f"expected clip > 0, lot > 0, noise ≥ 0; got {clip}, {lot}, {noise}")
    if gradients.shape[1:] != weights.shape:
        raise ValueError(f"gradients of shape {gradients.shape} for {weights.size} weights")
    lengths = np.linalg.norm(gradients, axis=1, keepdims=True)
    total = (gradients / np.maximum(1, lengths / clip)).sum(axis=0)
    if noise:
        total = total + generator.normal(0, noise * clip, weights.size)
    return weights - learning_rate * total / lot


def train_private(
    x: ArrayLike,
    y: ArrayLike,
    *,
    noise: float,
    generator: np.random.Generator,
    sampling: float = 0.1,
    steps: int = 100,
    clip: float = 1.0,
    learning_rate: float = 3.0,
) -> np.ndarray:
    """Return the weights of a logistic model after private steps (see `dp_sgd_step`).

    In each step every patient takes part with probability `sampling`, independently. What the
    run costs is `dp_sgd_epsilon(noise, sampling, steps, delta)`.

    Parameters
    ----------
    x : array_like of shape (patients, features)
        With a column of ones. Scale it without looking at the patients, or pay for looking.
    y : array_like of shape (patients,)
        0 or 1.
    noise : float
        Noise multiplier; 0 trains in the same way without privacy.
    generator : numpy.random.Generator
    sampling : float
        Probability of taking part in a step, above 0 and at most 1.
    steps : int
    clip, learning_rate : float

    Raises
    ------
    ValueError
        If there is no patient or a setting is out of its range.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if len(x) == 0 or len(x) != len(y):
        raise ValueError(f"{len(x)} rows and {len(y)} labels: expected as many, and at least one")
    if not 0 < sampling <= 1:
        raise ValueError(f"sampling {sampling}: expected a probability above 0")
    weights = np.zeros(x.shape[1])
    for _ in range(steps):
        drawn = generator.random(len(x)) < sampling
        weights = dp_sgd_step(
            weights,
            logistic_gradients(weights, x[drawn], y[drawn]),
            clip=clip,
            noise=noise,
            lot=sampling * len(x),
            learning_rate=learning_rate,
            generator=generator,
        )
    return weights


def dp_sgd_epsilon(noise: float, sampling: float, steps: int, delta: float) -> float:
    """Return the ε that a run of DP-SGD costs at a given δ.

    One step with noise multiplier σ and sampling probability q has, at the whole order α, the
    Rényi divergence ln(Σₖ C(α, k) (1 − q)^(α−k) q^k e^((k² − k) / 2σ²)) / (α − 1). Steps add up,
    and ε is the least of steps · divergence + ln(1/δ) / (α − 1) over the orders.

    Parameters
    ----------
    noise : float
        Noise multiplier σ, above 0.
    sampling : float
        Probability q that a patient takes part in a step, above 0 and at most 1.
    steps : int
        Number of steps, at least 1.
    delta : float
        Between 0 and 1; less than one over the number of patients.

    Raises
    ------
    ValueError
        If a setting is out of its range.

    Notes
    -----
    Neighbouring tables differ by one patient who is there or not. Trying several settings on the
    same patients costs extra, which this does not count.

    References
    ----------
    Mironov I, Talwar K, Zhang L (2019), arXiv:1908.10530; the last step: Mironov I (2017),
    proposition 3, doi:10.1109/CSF.2017.11.

    Examples
    --------
    The example of Abadi et al. (2016), who report 1.26:

    >>> round(dp_sgd_epsilon(noise=4, sampling=0.01, steps=10_000, delta=1e-5), 2)
    1.26
    """
    if not (noise > 0 and 0 < sampling <= 1 and steps >= 1 and 0 < delta < 1):
        msg = (
            "expected noise > 0, 0 < sampling ≤ 1, steps ≥ 1, 0 < delta < 1; "
            f"got {noise}, {sampling}, {steps}, {delta}"
        )
        raise ValueError(msg)
    spent = steps * np.array([_renyi(order, noise, sampling) for order in ORDERS])
    return float((spent + np.log(1 / delta) / (ORDERS - 1)).min())


def dp_sgd_noise(epsilon: float, sampling: float, steps: int, delta: float) -> float:
    """Return the noise multiplier with which a run of DP-SGD costs ε (see `dp_sgd_epsilon`).

    Raises
    ------
    ValueError
        If ε is not above 0, no noise up to 10⁴ is enough, or another setting is out of its range.

    Examples
    --------
    >>> round(dp_sgd_noise(epsilon=1.26, sampling=0.01, steps=10_000, delta=1e-5), 1)
    4.0
    """

    def excess(log_noise):
        """Return the epsilon of this noise, minus the one that is asked for."""
        return dp_sgd_epsilon(np.exp(log_noise), sampling, steps, delta) - epsilon

    low, high = np.log(0.3), np.log(1e4)
    if not epsilon > 0 or excess(high) > 0:
        least = epsilon + excess(high)
        raise ValueError(f"epsilon {epsilon}: expected at least {least:.2g} for these settings")
    return float(np.exp(brentq(excess, low, high, xtol=1e-3))) if excess(low) > 0 else 0.3


def _renyi(order: int, noise: float, sampling: float) -> float:
    """Return the Rényi divergence of one step at a whole order."""
    if sampling == 1:
        return order / (2 * noise**2)
    k = np.arange(order + 1)
    choose = gammaln(order + 1) - gammaln(k + 1) - gammaln(order - k + 1)
    weight = k * np.log(sampling) + (order - k) * np.log1p(-sampling)
    return logsumexp(choose + weight + (k**2 - k) / (2 * noise**2)) / (order - 1)
