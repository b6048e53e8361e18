"""Finding the lungs in a slice of the chest, and saying what was done and what looks wrong.

Lung tissue is mostly air, so a threshold finds it; but so are the room, the stomach, the windpipe
and a hollow table, and a nodule that sits on the chest wall is no air and is lost. Each step below
answers one of these; `medml.diagnosis.pleura` repairs the last.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike

from medml.diagnosis.ct import PADDING_BELOW, WINDOWS, pixel_size, require_hu
from medml.diagnosis.pleura import bridge_dents

THRESHOLD_HU = -400.0  # half way
GAS_HU = (
    -950.0
)  # below: gas alone, as in the room, windpipe and stomach; lung tissue has blood in it
WALL_MM = 4.0  # the chest wall is thicker, a table's shell and a blanket are thinner
ENCLOSED = 0.6  # share of a lung's border that lies on the chest wall or on the image's edge
SMALLEST_CM2 = 1.5  # smaller air spaces are left out
PLAUSIBLE_CM2 = (20.0, 480.0)  # both lungs in one slice of an adult
UNEQUAL = 0.4  # the smaller lung's share of the larger one's area


@dataclass(frozen=True)
class LungReport:
    """What `segment_lungs` did.

    Attributes
    ----------
    areas_cm2 : tuple of two floats
        Area of the lung left and right in the image, in cm²; the left one is the patient's right
        lung in the usual display.
    steps : dict of str to float
        What each step found or changed, in the order of the steps.
    warnings : tuple of str
        What a person should look at; empty if nothing looked wrong.
    """

    areas_cm2: tuple[float, float]
    steps: dict[str, float]
    warnings: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Lungs:
    """The lungs of a slice: `mask`, bool, shape (rows, columns), and a `report`."""

    mask: np.ndarray
    report: LungReport


def segment_lungs(
    image: ArrayLike,
    pixel_mm: ArrayLike,
    *,
    window: tuple[float, float] = WINDOWS["lung"],
    closing_mm: float = 10.0,
    repair: bool = True,
) -> Lungs:
    hu, floor = _read(image, window)
    spacing = pixel_size(pixel_mm)
    pixel = float(np.sqrt(spacing[0] * spacing[1]))
    padding = hu < PADDING_BELOW
    air = ((hu < max(THRESHOLD_HU, floor + 1)) & ~padding).view(np.uint8)
    wall = _chest_wall(air, padding, pixel)
    pieces, dropped = _lung_pieces(hu, air, padding, wall, pixel)
    sides = _sides(pieces, wall)
    mask = np.zeros(air.shape, np.uint8)
    for side, sign in zip(sides, (1, -1)):
        mask |= _complete(side, pixel, closing_mm, repair, np.array([sign, 0.0]))
    return Lungs(mask.astype(bool), LungReport((0, 0), {}, ()))


def _read(image, window):
    image = np.asarray(image)
    if image.ndim != 2:
        msg = f"expected one slice, shape (rows, columns), got shape {image.shape}"
        raise ValueError(msg)
    if image.dtype == np.uint8:
        level, width = window
        grey = np.linspace(level - width / 2, level + width / 2, 256, dtype=np.float32)
        if grey[0] < -1200:
            grey[0] = -2048.0
        return grey[image], float(level - width / 2)
    return require_hu(image), -np.inf


def _disc(mm: float, pixel: float) -> np.ndarray:
    side = 2 * max(1, round(mm / pixel / 2)) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))


def _chest_wall(air, padding, pixel):
    tissue = ((air == 0) & ~padding).view(np.uint8)
    thick = cv2.morphologyEx(tissue, cv2.MORPH_OPEN, _disc(WALL_MM, pixel))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(thick, connectivity=4)
    if count == 1:
        return thick
    body = 1 + stats[1:, cv2.CC_STAT_AREA].argmax()
    return (labels == body).view(np.uint8)


def _lung_pieces(hu, air, padding, wall, pixel):
    near = cv2.dilate(wall | padding, np.ones((3, 3), np.uint8))
    near[[0, -1]] = near[:, [0, -1]] = 1
    count, labels, stats, centres = cv2.connectedComponentsWithStats(air, connectivity=4)
    pieces, dropped = [], []
    large = 1 + np.flatnonzero(stats[1:, cv2.CC_STAT_AREA] * pixel**2 >= 100 * SMALLEST_CM2)
    for label in large:
        x, y, w, h, area = stats[label]
        box = np.s_[y : y + h, x : x + w]
        piece = (labels[box] == label).view(np.uint8)
        values = hu[box][piece.view(bool)][:: max(1, area // 2000)]
        contours, _ = cv2.findContours(piece, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        rim = max(contours, key=len)[:, 0]
        enclosed = near[box][rim[:, 1], rim[:, 0]].mean()
        if np.median(values) < GAS_HU or enclosed < ENCLOSED:
            dropped.append((label, area))
        else:
            pieces.append((piece, x, y))
    return pieces, dropped


def _sides(pieces, wall):
    columns = np.flatnonzero(wall.any(axis=0))
    middle = columns.mean() if len(columns) else wall.shape[1] / 2
    sides = [np.zeros(wall.shape, np.uint8) for _ in range(2)]
    for piece, x, y in pieces:
        h, w = piece.shape
        profile = piece.sum(axis=0)
        centre = x + (profile * np.arange(w)).sum() / profile.sum()
        cut = 0 if centre > middle else w
        lo, hi = x - middle, x + w - middle
        if lo < -0.25 * len(columns) and hi > 0.25 * len(columns):
            third = len(columns) // 6
            a = max(0, int(middle - third - x))
            cut = a + int(profile[a : int(middle + third - x)].argmin())
        sides[0][y : y + h, x : x + cut] |= piece[:, :cut]
        sides[1][y : y + h, x + cut : x + w] |= piece[:, cut:]
    return sides


def _fill(mask):
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(mask, contours, -1, 1, -1)


def _complete(side, pixel, closing_mm, repair, medial):
    x, y, w, h = cv2.boundingRect(side)
    if not w:
        return side
    margin = int(np.ceil(closing_mm / pixel)) + 2
    crop = cv2.copyMakeBorder(
        side[y : y + h, x : x + w], *[margin] * 4, cv2.BORDER_CONSTANT, value=0
    )
    _fill(crop)
    if closing_mm > 0:
        crop = _fill(cv2.morphologyEx(crop, cv2.MORPH_CLOSE, _disc(closing_mm, pixel)))
    if repair:
        bridge_dents(crop, pixel, medial)
    full = np.zeros_like(side)
    full[y : y + h, x : x + w] = crop[margin:-margin, margin:-margin]
    return full
