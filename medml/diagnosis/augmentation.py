"""Random small changes of a CT slice, for training images only.

They teach a network what does not matter: how the patient lay, the scanner's noise. Each image of
each epoch is changed anew. Validation and test images stay as they are. There is no mirroring and
no quarter turn: hearts lie on the left and patients on their backs in every scan to come.
"""

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
    """Turn, scale and shift a slice at random in one interpolation, then add noise.

    The angle is uniform within ± rotation_deg, the shift along rows and along columns within
    ± shift_mm, the logarithm of the scale within ± log(1 + scale); the noise is white, its
    standard deviation uniform between 0 and `noise`. (The noise of a real scanner is correlated.)
    Ranges of 0 give the image back unchanged.

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
    rotation_deg : float
        Largest angle in degrees.
    scale : float
        Largest share by which the image grows; it shrinks by the same factor.
    shift_mm : float
        Largest shift in mm.
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
    ranges = {"rotation_deg": rotation_deg, "scale": scale, "shift_mm": shift_mm, "noise": noise}
    for name, value in ranges.items():
        if not 0 <= value < np.inf:
            raise ValueError(f"expected a range of 0 or more, got {name}={value}")
    if image.ndim != 2 or image.dtype != np.float32:
        raise ValueError(f"expected one float32 slice, got {image.dtype} {image.shape}")
    if mask is not None and mask.shape != image.shape:
        raise ValueError(f"the mask has the shape {mask.shape}, the image {image.shape}")
    angle, growth, down, right, strength = generator.uniform((-1, -1, -1, -1, 0), 1)
    matrix = placement(
        image.shape,
        pixel_mm,
        rotation_deg * angle,
        (1 + scale) ** growth,
        (shift_mm * down, shift_mm * right),
    )
    moved = move(image, matrix, cv2.INTER_LINEAR, border)
    moved += np.float32(noise * strength) * generator.standard_normal(image.shape, np.float32)
    if mask is not None:
        mask = move(mask.astype(np.uint8), matrix, cv2.INTER_NEAREST, 0).astype(mask.dtype)
    return moved, mask


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
    mm = np.array(pixel_size(pixel_mm))[::-1]
    sine, cosine = np.sin(np.radians(rotation_deg)), np.cos(np.radians(rotation_deg))
    turn = scale * np.array([[cosine, -sine], [sine, cosine]]) * mm / mm[:, None]
    centre = (np.array(shape[::-1]) - 1) / 2
    return np.column_stack([turn, centre + np.array(shift_mm)[::-1] / mm - turn @ centre])


def move(image: np.ndarray, matrix: np.ndarray, interpolation: int, border: float) -> np.ndarray:
    """Apply a matrix of `placement` to an image; `interpolation` is one of OpenCV's."""
    return cv2.warpAffine(image, matrix, image.shape[::-1], flags=interpolation, borderValue=border)
