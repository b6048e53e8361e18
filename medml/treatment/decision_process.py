"""A Markov decision process as a table: its truth by a linear solve, and logs drawn from it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

TOLERANCE = 1e-8
MOST_STEPS = 1000


class Process(NamedTuple):
    """Probabilities and rewards of a process whose episodes end (no discount).

    Attributes
    ----------
    transitions : numpy.ndarray of shape (states, actions, states)
    rewards : numpy.ndarray of shape (states,)
        Reward of arriving in a state.
    start : numpy.ndarray of shape (states,)
    terminal : numpy.ndarray of bool, shape (states,)
        Where an episode is over: no action, no reward.
    """

    transitions: np.ndarray
    rewards: np.ndarray
    start: np.ndarray
    terminal: np.ndarray


class Log(NamedTuple):
    """Episodes as a hospital stores them, padded to the longest.

    Attributes
    ----------
    states : numpy.ndarray of int, shape (episodes, steps + 1)
    actions : numpy.ndarray of int, shape (episodes, steps)
    rewards : numpy.ndarray of shape (episodes, steps)
    taken : numpy.ndarray of bool, shape (episodes, steps)
        Whether the episode still ran; elsewhere action and reward are 0.
    """

    states: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    taken: np.ndarray


def checked_policy(process: Process, policy: ArrayLike) -> np.ndarray:
    """Return a policy after a check.

    Parameters
    ----------
    process : Process
    policy : array_like of shape (states, actions)
        Probability of each action; rows of terminal states are not looked at.

    Raises
    ------
    ValueError
        If the shape is another, or a row of a state that decides is no distribution.
    """
    policy = np.asarray(policy, float)
    shape = process.transitions.shape[:2]
    if policy.shape != shape:
        msg = f"expected a policy of shape {shape}, got {policy.shape}"
        raise ValueError(msg)
    sums = np.where((policy >= 0).all(axis=1), policy.sum(axis=1), np.nan)
    wrong = ~process.terminal & ~(np.abs(sums - 1) < 1e-6)
    if wrong.any():
        state = np.flatnonzero(wrong)[0]
        msg = f"the policy's row of state {state} is {policy[state]}: give probabilities, sum 1"
        raise ValueError(msg)
    return policy


def state_values(process: Process, policy: ArrayLike) -> np.ndarray:
    """Return the expected sum of rewards from each state on, exactly.

    (I - P) v = P r over the states that decide, with P averaged over the policy.

    Returns
    -------
    numpy.ndarray of shape (states,)
        0 for terminal states.

    Raises
    ------
    ValueError
        If the policy is none (`checked_policy`), or never ends.

    Examples
    --------
    Treat: it works with probability 0.5, else the patient is as before and can be treated again.

    >>> transitions = np.array([[[0.5, 0.5]], [[0.0, 1.0]]])
    >>> rewards, start, terminal = np.array([[0.0, 1.0], [1.0, 0.0], [0, 1]])
    >>> process = Process(transitions, rewards, start, terminal.astype(bool))
    >>> state_values(process, np.ones((2, 1))).tolist()
    [1.0, 0.0]
    """
    policy, deciding = checked_policy(process, policy), ~process.terminal
    moves = np.einsum("sa,san->sn", policy[deciding], process.transitions[deciding])
    gains, moves = moves @ process.rewards, moves[:, deciding]
    values = np.zeros(len(policy))
    try:
        values[deciding] = np.linalg.solve(np.eye(len(moves)) - moves, gains)
    except np.linalg.LinAlgError:
        raise ValueError("some state never reaches an end under this policy") from None
    return values


def policy_value(process: Process, policy: ArrayLike) -> float:
    """Return the expected sum of rewards of an episode, exactly."""
    return float(process.start @ state_values(process, policy))


def best_policy(process: Process, allowed: ArrayLike | None = None) -> np.ndarray:
    """Return the best policy of a table, by value iteration.

    v(s) ← max_a Σ p(s' | s, a) (r(s') + v(s')), until nothing moves.

    Parameters
    ----------
    process : Process
    allowed : array_like of bool, shape (states, actions), optional
        Actions to choose from, all if not given.

    Returns
    -------
    numpy.ndarray of shape (states, actions)
        1 for the best action, the first of equal ones.

    Raises
    ------
    ValueError
        If no action is allowed in a state that decides.

    References
    ----------
    Bellman R (1957), Dynamic Programming, Princeton University Press.
    """
    shape = process.transitions.shape[:2]
    allowed = np.ones(shape, bool) if allowed is None else np.asarray(allowed, bool)
    if not (allowed.any(axis=1) | process.terminal).all():
        state = np.flatnonzero(~allowed.any(axis=1) & ~process.terminal)[0]
        raise ValueError(f"no action is allowed in state {state}")
    values, change = np.zeros(len(process.start)), np.inf
    while change > TOLERANCE:
        q = np.where(allowed, process.transitions @ (process.rewards + values), -np.inf)
        best = np.where(process.terminal, 0, q.max(axis=1))
        values, change = best, np.abs(best - values).max()
    return np.eye(q.shape[1])[q.argmax(axis=1)]


def draw_log(process: Process, policy: ArrayLike, episodes: int, rng: np.random.Generator) -> Log:
    """Let a policy act until every episode is over, and write down what happens.

    Parameters
    ----------
    process : Process
    policy : array_like of shape (states, actions)
    episodes : int
    rng : numpy.random.Generator

    Returns
    -------
    Log

    Raises
    ------
    ValueError
        If the policy is none, or an episode does not end within `MOST_STEPS`.
    """
    policy = checked_policy(process, policy)
    states = [draw_columns(np.tile(process.start, (episodes, 1)), rng)]
    actions, taken = [], []
    while not (over := process.terminal[states[-1]]).all():
        if len(actions) == MOST_STEPS:
            raise ValueError(f"an episode did not end within {MOST_STEPS} steps")
        now, rows = states[-1], np.flatnonzero(~over)
        action, after = np.zeros(episodes, int), now.copy()
        action[rows] = draw_columns(policy[now[rows]], rng)
        after[rows] = draw_columns(process.transitions[now[rows], action[rows]], rng)
        actions.append(action)
        taken.append(~over)
        states.append(after)
    states, taken = np.stack(states, axis=1), np.stack(taken, axis=1)
    rewards = np.where(taken, process.rewards[states[:, 1:]], 0)
    return Log(states, np.stack(actions, axis=1), rewards, taken)


def draw_columns(chances: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return one column number for each row of probabilities, shape (rows,)."""
    steps = chances.cumsum(axis=1)
    return (rng.random((len(steps), 1)) * steps[:, -1:] >= steps).sum(axis=1)
