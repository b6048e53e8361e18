"""Differential privacy: noise that hides one patient, and a budget for it."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.stats import norm

from medml import MedmlError


class BudgetSpent(MedmlError):
    """An answer that would cost more privacy than is left."""


class Loss(NamedTuple):
    """Privacy loss: ε, and the probability δ with which it may be larger."""

    epsilon: float
    delta: float = 0.0


class Budget:
    """The privacy loss that a table may ever suffer; answers are refused when it is spent.

    Sequential composition: the losses of all answers about the same patients add up,
    ε = ε₁ + ε₂ + … and δ = δ₁ + δ₂ + …, whatever was asked and in whatever order.

    Parameters
    ----------
    epsilon : float
        Total ε, above 0.
    delta : float
        Total δ, from 0 to below 1.

    Attributes
    ----------
    spent : list of Loss
        What each answer has cost.

    Raises
    ------
    ValueError
        If ε or δ is out of its range.

    References
    ----------
    Dwork C, Roth A (2014), theorem 3.16, doi:10.1561/0400000042.

    Examples
    --------
    >>> budget = Budget(1.0)
    >>> budget.spend(0.7)
    >>> round(budget.left.epsilon, 6)
    0.3
    >>> budget.spend(0.5)
    Traceback (most recent call last):
    medml.data.differential_privacy.BudgetSpent: this answer costs ε = 0.5 and δ = 0, ...
    """

    def __init__(self, epsilon: float, delta: float = 0.0) -> None:
        self.total = _loss(epsilon, delta)
        self.spent: list[Loss] = []

    @property
    def left(self) -> Loss:
        """What is left of ε and δ."""
        used = [math.fsum(loss) for loss in zip(*self.spent, strict=True)] or [0.0, 0.0]
        return Loss(*(total - part for total, part in zip(self.total, used, strict=True)))

    def spend(self, epsilon: float, delta: float = 0.0) -> None:
        """Pay for one answer, or raise BudgetSpent and leave the budget as it was."""
        loss, left = _loss(epsilon, delta), self.left
        slack = 1e-9  # ten times 0.1 is one, whatever binary fractions say
        if any(
            cost > rest + slack * total
            for cost, rest, total in zip(loss, left, self.total, strict=True)
        ):
            raise BudgetSpent(
                f"this answer costs ε = {epsilon:g} and δ = {delta:g}, but only "
                f"ε = {max(left.epsilon, 0):g} and δ = {max(left.delta, 0):g} are left: "
                "ask less, or accept more noise; more budget is a decision for the data's owner"
            )
        self.spent.append(loss)


def laplace_mechanism(
    value: ArrayLike,
    sensitivity: float,
    epsilon: float,
    generator: np.random.Generator,
    budget: Budget | None = None,
) -> np.ndarray:
    """Return a value with Laplace noise of scale sensitivity / ε, which makes it ε-private.

    For tables D and D′ that differ in one patient, and every set S of answers,
    P(M(D) ∈ S) ≤ e^ε · P(M(D′) ∈ S).

    Parameters
    ----------
    value : array_like
        The true answer: a number, or several that are asked together.
    sensitivity : float
        Most that one patient can change the answer (of several numbers: their sum of changes).
        A count changes by 1; a mean of n values clipped to [a, b] by (b − a) / n.
    epsilon : float
        Privacy loss, above 0. Small is private.
    generator : numpy.random.Generator
        Source of the noise.
    budget : Budget, optional
        Pays first; a spent budget raises BudgetSpent and no noise is drawn.

    Returns
    -------
    numpy.ndarray of float64, the shape of `value`

    Raises
    ------
    ValueError
        If ε or the sensitivity is not above 0, or the value is not finite.

    Notes
    -----
    For teaching. The gaps between floating-point numbers betray the true answer to an attacker
    who sees all digits (Mironov 2012, doi:10.1145/2382196.2382264).

    References
    ----------
    Dwork C, Roth A (2014), definition 3.3, doi:10.1561/0400000042.
    """
    value, sensitivity = _answer(value, sensitivity)
    loss = _loss(epsilon)
    if budget is not None:
        budget.spend(*loss)
    return value + generator.laplace(0, sensitivity / epsilon, value.shape)


def gaussian_mechanism(
    value: ArrayLike,
    sensitivity: float,
    epsilon: float,
    delta: float,
    generator: np.random.Generator,
    budget: Budget | None = None,
) -> np.ndarray:
    """Return a value with normal noise that makes it (ε, δ)-private (see `gaussian_sigma`).

    P(M(D) ∈ S) ≤ e^ε · P(M(D′) ∈ S) + δ. Parameters as in `laplace_mechanism`, but the
    sensitivity is the Euclidean length of the largest change, and δ lies between 0 and 1.

    Raises
    ------
    ValueError
        If ε, δ or the sensitivity is out of its range, or the value is not finite.
    """
    value, sensitivity = _answer(value, sensitivity)
    sigma = gaussian_sigma(sensitivity, epsilon, delta)
    if budget is not None:
        budget.spend(epsilon, delta)
    return value + generator.normal(0, sigma, value.shape)


def gaussian_sigma(sensitivity: float, epsilon: float, delta: float) -> float:
    """Return the smallest standard deviation of normal noise that is (ε, δ)-private.

    The exact δ of standard deviation σ and sensitivity Δ is
    Φ(Δ/2σ − εσ/Δ) − e^ε Φ(−Δ/2σ − εσ/Δ); it falls with σ, so the root is found by bisection.
    Unlike the older σ = Δ √(2 ln(1.25/δ)) / ε it is also right for ε above 1.

    Raises
    ------
    ValueError
        If ε or the sensitivity is not above 0, or δ is not between 0 and 1.

    References
    ----------
    Balle B, Wang YX (2018), theorem 8, arXiv:1805.06530.

    Examples
    --------
    >>> round(gaussian_sigma(1, epsilon=1, delta=1e-5), 2)
    3.73
    """
    _, sensitivity = _answer(0.0, sensitivity)
    if _loss(epsilon, delta).delta == 0:
        raise ValueError("delta 0: normal noise needs a delta above 0, such as 1e-5")

    def excess(log_sigma):
        """Return the delta of this noise, minus the one that is asked for."""
        sigma = math.exp(log_sigma)
        near, far = 1 / (2 * sigma), epsilon * sigma
        return norm.cdf(near - far) - math.exp(epsilon + norm.logcdf(-near - far)) - delta

    return sensitivity * math.exp(brentq(excess, -12, 25, xtol=1e-12))


def _loss(epsilon: float, delta: float = 0.0) -> Loss:
    if not 0 < epsilon < math.inf:
        raise ValueError(f"epsilon {epsilon}: expected a number above 0, such as 1")
    if not 0 <= delta < 1:
        raise ValueError(f"delta {delta}: expected a number from 0 to below 1, such as 1e-5")
    return Loss(float(epsilon), float(delta))


def _answer(value: ArrayLike, sensitivity: float) -> tuple[np.ndarray, float]:
    value = np.asarray(value, dtype=float)
    if not np.isfinite(value).all():
        raise ValueError(f"value {value}: expected finite numbers; handle gaps before you ask")
    if not 0 < sensitivity < math.inf:
        raise ValueError(f"sensitivity {sensitivity}: expected a number above 0; a count has 1")
    return value, float(sensitivity)
