"""What a policy sees, and what its actions stand for."""

import numpy as np
import pytest

from medml.treatment.controllers import stronger_clinic
from medml.treatment.encoding import DESCRIPTORS, FEATURES, LIMIT, doses, observe


def test_features_are_those_of_their_names(chart):
    """CR 10, CF 40, TDI 50: each number worked out by hand; it is six in the evening."""
    now = chart(
        cgm=180, cgm_15=165, cgm_60=130, iob=2, slow_iob=3, cob=40, meal=50, minute=1440 + 1080
    )
    expected = [0.4, 0.5, 0.5, 0.4, 0.6, 0.8, 1.0, (40 + 40 * (4 + 5 - 2)) / 100, -1, 0]
    np.testing.assert_allclose(observe(now)[0], expected, atol=1e-6)
    assert observe(now).shape == (1, len(FEATURES))
    assert observe(now).dtype == np.float32


def test_descriptors_come_behind_and_only_if_asked_for(chart):
    """70 kg, 40 years, 50 U, CR 10, CF 40, 1 U/h."""
    plain, more = observe(chart()), observe(chart(), descriptors=True)
    assert more.shape == (1, len(FEATURES) + len(DESCRIPTORS))
    assert (more[:, : len(FEATURES)] == plain).all()
    assert more[0, len(FEATURES) :].tolist() == [1, 1, 1, 1, 2, 1]


def test_features_are_bounded(chart):
    """Absurd values are cut, so that the observation stays in its space."""
    assert observe(chart(cgm=600, iob=-5000, cob=1e6))[0, [3, 5]].tolist() == [-LIMIT, LIMIT]


def test_no_action_is_the_stronger_clinic(chart):
    """With a meal, a correction and insulin on board."""
    now = chart(cgm=250, meal=60, iob=1)
    assert doses(now, np.zeros((1, 2))) == stronger_clinic(now)


@pytest.mark.parametrize(
    ("action", "basal", "bolus"),
    [((-1, -1), 0, 2.5), ((1, 1), 4, 7.5), ((0.5, 0.5), 2.5, 6.25), ((-0.5, 0), 0.5, 5)],
)
def test_actions_are_relative_to_the_patient_s_rules(chart, action, basal, bolus):
    """1 U/h and 5 U for 50 g."""
    dose = doses(chart(meal=50), np.array([action]))
    assert (dose.basal[0], dose.bolus[0]) == (basal, bolus)


@pytest.mark.parametrize("value", [1.01, -7, np.nan])
def test_an_action_outside_the_space_is_refused(chart, value):
    """The error names the number."""
    with pytest.raises(ValueError, match=f"action of {value}.* is outside -1 to 1: clip"):
        doses(chart(), np.array([[0.0, value]]))


def test_an_action_of_another_shape_is_refused(chart):
    """One number instead of two."""
    with pytest.raises(ValueError, match=r"shape \(1, 2\), got \(1, 1\)"):
        doses(chart(), np.zeros((1, 1)))


def test_a_policy_cannot_be_asked_when_the_sensor_is_dead(chart):
    """An error instead of a feature without a number."""
    with pytest.raises(ValueError, match="sensor of row 0 is dead"):
        observe(chart(cgm=np.nan))
