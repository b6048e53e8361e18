"""Finding the lungs in a slice of the chest, and saying what was done and what looks wrong.

Lung tissue is mostly air, so a threshold finds it. But the room, the windpipe, the stomach's gas
and a hollow table are air too, and a nodule that sits on the chest wall is none and gets lost. Each
step answers one of these:

1. The body: the largest piece of tissue thicker than 4 mm, filled.
2. Air: between padding and −400 HU, in connected pieces of at least 1 cm².
3. Lung: pieces in the body whose median is above −950 HU. (Gas without tissue is room, windpipe or
   bowel.) A piece that the image's edge or padding cuts open counts if its other rim lies on tissue
   thicker than 4 mm.
4. Left and right are parted, their holes filled, and each is closed with a disc.
5. Dents in the outline along the ribs, as nodules on the chest wall leave them, are bridged
   (`medml.diagnosis.pleura`).

Source of 2 and 4: Hu S, Hoffman EA, Reinhardt JM (2001), doi:10.1109/42.929615; of 5: Pu J et al.
(2008), doi:10.1016/j.compmedimag.2008.04.005.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike

from medml.diagnosis.air_spaces import Piece, disc, find_air, find_body
from medml.diagnosis.ct import PADDING_BELOW, WINDOWS, pixel_size, require_hu
from medml.diagnosis.lung_report import LungReport, write_report
from medml.diagnosis.pleura import bridge_dents

THRESHOLD_HU = -400.0  # half way between lung tissue (about −850) and soft tissue (about 50)
JOINED = 0.17  # of the body's width: what reaches so far to both sides of the middle is two lungs


@dataclass(frozen=True, eq=False)
class Lungs:
    """The lungs of one slice.

    Attributes
    ----------
    mask : array of bool, shape (rows, columns)
        Both lungs with the vessels and nodules in them; all False if no lung was found.
    report : LungReport
        Areas, what each step did, and warnings.
    """

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
    """Find both lungs in one axial slice of the chest.

    Parameters
    ----------
    image : array_like, shape (rows, columns)
        HU (signed integers or floats; values below −1500 are padding), or grey values of type
        uint8. The first row is in front. Turns by up to 10° do no harm.
    pixel_mm : float or two floats
        Pixel spacing in mm, of rows and columns.
    window : tuple of float
        Level and width in HU with which a uint8 image was made: grey 0 is read as level − width/2,
        grey 255 as level + width/2. The default is the lung window. Not used for HU. A window that
        ends above lung tissue cannot tell lung from gas, and a warning says so.
    closing_mm : float
        Diameter of the disc of step 4 in mm; 0 leaves the closing out.
    repair : bool
        Whether to do step 5.

    Returns
    -------
    Lungs
        Where nothing looks like lung (a constant slice, the abdomen) the mask is empty and the
        report says "no lung found".

    Raises
    ------
    ValueError
        If the image has another shape, is empty, holds NaN or is of a type that is neither HU nor
        uint8, or a size in mm is impossible.

    Examples
    --------
    >>> from medml.diagnosis.phantom import thorax
    >>> phantom = thorax(0, size=128, nodule="juxtapleural")  # simulated pixels
    >>> lungs = segment_lungs(phantom.hu, phantom.pixel_mm)
    >>> bool(lungs.mask[phantom.nodule].mean() > 0.9), lungs.report.warnings
    (True, ())
    """
    hu, floor = _read(image, window)
    pixel = float(np.prod(pixel_size(pixel_mm)) ** 0.5)
    if not 0 <= closing_mm <= 50:
        msg = f"closing_mm is {closing_mm}: take 0 to 50 mm"
        raise ValueError(msg)
    padding = (hu < PADDING_BELOW).view(np.uint8)
    air = cv2.subtract((hu < max(THRESHOLD_HU, floor + 1)).view(np.uint8), padding)
    body, thick = find_body(air | padding, pixel)
    pieces = find_air(hu, air, padding, body, thick, pixel, floor)
    found = _left_and_right([piece for piece in pieces if piece.kind == "lung"], body)
    closed = [_close(side, pixel, closing_mm) for side in found]
    sides, bridges = [side.copy() for side in closed], 0
    if repair:
        middle = _middle(closed, body)
        bridges = sum(bridge_dents(side, pixel, middle) for side in sides)
    report = write_report(hu, pixel, floor, body, pieces, (found, closed, sides), bridges)
    return Lungs((sides[0] | sides[1]).astype(bool), report)


def _read(image: ArrayLike, window: tuple[float, float]) -> tuple[np.ndarray, float]:
    """Return the image in HU, and the lowest HU that it can tell from others."""
    image = np.asarray(image)
    if image.ndim != 2:
        msg = f"expected one slice of shape (rows, columns), got shape {image.shape}"
        raise ValueError(msg)
    if image.dtype != np.uint8 or not image.size:
        return require_hu(image), -np.inf
    level, width = window
    if not width > 0:
        msg = f"expected a window as level and positive width in HU, got {window}"
        raise ValueError(msg)
    grey = np.linspace(level - width / 2, level + width / 2, 256, dtype=np.float32)
    floor = float(grey[0])
    if floor < -1200:  # no tissue and no air is so dark: what was cut off there is padding
        grey[0] = PADDING_BELOW - 1
    return cv2.LUT(np.ascontiguousarray(image), grey), floor


def _left_and_right(pieces: list[Piece], body: np.ndarray) -> list[np.ndarray]:
    """Sort the lungs' pieces into the image's left and right half, two masks of 0 and 1.

    Where both lungs hang together, in front of the heart, they are cut at their lowest column.
    """
    left, _, width, _ = cv2.boundingRect(body)
    middle, sides = left + width / 2, [np.zeros_like(body) for _ in range(2)]
    for piece in pieces:
        rows, columns = piece.mask.shape
        heights = piece.mask.sum(axis=0, dtype=np.int32)
        begin, end = (round(middle + f * width - piece.left) for f in (-JOINED, JOINED))
        if 0 < begin < end < columns:
            cut = begin + int(heights[begin:end].argmin())
        else:
            centre = piece.left + heights @ np.arange(columns) / heights.sum()
            cut = columns if centre < middle else 0
        box = np.s_[piece.top : piece.top + rows, piece.left : piece.left + columns]
        sides[0][box][:, :cut] |= piece.mask[:, :cut]
        sides[1][box][:, cut:] |= piece.mask[:, cut:]
    return sides


def _middle(sides: list[np.ndarray], body: np.ndarray) -> np.ndarray:
    """Return the point half way between both lungs as x and y; with one lung, the body's middle."""
    left, top, width, height = cv2.boundingRect(body)
    moments = [cv2.moments(side, binaryImage=True) for side in sides if side.any()]
    centres = [(m["m10"] / m["m00"], m["m01"] / m["m00"]) for m in moments]
    if len(centres) == 2:
        return np.mean(centres, axis=0)
    y = centres[0][1] if centres else top + height / 2
    return np.array([left + width / 2, y])


def _close(side: np.ndarray, pixel: float, closing_mm: float) -> np.ndarray:
    """Fill the holes of one lung and close its gaps: vessels at its border, small dents."""
    x, y, w, h = cv2.boundingRect(side)
    closed = np.zeros_like(side)
    if not w:
        return closed
    kernel = disc(closing_mm, pixel) if closing_mm else None
    margin = len(kernel) if closing_mm else 0
    crop = side[y : y + h, x : x + w]
    crop = _filled(cv2.copyMakeBorder(crop, *[margin] * 4, cv2.BORDER_CONSTANT, value=0))
    if closing_mm:
        crop = _filled(cv2.morphologyEx(crop, cv2.MORPH_CLOSE, kernel))
    closed[y : y + h, x : x + w] = crop[margin : margin + h, margin : margin + w]
    return closed


def _filled(mask: np.ndarray) -> np.ndarray:
    """Fill the holes of a mask, in place."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(mask, contours, -1, 1, cv2.FILLED)
