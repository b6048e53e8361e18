"""Stored folds of the insulin policies: one part comes out again, and the bars are met."""

import numpy as np
import pandas as pd
import pytest
import torch

from experiments import insulin_folds
from medml.course import stored_run
from medml.files import sha256
from medml.statistics import bootstrap_interval
from medml.treatment.controllers import basal_bolus
from medml.treatment.course import treat
from medml.treatment.measures import measure_course
from medml.treatment.patients import patient_folds
from medml.treatment.policy import STORED, stored_policy


@pytest.fixture(scope="module")
def rows():
    """The stored rows after the first, which holds settings and hashes."""
    return stored_run("insulin_folds")["rows"][1:]


@pytest.fixture(scope="module")
def by_fold(rows):
    """Means by situation, controller and fold, over seeds and patients."""
    table = pd.concat([pd.DataFrame(row) for row in rows])
    keys = ["situation", "controller", "fold"]
    return table.groupby(keys)[insulin_folds.MEASURES].mean()


def test_the_stored_policies_are_those_of_the_table():
    """Their hashes stand in the result."""
    policies = stored_run("insulin_folds")["rows"][0]["policies"]
    assert policies == {f"fold{fold}": sha256(STORED / f"fold{fold}.pt") for fold in range(5)}


def test_one_fold_comes_out_again(rows):
    """Basal-bolus exactly; the policy within what another numeric library may change."""
    torch.set_num_threads(1)
    names = patient_folds()[4][1] * insulin_folds.EPISODES
    contestants = (
        ("basal-bolus", None, basal_bolus, 1e-3),
        ("PPO", 0, stored_policy(4).controller(), 0.1),
    )
    for name, seed, controller, tolerance in contestants:
        key = {"fold": 4, "situation": "rescue", "controller": name, "seed": seed}
        (row,) = [row for row in rows if key.items() <= row.items()]
        treated = treat(controller, names, seed=insulin_folds.FIRST_EPISODE + 40_000)
        means = measure_course(treated).groupby("patient").mean()
        assert means.index.tolist() == row["patients"]
        np.testing.assert_allclose(means["in_range"], row["in_range"], atol=tolerance)


def test_with_rescue_no_fold_is_worse_than_basal_bolus(by_fold):
    """More in range, less low; in the mean 1.5 points more and half the time low."""
    ours, theirs = (by_fold.loc["rescue"].loc[name] for name in ("PPO", "basal-bolus"))
    assert (ours["in_range"] >= theirs["in_range"]).all()
    assert (ours["below_70"] <= theirs["below_70"]).all()
    assert (ours["below_54"] <= theirs["below_54"] + 0.05).all()
    assert (ours["failure"] <= theirs["failure"] + 1).all()
    assert ours["in_range"].mean() >= theirs["in_range"].mean() + 1.5
    assert ours["below_70"].mean() <= theirs["below_70"].mean() / 2
    assert (ours["in_range"] > by_fold.loc["rescue"].loc["stronger clinic"]["in_range"]).all()


def test_without_rescue_the_gain_is_larger(by_fold):
    """Three points more in range, less than .4 of the time low, no more failures in any fold."""
    ours, theirs = (by_fold.loc["no rescue"].loc[name] for name in ("PPO", "basal-bolus"))
    assert ours["in_range"].mean() >= theirs["in_range"].mean() + 3
    assert ours["below_70"].mean() <= 0.4 * theirs["below_70"].mean()
    assert (ours["failure"] <= theirs["failure"]).all()


def test_under_strange_meals_there_are_no_more_failures(by_fold):
    """Adult meals for everybody, announcements wrong by 30 %."""
    ours, theirs = (by_fold.loc["unscaled meals"].loc[name] for name in ("PPO", "basal-bolus"))
    assert (ours["failure"] <= theirs["failure"] + 1).all()


def test_each_patient_is_held_out_once_under_three_training_seeds(rows):
    """With 100 episodes each, so that shares of episodes are whole per cents."""
    table = pd.concat([pd.DataFrame(row) for row in rows if row["controller"] == "PPO"])
    for situation in insulin_folds.SITUATIONS:
        part = table[table["situation"] == situation]
        assert part.groupby("patients")["seed"].apply(sorted).tolist() == [[0, 1, 2]] * 30
        assert (part["failure"] % 1 == 0).all()


def test_descriptors_widen_the_gap_between_patients_learnt_from_and_held_out(rows):
    """One seed for both, patient by patient: the name tag gains more on those learnt from."""
    table = pd.concat([pd.DataFrame(row) for row in rows if row["seed"] in (None, 0)])
    table = table.pivot_table("in_range", "patients", ["situation", "controller"])
    gap = {
        name: (table[insulin_folds.LEARNT, name] - table[insulin_folds.LEARNT, "basal-bolus"])
        - (table["rescue", name] - table["rescue", "basal-bolus"])
        for name in ("PPO", "PPO, descriptors")
    }
    wider = gap["PPO, descriptors"] - gap["PPO"]
    assert len(wider) == 30
    assert bootstrap_interval(np.mean, wider).low > 0
    held = table["rescue", "PPO, descriptors"] - table["rescue", "basal-bolus"]
    assert held.idxmin() == "child#006"
