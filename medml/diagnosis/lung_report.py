"""What `medml.diagnosis.lungs` did to a slice, and what a person should look at."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from medml.diagnosis.air_spaces import Piece

PLAUSIBLE_CM2 = (20.0, 480.0)  # both lungs in one slice of an adult
UNEQUAL = 0.45  # smaller lung over larger; the heart takes a third of the left one
BEHIND_MM = 30.0  # how much further from the back one lung may end; 10 mm in a body turned by 10°
GAS_CM2 = 5.0  # more gas in the body than a windpipe's section
METAL_HU, METAL_CM2 = 2800.0, 0.1
LUNG_HU = -700.0  # a window that ends above it cannot tell lung from gas


@dataclass(frozen=True)
class LungReport:
    """What `segment_lungs` did.

    Attributes
    ----------
    areas_cm2 : tuple of two floats
        Areas in cm² of the lung on the left and on the right of the image. In the usual display
        the left one is the patient's right lung.
    steps : dict of str to float
        What the steps found and changed, in their order: `air_pieces` and `lung_pieces` (counts),
        `left_out_cm2` (air in or under the body that is no lung), `threshold_cm2` (lung found by
        the threshold), `closing_cm2` (added by filling holes and closing), `repair_cm2` (added by
        bridges) and `bridges` (count).
    warnings : tuple of str
        What a person should look at; empty if nothing looked wrong.
    """

    areas_cm2: tuple[float, float]
    steps: dict[str, float]
    warnings: tuple[str, ...]


def write_report(
    hu: np.ndarray,
    pixel: float,
    floor: float,
    body: np.ndarray,
    pieces: list[Piece],
    stages: tuple[list[np.ndarray], ...],
    bridges: int,
) -> LungReport:
    """Sum up the steps and look for what is not as it should be.

    Parameters
    ----------
    hu : array of shape (rows, columns)
        The slice in HU.
    pixel : float
        Pixel spacing in mm.
    floor : float
        Lowest HU that the image can tell from others.
    body : array of uint8, shape (rows, columns)
        1 in the body.
    pieces : list of Piece
        All spaces of air.
    stages : tuple of three lists of two masks
        Left and right side after the threshold, the closing and the repair.
    bridges : int
        How many dents were bridged.
    """
    areas = [[cv2.countNonZero(side) * pixel**2 / 100 for side in sides] for sides in stages]
    found, closed, final = (sum(pair) for pair in areas)
    others = [piece for piece in pieces if piece.kind != "lung" and not piece.at_edge]
    lungs = [piece for piece in pieces if piece.kind == "lung"]
    steps = {
        "air_pieces": len(pieces),
        "lung_pieces": len(lungs),
        "left_out_cm2": sum(piece.area_cm2 for piece in others),
        "threshold_cm2": found,
        "closing_cm2": closed - found,
        "repair_cm2": final - closed,
        "bridges": bridges,
    }
    gas = sum(piece.area_cm2 for piece in others if piece.kind == "gas")
    cut = any(piece.at_edge for piece in lungs)
    warnings = [*_image(hu, pixel, floor), *_edges(body, cut), *_lungs(areas[-1])]
    behind = [_tissue_behind(body, side) * pixel for side in stages[-1]]
    if abs(behind[0] - behind[1]) > BEHIND_MM:
        warnings.append(
            f"tissue behind the lungs is {behind[0]:.0f} and {behind[1]:.0f} mm thick: fluid, "
            "collapse or a mass may have taken the place of lung"
        )
    if gas > GAS_CM2:
        warnings.append(f"air outside the lungs taken out: {gas:.0f} cm² of gas inside the body")
    return LungReport(tuple(areas[-1]), steps, tuple(warnings))


def _image(hu: np.ndarray, pixel: float, floor: float) -> Iterator[str]:
    """Yield what is odd about the image itself."""
    low, high = hu.min(), hu.max()
    if low == high:
        yield f"constant image: all pixels are {low:g}"
    elif low > LUNG_HU and floor < LUNG_HU:
        yield f"no value below {low:.0f}: are these HU, or has a window cut them off?"
    if floor > LUNG_HU:
        yield f"the window ends at {floor:.0f} HU: lung and gas look alike in it"
    if high > METAL_HU and np.count_nonzero(hu > METAL_HU) * pixel**2 / 100 > METAL_CM2:
        yield "metal: its streaks may cut the lungs' outline"


def _edges(body: np.ndarray, cut: bool) -> Iterator[str]:
    """Yield what the image's edge cuts off."""
    rows, columns = body.shape
    x, y, width, height = cv2.boundingRect(body)
    if cut:
        yield "lung cut off by the image border"
    elif width and min(x, y, columns - x - width, rows - y - height) == 0:
        yield "body touches the image border"


def _tissue_behind(body: np.ndarray, side: np.ndarray) -> float:
    """Return the median height of the body's pixels below a lung's lowest ones, NaN for no lung."""
    columns = np.flatnonzero(side.any(axis=0))
    if not len(columns):
        return np.nan
    columns = columns[:: max(1, len(columns) // 50)]
    lung, around = side[::-1, columns], body[::-1, columns]
    return float(np.median(lung.argmax(axis=0) - around.argmax(axis=0)))


def _lungs(areas: list[float]) -> Iterator[str]:
    """Yield what is odd about the lungs' areas, left and right in cm²."""
    small, large = sorted(areas)
    low, high = PLAUSIBLE_CM2
    if not large:
        yield "no lung found"
    elif not small:
        yield "one lung only"
    elif small < UNEQUAL * large:
        yield f"unequal lungs: {areas[0]:.0f} and {areas[1]:.0f} cm²"
    if large and not low <= small + large <= high:
        yield f"lung area implausible: {small + large:.0f} cm², expected {low:.0f} to {high:.0f}"
