"""The daily gradient is the gradient that it claims to be, and no more."""

import numpy as np
import pytest

from medml.treatment.chart import Dose
from medml.treatment.controllers import stronger_clinic
from medml.treatment.course import treat
from medml.treatment.daily_gradient import DailyGradient
from medml.treatment.encoding import observe
from medml.treatment.exploration import DAY


def test_the_gradient_is_that_of_the_log_probability(chart):
    """Σ_t A_t (u_t - w x_t) x_t / spread², by hand, of a day in steps of four hours."""
    gives = []

    def flat(now):
        return Dose(np.ones(1), np.ones(1))

    learner = DailyGradient(flat, np.random.default_rng(0), rate=0.5, spread=0.1)
    readings = [110.0, 250, 60, 110, 300, 110, 110]
    seen = []
    for step, glucose in enumerate(readings):
        now = chart(minute=step * 240, cgm=glucose)
        seen.append(np.append(observe(now)[0], 1))
        dose = learner(now)
        gives.append([dose.basal[0] - 1, dose.bolus[0] - 1])
    from medml.treatment.measures import reward

    gain = reward(readings[1:])
    to_come = np.array([sum(0.98 ** (k - t) * gain[k] for k in range(t, 6)) for t in range(6)])
    advantage = (to_come - to_come.mean()) / to_come.std()
    by_hand = sum(
        a * np.outer(u, x) / 0.1**2 for a, u, x in zip(advantage, gives[:6], seen[:6], strict=True)
    )
    np.testing.assert_allclose(learner.gradients[0][0], by_hand / 6, rtol=1e-5)
    np.testing.assert_allclose(learner.weights[0], 0.5 * by_hand / 6, rtol=1e-5)


def test_without_a_rate_nothing_is_learnt():
    """The weights stay 0; a new episode begins with none."""
    learner = DailyGradient(stronger_clinic, np.random.default_rng(0), rate=0.0)
    treat(learner, ["adult#001"], days=2)
    assert len(learner.gradients) == 1
    assert not learner.weights.any()
    treat(learner, ["adult#001"] * 2, days=1)
    assert learner.weights.shape == (2, 2, 11)
    assert learner.gradients == []


def test_doses_stay_within_half_of_the_frozen_ones(chart):
    """Whatever the noise."""
    learner = DailyGradient(
        lambda now: Dose(np.ones(1), np.ones(1)), np.random.default_rng(0), spread=5.0
    )
    basal = [learner(chart(minute=step * 5)).basal[0] for step in range(DAY // 5)]
    assert min(basal) == pytest.approx(0.5)
    assert max(basal) == pytest.approx(1.5)
