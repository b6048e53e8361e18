"""A simulated slice of the chest in HU, with the outline of a real nodule and an exact truth.

Simulated pixels: nothing in the image was measured on a person, except for the outline of the
nodule, which readers of LIDC-IDRI drew. It tests software. What a method scores here says
nothing about patients.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from medml.data import lidc
from medml.diagnosis import anatomy
from medml.diagnosis.anatomy import offset
from medml.diagnosis.canvas import (
    AIR,
    BLOOD,
    ENHANCED,
    OVERSAMPLING,
    SOFT,
    Canvas,
    lung_field,
    paint_organs,
    paint_spine,
    paint_table,
    paint_vessels,
    paint_wall,
    parenchyma,
)
from medml.diagnosis.implant import KINDS, implant

CASES = (
    "table air",  # a hollow table that the back touches
    "stomach gas",
    "effusion",  # fluid behind and between the lobes, with collapsed lung beside it
    "metal",  # a pacemaker with streaks
    "padding",  # −2048 outside a circular field of view
    "contrast",  # blood brightened by a contrast medium
    "zoom",  # a field of view smaller than the body
    "bases",  # the lungs' lowest part beside the domes of the diaphragm
    "saturated",  # saved with 8 bits in a mediastinal window, then read back
)
PADDING = -2048.0


@dataclass(frozen=True, eq=False)
class Phantom:
    """A simulated slice: simulated pixels, a real outline, an exact truth.

    Attributes
    ----------
    hu : array of float32, shape (rows, columns)
        Simulated pixels in HU; the first row is in front, the first column at the patient's right.
    lungs : array of bool, shape (rows, columns)
        True extent of both lungs: a pixel belongs to them if at least half of its area does. The
        vessels in it and the nodule are part of it; roots of the lungs, airways outside and fluid
        are not.
    nodule : array of bool, shape (rows, columns)
        True extent of the nodule, a part of `lungs`; empty if none was asked for.
    pixel_mm : float
        Distance of neighbouring pixels' centres in mm.
    nodule_id, patient_id : int and str, or None
        Whose outline it is (`medml.data.lidc.load_nodules`).
    """

    hu: np.ndarray
    lungs: np.ndarray
    nodule: np.ndarray
    pixel_mm: float
    nodule_id: int | None
    patient_id: str | None


def thorax(
    seed: int | np.random.Generator,
    size: int = 320,
    nodule: str | None = None,
    cases: Iterable[str] = (),
    nodule_ids: Sequence[int] | None = None,
) -> Phantom:
    """Simulate one slice of a chest: simulated pixels, no patient.

    Parameters
    ----------
    seed : int or numpy.random.Generator
        The same seed gives the same slice.
    size : int
        Rows and columns, at least 64. The field of view in mm follows the body, so that a larger
        `size` means smaller pixels, as on a scanner.
    nodule : {"central", "juxtapleural"}, optional
        Put a nodule into the lung, all around in lung tissue or seated on the chest wall. It is
        the largest slice of a consensus mask of LIDC-IDRI at true scale in mm, turned at random;
        what would reach beyond the chest wall is cut off.
    cases : iterable of str
        What makes segmentation fail; see `CASES`.
    nodule_ids : sequence of int, optional
        Draw the nodule from these; by default from the cohort's patients that are not locked.

    Returns
    -------
    Phantom

    Raises
    ------
    ValueError
        If the size, the kind of nodule or a case is unknown, or no nodule fits the lungs.

    Examples
    --------
    >>> phantom = thorax(0, size=128, nodule="central")
    >>> phantom.hu.shape, bool((phantom.nodule <= phantom.lungs).all())
    ((128, 128), True)
    """
    cases = _checked(size, nodule, cases)
    rng = np.random.default_rng(seed)
    low = bool(cases & {"bases", "stomach gas"})
    build = anatomy.draw_build(rng, rng.uniform(1.25, 1.6) if low else None)
    wall = anatomy.chest_wall(build, rng)
    view = 0.7 if "zoom" in cases else rng.uniform(1.06, 1.2)
    canvas = Canvas(size, float(np.ptp(wall["skin"], axis=0).max() * view / size))
    organs, domes = anatomy.mediastinum(build, rng), anatomy.domes(build, rng)
    blood = ENHANCED if "contrast" in cases else BLOOD
    lungs = lung_field(canvas, wall, organs, domes)

    hu = np.full(lungs.shape, AIR, np.float32)
    paint_table(canvas, hu, wall["skin"][:, 1].max(), "table air" in cases)
    paint_wall(canvas, hu, build, wall, rng)
    paint_organs(canvas, hu, organs, domes, blood)
    paint_spine(canvas, hu, build)
    tissue = parenchyma(canvas, rng)
    for side in (-1, 1):
        root = np.array([side * 40.0, 2.0])
        paint_vessels(canvas, tissue, anatomy.vessel_tree(root, side, rng), blood, rng)
    mark = np.zeros_like(lungs)
    nodule_id = None
    if nodule:
        nodule_id, mark = implant(canvas, nodule, lungs, wall["cavity"], rng, nodule_ids)
        tissue[mark > 0] = rng.uniform(10, 60)
    np.copyto(hu, tissue, where=lungs > 0)
    for curve in anatomy.airways(build, rng):
        canvas.fill(hu, offset(curve, 1.6), SOFT)
        canvas.fill(hu, curve, AIR)
    _add_cases(canvas, hu, lungs, cases, build, wall, rng)
    image = _scan(hu, size, canvas.scale, cases, rng)
    return Phantom(
        image,
        _shrink(lungs, size) >= 128,
        _shrink(cv2.bitwise_and(mark, lungs), size) >= 128,
        OVERSAMPLING / canvas.scale,
        nodule_id,
        nodule_id and _patients()[nodule_id],
    )


def _checked(size: int, nodule: str | None, cases: Iterable[str]) -> frozenset[str]:
    """Return the cases as a set, or say what is wrong."""
    cases = frozenset([cases] if isinstance(cases, str) else cases)
    if size < 64:
        msg = f"size is {size} pixels: take at least 64"
        raise ValueError(msg)
    if nodule is not None and nodule not in KINDS:
        msg = f"unknown kind of nodule {nodule!r}: take one of {KINDS} or None"
        raise ValueError(msg)
    if unknown := cases - set(CASES):
        msg = f"unknown case {min(unknown)!r}: take some of {CASES}"
        raise ValueError(msg)
    return cases


def _add_cases(canvas, hu, lungs, cases, build, wall, rng) -> None:
    pass


def _scan(hu: np.ndarray, size: int, scale: float, cases, rng) -> np.ndarray:
    """Turn the fine grid into what a scanner shows: mixed edges, blur, noise, whole HU."""
    image = cv2.resize(hu, (size, size), interpolation=cv2.INTER_AREA)
    pixel_mm = OVERSAMPLING / scale
    image = cv2.GaussianBlur(image, (0, 0), max(0.35, rng.uniform(0.5, 0.8) / pixel_mm))
    noise = rng.standard_normal((size, size), np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), 0.7) - 0.6 * cv2.GaussianBlur(noise, (0, 0), 2.0)
    image += noise * (rng.uniform(8, 28) / noise.std())
    return np.clip(np.rint(image, out=image), -1024, 3071, out=image)


def _shrink(image: np.ndarray, size: int) -> np.ndarray:
    """Average the fine grid's pixels into those of the final image."""
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)


@lru_cache(maxsize=1)
def _patients() -> dict[int, str]:
    """Return the patient of each nodule."""
    return lidc.load_nodules().patient_id.to_dict()
