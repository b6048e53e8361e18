"""Training of a policy on simulated patients, with checkpoints."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from medml import checkpoint as checkpoints
from medml.treatment.patients import choose_patients
from medml.treatment.policy import GaussianPolicy
from medml.treatment.ppo import ppo_update
from medml.treatment.rollout import collect


@dataclass(frozen=True)
class Settings:
    """What a training run depends on, apart from the patients.

    Attributes
    ----------
    iterations : rollouts, each followed by an update
    copies, days : episodes of each patient in a rollout, and their length
    gamma, lam : discount γ, and λ of the advantages
    clip, epochs, batches : ε of PPO, passes over a rollout, and parts of a pass
    rate : step of Adam at first; it falls to 0 along a line
    value_weight, most_gradient : weight of the critic's loss, and the largest norm of a gradient
    hidden, log_std : see `GaussianPolicy`
    descriptors, alpha, beta : see `InsulinDosingVectorEnv`
    counting_error : see `draw_meals`
    seed : of weights, episodes, actions and order
    """

    iterations: int = 36
    copies: int = 10
    days: int = 2
    gamma: float = 0.995
    lam: float = 0.99
    clip: float = 0.2
    epochs: int = 3
    batches: int = 12
    rate: float = 2e-3
    value_weight: float = 0.5
    most_gradient: float = 0.5
    hidden: int = 32
    log_std: float = -1.5
    descriptors: bool = False
    alpha: float = 1.0
    beta: float = 1.0
    counting_error: float = 0.0
    seed: int = 0


class Training(NamedTuple):
    """A trained policy and the history of its training, one row an iteration."""

    policy: GaussianPolicy
    history: pd.DataFrame


def learn(
    names: Sequence[str],
    settings: Settings = Settings(),
    update: Callable = ppo_update,
    checkpoint: str | Path | None = None,
) -> Training:
    """Train a policy from the stronger clinic onwards.

    Each iteration treats a fresh cohort of every patient. Everything random in it follows from the
    seed and the number of the iteration, so that a run that was killed and started again with the
    same checkpoint ends as if nothing had happened: bit for bit on one machine.

    Parameters
    ----------
    names : sequence of str
        The patients to learn from.
    settings : Settings
    update : callable
        `ppo_update` or `reinforce_update`.
    checkpoint : path, optional
        File that is written after each iteration. If it exists, the run goes on from there.

    Raises
    ------
    ValueError
        If the checkpoint is damaged or of another run.
    FloatingPointError
        If a loss is not finite. The checkpoint of the iteration before stays.
    """
    names = [str(name) for name in choose_patients(names).index]
    options = {"descriptors": settings.descriptors, "hidden": settings.hidden}
    policy = GaussianPolicy(**options, log_std=settings.log_std, seed=settings.seed)
    optimiser = torch.optim.Adam(policy.parameters(), settings.rate)
    run = asdict(settings) | {"patients": " ".join(names), "update": update.__name__}
    history = []
    if checkpoint and Path(checkpoint).exists():
        state = checkpoints.load(checkpoint, run)
        policy.load_state_dict(state["policy"])
        optimiser.load_state_dict(state["optimiser"])
        history = state["history"]
    for iteration in tqdm(range(len(history), settings.iterations), "iterations"):
        for group in optimiser.param_groups:
            group["lr"] = settings.rate * (1 - iteration / settings.iterations)
        history.append(_iterate(policy, optimiser, names, settings, update, iteration))
        if checkpoint:
            state = {"policy": policy.state_dict(), "optimiser": optimiser.state_dict()}
            checkpoints.save(checkpoint, run, state | {"history": history})
    return Training(policy.eval(), pd.DataFrame(history))


def _iterate(policy, optimiser, names, settings, update, iteration: int) -> dict:
    """Roll out once and update once; return the row of the history."""
    seeds = np.random.SeedSequence([settings.seed, iteration]).generate_state(2)
    rollout = collect(
        policy,
        names * settings.copies,
        int(seeds[0]),
        settings.days,
        alpha=settings.alpha,
        beta=settings.beta,
        counting_error=settings.counting_error,
    )
    if iteration == 0:
        policy.standardise(rollout.observations)
    losses = update(policy, optimiser, rollout, settings, int(seeds[1]))
    if not np.isfinite(list(losses.values())).all():
        raise FloatingPointError(f"iteration {iteration}: {losses}; try a smaller rate")
    reward = rollout.rewards.mean().item()
    return {"iteration": iteration, "reward": reward, **losses}
