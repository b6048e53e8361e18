"""A CT slice on its way to a network: fixed windows, true scale, the lungs alone.

Every step takes Hounsfield units (HU): air is −1000, water 0. An 8-bit picture has lost them and
is refused, and so are stored values that nobody has converted.
"""

import math

import cv2
import numpy as np
from numpy.typing import ArrayLike

AIR = -1000.0  # HU, by definition
PADDING_BELOW = -1500.0  # HU; no tissue reads so low, what scanners write around the circle does
OUTSIDE = -1.0  # grey of what a mask leaves out: below the 0 of a window, so it is never air

# Level and width in HU, usual presets for the chest; a centre may prefer others.
WINDOWS = {"lung": (-600.0, 1500.0), "mediastinum": (50.0, 350.0), "bone": (400.0, 1800.0)}


def require_hu(hu: ArrayLike) -> np.ndarray:
    """Return the array if its numbers can be HU.

    Raises ValueError if it is empty, not finite, or of a type without negative numbers.
    """
    return _checked(hu)[0]


def _checked(hu: ArrayLike) -> tuple[np.ndarray, float, float]:
    """Return the array of `require_hu` with its lowest and highest value."""
    hu = np.asarray(hu)
    if hu.dtype.kind not in "if":
        msg = f"expected HU, which are below 0 in air, got {hu.dtype}: a picture of grey values or"
        raise ValueError(f"{msg} unconverted stored values; read the DICOM files with read_dicom")
    if not hu.size:
        raise ValueError(f"expected an image, got the empty shape {hu.shape}")
    low, high = hu.min(), hu.max()
    if not np.isfinite([low, high]).all():  # both hand a NaN on
        count = np.count_nonzero(~np.isfinite(hu))
        msg = f"{count} of {hu.size} values are NaN or infinite; find out why, or set them to air"
        raise ValueError(msg)
    return hu, low, high


def fill_padding(hu: ArrayLike) -> np.ndarray:
    """Set what lies outside the scanner's circle to air.

    Scanners fill the corners with −2000, −2048, −3024, −32763 or so: all below −1500 HU counts.

    Parameters
    ----------
    hu : array_like of any shape
        HU, signed integers or floats.

    Returns
    -------
    numpy.ndarray
        The input itself if it has no padding, else a copy.

    Raises
    ------
    ValueError
        If the values cannot be HU (`require_hu`).

    Examples
    --------
    >>> fill_padding([-32763, -1024, 40]).tolist()
    [-1000, -1024, 40]
    """
    hu, low, _ = _checked(hu)
    if low >= PADDING_BELOW:
        return hu
    return np.where(hu < PADDING_BELOW, hu.dtype.type(AIR), hu)


def apply_window(hu: ArrayLike, level: float, width: float) -> np.ndarray:
    """Map a fixed range of HU to grey: (HU − level) / width + 1/2, cut off at 0 and 1.

    The same tissue gets the same grey in every image, unlike stretching each image from its own
    minimum to maximum. A constant image stays constant.

    Parameters
    ----------
    hu : array_like of any shape
        HU, signed integers or floats.
    level, width : float
        Centre and width of the range in HU, such as `WINDOWS["lung"]`.

    Returns
    -------
    numpy.ndarray of float32, the shape of `hu`
        From 0 (black) to 1 (white).

    Raises
    ------
    ValueError
        If the values cannot be HU (`require_hu`) or the width is not above 0.

    References
    ----------
    DICOM PS3.3, C.11.2.1.3.2, VOI LUT function LINEAR_EXACT.

    Examples
    --------
    >>> apply_window([-1350, -1000, -600, 3071], *WINDOWS["lung"])
    array([0.        , 0.23333333, 0.5       , 1.        ], dtype=float32)
    """
    return _to_grey(require_hu(hu), level, width)


def _to_grey(hu: np.ndarray, level: float, width: float) -> np.ndarray:
    if not (math.isfinite(level) and 0 < width < math.inf):
        raise ValueError(f"expected a level and a width above 0 HU, got {level} and {width}")
    grey = np.empty(hu.shape, np.float32)
    np.subtract(hu, np.float32(level - width / 2), out=grey)
    grey *= np.float32(1 / width)
    return np.clip(grey, 0, 1, out=grey)


def rescale(image: np.ndarray, factors: tuple[float, float]) -> np.ndarray:
    """Enlarge or shrink an image, by area averages where it shrinks and linearly where it grows.

    Sampling instead would drop small nodules and turn noise into patterns. The outer edges of the
    first row and column stay where they are.

    Parameters
    ----------
    image : array of shape (rows, columns), float32 or uint8
    factors : tuple of two float
        New pixels for each old one, along rows and columns.

    Returns
    -------
    array of shape (round(rows × factor), round(columns × factor))

    Examples
    --------
    >>> rescale(np.float32([[0, 2, 4, 6]]), (1, 0.5)).tolist()
    [[1.0, 5.0]]
    """
    rows, columns = factors
    if (rows - 1) * (columns - 1) < 0:  # one grows, one shrinks: each in its own way
        return rescale(rescale(image, (rows, 1)), (1, columns))
    method = cv2.INTER_LINEAR if max(factors) > 1 else cv2.INTER_AREA
    return cv2.resize(image, None, fx=columns, fy=rows, interpolation=method)


def pixel_size(pixel_mm: ArrayLike) -> tuple[float, float]:
    """Return the distance of rows and of columns, 0.05 to 20 mm, given one number or both."""
    row, column = np.broadcast_to(np.asarray(pixel_mm, float), 2).tolist()
    if not (0.05 <= row <= 20 and 0.05 <= column <= 20):
        msg = f"expected the pixel size in mm (PixelSpacing of the DICOM file), got {pixel_mm}"
        raise ValueError(msg)
    return row, column


def preprocess_ct_image(
    hu: ArrayLike,
    pixel_mm: ArrayLike,
    *,
    mask: np.ndarray | None,
    window: tuple[float, float] = WINDOWS["lung"],
    field_mm: float = 400.0,
    size: int = 224,
    placement: np.ndarray | None = None,
) -> np.ndarray:
    """Turn a CT slice into a network's input: window, true scale, mask.

    The window comes first, so that metal cannot bleed into its neighbours. Then a square field
    about the centre is brought to the output grid: one output pixel is field_mm / size wide in
    every patient, whatever the scanner's. The mask comes last: no pixel mixes it with tissue.

    Parameters
    ----------
    hu : array_like of shape (rows, columns)
        HU, signed integers or floats.
    pixel_mm : float or two floats
        Distance of neighbouring rows and columns.
    mask : array of bool or int, shape (rows, columns), or None
        What to keep, such as the lungs; None keeps everything, and has to be said.
    window : tuple of two float
        Level and width in HU, one of `WINDOWS`.
    field_mm : float
        Side of the square field; beyond the slice it is air. 400 mm hold most chests.
    size : int
        Rows and columns of the result.
    placement : array of shape (2, 3), optional
        For training: a move on the output grid (`augmentation.random_placement`).

    Returns
    -------
    numpy.ndarray of float32, shape (size, size)
        Grey from 0 to 1, `OUTSIDE` (−1) where the mask is not set.

    Raises
    ------
    ValueError
        If the values cannot be HU (`require_hu`) or none is below 0, if the image would have one
        grey only, or if the mask is empty or of another shape.
    """
    (hu, low, high), pixel, (level, width) = _checked(hu), pixel_size(pixel_mm), window
    if hu.ndim != 2:
        raise ValueError(f"expected one slice (rows, columns), got the shape {hu.shape}")
    if low >= 0:
        msg = f"no air: the lowest value is {low:g}; apply RescaleSlope and RescaleIntercept first"
        raise ValueError(msg)
    if low < PADDING_BELOW:
        hu = fill_padding(hu)
    # The window's ends cut first, its scale last: the same as all of it first, but faster.
    ends, grid = (level - width / 2, level + width / 2), (pixel, field_mm, size, placement)
    cut = np.clip(hu.astype(np.float32, copy=False), *ends)
    grey = _to_grey(_on_grid(cut, min(max(AIR, ends[0]), ends[1]), *grid), level, width)
    if grey.min() == grey.max():
        msg = f"HU from {low:g} to {high:g} are one grey only in the window {window}"
        raise ValueError(f"{msg}; leave the slice out or choose another window")
    if mask is not None:
        inside = _on_grid(_as_uint8(mask, hu.shape), 0, *grid) >= 128  # at least half of the pixel
        if not inside.any():
            raise ValueError("the mask is empty in this field; mask=None keeps the whole image")
        grey[~inside] = OUTSIDE
    return grey


def _as_uint8(mask: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return a mask as 0 and 255, after asking that it fits the image."""
    mask = np.asarray(mask)
    if mask.shape != shape or mask.dtype.kind not in "biu":
        msg = f"expected a bool or int mask of shape {shape}, got {mask.dtype} {mask.shape}"
        raise ValueError(msg)
    return cv2.compare(mask.astype(bool, copy=False).view(np.uint8), 0, cv2.CMP_NE)


def _on_grid(image, fill, pixel, field_mm, size, placement) -> np.ndarray:
    """Bring an image to the output grid about its centre, with `fill` around it.

    Area averages by whole factors leave less than two pixels to one; one linear interpolation,
    which looks at two, does the rest: close to area averages and several times as fast.
    """
    if not (size >= 1 and 0.05 <= field_mm / size <= 50):
        raise ValueError(f"a field of {field_mm} mm on {size} pixels makes no image of a chest")
    output_mm, steps = field_mm / size, np.eye(3)
    whole = [max(1, int(output_mm / mm)) for mm in pixel]
    for axis, (n, k, mm) in enumerate(zip(image.shape, whole, pixel, strict=True)):
        x = 1 - axis  # OpenCV counts columns first
        steps[x, x] = k * mm / output_mm  # from one pixel of the shrunken image to the next
        steps[x, 2] = (size - 1) / 2 + (k - n) / 2 * mm / output_mm
    matrix = (steps if placement is None else placement @ steps)[:2]
    image = rescale(image, (1 / whole[0], 1 / whole[1]))
    return cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderValue=fill)
