"""Maps of what a network looks at.

A map is an answer to a question about the network, never about the patient. Grad-CAM asks which
places of a layer speak for a class; occlusion hides places and looks what the score does. Both
give a picture for any network, an untrained one too: `randomisation` and `pointing` test them.
"""

import contextlib

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import nn
from torch.nn import functional

BATCH = 64


def grad_cam(model: nn.Module, layer: nn.Module, images: ArrayLike, target: int = 1) -> np.ndarray:
    """Return Grad-CAM: where a layer speaks for a class.

    L = ReLU(Σ_k α_k A_k), with A_k the k-th channel of the layer's output and α_k the mean over
    its places of ∂ score / ∂ A_k, where the score is the class's logit. L is enlarged to the
    image's size, bilinearly; its unit is that of the logit per place, so compare places of one
    map, not maps of two networks.

    Parameters
    ----------
    model : Module
        Returns logits, shape (n, classes). It works in evaluation mode and gets its mode back.
    layer : Module
        A layer of the model with an output (n, channels, rows, columns), such as the last ReLU.
    images : array_like of float32, shape (n, channels, rows, columns)
        As the model takes them.
    target : int
        The class.

    Returns
    -------
    numpy.ndarray of float32, shape (n, rows, columns)
        At least 0; 0 everywhere where nothing speaks for the class.

    Raises
    ------
    ValueError
        If the layer is not the model's, is not used, or gives no image; if the images have
        another shape or hold NaN; if the target is no class of the model.

    References
    ----------
    Selvaraju RR et al. (2017), doi:10.1109/ICCV.2017.74.

    Examples
    --------
    >>> network = nn.Sequential(nn.Conv2d(1, 1, 1, bias=False), nn.Flatten(), nn.Linear(4, 2))
    >>> for weights in network.parameters():
    ...     _ = nn.init.ones_(weights)
    >>> grad_cam(network, network[0], [[[[0.0, 2.0], [0.0, -1.0]]]]).tolist()
    [[[0.0, 2.0], [0.0, 0.0]]]
    """
    images = check_images(images)
    _check_layer(model, layer)
    kept = []
    handle = layer.register_forward_hook(lambda module, inputs, output: kept.append(output))
    maps = []
    try:
        with _evaluation(model), torch.enable_grad():
            for batch in images.split(BATCH):
                kept.clear()
                score = _logits(model, batch.clone().requires_grad_(), target)[:, target]
                channels = _last_map(kept)
                (slope,) = torch.autograd.grad(score.sum(), channels)
                alpha = slope.mean(dim=(2, 3), keepdim=True)
                cam = (alpha * channels).sum(dim=1, keepdim=True).clamp(min=0).detach()
                maps.append(_enlarge(cam, images.shape[2:]))
    finally:
        handle.remove()
    return torch.cat(maps)[:, 0].numpy()


def occlusion_map(
    model: nn.Module,
    images: ArrayLike,
    target: int = 1,
    *,
    window: int = 8,
    stride: int = 4,
    fill: float = 0.0,
) -> np.ndarray:
    """Return how far a class's logit falls when a place is hidden.

    A square of grey slides over the image. Each pixel gets the mean fall of the logit over the
    squares that covered it: above 0 where the place spoke for the class, below 0 against it.

    Parameters
    ----------
    model, images, target
        As in `grad_cam`.
    window : int
        Side of the square in pixels.
    stride : int
        Step of the square in pixels; the last square must end at the image's edge.
    fill : float
        What the square shows. It is a finding too: take what belongs there, such as the grey of
        lung, or the square itself may look like a nodule.

    Returns
    -------
    numpy.ndarray of float32, shape (n, rows, columns)
        In units of the logit.

    Raises
    ------
    ValueError
        As `grad_cam` does, or if the squares do not cover the image to its edges.

    References
    ----------
    Zeiler MD, Fergus R (2014), doi:10.1007/978-3-319-10590-1_53.
    """
    images = check_images(images)
    rows, columns = images.shape[2:]
    if not all(_reaches_the_edge(side, window, stride) for side in (rows, columns)):
        msg = (
            f"a window of {window} in steps of {stride} does not end at the edge of {rows} × "
            f"{columns} pixels: (side - window) must be a multiple of the stride ≤ window"
        )
        raise ValueError(msg)
    total = torch.zeros(len(images), rows, columns)
    covered = torch.zeros(rows, columns)
    with _evaluation(model), torch.no_grad():
        before = _scores(model, images, target)
        for top in range(0, rows - window + 1, stride):
            for left in range(0, columns - window + 1, stride):
                place = (..., slice(top, top + window), slice(left, left + window))
                hidden = images.clone()
                hidden[place] = fill
                total[place] += (before - _scores(model, hidden, target))[:, None, None]
                covered[place] += 1
    return (total / covered).numpy()


def check_images(images: ArrayLike) -> torch.Tensor:
    """Return images (n, channels, rows, columns) as a float32 tensor; refuse what is not."""
    images = torch.as_tensor(np.asarray(images, np.float32))
    if images.ndim != 4 or not images.numel():
        msg = f"expected images (n, channels, rows, columns), got shape {tuple(images.shape)}"
        raise ValueError(msg)
    if not torch.isfinite(images).all():
        raise ValueError("an image holds NaN or infinity: mend it or leave it out")
    return images


def _check_layer(model, layer):
    """Refuse a layer that the model does not hold."""
    if not any(layer is module for module in model.modules()):
        msg = (
            f"the layer {type(layer).__name__} is not part of this {type(model).__name__}: "
            "take one of model.named_modules()"
        )
        raise ValueError(msg)


def _last_map(kept) -> torch.Tensor:
    """Return what the layer gave, if it is a stack of images."""
    if not kept:
        raise ValueError("the model does not use this layer: take another one")
    if not isinstance(kept[-1], torch.Tensor) or kept[-1].ndim != 4:
        shape = tuple(getattr(kept[-1], "shape", ()))
        msg = (
            f"this layer gives the shape {shape}: Grad-CAM needs (n, channels, rows, columns), "
            "such as a convolution gives"
        )
        raise ValueError(msg)
    return kept[-1]


def _logits(model, images, target) -> torch.Tensor:
    """Return the model's logits after checking their shape and the target."""
    logits = forward(model, images)
    if logits.ndim != 2:
        raise ValueError(f"the model returns {tuple(logits.shape)}: expected (n, classes)")
    if isinstance(target, bool) or target not in range(logits.shape[1]):
        raise ValueError(f"target {target}: expected a class from 0 to {logits.shape[1] - 1}")
    return logits


def forward(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Return the model's answer, or say that it takes images of another shape."""
    try:
        return model(images)
    except RuntimeError as error:
        first = str(error).partition("\n")[0]
        msg = f"the model does not take images of shape {tuple(images.shape)}: {first}"
        raise ValueError(msg) from error


def _scores(model, images, target) -> torch.Tensor:
    """Return the target's logit of each image, some images at a time."""
    return torch.cat([_logits(model, batch, target)[:, target] for batch in images.split(BATCH)])


def _reaches_the_edge(side, window, stride) -> bool:
    return 0 < stride <= window <= side and (side - window) % stride == 0


def _enlarge(maps, size) -> torch.Tensor:
    return functional.interpolate(maps, tuple(size), mode="bilinear", align_corners=False)


@contextlib.contextmanager
def _evaluation(model):
    """Put the model into evaluation mode; give each module its own mode back."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
