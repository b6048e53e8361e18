"""Calibration: bins counted by hand, lines against scikit-learn, and risks known to be right."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import expit, logit
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression

from medml.statistics import (
    bootstrap_interval,
    calibration_intercept,
    calibration_slope,
    expected_calibration_error,
    reliability_table,
)


def simulated(rows, seed=0, intercept=0.0, slope=1.0):
    """Return labels drawn from logit P = intercept + slope · logit p, and the p."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(-0.5, 1.5, size=rows)
    return generator.random(rows) < expit(intercept + slope * logits), expit(logits)


def test_the_error_of_bins_counted_by_hand():
    """Bins to 0.5: 3 rows, mean 0.3, 2 of 3 positive; above: 2 rows, mean 0.8, 1 of 2 positive."""
    labels, probabilities = [1, 0, 1, 0, 1], [0.1, 0.3, 0.5, 0.7, 0.9]
    by_hand = 3 / 5 * (2 / 3 - 0.3) + 2 / 5 * (0.8 - 0.5)
    assert expected_calibration_error(labels, probabilities, 2) == pytest.approx(by_hand)
    assert expected_calibration_error(labels, probabilities, 1) == pytest.approx(3 / 5 - 0.5)
    counts = [1, 1, 0, 0, 2]
    by_hand = (abs(1 - 0.4) + abs(2 - 1.8)) / 4
    found = expected_calibration_error(labels, probabilities, 2, counts=counts)
    assert found == pytest.approx(by_hand)


@pytest.mark.parametrize(("equal", "strategy"), [("width", "uniform"), ("count", "quantile")])
def test_the_reliability_table_is_scikit_learns_curve(equal, strategy):
    """And the calibration error is its weighted gap."""
    labels, probabilities = simulated(500)
    table = reliability_table(labels, probabilities, 7, equal, resamples=50)
    observed, predicted = calibration_curve(labels, probabilities, n_bins=7, strategy=strategy)
    np.testing.assert_allclose(table[["observed", "predicted"]], np.c_[observed, predicted])
    assert table.rows.sum() == 500
    gap = np.average(np.abs(table.observed - table.predicted), weights=table.rows)
    assert expected_calibration_error(labels, probabilities, 7, equal) == pytest.approx(gap)
    inside = (table.above < table.predicted) & (table.predicted <= table.up_to)
    assert inside.all()


@given(
    st.lists(st.tuples(st.booleans(), st.floats(0, 1), st.integers(0, 3)), min_size=1),
    st.integers(1, 12),
)
def test_a_count_is_a_row_that_stands_in_the_table_so_often(rows, bins):
    """With bins of equal width, which do not depend on the rows; the error is a share."""
    labels, probabilities, counts = map(np.array, zip(*rows, strict=True))
    found = expected_calibration_error(labels, probabilities, bins, counts=counts)
    if not counts.any():
        assert np.isnan(found)
        return
    repeated = np.repeat(labels, counts), np.repeat(probabilities, counts)
    assert found == pytest.approx(expected_calibration_error(*repeated, bins))
    assert 0 <= found <= 1


def test_the_intervals_of_a_reliability_table_cover_what_is_known():
    """Risks that are right by construction: most bins' intervals hold the predicted risk."""
    inside = []
    for seed in range(20):
        labels, probabilities = simulated(400, seed)
        table = reliability_table(labels, probabilities, 5, resamples=200, seed=seed)
        inside += list((table.low <= table.predicted) & (table.predicted <= table.high))
    assert 0.88 <= np.mean(inside) <= 0.99


def test_a_bin_that_a_resample_leaves_empty_has_no_interval():
    """One row in its bin: the share stands, the ends are NaN; the other bin keeps its own."""
    labels = [0, 1] * 10 + [1]
    probabilities = [0.2] * 10 + [0.3] * 10 + [0.9]
    table = reliability_table(labels, probabilities, 2, "width", resamples=200)
    assert table.rows.tolist() == [20, 1]
    assert table.observed.tolist() == [0.5, 1]
    assert table.low.isna().tolist() == table.high.isna().tolist() == [False, True]


def test_a_bin_holds_its_upper_edge():
    """One half belongs to the lower of two bins."""
    table = reliability_table([0, 1, 1], [0.1, 0.5, 0.6], 2, "width", resamples=10)
    assert table.rows.tolist() == [2, 1]
    assert table[["above", "up_to"]].to_numpy().tolist() == [[0, 0.5], [0.5, 1]]


def test_identical_probabilities_are_one_bin():
    """Of equal count as well; the reliability is that of everyone."""
    table = reliability_table([0, 1, 1, 1], [0.3] * 4, 10, "count")
    assert table[["rows", "observed"]].to_numpy().tolist() == [[4, 0.75]]
    assert table.predicted.item() == pytest.approx(0.3)
    found = expected_calibration_error([0, 1, 1, 1], [0.3] * 4, equal="count")
    assert found == pytest.approx(0.45)


def test_the_line_is_scikit_learns_and_the_intercept_solves_its_equation():
    """Without a penalty; the intercept makes Σ (y - p) zero."""
    labels, probabilities = simulated(300, intercept=0.4, slope=0.6)
    logits = logit(probabilities)
    peer = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(logits[:, None], labels)
    slope = calibration_slope(labels, probabilities)
    assert slope == pytest.approx(peer.coef_.item(), abs=1e-6)
    root = brentq(lambda a: (labels - expit(logits + a)).sum(), -5, 5)
    assert calibration_intercept(labels, probabilities) == pytest.approx(root, abs=1e-9)


@pytest.mark.parametrize("measure", [calibration_intercept, calibration_slope])
def test_lines_of_all_resamples_at_once_are_the_plain_loop(measure):
    """Newton's steps for 100 resamples end where one alone ends."""
    labels, probabilities = simulated(80)
    options = {"patients": np.arange(80) // 2, "resamples": 100}
    fast = bootstrap_interval(measure, labels, probabilities, **options)

    def one_by_one(labels, probabilities):
        return measure(labels, probabilities)

    slow = bootstrap_interval(one_by_one, labels, probabilities, **options)
    assert fast == pytest.approx(slow)


def test_right_risks_have_slope_one_and_intercept_zero():
    """Within their intervals, and a model twice too sure has slope one half, not one."""
    labels, probabilities = simulated(3000, seed=1)
    _, low, high = bootstrap_interval(calibration_slope, labels, probabilities, resamples=200)
    assert low < 1 < high
    _, low, high = bootstrap_interval(calibration_intercept, labels, probabilities, resamples=200)
    assert low < 0 < high
    sure = expit(2 * logit(probabilities))
    slope = calibration_slope(labels, probabilities)
    assert calibration_slope(labels, sure) == pytest.approx(slope / 2)


def test_risks_that_are_too_low_have_an_intercept_above_zero():
    """Half of the patients fall ill where 1 in 10 was predicted: log 9."""
    assert calibration_intercept([0, 1] * 20, [0.1] * 40) == pytest.approx(np.log(9))


@pytest.mark.parametrize(
    ("labels", "probabilities", "both"),
    [
        ([1, 1, 1], [0.2, 0.5, 0.7], True),
        ([0, 0, 0], [0.2, 0.5, 0.7], True),
        ([0, 1, 1], [0.3, 0.3, 0.3], False),
        ([0, 0, 1, 1], [0.1, 0.2, 0.7, 0.8], False),
    ],
)
def test_a_line_without_an_end_is_not_estimable(labels, probabilities, both):
    """One class: neither; identical or perfectly separating risks: no slope."""
    assert np.isnan(calibration_slope(labels, probabilities))
    assert np.isnan(calibration_intercept(labels, probabilities)) == both


def test_a_certain_model_has_no_logit():
    """The message says what to decide."""
    for measure in (calibration_intercept, calibration_slope):
        with pytest.raises(ValueError, match=r"probability of 1 \(row 1\) .* clip"):
            measure([0, 1], [0.5, 1.0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, 1], [0.5, 1.5]), "got 1.5 in row 1: pass predict_proba"),
        (([0, 1], [0.5, np.nan]), "got nan in row 1"),
        (([0, 3], [0.5, 0.5]), "got 3 in row 1"),
        (([0, 1], [0.5, 0.5], 0), "got 0 of 'width'"),
        (([0, 1], [0.5, 0.5], 5, "quantile"), "got 5 of 'quantile'"),
    ],
)
def test_bad_columns_and_bins_are_named(arguments, message):
    """By the error and by the table."""
    with pytest.raises(ValueError, match=message):
        expected_calibration_error(*arguments)
    if arguments[2:] != (0,):
        with pytest.raises(ValueError, match=message):
            reliability_table(*arguments)
