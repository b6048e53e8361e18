"""Intervals that hold the truth, and logs from which nothing can be said."""

import numpy as np
import pytest

from medml.treatment.decision_process import draw_log, policy_value
from medml.treatment.fitted_q import cross_fitted
from medml.treatment.importance import effective_sample_size, step_weights
from medml.treatment.off_policy import evaluate


def test_the_intervals_hold_the_truth(process, even):
    """In at least 85 % of the accepted of 100 logs, for each estimator; 95 % are aimed at."""
    bold = np.tile([0.25, 0.75], (4, 1))
    truth, held = policy_value(process, bold), []
    for seed in range(100):
        log = draw_log(process, even, 150, np.random.default_rng(seed))
        weights = step_weights(log, bold, even)
        answer = evaluate(weights, log.rewards, cross_fitted(log, bold), seed=seed)
        if not answer.reasons:
            held.append((answer.table["low"] <= truth) & (truth <= answer.table["high"]))
    assert len(held) > 80
    assert held[0].size == 6
    assert (np.mean(held, axis=0) >= 0.85).all()


def test_equal_policies_give_the_plain_mean(process, even):
    """All weights 1: no refusal, and every sampling estimate is the mean return."""
    log = draw_log(process, even, 100, np.random.default_rng(3))
    answer = evaluate(step_weights(log, even, even), log.rewards)
    assert answer.reasons == ()
    assert answer.effective == pytest.approx(100)
    np.testing.assert_allclose(answer.table["estimate"], log.rewards.sum(axis=1).mean())


def test_an_interval_is_as_wide_as_theory_says():
    """1.96 standard errors on each side of the mean of 400 normal returns."""
    rewards = np.random.default_rng(0).normal(1, 2, (400, 1))
    row = evaluate(np.ones((400, 1)), rewards).table.loc["weighted"]
    assert row["high"] - row["low"] == pytest.approx(2 * 1.96 * 2 / 20, rel=0.15)


@pytest.mark.parametrize(
    ("weights", "reason"),
    [
        ([1.0] * 9, "effective sample size 9.0, below 10"),
        ([12.0] + [1.0] * 88, "one episode carries 12 % of the weight"),
        ([0.0, 0.6] * 50, "mean weight 0.30 instead of 1"),
        ([1.5] * 100, "mean weight 1.50 instead of 1"),
    ],
)
def test_a_log_that_says_too_little_is_refused(weights, reason):
    """Few, one that decides, or nothing of what the other policy would do."""
    weights = np.array(weights)[:, None]
    answer = evaluate(weights, np.ones_like(weights))
    assert any(reason in text for text in answer.reasons)
    assert answer.table.isna().all(axis=None)
    shown = evaluate(weights, np.ones_like(weights), refuse=False)
    assert shown.reasons == answer.reasons
    assert shown.table.notna().all(axis=None)


def test_ten_episodes_of_equal_weight_are_not_too_few():
    """But then each carries a tenth of the weight, and that is refused."""
    (reason,) = evaluate(np.ones((10, 1)), np.ones((10, 1))).reasons
    assert "one episode carries 10 %" in reason
    assert evaluate(np.ones((20, 1)), np.ones((20, 1))).reasons == ()


def test_whole_patients_are_drawn():
    """Two patients with thirty episodes each: the interval runs from one to the other."""
    rewards = np.repeat([[0.0], [1.0]], 30, axis=0)
    one = evaluate(np.ones((60, 1)), rewards, patients=np.repeat([1, 2], 30)).table.loc["weighted"]
    assert (one["low"], one["high"]) == (0, 1)


def test_shapes_that_differ_are_refused():
    """The message gives both."""
    with pytest.raises(ValueError, match=r"one shape .* got \(3, 2\) and \(3, 1\)"):
        evaluate(np.ones((3, 2)), np.ones((3, 1)))


def test_a_long_course_leaves_no_sample():
    """288 small ratios multiply to a few episodes that count: why a day is judged as a whole."""
    x = np.random.default_rng(0).normal(0, 1, (60, 288))
    ratios = np.exp(0.5 * x - 0.125)  # another mean by half a standard deviation
    assert effective_sample_size(ratios[:, 0]) > 30
    assert effective_sample_size(ratios.prod(axis=1)) < 5
