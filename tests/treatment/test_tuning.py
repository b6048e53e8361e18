"""The clinic's two factors, and the choice among them."""

import numpy as np

from medml.treatment.controllers import stronger_clinic
from medml.treatment.course import treat
from medml.treatment.measures import measure
from medml.treatment.tuning import BASAL_FACTORS, BOLUS_FACTORS, Tuned, try_factors, tune_clinic


def test_factors_of_one_are_the_stronger_clinic(chart):
    """And others multiply its rate and its bolus."""
    now = chart(meal=50.0, cgm=220.0)
    clinic, dose = stronger_clinic(now), Tuned(1.1, 0.5)(now)
    assert Tuned(1.0, 1.0)(now) == clinic
    assert dose.basal == 1.1 * clinic.basal
    assert dose.bolus == 0.5 * clinic.bolus


def test_all_pairs_meet_the_same_episodes_and_the_best_is_taken():
    """The row of (1, 1) is what the clinic does to the same patients with the same seed."""
    names = ["adult#001", "child#002"]
    table = try_factors(names, seed=5, days=1)
    assert len(table) == len(BASAL_FACTORS) * len(BOLUS_FACTORS)
    row = table[(table["basal"] == 1) & (table["bolus"] == 1)].iloc[0]
    expected = measure(treat(stronger_clinic, names, seed=5, days=1).glucose).mean()
    np.testing.assert_allclose(row[expected.index].astype(float), expected)
    table = try_factors(names * 2, seed=5)
    best = tune_clinic(names, seed=5)
    score = table["cure"] - table["adverse"]
    chosen = (table["basal"] == best.basal) & (table["bolus"] == best.bolus)
    assert score[chosen].item() == score.max()
