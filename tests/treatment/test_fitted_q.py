"""Fitted Q evaluation against a hand and against the truth of a small process."""

import numpy as np
import pytest

from medml.treatment.decision_process import Log, draw_log, policy_value, state_values
from medml.treatment.fitted_q import cross_fitted, fitted_q, values_of_log


def test_one_step_is_a_mean_with_one_made_up_visit():
    """Action 0: rewards 1, 1, 0; action 1 never tried. The state's mean is 2/3."""
    log = Log(
        np.array([[0, 1]] * 3),
        np.zeros((3, 1), int),
        np.array([[1.0], [1.0], [0.0]]),
        np.ones((3, 1), bool),
    )
    q = fitted_q(log, np.full((2, 2), 0.5))
    np.testing.assert_allclose(q[0], [(2 + 2 / 3) / 4, 2 / 3])
    assert not q[1].any()


def test_a_state_that_was_never_visited_is_an_average_one():
    """State 2 is unknown: the mean over four decisions, (0 · 1 + 1 · 3) / 4; no certain death."""
    log = Log(
        np.array([[0, 3], [1, 3], [1, 3], [1, 3]]),
        np.zeros((4, 1), int),
        np.array([[0.0], [1.0], [1.0], [1.0]]),
        np.ones((4, 1), bool),
    )
    q = fitted_q(log, np.ones((4, 1)))
    np.testing.assert_allclose(q[:, 0], [0, 1, 0.75, 0])


def test_on_its_own_policy_a_cross_fitted_model_errs_only_by_chance():
    """A short log of many states: half of it has not seen what the other half visits."""
    rng = np.random.default_rng(0)
    states, results = rng.integers(0, 40, 200), rng.random(200) < 0.8
    log = Log(
        np.column_stack([states, np.full(200, 40)]),
        np.zeros((200, 1), int),
        results[:, None].astype(float),
        np.ones((200, 1), bool),
    )
    seen = np.isin(states[::2], states[1::2]).mean()
    assert seen < 0.98
    _, value = cross_fitted(log, np.ones((41, 1)))
    assert value[:, 0].mean() == pytest.approx(results.mean(), abs=0.015)


def test_many_episodes_lead_to_the_truth(process, even):
    """Of another policy than the one that acted."""
    bold = np.tile([0.1, 0.9], (4, 1))
    log = draw_log(process, even, 20_000, np.random.default_rng(2))
    q = fitted_q(log, bold)
    values = state_values(process, bold)
    exact = process.transitions @ (process.rewards + values)
    np.testing.assert_allclose(q[:2], exact[:2], atol=0.015)
    assert (q[0] * bold[0]).sum() == pytest.approx(policy_value(process, bold), abs=0.015)


def test_values_stand_beside_the_steps_of_the_log(process, even):
    """What was done, what each state is worth, and 0 after the end."""
    log = draw_log(process, even, 50, np.random.default_rng(1))
    q = np.array([[0.1, 0.2], [0.3, 0.5], [9, 9], [9, 9]])
    done, value = values_of_log(log, even, q)
    np.testing.assert_allclose(done[:, 0], np.where(log.actions[:, 0] == 1, 0.2, 0.1))
    np.testing.assert_allclose(value[:, 0], 0.15)
    np.testing.assert_allclose(value[:, 1], np.where(log.states[:, 1] == 1, 0.4, 0))
    assert not value[:, 2].any()
    assert not done[~log.taken].any()


def test_no_episode_is_valued_by_a_fit_to_itself(process, even):
    """A half whose rewards are all 1 gives the other half its values."""
    log = draw_log(process, even, 40, np.random.default_rng(2))
    even_rows = np.arange(40) % 2 == 0
    won = np.where(log.taken & process.terminal[log.states[:, 1:]], 1.0, 0.0)
    mixed = log._replace(rewards=np.where(even_rows[:, None], won, 0))
    _, value = cross_fitted(mixed, even)
    assert not value[even_rows].any()
    np.testing.assert_allclose(value[~even_rows, 0], 1, atol=1e-4)
