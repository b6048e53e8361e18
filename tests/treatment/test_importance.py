"""Weights and estimators against numbers from a hand and against the truth of a small process."""

import itertools

import numpy as np
import pytest

from medml.treatment.decision_process import Log, draw_log, policy_value
from medml.treatment.importance import (
    ESTIMATORS,
    doubly_robust,
    effective_sample_size,
    ordinary,
    per_decision,
    step_weights,
    weighted,
    weighted_per_decision,
)

WEIGHTS = np.array([[2.0, 4.0], [0.5, 0.25]])
REWARDS = np.array([[0.0, 1.0], [1.0, 3.0]])
ONE = np.ones(2)


@pytest.fixture
def bold():
    """Return a policy that treats more often than not."""
    return np.tile([0.25, 0.75], (4, 1))


def every_log(process, policy):
    """Return each episode that can happen as one row, and the probability of each row."""
    rows, chances = [], []
    for first, second, after, last in itertools.product((0, 1), (0, 1), (1, 2, 3), (2, 3)):
        chance = policy[0, first] * process.transitions[0, first, after]
        if after != 1 and second == 0 and last == after:
            rows.append(([0, after, after], [first, 0], [after == 3, 0], [True, False]))
        elif after == 1:
            chance *= policy[1, second] * process.transitions[1, second, last]
            rows.append(([0, 1, last], [first, second], [0, last == 3], [True, True]))
        else:
            continue
        chances.append(chance)
    states, actions, rewards, taken = zip(*rows, strict=True)
    log = Log(*map(np.array, (states, actions)), np.array(rewards, float), np.array(taken))
    return log, np.array(chances)


def test_each_estimator_is_what_a_hand_computes():
    """Returns 1 and 4, last weights 4 and 1/4."""
    assert ordinary(WEIGHTS, REWARDS, ONE) == pytest.approx((4 * 1 + 0.25 * 4) / 2)
    assert weighted(WEIGHTS, REWARDS, ONE) == pytest.approx((4 * 1 + 0.25 * 4) / 4.25)
    assert per_decision(WEIGHTS, REWARDS, ONE) == pytest.approx((4 + 0.5 + 0.75) / 2)
    by_step = 0.5 / 2.5 + (4 + 0.75) / 4.25
    assert weighted_per_decision(WEIGHTS, REWARDS, ONE) == pytest.approx(by_step)


def test_counts_are_copies_of_an_episode():
    """An episode counted three times equals three equal rows; many counts at once too."""
    counts = np.array([[1.0, 3.0], [2.0, 0.0]])
    for estimator in ESTIMATORS.values():
        both = estimator(WEIGHTS, REWARDS, counts)
        for rows, answer in zip(([0, 1, 1, 1], [0, 0]), both, strict=True):
            copied = estimator(WEIGHTS[rows], REWARDS[rows], np.ones(len(rows)))
            assert answer == pytest.approx(copied)


def test_the_doubly_robust_estimate_is_what_a_hand_computes():
    """Model (0.5 + 1) / 2; surprises -0.3 and 0.6, 0.8 and 2.2; see the formula."""
    q = np.array([[0.5, 0.4], [0.6, 0.8]])
    v = np.array([[0.5, 0.2, 0.0], [1.0, 0.4, 0.0]])
    plain = 0.75 + (2 * -0.3 + 4 * 0.6 + 0.5 * 0.8 + 0.25 * 2.2) / 2
    normal = 0.75 + (2 * -0.3 + 0.5 * 0.8) / 2.5 + (4 * 0.6 + 0.25 * 2.2) / 4.25
    answer = doubly_robust(WEIGHTS, REWARDS, q, v, ONE, normalise=False)
    assert answer == pytest.approx(plain)
    assert doubly_robust(WEIGHTS, REWARDS, q, v, ONE) == pytest.approx(normal)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_over_all_that_can_happen_the_estimate_is_the_truth(process, even, bold, name):
    """Each episode counted by its probability: what an endless log would say."""
    log, chances = every_log(process, even)
    assert chances.sum() == pytest.approx(1)
    weights = step_weights(log, bold, even)
    answer = ESTIMATORS[name](weights, log.rewards, chances)
    assert answer == pytest.approx(policy_value(process, bold))


@pytest.mark.parametrize("normalise", [True, False])
def test_a_wrong_model_is_put_right_by_the_weights(process, even, bold, normalise):
    """The first of the two ways to be right; any q and v will do."""
    log, chances = every_log(process, even)
    q = np.where(log.taken, 0.3 + 0.1 * log.actions, 0)
    v = np.column_stack([np.where(log.taken, 0.7, 0), np.zeros(len(q))])
    v[:, 1] = np.where(log.taken[:, 1], 0.3 + 0.1 * 0.75, 0)  # as q under the target
    v[:, 0] = 0.3 + 0.1 * 0.75
    weights = step_weights(log, bold, even)
    answer = doubly_robust(weights, log.rewards, q, v, chances, normalise=normalise)
    assert answer == pytest.approx(policy_value(process, bold))


def test_weights_are_products_of_ratios_and_stay_after_the_end(process, even, bold):
    """0.25 / 0.5 for each wait, 0.75 / 0.5 for each treatment."""
    log = draw_log(process, even, 200, np.random.default_rng(0))
    weights = step_weights(log, bold, even)
    first = np.where(log.actions[:, 0] == 1, 1.5, 0.5)
    second = np.where(log.actions[:, 1] == 1, 1.5, 0.5)
    np.testing.assert_allclose(weights[:, 0], first)
    np.testing.assert_allclose(weights[:, 1], first * np.where(log.taken[:, 1], second, 1))


def test_a_target_that_does_what_nobody_tried_is_refused(process, even):
    """No log can tell; the message names state and action."""
    cautious = even.copy()
    cautious[0] = [1, 0]
    log = draw_log(process, cautious, 100, np.random.default_rng(0))
    with pytest.raises(ValueError, match="the target takes action 1 in state 0, where"):
        step_weights(log, even, cautious)


def test_a_log_of_another_policy_is_refused(process, even):
    """An action of probability 0 stands in it."""
    log = draw_log(process, even, 100, np.random.default_rng(0))
    never = even.copy()
    never[0] = [1, 0]
    with pytest.raises(ValueError, match="the log has action 1 in state 0, which its policy"):
        step_weights(log, never, never)


def test_the_effective_sample_size_counts_equal_weights():
    """n equal weights are n episodes; one weight is one; none is 0."""
    assert effective_sample_size([3, 3, 3]) == pytest.approx(3)
    assert effective_sample_size([0, 7, 0]) == pytest.approx(1)
    assert effective_sample_size([1, 2]) == pytest.approx(9 / 5)
    assert effective_sample_size([0, 0]) == 0


@pytest.mark.parametrize("wrong", [[1, -1], [1, np.nan], [np.inf, 1]])
def test_weights_that_are_none_are_refused(wrong):
    """A negative one, no number, or infinite."""
    with pytest.raises(ValueError, match="weights must be finite and at least 0"):
        effective_sample_size(wrong)
