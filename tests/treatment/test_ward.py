"""The ward gives each patient the doses, meals and readings of an episode of its own."""

import numpy as np
import pytest

from medml.treatment.chart import Dose
from medml.treatment.controllers import basal_bolus, constant_basal
from medml.treatment.course import treat
from medml.treatment.devices import Sensor
from medml.treatment.ward import Ward

NAMES = ["adult#003", "child#008", "adolescent#002", "adult#009"]
SENSORS = ("Navigator", "Dexcom", "GuardianRT")


def double_basal(chart):
    """Drive the glucose down."""
    return Dose(2.5 * chart.rules.basal, 0 * chart.cgm)


def test_a_seed_fixes_everything_and_another_seed_changes_it():
    """Bit for bit: glucose, readings, insulin, meals and rescues of two days."""
    first, again = (treat(basal_bolus, NAMES, days=2, seed=4) for _ in range(2))
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    other = treat(basal_bolus, NAMES, days=2, seed=40)
    assert not any((a == b).all() for a, b in zip(first[1:3], other[1:3], strict=True))


def test_a_row_of_the_ward_is_the_patient_alone():
    """Row i with seed s is a ward of its own with seed s + i."""
    together = treat(basal_bolus, NAMES, days=1, seed=10)
    for row, name in enumerate(NAMES):
        alone = treat(basal_bolus, [name], days=1, seed=10 + row)
        assert all(np.all(a[0] == b[row]) for a, b in zip(alone, together, strict=True))


def test_the_same_doses_give_the_same_glucose_whatever_the_sample_time_of_the_sensor():
    """Without rescue the doses do not depend on readings: bit for bit the same course."""
    courses = [treat(constant_basal, NAMES, days=1, sensor=s, rescue=False) for s in SENSORS]
    for course in courses[1:]:
        assert (course.glucose == courses[0].glucose).all()
        # Every 15 minutes all three sensors read at the same moment.
        assert (course.cgm[:, ::3] == courses[0].cgm[:, ::3]).all()


def test_a_dosing_rule_does_as_well_with_any_sample_time():
    """Readings are up to two minutes older: time in range moves by less than a point."""
    in_range = []
    for sensor in SENSORS:
        glucose = treat(basal_bolus, NAMES * 10, days=1, sensor=sensor).glucose
        in_range.append(100 * ((glucose >= 70) & (glucose <= 180)).mean())
    assert np.ptp(in_range) < 1


def test_a_reading_is_the_glucose_at_the_last_sample_plus_noise(monkeypatch):
    """Dexcom reads every three minutes: at 5 min it shows the glucose of 3 min."""
    monkeypatch.setattr(Sensor, "noise", lambda self, minutes, rng: minutes / 10)
    ward = Ward(["adult#001"], days=1)
    ward.reset([np.random.default_rng(0)])
    falling, seen = [], []
    step = ward.simulator.step

    def record(*arguments):
        step(*arguments)
        falling.append(ward.glucose[0])

    ward.simulator.step = record
    for _ in range(3):
        ward.step(Dose(np.array([30.0]), np.zeros(1)))
        seen.append(ward.chart().cgm[0])
    assert seen == [falling[2] + 0.3, falling[8] + 0.9, falling[14] + 1.5]


def test_rescue_carbohydrate_is_eaten_when_low_and_at_most_every_20_minutes():
    """15 g each time the sensor shows less than 54; without rescue none."""
    course = treat(double_basal, NAMES, days=1)
    times = [np.flatnonzero(row) for row in course.rescue]
    assert sum(map(len, times)) > 5
    for row, steps in enumerate(times):
        assert (course.cgm[row, steps] < 54).all()
        assert (np.diff(steps) >= 4).all()
        low = np.flatnonzero(course.cgm[row, :-1] < 54)
        assert all(((steps <= step) & (steps > step - 4)).any() for step in low)
    assert set(np.unique(course.rescue)) == {0.0, 15.0}
    none = treat(double_basal, NAMES, days=1, rescue=False)
    assert none.rescue.sum() == 0
    assert none.glucose.min() < course.glucose.min()


def test_a_meal_is_announced_in_the_step_in_which_it_is_eaten():
    """And it is on board afterwards; what is announced may be wrong."""
    ward = Ward(["adult#001"], days=1, plan=[(1, 60)])
    ward.reset([np.random.default_rng(0)])
    meals, on_board = [], []
    for _ in range(24):
        chart = ward.chart()
        meals.append(chart.meal[0])
        _, eaten, _ = ward.step(constant_basal(chart))
        assert eaten[0] == meals[-1]
        on_board.append(ward.chart().cob[0])
    assert np.flatnonzero(meals).tolist() == [12]
    assert on_board[11] == 0
    assert on_board[12] == pytest.approx(60, rel=0.01)


def test_a_chart_counts_what_was_announced_and_not_what_was_eaten():
    """A wrong count stays wrong: carbohydrate on board must not let the truth through."""
    ward = Ward(["adult#001"], days=1, counting_error=0.5, rescue=False)
    ward.reset([np.random.default_rng(0)])
    meal = 0.0
    while not meal:
        chart = ward.chart()
        meal = chart.meal[0]
        _, eaten, _ = ward.step(constant_basal(chart))
    assert abs(eaten[0] / meal - 1) > 0.1
    assert ward.chart().cob[0] == pytest.approx(meal, rel=0.01)


def test_a_chart_remembers_readings_of_15_and_60_minutes_ago():
    """Before that, the first reading stands for them."""
    ward = Ward(NAMES, days=1)
    ward.reset([np.random.default_rng(i) for i in range(4)])
    history = [ward.chart().cgm] * 13
    for _ in range(20):
        ward.step(Dose(ward.rules.basal, np.zeros(4)))
        chart = ward.chart()
        history.append(chart.cgm)
        assert (chart.cgm_15 == history[-4]).all()
        assert (chart.cgm_60 == history[-13]).all()
        assert (chart.trend == (history[-1] - history[-4]) / 15).all()


def test_insulin_on_board_counts_what_exceeds_the_basal_rate():
    """A bolus of 5 U, an hour later; a pause of the basal rate makes it negative."""
    left = [(1 + 60 / tau) * np.exp(-60 / tau) for tau in (60, 120)]
    for rate, bolus in ((1, 0.0), (1, 5.0), (0, 0.0)):
        ward = Ward(["adult#001"], days=1)
        ward.reset([np.random.default_rng(0)])
        for step in range(12):
            ward.step(Dose(rate * ward.rules.basal, np.array([bolus * (step == 0)])))
        chart = ward.chart()
        if rate == 0:
            assert -1.27 < chart.slow_iob[0] < chart.iob[0] < -0.8
        else:  # the pump's pulses of 0.05 U leave a little
            assert chart.iob[0] == pytest.approx(5 * left[0] * bool(bolus), abs=0.06)
            assert chart.slow_iob[0] == pytest.approx(5 * left[1] * bool(bolus), abs=0.06)


def test_rescue_carbohydrate_is_on_board_though_it_is_not_announced():
    """A patient at 40 mg/dL eats 15 g, and no meal is on the chart."""
    ward = Ward(["adult#001"], days=1, plan=[])
    ward.reset([np.random.default_rng(0)])
    ward.step(Dose(np.array([30.0]), np.array([30.0])))
    while ward.chart().cgm[0] >= 54:
        ward.step(Dose(ward.rules.basal, np.zeros(1)))
    assert ward.chart().cob[0] == 0
    assert ward.chart().meal[0] == 0
    ward.step(Dose(ward.rules.basal, np.zeros(1)))
    assert ward.chart().cob[0] == pytest.approx(15, rel=0.01)


@pytest.mark.parametrize("amount", [-1.0, np.nan, np.inf])
def test_an_impossible_dose_is_refused_before_anything_happens(amount):
    """Basal rate or bolus; the error says whose and in which unit."""
    ward = Ward(["adult#001", "child#001"], days=1)
    ward.reset([np.random.default_rng(i) for i in range(2)])
    good, bad = np.ones(2), np.array([1.0, amount])
    with pytest.raises(ValueError, match=r"child#001 cannot get .* U/h of basal"):
        ward.step(Dose(bad, good))
    with pytest.raises(ValueError, match=r"child#001 cannot get .* U as a bolus"):
        ward.step(Dose(good, bad))
    assert ward.step_number.tolist() == [0, 0]


def test_an_episode_must_begin_and_ends_after_its_days():
    """A step before the first reset or after the last is refused."""
    ward = Ward(["adult#001"], days=1)
    dose = Dose(np.ones(1), np.zeros(1))
    with pytest.raises(ValueError, match="adult#001 is over: reset it"):
        ward.step(dose)
    ward.reset([np.random.default_rng(0)])
    ward.step_number[:] = 287
    ward.step(dose)
    with pytest.raises(ValueError, match="adult#001 is over: reset it"):
        ward.step(dose)


@pytest.mark.parametrize("setting", [{"days": 0}, {"counting_error": -0.1}])
def test_an_impossible_setting_is_refused(setting):
    """No days, or a negative error."""
    with pytest.raises(ValueError, match="expected days ≥ 1 and counting_error ≥ 0"):
        Ward(["adult#001"], **setting)
