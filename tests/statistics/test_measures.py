"""The table of measures holds what each measure says alone."""

import time

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from medml.statistics import (
    auroc,
    bootstrap_interval,
    brier_score,
    expected_calibration_error,
    measure_table,
    positive_predictive_value,
    sensitivity,
    specificity,
)

MEASURES = [
    "accuracy",
    "sensitivity",
    "specificity",
    "PPV",
    "NPV",
    "AUROC",
    "AUPRC",
    "Brier",
    "ECE",
]


def simulated(rows=120, seed=0):
    """Return labels, probabilities and the patients of the rows, three rows each."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 2, size=rows)
    probabilities = np.clip(0.25 + 0.4 * labels + generator.normal(0, 0.25, size=rows), 0, 1)
    return labels, probabilities, np.arange(rows) // 3


def test_each_row_is_its_measure_with_its_own_interval():
    """The same draws of patients as when the measure is asked for alone."""
    labels, probabilities, patients = simulated()
    table = measure_table(labels, probabilities, 0.4, patients=patients, resamples=200)
    assert table.index.tolist() == MEASURES
    options = {"patients": patients, "resamples": 200}
    for name, measure, column in (
        ("sensitivity", sensitivity, probabilities >= 0.4),
        ("specificity", specificity, probabilities >= 0.4),
        ("AUROC", auroc, probabilities),
        ("Brier", brier_score, probabilities),
        ("ECE", expected_calibration_error, probabilities),
    ):
        alone = bootstrap_interval(measure, labels, column, **options)
        assert table.loc[name].tolist() == pytest.approx(alone)
    assert table.estimate["Brier"] == pytest.approx(brier_score_loss(labels, probabilities))
    assert (table.low <= table.high).all()


def test_a_prevalence_adds_two_rows():
    """Sensitivity and specificity of the sample, carried where the disease is rarer."""
    labels, probabilities, patients = simulated()
    options = {"patients": patients, "resamples": 200}
    table = measure_table(labels, probabilities, prevalence=0.005, **options)
    assert table.index.tolist() == [*MEASURES, "PPV at 0.5 %", "NPV at 0.5 %"]
    carried = bootstrap_interval(
        lambda y, p: positive_predictive_value(y, p >= 0.5, 0.005), labels, probabilities, **options
    )
    assert table.loc["PPV at 0.5 %"].tolist() == pytest.approx(carried)
    assert table.estimate["PPV at 0.5 %"] < table.estimate["PPV"] / 5
    with pytest.raises(ValueError, match="prevalence is a share from 0 to 1, got 5"):
        measure_table(labels, probabilities, prevalence=5)


def test_a_probability_at_the_threshold_is_flagged():
    """At least the threshold, not above it."""
    assert measure_table([0, 1], [0.2, 0.5], 0.5).estimate["sensitivity"] == 1
    assert measure_table([0, 1], [0.2, 0.5], 0.51).estimate["sensitivity"] == 0


def test_another_seed_or_level_changes_the_ends_only():
    """A level of 50 % lies inside one of 95 %."""
    labels, probabilities, patients = simulated()
    table, other, narrow = (
        measure_table(labels, probabilities, patients=patients, resamples=200, **option)
        for option in ({}, {"seed": 1}, {"level": 0.5})
    )
    assert table.estimate.equals(other.estimate)
    assert not table.low.equals(other.low)
    assert ((table.low < narrow.low) & (narrow.high < table.high)).all()


def test_one_class_only_leaves_what_it_can_tell():
    """Without the healthy: no specificity and no AUROC; the sensitivity has its interval."""
    probabilities = np.linspace(0.2, 0.9, 30)
    table = measure_table(np.ones(30), probabilities, resamples=200)
    assert table.estimate[["specificity", "AUROC"]].isna().all()
    assert np.isfinite(table.loc["sensitivity"]).all()
    assert np.isnan(table.low["PPV"]) and table.estimate["PPV"] == 1


def test_identical_probabilities_have_no_interval_but_for_the_brier_score():
    """The AUROC is one half in every resample: the ends are not estimable."""
    table = measure_table([0, 1, 1] * 10, np.full(30, 0.6), resamples=200)
    assert table.estimate["AUROC"] == 0.5
    assert table.low[["AUROC", "sensitivity", "specificity"]].isna().all()
    assert np.isfinite(table.loc[["Brier", "accuracy"]]).all(axis=None)


def test_three_patients_have_estimates_and_no_interval():
    """However many rows they have."""
    labels, probabilities, _ = simulated(30)
    table = measure_table(labels, probabilities, patients=np.arange(30) % 3, resamples=200)
    assert np.isfinite(table.estimate).all()
    assert table[["low", "high"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [
        ([0, 1], [0.1, 1.4], "got 1.4 in row 1"),
        ([0, 1], [0.1, np.nan], "got nan in row 1"),
        ([1, 2], [0.1, 0.2], "got 2 in row 1"),
        ([0, 1], [0.1], "expected 2 probabilities"),
    ],
)
def test_bad_columns_are_named(labels, probabilities, message):
    """By the table and by the Brier score."""
    for function in (measure_table, brier_score):
        with pytest.raises(ValueError, match=message):
            function(labels, probabilities)


def test_the_whole_table_of_a_thousand_patients_takes_less_than_two_seconds():
    """2,000 resamples, in CPU-seconds."""
    labels, probabilities, _ = simulated(1000)
    start = time.process_time()
    measure_table(labels, probabilities, prevalence=0.01, resamples=2000)
    assert time.process_time() - start < 2
