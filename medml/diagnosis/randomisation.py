"""Networks that forgot what they learned: the test that a map must pass before it is believed.

A map that stays the same while the weights are drawn anew shows the image, not the network.
"""

import copy
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy.stats import rankdata
from torch import nn

from medml.diagnosis.explanation import BATCH, check_images, forward


def random_copy(model: nn.Module, images: ArrayLike, seed: int) -> nn.Module:
    """Return the network with all weights drawn anew: what its maps show without any training.

    Batch normalisation has seen no image then and would let the signal fade or explode, which
    makes a random network a weak rival. So its means and variances are taken from `images`.

    Parameters
    ----------
    model : Module
        Stays as it is.
    images : array_like of float32, shape (n, channels, rows, columns)
        Such as the training images.
    seed : int
        Of the weights, 0 or more.

    Returns
    -------
    Module
        In evaluation mode.

    Raises
    ------
    ValueError
        If the images have another shape than the model takes, or hold NaN.
    """
    images = check_images(images)
    network = copy.deepcopy(model)
    for number, (_, layer) in enumerate(_layers_from_output(network)):
        _draw(layer, seed, number)
    _refresh_normalisation(network, images)
    return network


def randomised(model: nn.Module, images: ArrayLike, seed: int) -> Iterator[tuple[str, nn.Module]]:
    """Yield copies in which more and more layers are drawn anew, from the output to the input.

    The parameter-randomisation test: a map that stays the same while the network forgets what it
    learned does not show what the network learned.

    Parameters
    ----------
    model : Module
        Its layers are defined in the order in which they work. It stays as it is.
    images, seed
        As in `random_copy`.

    Yields
    ------
    name : str
        The layer of weights drawn last. Batch normalisation goes with the layer before it.
    network : Module
        In evaluation mode; a copy of its own each time.

    References
    ----------
    Adebayo J et al. (2018), Sanity checks for saliency maps, arXiv:1810.03292.
    """
    images = check_images(images)
    network = copy.deepcopy(model)
    for number, (name, layer) in enumerate(_layers_from_output(network)):
        _draw(layer, seed, number)
        if not isinstance(layer, nn.modules.batchnorm._BatchNorm):
            _refresh_normalisation(network, images)
            yield name, copy.deepcopy(network).eval()


def rank_correlation(maps: ArrayLike, others: ArrayLike) -> np.ndarray:
    """Return Spearman's correlation of each map with its partner over their pixels.

    Parameters
    ----------
    maps, others : array_like of shape (n, rows, columns)

    Returns
    -------
    numpy.ndarray of float, shape (n,)
        NaN, "not estimable", where one of the two maps is the same everywhere.

    Raises
    ------
    ValueError
        If the shapes differ or a value is NaN.

    Examples
    --------
    >>> rank_correlation([[[1, 2, 3]]], [[[1, 10, 1000]]]).tolist()
    [1.0]
    """
    maps, others = np.asarray(maps, float), np.asarray(others, float)
    if maps.shape != others.shape or maps.ndim != 3 or np.isnan(maps + others).any():
        msg = (
            f"expected two stacks of maps (n, rows, columns) without NaN, got shapes "
            f"{maps.shape} and {others.shape}"
        )
        raise ValueError(msg)
    ranks = [rankdata(stack.reshape(len(stack), -1), axis=1) for stack in (maps, others)]
    a, b = (rank - rank.mean(axis=1, keepdims=True) for rank in ranks)
    norm = np.sqrt(np.square(a).sum(axis=1) * np.square(b).sum(axis=1))
    return np.divide((a * b).sum(axis=1), norm, out=np.full(len(a), np.nan), where=norm > 0)


def _layers_from_output(network) -> list[tuple[str, nn.Module]]:
    layers = [pair for pair in network.named_modules() if hasattr(pair[1], "reset_parameters")]
    return layers[::-1]


def _draw(layer, seed, number):
    """Draw a layer's weights anew, from seed and number alone."""
    entropy = int(np.random.default_rng([seed, number]).integers(2**63))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(entropy)
        layer.reset_parameters()


def _refresh_normalisation(network, images):
    """Take the means and variances of batch normalisation from one pass over the images."""
    layers = [m for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    momenta = [layer.momentum for layer in layers]
    network.eval()
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the plain mean of all batches
        layer.train()
    with torch.no_grad():
        for batch in images.split(BATCH):
            forward(network, batch)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
    network.eval()
