"""Bridging dents: shapes whose dents are known."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medml.diagnosis.pleura import bridge_dents

MIDDLE = np.array([260.0, 120.0])  # the other lung is on the right


def lung(*, width=70, height=100):
    """Return an ellipse left of the middle, 1 mm pixels."""
    mask = np.zeros((240, 400), np.uint8)
    return cv2.ellipse(mask, (120, 120), (width, height), 0, 0, 360, 1, -1)


def dented(mask, x, y, radius):
    """Take a disc away from a mask."""
    return cv2.circle(mask.copy(), (x, y), radius, 0, -1)


def lost(whole, mask):
    """Return how many pixels of the whole are missing."""
    return int((whole > mask).sum())


@pytest.mark.parametrize("degrees", [110, 150, 180, 210, 250])
@pytest.mark.parametrize("radius", [4, 8, 14])
def test_a_dent_that_faces_the_ribs_is_filled_as_if_it_had_not_been(degrees, radius):
    """At five places of the outer border: at least 92 % comes back, little is added elsewhere."""
    whole, turn = lung(), np.deg2rad(degrees)
    x, y = round(120 + 70 * np.cos(turn)), round(120 + 100 * np.sin(turn))
    mask = dented(whole, x, y, radius)
    taken = lost(whole, mask)
    assert bridge_dents(mask, 1.0, MIDDLE) >= 1
    assert lost(whole, mask) <= 0.08 * taken
    assert lost(mask, whole) < 0.01 * whole.sum()


def test_a_bridge_that_bulges_saves_more_than_a_chord():
    """A wide dent in a round wall: the convex hull cuts off what the curve keeps."""
    whole = lung(width=50, height=50)
    mask = dented(whole, 70, 120, 18)
    contour = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0][0]
    chord = cv2.fillConvexPoly(mask.copy(), cv2.convexHull(contour), 1)
    bridge_dents(mask, 1.0, MIDDLE)
    assert lost(whole, chord) > 40
    assert lost(whole, mask) < 0.3 * lost(whole, chord)


@pytest.mark.parametrize("degrees", [0, 30, 70, 290, 330])
def test_the_side_of_the_heart_stays_hollow(degrees):
    """The same disc, taken away where the lung looks at the other one or half at it."""
    turn = np.deg2rad(degrees)
    x, y = round(120 + 70 * np.cos(turn)), round(120 + 100 * np.sin(turn))
    mask = dented(lung(), x, y, 12)
    hollow = lung() > mask
    bridge_dents(mask, 1.0, np.array([200.0, 120.0]))
    assert mask[hollow].mean() < 0.1


def test_the_side_of_the_diaphragm_stays_hollow():
    """The lowest part of a lung is a crescent behind a dome: the dome's side is not filled."""
    mask = np.zeros((240, 400), np.uint8)
    cv2.ellipse(mask, (120, 120), (90, 80), 0, 0, 360, 1, -1)
    cv2.circle(mask, (130, 90), 92, 0, -1)
    mask[:110] = 0
    before = mask.copy()
    bridge_dents(mask, 1.0, np.array([200.0, 120.0]))
    assert lost(mask, before) < 0.02 * before.sum()


def test_a_dent_wider_than_the_mouth_stays():
    """A disc of 20 mm radius leaves a mouth of 39 mm and is filled, one of 30 mm is not."""
    filled = []
    for radius in (20, 30):
        mask = dented(lung(), 50, 120, radius)
        before = mask.copy()
        bridge_dents(mask, 1.0, MIDDLE)
        filled.append(lost(mask, before) / lost(lung(), before))
    assert filled[0] > 0.9
    assert filled[1] < 0.2


def test_a_dent_in_a_hollow_wall_is_found_where_the_convex_hull_sees_none():
    """The lung's outer wall is hollow as a whole (radius 150 mm), the dent lies in its middle."""
    whole = np.zeros((400, 400), np.uint8)
    cv2.ellipse(whole, (200, 200), (60, 120), 0, 0, 360, 1, -1)
    cv2.circle(whole, (0, 200), 150, 0, -1)  # the wall that bulges inwards
    mask = dented(whole, 150, 200, 9)
    taken = lost(whole, mask)
    assert bridge_dents(mask, 1.0, np.array([400.0, 200.0])) == 1
    assert lost(whole, mask) <= 0.1 * taken
    assert lost(mask, whole) < 60  # the hollow itself is not filled


@pytest.mark.parametrize("pixel_mm", [0.5, 0.8, 1.2, 2.0])
def test_the_limits_are_millimetres(pixel_mm):
    """The same lung and dent on four grids: what is lost in mm² is filled on each."""
    size = round(240 / pixel_mm)
    whole = np.zeros((size, size), np.uint8)
    centre, axes = (round(120 / pixel_mm),) * 2, (round(70 / pixel_mm), round(100 / pixel_mm))
    cv2.ellipse(whole, centre, axes, 0, 0, 360, 1, -1)
    mask = dented(whole, centre[0] - axes[0], centre[1], round(8 / pixel_mm))
    taken = lost(whole, mask)
    bridge_dents(mask, pixel_mm, np.array([1.1 * size, size / 2]))
    assert lost(whole, mask) <= 0.08 * taken


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(0, 59), st.integers(0, 59), st.integers(0, 14)),
        min_size=1,
        max_size=6,
    ),
    st.lists(st.tuples(st.integers(0, 59), st.integers(0, 59)), min_size=2, max_size=4),
    st.floats(0.3, 8),
)
def test_any_shape_only_grows(discs, line, pixel_mm):
    """Blobs with thin lines, specks and shapes at the edge: pixels are added, never taken."""
    mask = np.zeros((60, 60), np.uint8)
    for x, y, radius in discs:
        cv2.circle(mask, (x, y), radius, 1, -1)
    cv2.polylines(mask, [np.array(line, np.int32)], False, 1)
    before = mask.copy()
    assert bridge_dents(mask, pixel_mm, np.array([30.0, 30.0])) >= 0
    assert (mask >= before).all()
    assert set(np.unique(mask)) <= {0, 1}
