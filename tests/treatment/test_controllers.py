"""Doses worked out by hand, and a shield that only takes away."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medml.treatment.chart import Chart, Dose, Rules
from medml.treatment.controllers import (
    Pid,
    advised_bolus,
    basal_bolus,
    constant_basal,
    shielded,
    shielded_dose,
    stronger_clinic,
)
from medml.treatment.course import treat
from medml.treatment.measures import measure_course


@pytest.mark.parametrize(
    ("fields", "plain", "stronger"),
    [
        ({"meal": 50}, 5.0, 5.0),
        ({"meal": 50, "cgm": 150}, 5.0, 5.0),
        ({"meal": 50, "cgm": 220}, 7.0, 7.0),
        ({"meal": 50, "cgm": 220, "iob": 1.5}, 7.0, 5.5),
        ({"meal": 50, "cgm": 220, "iob": 3.0}, 7.0, 5.0),
        ({"meal": 50, "cgm": 220, "iob": -3.0}, 7.0, 7.0),
        ({"meal": 50, "cgm": 80, "iob": 3.0}, 5.0, 4.5),
        ({"meal": 4, "cgm": 60}, 0.4, 0.0),
        ({"cgm": 300}, 0.0, 0.0),
    ],
)
def test_boluses_are_those_of_the_rules(chart, fields, plain, stronger):
    """CR 10 g/U, CF 40 (mg/dL)/U: 220 mg/dL ask for 2 U, 80 mg/dL take away half a unit."""
    now = chart(**fields)
    assert basal_bolus(now).bolus[0] == pytest.approx(plain)
    assert stronger_clinic(now).bolus[0] == pytest.approx(stronger)
    assert basal_bolus(now).basal[0] == stronger_clinic(now).basal[0] == 1
    assert constant_basal(now) == Dose(1, 0)


def test_a_dead_sensor_leads_to_the_plain_bolus_and_a_warning(chart):
    """Carbohydrate is covered, nothing is corrected, the basal rate stays."""
    dead = chart(cgm=np.nan, meal=50)
    for controller in (basal_bolus, stronger_clinic, Pid(), shielded(Pid()), shielded(basal_bolus)):
        with pytest.warns(UserWarning, match="sensor gives no reading"):
            dose = controller(dead)
        assert dose == Dose(1, 5)


def test_a_pid_adds_error_slope_and_integral(chart):
    """40 mg/dL too high, rising by 1 (mg/dL)/min: (40 + 200 / 1200 + 90) / (40 · 4) U/h more."""
    pid = Pid(target=130, hours=4, integral_minutes=1200, slope_minutes=90)
    now = chart(cgm=170, cgm_15=155, minute=0)
    assert pid(now).basal[0] == pytest.approx(1 + (40 + 40 * 5 / 1200 + 90) / 160)
    later = chart(cgm=170, cgm_15=155, minute=5)
    assert pid(later).basal[0] == pytest.approx(1 + (40 + 2 * 40 * 5 / 1200 + 90) / 160)
    assert pid(now).basal[0] == pytest.approx(1 + (40 + 40 * 5 / 1200 + 90) / 160)


def test_a_pid_stays_within_its_limits_and_does_not_wind_up(chart):
    """High and rising it gives four times the rate, low none; ten hours of it leave no memory."""
    pid = Pid()
    pid(chart(minute=0))
    before = pid(chart(minute=5)).basal[0]
    for step in range(2, 120):
        assert pid(chart(cgm=600, cgm_15=500, minute=5 * step)).basal[0] == 4
    for step in range(120, 122):
        assert pid(chart(cgm=40, cgm_15=60, minute=5 * step)).basal[0] == 0
    assert pid(chart(minute=610)).basal[0] == pytest.approx(before, abs=0.01)


@pytest.mark.parametrize(
    ("fields", "basal", "bolus"),
    [
        ({"meal": 50}, 3, 8),
        ({"cgm": 69, "meal": 50}, 0, 4.225),
        ({"cgm": 90, "cgm_15": 101, "meal": 50}, 0, 8),
        ({"cgm": 90, "cgm_15": 99, "meal": 50}, 3, 8),
        ({"cgm": 79, "meal": 0}, 3, 0),
    ],
)
def test_the_shield_stops_basal_insulin_near_a_low_and_boluses_beyond_the_advice(
    chart, fields, basal, bolus
):
    """Below 70 now or in 30 minutes; below 80 a bolus is the advised one at most."""
    dose = shielded_dose(chart(**fields), Dose(np.array([3.0]), np.array([8.0])))
    assert (dose.basal[0], dose.bolus[0]) == (basal, pytest.approx(bolus))


glucose = st.floats(39, 400)


@given(glucose, glucose, st.floats(0, 100), st.floats(-5, 20), st.floats(0, 10), st.floats(0, 30))
def test_the_shield_never_adds_insulin(cgm, before, meal, iob, basal, bolus):
    """Whatever the situation and the dose."""
    one = np.ones(1)
    rules = Rules(one, 10 * one, 40 * one, 50 * one, 70 * one, 40 * one)
    values = (720, cgm, before, before, meal, iob, iob, 0.0)
    dose = Dose(basal * one, bolus * one)
    safe = shielded_dose(Chart(rules, *(value * one for value in values)), dose)
    assert 0 <= safe.basal[0] <= basal
    assert 0 <= safe.bolus[0] <= bolus


def test_each_controller_is_better_than_the_one_before():
    """Time in range of ten patients; a meal needs a decision, and what is on board counts."""
    names = [f"{group}#{n:03d}" for group in ("adult", "child") for n in range(1, 6)] * 4
    tables = [
        measure_course(treat(controller, names, days=2, seed=3)).mean()
        for controller in (constant_basal, basal_bolus, stronger_clinic, Pid())
    ]
    in_range = [table.in_range for table in tables]
    assert in_range[0] < 40
    assert 85 < in_range[1] < in_range[3]
    assert tables[2].below_70 < 0.8 * tables[1].below_70
    shield = measure_course(treat(shielded(basal_bolus), names, days=2, seed=3)).mean()
    assert shield.below_70 < 0.7 * tables[1].below_70


def test_the_advice_is_per_patient():
    """Two patients in one chart, one with a meal."""
    rules = Rules(
        *(np.array(pair) for pair in ((1, 1), (10, 5), (40, 10), (50, 60), (70, 80), (40, 50)))
    )
    flat = np.array([140.0, 160.0])
    now = Chart(rules, np.zeros(2), flat, flat, flat, np.array([0.0, 50.0]), *np.zeros((3, 2)))
    assert advised_bolus(now).tolist() == [0, 12]
