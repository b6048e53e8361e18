"""Noise of the promised size, a budget that ends, and a promise put to the test."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, kstest, laplace, norm

from medml.data.differential_privacy import (
    Budget,
    BudgetSpent,
    gaussian_mechanism,
    gaussian_sigma,
    laplace_mechanism,
)
from medml.data.privacy_loss import empirical_privacy_loss

DRAWS = 1_000_000
COUNT = 100  # patients with the disease in the table; its neighbour has one more
EPSILONS = (0.1, 0.5, 1.0, 3.0)


def loss_of_event(noise, delta=0.0, threshold=COUNT):
    """Return the loss of the event "at most the threshold", for a mechanism that adds noise."""
    generator = np.random.default_rng(20261124)
    tables = ((COUNT, threshold), (COUNT + 1, threshold))
    return empirical_privacy_loss(
        *(noise(np.full(DRAWS, float(count)), generator) <= limit for count, limit in tables),
        delta=delta,
    )


@pytest.mark.parametrize("epsilon", EPSILONS)
def test_the_laplace_mechanism_keeps_its_promise_on_neighbouring_tables(epsilon):
    """The event "at most the smaller count" has a loss of exactly ε: no event has more."""
    loss = loss_of_event(lambda v, g: laplace_mechanism(v, 1, epsilon, g))
    assert loss.low <= epsilon <= loss.high
    assert loss.high - loss.low < epsilon / 4, "the test must have power"


@pytest.mark.parametrize("epsilon", EPSILONS)
def test_half_the_noise_is_refuted_by_the_same_test(epsilon):
    """A scale of sensitivity / 2ε: the bug of a halved sensitivity."""
    loss = loss_of_event(lambda v, g: v + g.laplace(0, 1 / (2 * epsilon), v.shape))
    assert loss.low > epsilon


@pytest.mark.parametrize("epsilon", [0.5, 1.0, 3.0])
def test_the_gaussian_mechanism_keeps_its_promise_and_half_the_noise_does_not(epsilon):
    """Its worst event lies further out; a large δ lets it be seen often enough."""
    delta = 0.05
    sigma = gaussian_sigma(1, epsilon, delta)
    threshold = COUNT + 0.5 - epsilon * sigma**2
    honest = loss_of_event(
        lambda v, g: gaussian_mechanism(v, 1, epsilon, delta, g), delta, threshold
    )
    assert honest.low <= epsilon <= honest.high
    half = loss_of_event(lambda v, g: v + g.normal(0, sigma / 2, v.shape), delta, COUNT - sigma / 4)
    assert half.low > epsilon


def test_the_noise_has_the_distribution_that_is_written_down():
    """Laplace of scale Δ/ε, normal of the stated σ; the test tells them apart."""
    generator = np.random.default_rng(1)
    got = laplace_mechanism(np.full(20_000, 5.0), 2, 0.5, generator)
    assert kstest(got, laplace(5, 4).cdf).pvalue > 0.01
    got = gaussian_mechanism(np.full(20_000, 5.0), 2, 0.5, 1e-3, generator)
    assert kstest(got, norm(5, gaussian_sigma(2, 0.5, 1e-3)).cdf).pvalue > 0.01


@given(st.floats(0.01, 20), st.floats(1e-9, 0.3))
def test_gaussian_sigma_is_the_least_that_is_private(epsilon, delta):
    """Put into the exact formula it gives δ back; the classical σ is never smaller."""
    sigma = gaussian_sigma(1, epsilon, delta)
    near, far = 1 / (2 * sigma), epsilon * sigma
    exact = norm.cdf(near - far) - math.exp(epsilon + norm.logcdf(-near - far))
    assert exact == pytest.approx(delta, rel=1e-6)
    assert gaussian_sigma(3, epsilon, delta) == pytest.approx(3 * sigma)
    if epsilon < 1:
        assert sigma <= math.sqrt(2 * math.log(1.25 / delta)) / epsilon


def test_a_budget_adds_up_and_refuses_when_spent():
    """The refused answer costs nothing and draws no noise."""
    budget = Budget(1.0, 1e-5)
    generator = np.random.default_rng(0)
    for _ in range(9):
        laplace_mechanism(5, 1, 0.1, generator, budget)
    gaussian_mechanism(5, 1, 0.1, 1e-5, generator, budget)  # ten times 0.1 is one
    state = generator.bit_generator.state
    with pytest.raises(BudgetSpent, match=r"costs ε = 0.1 .* only ε = 0 .* are left"):
        laplace_mechanism(5, 1, 0.1, generator, budget)
    assert generator.bit_generator.state == state
    assert len(budget.spent) == 10
    assert budget.left.epsilon == pytest.approx(0)


def test_a_spent_delta_refuses_too():
    """With ε left over."""
    budget = Budget(10, 1e-5)
    with pytest.raises(BudgetSpent, match=r"δ = 0.0001"):
        budget.spend(1, 1e-4)
    with pytest.raises(BudgetSpent, match=r"ε = 10.5"):
        budget.spend(10.5)
    assert budget.spent == []


@given(st.lists(st.floats(0.001, 1), max_size=30))
def test_a_budget_is_never_overspent(costs):
    """Whatever is asked, and in whatever order."""
    budget = Budget(2.0)
    for cost in costs:
        try:
            budget.spend(cost)
        except BudgetSpent:
            assert sum(loss.epsilon for loss in budget.spent) + cost > 2
    assert sum(loss.epsilon for loss in budget.spent) <= 2 * (1 + 1e-8)


@pytest.mark.parametrize("epsilon", [0, -1, math.nan, math.inf])
def test_an_epsilon_that_is_no_promise_is_named(epsilon):
    """Zero would be infinite noise, infinity none."""
    generator = np.random.default_rng(0)
    for ask in (
        lambda: Budget(epsilon),
        lambda: laplace_mechanism(1, 1, epsilon, generator),
        lambda: gaussian_mechanism(1, 1, epsilon, 1e-5, generator),
        lambda: Budget(1).spend(epsilon),
    ):
        with pytest.raises(ValueError, match=f"epsilon {epsilon}: expected a number above 0"):
            ask()


def test_other_settings_out_of_range_are_named():
    """Sensitivity, δ, and a gap in the data."""
    generator = np.random.default_rng(0)
    with pytest.raises(ValueError, match="sensitivity 0"):
        laplace_mechanism(1, 0, 1, generator)
    with pytest.raises(ValueError, match="value nan: expected finite numbers"):
        laplace_mechanism(math.nan, 1, 1, generator)
    with pytest.raises(ValueError, match="delta 0: normal noise needs"):
        gaussian_mechanism(1, 1, 1, 0, generator)
    with pytest.raises(ValueError, match="delta 1: expected"):
        Budget(1, 1)


def test_the_bounds_of_a_loss_are_those_of_clopper_and_pearson():
    """Compared with SciPy's two-sided interval at the level that matches."""
    loss = empirical_privacy_loss([True] * 30 + [False] * 70, [True] * 10 + [False] * 190)
    p = binomtest(30, 100).proportion_ci(0.99, method="exact")
    q = binomtest(10, 200).proportion_ci(0.99, method="exact")
    assert loss.estimate == pytest.approx(math.log(0.3 / 0.05))
    assert loss.low == pytest.approx(math.log(p.low / q.high))
    assert loss.high == pytest.approx(math.log(p.high / q.low))


def test_an_event_that_never_happens_proves_nothing():
    """The bound is infinite, not an error; no draws at all are one."""
    never, always = [False] * 50, [True] * 50
    assert empirical_privacy_loss(never, always).low == -math.inf
    assert empirical_privacy_loss(always, never).high == math.inf
    assert empirical_privacy_loss(never, never, delta=0.1).low == -math.inf
    with pytest.raises(ValueError, match="no draws"):
        empirical_privacy_loss([], always)
    with pytest.raises(ValueError, match="0 < level < 1"):
        empirical_privacy_loss(always, always, level=1)
