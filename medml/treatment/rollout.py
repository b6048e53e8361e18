"""What a policy meets when it acts: whole cohorts of fresh episodes, and returns from them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from medml.treatment.environment import InsulinDosingVectorEnv
from medml.treatment.policy import GaussianPolicy


class Rollout(NamedTuple):
    """Steps of many rows, tensors of shape (steps, rows, ...).

    Attributes
    ----------
    observations, following : what was seen before and after each action
    actions : as drawn, before they were cut to -1 … 1
    rewards : of each step
    terminated, ended : whether the episode ended in death, or for any reason
    """

    observations: torch.Tensor
    following: torch.Tensor
    actions: torch.Tensor
    rewards: torch.Tensor
    terminated: torch.Tensor
    ended: torch.Tensor


def collect(policy: GaussianPolicy, names: Sequence[str], seed: int, days: int, **setting):
    """Let a policy treat patients for whole days and keep every step.

    Parameters
    ----------
    policy : GaussianPolicy
        Its actions are drawn, not their mean.
    names : sequence of str
        One row each; a name may come many times.
    seed : int
        Of the episodes and of the actions. The result depends on nothing else.
    days : int
        From midnight. Two days or more show the night after a day of meals.
    **setting
        See `InsulinDosingVectorEnv`.

    Returns
    -------
    Rollout
    """
    first, noise_seed = np.random.SeedSequence(seed).generate_state(2, np.uint64) >> np.uint64(1)
    descriptors = policy.options["descriptors"]
    env = InsulinDosingVectorEnv(names, days=days, descriptors=descriptors, **setting)
    shape = (env.ward.steps, env.num_envs)
    noise = np.random.default_rng(noise_seed).standard_normal((*shape, 2), np.float32)
    std = policy.log_std.exp().detach()
    columns = []
    seen, _ = env.reset(seed=int(first))
    for step in range(env.ward.steps):
        with torch.no_grad():
            mean = policy.distribution(torch.from_numpy(seen)).mean
        action = mean + std * torch.from_numpy(noise[step])
        then, reward, terminated, truncated, info = env.step(action.clamp(-1, 1).numpy())
        ended = terminated | truncated
        following = info["final_obs"] if ended.any() else then
        following = np.where(ended[:, None], following, then)
        columns.append((seen, following, action, reward.astype(np.float32), terminated, ended))
        seen = then
    return Rollout(*(torch.from_numpy(np.stack(values)) for values in zip(*columns, strict=True)))


def discount(values: torch.Tensor, ended: torch.Tensor, factor: float) -> torch.Tensor:
    """Return Σ_k factor^k · values[t + k] for each t, up to the end of the episode.

    Parameters
    ----------
    values, ended : Tensor of shape (steps, rows)
    factor : float

    Examples
    --------
    >>> ended = torch.tensor([[False], [True], [False]])
    >>> discount(torch.tensor([[1.0], [2.0], [4.0]]), ended, 0.5).flatten().tolist()
    [2.0, 2.0, 4.0]
    """
    result, later = torch.empty_like(values), torch.zeros_like(values[0])
    for step in reversed(range(len(values))):
        later = values[step] + factor * later * ~ended[step]
        result[step] = later
    return result
