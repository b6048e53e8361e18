"""Rates of decisions: against scikit-learn, and Bayes' formula counted out in people."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, precision_score, recall_score

from medml.statistics import (
    accuracy,
    bootstrap_interval,
    mean,
    negative_predictive_value,
    positive_predictive_value,
    predictive_values,
    sensitivity,
    specificity,
)

RATES = (
    accuracy,
    sensitivity,
    specificity,
    positive_predictive_value,
    negative_predictive_value,
)
SHARES = st.floats(0.01, 0.99)


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 3)), min_size=1))
def test_rates_are_scikit_learns_with_counts(rows):
    """A count is how often a row stands in the table; nothing to divide by is NaN."""
    labels, decisions, counts = map(np.array, zip(*rows, strict=True))
    y, d = np.repeat(labels, counts), np.repeat(decisions, counts)
    if not len(y):
        assert np.isnan([rate(labels, decisions, counts=counts) for rate in RATES]).all()
        return
    peers = [
        accuracy_score(y, d),
        recall_score(y, d, zero_division=np.nan),
        recall_score(~y, ~d, zero_division=np.nan),
        precision_score(y, d, zero_division=np.nan),
        precision_score(~y, ~d, zero_division=np.nan),
    ]
    found = [rate(labels, decisions, counts=counts) for rate in RATES]
    assert found == pytest.approx(peers, nan_ok=True)


def test_ninety_and_ninety_at_one_percent_counted_in_people():
    """Of 1,000 people 10 are ill, 9 found; of 990 healthy 99 are flagged, 891 not."""
    ppv, npv = predictive_values(0.9, 0.9, 0.01)
    assert ppv == pytest.approx(9 / (9 + 99))
    assert round(ppv, 3) == 0.083
    assert npv == pytest.approx(891 / (891 + 1))


@given(SHARES, SHARES, SHARES)
def test_predictive_values_keep_the_odds_of_bayes(sens, spec, prior):
    """Odds after = odds before × likelihood ratio, for either result."""

    def odds(share):
        return share / (1 - share)

    ppv, npv = predictive_values(sens, spec, prior)
    assert odds(ppv) == pytest.approx(odds(prior) * sens / (1 - spec))
    assert odds(1 - npv) == pytest.approx(odds(prior) * (1 - sens) / spec)


def test_predictive_values_at_many_prevalences():
    """Arrays give arrays; at the sample's own prevalence they are the sample's own."""
    labels = np.array([1] * 10 + [0] * 40)
    decisions = np.array([1] * 8 + [0] * 2 + [1] * 4 + [0] * 36)
    ppv, npv = predictive_values(0.8, 0.9, np.array([0.0, 0.2, 1.0]))
    own = [rate(labels, decisions) for rate in RATES[3:]]
    assert own == pytest.approx([8 / 12, 36 / 38])
    assert [ppv[1], npv[1]] == pytest.approx(own)
    assert (ppv[0], ppv[2], npv[0], npv[2]) == (0, 1, 1, 0)
    assert positive_predictive_value(labels, decisions, 0.2) == pytest.approx(own[0])
    assert negative_predictive_value(labels, decisions, 0.2) == pytest.approx(own[1])
    carried = positive_predictive_value(labels, decisions, 0.01)
    assert carried == pytest.approx(8 * 0.01 / (8 * 0.01 + 1 * 0.99))
    assert negative_predictive_value(labels, decisions, 0.01) > own[1]


def test_a_test_that_flags_nobody_has_no_predictive_value_of_a_positive():
    """0 / 0 is not estimable, alone and carried to a prevalence."""
    ppv, npv = predictive_values(0.0, 1.0, 0.1)
    assert np.isnan(ppv)
    assert npv == pytest.approx(0.9)
    assert np.isnan(positive_predictive_value([1, 0], [0, 0]))
    assert np.isnan(positive_predictive_value([1, 1], [1, 1], 0.1))  # no healthy, no specificity


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ((90, 0.9, 0.01), "sensitivity is a share from 0 to 1, got 90: divide"),
        ((0.9, -0.1, 0.01), "specificity .* got -0.1"),
        ((0.9, 0.9, [0.1, 5.0]), "prevalence .* got 5.0"),
    ],
)
def test_a_percentage_is_not_a_share(shares, message):
    """Each share is named with its value."""
    with pytest.raises(ValueError, match=message):
        predictive_values(*shares)


def test_one_class_only_is_not_estimable():
    """Sensitivity needs the diseased, specificity the healthy; accuracy needs neither."""
    assert np.isnan(sensitivity([0, 0], [0, 1]))
    assert np.isnan(specificity([1, 1], [0, 1]))
    assert accuracy([1, 1], [0, 1]) == 0.5


def test_rates_of_all_resamples_at_once_are_the_plain_loop():
    """The interval of each rate is that of its peer called resample by resample."""
    generator = np.random.default_rng(0)
    labels, decisions = generator.integers(0, 2, size=(2, 60))
    patients = generator.integers(20, size=60)
    options = {"patients": patients, "resamples": 100}
    for rate in RATES:
        peer = bootstrap_interval(lambda *c, rate=rate: rate(*c), labels, decisions, **options)
        assert bootstrap_interval(rate, labels, decisions, **options) == pytest.approx(peer)
    found = bootstrap_interval(mean, labels - decisions, **options)
    assert found == pytest.approx(bootstrap_interval(np.mean, labels - decisions, **options))


def test_scores_are_not_decisions():
    """The message says what is missing: a threshold."""
    for rate in RATES:
        with pytest.raises(ValueError, match="in row 1: compare the scores with a thresh"):
            rate([0, 1], [0.0, 0.7])
        with pytest.raises(ValueError, match="expected 2 decisions"):
            rate([0, 1], [1])
    with pytest.raises(ValueError, match="values must be finite, got nan in row 0"):
        mean([np.nan, 1])
