"""From a source network to a new target: which layers may move, and what pulls them back.

An objective combines three numbers of one step into the one that is minimised: L, the loss on the
target's labels; D = ‖θ_s − θ_t‖², the squared distance of the body's parameters from those of the
source; and H, the squared norm of the target's head. The head is new: it has no θ_s and stands
outside D. θ_s is a constant.
"""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

from medml.drugs.multitask import seeded
from medml.drugs.sparse import sparse_linear

Objective = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


def plain(loss: torch.Tensor, distance: torch.Tensor, head: torch.Tensor) -> torch.Tensor:
    """Return L: fine-tuning without any pull."""
    return loss


def transfer_loss(strength: float) -> Objective:
    """Return the document's objective, λ·D + (1 − λ)·L.

    λ = 0 is plain fine-tuning; λ = 1 never learns. What counts is the ratio λ / (1 − λ): for an
    optimiser that adapts its steps, as Adam does, the sum can be scaled at will.

    Parameters
    ----------
    strength : float
        λ, from 0 to 1.

    Raises
    ------
    ValueError
        If λ lies outside.

    Examples
    --------
    >>> loss, distance, head = torch.tensor([4.0, 10.0, 7.0])
    >>> transfer_loss(0.25)(loss, distance, head).item()
    5.5
    """
    if not 0 <= strength <= 1:
        raise ValueError(f"λ must lie between 0 and 1, got {strength}")
    return lambda loss, distance, head: strength * distance + (1 - strength) * loss


def l2_sp(strength: float, head_strength: float) -> Objective:
    """Return the objective L2-SP, L + α/2·D + β/2·H: the start is the reference, the head's is 0.

    Parameters
    ----------
    strength, head_strength : float
        α and β, at least 0.

    Raises
    ------
    ValueError
        If one is negative.

    References
    ----------
    Li X, Grandvalet Y, Davoine F (2018) Explicit inductive bias for transfer learning with
    convolutional networks, arXiv:1802.01483.
    """
    if not (strength >= 0 and head_strength >= 0):
        raise ValueError(f"α and β must be at least 0, got {strength} and {head_strength}")
    return lambda loss, distance, head: loss + (strength * distance + head_strength * head) / 2


class FineTuned(nn.Module):
    """A network for one target: the body, a head with one output, and the scale of its labels."""

    def __init__(self, body: nn.Sequential, level: float, spread: float):
        super().__init__()
        self.body = body
        (*_, last) = (layer for layer in body if isinstance(layer, nn.Linear))
        self.head = nn.Linear(last.out_features, 1)
        self.level, self.spread = level, spread

    def forward(self, bits: torch.Tensor) -> torch.Tensor:
        """Return pX in standard deviations from the labels' mean, (n,), for bits (n, bits)."""
        return self.head(self.body(bits)).squeeze(1)

    @torch.no_grad()
    def predict(self, bits: np.ndarray) -> np.ndarray:
        """Predict pX, shape (n,), from fingerprints of 0 and 1, shape (n, bits).

        Raises
        ------
        ValueError
            If the fingerprints have another number of bits than the body takes.
        """
        check_bits(self.body, bits)
        first, *rest = self.body
        later = nn.Sequential(*rest, self.head)
        starts = range(0, max(len(bits), 1), 4096)
        outputs = [later(sparse_linear(first, bits[start : start + 4096])) for start in starts]
        return self.level + self.spread * torch.cat(outputs).squeeze(1).numpy()


def check_bits(body: nn.Sequential, bits: np.ndarray) -> None:
    """Raise a ValueError if the fingerprints do not fit the body's first layer."""
    if bits.ndim != 2 or bits.shape[1] != body[0].in_features:
        msg = f"fingerprints {bits.shape} for a body that takes {body[0].in_features} bits"
        raise ValueError(msg)


def fine_tune(
    body: nn.Sequential,
    bits: np.ndarray,
    values: np.ndarray,
    objective: Objective = plain,
    frozen: int = 0,
    seed: int = 0,
    steps: int = 100,
    rate: float = 1e-3,
    optimiser: type[torch.optim.Optimizer] = torch.optim.Adam,
) -> FineTuned:
    """Fit a copy of the body and a new head to a target's labels.

    All labels at once, squared error of the standardised labels. A fresh body makes it training
    from scratch, all layers frozen a linear probe.

    Parameters
    ----------
    body : torch.nn.Sequential
        `multitask.MultiTask.body`; it is left as it is.
    bits : numpy.ndarray of 0 and 1, shape (k, bits)
    values : numpy.ndarray of shape (k,)
        Labels, pX.
    objective : callable
        `plain`, `transfer_loss(λ)` or `l2_sp(α, β)`.
    frozen : int
        Number of the body's layers, from the fingerprint on, that keep the source's parameters.
    seed : int
        For the head.
    steps : int
    rate : float
        Learning rate.
    optimiser : type
        Of torch.optim. Adam does not mind the scale of an objective; SGD steps in proportion to it.

    Returns
    -------
    FineTuned
        In evaluation mode.

    Raises
    ------
    ValueError
        If the fingerprints do not fit the body, or the labels are too few, all equal or not
        finite.
    """
    check_bits(body, bits)
    values = np.asarray(values, float)
    fit = values.shape == (len(bits),)  # a column would be compared with every prediction
    if not fit or not np.isfinite(values).all() or np.unique(values).size < 2:
        msg = (
            f"{len(bits)} fingerprints need as many finite labels that are not all equal, got "
            f"shape {values.shape}"
        )
        raise ValueError(msg)
    level, spread = values.mean(), values.std()
    network = seeded(seed, lambda: FineTuned(copy.deepcopy(body), level, spread))
    _freeze(network.body, frozen)
    target = torch.from_numpy((values - level) / spread).float()
    with _without_unused(network.body, bits) as inputs:
        moving = [parameter for parameter in network.parameters() if parameter.requires_grad]
        _minimise(network, inputs, target, objective, steps, optimiser(moving, lr=rate))
    return network.eval()


@contextmanager
def _without_unused(body: nn.Sequential, bits: np.ndarray) -> Iterator[torch.Tensor]:
    """Take the bits that no molecule has out of the body's first layer; put them back at the end.

    Their weights get no gradient and stay at θ_s, so that training is the same without them, and
    several times faster with few labels. Yields the inputs that are left.
    """
    whole, used = body[0], np.flatnonzero(bits.any(axis=0))
    part = nn.Linear(len(used), whole.out_features)
    part.weight = nn.Parameter(whole.weight.detach()[:, used], whole.weight.requires_grad)
    part.bias = whole.bias
    body[0] = part
    yield torch.from_numpy(bits[:, used]).float()
    with torch.no_grad():
        whole.weight[:, used] = part.weight
    body[0] = whole


def _minimise(
    network: FineTuned,
    inputs: torch.Tensor,
    target: torch.Tensor,
    objective: Objective,
    steps: int,
    optimiser: torch.optim.Optimizer,
) -> None:
    """Train what is not frozen; the body as it comes is θ_s."""
    start = [parameter.detach().clone() for parameter in network.body.parameters()]
    for _ in range(steps):
        optimiser.zero_grad()
        loss = nn.functional.mse_loss(network(inputs), target)
        pairs = zip(network.body.parameters(), start, strict=True)
        distance = sum(((theirs - own) ** 2).sum() for own, theirs in pairs)
        head = sum((parameter**2).sum() for parameter in network.head.parameters())
        objective(loss, distance, head).backward()
        optimiser.step()


def _freeze(body: nn.Sequential, count: int) -> None:
    """Stop the first layers from learning."""
    layers = [layer for layer in body if isinstance(layer, nn.Linear)]
    if not 0 <= count <= len(layers):
        raise ValueError(f"the body has {len(layers)} layers, {count} cannot be frozen")
    for layer in layers[:count]:
        layer.requires_grad_(False)
