"""The shape of a nodule's outlines, without its size: four bands of a Fourier transform.

What a model of these bands can do: of two nodules of the same diameter, it tells better than
chance which one three or four radiologists found more suspicious (``experiments/nodule_shape.py``).
What it cannot do: tell cancer. Its label is the readers' opinion from the image, never pathology,
and the same readers drew the outlines by hand. On nodules that only one or two readers marked it
adds nothing to the diameter (``experiments/shape_carry_over.py``); with the outlines of a program,
or of another hospital, nobody has tried it.

An outline is a closed curve z(s) = x(s) + i y(s). Sampled at N points at equal distances along its
length, it is the sum of turning circles, c_k = 1/N Σ_n z_n exp(-2πi k n / N). c_0 is the position
and c_±1 the best ellipse; the further harmonics bend it. A rotation, or another first point, only
turns the phases of c_k; a scale multiplies all of them. So the powers |c_k|², divided by that of
the main circle, are free of position, direction, first point and size (Granlund 1972,
doi:10.1109/TC.1972.5008926; of the tangent's angle instead, Zahn and Roskies 1972,
doi:10.1109/TC.1972.5008949).

The pixels remain. A disc drawn in pixels has steps. The power of the last three bands together is
4e-3 at a radius of 4 pixels, 1e-3 at 8 and 2e-4 at 16: the finer bands tell size as well. So a
model of them has to stand beside the diameter, on pairs of nodules that are alike in size.
"""

from collections.abc import Iterable, Mapping

import cv2
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from medml.data.outlines import NoduleMasks

POINTS = 128  # of an outline
SMALLEST = 9  # pixels: a smaller slice has no shape to speak of
FLOOR = 1e-5  # added before the logarithm, far below the steps of the pixels
# First and last |k|. Of the two harmonics ±1, the smaller one makes the ellipse.
BANDS = {"ellipse": (1, 1), "lobulation": (2, 4), "mid": (5, 9), "roughness": (10, 24)}


def trace_outline(image: ArrayLike) -> np.ndarray:
    """Trace the outer border of the largest part of one slice.

    Parameters
    ----------
    image : array_like of bool, shape (rows, columns)
        Parts that touch at a corner are one.

    Returns
    -------
    array of complex, shape (points,)
        Column + i row of the border's own pixels, in order, in pixels. Holes are not traced. It
        is empty if the largest part has fewer than `SMALLEST` pixels.

    Raises
    ------
    ValueError
        If the image has not two axes.

    Examples
    --------
    >>> trace_outline(np.ones((3, 3))).size, trace_outline(np.ones((2, 2))).size
    (8, 0)
    """
    image = np.ascontiguousarray(np.asarray(image, bool)).view(np.uint8)
    if image.ndim != 2:
        raise ValueError(f"expected one slice, (rows, columns), got an array of {image.shape}")
    _, parts, table, _ = cv2.connectedComponentsWithStats(image)
    areas = table[1:, cv2.CC_STAT_AREA]  # row 0 is the background
    if not areas.size or areas.max() < SMALLEST:
        return np.empty(0, complex)
    largest = (parts == 1 + areas.argmax()).view(np.uint8)
    (border,), _ = cv2.findContours(largest, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return border[:, 0, 0] + 1j * border[:, 0, 1]


def sample_outline(outline: ArrayLike, points: int = POINTS) -> np.ndarray:
    """Place points at equal distances along a closed polygon.

    Parameters
    ----------
    outline : array_like of complex, shape (corners,)
        The last corner is joined to the first.
    points : int
        How many.

    Returns
    -------
    array of complex, shape (points,)
        The first is the first corner.

    Raises
    ------
    ValueError
        If the outline has no length.

    Examples
    --------
    >>> [complex(z) for z in sample_outline([0, 2, 2 + 2j, 2j], 4)]
    [0j, (2+0j), (2+2j), 2j]
    """
    corners = np.append(outline, outline[:1])
    length = np.concatenate([[0], np.abs(np.diff(corners)).cumsum()])
    if not length[-1] > 0:
        raise ValueError(f"an outline of {np.size(outline)} equal points has no length to divide")
    return np.interp(np.arange(points) * length[-1] / points, length, corners)


def band_powers(outline: ArrayLike) -> np.ndarray:
    """Return the power of each of the `BANDS` of one sampled outline, over that of its circle.

    The main circle is the larger of c_1 and c_-1: which one it is tells only the sense in which
    the outline was traced. A wave of m bumps, z = r e^{it} (1 + a cos mt), has the power a²/4 at
    k = 1 + m and again at k = 1 - m; an ellipse with half axes p and q, drawn as
    p cos t + i q sin t, has (p - q)² / (p + q)² in the band ellipse.

    Parameters
    ----------
    outline : array_like of complex, shape (points,)
        As `sample_outline` gives it; at least 49 points, which the highest harmonic needs.

    Returns
    -------
    array of shape (4,)
        In the order of `BANDS`; no unit.

    Raises
    ------
    ValueError
        If there are too few points.

    Examples
    --------
    >>> t = 2 * np.pi * np.arange(128) / 128
    >>> band_powers(3 * np.cos(t) + 1j * np.sin(t)).round(6).tolist()
    [0.25, 0.0, 0.0, 0.0]
    """
    points = np.size(outline)
    if points < 2 * BANDS["roughness"][1] + 1:
        raise ValueError(f"expected at least 49 points of an outline, got {points}: sample more")
    power = np.abs(np.fft.fft(outline)) ** 2
    both = power[1:] + power[:0:-1]  # |c_k|² + |c_-k|² for k = 1, 2, …
    main = max(power[1], power[-1])
    both[0] -= main
    return np.array([both[first - 1 : last].sum() for first, last in BANDS.values()]) / main


def fourier_bands(mask: ArrayLike) -> np.ndarray:
    """Return the logarithms of the band powers of a mask: their mean over its slices, by area.

    Parameters
    ----------
    mask : array_like of bool, shape (slices, rows, columns)
        Pixels are square. Slices without a part of `SMALLEST` pixels are left out.

    Returns
    -------
    array of shape (4,)
        ln(Σ a_j p_j / Σ a_j + FLOOR) in the order of `BANDS`, where a_j is the number of pixels
        of slice j and p_j what `band_powers` gives for its outline.

    Raises
    ------
    ValueError
        If no slice is large enough, or the mask has not three axes.
    """
    mask = np.asarray(mask, bool)
    if mask.ndim != 3:
        raise ValueError(f"expected a mask (slices, rows, columns), got an array of {mask.shape}")
    outlines = [trace_outline(image) for image in mask]
    kept = [j for j, outline in enumerate(outlines) if outline.size]
    if not kept:
        largest = mask.sum(axis=(1, 2)).max(initial=0)
        msg = f"no shape without a slice of {SMALLEST} joined pixels; the largest has {largest}"
        raise ValueError(msg)
    powers = [band_powers(sample_outline(outlines[j])) for j in kept]
    return np.log(np.average(powers, axis=0, weights=mask[kept].sum(axis=(1, 2))) + FLOOR)


def mean_bands(masks: Iterable[ArrayLike]) -> np.ndarray:
    """Return the mean of `fourier_bands` over several masks of one nodule, such as its readers'.

    Each hand is rough in its own way; the mean keeps what the hands agree on.

    Parameters
    ----------
    masks : iterable of array_like of bool, shape (slices, rows, columns)
        A mask without a slice of `SMALLEST` joined pixels is left out.

    Returns
    -------
    array of shape (4,)
        In the order of `BANDS`; NaN, "not measurable", if every mask was left out.
    """
    drawn = [mask for mask in masks if any(trace_outline(image).size for image in mask)]
    if not drawn:
        return np.full(len(BANDS), np.nan)
    return np.mean([fourier_bands(mask) for mask in drawn], axis=0)


def shape_features(masks: Mapping[int, NoduleMasks]) -> pd.DataFrame:
    """Measure the shape of nodules: the mean of the Fourier bands over their readers.

    Parameters
    ----------
    masks : mapping of nodule_id to NoduleMasks
        As `lidc.load_masks` gives it.

    Returns
    -------
    DataFrame
        Indexed by nodule_id, in the order of the mapping: the columns of `BANDS`, as `mean_bands`
        gives them for the masks of the readers.

    Examples
    --------
    >>> square = NoduleMasks(np.ones((2, 1, 9, 9), bool), (1, 2), (0, 0, 0), 0.0, (1.0, 0.7, 0.7))
    >>> shape_features({7: square}).round(1).loc[7].to_dict()
    {'ellipse': -11.5, 'lobulation': -4.4, 'mid': -6.1, 'roughness': -8.7}
    """
    rows = [mean_bands(nodule.readers) for nodule in masks.values()]
    index = pd.Index(masks, name="nodule_id")
    return pd.DataFrame(np.reshape(rows, (-1, len(BANDS))), index, list(BANDS))
