"""Scores of days and the Gaussian process over shifts, against a hand and scikit-learn."""

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel

from medml.treatment.belief import (
    LENGTH,
    LEVEL,
    SIGNAL,
    Belief,
    day_score,
    estimated_noise,
    kernel,
    posterior,
    safe_candidates,
)
from medml.treatment.measures import reward

CANDIDATES = np.array([[0, 0], [0.14, 0], [-0.05, 0.1], [0.02, -0.14]])


@pytest.fixture
def days():
    """Shifts, scores and noise of three patients over six days."""
    rng = np.random.default_rng(0)
    shifts = rng.uniform(-0.14, 0.14, (3, 6, 2))
    return shifts, 0.8 + 0.1 * rng.standard_normal((3, 6)), np.array([0.03, 0.1, 0.2])


def sklearn_posterior(shifts, scores, noise):
    """Mean and covariance of the candidates by scikit-learn, hyperparameters fixed."""
    process = GaussianProcessRegressor(
        ConstantKernel(LEVEL**2) + ConstantKernel(SIGNAL**2) * RBF(LENGTH),
        alpha=noise**2,
        optimizer=None,
    )
    return process.fit(shifts, scores).predict(CANDIDATES, return_cov=True)


def test_the_belief_is_that_of_scikit_learn(days):
    """Mean and spread of scores and of gains, patient by patient."""
    belief = posterior(*days, CANDIDATES)
    for row, (shifts, scores, noise) in enumerate(zip(*days, strict=True)):
        mean, covariance = sklearn_posterior(shifts, scores, noise)
        np.testing.assert_allclose(belief.mean[row], mean, atol=1e-6)
        np.testing.assert_allclose(belief.sd[row], np.sqrt(np.diag(covariance)), atol=1e-6)
        np.testing.assert_allclose(belief.gain[row], mean - mean[0], atol=1e-6)
        variance = np.diag(covariance) + covariance[0, 0] - 2 * covariance[0]
        np.testing.assert_allclose(belief.gain_sd[row], np.sqrt(variance.clip(0)), atol=1e-5)


def test_a_day_without_a_score_counts_for_nothing(days):
    """As if it had not been."""
    shifts, scores, noise = days
    scores[:, 2] = np.nan
    kept = np.array([0, 1, 3, 4, 5])
    with_gap = posterior(shifts, scores, noise, CANDIDATES)
    without = posterior(shifts[:, kept], scores[:, kept], noise, CANDIDATES)
    for one, other in zip(with_gap, without, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-8)


def test_far_shifts_share_the_level_and_nothing_else():
    """LEVEL² at any distance, SIGNAL² more at none."""
    a = np.array([[0.0, 0.0]])
    assert kernel(a, a)[0, 0] == pytest.approx(LEVEL**2 + SIGNAL**2)
    assert kernel(a, a + 9)[0, 0] == pytest.approx(LEVEL**2)
    near = kernel(a, np.array([[LENGTH, 0]]))[0, 0]
    assert near == pytest.approx(LEVEL**2 + SIGNAL**2 * np.exp(-0.5))


def test_a_candidate_is_safe_if_it_probably_costs_little():
    """mean - sd against mean of none - 0.1; none itself always is."""
    mean, sd = np.array([[0.8, 0.85, 0.85, 0.6]]), np.array([[0.5, 0.1, 0.2, 0.01]])
    belief = Belief(mean, sd, mean - 0.8, sd)
    assert safe_candidates(belief)[0].tolist() == [True, True, False, False]
    assert safe_candidates(belief, np.inf).all()


def test_a_score_is_the_mean_reward_of_the_readings_there_are():
    """Three of four readings are enough, two are not."""
    readings = np.array([[110.0, 110.0], [250.0, np.nan], [60.0, np.nan], [np.nan, 90.0]])
    score = day_score(readings)
    assert score[0] == pytest.approx(reward([110, 250, 60]).mean())
    assert np.isnan(score[1])
    seven_of_ten = np.where(np.arange(10) < 7, 110.0, np.nan)[:, None]
    assert day_score(seven_of_ten) == pytest.approx(1, abs=0.01)


def test_noise_is_a_mixture_of_the_days_and_a_belief():
    """Four days' worth of 0.08, and the squares of the days; never below 0.03."""
    scores = np.array([[0.7, 0.9, np.nan], [0.5, 0.5, 0.5]])
    first = np.sqrt((4 * 0.08**2 + 2 * 0.1**2) / (4 + 1))
    second = np.sqrt(4 * 0.08**2 / (4 + 2))
    np.testing.assert_allclose(estimated_noise(scores), [first, second])
    assert estimated_noise(np.full((1, 500), 0.5))[0] == 0.03
