"""A training run on disk: whole, unchanged and of the same run, or a clear error."""

import hashlib
import io
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import nn

from medml.files import atomic_write

DIGEST_BYTES = hashlib.sha256().digest_size


def origin(model: nn.Module, train, validation, settings) -> dict:
    """Describe what a run depends on, in plain values that can be compared and read.

    Parameters
    ----------
    model : Module
        Its layers and the shapes of its weights count, not the weights.
    train, validation : data sets
        As `training.fit` takes them. Pixels, labels, patients and the augmentation of epoch 0
        count; each is read once.
    settings : Settings

    Returns
    -------
    dict
        Names and numbers or text; a hash is cut to 16 digits.
    """
    weights = model.state_dict()
    shapes = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    size = sum(tensor.numel() for tensor in model.parameters())
    layers = hashlib.sha256(f"{model}{shapes}".encode()).hexdigest()[:16]
    return asdict(settings) | {
        "network": f"{type(model).__name__} with {size:,} parameters ({layers})",
        "training data": _hash_items(train),
        "validation data": _hash_items(validation),
    }


def _hash_items(dataset) -> str:
    """Return the number of items and a hash of them as they come out in epoch 0."""
    dataset.set_epoch(0)
    digest = hashlib.sha256(repr(np.asarray(dataset.patients).tolist()).encode())
    for i in range(len(dataset)):
        image, label = dataset[i]
        digest.update(f"{tuple(image.shape)} {int(label)}".encode())
        digest.update(np.ascontiguousarray(image))
    return f"{len(dataset)} items ({digest.hexdigest()[:16]})"


def save(path: str | Path, run: dict, state: dict) -> None:
    """Write the state of a run in one step: a reader finds the old file or the new one.

    Parameters
    ----------
    path : path
    run : dict
        As `origin` describes it.
    state : dict
        Tensors, numbers, text and lists or dicts of them, nothing else.
    """
    buffer = io.BytesIO()
    torch.save({"run": run, "state": state}, buffer)
    # PyTorch reads weights with a turned bit without complaint: the hash in front tells.
    with atomic_write(path) as file:
        file.write(hashlib.sha256(buffer.getbuffer()).digest())
        file.write(buffer.getbuffer())


def load(path: str | Path, run: dict) -> dict:
    """Read the state of a run, with its tensors on the CPU.

    Raises
    ------
    ValueError
        If the file is damaged, is no checkpoint, or belongs to another run: the message names
        each difference.
    """
    content = Path(path).read_bytes()
    payload = content[DIGEST_BYTES:]
    if hashlib.sha256(payload).digest() != content[:DIGEST_BYTES]:
        msg = f"{path} is damaged or no checkpoint of this module: delete it to start anew"
        raise ValueError(msg)
    stored = torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
    before = stored["run"]
    differences = [
        f"{name} was {before.get(name)!r}, is {run.get(name)!r}"
        for name in run | before
        if before.get(name) != run.get(name)
    ]
    if differences:
        msg = (
            f"{path} belongs to another run: {'; '.join(differences)}. "
            "Give the run what it had, name another file, or delete this one to start anew"
        )
        raise ValueError(msg)
    return stored["state"]
