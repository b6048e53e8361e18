"""Gradients against finite differences, returns by hand, PPO's clip, and training that resumes."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from medml.treatment.patients import patient_folds
from medml.treatment.policy import GaussianPolicy
from medml.treatment.ppo import generalised_advantages, ppo_loss, ppo_update
from medml.treatment.reinforce import reinforce_loss, reinforce_update
from medml.treatment.rollout import Rollout, collect, discount
from medml.treatment.training import Settings, learn

SMALL = Settings(iterations=3, copies=1, days=1, epochs=1, batches=4, hidden=8, log_std=-1.0)


def rollout_of(observations, actions, rewards, ended):
    """Return a rollout without deaths."""
    return Rollout(observations, observations, actions, rewards, torch.zeros_like(ended), ended)


def test_reinforce_points_where_finite_differences_do():
    """A problem of two steps whose expected reward is a sum over a grid: exact on both sides.

    The second state depends on the first action; the reward is that of the second step, so that
    the gradient at the first step comes through the return alone.
    """
    policy = GaussianPolicy(hidden=4, log_std=-0.7, seed=2).double()
    with torch.no_grad():
        policy.actor[-1].weight.mul_(50)
    # Gauss-Hermite points in both components of both actions.
    point, weight = np.polynomial.hermite_e.hermegauss(12)
    grid = torch.tensor(np.stack(np.meshgrid(*[point] * 4, indexing="ij"), -1).reshape(-1, 4))
    mass = torch.tensor(np.prod(np.meshgrid(*[weight] * 4, indexing="ij"), axis=0).ravel())
    mass = mass / mass.sum()
    start = torch.linspace(-1, 1, 10, dtype=torch.float64).expand(len(grid), 10)

    def play():
        std = policy.log_std.exp()
        first = policy.distribution(start).mean + std * grid[:, :2]
        then = start + 0.3 * first[:, :1]
        second = policy.distribution(then).mean + std * grid[:, 2:]
        reward = torch.sin(second[:, 0]) - second[:, 1] ** 2 + 0.5 * first[:, 1]
        return torch.stack([start, then]), torch.stack([first, second]), reward

    with torch.no_grad():
        seen, acted, reward = play()
    ended = torch.tensor([[False], [True]]).expand(2, len(grid))
    returns = discount(torch.stack([0 * reward, reward]), ended, 1.0)
    # Each grid point stands for its probability; a mean over 2 n steps divides by 2 n.
    scaled = (returns - 0.7) * mass * 2 * len(grid)
    rollout = rollout_of(seen, acted, torch.stack([0 * reward, reward]), ended)
    (-reinforce_loss(policy, rollout, scaled)).backward()
    step = 1e-5
    first = [(policy.actor[0].weight, (unit, 3)) for unit in range(4)]
    for parameter, index in ((policy.log_std, 1), (policy.actor[-1].bias, 0), *first):
        values = []
        for sign in (1, -1):
            with torch.no_grad():
                parameter[index] += sign * step
                values.append((play()[2] * mass).sum().item())
                parameter[index] -= sign * step
        numeric = (values[0] - values[1]) / (2 * step)
        assert parameter.grad[index].item() == pytest.approx(numeric, rel=1e-3, abs=1e-6)


def test_advantages_by_hand():
    """Three steps, one episode that is cut after the second and one death."""
    policy = GaussianPolicy(hidden=4)
    values = {0.0: 1.0, 1.0: 2.0, 2.0: 3.0}
    policy.value = lambda seen: torch.tensor(
        [[values[x.item()] for x in row] for row in seen[..., 0]]
    )
    seen = torch.tensor([[[0.0], [0.0]], [[1.0], [1.0]]])
    following = torch.tensor([[[1.0], [1.0]], [[2.0], [2.0]]])
    died = torch.tensor([[False, False], [False, True]])
    ended = torch.tensor([[False, False], [True, True]])
    rewards = torch.tensor([[10.0, 10.0], [20.0, 20.0]])
    rollout = Rollout(seen, following, None, rewards, died, ended)
    advantages, returns = generalised_advantages(policy, rollout, gamma=0.5, lam=0.8)
    # (1 - γ) r + γ V' - V: 5 + 1 - 1, then 10 + 1.5 - 2 (cut) or 10 + 0 - 2 (death).
    expected = torch.tensor([[5 + 0.4 * 9.5, 5 + 0.4 * 8], [9.5, 8.0]])
    torch.testing.assert_close(advantages, expected)
    torch.testing.assert_close(returns, expected + torch.tensor([[1.0, 1.0], [2.0, 2.0]]))


def test_no_action_gains_beyond_the_clip():
    """The gradient vanishes where the ratio has gone far enough in the direction of the gain."""
    policy = GaussianPolicy(hidden=4)
    seen, acted = torch.zeros(1, 10), torch.full((1, 2), 0.1)
    now = policy.distribution(seen).log_prob(acted).detach()
    for ratio, gain, moves in (
        (1.0, 1.0, True),
        (1.3, 1.0, False),
        (1.3, -1.0, True),
        (0.7, -1.0, False),
        (0.7, 1.0, True),
    ):
        policy.zero_grad()
        loss = ppo_loss(policy, seen, acted, now - math.log(ratio), torch.tensor([gain]), 0.2)
        loss.backward()
        assert bool(policy.log_std.grad.abs().sum() > 0) == moves
    loss = ppo_loss(policy, seen, acted, now - math.log(1.1), torch.tensor([2.0]), 0.2)
    assert loss.item() == pytest.approx(-2.2, rel=1e-4)


def test_at_the_first_step_ppo_and_reinforce_have_one_gradient():
    """The ratio is 1, nothing is clipped."""
    policy = GaussianPolicy(hidden=4, seed=3)
    generator = torch.Generator().manual_seed(1)
    seen, acted, gain = (torch.randn(5, 8, n, generator=generator) for n in (10, 2, 1))
    gain, ended = gain[..., 0], torch.zeros(5, 8, dtype=torch.bool)
    before = policy.distribution(seen).log_prob(acted).detach()
    flat = (seen.flatten(0, 1), acted.flatten(0, 1), before.flatten(), gain.flatten())
    losses = (
        ppo_loss(policy, *flat, 0.2),
        reinforce_loss(policy, rollout_of(seen, acted, gain, ended), gain),
    )
    gradients = []
    for loss in losses:
        policy.zero_grad()
        loss.backward()
        gradients.append(policy.actor[0].weight.grad.clone())
    torch.testing.assert_close(*gradients)


def test_actions_that_are_all_equally_good_leave_the_actor_alone(monkeypatch):
    """Advantages are compared within a part of a pass: a constant has no direction."""
    advantages = "medml.treatment.ppo.generalised_advantages"
    monkeypatch.setattr(advantages, lambda *_: (torch.ones(5, 8), torch.ones(5, 8)))
    policy = GaussianPolicy(hidden=4, seed=3)
    before = [weights.clone() for weights in policy.actor.parameters()]
    generator = torch.Generator().manual_seed(1)
    seen, acted = (torch.randn(5, 8, n, generator=generator) for n in (10, 2))
    rollout = rollout_of(seen, acted, torch.zeros(5, 8), torch.zeros(5, 8, dtype=torch.bool))
    ppo_update(policy, torch.optim.Adam(policy.parameters(), 0.01), rollout, SMALL, seed=0)
    for old, new in zip(before, policy.actor.parameters(), strict=True):
        assert torch.equal(old, new)


def test_reinforce_subtracts_what_the_critic_expects(monkeypatch):
    """By hand: two steps, γ = 1/2, so the returns are (1 - γ)(4 + γ 8) = 4 and (1 - γ) 8 = 4."""
    seen_advantages = []

    def loss(policy, rollout, advantages):
        seen_advantages.append(advantages)
        return reinforce_loss(policy, rollout, advantages)

    monkeypatch.setattr("medml.treatment.reinforce.reinforce_loss", loss)
    policy = GaussianPolicy(hidden=4, seed=3)
    generator = torch.Generator().manual_seed(1)
    seen, acted = (torch.randn(2, 8, n, generator=generator) for n in (10, 2))
    rewards = torch.tensor([[4.0], [8.0]]).expand(2, 8)
    ended = torch.tensor([[False], [True]]).expand(2, 8)
    expected = 4 - policy.value(seen).detach()
    rollout = rollout_of(seen, acted, rewards, ended)
    optimiser = torch.optim.Adam(policy.parameters(), 0.01)
    reinforce_update(policy, optimiser, rollout, replace(SMALL, gamma=0.5), seed=0)
    torch.testing.assert_close(seen_advantages[0], expected / expected.std())


def test_a_rollout_follows_from_its_seed_and_its_actions_from_the_policy():
    """Shapes, standard deviation of the noise, and the ends of episodes."""
    policy = GaussianPolicy(log_std=-1.0)
    names = ["adult#001", "child#001"] * 3
    first, again = (collect(policy, names, seed=7, days=1) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        assert torch.equal(one, other)
    assert first.actions.shape == (288, 6, 2)
    assert not torch.equal(first.rewards, collect(policy, names, seed=8, days=1).rewards)
    noise = first.actions - policy.distribution(first.observations).mean
    assert noise.std().item() == pytest.approx(math.exp(-1), rel=0.05)
    assert first.ended[-1].all()
    assert not first.ended[:-1].any()
    assert torch.equal(first.following[:-1], first.observations[1:])
    # After the last step comes the end of this day, with insulin on board, and not the next day's
    # first state, which has none.
    assert (first.following[-1][:, 3] != 0).all()
    assert not first.observations[0][:, 3].any()


@pytest.mark.parametrize("update", [ppo_update, reinforce_update])
def test_a_run_that_was_stopped_goes_on_bit_for_bit(tmp_path, update):
    """Weights and history of two iterations and one are those of three."""
    names = ["adult#001", "child#001"]
    whole = learn(names, SMALL, update)
    path = tmp_path / "run.pt"

    def stop_after_two(policy, optimiser, rollout, settings, seed):
        stop_after_two.calls += 1
        if stop_after_two.calls == 3:
            raise KeyboardInterrupt
        return update(policy, optimiser, rollout, settings, seed)

    stop_after_two.calls, stop_after_two.__name__ = 0, update.__name__
    with pytest.raises(KeyboardInterrupt):
        learn(names, SMALL, stop_after_two, checkpoint=path)
    resumed = learn(names, SMALL, update, checkpoint=path)
    for name, weights in whole.policy.state_dict().items():
        assert torch.equal(weights, resumed.policy.state_dict()[name]), name
    assert whole.history.equals(resumed.history)
    assert (whole.policy.centre != 0).any()


def test_each_iteration_and_each_seed_meets_other_episodes():
    """A policy that never changes collects other rewards each time."""

    def leave(policy, optimiser, rollout, settings, seed):
        return {"policy loss": 0.0}

    first = learn(["adult#001"], SMALL, leave).history["reward"]
    other = learn(["adult#001"], replace(SMALL, seed=1), leave).history["reward"]
    assert first.nunique() == len(first)
    assert not set(first) & set(other)


def test_the_step_falls_to_zero_along_a_line():
    """Three iterations: all of it, two thirds, one third."""
    rates = []

    def leave(policy, optimiser, rollout, settings, seed):
        rates.append(optimiser.param_groups[0]["lr"])
        return {"policy loss": 0.0}

    learn(["adult#001"], SMALL, leave)
    np.testing.assert_allclose(rates, SMALL.rate * np.array([1, 2 / 3, 1 / 3]))


def test_returns_stop_at_the_end_of_an_episode():
    """By hand, with γ = 1/2: what comes after the end does not count."""
    ended = torch.tensor([[False], [True], [False], [True]])
    values = torch.tensor([[1.0], [2.0], [4.0], [8.0]])
    expected = torch.tensor([[2.0], [2.0], [8.0], [8.0]])
    torch.testing.assert_close(discount(values, ended, 0.5), expected)


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    """Another network, other patients, another algorithm; a damaged file."""
    names, path = ["adult#001"], tmp_path / "run.pt"
    short = replace(SMALL, iterations=1)
    learn(names, short, checkpoint=path)
    with pytest.raises(ValueError, match="another run: hidden was 8, is 16"):
        learn(names, replace(short, hidden=16), checkpoint=path)
    with pytest.raises(ValueError, match="patients was 'adult#001', is 'adult#002'"):
        learn(["adult#002"], short, checkpoint=path)
    with pytest.raises(ValueError, match="update was 'ppo_update'"):
        learn(names, short, reinforce_update, checkpoint=path)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(ValueError, match="is damaged"):
        learn(names, short, checkpoint=path)


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path):
    """Nothing is written of that iteration."""

    def explode(policy, optimiser, rollout, settings, seed):
        return {"policy loss": math.nan}

    with pytest.raises(FloatingPointError, match=r"iteration 0: .*nan.*try a smaller rate"):
        learn(["adult#001"], SMALL, explode, checkpoint=tmp_path / "run.pt")
    assert not list(tmp_path.iterdir())


def test_each_patient_is_held_out_once_and_learnt_from_four_times():
    """Five folds of two adolescents, two adults and two children."""
    folds = patient_folds()
    held_out = [name for _, names in folds for name in names]
    assert len(held_out) == len(set(held_out)) == 30
    for train, test in folds:
        assert not set(train) & set(test)
        assert len(train) + len(test) == 30
        assert [name[:5] for name in test] == ["adole"] * 2 + ["adult"] * 2 + ["child"] * 2


@pytest.mark.slow
def test_ppo_improves_on_where_it_starts():
    """Reward under exploration, on patients it learns from."""
    settings = replace(SMALL, iterations=12, copies=20, epochs=4, hidden=16, rate=3e-3, lam=0.99)
    history = learn(["adult#001", "adult#004", "child#001"], settings).history
    assert history.reward.iloc[-3:].mean() > history.reward.iloc[:2].mean() + 0.02
