"""REINFORCE with a baseline: the plain policy gradient."""

import torch
from torch import nn

from medml.treatment.policy import GaussianPolicy
from medml.treatment.rollout import Rollout, discount


def reinforce_loss(
    policy: GaussianPolicy, rollout: Rollout, advantages: torch.Tensor
) -> torch.Tensor:
    """Return the number whose gradient is minus the policy gradient.

    ∇J = E[∇ log π(a_t | s_t) · A_t]: actions that turned out better than expected become more
    probable. Mean over all steps.

    Parameters
    ----------
    policy : GaussianPolicy
    rollout : Rollout
        Drawn from this very policy.
    advantages : Tensor of shape (steps, rows)
        Return minus a baseline that does not depend on the action.
    """
    log_probability = policy.distribution(rollout.observations).log_prob(rollout.actions)
    return -(log_probability * advantages).mean()


def reinforce_update(policy: GaussianPolicy, optimiser, rollout: Rollout, settings, seed: int):
    """Improve a policy by one step along the gradient of one rollout; return what happened.

    The return G_t = (1 - γ) Σ_k γ^k r_{t+k} runs to the end of the episode; the baseline is the
    critic's V(s_t), which is then fitted to the returns.

    References
    ----------
    Williams RJ (1992), doi:10.1007/BF00992696.
    """
    returns = discount((1 - settings.gamma) * rollout.rewards, rollout.ended, settings.gamma)
    with torch.no_grad():
        advantages = returns - policy.value(rollout.observations)
    loss = reinforce_loss(policy, rollout, advantages / advantages.std())
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    generator = torch.Generator().manual_seed(seed)
    observations, targets = rollout.observations.flatten(0, 1), returns.flatten()
    for _ in range(settings.epochs):
        for rows in torch.randperm(len(targets), generator=generator).chunk(settings.batches):
            error = nn.functional.mse_loss(policy.value(observations[rows]), targets[rows])
            optimiser.zero_grad()  # the actor has no gradient here: Adam leaves it alone
            error.backward()
            optimiser.step()
    return {"policy loss": loss.item(), "value loss": error.item()}
