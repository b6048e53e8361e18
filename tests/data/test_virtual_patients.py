"""The virtual patients, sensors and pumps are those of simglucose, with units that make sense."""

import numpy as np

from medml.data.virtual_patients import STATE, load_pumps, load_sensors, load_virtual_patients


def test_there_are_ten_patients_of_each_group():
    """Names run from adolescent#001 to child#010; nothing is missing."""
    patients = load_virtual_patients()
    groups = ("adolescent", "adult", "child")
    assert patients.index.tolist() == [f"{g}#{n:03d}" for g in groups for n in range(1, 11)]
    assert patients.notna().all(axis=None)
    age = patients.age.groupby(patients.index.str.split("#").str[0]).agg(["min", "max"])
    assert age.to_numpy().tolist() == [[14, 19], [26, 68], [7, 12]]


def test_the_basal_rate_is_a_rate_an_hour_and_a_plausible_part_of_the_daily_dose():
    """adult#001: 1.2384 pmol/kg/min for 102.32 kg is 1.267 U/h; all lie within 20-80 % of TDI."""
    patients = load_virtual_patients()
    first = patients.loc["adult#001"]
    assert np.isclose(first.basal, first.u2ss * 102.32 / 100)
    assert 1.26 < first.basal < 1.28
    assert (24 * patients.basal / patients.TDI).between(0.2, 0.8).all()


def test_the_state_is_a_fasting_one():
    """Nothing in the stomach; the glucose under the skin is the basal glucose of the model."""
    patients = load_virtual_patients()
    assert (patients[list(STATE[:3])] == 0).all(axis=None)
    assert np.allclose(patients.x13 / patients.Vg, patients.Gb, rtol=0.01)


def test_devices_have_the_limits_of_their_data_sheets():
    """Three sensors differ in their sample time, two pumps in what they can give."""
    assert load_sensors().sample_time.to_dict() == {"Dexcom": 3, "GuardianRT": 5, "Navigator": 1}
    pumps = load_pumps()
    assert pumps.max_bolus.to_dict() == {"Cozmo": 75, "Insulet": 30}
    assert (pumps[["inc_basal", "inc_bolus"]] == 0.05).all(axis=None)
