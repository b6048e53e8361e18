"""What a training run depends on, so that a checkpoint of another run is told apart."""

import hashlib
from dataclasses import asdict

import numpy as np
from torch import nn


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
