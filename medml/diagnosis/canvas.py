"""Filling the outlines of a simulated chest with HU: simulated pixels, see `phantom`."""

import cv2
import numpy as np

from medml.diagnosis import anatomy
from medml.diagnosis.anatomy import Build, ellipse, offset

OVERSAMPLING = 3  # painted on a finer grid, so that edges mix as in a scanner
AIR, FOAM, FAT, WATER, BLOOD, SOFT, LIVER = -1000.0, -930.0, -100.0, 8.0, 42.0, 50.0, 60.0
MARROW, CORTEX, METAL = 190.0, 750.0, 6000.0
ENHANCED = 230.0  # blood with contrast medium
STEM_MM = 2.0  # a vessel of a larger radius is a stem
ROOT_MM = 8.0


class Canvas:
    """A square grid in mm on which closed curves are filled, finer than the final image.

    Parameters
    ----------
    size : int
        Rows and columns of the final image.
    pixel_mm : float
        Its pixel spacing in mm.
    """

    def __init__(self, size: int, pixel_mm: float):
        self.size = OVERSAMPLING * size
        self.scale = OVERSAMPLING / pixel_mm

    def points(self, curve: np.ndarray) -> np.ndarray:
        """Return points in mm, shape (n, 2), in 1/16 of a pixel, as OpenCV's shift=4 takes it."""
        return np.round((curve * self.scale + (self.size - 1) / 2) * 16).astype(np.int32)

    def fill(self, image: np.ndarray, curve: np.ndarray, value: float) -> None:
        """Fill a closed curve."""
        cv2.fillPoly(image, [self.points(curve)], value, shift=4)

    def line(self, image: np.ndarray, curve: np.ndarray, mm: float, value: float) -> None:
        """Draw an open curve as a band `mm` wide with round ends."""
        width = max(1, round(mm * self.scale))
        cv2.polylines(image, [self.points(curve)], False, value, width, shift=4)

    def discs(self, image: np.ndarray, discs: np.ndarray, value: float) -> None:
        """Draw discs, rows of x, y and radius in mm."""
        radii = np.round(discs[:, 2] * self.scale * 16).astype(int).tolist()
        for centre, radius in zip(self.points(discs[:, :2]).tolist(), radii, strict=True):
            cv2.circle(image, centre, radius, value, -1, shift=4)

    def mask(self, *curves: np.ndarray) -> np.ndarray:
        """Return 255 inside any of the curves and 0 elsewhere, uint8."""
        image = np.zeros((self.size, self.size), np.uint8)
        for curve in curves:
            self.fill(image, curve, 255)
        return image

    def smooth(self, mask: np.ndarray, mm: float) -> np.ndarray:
        """Round the corners of a mask of 0 and 255."""
        return cv2.compare(cv2.GaussianBlur(mask, (0, 0), mm * self.scale), 127, cv2.CMP_GT)


def lung_field(canvas: Canvas, wall: dict, organs: dict) -> np.ndarray:
    """Return where the lungs are on the canvas: the cavity without what lies in between.

    uint8 of 0 and 255, shape (canvas.size, canvas.size).
    """
    field = canvas.mask(wall["cavity"]) & ~canvas.mask(*organs.values())
    return canvas.smooth(field, 1.6)


def cut_roots(canvas: Canvas, lungs: np.ndarray, stems: np.ndarray) -> np.ndarray:
    """Take the vessels at the lungs' roots from the lungs where they are `ROOT_MM` wide or more.

    All are masks of 0 and 255. A thinner vessel is a part of the lung.
    """
    coarse = cv2.resize(stems | ~lungs, None, fx=1 / OVERSAMPLING, fy=1 / OVERSAMPLING)
    side = round(ROOT_MM * canvas.scale / OVERSAMPLING) | 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    wide = cv2.morphologyEx(cv2.compare(coarse, 127, cv2.CMP_GT), cv2.MORPH_OPEN, disc)
    _, labels = cv2.connectedComponents(wide, connectivity=4)
    roots = cv2.compare(labels, int(labels[0, 0]), cv2.CMP_EQ)
    roots = cv2.resize(roots, lungs.shape, interpolation=cv2.INTER_NEAREST)
    return lungs & ~(roots & stems)


def paint_chest(
    canvas: Canvas,
    build: Build,
    wall: dict,
    organs: dict,
    blood: float,
    hollow_table: bool,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return everything but the lungs in HU, float32: table, wall, organs, bones, airways."""
    hu = np.full((canvas.size, canvas.size), AIR, np.float32)
    paint_table(canvas, hu, wall["skin"][:, 1].max(), hollow_table)
    paint_wall(canvas, hu, build, wall, rng)
    paint_organs(canvas, hu, organs, blood)
    paint_spine(canvas, hu, build)
    return hu


def paint_table(canvas: Canvas, hu: np.ndarray, back_mm: float, hollow: bool) -> None:
    """Paint the table under a body whose back is at `back_mm`; a hollow one touches it."""
    x = np.linspace(-210, 210, 64)
    gap, thick, core = (-3.0, 38.0, -880.0) if hollow else (4.0, 22.0, FOAM)
    top = np.column_stack([x, back_mm + gap - 22 * (x / 210) ** 2 * (0.4 if hollow else 1)])
    low = np.column_stack([x, back_mm + gap + thick - 55 * (x / 210) ** 4])
    shell = np.concatenate([top, low[::-1], top[:1]])
    canvas.fill(hu, shell, core)
    canvas.line(hu, shell, 2.5, -60.0)


def paint_wall(
    canvas: Canvas, hu: np.ndarray, build: Build, wall: dict, rng: np.random.Generator
) -> None:
    """Paint skin, fat, muscles, ribs, shoulder blades and the fat inside the ribs."""
    canvas.fill(hu, wall["skin"], SOFT - 10)
    canvas.fill(hu, offset(wall["skin"], -2), FAT)
    if build.breast:
        _paint_glands(canvas, hu, build, wall, rng)
    canvas.fill(hu, wall["muscle"], SOFT)
    cleft = offset(wall["ribs"], 5.5 + 0.25 * build.muscle)
    for start in rng.integers(0, 256, 7):  # fat between the layers of muscle
        canvas.line(hu, cleft[np.arange(start, start + 22) % 256], 1.6, FAT + 30)
    for arc in anatomy.rib_arcs(rng):
        canvas.line(hu, wall["ribs"][arc], 7.5, CORTEX)
        canvas.line(hu, wall["ribs"][arc[1:-1]], 4.4, MARROW)
    if build.level < 0.7:
        blade = offset(wall["ribs"], 9 + 0.5 * build.muscle)
        for arc in (np.arange(22, 40), np.arange(88, 106)):
            canvas.line(hu, blade[arc], 5.5, CORTEX)
            canvas.line(hu, blade[arc], 2.5, MARROW)
    canvas.fill(hu, wall["cavity"], FAT + 10)


def _paint_glands(canvas: Canvas, hu: np.ndarray, build: Build, wall: dict, rng) -> None:
    """Paint strands of gland tissue into the breasts."""
    for degrees in (-58, -122):
        index = round((degrees % 360) / 360 * 256)
        nipple, chest = wall["skin"][index], wall["muscle"][index]
        for _ in range(9):
            along, aside = rng.uniform(0.25, 0.8), rng.normal(0, 0.3 * build.breast)
            at = chest + along * (nipple - chest) + (aside, 0.2 * aside)
            axes = rng.uniform(1.5, 6, 2)
            canvas.fill(hu, ellipse(at, axes, rng.uniform(0, 180)), 10.0)


def paint_organs(canvas: Canvas, hu: np.ndarray, organs: dict, blood: float) -> None:
    """Paint what lies between and below the lungs; `blood` in HU."""
    liver = LIVER + 0.3 * (blood - BLOOD)
    values = {"soft": SOFT, "blood": blood, "wall": SOFT, "air": AIR, "liver": liver}
    for name, curve in organs.items():
        kind = name.split()[0]
        if kind in values:
            canvas.fill(hu, curve, values[kind])


def paint_spine(canvas: Canvas, hu: np.ndarray, build: Build) -> None:
    """Paint a vertebra with its canal and processes, and the breastbone."""
    y = 0.66 * build.half_depth
    for sign in (-1, 1):
        ribs = [(sign * 13, y + 20), (sign * 27, y + 27), (sign * 34, y + 31)]
        canvas.line(hu, np.array(ribs), 9, CORTEX)
        canvas.line(hu, np.array(ribs), 5, MARROW)
        canvas.fill(hu, ellipse((sign * 20, y + 47), (16, 13), sign * -20), SOFT + 8)
    arch = np.array([(-13, y + 12), (-12, y + 27), (0, y + 33), (12, y + 27), (13, y + 12)])
    canvas.line(hu, arch, 6, CORTEX)
    canvas.line(hu, np.array([(0, y + 34), (0, y + 50)]), 5, CORTEX)
    canvas.line(hu, np.array([(0, y + 36), (0, y + 48)]), 2, MARROW)
    canvas.fill(hu, ellipse((0, y), (17.5, 15), power=2.3), CORTEX)
    canvas.fill(hu, ellipse((0, y), (15.8, 13.3), power=2.3), MARROW)
    canvas.fill(hu, ellipse((0, y + 19), (9.5, 8)), 20.0)
    front = -build.half_depth - 7
    canvas.fill(hu, ellipse((0, front), (19, 5.5), power=2.6), CORTEX)
    canvas.fill(hu, ellipse((0, front), (17, 3.6), power=2.6), MARROW)


def parenchyma(
    canvas: Canvas, blood: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return lung tissue in HU everywhere, and where its thick vessels are.

    The tissue is mottled, denser towards the back, and holds the vessels of both lungs.

    Returns
    -------
    tissue : array of float32, shape (canvas.size, canvas.size)
    stems : array of uint8, the same shape
        255 in vessels with a radius above `STEM_MM`.
    """
    side = canvas.size // OVERSAMPLING
    coarse = np.full((side, side), rng.uniform(-885, -815), np.float32)
    coarse += np.linspace(-30, 30, side, dtype=np.float32)[:, None]
    for cells, amplitude in ((9, 12), (80, 24)):
        grain = rng.standard_normal((cells, cells), np.float32)
        coarse += amplitude * cv2.resize(grain, coarse.shape, interpolation=cv2.INTER_CUBIC)
    tissue = cv2.resize(coarse, (canvas.size, canvas.size))
    stems = np.zeros(tissue.shape, np.uint8)
    for outwards in (-1, 1):
        tree = anatomy.vessel_tree(np.array([outwards * 40.0, 2.0]), outwards, rng)
        canvas.discs(tissue, tree, blood)
        canvas.discs(stems, tree[tree[:, 2] > STEM_MM], 255)
    return tissue, stems
