"""Seating a real nodule's outline in the lungs of a simulated chest, at true scale in mm."""

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np

from medml.data import lidc
from medml.data.outlines import NoduleMasks
from medml.diagnosis.canvas import OVERSAMPLING, Canvas
from medml.diagnosis.cohort import load_cohort
from medml.diagnosis.rendering import largest_slice

KINDS = ("central", "juxtapleural")
TRIES = 40
CLEARANCE_MM = 3.0  # lung tissue around a central nodule
CUT_OFF = (0.05, 0.2)  # share of a juxtapleural nodule beyond the wall, which is cut off


def implant(
    canvas: Canvas,
    kind: str,
    lungs: np.ndarray,
    cavity: np.ndarray,
    rng: np.random.Generator,
    nodule_ids: Sequence[int] | None = None,
) -> tuple[int, np.ndarray]:
    """Draw nodules until one fits, and place it.

    Parameters
    ----------
    canvas : Canvas
    kind : {"central", "juxtapleural"}
        With lung tissue all around, or seated on the chest wall.
    lungs : array of uint8, shape (rows, columns)
        255 where the lungs are on the canvas.
    cavity : array of shape (points, 2)
        The inner chest wall in mm, a closed curve.
    rng : numpy.random.Generator
    nodule_ids : sequence of int, optional
        Draw from these; by default from the cohort's patients that are not locked.

    Returns
    -------
    nodule_id : int
    mask : array of uint8, shape (rows, columns)
        255 in the nodule.

    Raises
    ------
    ValueError
        If none of 40 drawn nodules fits, a nodule is unknown, or its readers share no voxel.
    """
    pool = _unlocked() if nodule_ids is None else tuple(nodule_ids)
    if not pool:
        raise ValueError("nodule_ids is empty: give at least one nodule")
    seat = _inside if kind == "central" else _on_wall
    for _ in range(TRIES):
        nodule_id = int(rng.choice(pool))
        stamp = _turned(*_outline(nodule_id), canvas, rng)
        mask = seat(canvas, stamp, lungs, cavity, rng)
        if mask is not None:
            return nodule_id, mask
    msg = f"none of {TRIES} drawn nodules fits the lungs: take another seed or smaller nodules"
    raise ValueError(msg)


@lru_cache(maxsize=1)
def _unlocked() -> tuple[int, ...]:
    """Return the nodules of patients that are not locked."""
    cohort = load_cohort()
    return tuple(cohort.index[~cohort.locked])


@lru_cache(maxsize=1)
def _masks() -> dict[int, NoduleMasks]:
    """Return the masks of all nodules."""
    return lidc.load_masks()


def patient_of(nodule_id: int) -> str:
    """Return the id of a nodule's patient."""
    return _patients()[nodule_id]


@lru_cache(maxsize=1)
def _patients() -> dict[int, str]:
    """Return the patient of each nodule."""
    return lidc.load_nodules().patient_id.to_dict()


def _outline(nodule_id: int) -> tuple[np.ndarray, float]:
    """Return the largest slice of a nodule's consensus mask, and its pixel in mm."""
    if nodule_id not in _masks():
        msg = f"unknown nodule {nodule_id}, expected numbers from lidc.load_nodules().index"
        raise ValueError(msg)
    masks = _masks()[nodule_id]
    return largest_slice(masks), masks.spacing_mm[2]


def _turned(mask: np.ndarray, pixel_mm: float, canvas: Canvas, rng) -> np.ndarray:
    """Return the mask on the canvas's grid, turned by a random angle: bool, square."""
    factor = pixel_mm * canvas.scale
    side = int(np.ceil(np.hypot(*mask.shape) * factor)) + 4
    middle = (np.array(mask.shape[::-1]) - 1) / 2
    turn = cv2.getRotationMatrix2D(middle.tolist(), rng.uniform(0, 360), factor)
    turn[:, 2] += (side - 1) / 2 - middle
    return cv2.warpAffine(mask.astype(np.float32), turn, (side, side)) >= 0.5


def _stamped(lungs: np.ndarray, stamp: np.ndarray, row: int, column: int) -> np.ndarray | None:
    """Return the mask of a stamp with its first pixel at (row, column), None if it sticks out."""
    rows, columns = stamp.shape
    if min(row, column) < 0 or row + rows > lungs.shape[0] or column + columns > lungs.shape[1]:
        return None
    mask = np.zeros_like(lungs)
    mask[row : row + rows, column : column + columns] = stamp * np.uint8(255)
    return mask


def _inside(canvas: Canvas, stamp, lungs, cavity, rng) -> np.ndarray | None:
    """Place a stamp where lung tissue surrounds it."""
    pixels = np.argwhere(stamp)
    centre = (np.array(stamp.shape) - 1) / 2
    reach = np.linalg.norm(pixels - centre, axis=1).max() + CLEARANCE_MM * canvas.scale
    coarse = cv2.resize(lungs, None, fx=1 / OVERSAMPLING, fy=1 / OVERSAMPLING)
    distance = cv2.distanceTransform(coarse, cv2.DIST_L2, 3)
    room = np.argwhere(distance * OVERSAMPLING > reach)
    if not len(room):
        return None
    row, column = np.round(rng.choice(room) * OVERSAMPLING - centre).astype(int)
    return _stamped(lungs, stamp, row, column)


def _on_wall(canvas: Canvas, stamp, lungs, cavity, rng) -> np.ndarray | None:
    """Push a stamp against the chest wall from inside until a small share of it is beyond."""
    index = rng.integers(len(cavity))
    tangent = cavity[(index + 2) % len(cavity)] - cavity[index - 2]
    outwards = np.array([-tangent[0], tangent[1]]) / np.linalg.norm(tangent)  # row, column
    wall = canvas.points(cavity[index : index + 1])[0, ::-1] / 16
    pixels = np.argwhere(stamp)
    beyond = np.quantile(pixels @ outwards, 1 - rng.uniform(*CUT_OFF))
    middle = pixels.mean(axis=0)
    shift = wall - middle - outwards * (beyond - middle @ outwards)
    mask = _stamped(lungs, stamp, *np.round(shift).astype(int))
    if mask is None:
        return None
    within = canvas.mask(cavity)
    kept, inside = cv2.countNonZero(mask & lungs), cv2.countNonZero(mask & within)
    seated = 0.7 * len(pixels) <= kept < len(pixels) and kept >= 0.97 * inside
    return mask & lungs if seated else None
