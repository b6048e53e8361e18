"""Intervals cover what they promise, and patients are never torn apart."""

import time

import numpy as np
import pytest
import scipy.stats
from sklearn.metrics import average_precision_score, roc_auc_score

from medml.statistics import (
    auroc,
    average_precision,
    bootstrap_interval,
    cautious_interval,
    paired_difference,
)


def simulated(rows, patients, seed=0):
    """Return labels, two models' scores with ties, and the patients of the rows."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 2, size=rows)
    first, second = np.round(labels + generator.normal(0, [[1.0], [2.0]], size=(2, rows)), 1)
    return labels, first, second, generator.integers(patients, size=rows)


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


@pytest.mark.parametrize(
    ("measure", "peer"),
    [(auroc, roc_auc_score), (average_precision, average_precision_score)],
)
@pytest.mark.parametrize("rows_each", ["one", "some"])
def test_all_resamples_at_once_are_the_plain_loop(measure, peer, rows_each):
    """The same draws through scikit-learn, one after another, with and without patients."""
    labels, scores, _, patients = simulated(60, 20)
    options = {"patients": patients if rows_each == "some" else None, "resamples": 150}
    fast = bootstrap_interval(measure, labels, scores, **options)
    assert fast == pytest.approx(bootstrap_interval(peer, labels, scores, **options), abs=1e-12)


def test_one_row_a_patient_is_the_plain_bootstrap():
    """Naming each row's patient changes nothing then, whatever the names."""
    labels, scores, _, _ = simulated(50, 50)
    names = [f"patient {number:03d}" for number in range(50)]
    plain = bootstrap_interval(auroc, labels, scores)
    assert bootstrap_interval(auroc, labels, scores, patients=names) == plain


def test_a_statistic_with_counts_is_called_for_all_resamples_at_once():
    """One call for the draws and one for the estimate; a built-in function loops."""
    shapes = []

    def share(values, counts=None):
        shapes.append(np.shape(counts))
        return values.mean() if counts is None else counts @ values / counts.sum(axis=-1)

    bootstrap_interval(share, np.arange(30) % 2, resamples=77)
    assert sorted(shapes) == [(), (77, 30)]
    assert bootstrap_interval(max, np.arange(30.0))[::2] == (29, 29)


def test_many_rows_are_computed_in_blocks(monkeypatch):
    """So that memory stays small; the draws are those of one block."""
    labels, scores, _, patients = simulated(40, 30)
    whole = bootstrap_interval(auroc, labels, scores, patients=patients, resamples=50)
    monkeypatch.setattr("medml.statistics.intervals.BLOCK", 7 * 40)
    assert bootstrap_interval(auroc, labels, scores, patients=patients, resamples=50) == whole


def test_two_thousand_resamples_of_a_thousand_patients_take_less_than_two_seconds():
    """For both areas and their paired difference, in CPU-seconds."""
    labels, first, second, _ = simulated(1000, 1000)
    for compute in (
        lambda: bootstrap_interval(auroc, labels, first, resamples=2000),
        lambda: bootstrap_interval(average_precision, labels, first, resamples=2000),
        lambda: paired_difference(auroc, labels, first, second, resamples=2000),
    ):
        start = time.process_time()
        compute()
        assert time.process_time() - start < 2


def test_the_interval_of_an_auroc_covers_the_true_one():
    """Normal scores one unit apart: AUROC Φ(1/√2); two rows a patient that are nearly the same."""
    truth = scipy.stats.norm.cdf(np.sqrt(0.5))
    generator = np.random.default_rng(4)
    patients = np.repeat(np.arange(60), 2)
    covered = np.zeros(2)
    for _ in range(400):
        labels = np.repeat(np.arange(60) % 2, 2)
        scores = labels + generator.normal(size=60)[patients] + 0.1 * generator.normal(size=120)
        for column, groups in enumerate((patients, None)):
            options = {"patients": groups, "resamples": 300}
            _, low, high = bootstrap_interval(auroc, labels, scores, **options)
            covered[column] += low <= truth <= high
    by_patient, by_row = covered / 400
    assert 0.91 <= by_patient <= 0.98
    assert by_row < by_patient - 0.05


def test_a_statistic_of_many_values_gets_an_interval_for_each():
    """Each value's interval is the one it has alone; one not estimable leaves the others alone."""
    rows = np.random.default_rng(5).normal(size=(40, 2))
    both = bootstrap_interval(lambda table: table.mean(axis=0), rows, resamples=99)
    for column in range(2):
        alone = bootstrap_interval(np.mean, rows[:, column], resamples=99)
        assert [part[column] for part in both] == pytest.approx(alone)
    rows[0, 1] = np.inf
    with np.errstate(invalid="ignore"):
        _, low, _ = bootstrap_interval(lambda table: table.mean(axis=0), rows, resamples=99)
    assert np.isnan(low).tolist() == [False, True]


def test_a_paired_difference_sees_the_same_patients():
    """By a plain loop; narrower than two bootstraps apart when the scores are alike."""
    labels, scores, _, patients = simulated(80, 40)
    noisy = scores + np.random.default_rng(6).normal(0, 0.3, size=80)
    options = {"patients": patients, "resamples": 200}
    found = paired_difference(auroc, labels, scores, noisy, **options)
    peer = paired_difference(roc_auc_score, labels, scores, noisy, **options)
    assert found == pytest.approx(peer, abs=1e-12)
    areas = [roc_auc_score(labels, one) for one in (scores, noisy)]
    assert found.estimate == pytest.approx(areas[0] - areas[1])
    apart = [bootstrap_interval(auroc, labels, one, **options) for one in (scores, noisy)]
    assert found.high - found.low < 0.5 * sum(one.high - one.low for one in apart)


def test_a_model_differs_from_itself_by_nothing():
    """And a paired difference changes its sign with the order."""
    labels, first, second, _ = simulated(50, 50)
    assert paired_difference(auroc, labels, first, first) == (0, 0, 0)
    forth = paired_difference(auroc, labels, first, second)
    back = paired_difference(auroc, labels, second, first)
    assert back == pytest.approx((-forth.estimate, -forth.high, -forth.low))


def test_too_few_patients_and_perfect_results_are_not_estimable():
    """Three patients, however many rows; 20 right out of 20. One wrong, and it is estimable."""
    right = np.ones(20)
    few = cautious_interval(np.mean, np.arange(20), patients=np.arange(20) % 3)
    perfect = cautious_interval(np.mean, right)
    assert np.isnan([*few[1:], *perfect[1:]]).all()
    assert (few.estimate, perfect.estimate) == (9.5, 1)
    right[0] = 0
    assert cautious_interval(np.mean, right) == bootstrap_interval(np.mean, right)
    ten = np.arange(10)
    assert cautious_interval(np.mean, ten, patients=ten) == bootstrap_interval(np.mean, ten)
    assert np.isnan(cautious_interval(np.mean, ten[:9]).low)


def test_identical_scores_have_an_area_of_one_half_and_no_interval():
    """Every resample says 0.5: that is no knowledge of other patients."""
    found = cautious_interval(auroc, [0, 1] * 10, np.zeros(20))
    assert found.estimate == 0.5
    assert np.isnan(found[1:]).all()


def test_one_class_in_a_resample_makes_an_area_not_estimable():
    """Ten patients with one death: some draws have none."""
    found = bootstrap_interval(auroc, [1] + [0] * 9, np.arange(10))
    assert found.estimate == 0
    assert np.isnan(found[1:]).all()
