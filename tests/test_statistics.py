"""Intervals cover what they promise, and patients are never torn apart."""

import numpy as np
import pytest
import scipy.stats
from sklearn.metrics import roc_auc_score

from medml.statistics import bootstrap_interval, column_auroc, matched_auroc, stratified_auroc


def test_one_row_a_patient_agrees_with_scipy():
    """The percentile bootstrap of a mean, within the noise of two sets of resamples."""
    values = np.random.default_rng(1).exponential(size=200)
    _, low, high = bootstrap_interval(np.mean, values, resamples=4000)
    peer = scipy.stats.bootstrap(
        (values,), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval
    assert low == pytest.approx(peer.low, abs=0.01)
    assert high == pytest.approx(peer.high, abs=0.01)


def test_drawing_patients_covers_and_drawing_rows_does_not():
    """20 patients with 10 rows each that share the patient's level: 95 % should cover zero."""
    generator = np.random.default_rng(0)
    patients = np.repeat(np.arange(20), 10)
    covered = np.zeros(2)
    for _ in range(300):
        rows = generator.normal(size=20)[patients] + 0.3 * generator.normal(size=200)
        for column, groups in enumerate((patients, None)):
            _, low, high = bootstrap_interval(np.mean, rows, patients=groups, resamples=200)
            covered[column] += low <= 0 <= high
    by_patient, by_row = covered / 300
    assert 0.88 <= by_patient <= 0.97
    assert by_row < 0.6


def test_patients_stay_whole():
    """Each resample holds all rows of a patient or none, however the rows are ordered."""
    patients = np.array(["b", "a", "b", "c", "a", "b"])
    sizes = {"a": 2, "b": 3, "c": 1}

    def whole(names):
        found, counts = np.unique(names, return_counts=True)
        assert all(count % sizes[name] == 0 for name, count in zip(found, counts, strict=True))
        return 0.0

    assert bootstrap_interval(whole, patients, patients=patients) == (0, 0, 0)


def test_the_same_seed_gives_the_same_interval():
    """And another seed another one."""
    values = np.arange(30.0)
    first, second, other = (bootstrap_interval(np.mean, values, seed=seed) for seed in (0, 0, 1))
    assert first == second != other


def test_a_statistic_that_fails_on_a_resample_is_not_estimable():
    """The estimate stays, the interval is NaN."""
    with np.errstate(all="ignore"):
        estimate, low, high = bootstrap_interval(lambda x: 1 / x.std(), np.array([0.0, 1.0]))
    assert estimate == 2
    assert np.isnan([low, high]).all()


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        (([1, 2], [1]), {}, r"\[2, 1, 2\]"),
        (([],), {}, r"at least 1, got \[0, 0\]"),
        (([1, 2],), {"patients": [1]}, r"\[2, 1\]"),
        (([1, 2],), {"level": 95}, "95"),
        (([1, 2],), {"resamples": 0}, "0"),
    ],
)
def test_bad_input_is_named(columns, options, message):
    """Lengths and settings."""
    with pytest.raises(ValueError, match=message):
        bootstrap_interval(lambda *_: 0.0, *columns, **options)


def test_the_auroc_of_each_column_is_scikit_learns():
    """With ties, for every column at once."""
    generator = np.random.default_rng(3)
    values = generator.integers(0, 9, size=(60, 20))
    labels = generator.integers(0, 2, size=60)
    peer = [roc_auc_score(labels, column) for column in values.T]
    np.testing.assert_allclose(column_auroc(values, labels), peer)


def test_an_auroc_needs_both_classes():
    """One class has no order to get right."""
    with pytest.raises(ValueError, match="got 3 positives and 0 negatives"):
        column_auroc([[1], [2], [3]], [1, 1, 1])


def test_strata_are_compared_with_themselves_only():
    """By hand: one of one pair is right in a, three of four in b; scikit-learn where all is one."""
    labels = [0, 1, 0, 0, 1, 1]
    scores = [0.5, 0.6, 0.1, 0.3, 0.2, 0.4]
    assert stratified_auroc(labels, scores, ["a"] * 2 + ["b"] * 4) == pytest.approx(4 / 5)
    one = stratified_auroc(labels, scores, [1] * 6)
    assert one == pytest.approx(roc_auc_score(labels, scores))
    shifted = [score + 10 * (i > 1) for i, score in enumerate(scores)]
    assert stratified_auroc(labels, shifted, ["a"] * 2 + ["b"] * 4) == pytest.approx(4 / 5)


def test_strata_of_one_class_count_for_nothing():
    """And nothing can be estimated where every stratum has one class only."""
    assert stratified_auroc([0, 1, 1], [0.1, 0.2, 0.3], [0, 0, 1]) == 1
    assert np.isnan(stratified_auroc([0, 1], [0.1, 0.2], [0, 1]))


def test_matched_pairs_counted_by_hand():
    """Positives of 10, 12 and 30 mm, negatives of 10.5, 11.5 and 20 mm.

    Within 5 % lie 10 and 10.5 (right) and 12 and 11.5 (a tie); 12 and 10.5 only within 20 %
    (wrong), 10 and 11.5 too (right). Nothing is near 30 and 20 mm.
    """
    labels, sizes = [1, 1, 1, 0, 0, 0], [10.0, 12.0, 30.0, 10.5, 11.5, 20.0]
    scores = [0.9, 0.4, 0.1, 0.8, 0.4, 0.9]
    assert matched_auroc(labels, scores, sizes) == pytest.approx(1.5 / 2)
    assert matched_auroc(labels, scores, sizes, tolerance=0.2) == pytest.approx(2.5 / 4)
    assert np.isnan(matched_auroc([1, 0], [0.9, 0.1], [10.6, 10.0]))
    assert matched_auroc(labels, scores, sizes, tolerance=9) == roc_auc_score(labels, scores)


def test_size_says_nothing_among_pairs_of_one_size():
    """Its AUROC is 1, but no two rows are alike; where all are equal it is one half."""
    sizes = np.arange(1.0, 9.0)
    labels = sizes > 4
    assert roc_auc_score(labels, sizes) == 1
    assert np.isnan(matched_auroc(labels, sizes, sizes))
    assert matched_auroc(labels, sizes, sizes, tolerance=0.25) == 1  # 4 and 5 are alike
    assert matched_auroc(labels, np.ones(8), np.ones(8)) == 0.5
    assert np.isnan(matched_auroc([1, 1], [0.1, 0.2], [3.0, 3.0]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, 1], [0.1, 0.2], [3.0]), r"\(2,\), \(2,\), \(1,\)"),
        (([0, 1], [0.1, 0.2], [3.0, 0.0]), "got a size of 0.0"),
        (([0, 1], [0.1, 0.2], [3.0, np.nan]), "got a size of nan"),
        (([0, 1], [0.1, 0.2], [3.0, 3.0], -0.1), "and -0.1"),
    ],
)
def test_matching_refuses_what_it_cannot_match(arguments, message):
    """Lengths, sizes and the tolerance."""
    with pytest.raises(ValueError, match=message):
        matched_auroc(*arguments)
