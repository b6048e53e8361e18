"""A simulated slice of the chest in HU, with the outline of a real nodule and an exact truth.

Simulated pixels: nothing in the image was measured on a person, except for the outline of the
nodule, which readers of LIDC-IDRI drew. It tests software. What a method scores here says
nothing about patients.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from medml.diagnosis import anatomy, artefacts
from medml.diagnosis.canvas import (
    BLOOD,
    ENHANCED,
    OVERSAMPLING,
    Canvas,
    cut_roots,
    lung_field,
    paint_chest,
    parenchyma,
)
from medml.diagnosis.implant import KINDS, implant, patient_of

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


@dataclass(frozen=True, eq=False)
class Phantom:
    """A simulated slice: simulated pixels, a real outline, an exact truth.

    Attributes
    ----------
    hu : array of float32, shape (rows, columns)
        Simulated pixels in HU; the first row is in front, the first column at the patient's right.
    lungs : array of bool, shape (rows, columns)
        True extent of both lungs: a pixel belongs to them if more than half of its area does. The
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
    low = cases & {"bases", "stomach gas"}
    build = anatomy.draw_build(rng, rng.uniform(1.25, 1.6) if low else None)
    wall = anatomy.chest_wall(build, rng)
    view = 0.7 if "zoom" in cases else rng.uniform(1.06, 1.2)
    pixel_mm = float(np.ptp(wall["skin"], axis=0).max() * view / size)
    canvas = Canvas(size, pixel_mm)
    organs = anatomy.mediastinum(build, rng) | anatomy.domes(build, rng)
    lungs = lung_field(canvas, wall, organs)
    blood = ENHANCED if "contrast" in cases else BLOOD
    hu = paint_chest(canvas, build, wall, organs, blood, "table air" in cases, rng)
    tissue, stems = parenchyma(canvas, blood, rng)
    lungs = cut_roots(canvas, lungs, stems)
    nodule_id, mark = None, np.zeros_like(lungs)
    if nodule:
        nodule_id, mark = implant(canvas, nodule, lungs, wall["cavity"], rng, nodule_ids)
        tissue[mark > 0] = rng.uniform(10, 60)
    np.copyto(hu, tissue, where=lungs > 0)
    lungs, metal = _trouble(canvas, hu, lungs, build, wall, cases, rng)
    image = _scan(hu, pixel_mm, metal, cases, rng)
    seen = image > artefacts.PADDING_HU
    truth = [(_shrink(mask, size) > 128) & seen for mask in (lungs, mark & lungs)]
    patient_id = None if nodule_id is None else patient_of(nodule_id)
    return Phantom(image, *truth, pixel_mm, nodule_id, patient_id)


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


def _trouble(canvas, hu, lungs, build, wall, cases, rng) -> tuple[np.ndarray, np.ndarray | None]:
    """Paint the cases that lie in the body; return the lungs left and where a metal is, in mm."""
    if "stomach gas" in cases:
        artefacts.paint_stomach_gas(canvas, hu, build, rng)
    if "effusion" in cases:
        lungs = artefacts.paint_effusion(canvas, hu, lungs, rng)
    metal = artefacts.paint_pacemaker(canvas, hu, wall) if "metal" in cases else None
    return lungs, metal


def _scan(hu: np.ndarray, pixel_mm: float, metal, cases: frozenset, rng) -> np.ndarray:
    """Turn the fine grid into what a scanner shows: mixed edges, blur, noise, whole HU."""
    size = len(hu) // OVERSAMPLING
    image = cv2.GaussianBlur(_shrink(hu, size), (0, 0), rng.uniform(0.4, 0.65) / pixel_mm)
    noise = rng.standard_normal(image.shape, np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), 0.7) - 0.6 * cv2.GaussianBlur(noise, (0, 0), 2.0)
    image += noise * (rng.uniform(8, 28) / noise.std())
    if metal is not None:
        artefacts.add_streaks(image, metal / pixel_mm + (size - 1) / 2, rng)
    image = np.clip(np.rint(image), -1024, 3071)
    if "padding" in cases:
        artefacts.pad_circle(image)
    return artefacts.saturate(image) if "saturated" in cases else image


def _shrink(image: np.ndarray, size: int) -> np.ndarray:
    """Average the fine grid's pixels into those of the final image."""
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
