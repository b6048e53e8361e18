"""How good would another policy have been? Estimates from a log with intervals, or a refusal."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from medml.statistics import Interval, bootstrap_interval
from medml.treatment.importance import ESTIMATORS, doubly_robust, effective_sample_size

LEAST_EFFECTIVE = 10  # episodes
LARGEST_SHARE = 0.05  # of all weight, on one episode
RESAMPLES = 400
DOUBLY_ROBUST = {"doubly robust": False, "weighted doubly robust": True}  # weights normalised


class Evaluation(NamedTuple):
    """Estimates of a policy's value from a log, or the reasons why there are none.

    Attributes
    ----------
    table : DataFrame
        A row an estimator: `estimate`, `low`, `high` (95 %), all NaN if refused.
    effective : effective sample size
    largest : share of the weight that lies on one episode
    mean_weight : Interval, 1 if nothing that matters is missing from the log
    reasons : tuple of str, empty if the estimates are accepted
    """

    table: pd.DataFrame
    effective: float
    largest: float
    mean_weight: Interval
    reasons: tuple[str, ...]


def evaluate(
    weights: np.ndarray,
    rewards: np.ndarray,
    values: tuple[np.ndarray, np.ndarray] | None = None,
    *,
    patients: ArrayLike | None = None,
    refuse: bool = True,
    seed: int = 0,
) -> Evaluation:
    """Estimate the value of a policy from a log of another, with intervals, or refuse.

    It refuses when the effective sample size is below 10, when one episode carries more than 5 %
    of the weight, or when the mean weight's interval leaves out 1: a ratio of probabilities has
    the mean 1, and less means that what matters most did not occur in this log.

    Parameters
    ----------
    weights, rewards : numpy.ndarray of shape (episodes, steps)
        See `step_weights`; rewards are 0 after the end of an episode.
    values : (q, v), optional
        A model's values, for the doubly robust estimates: see `doubly_robust`.
    patients : array_like of shape (episodes,), optional
        Whose episode it is; without it each is another patient's.
    refuse : bool
        With False the estimates are given whatever speaks against them, to see how they err.
    seed : int
        Seed of the bootstrap over patients (percentiles of 400 resamples).

    Returns
    -------
    Evaluation

    Raises
    ------
    ValueError
        If the shapes differ or a weight is negative or no finite number.
    """
    weights, rewards = np.asarray(weights, float), np.asarray(rewards, float)
    if weights.ndim != 2 or weights.shape != rewards.shape or not weights.size:
        msg = f"expected weights and rewards of one shape (episodes, steps), got {weights.shape}"
        raise ValueError(f"{msg} and {rewards.shape}")
    last = weights[:, -1]
    effective = effective_sample_size(last)
    names = [*ESTIMATORS, *(DOUBLY_ROBUST if values is not None else ()), "mean weight"]
    found = bootstrap_interval(
        _answers,
        *(weights, rewards, *(values or ())),
        patients=patients,
        resamples=RESAMPLES,
        seed=seed,
    )
    table = pd.DataFrame(found._asdict(), index=names)
    mean_weight = Interval(*table.loc["mean weight"].tolist())
    largest = float(last.max() / max(last.sum(), np.finfo(float).tiny))
    reasons = _reasons(effective, largest, mean_weight)
    table = table.drop("mean weight")
    table = table * np.nan if reasons and refuse else table
    return Evaluation(table, effective, largest, mean_weight, reasons)


def _answers(weights, rewards, *values, counts=None) -> np.ndarray:
    """Return what each estimator says, and last the mean weight, shape (..., estimators + 1)."""
    counts = np.ones(len(weights)) if counts is None else counts
    answers = [method(weights, rewards, counts) for method in ESTIMATORS.values()]
    if values:
        for normalise in DOUBLY_ROBUST.values():
            answers.append(doubly_robust(weights, rewards, *values, counts, normalise=normalise))
    return np.stack([*answers, counts @ weights[:, -1] / counts.sum(axis=-1)], axis=-1)


def _reasons(effective: float, largest: float, mean: Interval) -> tuple[str, ...]:
    reasons = []
    if effective < LEAST_EFFECTIVE:
        reasons.append(f"effective sample size {effective:.1f}, below {LEAST_EFFECTIVE}")
    if largest > LARGEST_SHARE:
        reasons.append(f"one episode carries {100 * largest:.0f} % of the weight")
    if not mean.low - 1e-9 <= 1 <= mean.high + 1e-9:
        reasons.append(f"mean weight {mean.estimate:.2f} instead of 1: the log lacks what matters")
    return tuple(reasons)
