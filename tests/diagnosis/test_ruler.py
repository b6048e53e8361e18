"""Scores beside the diameter: who is scored by whom, and what the comparison counts."""

import numpy as np
import pandas as pd
import pytest

from medml.diagnosis.cohort import folds
from medml.diagnosis.ruler import (
    MATCHED,
    SIZES_MM,
    auroc_gain,
    beside_ruler,
    mean_score,
    of_size,
    out_of_fold,
    regression,
)
from medml.statistics import bootstrap_interval, column_auroc


@pytest.fixture(scope="module")
def nodules():
    """120 nodules of 60 patients: large ones are malignant more often, and so are rough ones."""
    generator = np.random.default_rng(0)
    diameter, rough = generator.uniform(4, 20, 120), generator.normal(size=120)
    diameter[:2] = 8.0, 12.0  # the limits of a class
    chance = 1 / (1 + np.exp(-(diameter - 10) / 2 - 2 * rough))
    columns = {
        "patient_id": [f"P{i:02d}" for i in generator.permutation(120) // 2],
        "diameter_mm": diameter,
        "rough": rough,
        "malignant": generator.random(120) < chance,
    }
    return pd.DataFrame(columns, pd.RangeIndex(620, 500, -1, name="nodule_id"))


def test_nobody_is_scored_by_a_model_that_knows_the_patient(nodules):
    """Every nodule once a seed, in order, in the fold in which it was tested."""
    asked = []

    def spy(train, test, seed):
        known = set(nodules["patient_id"].iloc[train])
        assert not known & set(nodules["patient_id"].iloc[test])
        asked.append((seed, tuple(test)))
        return 1000 * seed + test

    scores = out_of_fold(nodules, spy, (3, 8))
    assert scores["nodule_id"].tolist() == 2 * nodules.index.tolist()
    assert scores["patient_id"].tolist() == 2 * nodules["patient_id"].tolist()
    assert scores["score"].tolist() == [1000 * seed + row for seed in (3, 8) for row in range(120)]
    for seed in (3, 8):
        fold = scores.loc[scores["seed"] == seed, "fold"].to_numpy()
        for number, (_, test) in enumerate(folds(nodules, seed)):
            assert np.flatnonzero(fold == number).tolist() == test.tolist()
            assert (seed, tuple(test)) in asked
    np.testing.assert_allclose(mean_score(scores), 5500 + np.arange(120))


def test_the_regression_learns_from_the_training_rows_only(nodules):
    """Labels of the rows under test may be anything, and so may units and offsets."""
    values = nodules[["diameter_mm", "rough"]].to_numpy()
    labels = nodules["malignant"].to_numpy()
    train, test = np.arange(80), np.arange(80, 120)
    score = regression(values, labels)(train, test, 0)
    turned = labels.copy()
    turned[test] = ~turned[test]
    np.testing.assert_array_equal(regression(values, turned)(train, test, 5), score)
    scaled = regression(values * (10, 0.1) + (0, 7), labels)(train, test, 0)
    np.testing.assert_allclose(scaled, score, rtol=1e-4)
    assert column_auroc(score, labels[test]) > 0.8


def test_what_the_diameter_cannot_tell_shows_in_every_class(nodules):
    """Estimates by hand, intervals as bootstrap_interval gives them with whole patients."""
    labels, diameter = nodules["malignant"].to_numpy(), nodules["diameter_mm"].to_numpy()
    ruler = diameter / 20
    scores = (diameter - 8 + 4 * nodules["rough"].to_numpy()) / 20
    found = beside_ruler(nodules, scores, ruler, resamples=50)
    assert (found["nodules"], found["malignant"]) == (120, labels.sum())
    for size, (low, high) in SIZES_MM.items():
        rows = (diameter >= low) & (diameter < high)
        np.testing.assert_array_equal(of_size(nodules, size), rows)
        gain = column_auroc(scores[rows], labels[rows]) - column_auroc(ruler[rows], labels[rows])
        assert found[size].estimate == pytest.approx(gain)
        patients = nodules["patient_id"].to_numpy()[rows]
        expected = bootstrap_interval(
            auroc_gain, labels[rows], scores[rows], ruler[rows], patients=patients, resamples=50
        )
        assert found[size] == expected
    assert found["accuracy"].estimate == ((scores > 0.5) == labels).mean()
    assert found[MATCHED].estimate > 0.75
    assert beside_ruler(nodules, ruler, ruler, 50)["all sizes"] == (0, 0, 0)


def test_a_class_that_is_missing_is_not_estimable(nodules):
    """No malignant nodule between 8 and 12 mm: NaN there, numbers elsewhere."""
    cut = nodules[~(of_size(nodules, "8-12 mm") & nodules["malignant"])]
    found = beside_ruler(cut, cut["rough"], cut["diameter_mm"], resamples=50)
    assert np.isnan(found["8-12 mm"]).all()
    assert np.isfinite(found["all sizes"]).all()
