"""The general source model: one network that learns all source targets at once."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

BODY = (512, 128)  # units of the shared layers


class MultiTask(nn.Module):
    """Fingerprint → shared body → one head for each task.

    Attributes
    ----------
    body : torch.nn.Sequential
        The shared layers, `BODY`, each followed by ReLU.
    heads : torch.nn.Linear
        One output for each task: pX in standard deviations from the task's mean.
    tasks : tuple of str
        Names of the outputs.
    """

    def __init__(self, tasks: Sequence[str], bits: int = 2048):
        super().__init__()
        first, second = BODY
        self.body = nn.Sequential(
            nn.Linear(bits, first), nn.ReLU(), nn.Linear(first, second), nn.ReLU()
        )
        self.heads = nn.Linear(second, len(tasks))
        self.tasks = tuple(tasks)

    def forward(self, bits: torch.Tensor) -> torch.Tensor:
        """Return the outputs of all heads, shape (n, tasks), for fingerprints (n, bits)."""
        return self.heads(self.body(bits))


def pretrain(
    bits: np.ndarray,
    tasks: Sequence[str],
    values: np.ndarray,
    seed: int,
    epochs: int = 10,
    batch: int = 256,
) -> MultiTask:
    """Train the source model; each row is one measurement and teaches one head and the body.

    Adam at 0.001 on the squared error of pX, standardised within each task, so that no task
    counts more because its values spread more.

    Parameters
    ----------
    bits : numpy.ndarray of 0 and 1, shape (n, bits)
        Fingerprint of each measurement's molecule.
    tasks : sequence of str, n of them
        Task of each measurement.
    values : numpy.ndarray of shape (n,)
        pX.
    seed : int
    epochs, batch : int

    Returns
    -------
    MultiTask
        In evaluation mode.

    Raises
    ------
    ValueError
        If there is no measurement, lengths differ, or a task has fewer than two different values
        or one that is not finite.
    """
    if not 0 < len(bits) == len(tasks) == len(values):
        lengths = f"{len(bits)}, {len(tasks)} and {len(values)}"
        raise ValueError(f"expected as many fingerprints as tasks and values, got {lengths}")
    names, head = np.unique(np.asarray(tasks, str), return_inverse=True)
    target = torch.from_numpy(_standardise(np.asarray(values, float), head, names))
    fingerprints, head = torch.from_numpy(np.asarray(bits, np.uint8)), torch.from_numpy(head)
    generator = torch.Generator().manual_seed(seed)
    model = seeded(seed, lambda: MultiTask(names.tolist(), bits.shape[1]))
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in tqdm(range(epochs), "pretraining"):
        for rows in torch.randperm(len(target), generator=generator).split(batch):
            output = model(fingerprints[rows].float())
            own = output.gather(1, head[rows, None]).squeeze(1)
            optimiser.zero_grad()
            nn.functional.mse_loss(own, target[rows]).backward()
            optimiser.step()
    return model.eval()


def seeded(seed: int, make):
    """Return what `make` makes with torch's generator at `seed`, and put the generator back."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


def _standardise(values: np.ndarray, head: np.ndarray, names: np.ndarray) -> np.ndarray:
    """Return values in standard deviations from their task's mean, float32."""
    count = np.bincount(head)
    mean = np.bincount(head, values) / count
    spread = np.sqrt(np.bincount(head, (values - mean[head]) ** 2) / count)
    flat = ~(spread > 0)  # catches NaN, too
    if flat.any():
        msg = f"task {str(names[flat][0])!r} has no two different values, or not all are finite"
        raise ValueError(f"{msg}: leave it out")
    return ((values - mean[head]) / spread[head]).astype(np.float32)
