"""Who is locked away, and how the others are split: by patient, the same on every machine."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from medml.data import lidc
from medml.diagnosis import cohort
from medml.diagnosis.cohort import FOLDS, folds, load_cohort


@pytest.fixture(scope="module")
def nodules():
    """The nodules of both sides of the lock."""
    return load_cohort()


def of_patients(benign, malignant):
    """Return a table with two nodules of each patient, and so many patients of each class."""
    label = np.repeat([False, True], [2 * benign, 2 * malignant])
    names = [f"P{row // 2}" for row in range(len(label))]
    return pd.DataFrame({"patient_id": names, "malignant": label})


def test_150_patients_are_locked_with_all_of_their_nodules(nodules):
    """251 of the 869 nodules; no patient stands on both sides."""
    locked, free = nodules[nodules["locked"]], nodules[~nodules["locked"]]
    assert (locked["patient_id"].nunique(), free["patient_id"].nunique()) == (150, 380)
    assert (len(locked), len(free)) == (251, 618)
    assert not set(locked["patient_id"]) & set(free["patient_id"])


def test_the_sha256_of_the_id_draws_the_locked_patients(nodules):
    """The 150 lowest digests. The three ids are pinned: this draw never changes."""
    digest = {name: hashlib.sha256(name.encode()).hexdigest() for name in nodules["patient_id"]}
    first = sorted(digest, key=digest.get)
    assert first[:3] == ["LIDC-IDRI-0939", "LIDC-IDRI-0775", "LIDC-IDRI-0660"]
    assert set(nodules.loc[nodules["locked"], "patient_id"]) == set(first[:150])


@pytest.mark.parametrize("seed", [0, 1])
def test_the_order_of_the_rows_changes_no_lock(nodules, monkeypatch, seed):
    """And the table keeps its rows, their order and its other columns."""
    order = np.random.default_rng(seed).permutation(len(nodules))
    shuffled = lidc.labelled_nodules().iloc[order]
    monkeypatch.setattr(cohort.lidc, "labelled_nodules", lambda: shuffled)
    pd.testing.assert_frame_equal(load_cohort(), nodules.iloc[order])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_five_folds_test_each_nodule_once_and_share_no_patient(nodules, seed):
    """Both classes are in each fold, in nearly the same shares."""
    free = nodules[~nodules["locked"]]
    splits = list(folds(free, seed))
    assert len(splits) == FOLDS == 5
    assert sorted(np.concatenate([test for _, test in splits])) == list(range(len(free)))
    for train, test in splits:
        assert sorted([*train, *test]) == list(range(len(free)))
        one, other = free.iloc[train], free.iloc[test]
        assert not set(one["patient_id"]) & set(other["patient_id"])
        assert other["malignant"].nunique() == one["malignant"].nunique() == 2
        assert other["malignant"].mean() == pytest.approx(free["malignant"].mean(), abs=0.03)
        assert len(test) == pytest.approx(len(free) / FOLDS, rel=0.1)


def test_the_seed_alone_decides_the_folds(nodules):
    """The same one the same folds, another one others."""
    first, again, other = ([tuple(test) for _, test in folds(nodules, seed)] for seed in (3, 3, 4))
    assert first == again
    assert not set(first) & set(other)


def test_five_patients_of_each_class_are_enough():
    """Each fold then tests one benign and one malignant patient."""
    table = of_patients(benign=5, malignant=5)
    for _, test in folds(table, 0):
        assert sorted(table["malignant"].iloc[test]) == [False, False, True, True]


@pytest.mark.parametrize(("benign", "malignant"), [(10, 4), (4, 10), (7, 0), (0, 7)])
def test_too_few_patients_of_a_class_are_an_error_with_their_numbers(benign, malignant):
    """Patients count, not nodules: four with two each are four. The cure is named."""
    message = (
        f"got {benign} with a benign and {malignant} with a malignant nodule: take more patients"
    )
    with pytest.raises(ValueError, match=message):
        next(folds(of_patients(benign, malignant), 0))
