"""The outlines of a simulated chest in mm: what `medml.diagnosis.phantom` fills with HU.

All of it is simulated. Coordinates are millimetres from the middle of the chest: x to the right of
the image (the patient's left), y to the back. A curve is an array of shape (points, 2).
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

ANGLE = np.linspace(0, 2 * np.pi, 256, endpoint=False)  # 0: patient's left, π/2: back
SQUARENESS = 2.4  # exponent of the superellipse: 2 is an ellipse, more is squarer
GENERATIONS = 7  # branchings of a vessel tree; the last twigs are 0.8 mm thin


@dataclass(frozen=True)
class Build:
    """The proportions of one simulated person at one level of the chest, in mm.

    Attributes
    ----------
    half_width, half_depth : float
        Half axes of the chest's inner wall.
    level : float
        0 at the arch of the aorta, 0.5 at the roots of the lungs, 1 at the heart, 1.5 at the
        domes of the diaphragm.
    muscle, fat, breast : float
        Thickness of the wall's layers.
    septum : float
        Thickness of the tissue between the lungs in front.
    """

    half_width: float
    half_depth: float
    level: float
    muscle: float
    fat: float
    breast: float
    septum: float


def draw_build(rng: np.random.Generator, level: float | None = None) -> Build:
    """Draw a person: adults of both sexes, lean to stout.

    Parameters
    ----------
    rng : numpy.random.Generator
    level : float, optional
        See `Build`; drawn between 0 and 1 if left out.
    """
    level = float(rng.uniform(0, 1)) if level is None else level
    return Build(
        half_width=rng.normal(112 + 20 * min(level, 1), 6),
        half_depth=rng.normal(82 + 14 * min(level, 1), 5),
        level=level,
        muscle=rng.uniform(9, 16),
        fat=rng.uniform(3, 24),
        breast=rng.uniform(15, 35) if rng.random() < 0.5 and level > 0.3 else 0.0,
        septum=rng.uniform(1.5, 9),
    )


def ellipse(centre: tuple, axes: tuple, degrees: float = 0.0, power: float = 2.0) -> np.ndarray:
    """Return a (super)ellipse with the given half axes in mm, turned clockwise in the image."""
    cos, sin = np.cos(ANGLE), np.sin(ANGLE)
    x = axes[0] * np.sign(cos) * np.abs(cos) ** (2 / power)
    y = axes[1] * np.sign(sin) * np.abs(sin) ** (2 / power)
    turn = np.deg2rad(degrees)
    turned = (x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn))
    return np.column_stack(turned) + centre


def wobble(curve: np.ndarray, rng: np.random.Generator, mm: float) -> np.ndarray:
    """Shift a closed curve in and out by smooth random waves of about `mm`: nobody is round."""
    order = np.arange(2, 7)[:, None]
    waves = np.cos(order * ANGLE + rng.uniform(0, 2 * np.pi, order.shape)) / order
    return offset(curve, mm * (rng.normal(size=order.shape) * waves).sum(axis=0))


def offset(curve: np.ndarray, mm: np.ndarray | float) -> np.ndarray:
    """Move each point of a closed curve outwards (towards larger offsets) along its normal."""
    tangent = np.roll(curve, -1, axis=0) - np.roll(curve, 1, axis=0)
    normal = np.column_stack([tangent[:, 1], -tangent[:, 0]])
    normal = gaussian_filter1d(normal, 3, axis=0, mode="wrap")
    return curve + np.reshape(mm, (-1, 1)) * normal / np.linalg.norm(normal, axis=1)[:, None]


def bump(centre_degrees: float, width_degrees: float) -> np.ndarray:
    """Return a bell of height 1 around an angle, shape (256,), to thicken a wall there."""
    away = (ANGLE - np.deg2rad(centre_degrees) + np.pi) % (2 * np.pi) - np.pi
    return np.exp(-0.5 * (away / np.deg2rad(width_degrees)) ** 2)


def chest_wall(build: Build, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return the closed curves of the wall: cavity (inside the ribs), ribs, muscle and skin."""
    cavity = ellipse((0, 0), (build.half_width, build.half_depth), power=SQUARENESS)
    cavity[:, 0] *= 1 + 0.1 * np.sin(ANGLE) - 0.05 * np.cos(2 * ANGLE)  # narrower in front
    cavity = wobble(offset(cavity, -12 * bump(90, 13)), rng, 2.5)  # the spine stands in
    back = bump(68, 16) + bump(112, 16)
    sides = bump(0, 30) + bump(180, 30)
    front = bump(-58, 18) + bump(-122, 18)
    high = np.clip(1 - build.level, 0, 1)
    depth = build.muscle * (0.8 + 1.3 * back + (0.3 + high) * sides + (0.2 + high) * front)
    muscle = offset(cavity, 10 + depth)
    fat = build.fat * (0.5 + 0.6 * sides + 0.5 * back) + build.breast * front
    skin = wobble(offset(muscle, 3 + fat), rng, 1.0)
    return {"cavity": cavity, "ribs": offset(cavity, 6), "muscle": muscle, "skin": skin}


def rib_arcs(rng: np.random.Generator) -> list[np.ndarray]:
    """Return which points of the rib curve are bone: slanting ribs, cut into arcs."""
    arcs, at = [], -56 + rng.uniform(0, 18)
    while at < 236:
        behind = np.sin(np.deg2rad(at)) > 0.5
        length = rng.uniform(18, 30) if behind else rng.uniform(9, 17)
        if not 80 < at + length / 2 < 100:  # the spine stands there
            arcs.append(np.arange(*np.round(np.array([at, at + length]) / 360 * 256).astype(int)))
        at += length + rng.uniform(10, 18)
    return [arc % 256 for arc in arcs]


def mediastinum(build: Build, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return the closed curves between the lungs, in the order of painting.

    The first word of a name is what to fill it with: "fat" only parts the lungs, "blood" is what a
    contrast medium brightens, "wall" and "air" are trachea or main bronchi, which are no lung.
    """
    level, depth = np.clip(build.level, 0, 1), build.half_depth
    shift = rng.normal(0, 2, (8, 2))
    spine = 0.66 * depth
    organs = {
        "fat core": ellipse((2, -4), (27 + 5 * level, 0.62 * depth), power=2.5),
        "fat septum": ellipse((4 * level, -0.75 * depth), (build.septum / 2, 0.5 * depth)),
        "fat front": ellipse((0, -1.02 * depth), (24, 13)),
        "fat spine": ellipse((0, spine + 22), (25, 40), power=2.6),
        "soft oesophagus": ellipse((5, 0.34 * depth) + shift[0], (8, 5.5)),
    }
    aorta_back = np.add((19, spine - 11), shift[1])
    if level < 0.25:
        organs["blood arch"] = ellipse((14, 4) + shift[2], (14, 34), -24, power=2.3)
        organs["blood cava"] = ellipse((-20, -16) + shift[3], (9, 10))
        organs["blood vein"] = ellipse((-4, -0.42 * depth) + shift[4], (17, 6), 12)
    else:
        organs["blood aorta"] = ellipse(aorta_back, (12.5, 12.5))
    if 0.25 <= level < 0.65:
        organs["blood ascending"] = ellipse((-8, -0.3 * depth) + shift[2], (16, 17))
        organs["blood cava"] = ellipse((-28, -0.2 * depth) + shift[3], (9, 10))
        organs["blood pulmonary"] = ellipse((18, -0.26 * depth) + shift[4], (24, 13), -38)
        organs["blood right root"] = ellipse((-30, 4) + shift[5], (22, 8), 14)
        organs["blood left root"] = ellipse((36, 8) + shift[6], (15, 9), 40)
    if level >= 0.65:
        grown = 0.75 + 0.35 * level
        heart = ellipse((22, -0.3 * depth) + shift[2], (60 * grown, 44 * grown), 32, power=2.2)
        organs["soft heart"] = wobble(heart, rng, 2.5)
        organs["fat heart"] = offset(organs["soft heart"], rng.uniform(1, 4))
        organs["blood right heart"] = ellipse((-4, -0.32 * depth), (24, 29), 20)
        organs["blood left heart"] = ellipse((42, -0.12 * depth), (32, 17), 34)
    for lumen in _airways(build, rng):
        organs[f"wall {len(organs)}"], organs[f"air {len(organs)}"] = offset(lumen, 2), lumen
    order = ("fat", "soft", "blood", "wall", "air")
    return dict(sorted(organs.items(), key=lambda item: order.index(item[0].split()[0])))


def _airways(build: Build, rng: np.random.Generator) -> list[np.ndarray]:
    """Return the curves of trachea or main bronchi, which are air but no lung."""
    x, y = rng.normal((0, 0.13 * build.half_depth), 1.5)
    if build.level < 0.35:
        return [ellipse((x, y), (9, 8.5))]
    if build.level < 0.65:
        return [ellipse((x - 17, y), (10, 6), 12), ellipse((x + 20, y + 3), (9, 5.5), -14)]
    return []


def domes(build: Build, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return the domes of liver and stomach, which rise between the lungs beyond level 1."""
    if build.level <= 1:
        return {}
    grown = 0.62 + 0.5 * (build.level - 1) + rng.uniform(-0.05, 0.05)
    width, depth = build.half_width, build.half_depth
    liver = ellipse((-0.5 * width, -0.1 * depth), (0.66 * width * grown, 0.98 * depth * grown))
    stomach = ellipse((0.56 * width, -0.1 * depth), (0.56 * width * grown, 0.92 * depth * grown))
    return {"liver": wobble(liver, rng, 3), "soft stomach": wobble(stomach, rng, 3)}


def vessel_tree(root: np.ndarray, outwards: float, rng: np.random.Generator) -> np.ndarray:
    """Return where a tree of vessels crosses the slice: it is grown in three dimensions.

    Twenty branches enter the lung above and below the slice. Each ends in two that are shorter by
    a fifth and thinner by a quarter, so that the twigs fill the lung. A ball is kept at each of 16
    points along a branch; the slice z = 0 cuts those with |z| < radius in a disc. (Vessels drawn
    in the plane of the slice would cut the lung in pieces.)

    Parameters
    ----------
    root : array of shape (2,)
        Where the tree enters the lung, x and y in mm.
    outwards : float
        Direction of its side: −1 for the right lung (left in the image), +1 for the left.
    rng : numpy.random.Generator

    Returns
    -------
    array of shape (discs, 3)
        x, y and radius of each disc in mm.
    """
    count = 20  # branches that enter the lung
    start = np.column_stack([np.full((count, 2), root), rng.normal(0, 22, count)])
    heading = rng.normal(size=(count, 3)) * (0.7, 1.1, 1) + (outwards, 0, 0)
    length, radius, balls = 25.0, rng.uniform(2.0, 4.2, count), []
    step = np.linspace(0, 1, 16)[:, None, None]
    for _ in range(GENERATIONS):
        heading /= np.linalg.norm(heading, axis=1)[:, None]
        stretch = length * rng.uniform(0.7, 1.3, (len(start), 1))
        thin = radius * (1 - 0.22 * step[..., 0])
        path = start + step * stretch * heading
        seen = np.abs(path[..., 2]) < thin
        flat = np.sqrt(thin[seen] ** 2 - path[seen][:, 2] ** 2)
        balls.append(np.column_stack([path[seen][:, :2], flat]))
        start = np.repeat(path[-1], 2, axis=0)
        heading = np.repeat(heading, 2, axis=0) + rng.normal(0, 0.42, (len(start), 3))
        radius = np.repeat(radius * 0.78, 2) * rng.uniform(0.85, 1.1, len(start))
        length *= 0.82
    return np.concatenate(balls)
