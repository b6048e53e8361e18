"""The pointing game: does the highest point of a map lie on the nodule?

A game is worth what its controls say. On a centred nodule "always the middle" wins, and on dark
ground the brightest pixel does. So each scene here has the nodule anywhere in the field and a
bright bar like a rib, whose place says nothing about the label. Outlines are real, pixels are
simulated, and the label is whether a nodule was drawn: nothing about a diagnosis.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike
from scipy.special import erf

from medml.data import lidc
from medml.diagnosis.rendering import NODULE_HU, PARENCHYMA_HU, PSF_MM, render_patch

RIB_HU = 700.0  # cortical bone
RIB_MM = 6.0
TOLERANCE_PIXELS = 4  # half a cell of a map of 8 × 8 on 64 × 64 pixels
TRIES = 1000


@dataclass(frozen=True, eq=False)
class Scenes:
    """Scenes of the game, two for each nodule: one that shows it, one without.

    Attributes
    ----------
    images : array of float32, shape (n, 1, size, size)
        In HU, simulated.
    inside : array of bool, shape (n, size, size)
        Where a map may point: the nodule and a margin of `TOLERANCE_PIXELS`. Nowhere if absent.
    present : array of int, shape (n,)
        1 if the nodule is drawn.
    nodule_ids : array of int, shape (n,)
    """

    images: np.ndarray
    inside: np.ndarray
    present: np.ndarray
    nodule_ids: np.ndarray


def render_scenes(
    nodule_ids: Iterable[int], *, seed: int = 0, size: int = 64, pixel_mm: float = 0.7
) -> Scenes:
    """Render two scenes for each nodule: real outline or none, simulated pixels.

    The nodule lies anywhere where all of it is seen. The rib crosses the field anywhere but over
    the nodule. In the scene without the nodule, place and rib are drawn in the same way before the
    nodule is left out: the rib is distributed alike in both, and tells nothing.

    Parameters
    ----------
    nodule_ids : iterable of int
        Rows of `lidc.load_nodules()`.
    seed : int
        Of place, rib and noise; each nodule has a generator of its own.
    size : int
        Rows and columns of a scene.
    pixel_mm : float

    Returns
    -------
    Scenes
        Present first, then absent, nodule by nodule.

    Raises
    ------
    ValueError
        If a nodule is too large for the field, or as `rendering.render_patch` does.
    DataError
        If the data are missing or damaged.

    Examples
    --------
    >>> scenes = render_scenes([1])
    >>> scenes.images.shape, scenes.present.tolist(), bool(scenes.inside[1].any())
    ((2, 1, 64, 64), [1, 0], False)
    """
    images, inside, present, ids = [], [], [], []
    for nodule_id, masks in lidc.load_masks(nodule_ids).items():
        generator = np.random.default_rng([seed, nodule_id])
        for shown in (1, 0):
            canvas = render_patch(masks, generator, size=3 * size, pixel_mm=pixel_mm)
            image, target = _scene(canvas, generator, size, pixel_mm, shown, nodule_id)
            images.append(image[None])
            inside.append(target)
            present.append(shown)
            ids.append(nodule_id)
    return Scenes(np.array(images), np.array(inside), np.array(present), np.array(ids))


def pointing_hits(maps: ArrayLike, inside: ArrayLike) -> np.ndarray:
    """Tell for each map whether its highest point lies inside.

    Parameters
    ----------
    maps : array_like of shape (n, rows, columns)
    inside : array_like of bool, shape (n, rows, columns)
        Where a hit is.

    Returns
    -------
    numpy.ndarray of bool, shape (n,)
        False for a map that is the same everywhere: it points nowhere. Of several highest points
        the first counts, row by row.

    Raises
    ------
    ValueError
        If shapes differ, a map holds NaN, or an image has nothing to be pointed at.

    References
    ----------
    Zhang J et al. (2018), Top-down neural attention by excitation backprop,
    doi:10.1007/s11263-017-1059-x.

    Examples
    --------
    >>> pointing_hits([[[0.1, 0.9]], [[0.5, 0.5]]], [[[False, True]], [[True, True]]]).tolist()
    [True, False]
    """
    maps, inside = _pair(maps, inside)
    flat = maps.reshape(len(maps), -1)
    rows = np.arange(len(flat))
    hits = inside.reshape(len(flat), -1)[rows, flat.argmax(axis=1)]
    return hits & (flat.max(axis=1) > flat.min(axis=1))


def blind_guesses(images: ArrayLike, inside: ArrayLike) -> dict[str, np.ndarray]:
    """Return how those play who know nothing of the network.

    Parameters
    ----------
    images : array_like of shape (n, 1, rows, columns)
    inside : array_like of bool, shape (n, rows, columns)

    Returns
    -------
    dict of str to numpy.ndarray of float, shape (n,)
        "chance": the share of the image that is inside; "centre": 1 if its middle is; "brightest
        pixel": 1 if the brightest pixel is, after a blur of 2 pixels that quiets the noise.

    Raises
    ------
    ValueError
        As `pointing_hits` does.
    """
    grey = np.asarray(images, np.float32)
    grey = grey[:, 0] if grey.ndim == 4 else grey
    grey, inside = _pair(grey, inside)
    rows, columns = inside.shape[1:]
    blurred = np.array([cv2.GaussianBlur(image, (0, 0), 2) for image in grey])
    return {
        "chance": inside.mean(axis=(1, 2)),
        "centre": inside[:, rows // 2, columns // 2].astype(float),
        "brightest pixel": pointing_hits(blurred, inside).astype(float),
    }


def _scene(canvas, generator, size, pixel_mm, shown, nodule_id):
    """Cut a scene out of a canvas with the nodule in its middle; add the rib."""
    nodule = canvas > (NODULE_HU + PARENCHYMA_HU) / 2  # 17 standard deviations of the noise away
    margin = 2 * TOLERANCE_PIXELS + 1
    shape = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (margin, margin))
    near = cv2.dilate(nodule.astype(np.uint8), shape).astype(bool)
    for _ in range(TRIES):
        top, left = generator.integers(size // 2, 3 * size // 2 + 1, 2)
        window = (slice(top, top + size), slice(left, left + size))
        rib = _rib(generator, size, pixel_mm)
        whole = nodule[window].sum() == nodule.sum()
        if whole and not near[window][rib > 0.01].any():
            break
    else:
        msg = f"nodule {nodule_id} leaves no room for a rib in {size} pixels: take smaller nodules"
        raise ValueError(msg)
    if not shown:
        window = (slice(0, size), slice(0, size))  # a corner, without the nodule
        if nodule[window].any():
            raise ValueError(f"nodule {nodule_id} reaches into the corner: take smaller nodules")
        near = np.zeros_like(near)
    return canvas[window] + (RIB_HU - PARENCHYMA_HU) * rib.astype(np.float32), near[window]


def _rib(generator, size, pixel_mm):
    """Return a bar across the field, blurred like all else: the share of each pixel it fills."""
    angle = generator.uniform(0, np.pi)
    row, column = generator.uniform(0, size, 2)
    rows, columns = np.mgrid[:size, :size]
    distance = ((rows - row) * np.cos(angle) + (columns - column) * np.sin(angle)) * pixel_mm
    ends = [(RIB_MM / 2 + side * distance) / (PSF_MM * np.sqrt(2)) for side in (1, -1)]
    return (erf(ends[0]) + erf(ends[1])) / 2


def _pair(maps, inside):
    """Return maps and targets after checking that they belong together."""
    maps, inside = np.asarray(maps, float), np.asarray(inside, bool)
    if maps.shape != inside.shape or maps.ndim != 3:
        msg = (
            f"expected maps and targets (n, rows, columns) of one shape, got {maps.shape} and "
            f"{inside.shape}"
        )
        raise ValueError(msg)
    if np.isnan(maps).any():
        raise ValueError("a map holds NaN: look for NaN in its image or weights")
    empty = np.flatnonzero(~inside.any(axis=(1, 2)))
    if len(empty):
        raise ValueError(f"image {empty[0]} has nothing to be pointed at: leave it out")
    return maps, inside
