"""Abstention: curves by hand, and a model that knows when it does not know."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medml.statistics import (
    bootstrap_interval,
    confidence,
    mean,
    risk_coverage_curve,
    selective_risk,
)

ROWS = st.lists(st.tuples(st.floats(0, 5), st.integers(0, 3)), min_size=1, max_size=6)


@given(ROWS, st.lists(st.integers(0, 3), min_size=6, max_size=6))
def test_a_count_is_a_row_that_stands_in_the_table_so_often(rows, counts):
    """The risk of the answered."""
    losses, sure = map(np.array, zip(*rows, strict=True))
    counts = np.array(counts[: len(rows)])
    answered = sure >= 2
    chosen = np.repeat(losses, counts * answered)
    risk = selective_risk(losses, answered, counts=counts)
    assert risk == pytest.approx(chosen.mean() if len(chosen) else np.nan, nan_ok=True)


def test_a_confidence_that_says_nothing_gives_the_mean_loss():
    """Identical confidences: the curve is one point."""
    losses = [1, 0, 0, 1, 0]
    curve = risk_coverage_curve(losses, np.ones(5))
    assert curve.to_dict("list") == {"coverage": [1], "risk": [0.4]}


def test_the_curve_by_hand():
    """Sure to unsure: right, right and wrong together, wrong."""
    curve = risk_coverage_curve([0, 1, 0, 1], [0.9, 0.8, 0.8, 0.6])
    assert curve.index.tolist() == [0.9, 0.8, 0.6]
    assert curve.coverage.tolist() == [0.25, 0.75, 1]
    assert curve.risk.tolist() == pytest.approx([0, 1 / 3, 1 / 2])


def test_a_model_that_knows_its_doubts_errs_less_where_it_answers():
    """Risks right by construction: of those it is surest of, the curve tells the risk."""
    generator = np.random.default_rng(1)
    risks = generator.beta(0.7, 0.7, size=40_000)
    labels = generator.random(40_000) < risks
    wrong, sure = (risks >= 0.5) != labels, confidence(risks)
    curve = risk_coverage_curve(wrong[:20_000], sure[:20_000])
    threshold = curve.index[curve["risk"] <= 0.1].min()
    answered = sure[20_000:] >= threshold
    risk = selective_risk(wrong[20_000:], answered)
    assert risk == pytest.approx(0.1, abs=0.01)
    assert wrong.mean() > 0.18
    assert mean(answered) == pytest.approx(curve.loc[threshold, "coverage"], abs=0.02)


def test_all_resamples_at_once_are_the_plain_loop():
    """For the risk of the answered."""
    losses, answered = np.random.default_rng(2).integers(0, 2, size=(2, 60))
    options = {"patients": np.arange(60) // 2, "resamples": 100}

    def one_by_one(losses, answered):
        return selective_risk(losses, answered)

    fast = bootstrap_interval(selective_risk, losses, answered, **options)
    assert fast == pytest.approx(bootstrap_interval(one_by_one, losses, answered, **options))


def test_a_model_that_never_answers_has_no_risk():
    """Not estimable."""
    assert np.isnan(selective_risk([0, 1], [0, 0]))


def test_bad_columns_are_named():
    """Losses, confidences, answers and probabilities."""
    with pytest.raises(ValueError, match="losses must be finite, got nan in row 1"):
        risk_coverage_curve([0, np.nan], [0.1, 0.2])
    with pytest.raises(ValueError, match="confidences must be finite, got inf in row 0"):
        risk_coverage_curve([0, 1], [np.inf, 0.2])
    with pytest.raises(ValueError, match="at least one row"):
        risk_coverage_curve([], [])
    with pytest.raises(ValueError, match=r"decisions must be 0 or 1 .* got 0\.5 in row 0"):
        selective_risk([0, 1], [0.5, 1])
    with pytest.raises(ValueError, match=r"got 1\.5 in row 0"):
        confidence([1.5])
