"""The same nodule on another scanner: blur and noise, simulated."""

import cv2
import numpy as np
from numpy.typing import ArrayLike


def rescan(
    images: ArrayLike,
    seed: int,
    *,
    blur_mm: ArrayLike = 0.0,
    noise_hu: ArrayLike = 0.0,
    pixel_mm: float = 0.7,
) -> np.ndarray:
    """Return images as a softer or noisier scanner would have made them.

    Blur comes first, as in a scanner, and takes away part of the old noise; then comes noise that
    differs from pixel to pixel. An image cannot be made sharper or quieter than it was.

    Parameters
    ----------
    images : array_like of float32, shape (n, 1, rows, columns)
        In HU.
    seed : int
        Of the noise; each image has a generator of its own.
    blur_mm, noise_hu : array_like of shape () or (n,)
        Standard deviations of the Gaussian blur and of the noise that are added, for all images
        or one by one; 0 adds none.
    pixel_mm : float

    Returns
    -------
    numpy.ndarray of float32, the shape of `images`
        A copy, in HU.

    Raises
    ------
    ValueError
        If the shape is another one, a value is not finite, or blur, noise or pixel is negative.

    Examples
    --------
    >>> float(rescan(np.zeros((1, 1, 64, 64)), 0, noise_hu=50).std().round())
    50.0
    """
    images = np.array(images, np.float32)
    if images.ndim != 4 or images.shape[1] != 1 or not np.isfinite(images).all():
        msg = f"expected finite images (n, 1, rows, columns) in HU, got shape {images.shape}"
        raise ValueError(msg)
    blur, noise = (np.broadcast_to(value, len(images)) for value in (blur_mm, noise_hu))
    if not (pixel_mm > 0 and (blur >= 0).all() and (noise >= 0).all()):
        msg = f"expected blur and noise of at least 0, got {blur.min()} mm and {noise.min()} HU"
        raise ValueError(msg)
    for number, (mm, hu) in enumerate(zip(blur, noise, strict=True)):
        image = images[number, 0]
        if mm:
            sigma = float(mm / pixel_mm)
            cv2.GaussianBlur(image, (0, 0), sigma, image, borderType=cv2.BORDER_REPLICATE)
        generator = np.random.default_rng([seed, number])
        image += np.float32(hu) * generator.standard_normal(image.shape, np.float32)
    return images
