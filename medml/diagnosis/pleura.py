"""Repairing the lungs' outline where a nodule on the chest wall has dented it."""

import cv2
import numpy as np

STEP_MM = 2.5
MOUTH_MM = 45.0
DEPTH_MM = 1.2
SHALLOW = 0.08
REACH_MM = 120.0
HULL_MM = 12.0
MEDIAL = 0.4
BULGE = np.tan(np.deg2rad(20))


def bridge_dents(mask: np.ndarray, pixel_mm: float, medial: np.ndarray) -> int:
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    bridges = 0
    for contour in contours:
        if len(contour) * pixel_mm > 40:
            bridges += _walk(mask, contour[:, 0], pixel_mm, medial)
    return bridges


def _walk(mask, points, pixel_mm, medial):
    if cv2.contourArea(points, oriented=True) < 0:
        points = points[::-1]
    points = np.roll(points, -int((points @ medial).argmin()), axis=0)
    step = max(1, round(STEP_MM / pixel_mm))
    hull = cv2.convexHull(points).astype(np.float32)
    index = np.append(np.arange(0, len(points), step), len(points))
    knots = points[index % len(points)] * pixel_mm
    jump = _jumps(knots[:-1], REACH_MM / (step * pixel_mm))
    at, bridges = 0, 0
    while at < len(jump):
        to = min(at + jump[at], len(jump))
        if to > at + 1:
            ends = [cv2.pointPolygonTest(hull, (knots[k % (len(knots)-1)] / pixel_mm).tolist(), True) for k in (at, to)]
            if max(ends) * pixel_mm > HULL_MM:
                at = to
                continue
            bridge = _bridge(knots, at, to, points[index[at] : index[to] + 1] * pixel_mm, medial)
            if bridge is not None:
                cv2.fillPoly(mask, [np.round(bridge / pixel_mm).astype(np.int32)], 1)
                bridges += 1
        at = to
    return bridges


def _jumps(knots, reach):
    count = len(knots)
    ahead = 1 + np.arange(min(count - 1, int(reach)))
    around = np.arange(count)[:, None] + ahead
    away = knots[around % count] - knots[:, None]
    heading = np.roll(knots, -1, axis=0) - np.roll(knots, 1, axis=0)
    right = heading[:, :1] * away[..., 1] - heading[:, 1:] * away[..., 0]
    front = heading[:, :1] * away[..., 0] + heading[:, 1:] * away[..., 1]
    turn = np.arctan2(right, front)
    turn[(np.hypot(away[..., 0], away[..., 1]) > MOUTH_MM) | (turn < -2)] = 9
    return ahead[turn.argmin(axis=1)]


def _bridge(knots, at, to, arc, medial):
    chord = knots[to] - knots[at]
    mouth = np.hypot(*chord)
    along = chord / mouth
    out = np.array([along[1], -along[0]])
    depth = -((arc - arc[0]) @ out).min()
    if depth < max(DEPTH_MM, SHALLOW * mouth) or out @ medial > MEDIAL:
        return None
    before = knots[at] - knots[at - 2]
    after = knots[(to + 2) % (len(knots)-1)] - knots[to]
    rise = np.clip((before @ out) / max(before @ along, 1e-3), 0, BULGE)
    fall = np.clip(-(after @ out) / max(after @ along, 1e-3), 0, BULGE)
    t = np.linspace(0, 1, 9)[:, None]
    bulge = mouth * (rise * t * (1 - t) ** 2 + fall * t**2 * (1 - t))
    curve = knots[at] + t * chord + bulge * out
    return np.concatenate([arc, curve[::-1]])
