"""Net benefit counted by hand, from rates, and as the cost it stands for."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from medml.statistics import (
    bootstrap_interval,
    decision_curve,
    net_benefit,
    sensitivity,
    specificity,
)


def simulated(rows, seed=0):
    """Return labels drawn from risks, and the risks."""
    generator = np.random.default_rng(seed)
    risks = expit(generator.normal(-1, 1.5, size=rows))
    return generator.random(rows) < risks, risks


def test_two_true_and_three_false_of_ten_counted_by_hand():
    """At 20 % a false alarm is worth a quarter of a true positive: 2/10 - 3/10 · 1/4."""
    labels = [1, 1, 1, 0, 0, 0, 0, 0, 0, 0]
    risks = [0.9, 0.2, 0.1, 0.5, 0.3, 0.2, 0.1, 0.1, 0.0, 0.19]
    assert net_benefit(labels, risks, 0.2) == pytest.approx(0.2 - 0.3 / 4)
    counts = [1, 0, 1, 0, 0, 2, 0, 0, 0, 0]
    assert net_benefit(labels, risks, 0.2, counts=counts) == pytest.approx(1 / 4 - 2 / 4 / 4)


@given(
    st.lists(st.tuples(st.booleans(), st.floats(0, 1), st.integers(0, 2)), min_size=2),
    st.floats(0.01, 0.99),
)
def test_net_benefit_is_what_the_rates_say(rows, threshold):
    """Sensitivity · π - (1 - specificity) · (1 - π) · odds, wherever both rates exist."""
    labels, risks, counts = map(np.array, zip(*rows, strict=True))
    found = net_benefit(labels, risks, threshold, counts=counts)
    sens = sensitivity(labels, risks >= threshold, counts=counts)
    spec = specificity(labels, risks >= threshold, counts=counts)
    if np.isnan(sens) or np.isnan(spec):
        assert np.isnan(found) == (not counts.any())
        return
    prior = counts @ labels / counts.sum()
    odds = threshold / (1 - threshold)
    assert found == pytest.approx(sens * prior - (1 - spec) * (1 - prior) * odds)
    assert found <= prior + 1e-12


def test_many_thresholds_and_many_resamples_at_once():
    """Shapes: a number, one a threshold, one a resample, and both."""
    labels, risks = simulated(30)
    counts = np.random.default_rng(1).integers(0, 3, size=(5, 30))
    both = net_benefit(labels, risks, [0.1, 0.4], counts=counts)
    assert both.shape == (5, 2)
    np.testing.assert_allclose(both[:, 1], net_benefit(labels, risks, 0.4, counts=counts))
    np.testing.assert_allclose(both[3], net_benefit(labels, risks, [0.1, 0.4], counts=counts[3]))
    assert isinstance(net_benefit(labels, risks, 0.4), float)


def test_the_curve_holds_the_net_benefit_of_all_and_none_with_intervals():
    """Each row as its measures alone; treating all has π - (1 - π) · odds."""
    labels, risks = simulated(80)
    patients = np.arange(80) // 2
    options = {"patients": patients, "resamples": 100}
    curve = decision_curve(labels, risks, [0.1, 0.6], **options)
    prior = labels.mean()
    for threshold in (0.1, 0.6):
        row = curve.loc[threshold]

        def model(labels, risks, threshold=threshold):
            return net_benefit(labels, risks, threshold)

        def gain(labels, risks, threshold=threshold):
            treat_all = labels.mean() - (1 - labels.mean()) * threshold / (1 - threshold)
            return net_benefit(labels, risks, threshold) - max(treat_all, 0)

        assert row.treat_all == pytest.approx(prior - (1 - prior) * threshold / (1 - threshold))
        found = bootstrap_interval(model, labels, risks, **options)
        assert row[["model", "low", "high"]].tolist() == pytest.approx(found)
        found = bootstrap_interval(gain, labels, risks, **options)
        assert row[["gain", "gain_low", "gain_high"]].tolist() == pytest.approx(found)
    assert (curve.treat_none == 0).all()


def test_right_risks_are_of_use_and_the_prevalence_is_not():
    """Where the curve of one number for all is that of treating all or none: no gain."""
    labels, risks = simulated(1500)
    useful = decision_curve(labels, risks, [0.2, 0.5], resamples=200)
    assert (useful.gain_low > 0).all()
    same = decision_curve(labels, np.full(1500, labels.mean()), [0.2, 0.5], resamples=200)
    assert same.gain.tolist() == [0, 0]
    assert same.gain_low.isna().all()  # no resample differs: not estimable


def test_three_patients_have_no_interval():
    """The estimates stand."""
    curve = decision_curve([0, 1, 1], [0.2, 0.4, 0.9], [0.3])
    assert curve.model.item() == pytest.approx(2 / 3)
    assert curve[["low", "high", "gain_low", "gain_high"]].isna().all(axis=None)


@pytest.mark.parametrize("threshold", [0, 1, 20, np.nan])
def test_a_threshold_lies_between_zero_and_one(threshold):
    """Its odds must exist."""
    with pytest.raises(ValueError, match=f"both excluded, got .*{threshold}"):
        net_benefit([0, 1], [0.1, 0.9], threshold)
    with pytest.raises(ValueError, match="both excluded"):
        decision_curve([0, 1], [0.1, 0.9], [0.5, threshold])


def test_a_score_is_no_risk():
    """Net benefit needs probabilities, and labels of two classes."""
    with pytest.raises(ValueError, match=r"got 3.0 in row 1"):
        decision_curve([0, 1], [0.1, 3.0])
    with pytest.raises(ValueError, match=r"got 2 in row 0"):
        decision_curve([2, 1], [0.1, 0.3])


def test_a_whole_curve_of_a_thousand_patients_takes_less_than_two_seconds():
    """19 thresholds, 2,000 resamples, in CPU-seconds."""
    labels, risks = simulated(1000)
    start = time.process_time()
    decision_curve(labels, risks, resamples=2000)
    assert time.process_time() - start < 2
