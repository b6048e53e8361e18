"""DP-SGD against PyTorch and by hand, federated averaging against pooled training."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from medml.data.federated import federated_average, local_training, simulate_hospitals
from medml.data.membership import Attack, largest_advantage, loss_attack, loss_of_each
from medml.data.private_training import (
    dp_sgd_epsilon,
    dp_sgd_noise,
    dp_sgd_step,
    logistic_gradients,
    train_private,
)

GENERATOR = np.random.default_rng(20261124)
X = np.c_[np.ones(400), GENERATOR.normal(size=(400, 3))]
Y = (GENERATOR.random(400) < expit(X @ [-0.5, 1, -1, 0])).astype(float)
STEP = {"clip": 0.7, "lot": 40, "learning_rate": 0.3}


def torch_gradients(weights):
    """Return per-patient gradients by automatic differentiation."""

    def loss(w, x, y):
        return torch.nn.functional.binary_cross_entropy_with_logits(x @ w, y)

    each = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0, 0))
    return each(*(torch.from_numpy(np.asarray(a, float)) for a in (weights, X, Y))).numpy()


def test_the_gradient_of_each_patient_is_that_of_autograd():
    """And so is the clipped sum of a step."""
    weights = np.array([0.2, -0.4, 0.1, 2.0])
    expected = torch_gradients(weights)
    np.testing.assert_allclose(logistic_gradients(weights, X, Y), expected, atol=1e-12)
    clipped = sum(g * min(1, 0.7 / np.linalg.norm(g)) for g in expected)
    step = dp_sgd_step(weights, expected, noise=0, generator=None, **STEP)
    np.testing.assert_allclose(step, weights - 0.3 * clipped / 40)


@given(arrays(float, (6, 3), elements=st.floats(-1e6, 1e6)), st.floats(0.01, 10))
def test_nobody_moves_the_sum_by_more_than_the_clip(gradients, clip):
    """This is the sensitivity that the noise is made for."""
    settings = {"clip": clip, "noise": 0, "lot": 1, "learning_rate": 1, "generator": None}
    both = dp_sgd_step(np.zeros(3), gradients, **settings)
    without = dp_sgd_step(np.zeros(3), gradients[1:], **settings)
    assert np.linalg.norm(both - without) <= clip * (1 + 1e-9)


def test_the_noise_of_a_step_has_the_stated_size_even_without_patients():
    """A step in which nobody was drawn must not look different."""
    generator = np.random.default_rng(3)
    steps = [
        dp_sgd_step(np.zeros(50), np.empty((0, 50)), noise=2, generator=generator, **STEP)
        for _ in range(200)
    ]
    assert np.std(steps) == pytest.approx(0.3 * 2 * 0.7 / 40, rel=0.03)


def test_a_private_model_learns_and_its_noise_comes_from_the_generator():
    """With much noise it learns less."""
    aurocs = {}
    for noise in (0, 1, 300):
        weights = [
            train_private(X, Y, noise=noise, generator=np.random.default_rng(seed))
            for seed in (0, 0, 1, 2, 3, 4)
        ]
        np.testing.assert_array_equal(*weights[:2])
        aurocs[noise] = np.mean([roc_auc_score(Y, X @ one) for one in weights])
    best = roc_auc_score(Y, X @ [-0.5, 1, -1, 0])
    assert aurocs[0] > best - 0.01
    assert aurocs[1] > best - 0.05
    assert aurocs[300] < best - 0.1


def test_the_accountant_gives_the_published_epsilon():
    """Abadi et al. (2016), section 5.1: q = 0.01, σ = 4, δ = 1e-5, 10,000 steps give 1.26."""
    assert dp_sgd_epsilon(4, 0.01, 10_000, 1e-5) == pytest.approx(1.26, abs=0.005)


def test_without_sampling_the_accountant_is_the_closed_form():
    """ρ = steps / 2σ², minimised over whole orders: a little above ρ + 2 √(ρ ln 1/δ)."""
    rho = 50 / (2 * 20**2)
    closed = rho + 2 * np.sqrt(rho * np.log(1e5))
    assert closed <= dp_sgd_epsilon(20, 1, 50, 1e-5) <= 1.01 * closed


def test_the_accountant_moves_in_the_right_direction():
    """More steps and a larger share cost more, more noise less; just below 1 is close to 1."""
    base = dp_sgd_epsilon(2, 0.1, 100, 1e-5)
    assert dp_sgd_epsilon(2, 0.1, 200, 1e-5) > base
    assert dp_sgd_epsilon(2, 0.2, 100, 1e-5) > base
    assert dp_sgd_epsilon(3, 0.1, 100, 1e-5) < base
    near = dp_sgd_epsilon(20, 1 - 1e-9, 50, 1e-5)
    assert near == pytest.approx(dp_sgd_epsilon(20, 1, 50, 1e-5), rel=1e-5)
    for epsilon in (0.1, 1, 10):
        noise = dp_sgd_noise(epsilon, 0.1, 100, 1e-5)
        assert dp_sgd_epsilon(noise, 0.1, 100, 1e-5) == pytest.approx(epsilon, rel=0.01)


@pytest.mark.parametrize("settings", [(0, 0.1, 1, 0.1), (1, 0, 1, 0.1), (1, 2, 1, 0.1)])
def test_the_accountant_names_settings_out_of_range(settings):
    """Noise 0 costs everything."""
    with pytest.raises(ValueError, match="expected noise > 0, 0 < sampling ≤ 1"):
        dp_sgd_epsilon(*settings)


def test_training_names_what_does_not_fit():
    """Clip, shapes, patients, sampling, ε."""
    settings = {"noise": 0, "generator": None, "lot": 1, "learning_rate": 1}
    with pytest.raises(ValueError, match="clip > 0"):
        dp_sgd_step([0.0], [[1.0]], clip=0, **settings)
    with pytest.raises(ValueError, match="for 2 weights"):
        dp_sgd_step([0.0, 0.0], [[1.0]], clip=1, **settings)
    with pytest.raises(ValueError, match="0 rows"):
        train_private(X[:0], Y[:0], noise=1, generator=None)
    with pytest.raises(ValueError, match="sampling 0"):
        train_private(X, Y, noise=1, sampling=0, generator=None)
    with pytest.raises(ValueError, match="epsilon 1e-09: expected at least"):
        dp_sgd_noise(1e-9, 0.1, 100, 1e-5)


def test_with_one_local_step_federated_averaging_is_pooled_training():
    """Equal to rounding, whatever the sizes of the hospitals."""
    parts = [(X[:30], Y[:30]), (X[30:100], Y[30:100]), (X[100:], Y[100:])]
    settings = {"rounds": 20, "local_steps": 1}
    np.testing.assert_allclose(
        federated_average(parts, **settings), federated_average([(X, Y)], **settings), atol=1e-12
    )


def test_one_hospital_alone_reaches_scikit_learns_solution():
    """Ridge penalty λ per patient is C = 1 / (n λ); the intercept is not penalised."""
    weights = federated_average([(X, Y)], rounds=400, penalty=0.05)
    model = LogisticRegression(C=1 / (400 * 0.05), tol=1e-10).fit(X[:, 1:], Y)
    np.testing.assert_allclose(weights, np.r_[model.intercept_, model.coef_[0]], atol=1e-6)


def test_simulated_hospitals_differ_in_their_patients_as_stated():
    """Nine in ten of those with organ failure or in coma are at A, one in ten of the others."""
    patients = pd.DataFrame(
        {"dzclass": ["ARF/MOSF", "Coma", "Cancer", "COPD/CHF/Cirrhosis"] * 5000}
    )
    at_a = simulate_hospitals(patients, np.random.default_rng(0))
    shares = at_a.reshape(-1, 4).mean(axis=0)
    np.testing.assert_allclose(shares, [0.9, 0.9, 0.1, 0.1], atol=0.02)


def test_hospitals_that_do_not_fit_are_named():
    """None, one without patients, different features."""
    with pytest.raises(ValueError, match="hospitals have \\[\\] features"):
        federated_average([])
    with pytest.raises(ValueError, match=r"\[3, 4\] features"):
        federated_average([(X, Y), (X[:, :3], Y)])
    with pytest.raises(ValueError, match="without patients cannot train"):
        federated_average([(X, Y), (X[:0], Y[:0])])
    with pytest.raises(ValueError, match="without patients"):
        local_training(np.zeros(4), X[:0], Y[:0], steps=1, learning_rate=1)


def test_an_attack_counts_members_and_the_wrongly_accused():
    """By hand: at 0.25 it catches two of four members and accuses one of five others."""
    attack = loss_attack([0.1, 0.2, 0.6, 0.7], [0.15, 0.5, 0.8, 0.9, 1.0])
    assert attack.auroc == pytest.approx((5 + 4 + 3 + 3) / 20)
    assert attack.advantage == pytest.approx(4 / 4 - 2 / 5)
    assert attack.caught == pytest.approx(1 / 4)
    assert loss_attack([0.5, 0.5], [0.5]) == Attack(0.5, 0.0, 0.0)
    with pytest.raises(ValueError, match="both classes"):
        loss_attack([], [0.5])


def test_a_certain_and_wrong_model_has_a_large_but_finite_loss():
    """Risks of exactly 0 and 1 are moved inwards."""
    losses = loss_of_each([1, 0, 1], [0.0, 0.0, 1.0])
    np.testing.assert_allclose(losses, [np.log(1e6), 1e-6, 1e-6], rtol=1e-5)


@given(st.floats(0.01, 20), st.floats(0, 0.1))
def test_the_bound_on_the_advantage_is_where_both_error_limits_meet(epsilon, delta):
    """TPR ≤ e^ε FPR + δ and 1 − FPR ≤ e^ε (1 − TPR) + δ, solved by brute force."""
    false = np.linspace(0, 1, 20_001)
    hit = np.minimum(np.exp(epsilon) * false + delta, 1 - (1 - false - delta) / np.exp(epsilon))
    best = (np.minimum(hit, 1) - false).max()
    assert largest_advantage(epsilon, delta) == pytest.approx(best, abs=2e-3 + 1e-4 * epsilon)


def test_the_attack_on_memorised_patients_succeeds():
    """A model that knows its members' outcomes by heart."""
    assert loss_attack(np.zeros(50), np.ones(50)).caught == 1.0
    with pytest.raises(ValueError, match="epsilon 0"):
        largest_advantage(0)
