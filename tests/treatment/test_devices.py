"""Sensors, pumps and what is on board against formulas worked out here."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.interpolate import CubicHermiteSpline

from medml.data.virtual_patients import load_sensors
from medml.treatment.devices import OnBoard, Pump, Sensor

DEXCOM = load_sensors().loc["Dexcom"]


def test_the_noise_is_the_published_series_with_a_smooth_curve_through_it():
    """e = v, then e = 0.7 (e + v), bent by Johnson's transformation; written out as a loop.

    The curve is SciPy's cubic one whose slope at a point is that of the line through its two
    neighbours.
    """
    pushes = np.random.default_rng(5).standard_normal(24)
    e, points = pushes[0], []
    for number, push in enumerate(pushes):
        e = DEXCOM.PACF * (e + push) if number else push
        bent = np.sinh((e - DEXCOM.gamma) / DEXCOM.delta)
        points.append(DEXCOM.xi + DEXCOM["lambda"] * bent)
    slopes = (np.array(points[2:]) - points[:-2]) / 30
    curve = CubicHermiteSpline(15 * np.arange(22), points[1:-1], slopes)
    minutes = np.arange(15 * 20 + 1)
    noise = Sensor("Navigator").noise(minutes, np.random.default_rng(5))
    np.testing.assert_allclose(noise, curve(minutes), atol=1e-9)


def test_the_noise_has_the_distribution_of_the_published_model():
    """Johnson's distribution of a normal number of variance 0.49 / 0.51, over 200 days."""
    noise = Sensor().noise(np.arange(0, 200 * 1440, 15), np.random.default_rng(1))
    sd = np.sqrt(0.49 / 0.51)
    law = stats.johnsonsu(-0.5444 / sd, 1.6898 / sd, loc=-5.47, scale=15.9574)
    assert noise.mean() == pytest.approx(law.mean(), abs=0.5)
    assert noise.std() == pytest.approx(law.std(), rel=0.05)
    assert np.corrcoef(noise[:-1], noise[1:])[0, 1] == pytest.approx(0.7, abs=0.03)


def test_the_noise_does_not_depend_on_how_often_the_sensor_reads():
    """At common minutes the curve is the same, and as many random numbers are drawn."""
    curves, after = [], []
    for name in ("Navigator", "Dexcom", "GuardianRT"):
        rng = np.random.default_rng(3)
        step = Sensor(name).sample_time
        curves.append(Sensor(name).noise(np.arange(0, 1441, step), rng)[:: 15 // step])
        after.append(rng.random())
    assert (curves[0] == curves[1]).all()
    assert (curves[0] == curves[2]).all()
    assert len(set(after)) == 1


def test_a_reading_stays_within_the_limits_of_the_sensor():
    """Dexcom shows 39 to 600 mg/dL, Navigator down to 32."""
    glucose, noise = np.array([20.0, 150.0, 900.0]), np.array([0.0, 7.0, 0.0])
    assert Sensor().read(glucose, noise).tolist() == [39, 157, 600]
    assert Sensor("Navigator").read(glucose, noise)[0] == 32


@pytest.mark.parametrize("device", [Sensor, Pump])
def test_an_unknown_device_is_answered_with_the_known_ones(device):
    """One clear error."""
    with pytest.raises(ValueError, match=r"'Acme'; expected one of \['\w+', '\w+'"):
        device("Acme")


@given(st.floats(0, 30), st.lists(st.floats(0, 30), min_size=1, max_size=40))
def test_a_pump_gives_whole_pulses_and_in_the_long_run_what_was_asked_for(basal, boluses):
    """After any number of steps less than one pulse is owed, and never more given than asked."""
    pump, given_out = Pump("Insulet"), 0.0
    for bolus in boluses:
        insulin = pump.deliver(np.array([basal]), np.array([bolus]))[0]
        assert insulin / 0.05 == pytest.approx(round(insulin / 0.05), abs=1e-6)
        given_out += insulin
    asked = sum(boluses) + basal * len(boluses) / 12
    assert -1e-6 < asked - given_out < 0.05 + 1e-6


def test_a_child_s_basal_rate_is_not_rounded():
    """0.31 U/h for a day are 7.44 U, in pulses that are twice as large as what one step needs."""
    pump, zero = Pump(), np.zeros(1)
    total = sum(pump.deliver(np.array([0.31]), zero)[0] for _ in range(288))
    assert total == pytest.approx(7.40, abs=0.051)


def test_a_dose_beyond_the_pump_is_cut_with_a_warning():
    """40 U become 30 U, 90 U/h become 30 U/h."""
    pump = Pump("Insulet", 2)
    with pytest.warns(UserWarning, match="cut to what the pump can give: 30 U/h and 30 U"):
        insulin = pump.deliver(np.array([0.0, 90.0]), np.array([40.0, 0.0]))
    np.testing.assert_allclose(insulin, [30.0, 2.5])


@pytest.mark.parametrize("tau", [50, 60, 120])
def test_what_is_on_board_follows_the_formula_of_two_compartments(tau):
    """3 U, and 2 U twenty minutes later."""
    on_board = OnBoard(tau, 1)

    def left(t):
        return (1 + t / tau) * np.exp(-t / tau) if t > 0 else 0.0

    for step in range(60):
        on_board.add(np.array([{0: 3.0, 4: 2.0}.get(step, 0.0)]))
        now = 5 * (step + 1)
        assert on_board.amount[0] == pytest.approx(3 * left(now) + 2 * left(now - 20))
    on_board.reset()
    assert on_board.amount[0] == 0
