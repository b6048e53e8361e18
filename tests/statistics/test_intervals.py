"""Intervals cover what they promise, and patients are never torn apart."""

import numpy as np
import pytest
import scipy.stats

from medml.statistics import bootstrap_interval


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
