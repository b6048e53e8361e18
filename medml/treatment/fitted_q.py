"""Fitted Q evaluation: a table of what each action is worth under a policy, learnt from a log."""

import numpy as np
from numpy.typing import ArrayLike

from medml.treatment.decision_process import Log

PRIOR = 1.0  # made-up visits of every action, with the mean result of the state
TOLERANCE = 1e-5


def fitted_q(log: Log, target: ArrayLike) -> np.ndarray:
    """Return the value of each action under the target policy, by fitted Q evaluation.

    Repeat until nothing moves: y = r + Σ_a target(a | s') q(s', a), then q(s, a) is the mean of y
    over the visits of (s, a), where one more visit is made up that saw the mean result of the
    state. So an action that was never tried in a state is taken for an average one, and so is a
    state that was never visited: beliefs, no observations.

    Parameters
    ----------
    log : Log
    target : array_like of shape (states, actions)

    Returns
    -------
    numpy.ndarray of shape (states, actions)
        0 where an episode of the log ended. In a state that the log does not hold at all, which
        other episodes may visit: the mean value of the log's decisions.

    References
    ----------
    Le HM, Voloshin C, Yue Y (2019) Batch policy learning under constraints, arXiv:1903.08738.
    """
    target = np.asarray(target, float)
    row, step = np.nonzero(log.taken)
    visited, state = np.unique(log.states[row, step], return_inverse=True)
    after, gain = log.states[row, step + 1], log.rewards[row, step]
    place = np.full(len(target), len(visited))  # states without a visit share one place, of value 0
    place[visited] = np.arange(len(visited))
    after, actions = place[after], target.shape[1]
    cell, shape = state * actions + log.actions[row, step], (len(visited), actions)
    visits = np.bincount(cell, minlength=np.prod(shape)).reshape(shape)
    q, change = np.zeros(shape), np.inf
    while change > TOLERANCE:
        value = np.append((target[visited] * q).sum(axis=1), 0.0)
        y = gain + value[after]
        total = np.bincount(cell, y, minlength=np.prod(shape)).reshape(shape)
        mean = total.sum(axis=1) / visits.sum(axis=1)
        new = (total + PRIOR * mean[:, None]) / (visits + PRIOR)
        q, change = new, np.abs(new - q).max()
    value = (target[visited] * q).sum(axis=1)
    result = np.full(target.shape, value[state].mean())
    result[log.states[:, -1]] = 0.0
    result[visited] = q
    return result


def values_of_log(log: Log, target: ArrayLike, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what a table q says along the log: of what was done, and of each state.

    Returns
    -------
    q : numpy.ndarray of shape (episodes, steps), 0 after the end
    v : numpy.ndarray of shape (episodes, steps + 1), 0 after the end
    """
    value = (np.asarray(target, float) * q).sum(axis=1)
    running = np.column_stack([log.taken, np.zeros(len(log.taken), bool)])
    done = np.where(log.taken, q[log.states[:, :-1], log.actions], 0)
    return done, np.where(running, value[log.states], 0)


def cross_fitted(log: Log, target: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return `values_of_log` where each half of the episodes is valued by a fit to the other.

    A table that was fitted to an episode is too sure of it, and so would be its interval.
    """
    q, v = np.zeros(log.actions.shape), np.zeros(log.states.shape)
    halves = np.arange(len(log.states)) % 2
    for half in (0, 1):
        fit, rest = (Log(*(column[halves == side] for column in log)) for side in (1 - half, half))
        q[halves == half], v[halves == half] = values_of_log(rest, target, fitted_q(fit, target))
    return q, v
