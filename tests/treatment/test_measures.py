"""Measures against numbers worked out by hand, and the reward's failure modes."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medml.treatment.chart import Dose
from medml.treatment.controllers import basal_bolus, stronger_clinic
from medml.treatment.course import treat
from medml.treatment.measures import (
    adverse,
    cure,
    measure,
    measure_course,
    reward,
    risk,
    summarise,
)


def test_measures_of_a_short_episode_are_those_worked_out_by_hand():
    """Ten readings; 70 and 180 are in range, 54 is below 70 and not below 54."""
    glucose = [70, 180, 69.9, 180.1, 54, 53, 39, 120, 120, 120]
    row = measure(glucose).iloc[0]
    assert row[["in_range", "below_70", "below_54", "above_180"]].tolist() == [50, 40, 20, 10]
    assert row["mean"] == pytest.approx(np.mean(glucose))
    assert row.cv == pytest.approx(100 * np.std(glucose) / np.mean(glucose))
    assert row.failure == 100
    assert measure([40.0, 100]).failure[0] == 0


def test_the_risk_is_symmetric_on_its_scale():
    """Kovatchev's scale: 0 at 112.5 mg/dL, 100 at 20 and 600, 7.7 at both ends of the range."""
    low, high = risk([112.5, 20, 70, 180, 600])
    np.testing.assert_allclose(low, [0, 100, 7.7, 0, 0], atol=0.1)
    np.testing.assert_allclose(high, [0, 0, 0, 7.7, 100], atol=0.1)
    row = measure([20.0, 600.0]).iloc[0]
    assert (row.lbgi, row.hbgi) == pytest.approx((50, 50), abs=0.1)
    assert row.risk == row.lbgi + row.hbgi


@given(st.lists(st.floats(1, 1000), min_size=1, max_size=30))
def test_shares_add_up_and_nothing_is_unbounded(glucose):
    """In range, below and above are all of the time; risk and reward have bounds."""
    row = measure(glucose).iloc[0]
    assert row.in_range + row.below_70 + row.above_180 == pytest.approx(100)
    assert row.below_54 <= row.below_70
    assert 0 <= row.risk <= 100.1
    assert ((adverse(glucose) >= 0) & (adverse(glucose) <= 12.1)).all()


def test_the_reward_is_cure_less_adverse_effects():
    """At 45: risk and half a point for less than 54; at 35 two points more than risk."""
    glucose = np.array([112.5, 45, 35, 250])
    low, high = risk(glucose)
    expected = 0.1 * low + 0.02 * high + [0, 0.5, 2.0, 0]
    np.testing.assert_allclose(adverse(glucose), expected)
    assert cure(glucose).tolist() == [1, 0, 0, 0]
    np.testing.assert_allclose(reward(glucose, 3, 2), 3 * cure(glucose) - 2 * adverse(glucose))


def test_without_adverse_effects_the_reward_does_not_mind_a_failure():
    """With β = 0 a deadly low costs no more than a harmless high: reward hacking begins here."""
    assert reward(35, beta=0) == reward(190, beta=0) == 0
    assert reward(35) < reward(190) < 0


@pytest.mark.parametrize("glucose", [[100, np.nan], [[100, 120], [np.nan, 80]]])
def test_a_missing_reading_is_not_measured(glucose):
    """A dead sensor must not count as time out of range, nor as in range."""
    with pytest.raises(ValueError, match="1 glucose values are missing"):
        measure(glucose)


def test_no_reading_at_all_is_an_error():
    """Instead of a table of NaN."""
    with pytest.raises(ValueError, match=r"shape \(1, 0\)"):
        measure([])


def test_courses_of_two_controllers_are_pairs():
    """The same meals and noise: a difference is the controllers', and its interval tells."""
    names = [f"adult#{n:03d}" for n in range(1, 9)] * 3

    def starving(chart):
        return Dose(0.3 * chart.rules.basal, 0 * chart.cgm)

    courses = [treat(c, names, days=1, seed=7) for c in (basal_bolus, stronger_clinic, starving)]
    assert (courses[0].eaten == courses[2].eaten).all()
    plain, stronger, starved = map(measure_course, courses)
    assert plain.index.names == ["patient", "episode"]
    assert plain.loc[("adult#003", 1), "mean"] == pytest.approx(courses[0].glucose[10].mean())
    gap = summarise(starved - plain, ["in_range", "above_180"])
    assert gap.loc["in_range", "high"] < -20
    assert gap.loc["above_180", "low"] > 20
    own = summarise(plain - plain)
    assert (own == 0).all(axis=None)
    small = summarise(stronger - plain, ["in_range"])
    assert abs(small.loc["in_range", "mean"]) < 5


def test_the_interval_draws_patients_and_not_episodes():
    """Two patients who differ, many episodes each: the interval spans both."""
    index = pd.MultiIndex.from_product([["a", "b"], range(50)], names=["patient", "episode"])
    table = pd.DataFrame({"in_range": np.repeat([60.0, 90.0], 50)}, index=index)
    row = summarise(table).loc["in_range"]
    assert (row["mean"], row.low, row.high) == (75, 60, 90)
