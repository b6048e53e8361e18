"""Operating points: every threshold tried, costs added up patient by patient."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from medml.statistics import (
    sensitivity,
    threshold_for_sensitivity,
    threshold_from_costs,
    threshold_of_least_cost,
)

ROWS = st.lists(st.tuples(st.booleans(), st.integers(-4, 4)), min_size=1, max_size=30)


def test_a_miss_as_bad_as_nine_false_alarms_means_acting_from_ten_percent():
    """At the threshold both cost the same; equal costs mean one half."""
    assert threshold_from_costs(false_alarm=1, miss=9) == pytest.approx(0.1)
    assert threshold_from_costs(false_alarm=2, miss=18) == pytest.approx(0.1)
    assert threshold_from_costs(false_alarm=3, miss=3) == 0.5
    threshold = threshold_from_costs(false_alarm=2, miss=7)
    assert (1 - threshold) * 2 == pytest.approx(threshold * 7)


@pytest.mark.parametrize("costs", [(0, 1), (1, 0), (-1, 2), (1, np.nan)])
def test_a_decision_without_a_cost_needs_no_model(costs):
    """Both are named."""
    with pytest.raises(ValueError, match=f"got {costs[0]} for a false alarm and {costs[1]}"):
        threshold_from_costs(*costs)
    with pytest.raises(ValueError, match="costs are above 0"):
        threshold_of_least_cost([0, 1], [1, 2], *costs)


@given(ROWS, st.floats(0.01, 1))
def test_the_threshold_is_the_highest_that_finds_enough(rows, wanted):
    """At it the sensitivity is reached; at the next higher score it is not."""
    labels, scores = map(np.array, zip(*rows, strict=True))
    if not labels.any():
        return
    threshold = threshold_for_sensitivity(labels, scores, wanted)
    assert sensitivity(labels, scores >= threshold) >= wanted - 1e-9
    assert sensitivity(labels, scores > threshold) < wanted


def test_fifty_five_of_a_hundred_are_fifty_five():
    """0.55 · 100 is a little more than 55 for a computer."""
    scores = np.arange(100, 0, -1)
    for wanted in range(1, 101):
        assert threshold_for_sensitivity(np.ones(100), scores, wanted / 100) == 101 - wanted


@pytest.mark.parametrize(
    ("labels", "wanted", "message"),
    [([0, 0], 0.5, "got 0 positives"), ([0, 1], 0, "and 0$"), ([0, 1], 90, "and 90$")],
)
def test_a_sensitivity_needs_a_positive_and_is_a_share(labels, wanted, message):
    """Percentages are refused."""
    with pytest.raises(ValueError, match=message):
        threshold_for_sensitivity(labels, [0.1, 0.2], wanted)


@given(ROWS, st.floats(0.1, 10), st.floats(0.1, 10), st.floats(0.05, 0.95))
def test_no_threshold_costs_less(rows, false_alarm, miss, prevalence):
    """Patient by patient, at the sample's prevalence and at another."""
    labels, scores = map(np.array, zip(*rows, strict=True))
    if labels.all() or not labels.any():
        return

    def cost(threshold, prior):
        flagged = scores >= threshold
        missed, alarmed = np.mean(~flagged[labels]), np.mean(flagged[~labels])
        return miss * prior * missed + false_alarm * (1 - prior) * alarmed

    for given_, prior in ((None, labels.mean()), (prevalence, prevalence)):
        found = threshold_of_least_cost(labels, scores, false_alarm, miss, given_)
        cheapest = min(cost(one, prior) for one in [*scores, np.inf])
        assert cost(found, prior) <= cheapest + 1e-9


def test_for_right_risks_it_is_the_threshold_of_the_costs():
    """2 · 10⁵ patients whose risks are right by construction."""
    generator = np.random.default_rng(0)
    risks = expit(generator.normal(-1, 1.5, size=200_000))
    labels = generator.random(200_000) < risks
    for costs in ((1, 4), (3, 2)):
        found = threshold_of_least_cost(labels, risks, *costs)
        assert found == pytest.approx(threshold_from_costs(*costs), abs=0.05)


def test_where_a_false_alarm_costs_too_much_nobody_is_flagged():
    """The threshold is infinite; of equally good ones it is the highest."""
    assert threshold_of_least_cost([1, 0], [1, 2], false_alarm=9, miss=1) == np.inf
    assert threshold_of_least_cost([1, 0, 0], [3, 2, 1], 1, 1) == 3
    assert threshold_of_least_cost([0, 1], [1, 1], false_alarm=1, miss=1) == np.inf


@pytest.mark.parametrize(
    ("labels", "prevalence", "message"),
    [([1, 1], 0.5, "got 2 of 2 positive"), ([0, 0], 0.5, "got 0 of 2"), ([0, 1], 1, "and 1$")],
)
def test_a_cost_needs_both_classes_and_a_prevalence(labels, prevalence, message):
    """Each is named."""
    with pytest.raises(ValueError, match=message):
        threshold_of_least_cost(labels, [1, 2], 1, 1, prevalence)
