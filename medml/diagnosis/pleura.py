"""Repairing the lungs' outline where a nodule on the chest wall has dented it."""

import cv2
import numpy as np

MOUTH_MM = 45.0
DEPTH_MM = 2.0


def bridge_dents(mask: np.ndarray, pixel_mm: float) -> np.ndarray:
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    for contour in contours:
        points = contour[:, 0]
        hull = np.sort(cv2.convexHull(contour, returnPoints=False)[:, 0])
        for i, j in zip(hull, np.append(hull[1:], hull[0] + len(points)), strict=True):
            arc = points[np.arange(i, j + 1) % len(points)]
            chord = arc[-1] - arc[0]
            mouth = np.hypot(*chord) * pixel_mm
            if not DEPTH_MM < mouth < MOUTH_MM:
                continue
            away = arc - arc[0]
            depth = (
                np.abs(away[:, 0] * chord[1] - away[:, 1] * chord[0]).max() * pixel_mm**2 / mouth
            )
            if depth > DEPTH_MM:
                cv2.fillPoly(mask, [arc], 1)
    return mask
