"""The signals have the shapes, units and reports that their files give."""

import numpy as np
import pytest

from medml.data.signals import load_ecg_12_lead, load_motion


@pytest.fixture(scope="module")
def ecg():
    """The ECG, read once."""
    return load_ecg_12_lead()


@pytest.fixture(scope="module")
def motion():
    """The smart watch's recordings, read once."""
    return load_motion()


def test_the_ecg_has_twelve_leads_of_ten_seconds_in_microvolt(ecg):
    """10,000 samples at 1,000 Hz, steps of 1.25 µV."""
    assert ecg.samples.shape == (12, 10_000)
    assert (ecg.rate, ecg.unit, ecg.seconds[-1]) == (1000, "uV", 9.999)
    assert ecg.leads == ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
    assert (ecg.samples % 1.25 == 0).all()
    assert (ecg.samples.min(), ecg.samples.max()) == (-1125, 1962.5)


def test_the_leads_obey_einthoven(ecg):
    """III = II − I exactly; the augmented leads within half a step."""
    one, two, three, avr, avl, avf = ecg.samples[:6]
    np.testing.assert_array_equal(three, two - one)
    np.testing.assert_allclose(avr, -(one + two) / 2, atol=0.625)
    np.testing.assert_allclose(avl, one - two / 2, atol=0.625)
    np.testing.assert_allclose(avf, two - one / 2, atol=0.625)


def test_the_machines_report_is_read_with_its_units(ecg):
    """RR 982, PR 161, QRS 75, QT 368, QTc 370 ms; axes in degrees; PP was not measured."""
    values = {name: quantity.value for name, quantity in ecg.report.items()}
    assert values == {
        "RR Interval": 982,
        "PP Interval": 0,
        "PR Interval": 161,
        "QRS Duration": 75,
        "QT Interval": 368,
        "QTc Interval": 370,
        "P Axis": 74,
        "QRS Axis": 52,
        "T Axis": 57,
    }
    assert {q.unit for name, q in ecg.report.items() if "Axis" in name} == {"deg"}
    assert {q.unit for name, q in ecg.report.items() if "Axis" not in name} == {"ms"}
    assert ecg.statements == ("RITMO SINUSALE", "ECG NORMALE")


def test_the_beats_lie_on_the_r_peaks_and_give_the_reported_interval(ecg):
    """Ten beats; the highest point of lead II is within 4 ms; their mean distance is RR."""
    assert len(ecg.beats) == 10
    lead = ecg.samples[ecg.leads.index("II")]
    peaks = [beat - 60 + lead[beat - 60 : beat + 60].argmax() for beat in ecg.beats]
    assert np.abs(peaks - ecg.beats).max() <= 4
    assert np.diff(ecg.beats).mean() == pytest.approx(ecg.report["RR Interval"].value, abs=1)


def test_motion_holds_twenty_recordings_of_each_activity(motion):
    """80 recordings × 6 axes × 100 samples at 10 Hz, split evenly by the archive."""
    assert motion.signals.shape == (80, 6, 100)
    assert motion.rate == 10
    assert np.isfinite(motion.signals).all()
    for part in (motion.is_train, ~motion.is_train):
        activities, counts = np.unique(motion.activity[part], return_counts=True)
        assert activities.tolist() == ["Badminton", "Running", "Standing", "Walking"]
        assert counts.tolist() == [10, 10, 10, 10]


def test_motion_is_read_in_the_order_of_the_file(motion):
    """The first and last numbers of the two files, copied by eye."""
    np.testing.assert_array_equal(motion.signals[0, 0, :3], [0.079106, 0.079106, -0.903497])
    np.testing.assert_array_equal(motion.signals[0, 5, -2:], [-0.063921, -0.03196])
    np.testing.assert_array_equal(motion.signals[40, 0, :3], [-0.740653, -0.740653, 10.208449])


def test_the_axes_are_an_accelerometer_and_a_gyroscope(motion):
    """Only the last three axes move in steps of 5000/32768 °/s, which a gyroscope makes."""
    steps = motion.signals / np.deg2rad(5000 / 32768)
    distance = np.abs(steps - np.round(steps)).mean(axis=(0, 2))
    assert (distance[:3] > 0.2).all()
    assert (distance[3:] < 0.1).all()


def test_standing_moves_least(motion):
    """A check of the labels against the physics of the signals."""
    spread = {
        activity: motion.signals[motion.activity == activity].std(axis=2).mean()
        for activity in np.unique(motion.activity)
    }
    assert min(spread, key=spread.get) == "Standing"
