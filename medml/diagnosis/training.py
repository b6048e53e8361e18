"""Train a network on nodules: split by patient, fit, keep the best epoch, predict.

A data set here has `labels` (0 or 1) and `patients`, one for each item; item i is a float32
tensor, shape (channels, rows, columns), and its label; `set_epoch(epoch)` makes its augmentation
a function of the epoch, and `subset(rows, augment=None)` gives those items without augmentation:
see `nodules.NoduleDataset`.
"""

import contextlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike
from sklearn.model_selection import StratifiedGroupKFold
from torch import nn
from tqdm import tqdm

from medml import checkpoint as checkpoints
from medml.diagnosis.origin import origin
from medml.diagnosis.run import Run, available, logits
from medml.diagnosis.settings import Settings


@dataclass(frozen=True, eq=False)
class Fit:
    """What happened in training.

    Attributes
    ----------
    history : DataFrame
        A row for each epoch: epoch (from 1), train_loss (mean over the epoch, while the weights
        changed), validation_loss and validation_auroc (after the epoch).
    best_epoch : int
        The epoch whose weights the model holds.
    """

    history: pd.DataFrame
    best_epoch: int


def hold_out_patients(
    labels: ArrayLike, patients: ArrayLike, seed: int, parts: int = 5
) -> tuple[np.ndarray, np.ndarray]:
    """Set one part of the patients aside, with the classes in about the same shares.

    Parameters
    ----------
    labels : array_like of shape (n,)
        0 or 1.
    patients : array_like of shape (n,)
        Who each item comes from; all items of a patient stay together.
    seed : int
    parts : int
        Number of parts, at least 2; one of them is set aside.

    Returns
    -------
    rest, held_out : arrays of int
        Row numbers, increasing.

    Raises
    ------
    ValueError
        If a class has fewer patients than there are parts, or one set would lack a class.
    """
    labels, patients = np.asarray(labels), np.asarray(patients)
    if labels.shape != patients.shape or labels.ndim != 1:
        raise ValueError(f"labels {labels.shape} and patients {patients.shape}: expected (n,) each")
    if parts < 2:
        raise ValueError(f"{parts} part: expected 2 for two sets and 3 for three, or more")
    count = [len(np.unique(patients[labels == label])) for label in (0, 1)]
    if min(count) < parts or not np.isin(labels, (0, 1)).all():
        msg = (
            f"{parts} parts need {parts} patients with label 0 and with label 1, got {count[0]} "
            f"and {count[1]} among {len(np.unique(patients))} patients: take more patients"
        )
        raise ValueError(msg)
    splitter = StratifiedGroupKFold(parts, shuffle=True, random_state=seed)
    splits = list(splitter.split(labels, labels, patients))
    # The splitter deals the patients with most items out first, to the first part: draw the part.
    rest, held_out = splits[np.random.default_rng(seed).integers(parts)]
    for rows in (rest, held_out):
        if len(np.unique(labels[rows])) < 2:
            msg = f"seed {seed} leaves only label {labels[rows[0]]} in a set: try another seed"
            raise ValueError(msg)
    return rest, held_out


def split_patients(
    labels: ArrayLike, patients: ArrayLike, seed: int, parts: int = 5
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Split into training, validation and test: three parts, one and one of five.

    No patient is in two sets, and both classes are in each.

    Parameters
    ----------
    labels, patients, seed
        As `hold_out_patients` takes them.
    parts : int
        At least 3. Validation and test get one each, training the others.

    Returns
    -------
    train, validation, test : arrays of int
        Row numbers, increasing.

    Raises
    ------
    ValueError
        If there are too few patients of a class.

    Examples
    --------
    >>> sets = split_patients([0, 1] * 10, np.arange(20) // 2, seed=0)
    >>> [len(rows) for rows in sets]
    [12, 4, 4]
    """
    labels, patients = np.asarray(labels), np.asarray(patients)
    rest, test = hold_out_patients(labels, patients, seed, parts)
    train, validation = hold_out_patients(labels[rest], patients[rest], seed, parts - 1)
    return rest[train], rest[validation], test


def fit(
    model: nn.Module, train, validation, settings: Settings, checkpoint: str | Path | None = None
) -> Fit:
    """Train a model with cross entropy and Adam; leave it with the weights of its best epoch.

    The best epoch has the highest validation AUROC; of equal ones, the lowest validation loss;
    of equal ones, the first. The order of the images and the draws of dropout depend on the seed
    and the epoch alone, so that a run that was killed and started again with the same checkpoint
    ends as if nothing had happened: bit for bit on the CPU.

    Parameters
    ----------
    model : Module
        Returns logits, shape (n, 2). It is moved to the device and ends in evaluation mode.
    train, validation : data sets
        Of different patients, both classes in each. Validation sees no augmentation.
    settings : Settings
    checkpoint : path, optional
        File that is written after each epoch. If it exists, the run goes on from there.

    Raises
    ------
    ValueError
        If the sets share a patient or lack a class, the device is missing, or the checkpoint is
        damaged or of another run.
    FloatingPointError
        If the loss is not finite. The checkpoint of the epoch before stays.

    References
    ----------
    Kingma DP, Ba J (2015), Adam, arXiv:1412.6980.
    """
    _check_sets(train, validation)
    validation = validation.subset(np.arange(len(validation)), augment=None)
    run = Run(model, train, validation, settings)
    depends_on = origin(model, train, validation, settings) if checkpoint else None
    if checkpoint and Path(checkpoint).exists():
        run.load_state_dict(checkpoints.load(checkpoint, depends_on))
    first = len(run.history) + 1
    with _own_state(settings):
        for epoch in tqdm(range(first, settings.epochs + 1), "epochs"):
            if run.finished:
                break
            run.one_epoch(epoch)
            if checkpoint:
                checkpoints.save(checkpoint, depends_on, run.state_dict())
    model.load_state_dict(run.best)
    model.eval()
    return Fit(pd.DataFrame(run.history), run.best_epoch)


def predict(model: nn.Module, dataset, batch_size: int = 256, device: str = "cpu") -> np.ndarray:
    """Return each item's probability of label 1, without augmentation.

    Parameters
    ----------
    model : Module
        Returns logits, shape (n, 2). It is moved to the device; its mode stays as it was.
    dataset : data set
    batch_size : int
        Images at a time.
    device : str
        "cpu", "cuda" or "mps".

    Returns
    -------
    array of float64, shape (n,)
        The softmax of the logits; NaN where an image holds NaN.

    Raises
    ------
    ValueError
        If the device is missing or the model does not return two logits.
    """
    items = dataset.subset(np.arange(len(dataset)), augment=None)
    return logits(model, items, batch_size, available(device)).softmax(1)[:, 1].numpy()


def _check_sets(train, validation) -> None:
    """Refuse sets that share a patient or lack a class."""
    for name, dataset in (("training", train), ("validation", validation)):
        classes = np.unique(dataset.labels).tolist()
        if classes != [0, 1]:
            msg = f"the {name} set has the labels {classes}: expected both 0 and 1"
            raise ValueError(msg)
    shared = np.intersect1d(train.patients, validation.patients)
    if len(shared):
        msg = (
            f"{len(shared)} patients are in the training and the validation set, such as "
            f"{shared[0]}: split by patient (split_patients)"
        )
        raise ValueError(msg)


@contextlib.contextmanager
def _own_state(settings: Settings):
    """Give the run its threads; give the caller's threads and the CPU's random state back."""
    threads = torch.get_num_threads()
    torch.set_num_threads(settings.threads)
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        torch.set_num_threads(threads)
