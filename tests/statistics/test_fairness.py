"""One sensitivity for all, and the false alarms that follow from it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medml.statistics import (
    equal_opportunity_thresholds,
    group_table,
    implied_false_positive_rate,
    predictive_values,
    threshold_for_sensitivity,
)


def simulated(rows, seed):
    """Return labels, scores and groups: the scores of b lie lower, at the same quality."""
    generator = np.random.default_rng(seed)
    groups = generator.choice(["a", "b"], size=rows)
    labels = generator.random(rows) < 0.4
    scores = 0.45 + 0.2 * labels - 0.15 * (groups == "b") + generator.normal(0, 0.1, size=rows)
    return labels, scores.clip(0, 1), groups


def test_thresholds_chosen_on_one_part_keep_their_promise_on_another():
    """One threshold for both finds 30 points more in a; two find 90 % in both, within 3 points."""
    chosen = simulated(4000, 0)
    labels, scores, groups = simulated(4000, 1)
    thresholds = equal_opportunity_thresholds(*chosen, 0.9)
    assert thresholds["a"] - thresholds["b"] == pytest.approx(0.15, abs=0.02)
    one, two = (
        group_table(labels, scores, groups, by_row, resamples=20).estimate.unstack()["sensitivity"]
        for by_row in (0.5, thresholds.loc[groups].to_numpy())
    )
    assert one["a"] - one["b"] > 0.3
    assert two.tolist() == pytest.approx([0.9, 0.9], abs=0.03)


def test_each_group_has_the_threshold_it_has_alone():
    """Whatever the groups are called."""
    labels, scores, groups = simulated(200, 2)
    found = equal_opportunity_thresholds(labels, scores, groups, 0.8)
    for group in "ab":
        rows = groups == group
        assert found[group] == threshold_for_sensitivity(labels[rows], scores[rows], 0.8)
    numbers = equal_opportunity_thresholds(labels, scores, (groups == "b").astype(int), 0.8)
    assert numbers.tolist() == found.tolist()
    assert isinstance(found, pd.Series)


@pytest.mark.parametrize(
    ("groups", "wanted", "message"),
    [
        (["a", "a", "b"], 0.9, "group b: expected a positive .* got 0 positives"),
        (["a", "a", "a"], 90, "group a: .* and 90$"),
        (["a", None, "b"], 0.9, "no group in row 1"),
    ],
)
def test_a_group_without_a_positive_has_no_threshold(groups, wanted, message):
    """It is named."""
    with pytest.raises(ValueError, match=message):
        equal_opportunity_thresholds([1, 1, 0], [0.2, 0.3, 0.4], groups, wanted)


@given(*[st.floats(0.01, 0.99)] * 3)
def test_bayes_and_the_implied_rate_agree(prevalence, sens, spec):
    """From rates to the PPV and back to the false positive rate."""
    ppv, _ = predictive_values(sens, spec, prevalence)
    found = implied_false_positive_rate(prevalence, ppv, 1 - sens)
    assert found == pytest.approx(1 - spec, rel=1e-6)


def test_groups_of_another_prevalence_cannot_be_equal_in_everything():
    """At one PPV and FNR the false alarms rise with the prevalence, unless the test is perfect."""
    rates = implied_false_positive_rate([0.1, 0.2, 0.3], ppv=0.6, false_negative_rate=0.2)
    assert (np.diff(rates) > 0).all()
    assert rates[0] == pytest.approx(1 / 9 * 4 / 6 * 0.8)
    assert implied_false_positive_rate([0.1, 0.5], 1, 0).tolist() == [0, 0]
    assert implied_false_positive_rate(0.9, 0.1, 0) > 1  # no test has these three


@pytest.mark.parametrize("shares", [(1, 0.5, 0.1), (0.1, 0, 0.1), (0.1, 0.5, 1.1), (np.nan, 1, 0)])
def test_shares_out_of_range_are_named(shares):
    """NaN is out of range."""
    with pytest.raises(ValueError, match=f"got {shares[0]}, {shares[1]} and {shares[2]}"):
        implied_false_positive_rate(*shares)
