"""Random small changes of a CT slice, for training images only.

They teach a network what does not matter: how the patient lay, the scanner's noise. Each image of
each epoch is changed anew. Validation and test images stay as they are. There is no mirroring and
no quarter turn: hearts lie on the left and patients on their backs in every scan to come.
"""

import math

import cv2
import numpy as np
from numpy.typing import ArrayLike

from medml.diagnosis.ct import AIR, pixel_size


def augment(
    image: np.ndarray,
    pixel_mm: ArrayLike,
    generator: np.random.Generator,
    *,
    mask: np.ndarray | None = None,
    rotation_deg: float = 10.0,
    scale: float = 0.1,
    shift_mm: float = 10.0,
    noise: float = 20.0,
    border: float = AIR,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Move a slice at random (`random_placement`) in one interpolation, then add noise.

    The noise is white, its standard deviation uniform between 0 and `noise`. (The noise of a real
    scanner is correlated.) Ranges of 0 give the image back unchanged. A slice that is still to be
    preprocessed is moved with less loss by `ct.preprocess_ct_image(…, placement=…)`.

    Parameters
    ----------
    image : array of float32, shape (rows, columns)
        HU, or a windowed slice; then `noise` and `border` are grey values too.
    pixel_mm : float or two floats
        Distance of neighbouring rows and columns.
    generator : numpy.random.Generator
        Where the random numbers come from. Every call draws as many.
    mask : array of bool or uint8, shape (rows, columns), optional
        Moved together with the image, to the nearest pixel.
    rotation_deg, scale, shift_mm : float
        Ranges, as in `random_placement`.
    noise : float
        Largest standard deviation of the noise, in the unit of the image (HU).
    border : float
        What comes in from outside: air, in the unit of the image.

    Returns
    -------
    image, mask
        Arrays of the given types and shapes; the mask is None if none was given.

    Raises
    ------
    ValueError
        If a range is below 0 or not finite, image and mask do not fit, or the image is not
        float32 (whole numbers would round the interpolation).
    """
    if image.ndim != 2 or image.dtype != np.float32:
        raise ValueError(f"expected one float32 slice, got {image.dtype} {image.shape}")
    if mask is not None and mask.shape != image.shape:
        raise ValueError(f"the mask has the shape {mask.shape}, the image {image.shape}")
    _require_ranges(noise=noise)
    matrix = random_placement(
        image.shape,
        pixel_mm,
        generator,
        rotation_deg=rotation_deg,
        scale=scale,
        shift_mm=shift_mm,
    )
    moved = move(image, matrix, cv2.INTER_LINEAR, border)
    strength = np.float32(noise * generator.random())
    moved += strength * generator.standard_normal(image.shape, np.float32)
    if mask is not None:
        mask = move(mask.astype(np.uint8), matrix, cv2.INTER_NEAREST, 0).astype(mask.dtype)
    return moved, mask


def random_placement(
    shape: tuple[int, int],
    pixel_mm: ArrayLike,
    generator: np.random.Generator,
    *,
    rotation_deg: float = 10.0,
    scale: float = 0.1,
    shift_mm: float = 10.0,
) -> np.ndarray:
    """Draw a matrix that turns, scales and shifts an image a little (`placement`).

    Parameters
    ----------
    shape, pixel_mm
        Of the image that is moved, as in `placement`.
    generator : numpy.random.Generator
        Where the random numbers come from. Every call draws as many.
    rotation_deg : float
        Largest angle in degrees; angles are uniform, to either side.
    scale : float
        Largest share by which the image grows; it shrinks by the same factor. The logarithm of
        the scale is uniform. A network that shall use size wants little of it.
    shift_mm : float
        Largest shift in mm, uniform along rows and along columns.

    Returns
    -------
    array of float64, shape (2, 3)

    Raises
    ------
    ValueError
        If a range is below 0 or not finite.
    """
    _require_ranges(rotation_deg=rotation_deg, scale=scale, shift_mm=shift_mm)
    angle, growth, down, right = generator.uniform(-1, 1, 4)
    shift = shift_mm * down, shift_mm * right
    return placement(shape, pixel_mm, rotation_deg * angle, (1 + scale) ** growth, shift)


def _require_ranges(**ranges: float) -> None:
    """Ask that ranges are finite and not below 0."""
    for name, value in ranges.items():
        if not 0 <= value < np.inf:
            raise ValueError(f"expected a range of 0 or more, got {name}={value}")


def placement(
    shape: tuple[int, int],
    pixel_mm: ArrayLike,
    rotation_deg: float,
    scale: float,
    shift_mm: tuple[float, float],
) -> np.ndarray:
    """Return the matrix that turns and scales an image about its centre, then shifts it.

    It does so in mm, so that a turned circle stays a circle where pixels are not square.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns.
    pixel_mm : float or two floats
        Distance of neighbouring rows and columns.
    rotation_deg : float
        Clockwise as the image is seen, rows running down.
    scale : float
        Above 1 enlarges.
    shift_mm : tuple of two float
        Down and to the right.

    Returns
    -------
    array of float64, shape (2, 3)
        Takes (column, row, 1) of the old image to (column, row) of the new.

    Examples
    --------
    >>> placement((5, 5), 0.5, 90, 1, (0, 1)).round(6) @ (4, 2, 1)  # from the right to below
    array([4., 4.])
    """
    row_mm, column_mm = pixel_size(pixel_mm)
    along = scale * math.cos(math.radians(rotation_deg))
    across, ratio = scale * math.sin(math.radians(rotation_deg)), row_mm / column_mm
    x, y = (shape[1] - 1) / 2, (shape[0] - 1) / 2  # the centre stays, apart from the shift
    right, down = shift_mm[1] / column_mm, shift_mm[0] / row_mm
    return np.array(
        [
            [along, -across * ratio, x - along * x + across * ratio * y + right],
            [across / ratio, along, y - across / ratio * x - along * y + down],
        ]
    )


def move(image: np.ndarray, matrix: np.ndarray, interpolation: int, border: float) -> np.ndarray:
    """Apply a matrix of `placement` to an image; `interpolation` is one of OpenCV's."""
    return cv2.warpAffine(image, matrix, image.shape[::-1], flags=interpolation, borderValue=border)
