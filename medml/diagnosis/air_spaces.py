"""The body in a slice of the chest, and the spaces of air in and around it."""

from typing import NamedTuple

import cv2
import numpy as np

GAS_HU = -950.0  # median; below is gas alone, as in room, windpipe and bowel: lungs hold blood too
WALL_MM = 4.0  # a chest wall is thicker; the shell of a table and a blanket are thinner
INSIDE = 0.6  # share of a lung that lies in the body
RIM = 0.75  # where the image's edge cuts a lung, share of its other rim that lies on thick tissue
VESSEL_MM = 12.0  # vessels that the image's edge cuts are thinner
SMALLEST_CM2 = 1.0  # smaller spaces of air are left out


class Piece(NamedTuple):
    """One connected space of air: a mask (uint8, 0 and 1) whose first pixel is at (top, left)."""

    mask: np.ndarray
    left: int
    top: int
    area_cm2: float
    at_edge: bool  # touches the image's edge or padding
    kind: str  # "lung", "gas" (no tissue in it) or "outside" (not in the body)


def disc(mm: float, pixel: float) -> np.ndarray:
    """Return a disc of this diameter, of at least 3 pixels, as a kernel."""
    side = 2 * max(1, round(mm / pixel / 2)) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))


def find_body(hollow: np.ndarray, pixel: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the body with all that it encloses, and all tissue thicker than 4 mm.

    All masks are of uint8, 0 and 1; `hollow` is what is no tissue.
    """
    thick = cv2.morphologyEx(1 - hollow, cv2.MORPH_OPEN, disc(WALL_MM, pixel))
    contours, _ = cv2.findContours(thick, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    largest = sorted(contours, key=cv2.contourArea)[-1:]
    return cv2.drawContours(np.zeros_like(thick), largest, -1, 1, cv2.FILLED), thick


def find_air(
    hu: np.ndarray,
    air: np.ndarray,
    padding: np.ndarray,
    body: np.ndarray,
    thick: np.ndarray,
    pixel: float,
    floor: float,
) -> list[Piece]:
    """Return the connected spaces of air that are large enough, and what each of them is.

    Parameters
    ----------
    hu : array of shape (rows, columns)
        The slice in HU.
    air, padding, body, thick : arrays of uint8, shape (rows, columns)
        1 where they are, 0 elsewhere; the last two as `find_body` gives them.
    pixel : float
        Pixel spacing in mm.
    floor : float
        Lowest HU that the image can tell from others. Where it lies above `GAS_HU`, gas looks like
        lung: then only the two largest pieces in the body count as lungs.
    """
    wall = round(WALL_MM / pixel) + 1  # so near to the edge, a wall would be too thin to be seen
    edge = cv2.dilate(padding, disc(2 * WALL_MM, pixel))
    edge[:wall] = edge[-wall:] = edge[:, :wall] = edge[:, -wall:] = 1
    cut = floor < GAS_HU and bool((edge & body).any())  # then a lung may lie open
    near_tissue = cv2.dilate(thick, disc(WALL_MM, pixel))
    _, labels = cv2.connectedComponents(air, connectivity=4)
    areas = np.bincount(labels.ravel()) * (pixel**2 / 100)
    pieces = []
    for label in 1 + np.flatnonzero(areas[1:] >= SMALLEST_CM2):
        mask = cv2.compare(labels, int(label), cv2.CMP_EQ)
        x, y, w, h = cv2.boundingRect(mask)
        box = np.s_[y : y + h, x : x + w]
        mask = mask[box] & 1
        every = max(1, round((areas[label] * 100 / pixel**2 / 2000) ** 0.5))
        some = np.s_[::every, ::every]  # enough pixels for a share and a median
        pixels = mask[some].view(bool)
        gas = np.median(hu[box][some][pixels]) < GAS_HU
        inside = body[box][some][pixels].mean() >= INSIDE
        at_edge = bool((edge[box] & mask).any())
        if cut and not (inside or gas):
            whole = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, disc(VESSEL_MM, pixel))
            inside = _rim_on(near_tissue[box], whole, edge[box]) >= RIM
        kind = ("gas" if gas else "lung") if inside else "outside"
        pieces.append(Piece(mask, x, y, float(areas[label]), at_edge, kind))
    if floor >= GAS_HU:
        small = sorted(piece.area_cm2 for piece in pieces if piece.kind == "lung")[:-2]
        pieces = [p._replace(kind="gas") if p.area_cm2 in small else p for p in pieces]
    return pieces


def _rim_on(tissue: np.ndarray, mask: np.ndarray, edge: np.ndarray) -> float:
    """Return what share of a piece's rim is on tissue, the rim at the image's edge aside."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    columns, rows = np.concatenate(contours)[:, 0].T
    free = edge[rows, columns] == 0
    return float(tissue[rows, columns][free].mean()) if free.any() else 0.0
