"""A stochastic policy and its critic, and how a trained one is stored and used at the bedside."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.distributions import Independent, Normal

from medml.files import atomic_write
from medml.treatment.chart import Chart, Dose
from medml.treatment.controllers import stronger_clinic
from medml.treatment.encoding import DESCRIPTORS, FEATURES, doses, observe

ACTIONS = 2
STORED = Path(__file__).parents[2] / "experiments" / "results" / "insulin_folds"


class GaussianPolicy(nn.Module):
    """Draw actions around a mean that a network computes from the observation.

    The mean of a new policy is nearly 0: it doses as the stronger clinic does, and learns from
    there. The standard deviation is the same in every state. Actions outside -1 to 1 are cut by
    who uses them; the probability is that of the action before the cut.

    Parameters
    ----------
    descriptors : bool
        Whether raw descriptors of the patient are among the observations, see `observe`.
    hidden : int
        Width of the two hidden layers of actor and critic.
    log_std : float
        Logarithm of the standard deviation at first.
    seed : int
        Seed of the first weights.

    Examples
    --------
    >>> policy = GaussianPolicy(seed=1)
    >>> policy.distribution(torch.zeros(5, 10)).mean.shape, policy.value(torch.zeros(5, 10)).shape
    (torch.Size([5, 2]), torch.Size([5]))
    """

    def __init__(
        self, descriptors: bool = False, hidden: int = 32, log_std: float = -1.5, seed: int = 0
    ):
        super().__init__()
        self.options = {"descriptors": descriptors, "hidden": hidden}
        inputs = len(FEATURES) + (len(DESCRIPTORS) if descriptors else 0)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.actor = _network(inputs, hidden, ACTIONS, gain=0.01)
            self.critic = _network(inputs, hidden, 1, gain=1.0)
        self.log_std = nn.Parameter(torch.full((ACTIONS,), float(log_std)))
        self.register_buffer("centre", torch.zeros(inputs))
        self.register_buffer("spread", torch.ones(inputs))

    def standardise(self, observations: torch.Tensor) -> None:
        """Take the mean and the standard deviation of these observations as 0 and 1."""
        flat = observations.reshape(-1, observations.shape[-1])
        self.centre.copy_(flat.mean(0))
        self.spread.copy_(flat.std(0).clamp_min(1e-3))

    def distribution(self, observations: torch.Tensor) -> Independent:
        """Return the distribution of actions, for observations of shape (..., inputs)."""
        mean = self.actor((observations - self.centre) / self.spread)
        return Independent(Normal(mean, self.log_std.exp()), 1)

    def value(self, observations: torch.Tensor) -> torch.Tensor:
        """Return the critic's estimate of the return from here, of shape (...)."""
        return self.critic((observations - self.centre) / self.spread).squeeze(-1)

    def controller(self) -> Callable[[Chart], Dose]:
        """Return a controller that gives the mean action; where a sensor is dead, the clinic's.

        A dead sensor is answered with a warning.
        """

        def control(chart: Chart) -> Dose:
            dead = np.isnan(chart.cgm)
            readings = (chart.cgm, chart.cgm_15, chart.cgm_60)
            filled = [np.where(dead | np.isnan(x), 0, x) for x in readings]
            seen = chart._replace(cgm=filled[0], cgm_15=filled[1], cgm_60=filled[2])
            observations = torch.from_numpy(observe(seen, self.options["descriptors"]))
            with torch.no_grad():
                mean = self.distribution(observations).mean.clamp(-1, 1)
            dose = doses(seen, mean.numpy())
            if not dead.any():
                return dose
            careful = stronger_clinic(chart)  # it warns
            return Dose(*(np.where(dead, c, d) for c, d in zip(careful, dose, strict=True)))

        return control


def _network(inputs: int, hidden: int, outputs: int, gain: float) -> nn.Sequential:
    """Return a network with two hidden layers, its last weights scaled by `gain`."""
    layers = nn.Sequential(
        nn.Linear(inputs, hidden),
        nn.Tanh(),
        nn.Linear(hidden, hidden),
        nn.Tanh(),
        nn.Linear(hidden, outputs),
    )
    for layer, size in ((layers[0], 2**0.5), (layers[2], 2**0.5), (layers[4], gain)):
        nn.init.orthogonal_(layer.weight, size)
        nn.init.zeros_(layer.bias)
    return layers


def save_policy(policy: GaussianPolicy, path: str | Path) -> None:
    """Write a policy in one step: a reader finds the old file or the new one."""
    buffer = io.BytesIO()
    torch.save({"options": policy.options, "weights": policy.state_dict()}, buffer)
    with atomic_write(path) as file:
        file.write(buffer.getbuffer())


def load_policy(path: str | Path) -> GaussianPolicy:
    """Read a policy that `save_policy` wrote.

    Raises
    ------
    ValueError
        If the file holds something else.
    """
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
        policy = GaussianPolicy(**stored["options"])
        policy.load_state_dict(stored["weights"])
    except FileNotFoundError:
        raise
    except Exception as error:
        msg = f"{path} is no policy of this module ({type(error).__name__}): train it anew"
        raise ValueError(msg) from error
    return policy.eval()


def stored_policy(fold: int) -> GaussianPolicy:
    """Read the policy that ``experiments/insulin_folds.py`` trained without a fold's patients.

    Parameters
    ----------
    fold : int
        Number of a fold of `patient_folds()`; the policy has never met who is held out in it.
    """
    return load_policy(STORED / f"fold{fold}.pt")
