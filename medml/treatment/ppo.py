"""Proximal policy optimisation: many small steps from one rollout, none of them too far."""

import torch
from torch import nn

from medml.treatment.policy import GaussianPolicy
from medml.treatment.rollout import Rollout, discount


def generalised_advantages(policy: GaussianPolicy, rollout: Rollout, gamma: float, lam: float):
    """Return advantages and returns of each step, tensors of shape (steps, rows).

    δ_t = (1 - γ) r_t + γ V(s_{t+1}) - V(s_t), A_t = Σ_k (γ λ)^k δ_{t+k}. After a death V is 0; at
    the end of the last day the next state still counts. The factor 1 - γ makes a return a weighted
    mean of rewards.

    References
    ----------
    Schulman J et al. (2016), arXiv:1506.02438.
    """
    with torch.no_grad():
        value, next_value = policy.value(rollout.observations), policy.value(rollout.following)
    target = (1 - gamma) * rollout.rewards + gamma * next_value * ~rollout.terminated
    advantages = discount(target - value, rollout.ended, gamma * lam)
    return advantages, advantages + value


def ppo_loss(policy, observations, actions, before, advantages, clip: float) -> torch.Tensor:
    """Return the clipped loss of some steps.

    -mean(min(ρ A, clip(ρ, 1 - ε, 1 + ε) A)) with the ratio ρ = π(a | s) / π_before(a | s):
    no action gains by becoming more than 1 + ε times as probable, or less than 1 - ε times.

    Parameters
    ----------
    policy : GaussianPolicy
    observations, actions : Tensor of shape (n, ...)
    before : Tensor of shape (n,)
        log π_before(a | s).
    advantages : Tensor of shape (n,)
    clip : float
        ε.

    References
    ----------
    Schulman J et al. (2017), arXiv:1707.06347.
    """
    ratio = (policy.distribution(observations).log_prob(actions) - before).exp()
    clipped = ratio.clamp(1 - clip, 1 + clip)
    return -torch.min(ratio * advantages, clipped * advantages).mean()


def ppo_update(policy: GaussianPolicy, optimiser, rollout: Rollout, settings, seed: int) -> dict:
    """Improve a policy by `epochs` passes over one rollout; return what happened."""
    advantages, returns = generalised_advantages(policy, rollout, settings.gamma, settings.lam)
    with torch.no_grad():
        before = policy.distribution(rollout.observations).log_prob(rollout.actions)
    flat = (rollout.observations.flatten(0, 1), rollout.actions.flatten(0, 1))
    flat += (before.flatten(), advantages.flatten(), returns.flatten())
    generator = torch.Generator().manual_seed(seed)
    for _ in range(settings.epochs):
        for rows in torch.randperm(len(flat[0]), generator=generator).chunk(settings.batches):
            seen, acted, probability, gain, target = (values[rows] for values in flat)
            gain = (gain - gain.mean()) / (gain.std() + 1e-8)
            policy_loss = ppo_loss(policy, seen, acted, probability, gain, settings.clip)
            value_loss = nn.functional.mse_loss(policy.value(seen), target)
            optimiser.zero_grad()
            (policy_loss + settings.value_weight * value_loss).backward()
            nn.utils.clip_grad_norm_(policy.parameters(), settings.most_gradient)
            optimiser.step()
    return {"policy loss": policy_loss.item(), "value loss": value_loss.item()}
