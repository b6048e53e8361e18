"""Repairing the lungs' outer outline where a nodule on the chest wall has dented it.

Soft tissue that touches the chest wall looks like chest wall to a threshold: the nodule is lost,
and since it is small no overlap measure tells. But the pleura along the ribs has no such dents.
"""

import cv2
import numpy as np

STEP_MM = 2.5  # the outline is walked in steps of this length
MOUTH_MM = 45.0  # widest dent that is bridged
DEPTH_MM = 0.7  # shallowest
DEPTH_PIXELS = 0.6  # coarse pixels make steps of their own
SLOPE = 0.05  # shallowest dent as a share of its mouth: gentle hollows belong to the chest
REACH_MM = 120.0  # longest stretch of outline inside a dent
OUTWARDS = 0.3  # least cosine between a dent's outward normal and the way from the middle
MEDIAL = 0.25  # largest cosine between that normal and the way to the other lung
CLIMB = 0.5  # largest sine of the turn outwards after a bridge: else it ends inside a wider dent
BULGE = np.tan(np.deg2rad(20))  # steepest rise of a bridge over its chord,
ROOM = 0.6  # and as a share of the dent's depth over its mouth


def bridge_dents(mask: np.ndarray, pixel_mm: float, middle: np.ndarray) -> int:
    """Bridge the dents in one lung's outline that faces the ribs, in place.

    The outline is walked in short steps. From each point the walk goes on to the point, among those
    within 45 mm, that lies outermost: a step further on where the outline is convex, across the
    dent where it is not. This is the march of Pu et al.; unlike the convex hull it works on a wall
    that is hollow as a whole. A dent is bridged if it is deep enough and faces the ribs, by a curve
    that leaves both ends of its mouth in the direction of the outline there, so that the bridge
    bulges as the wall does: a straight one would cut a slice off the nodule.

    Parameters
    ----------
    mask : array of uint8, shape (rows, columns)
        One lung, 0 and 1; changed in place.
    pixel_mm : float
        Pixel spacing in mm.
    middle : array of shape (2,)
        Column and row of the point half way between both lungs. The outline that looks there is
        left alone: heart and vessels make hollows in it.

    Returns
    -------
    int
        How many dents were bridged.

    References
    ----------
    Pu J et al. (2008), doi:10.1016/j.compmedimag.2008.04.005.

    Examples
    --------
    >>> lung = cv2.circle(np.zeros((90, 90), np.uint8), (45, 45), 40, 1, -1)
    >>> dented = cv2.circle(lung.copy(), (5, 45), 6, 0, -1)
    >>> int((lung > dented).sum())  # pixels that the dent takes away
    51
    >>> _ = bridge_dents(dented, 1.0, middle=np.array([90.0, 45.0]))
    >>> int((lung > dented).sum())
    0
    """
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outlines = [contour[:, 0] for contour in contours if len(contour) * pixel_mm > MOUTH_MM]
    return sum(_walk(mask, outline, pixel_mm, middle) for outline in outlines)


def _walk(mask: np.ndarray, outline: np.ndarray, pixel_mm: float, middle: np.ndarray) -> int:
    """Walk around one outline, shape (n, 2), and bridge its dents; return how many."""
    if cv2.contourArea(outline, oriented=True) < 0:
        outline = outline[::-1]
    away = outline.mean(axis=0) - middle
    outline = np.roll(outline, -int((outline @ away).argmax()), axis=0)  # start far out
    step = max(1, round(STEP_MM / pixel_mm))
    knots = ((outline[::step] - middle) * pixel_mm).astype(np.float32)
    ahead = _outermost(knots, int(REACH_MM / (step * pixel_mm)))
    medial = -away / max(np.hypot(*away), 1e-6)
    shallowest = max(DEPTH_MM, DEPTH_PIXELS * pixel_mm)
    starts, curves = _bridges(knots, ahead, medial, shallowest)
    curves = np.rint(curves / pixel_mm + middle).astype(np.int32)
    bridge = dict(zip(starts.tolist(), curves, strict=True))
    at, count, ahead = 0, 0, ahead.tolist()
    while at < len(knots):
        end = at + ahead[at]
        if at in bridge and end <= len(knots):
            dent = np.concatenate([outline[at * step : end * step + 1], bridge[at][::-1]])
            cv2.fillPoly(mask, [dent], 1)
            count += 1
        at = end
    return count


def _outermost(knots: np.ndarray, reach: int) -> np.ndarray:
    """Return for each knot how many knots on the outermost one within reach is, shape (n,)."""
    ahead = np.arange(1, min(len(knots) - 1, reach) + 1)
    around = (np.arange(len(knots))[:, None] + ahead) % len(knots)
    x, y = (knots[around, k] - knots[:, k, None] for k in (0, 1))
    heading = np.roll(knots, -1, axis=0) - np.roll(knots, 1, axis=0)
    along, aside = heading[:, :1], heading[:, 1:]
    turn = np.arctan2(along * y - aside * x, along * x + aside * y)  # inwards is positive
    turn[(x**2 + y**2 > MOUTH_MM**2) | (turn < -2)] = np.inf
    return ahead[turn.argmin(axis=1)]


def _bridges(
    knots: np.ndarray, ahead: np.ndarray, medial: np.ndarray, shallowest: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return which knots begin a dent that is to be bridged, and the bridges, shape (n, 9, 2).

    A bridge is a cubic Hermite curve that goes on as the outline comes to the dent's mouth and
    leaves it, but bulges little over a shallow dent.
    """
    count = len(knots)
    starts = np.flatnonzero(ahead > 1)
    ends = (starts + ahead[starts]) % count
    start, chord = knots[starts], knots[ends] - knots[starts]
    mouth = np.maximum(np.hypot(*chord.T), 1e-6)
    along = chord / mouth[:, None]
    out = np.column_stack([along[:, 1], -along[:, 0]])
    between = np.arange(ahead.max())
    inner = knots[(starts[:, None] + between) % count] - start[:, None]
    inner[between >= ahead[starts, None]] = 0
    depth = -np.einsum("ijk,ik->ij", inner, out).min(axis=1)
    outwards = _dot(out, start + chord / 2) / np.maximum(np.hypot(*(start + chord / 2).T), 1e-6)
    kept = depth >= np.maximum(shallowest, SLOPE * mouth)
    kept &= (outwards >= OUTWARDS) & (out @ medial <= MEDIAL)
    onwards = knots[(ends + ahead[ends]) % count] - knots[ends]
    kept &= _dot(onwards, out) <= CLIMB * np.hypot(*onwards.T)

    steepest = np.minimum(BULGE, ROOM * depth / mouth).clip(0)
    before, after = start - knots[starts - 2], knots[(ends + 2) % count] - knots[ends]
    rise = (_dot(before, out) / np.maximum(_dot(before, along), 1e-3)).clip(0, steepest)
    fall = (-_dot(after, out) / np.maximum(_dot(after, along), 1e-3)).clip(0, steepest)
    t = np.linspace(0, 1, 9)
    bulge = mouth[:, None] * (np.outer(rise, t * (1 - t) ** 2) + np.outer(fall, t**2 * (1 - t)))
    curves = start[:, None] + t[:, None] * chord[:, None] + bulge[..., None] * out[:, None]
    return starts[kept], curves[kept]


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the scalar products of rows, shape (n,)."""
    return (a * b).sum(axis=1)
