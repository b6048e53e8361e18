"""Shifted doses, and trials that log what they tried."""

import numpy as np
import pytest

from medml.treatment.controllers import stronger_clinic
from medml.treatment.course import treat
from medml.treatment.exploration import DailyTrial, StepTrial, shifted


def test_a_shift_moves_both_doses_by_a_part_of_themselves(chart):
    """1 U/h and 50 g / (10 g/U) = 5 U, a tenth more and a fifth less."""
    dose = shifted(stronger_clinic, [0.1, -0.2])(chart(meal=50.0))
    assert (dose.basal[0], dose.bolus[0]) == pytest.approx((1.1, 4.0))


@pytest.mark.parametrize(
    ("shifts", "message"),
    [
        ([0.6, 0], r"a shift of 0.6 is outside ±0.5"),
        ([[0, np.nan]], "a shift of nan is outside"),
        ([0.1, 0.1, 0.1], r"expected shifts of \(basal rate, boluses\), got the shape \(3,\)"),
        (0.1, "expected shifts"),
    ],
)
def test_shifts_that_are_none_are_refused(shifts, message):
    """The message names the value."""
    with pytest.raises(ValueError, match=message):
        shifted(stronger_clinic, shifts)


def test_a_daily_trial_gives_what_it_wrote_down():
    """Two days, two patients: one draw a day and patient; doses as `shifted` gives them."""
    arms = [[0, 0], [0.3, 0], [-0.3, 0]]
    trial = DailyTrial(stronger_clinic, arms, np.random.default_rng(1))
    names = ["adult#001", "adult#002", "adult#003"]
    course = treat(trial, names, days=2, plan=[(7, 40)])
    assert len(trial.drawn) == 2
    assert len({tuple(day) for day in trial.drawn}) == 2
    same = treat(
        shifted(stronger_clinic, np.array(arms)[trial.drawn[0]]), names, days=1, plan=[(7, 40)]
    )
    np.testing.assert_allclose(course.insulin[:, :288], same.insulin)
    treat(trial, names, days=1)
    assert len(trial.drawn) == 1


def test_the_weights_of_a_step_trial_are_ratios_of_normal_densities():
    """Against scipy, one step after another."""
    from scipy.stats import norm

    trial = StepTrial(stronger_clinic, 0.1, np.random.default_rng(0), mean=0.02)
    treat(trial, ["adult#001", "child#001"], days=1)
    x = np.stack(trial.drawn, axis=1)
    right = (norm.pdf(x, 0.05, 0.1) / norm.pdf(x, 0.02, 0.1)).cumprod(axis=1)
    np.testing.assert_allclose(trial.step_weights(0.05), right, rtol=1e-8)
    np.testing.assert_allclose(trial.step_weights(0.02), 1)


def test_a_basal_rate_is_never_negative(chart):
    """However wild the shift; the bolus is not touched."""
    trial = StepTrial(stronger_clinic, 5.0, np.random.default_rng(0))
    doses = [trial(chart(minute=5 * step, meal=50.0)) for step in range(40)]
    assert min(dose.basal[0] for dose in doses) == 0
    assert {dose.bolus[0] for dose in doses} == {stronger_clinic(chart(meal=50.0)).bolus[0]}
