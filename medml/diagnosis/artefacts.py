"""What makes real slices hard to segment, painted into a simulated chest: simulated pixels."""

import cv2
import numpy as np

from medml.diagnosis.anatomy import Build, ellipse
from medml.diagnosis.canvas import AIR, METAL, SOFT, WATER, Canvas

PADDING_HU = -2048.0
SATURATED_HU = (-160.0, 240.0)  # the mediastinal window 40/400 of a picture saved with 8 bits
RAYS = 360  # directions of streaks


def paint_effusion(canvas: Canvas, hu: np.ndarray, lungs: np.ndarray, rng) -> np.ndarray:
    """Paint fluid behind one lung and in its fissure, with a band of collapsed lung before it.

    Returns
    -------
    array of uint8, shape (rows, columns)
        The lungs that are left, 255 inside; the collapsed tissue is still lung.
    """
    side = rng.choice([-1, 1])
    x = np.linspace(0, 160, 40)
    level = rng.uniform(0, 25)
    surface = np.column_stack([side * x, level + 25 - 60 * (x / 130) ** 3])  # climbs at the wall
    below = np.concatenate([surface, [(side * 160, 150), (0, 150)]])
    fluid, collapsed = canvas.mask(below), canvas.mask(below - (0, rng.uniform(7, 13)))
    fissure = np.array([(side * 25, 25), (side * 75, -15), (side * 150, -60)])
    canvas.line(fluid, fissure, rng.uniform(4, 7), 255)
    hu[(collapsed & lungs) > 0] = SOFT - 10
    hu[(fluid & lungs) > 0] = WATER
    return lungs & ~fluid


def paint_stomach_gas(canvas: Canvas, hu: np.ndarray, build: Build, rng) -> None:
    """Paint gas over fluid inside the stomach under the left dome of the diaphragm."""
    middle = (0.56 * build.half_width, -0.12 * build.half_depth)
    grown = rng.uniform(0.8, 1.0)
    inside = canvas.mask(ellipse(middle, (30 * grown, 38 * grown), rng.uniform(-20, 20)))
    front = np.zeros_like(inside)
    row = canvas.points(np.array([middle]))[0, 1] // 16 + round(8 * canvas.scale)
    front[:row] = 255
    hu[inside > 0] = WATER + 10
    hu[(inside & front) > 0] = AIR


def paint_pacemaker(canvas: Canvas, hu: np.ndarray, wall: dict) -> np.ndarray:
    """Paint a pacemaker on the muscle of the left chest; return its middle in mm."""
    index = round(308 / 360 * 256)
    at = 0.5 * (wall["muscle"][index] + wall["skin"][index])
    canvas.fill(hu, ellipse(at, (17, 4.5), 32), METAL)
    return at


def add_streaks(image: np.ndarray, metal: tuple[float, float], rng: np.random.Generator) -> None:
    """Add bright and dark rays around a metal, given by its column and row, as scanners show it."""
    rows, columns = np.indices(image.shape, np.float32)
    x, y = columns - metal[0], rows - metal[1]
    angle = (cv2.phase(x, y) * (RAYS / (2 * np.pi))).astype(int) % RAYS
    rays = cv2.GaussianBlur(rng.standard_normal((1, RAYS)), (0, 0), 2.0)[0]
    rays *= 260 / rays.std()
    fading = 1 / (1 + cv2.magnitude(x, y) / (0.12 * len(image)))
    image += rays.astype(np.float32)[angle] * fading


def pad_circle(image: np.ndarray) -> None:
    """Write −2048 outside the circular field of view, as some scanners do."""
    rows, columns = np.indices(image.shape)
    middle = (len(image) - 1) / 2
    image[np.hypot(rows - middle, columns - middle) > len(image) / 2] = PADDING_HU


def saturate(image: np.ndarray) -> np.ndarray:
    """Save in a mediastinal window with 8 bits and read back: lung and air become the same."""
    low, high = SATURATED_HU
    grey = np.rint((np.clip(image, low, high) - low) * (255 / (high - low)))
    return (low + grey * ((high - low) / 255)).astype(np.float32)
