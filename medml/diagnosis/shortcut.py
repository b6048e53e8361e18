"""Shortcuts: a network that reads a mark in the corner instead of the patient.

Hospitals burn letters into images. Where the sick are imaged on another scanner than the healthy,
the letter tells the label, and a network takes what is easiest. The mark here is simulated and its
bond with the label is a knob of our own; the finding that it stands for is Zech JR et al. (2018),
doi:10.1371/journal.pmed.1002683.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import ArrayLike

LETTER = "R"
LETTER_PIXELS = 8  # side of the square in the upper left corner that holds the letter


def tags_like(labels: ArrayLike, agreement: float, seed: int) -> np.ndarray:
    """Draw who carries the mark: with probability `agreement`, as the label says.

    Parameters
    ----------
    labels : array_like of shape (n,)
        0 or 1.
    agreement : float
        1 for a mark that tells the label, 0.5 for one that says nothing, 0 for one that lies.
    seed : int

    Returns
    -------
    numpy.ndarray of bool, shape (n,)

    Raises
    ------
    ValueError
        If a label is not 0 or 1 or the agreement lies outside 0 to 1.

    Examples
    --------
    >>> tags_like([0, 1, 1], 0.0, seed=0).tolist()
    [True, False, False]
    """
    labels = np.asarray(labels)
    wrong = labels[~np.isin(labels, (0, 1))]
    if len(wrong) or not 0 <= agreement <= 1:
        shown = wrong[0] if len(wrong) else agreement
        raise ValueError(f"expected labels 0 or 1 and an agreement from 0 to 1, got {shown}")
    agree = np.random.default_rng(seed).random(len(labels)) < agreement
    return (labels == 1) == agree


def burn_tags(images: ArrayLike, tagged: ArrayLike) -> np.ndarray:
    """Burn the letter into the upper left corner of the images that carry the mark.

    Parameters
    ----------
    images : array_like of float32, shape (n, 1, rows, columns)
        Grey levels in [0, 1], as `nodules.to_network` gives them.
    tagged : array_like of bool, shape (n,)

    Returns
    -------
    numpy.ndarray of float32, the shape of `images`
        A copy.

    Raises
    ------
    ValueError
        If the shapes do not fit each other or the image is smaller than the letter.
    """
    images, tagged = np.array(images, np.float32), np.asarray(tagged, bool)
    if images.ndim != 4 or images.shape[1] != 1 or min(images.shape[2:]) < LETTER_PIXELS:
        msg = (
            f"expected images (n, 1, rows, columns) of at least {LETTER_PIXELS} pixels, got "
            f"shape {images.shape}"
        )
        raise ValueError(msg)
    if tagged.shape != (len(images),):
        raise ValueError(f"{len(images)} images need as many marks, got shape {tagged.shape}")
    corner = images[:, 0, :LETTER_PIXELS, :LETTER_PIXELS]
    corner[tagged] = np.maximum(corner[tagged], _letter())
    return images


def tag_region(rows: int, columns: int) -> np.ndarray:
    """Return where the letter stands: bool, shape (rows, columns)."""
    region = np.zeros((rows, columns), bool)
    region[:LETTER_PIXELS, :LETTER_PIXELS] = True
    return region


def tag_effect(predict: Callable[[np.ndarray], ArrayLike], images: ArrayLike) -> np.ndarray:
    """Return by how much the letter alone changes each prediction.

    The same image is shown with and without the letter: nothing else differs, so whatever
    changes is the letter's doing.

    Parameters
    ----------
    predict : callable
        Takes images, returns one probability an image.
    images : array_like of float32, shape (n, 1, rows, columns)
        Without the letter.

    Returns
    -------
    numpy.ndarray of float, shape (n,)
        With minus without. 0 for a network that does not read the letter.
    """
    with_tag, without = (
        np.asarray(predict(burn_tags(images, np.full(len(images), shown))), float)
        for shown in (True, False)
    )
    return with_tag - without


def share_inside(maps: ArrayLike, region: ArrayLike) -> np.ndarray:
    """Return the share of each map's positive part that lies inside a region.

    Parameters
    ----------
    maps : array_like of shape (n, rows, columns)
    region : array_like of bool, shape (rows, columns) or (n, rows, columns)

    Returns
    -------
    numpy.ndarray of float, shape (n,)
        From 0 to 1; NaN for a map without a positive part. Compare it with the region's share of
        the image, which an even map would give.

    Raises
    ------
    ValueError
        If the shapes do not fit each other.

    Examples
    --------
    >>> share_inside([[[3.0, 1.0], [-5.0, 0.0]]], [[True, False], [True, False]]).tolist()
    [0.75]
    """
    maps, region = np.asarray(maps, float), np.asarray(region, bool)
    if maps.ndim != 3 or region.shape not in (maps.shape, maps.shape[1:]):
        raise ValueError(
            f"expected maps (n, rows, columns) and a region of their size, got {maps.shape} and "
            f"{region.shape}"
        )
    positive = maps.clip(min=0)
    total = positive.sum(axis=(1, 2))
    inside = (positive * region).sum(axis=(1, 2))
    return np.divide(inside, total, out=np.full(len(maps), np.nan), where=total > 0)


def _letter() -> np.ndarray:
    """Return the letter, white on black, float32."""
    image = np.zeros((LETTER_PIXELS, LETTER_PIXELS), np.uint8)
    cv2.putText(image, LETTER, (1, LETTER_PIXELS - 1), cv2.FONT_HERSHEY_PLAIN, 0.6, 255)
    return image.astype(np.float32) / 255
