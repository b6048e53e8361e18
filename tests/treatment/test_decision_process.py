"""A process small enough to be solved by hand."""

import numpy as np
import pytest

from medml.treatment.decision_process import (
    best_policy,
    checked_policy,
    draw_log,
    policy_value,
    state_values,
)


def test_the_value_of_a_policy_is_what_a_hand_computes(process, even):
    """v(1) = (0.8 + 0.2) / 2 = 0.5; v(0) = (0.5 + 0.4) / 2 + 0.5 · 0.5 · v(1) = 0.575."""
    np.testing.assert_allclose(state_values(process, even), [0.575, 0.5, 0, 0])
    assert policy_value(process, even) == pytest.approx(0.575)


def test_a_reward_counts_in_the_state_where_one_arrives(process, even):
    """With half the reward, half the value."""
    halved = process._replace(rewards=process.rewards / 2)
    assert policy_value(halved, even) == pytest.approx(0.2875)


def test_value_iteration_finds_the_best_of_all_policies(process):
    """Wait first, then treat: 0.5 + 0.5 · 0.8 = 0.9."""
    best = best_policy(process)
    assert best[:2].tolist() == [[1, 0], [0, 1]]
    assert policy_value(process, best) == pytest.approx(0.9)
    for first in np.eye(2):
        for second in np.eye(2):
            policy = np.stack([first, second, first, first])
            assert policy_value(process, policy) <= 0.9 + 1e-12


def test_the_best_policy_keeps_to_what_is_allowed(process):
    """Without waiting in state 0: 0.4."""
    allowed = np.ones((4, 2), bool)
    allowed[0, 0] = False
    assert policy_value(process, best_policy(process, allowed)) == pytest.approx(0.4)
    allowed[0] = False
    with pytest.raises(ValueError, match="no action is allowed in state 0"):
        best_policy(process, allowed)


def test_a_log_agrees_with_the_table(process, even):
    """Mean return, actions and moves of many episodes; nothing happens after an end."""
    log = draw_log(process, even, 20_000, np.random.default_rng(0))
    assert log.rewards.sum(axis=1).mean() == pytest.approx(0.575, abs=0.015)
    assert log.actions[:, 0].mean() == pytest.approx(0.5, abs=0.015)
    waited = (log.states[:, 0] == 0) & (log.actions[:, 0] == 0)
    assert (log.states[waited, 1] == 1).mean() == pytest.approx(0.5, abs=0.02)
    assert log.taken[:, 0].all()
    assert (log.taken[:, 1] == (log.states[:, 1] == 1)).all()
    assert not log.actions[~log.taken].any()
    assert not log.rewards[~log.taken].any()


def test_the_same_seed_gives_the_same_log(process, even):
    """And another seed another one."""
    first, again, other = (
        draw_log(process, even, 50, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first.actions, other.actions)


@pytest.mark.parametrize("row", [[0.6, 0.6], [1.5, -0.5], [np.nan, 1.0]])
def test_a_row_that_is_no_distribution_is_refused(process, even, row):
    """The message names the state and the row."""
    even[1] = row
    with pytest.raises(ValueError, match="the policy's row of state 1 is"):
        checked_policy(process, even)


def test_a_policy_of_another_shape_is_refused(process):
    """Not broadcast."""
    with pytest.raises(ValueError, match=r"expected a policy of shape \(4, 2\), got \(2,\)"):
        state_values(process, np.ones(2))


def test_a_process_without_an_end_is_refused(process, even):
    """State 1 that leads to itself for ever."""
    transitions = process.transitions.copy()
    transitions[1] = np.eye(4)[1]
    endless = process._replace(transitions=transitions)
    with pytest.raises(ValueError, match="never reaches an end"):
        state_values(endless, even)
    with pytest.raises(ValueError, match="did not end within 1000 steps"):
        draw_log(endless, even, 50, np.random.default_rng(0))
