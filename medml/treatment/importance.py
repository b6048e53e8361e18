"""Importance sampling: what a log says about another policy, by weighing its episodes.

Every estimator takes `weights`, how much likelier each episode's actions up to a step were under
the other policy, and `counts`, how often each episode is counted: one for each, or a bootstrap's
draws of patients. Rewards are summed without a discount.
"""

import numpy as np
from numpy.typing import ArrayLike

from medml.treatment.decision_process import Log


def step_weights(log: Log, target: ArrayLike, behaviour: ArrayLike) -> np.ndarray:
    """Return the weight of each episode up to each step.

    w_t = Π target(a_k | s_k) / behaviour(a_k | s_k) over the steps k ≤ t; after its end an
    episode keeps its last weight.

    Parameters
    ----------
    log : Log
        Drawn by the behaviour.
    target, behaviour : array_like of shape (states, actions)

    Returns
    -------
    numpy.ndarray of shape (episodes, steps)

    Raises
    ------
    ValueError
        If the log holds an action that the behaviour never takes, or the target takes one that
        the behaviour never takes in a state of the log: no log can tell what would happen then.
    """
    target, behaviour = np.asarray(target, float), np.asarray(behaviour, float)
    states, actions = log.states[:, :-1], log.actions
    chance = behaviour[states, actions]
    if (chance[log.taken] <= 0).any():
        row, step = np.argwhere(log.taken & (chance <= 0))[0]
        state, action = states[row, step], actions[row, step]
        msg = f"the log has action {action} in state {state}, which its policy never takes"
        raise ValueError(msg)
    seen = np.unique(states[log.taken])
    unknown = np.argwhere((target[seen] > 0) & (behaviour[seen] <= 0))
    if len(unknown):
        state, action = seen[unknown[0][0]], unknown[0][1]
        msg = (
            f"the target takes action {action} in state {state}, where the log's policy never "
            "does: keep to actions that were tried"
        )
        raise ValueError(msg)
    ratio = np.divide(target[states, actions], chance, out=np.ones(chance.shape), where=log.taken)
    return ratio.cumprod(axis=1)


def effective_sample_size(weights: ArrayLike) -> float:
    """Return to how many episodes of equal weight these weights amount: (Σ w)² / Σ w².

    Parameters
    ----------
    weights : array_like of shape (episodes,)
        At least 0.

    Raises
    ------
    ValueError
        If a weight is negative or no finite number.

    References
    ----------
    Kong A (1992), University of Chicago, Technical Report 348.

    Examples
    --------
    >>> effective_sample_size([1, 1, 1, 1]), effective_sample_size([1, 0, 0, 0])
    (4.0, 1.0)
    """
    weights = np.asarray(weights, float)
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise ValueError("weights must be finite and at least 0: is a probability of the log 0?")
    total = weights.sum()
    return float(total**2 / (weights**2).sum()) if total > 0 else 0.0


def ordinary(weights, rewards, counts):
    """Return the mean of w G over episodes: right on average, wild in a single log."""
    return counts @ (weights[:, -1] * rewards.sum(axis=1)) / counts.sum(axis=-1)


def weighted(weights, rewards, counts):
    """Return Σ w G / Σ w: within the range of the returns, right in the limit."""
    last = weights[:, -1]
    return _ratio(counts @ (last * rewards.sum(axis=1)), counts @ last)


def per_decision(weights, rewards, counts):
    """Return the mean of Σ_t w_t r_t: a reward is weighed by what was done before it only."""
    return counts @ (weights * rewards).sum(axis=1) / counts.sum(axis=-1)


def weighted_per_decision(weights, rewards, counts):
    """Return Σ_t (Σ_i w_it r_it / Σ_i w_it), episodes i: both ideas at once."""
    return _ratio(counts @ (weights * rewards), counts @ weights).sum(axis=-1)


def _ratio(above, below):
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


ESTIMATORS = {
    "ordinary": ordinary,
    "weighted": weighted,
    "per decision": per_decision,
    "weighted per decision": weighted_per_decision,
}


def doubly_robust(weights, rewards, q, v, counts, *, normalise=True):
    """Return a model's answer, corrected by what the log says beyond the model.

    mean v(s_0) + Σ_t w_t (r_t + v(s_{t+1}) - q(s_t, a_t)), w normalised in each step as in
    `weighted_per_decision`, or not. It is right in the limit if either q or the weights are.

    Parameters
    ----------
    weights, rewards, q : numpy.ndarray of shape (episodes, steps)
        q is the model's value of what was done, 0 after the end.
    v : numpy.ndarray of shape (episodes, steps + 1)
        The model's value of each state under the target policy, 0 after the end.
    counts : numpy.ndarray of shape (..., episodes)

    References
    ----------
    Jiang N, Li L (2016), arXiv:1511.03722; Thomas PS, Brunskill E (2016), arXiv:1604.00923.
    """
    surprise = rewards + v[:, 1:] - q
    correct = weighted_per_decision if normalise else per_decision
    return counts @ v[:, 0] / counts.sum(axis=-1) + correct(weights, surprise, counts)
