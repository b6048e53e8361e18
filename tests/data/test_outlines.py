"""Outlines drawn by hand: their masks, their groups and their measures are known."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medml.data.outlines import (
    NoduleMasks,
    fill_outlines,
    find_nodules,
    group_readings,
    longest_diameter,
)


def outline(points, slice=0, inclusion=True, reading_id=1, scan_id=1):
    """Return one outline as a row of the contour table; slices are 2 mm apart, from 100 mm on."""
    points = np.asarray(points, np.int32)
    z_mm = 100.0 + 2 * slice
    return SimpleNamespace(
        reading_id=reading_id, scan_id=scan_id, slice=slice, z_mm=z_mm, inclusion=inclusion,
        points=points,
    )  # fmt: skip


def square(left, top, side, **fields):
    """Return a square outline whose corners lie `side` pixels apart."""
    corners = [(left, top), (left + side, top), (left + side, top + side), (left, top + side)]
    return outline(corners, **fields)


def nodules_of(*outlines, pixel=0.5):
    """Find the nodules among outlines of one scan."""
    contours = pd.DataFrame([vars(o) for o in outlines])
    scans = pd.DataFrame({"pixel_spacing_mm": [pixel], "slice_spacing_mm": [2.0]}, index=[1])
    return find_nodules(contours, scans)


def masks_of(readers, spacing_mm=(1.0, 1.0, 1.0)):
    """Wrap masks, shape (readers, slices, rows, columns), as one nodule."""
    ids = tuple(range(1, len(readers) + 1))
    return NoduleMasks(np.asarray(readers, bool), ids, (0, 0, 0), 0.0, spacing_mm)


def test_a_square_outline_encloses_the_pixels_inside_it_and_not_its_own():
    """An outline of 6 x 6 pixels leaves 4 x 4, because it runs outside the nodule."""
    mask = fill_outlines([square(2, 3, 5)], (0, 0, 0), (1, 10, 10))
    expected = np.zeros((1, 10, 10), bool)
    expected[0, 4:8, 3:7] = True
    np.testing.assert_array_equal(mask, expected)


def test_a_hole_takes_its_own_outline_away_too_whatever_the_order():
    """The pixels of a hole's outline belong to the hole: 9 x 9 less 4 x 4."""
    shapes = [square(3, 3, 3, inclusion=False), square(0, 0, 10)]
    for outlines in (shapes, shapes[::-1]):
        assert fill_outlines(outlines, (0, 0, 0), (1, 11, 11)).sum() == 81 - 16


def test_an_outline_lands_in_its_slice_and_two_in_one_slice_are_both_filled():
    """Slices count from the grid's first; two separate parts of a nodule may share a slice."""
    outlines = [square(0, 0, 2, slice=7), square(5, 0, 2, slice=7), square(0, 0, 3, slice=8)]
    mask = fill_outlines(outlines, (7, 0, 0), (2, 4, 8))
    assert mask.sum(axis=(1, 2)).tolist() == [2, 4]


def test_the_consensus_keeps_voxels_of_at_least_half_of_the_readers():
    """Of one reader all, of two the union, of three two, of four two."""
    votes = np.tril(np.ones((4, 4), bool), -1)[:, None, None]  # voxel i: readers i+1 … 3
    kept = {n: masks_of(votes[-n:]).consensus.ravel().tolist() for n in range(1, 5)}
    assert kept[1] == [True, True, True, False]
    assert kept[2] == [True, True, True, False]
    assert kept[3] == [True, True, False, False]
    assert kept[4] == [True, True, False, False]


def test_readings_that_touch_are_one_nodule_and_its_grid_holds_them_all():
    """Outlines one pixel apart are linked, two pixels apart are not."""
    near = [square(0, 0, 4, reading_id=5), square(5, 0, 4, reading_id=3)]
    far = square(11, 0, 4, reading_id=4)
    nodules = nodules_of(*near, far, pixel=0.7)
    assert {i: nodule.reading_ids for i, nodule in nodules.items()} == {3: (3, 5), 4: (4,)}
    assert nodules[3].origin == (0, 0, 0)
    assert nodules[3].readers.shape == (2, 1, 5, 10)
    assert nodules[3].readers.sum(axis=(1, 2, 3)).tolist() == [9, 9]


def test_a_chain_of_readings_is_split_by_a_smaller_tolerance():
    """Six points 1, 1, 0.5, 1 and 1 apart hang together at 1; at 0.9 only the middle two do."""
    chain = [np.array([[x, 0.0, 0.0]]) for x in (0, 1, 2, 2.5, 3.5, 4.5)]
    assert group_readings(chain, 1.0).tolist() == [0, 1, 2, 2, 3, 4]
    assert group_readings(chain[:4], 1.0).tolist() == [0, 0, 0, 0]


def test_five_readings_in_one_place_stay_together():
    """No tolerance separates them; the group keeps its five members as a warning."""
    assert group_readings([np.zeros((1, 3))] * 5, 1.0).tolist() == [0] * 5


def test_readings_of_different_slices_are_apart_by_the_distance_of_the_slices():
    """Two outlines above each other, 2 mm apart, do not touch at a pixel of 0.5 mm."""
    nodules = nodules_of(square(0, 0, 4), square(0, 0, 4, slice=1, reading_id=2))
    assert list(nodules) == [1, 2]


def test_a_box_is_measured_in_mm():
    """A mask of 3 x 4 pixels of 0.5 mm in two slices 2 mm apart, one slice of four empty."""
    outlines = [outline([(9, 19), (14, 19), (14, 23), (9, 23)], slice=s) for s in (0, 3)]
    (nodule,) = nodules_of(*outlines).values()
    diameter, volume, height, x, y, z = nodule.measure(nodule.consensus)
    assert diameter == pytest.approx(0.5 * (np.hypot(3, 2) + 1))
    assert volume == pytest.approx(2 * 12 * 0.5 * 0.5 * 2)
    assert height == 8.0
    assert (x, y, z) == pytest.approx((0.5 * 11.5, 0.5 * 21, 103))


def test_an_empty_mask_has_no_measures():
    """The error names the shape of the mask."""
    nodule = masks_of(np.zeros((1, 1, 2, 3)))
    with pytest.raises(ValueError, match=r"shape \(1, 2, 3\) has no voxel"):
        nodule.measure(nodule.consensus)


@pytest.mark.parametrize("radius_mm", [4.0, 8.0, 15.0])
def test_a_sphere_has_the_volume_diameter_and_height_of_a_sphere(radius_mm):
    """Rasterised at 0.6 mm and 1 mm slices: volume within 3 %, lengths within two voxels."""
    spacing = np.array([1.0, 0.6, 0.6])
    half = np.ceil(radius_mm / spacing).astype(int) + 1
    grid = np.moveaxis(np.indices(2 * half + 1), 0, -1) - half
    sphere = masks_of([np.linalg.norm(grid * spacing, axis=-1) <= radius_mm], tuple(spacing))
    diameter, volume, height, *centre = sphere.measure(sphere.consensus)
    assert volume == pytest.approx(4 / 3 * np.pi * radius_mm**3, rel=0.03)
    assert diameter == pytest.approx(2 * radius_mm, abs=1.2)
    assert height == pytest.approx(2 * radius_mm, abs=2.0)
    assert centre == pytest.approx((half * spacing)[::-1])


@given(st.lists(st.tuples(st.integers(3, 20), st.integers(3, 20)), min_size=1, max_size=12))
def test_any_outline_stays_outside_its_mask_and_moves_with_it(points):
    """No pixel of the outline is set, nor any outside its box; a shifted outline shifts alike."""
    mask = fill_outlines([outline(points)], (0, 0, 0), (1, 24, 24))[0]
    (left, top), (right, bottom) = np.min(points, axis=0), np.max(points, axis=0)
    columns, rows = np.transpose(points)
    assert not mask[rows, columns].any()
    assert mask.sum() == mask[top : bottom + 1, left : right + 1].sum()
    moved = fill_outlines([outline(np.add(points, (2, 1)))], (0, 1, 2), (1, 24, 24))[0]
    np.testing.assert_array_equal(moved, mask)


masks = st.integers(1, 6).flatmap(
    lambda readers: st.lists(st.booleans(), min_size=readers * 27, max_size=readers * 27)
)


@given(masks)
def test_a_consensus_lies_between_what_all_and_what_any_reader_marked(voxels):
    """Intersection within consensus within union, whoever the readers are and in any order."""
    nodule = masks_of(np.reshape(voxels, (-1, 3, 3, 3)))
    consensus = nodule.consensus
    assert (nodule.readers.all(axis=0) <= consensus).all()
    assert (consensus <= nodule.readers.any(axis=0)).all()
    np.testing.assert_array_equal(masks_of(nodule.readers[::-1]).consensus, consensus)


@given(masks.filter(any))
def test_the_longest_diameter_is_the_longest_of_all_pairs(voxels):
    """The short cut through bounding boxes and hulls gives what trying every pair gives."""
    mask = np.reshape(voxels, (-1, 9, 3))
    pixels = [np.argwhere(image) for image in mask]
    pairs = (np.linalg.norm(p[:, None] - p, axis=2).max() for p in pixels if len(p))
    assert longest_diameter(mask) == pytest.approx(max(pairs) + 1)
