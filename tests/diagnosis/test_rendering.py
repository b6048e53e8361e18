"""Rendered patches keep what the outline says, and show nothing else of the readers."""

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from medml.data import lidc
from medml.data.outlines import NoduleMasks
from medml.diagnosis import rendering
from medml.diagnosis.rendering import cropped_nodules, render_patch, render_patches


class Silence:
    """A generator whose noise is 0."""

    def standard_normal(self, shape, dtype):
        """Return zeros."""
        return np.zeros(shape, dtype)


def nodule(masks, pixel=0.7):
    """Wrap masks, shape (readers, slices, rows, columns), as a nodule."""
    masks = np.asarray(masks, bool)
    return NoduleMasks(masks, tuple(range(len(masks))), (0, 0, 0), 0.0, (1.0, pixel, pixel))


def disc(radius_mm, pixel):
    """Return the pixels of a disc, shape (1, 1, n, n)."""
    side = 2 * int(radius_mm / pixel) + 5
    offset = (np.arange(side) - (side - 1) / 2) * pixel
    return (np.hypot(offset, offset[:, None]) <= radius_mm)[None, None]


def share(masks, size=64, pixel_mm=0.7):
    """Return how far each pixel of the noiseless patch is nodule, 0 to 1."""
    patch = render_patch(masks, Silence(), size=size, pixel_mm=pixel_mm)
    return (patch - rendering.PARENCHYMA_HU) / (rendering.NODULE_HU - rendering.PARENCHYMA_HU)


@pytest.fixture
def sharp(monkeypatch):
    """A scanner with hardly any blur."""
    monkeypatch.setattr(rendering, "PSF_MM", 1e-3)


@settings(max_examples=30)
@given(st.floats(0.4, 1.0), st.floats(0.3, 1.2), st.floats(1.0, 9.0))
def test_the_area_in_mm_is_kept_whatever_the_pixels(pixel, pixel_mm, radius):
    """The shares add up to the area of the mask, if its blurred edge lies within the patch."""
    assume(radius + 3 < 32 * pixel_mm)
    mask = disc(radius, pixel)
    area = share(nodule(mask, pixel), pixel_mm=pixel_mm).sum() * pixel_mm**2
    assert area == pytest.approx(mask.sum() * pixel**2, rel=1e-4)


def test_halving_the_pixels_is_opencvs_area_resampling(sharp):
    """Where two by two pixels make one, OpenCV's INTER_AREA is the reference."""
    mask = np.random.default_rng(0).random((20, 28)) < 0.5
    mask[[0, -1]] = mask[:, [0, -1]] = True  # the bounding box is all of it
    expected = cv2.resize(mask.astype(np.float32), None, fx=0.5, fy=0.5, interpolation=3)
    found = share(nodule(mask[None, None], 0.35))
    np.testing.assert_allclose(found[27:37, 25:39], expected, atol=1e-5)


def test_scanners_with_other_pixels_show_the_same_disc():
    """A disc of 6 mm looks alike from pixels of 0.5 and 0.9 mm: within a tenth of its contrast."""
    fine, coarse = (share(nodule(disc(6, pixel), pixel)) for pixel in (0.5, 0.9))
    assert np.abs(fine - coarse).max() < 0.1
    assert np.abs(fine - share(nodule(disc(6.7, 0.5), 0.5))).max() > 0.2


def test_edges_are_as_sharp_from_coarse_pixels_as_from_fine_ones():
    """The width of a straight edge, from its slope, differs by less than 5 %."""
    slopes = []
    for pixel, rows in ((0.5, 28), (0.875, 16)):  # both 14 mm, the edge between two pixels
        slopes.append(np.diff(share(nodule(np.ones((1, 1, rows, rows)), pixel))[32]).max())
    assert slopes[0] == pytest.approx(slopes[1], rel=0.05)
    assert slopes[0] == pytest.approx(0.7 / (np.sqrt(2 * np.pi) * rendering.PSF_MM), rel=0.15)


def test_the_bounding_box_lies_in_the_middle_wherever_the_mask_lay():
    """Empty rows and columns around a mask change nothing, and a disc is centred."""
    mask = disc(5, 0.7)
    moved = np.pad(mask, ((0, 0), (0, 0), (7, 0), (0, 11)))
    np.testing.assert_array_equal(share(nodule(mask)), share(nodule(moved)))
    image = share(nodule(mask))
    np.testing.assert_allclose(image, image[::-1, ::-1], atol=1e-5)


def test_the_largest_slice_is_shown():
    """Of three slices the second has most pixels."""
    masks = np.zeros((1, 3, 9, 9), bool)
    masks[0, 0, :2, :2] = masks[0, 1, :8, :3] = masks[0, 2, :3, :3] = True
    assert share(nodule(masks)).sum() == pytest.approx(24, rel=1e-4)


def test_how_many_readers_there_were_does_not_show():
    """Two or four readers of one opinion give the same pixels."""
    mask = disc(4, 0.7)
    two, four = (nodule(np.repeat(mask, n, axis=0)) for n in (2, 4))
    np.testing.assert_array_equal(*(render_patch(m, np.random.default_rng(1)) for m in (two, four)))


def test_no_score_of_a_reader_is_even_read(monkeypatch):
    """Rendering needs the masks alone."""
    monkeypatch.setattr(lidc, "load_readings", None)
    monkeypatch.setattr(lidc, "load_nodules", None)
    assert render_patches([1, 3]).shape == (2, 1, 64, 64)


def test_a_patch_is_the_same_alone_among_others_and_in_any_order():
    """Every nodule has a generator of its own."""
    ids = list(lidc.load_masks())[:5]
    patches = render_patches(ids, seed=3)
    assert patches.dtype == np.float32
    np.testing.assert_array_equal(patches[::-1], render_patches(ids[::-1], seed=3))
    np.testing.assert_array_equal(patches[2:3], render_patches(ids[2:3], seed=3))
    assert (patches[0] != render_patches(ids[:1], seed=4)[0]).any()
    rim = patches[:, 0, :4].reshape(5, -1)
    assert np.abs(np.corrcoef(rim)[np.triu_indices(5, 1)]).max() < 0.5


def test_noise_has_the_stated_strength_everywhere_and_correlation():
    """Smoothed white noise: exp(−d² / 4σ²) at distance d; 4,000 patches of 2 mm pixels' rim."""
    generator = np.random.default_rng(0)
    sigma = rendering.NOISE_MM / 0.7
    patches = np.stack([rendering._noise(16, sigma, generator) for _ in range(4000)])
    np.testing.assert_allclose(patches.std(axis=0), 1, atol=0.06)
    neighbours = (patches[:, :, 1:] * patches[:, :, :-1]).mean()
    assert neighbours == pytest.approx(np.exp(-1 / (4 * sigma**2)), abs=0.01)
    flat = render_patch(nodule(np.ones((1, 1, 1, 1))), generator)[:20]
    assert flat.std() == pytest.approx(rendering.NOISE_HU, rel=0.1)
    assert flat.mean() == pytest.approx(rendering.PARENCHYMA_HU, abs=5)


def test_a_nodule_larger_than_the_field_is_cropped_and_told(monkeypatch):
    """40 mm do not fit into 32 pixels of 0.7 mm; the middle stays."""
    giant = nodule(np.ones((1, 1, 80, 10)), 0.5)
    assert share(giant, size=32)[:, 16].min() > 0.9
    monkeypatch.setattr(lidc, "load_masks", lambda ids: {1: giant, 2: nodule(disc(3, 0.7))})
    assert cropped_nodules([1, 2], size=32) == [1]
    assert cropped_nodules([1, 2], size=64) == []


@pytest.mark.parametrize(("size", "pixel"), [(0, 0.7), (64, 0.0), (64, -1.0), (64, float("nan"))])
def test_a_patch_without_extent_is_refused(size, pixel):
    """Size and pixel must be positive numbers."""
    with pytest.raises(ValueError, match=f"got {size} and {pixel} mm"):
        render_patch(nodule(disc(3, 0.7)), Silence(), size=size, pixel_mm=pixel)


def test_readers_who_share_no_voxel_leave_nothing_to_render():
    """Three readers, three places: the consensus is empty."""
    with pytest.raises(ValueError, match="share no voxel: leave this nodule out"):
        render_patch(nodule(np.eye(3)[:, None, None]), Silence())


def test_an_unknown_nodule_is_named():
    """Numbers come from load_nodules()."""
    with pytest.raises(ValueError, match="unknown nodule -1"):
        render_patches([1, -1])
