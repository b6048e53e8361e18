"""Patches around lung nodules: real outlines, simulated pixels.

LIDC-IDRI's outlines fit into a wheel, its images do not. So a patch shows the outline that the
readers drew, at its true size, filled with the HU of soft tissue, in parenchyma of one HU, with the
blur and the noise of a scanner, invented and the same for all. What a network learns from such a
patch is the outline's size and shape; density, calcification and surroundings are not in it, and
neither is anything that a reader scored. An accuracy on these patches says nothing about a clinic.
"""

from collections.abc import Iterable

import cv2
import numpy as np

from medml.data import lidc
from medml.data.outlines import NoduleMasks

NODULE_HU = 30.0  # soft tissue
PARENCHYMA_HU = -850.0  # aerated lung at full inspiration
PSF_MM = 0.8  # standard deviation of the simulated scanner's Gaussian point spread
NOISE_HU = 25.0  # standard deviation
NOISE_MM = 0.6  # of the Gaussian that correlates neighbouring pixels' noise


def render_patch(
    masks: NoduleMasks, generator: np.random.Generator, *, size: int = 64, pixel_mm: float = 0.7
) -> np.ndarray:
    """Render one nodule: a real outline, simulated pixels.

    The slice in which the consensus mask is largest is resampled to `pixel_mm`: each pixel gets
    the share of its area that the mask covers. The middle of the mask's bounding box lies in the
    middle of the patch. The blur comes after, in mm, so that a scanner with coarser pixels cannot
    be told from a finer one by its sharpness (the steps of its outlines still differ a little).

    Parameters
    ----------
    masks : NoduleMasks
        The masks of one nodule, from `lidc.load_masks`.
    generator : numpy.random.Generator
        Draws the noise, and nothing else.
    size : int
        Rows and columns of the patch. A nodule that is larger than the field is cropped
        (`cropped_nodules`).
    pixel_mm : float

    Returns
    -------
    numpy.ndarray of float32, shape (size, size)
        In HU.

    Raises
    ------
    ValueError
        If the consensus is empty, or size or pixel_mm is not positive.
    """
    if size < 1 or not pixel_mm > 0:
        raise ValueError(f"expected a positive size and pixel, got {size} and {pixel_mm} mm")
    section = _largest_section(masks)
    _, row_mm, column_mm = masks.spacing_mm
    rows = _coverage(section.shape[0], row_mm, size, pixel_mm)
    columns = _coverage(section.shape[1], column_mm, size, pixel_mm)
    share = _blur(rows @ section @ columns.T, PSF_MM / pixel_mm)
    noise = _noise(size, NOISE_MM / pixel_mm, generator)
    return PARENCHYMA_HU + (NODULE_HU - PARENCHYMA_HU) * share + NOISE_HU * noise


def render_patches(
    nodule_ids: Iterable[int], *, seed: int = 0, size: int = 64, pixel_mm: float = 0.7
) -> np.ndarray:
    """Render many nodules: real outlines, simulated pixels.

    Each nodule has a generator of its own, made from the seed and its number: its patch is the
    same alone, among others and in any order.

    Parameters
    ----------
    nodule_ids : iterable of int
        Rows of `lidc.load_nodules()`.
    seed, size, pixel_mm
        As in `render_patch`; the seed is not negative.

    Returns
    -------
    numpy.ndarray of float32, shape (nodules, 1, size, size)
        In HU.

    Raises
    ------
    ValueError
        If a nodule is unknown, or as `render_patch` does.
    DataError
        If the data are missing or damaged.

    Examples
    --------
    >>> patches = render_patches([1, 3])
    >>> patches.shape, bool(patches[0, 0, 32, 32] > -300)
    ((2, 1, 64, 64), True)
    """
    masks = lidc.load_masks(nodule_ids)
    patches = np.empty((len(masks), 1, size, size), np.float32)
    for patch, (nodule_id, nodule) in zip(patches, masks.items(), strict=True):
        generator = np.random.default_rng([seed, nodule_id])
        patch[0] = render_patch(nodule, generator, size=size, pixel_mm=pixel_mm)
    return patches


def cropped_nodules(
    nodule_ids: Iterable[int], *, size: int = 64, pixel_mm: float = 0.7
) -> list[int]:
    """Return the nodules whose largest slice does not fit into a patch and is cropped."""
    field_mm = size * pixel_mm
    return [
        nodule_id
        for nodule_id, masks in lidc.load_masks(nodule_ids).items()
        if (np.array(_largest_section(masks).shape) * masks.spacing_mm[1:]).max() > field_mm
    ]


def largest_slice(masks: NoduleMasks) -> np.ndarray:
    """Return the slice of the consensus with the most pixels, bool, shape (rows, columns).

    Raises
    ------
    ValueError
        If the consensus is empty.
    """
    consensus = masks.consensus
    section = consensus[consensus.sum(axis=(1, 2)).argmax()]
    if not section.any():
        msg = f"the readings {masks.reading_ids} share no voxel: leave this nodule out"
        raise ValueError(msg)
    return section


def _largest_section(masks: NoduleMasks) -> np.ndarray:
    """Return the largest slice of the consensus, cropped to its bounding box, as float32."""
    section = largest_slice(masks)
    rows, columns = (np.flatnonzero(section.any(axis=axis)) for axis in (1, 0))
    return section[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)


def _coverage(pixels: int, spacing: float, size: int, pixel: float) -> np.ndarray:
    """Return the share of each target pixel that each source pixel covers along one axis.

    Both rows of pixels have a common centre; the shares are exact, float32 (size, pixels).
    """
    source = (np.arange(pixels + 1) - pixels / 2) * spacing
    target = (np.arange(size + 1) - size / 2) * pixel
    end = np.minimum(target[1:, None], source[1:])
    start = np.maximum(target[:-1, None], source[:-1])
    return ((end - start).clip(min=0) / pixel).astype(np.float32)


def _blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Blur with a Gaussian of `sigma` pixels; beyond the edge the edge goes on."""
    side = 2 * _reach(sigma) + 1
    return cv2.GaussianBlur(image, (side, side), sigma, borderType=cv2.BORDER_REPLICATE)


def _reach(sigma: float) -> int:
    """Return the half width of a kernel that holds four standard deviations on each side."""
    return int(np.ceil(4 * sigma))


def _noise(size: int, sigma: float, generator: np.random.Generator) -> np.ndarray:
    """Return noise of standard deviation 1, correlated by a Gaussian of `sigma` pixels."""
    reach = _reach(sigma)
    white = generator.standard_normal((size + 2 * reach,) * 2, np.float32)
    # The rim goes: the blur has invented its neighbours. White noise of 1 is left with the
    # kernel's norm, which is the square of the norm along one axis.
    noise = _blur(white, sigma)[reach : reach + size, reach : reach + size]
    return noise / np.square(cv2.getGaussianKernel(2 * reach + 1, sigma)).sum().astype(np.float32)
