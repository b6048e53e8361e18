"""Windows, scale and masks of a CT slice, on images whose answer is known by hand."""

import cv2
import numpy as np
import pydicom
import pydicom.pixels
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from medml.data.imaging import read_ct_small, to_hounsfield
from medml.diagnosis.ct import (
    AIR,
    OUTSIDE,
    WINDOWS,
    apply_window,
    fill_padding,
    preprocess_ct_image,
    require_hu,
    rescale,
)

LUNG_AIR = (AIR + 1350) / 1500  # grey of air in the lung window
PIXEL = 400 / 512  # mm; 512 pixels of it are the default field


@pytest.fixture(scope="module")
def small():
    """The real slice in HU."""
    header = read_ct_small()
    return to_hounsfield(header.pixel_array, header.RescaleSlope, header.RescaleIntercept)


def disc(shape, pixel_mm, radius_mm, inside=40.0, outside=AIR):
    """Return a disc of soft tissue about the centre of an image, HU."""
    rows, columns = np.indices(shape)
    dy = (rows - (shape[0] - 1) / 2) * np.broadcast_to(pixel_mm, 2)[0]
    dx = (columns - (shape[1] - 1) / 2) * np.broadcast_to(pixel_mm, 2)[1]
    return np.where(np.hypot(dy, dx) <= radius_mm, inside, outside).astype(np.float32)


def test_a_window_is_that_of_the_standard():
    """pydicom's LINEAR_EXACT with the same level and width, from 0 to 1 instead of 0 to 65535."""
    hu = np.linspace(-3000, 3000, 601)
    for level, width in WINDOWS.values():
        header = pydicom.Dataset()
        header.PhotometricInterpretation, header.PixelRepresentation = "MONOCHROME2", 1
        header.BitsStored, header.VOILUTFunction = 16, "LINEAR_EXACT"
        header.WindowCenter, header.WindowWidth = level, width
        standard = pydicom.pixels.apply_windowing(hu, header)
        ours = apply_window(hu, level, width)
        np.testing.assert_allclose(ours, (standard + 32768) / 65535, atol=1e-6)


def test_the_same_tissue_has_the_same_grey_beside_bone_and_beside_metal():
    """A stretch from minimum to maximum gives it three greys; a window one."""
    greys, stretched = [], []
    for brightest in (400, 1200, 3071):
        hu = np.float32([AIR, 30, brightest])
        greys.append(apply_window(hu, *WINDOWS["mediastinum"])[1])
        stretched.append(cv2.normalize(hu, None, 0, 255, cv2.NORM_MINMAX)[1])
    assert np.ptp(greys) == 0
    np.testing.assert_allclose(stretched, (187.61, 119.39, 64.52), atol=0.01)


@given(st.integers(-32768, 32767))
def test_int16_gives_what_float_gives(value):
    """Nothing overflows, not at the padding −32763 either."""
    for window in WINDOWS.values():
        grey = apply_window(np.array([value], np.int16), *window)
        assert grey.dtype == np.float32
        np.testing.assert_array_equal(grey, apply_window([float(value)], *window))


def test_a_constant_image_keeps_its_grey():
    """Nothing is divided by zero: −600 HU is the middle of the lung window."""
    np.testing.assert_array_equal(apply_window(np.full((3, 3), -600), *WINDOWS["lung"]), 0.5)


@pytest.mark.parametrize(
    ("hu", "message"),
    [
        (np.zeros((2, 2), np.uint8), "uint8: a picture of grey values"),
        (np.zeros((2, 2), np.uint16), "uint16.*unconverted stored values"),
        (np.float32([[0, np.nan], [np.nan, 1]]), "2 of 4 values are NaN or infinite"),
        (np.float32([0, -np.inf, np.inf]), "2 of 3 values are NaN or infinite"),
        (np.float32([np.inf]), "1 of 1 values are NaN or infinite"),
        (np.zeros((0, 5)), r"empty shape \(0, 5\)"),
    ],
)
def test_what_cannot_be_hu_is_refused(hu, message):
    """Each function that takes HU says the same."""
    steps = (require_hu, fill_padding, lambda x: apply_window(x, 0, 1))
    for step in (*steps, lambda x: preprocess_ct_image(x, 1, mask=None)):
        with pytest.raises(ValueError, match=message):
            step(hu)


@pytest.mark.parametrize("window", [(40, 0), (40, -400), (40, np.nan), (np.inf, 400)])
def test_a_window_without_width_is_refused(window):
    """It would divide by zero or turn black and white round."""
    with pytest.raises(ValueError, match="expected a level and a width above 0"):
        apply_window(np.zeros(3), *window)


@pytest.mark.parametrize("padding", [-2000, -2048, -3024, -32763])
def test_padding_becomes_air_and_nothing_else_changes(padding, small):
    """In int16 and in floats; an image without padding is not even copied."""
    for dtype in (np.int16, np.float32):
        hu = small.astype(dtype)
        assert fill_padding(hu) is hu
        padded = hu.copy()
        padded[:5] = padding
        filled = fill_padding(padded)
        assert filled.dtype == dtype
        assert (filled[:5] == AIR).all()
        np.testing.assert_array_equal(filled[5:], hu[5:])


def test_padding_gives_the_image_that_air_gives():
    """It reaches neither the grey of the corners nor that of their neighbours."""
    air, padded = (disc((512, 512), PIXEL, 150, outside=value) for value in (AIR, -2048))
    np.testing.assert_array_equal(
        preprocess_ct_image(air, PIXEL, mask=None), preprocess_ct_image(padded, PIXEL, mask=None)
    )


@pytest.mark.parametrize("factors", [(0.4375, 0.4375), (0.25, 1.0), (0.31, 0.77), (1.0, 0.5)])
def test_shrinking_keeps_the_mean_and_has_the_area_average(factors):
    """Each new pixel is the mean of the area it covers, computed here with a matrix of shares."""
    image = np.random.default_rng(1).normal(size=(64, 100)).astype(np.float32)
    shares = []
    for n, factor in zip(image.shape, factors, strict=True):
        edges = np.arange(round(n * factor) + 1)[:, None] / factor
        first, last = (
            np.maximum(edges[:-1], np.arange(n)),
            np.minimum(edges[1:], np.arange(1, n + 1)),
        )
        covered = np.maximum(last - first, 0)
        shares.append(covered / covered.sum(axis=1, keepdims=True))
    expected = shares[0] @ image @ shares[1].T
    np.testing.assert_allclose(rescale(image, factors), expected, atol=1e-5)


@pytest.mark.parametrize("factors", [(2.0, 1.5), (1.0, 3.0)])
def test_enlarging_is_what_pytorch_calls_bilinear(factors):
    """With the outer edges of both images in the same place."""
    image = np.random.default_rng(2).normal(size=(6, 8)).astype(np.float32)
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(image)[None, None], scale_factor=factors, mode="bilinear"
    )
    np.testing.assert_allclose(rescale(image, factors), expected[0, 0], atol=1e-5)


def test_each_axis_is_resized_in_its_own_way():
    """Rows average while columns are interpolated: the one step does not spoil the other."""
    image = np.random.default_rng(3).normal(size=(8, 6)).astype(np.float32)
    rows_first = rescale(rescale(image, (0.5, 1)), (1, 2))
    np.testing.assert_array_equal(rescale(image, (0.5, 2)), rows_first)
    np.testing.assert_allclose(rescale(image, (0.5, 1)), (image[::2] + image[1::2]) / 2, atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "pixel_mm"),
    [
        ((512, 512), 0.5),  # filled up with air
        ((512, 512), 0.9),  # cut
        ((200, 160), 2.0),  # enlarged: filled in one direction
        ((256, 400), (1.5, 0.8)),  # pixels that are not square
        ((401, 333), 1.0),
    ],
)
def test_a_disc_has_its_true_size_whatever_the_scanner_pixel(shape, pixel_mm):
    """A radius of 100 mm is 56 output pixels of 400 / 224 mm, round and about the centre."""
    hu = disc(shape, pixel_mm, 100)
    grey = preprocess_ct_image(hu, pixel_mm, mask=None)
    assert (grey.shape, grey.dtype) == ((224, 224), np.float32)
    tissue = (grey - LUNG_AIR) / (apply_window(40.0, *WINDOWS["lung"]) - LUNG_AIR)
    assert tissue.sum() == pytest.approx(np.pi * 56**2, rel=0.01)
    rows, columns = np.nonzero(tissue > 0.5)
    assert (np.ptp(rows), np.ptp(columns)) == pytest.approx((111, 111), abs=1.5)
    assert (rows.mean(), columns.mean()) == pytest.approx((111.5, 111.5), abs=0.5)
    assert grey[0, 0] == pytest.approx(LUNG_AIR)


def test_what_is_outside_the_mask_is_no_grey_at_all():
    """In the mediastinal window air is 0 too, so 0 would hide where the mask ends."""
    hu = disc((512, 512), PIXEL, 120)
    mask = disc((512, 512), PIXEL, 60, True, False).astype(bool)
    for window in WINDOWS.values():
        whole = preprocess_ct_image(hu, PIXEL, mask=None, window=window)
        masked = preprocess_ct_image(hu, PIXEL, mask=mask, window=window)
        outside = masked == OUTSIDE
        assert whole.min() >= 0 > OUTSIDE
        np.testing.assert_array_equal(masked[~outside], whole[~outside])
        assert (~outside).sum() == pytest.approx(np.pi * (60 / 400 * 224) ** 2, rel=0.01)


def test_any_label_counts_as_inside():
    """Left lung 1, right lung 2: both are kept."""
    hu, labels = disc((512, 512), PIXEL, 120), np.zeros((512, 512), np.uint8)
    labels[200:300, 100:200], labels[200:300, 300:400] = 1, 2
    both = preprocess_ct_image(hu, PIXEL, mask=labels)
    np.testing.assert_array_equal(both, preprocess_ct_image(hu, PIXEL, mask=labels > 0))


def test_a_mask_has_to_be_named_and_to_fit():
    """Leaving it out is no way to mask nothing; an empty or turned one is refused."""
    hu = disc((256, 512), PIXEL, 80)
    with pytest.raises(TypeError, match="mask"):
        preprocess_ct_image(hu, PIXEL)
    with pytest.raises(ValueError, match=r"mask is empty.*mask=None keeps the whole image"):
        preprocess_ct_image(hu, PIXEL, mask=np.zeros((256, 512), bool))
    with pytest.raises(ValueError, match=r"mask of shape \(256, 512\), got bool \(512, 256\)"):
        preprocess_ct_image(hu, PIXEL, mask=np.ones((512, 256), bool))
    with pytest.raises(ValueError, match="got float64"):
        preprocess_ct_image(hu, PIXEL, mask=np.ones((256, 512)))


def test_a_mask_outside_the_field_is_empty():
    """It would leave an image of nothing."""
    hu, mask = disc((512, 512), 2.0, 150), np.zeros((512, 512), bool)
    mask[:50] = True
    with pytest.raises(ValueError, match="mask is empty in this field"):
        preprocess_ct_image(hu, 2.0, mask=mask)


@pytest.mark.parametrize("value", [AIR, -2048, -32763])
def test_a_slice_of_air_or_padding_alone_is_no_image(value):
    """The message gives the range of HU and the window."""
    hu = np.full((64, 64), value, np.int16)
    with pytest.raises(
        ValueError, match=rf"HU from {value:.0f}.* one grey only.*leave the slice out"
    ):
        preprocess_ct_image(hu, 2.0, mask=None)


def test_a_slice_below_its_window_is_not_black_without_a_word():
    """Lung tissue in the bone window."""
    hu = np.random.default_rng(0).normal(-850, 20, (64, 64))
    with pytest.raises(ValueError, match=r"one grey only in the window \(400\.0, 1800\.0\)"):
        preprocess_ct_image(hu, 2.0, mask=None, window=WINDOWS["bone"])


def test_stored_values_are_told_from_hu():
    """The real slice before slope and intercept: its lowest value is 128."""
    stored = read_ct_small().pixel_array
    with pytest.raises(ValueError, match=r"lowest value is 128; apply RescaleSlope"):
        preprocess_ct_image(stored, 0.66, mask=None)


def test_a_volume_is_no_slice():
    """One slice at a time."""
    with pytest.raises(ValueError, match=r"one slice.*\(3, 64, 64\)"):
        preprocess_ct_image(np.full((3, 64, 64), AIR), 1.0, mask=None)


@pytest.mark.parametrize("pixel_mm", [0, -1, np.nan, 0.0007, (0.7, 700)])
def test_a_pixel_that_no_scanner_has_is_refused(pixel_mm):
    """Metres and micrometres too: they would ask for an image of gigabytes."""
    with pytest.raises(ValueError, match="expected the pixel size in mm"):
        preprocess_ct_image(disc((64, 64), 1, 20), pixel_mm, mask=None)


@pytest.mark.parametrize(("field_mm", "size"), [(0.1, 224), (-400, 224), (np.nan, 224), (400, 0)])
def test_a_field_without_pixels_is_refused(field_mm, size):
    """And so is one whose pixels are larger than a lung."""
    hu = disc((64, 64), 1, 20)
    for wrong in ((field_mm, size), (40000, 224)):
        with pytest.raises(ValueError, match=f"field of {wrong[0]} mm on {wrong[1]} pixels"):
            preprocess_ct_image(hu, 1.0, mask=None, field_mm=wrong[0], size=wrong[1])


def test_the_field_is_close_to_area_averages():
    """Within 0.02 of the grey range on average, in random structures some 7 mm wide."""
    noise = np.random.default_rng(0).normal(size=(512, 512)).astype(np.float32)
    hu = cv2.GaussianBlur(noise, (0, 0), 3 / PIXEL) * 8000 - 600
    exact = rescale(apply_window(hu, *WINDOWS["lung"]), (224 / 512, 224 / 512))
    assert exact.std() > 0.2
    difference = np.abs(preprocess_ct_image(hu, PIXEL, mask=None) - exact)[1:-1, 1:-1]
    assert difference.mean() < 0.02


def test_noise_gets_weaker_when_the_image_shrinks():
    """No pixel is skipped: white noise falls at least as with area averages, by 224 / 512."""
    hu = np.random.default_rng(0).normal(-600, 100, (512, 512))
    grey = preprocess_ct_image(hu, PIXEL, mask=None)[1:-1, 1:-1]
    assert grey.std() * 1500 < 100 * 224 / 512


def test_a_placement_moves_image_and_mask_in_the_same_step():
    """A shift by whole output pixels moves both exactly; what comes in is air and outside."""
    hu = disc((512, 512), PIXEL, 120)
    mask = disc((512, 512), PIXEL, 60, True, False).astype(bool)
    moved = np.array([[1, 0, 7], [0, 1, -4]], float)  # 7 to the right, 4 up
    for kept in (None, mask):
        still = preprocess_ct_image(hu, PIXEL, mask=kept)
        there = preprocess_ct_image(hu, PIXEL, mask=kept, placement=moved)
        np.testing.assert_allclose(there[1:219, 8:], still[5:223, 1:217], atol=2e-5)
        border = LUNG_AIR if kept is None else OUTSIDE
        np.testing.assert_allclose(there[:, :6], border, atol=1e-6)
        np.testing.assert_allclose(there[-3:], border, atol=1e-6)


def test_the_real_slice_fills_the_part_of_the_field_that_it_covers(small):
    """128 pixels of 0.661 mm are 84.7 mm of 400 mm: 47.4 of 224 pixels; around it is air."""
    grey = preprocess_ct_image(small, 0.661468, mask=None)
    rows, columns = np.nonzero(np.abs(grey - LUNG_AIR) > 1e-6)
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == pytest.approx((47.4, 47.4), abs=1.6)
