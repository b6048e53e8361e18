"""Abstention: areas by adding up every order, and a model that knows when it does not know."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medml.statistics import (
    area_under_risk_coverage,
    bootstrap_interval,
    confidence,
    mean,
    risk_coverage_curve,
    selective_risk,
    threshold_for_risk,
)

ROWS = st.lists(st.tuples(st.floats(0, 5), st.integers(0, 3)), min_size=1, max_size=6)


def area_in_order(losses):
    """Return the mean of the running means."""
    return np.mean(np.cumsum(losses) / np.arange(1, len(losses) + 1))


@given(ROWS)
def test_the_area_is_the_mean_over_all_orders_of_equal_confidence(rows):
    """Every permutation that falls in confidence, added up."""
    losses, sure = map(np.array, zip(*rows, strict=True))
    areas = [
        area_in_order(losses[list(order)])
        for order in permutations(range(len(rows)))
        if (np.diff(sure[list(order)]) <= 0).all()
    ]
    assert area_under_risk_coverage(losses, sure) == pytest.approx(np.mean(areas))


@given(ROWS, st.lists(st.integers(0, 3), min_size=6, max_size=6))
def test_a_count_is_a_row_that_stands_in_the_table_so_often(rows, counts):
    """For the area and for the risk of the answered."""
    losses, sure = map(np.array, zip(*rows, strict=True))
    counts = np.array(counts[: len(rows)])
    repeated = np.repeat(losses, counts), np.repeat(sure, counts)
    found = area_under_risk_coverage(losses, sure, counts=counts)
    answered = sure >= 2
    chosen = repeated[0][repeated[1] >= 2]
    risk = selective_risk(losses, answered, counts=counts)
    assert risk == pytest.approx(chosen.mean() if len(chosen) else np.nan, nan_ok=True)
    if counts.any():
        assert found == pytest.approx(area_under_risk_coverage(*repeated))
    else:
        assert np.isnan(found)


def test_a_confidence_that_says_nothing_gives_the_mean_loss():
    """Identical confidences: the curve is one point."""
    losses = [1, 0, 0, 1, 0]
    assert area_under_risk_coverage(losses, np.ones(5)) == pytest.approx(0.4)
    curve = risk_coverage_curve(losses, np.ones(5))
    assert curve.to_dict("list") == {"coverage": [1], "risk": [0.4]}


def test_wrong_answers_last_is_the_best_and_first_the_worst():
    """The best area of 1,000 rows with a tenth wrong is near r + (1 - r) log(1 - r)."""
    losses = np.arange(1000) < 100
    best, worst = (area_under_risk_coverage(losses, sign * losses) for sign in (-1, 1))
    assert best == pytest.approx(0.1 + 0.9 * np.log(0.9), abs=1e-3)
    random = area_under_risk_coverage(losses, np.random.default_rng(0).random(1000))
    assert best < 0.05 < random < 0.2 < worst


def test_the_curve_by_hand():
    """Sure to unsure: right, right and wrong together, wrong."""
    curve = risk_coverage_curve([0, 1, 0, 1], [0.9, 0.8, 0.8, 0.6])
    assert curve.index.tolist() == [0.9, 0.8, 0.6]
    assert curve.coverage.tolist() == [0.25, 0.75, 1]
    assert curve.risk.tolist() == pytest.approx([0, 1 / 3, 1 / 2])


@given(ROWS, st.floats(0, 5))
def test_the_threshold_is_the_lowest_that_is_safe(rows, wanted):
    """Every confidence tried; without a safe one the model always abstains."""
    losses, sure = map(np.array, zip(*rows, strict=True))
    found = threshold_for_risk(losses, sure, wanted)
    safe = [one for one in sure if losses[sure >= one].mean() <= wanted + 1e-12]
    assert found == min(safe, default=np.inf)


def test_a_model_that_knows_its_doubts_errs_less_where_it_answers():
    """Risks right by construction; the threshold is chosen on half of the patients."""
    generator = np.random.default_rng(1)
    risks = generator.beta(0.7, 0.7, size=40_000)
    labels = generator.random(40_000) < risks
    wrong, sure = (risks >= 0.5) != labels, confidence(risks)
    threshold = threshold_for_risk(wrong[:20_000], sure[:20_000], 0.1)
    answered = sure[20_000:] >= threshold
    risk = selective_risk(wrong[20_000:], answered)
    assert risk == pytest.approx(0.1, abs=0.01)
    assert wrong.mean() > 0.18
    assert 0.3 < mean(answered) < 0.8


def test_all_resamples_at_once_are_the_plain_loop():
    """For the area and the risk."""
    generator = np.random.default_rng(2)
    losses, answered = generator.integers(0, 2, size=(2, 60))
    sure = generator.integers(0, 9, size=60)
    options = {"patients": np.arange(60) // 2, "resamples": 100}
    for measure, column in ((area_under_risk_coverage, sure), (selective_risk, answered)):

        def one_by_one(losses, column, measure=measure):
            return measure(losses, column)

        fast = bootstrap_interval(measure, losses, column, **options)
        assert fast == pytest.approx(bootstrap_interval(one_by_one, losses, column, **options))


def test_a_model_that_never_answers_has_no_risk():
    """Not estimable."""
    assert np.isnan(selective_risk([0, 1], [0, 0]))
    assert threshold_for_risk([1, 1], [0.5, 0.9], 0.2) == np.inf
    assert threshold_for_risk([1, 0], [0.5, 0.9], 0.5) == 0.5


def test_bad_columns_are_named():
    """Losses, confidences, answers, probabilities and the wanted risk."""
    for function in (risk_coverage_curve, area_under_risk_coverage):
        with pytest.raises(ValueError, match="losses must be finite, got nan in row 1"):
            function([0, np.nan], [0.1, 0.2])
        with pytest.raises(ValueError, match="confidences must be finite, got inf in row 0"):
            function([0, 1], [np.inf, 0.2])
        with pytest.raises(ValueError, match="at least one row"):
            function([], [])
    with pytest.raises(ValueError, match=r"decisions must be 0 or 1 .* got 0\.5 in row 0"):
        selective_risk([0, 1], [0.5, 1])
    with pytest.raises(ValueError, match=r"got 1\.5 in row 0"):
        confidence([1.5])
    for wanted in (-0.1, np.nan):
        with pytest.raises(ValueError, match=f"got {wanted}"):
            threshold_for_risk([0, 1], [0.5, 1], wanted)
