"""Random changes: reproducible, of the announced size, image and mask together."""

import cv2
import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given, settings
from hypothesis import strategies as st

from medml.diagnosis.augmentation import augment, move, placement, random_placement
from medml.diagnosis.ct import AIR, preprocess_ct_image

NOTHING = {"rotation_deg": 0, "scale": 0, "shift_mm": 0, "noise": 0}


def smooth(shape=(60, 80), seed=0):
    """Return a smooth random image in HU."""
    noise = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    return cv2.GaussianBlur(noise, (0, 0), 3) * 2000 - 500


def bar(shape=(101, 101)):
    """Return an image of air with a bar of tissue to the right of its centre, and its mask."""
    mask = np.zeros(shape, bool)
    mask[45:56, 60:91] = True
    return np.where(mask, np.float32(40), np.float32(AIR)), mask


def in_scipy(image, matrix, order, border):
    """Apply a matrix with SciPy, which wants the way back and rows first."""
    back = np.linalg.inv(np.vstack([matrix, (0, 0, 1)]))
    turn, shift = back[:2, :2][::-1, ::-1], back[:2, 2][::-1]
    return scipy.ndimage.affine_transform(
        image, turn, shift, order=order, mode="grid-constant", cval=border
    )


@pytest.mark.parametrize("seed", range(5))
def test_ranges_of_zero_change_nothing(seed):
    """Bit for bit, in image and mask, whatever the random numbers are."""
    image, mask = smooth(), np.random.default_rng(seed).random((60, 80)) < 0.5
    moved, moved_mask = augment(image, 0.7, np.random.default_rng(seed), mask=mask, **NOTHING)
    np.testing.assert_array_equal(moved, image)
    np.testing.assert_array_equal(moved_mask, mask)
    assert (moved.dtype, moved_mask.dtype) == (np.float32, bool)


def test_the_seed_decides_and_the_input_stays():
    """The same seed gives the same image, another seed another; the first array is not written."""
    image = smooth()
    before = image.copy()
    first, again, other = (augment(image, 0.7, np.random.default_rng(s))[0] for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).mean() > 10
    np.testing.assert_array_equal(image, before)


def test_one_range_does_not_change_the_draws_of_another():
    """Every call draws as many numbers: an experiment without noise moves images alike."""
    image, mask = bar()
    with_noise, without = (
        augment(image, 1.0, np.random.default_rng(3), mask=mask, noise=noise)[1]
        for noise in (50, 0)
    )
    np.testing.assert_array_equal(with_noise, without)
    generators = [np.random.default_rng(3) for _ in range(2)]
    augment(image, 1.0, generators[0])
    augment(image, 1.0, generators[1], **NOTHING)
    assert generators[0].random() == generators[1].random()


@given(
    st.floats(-180, 180),
    st.floats(0.5, 2),
    st.floats(-20, 20),
    st.floats(-20, 20),
    st.sampled_from([0.7, (0.8, 0.5), (0.5, 2.0)]),
)
@settings(max_examples=50)
def test_an_image_moves_as_in_scipy(angle, scale, down, right, pixel_mm):
    """One linear interpolation, air outside."""
    image = smooth()
    matrix = placement(image.shape, pixel_mm, angle, scale, (down, right))
    expected = in_scipy(image, matrix, 1, AIR)
    np.testing.assert_allclose(move(image, matrix, cv2.INTER_LINEAR, AIR), expected, atol=0.5)


def test_a_mask_moves_as_in_scipy():
    """To the nearest pixel; a centre half way between two may go either way."""
    image, mask = bar()
    matrix = placement(image.shape, 0.7, 23, 1.2, (2.3, -4.1))
    moved = move(mask.astype(np.uint8), matrix, cv2.INTER_NEAREST, 0)
    expected = in_scipy(mask.astype(np.uint8), matrix, 0, 0)
    assert mask.sum() * 1.2**2 == pytest.approx(moved.sum(), rel=0.02)
    assert (moved != expected).sum() <= 2


def test_image_and_mask_move_together():
    """What the mask marks is the bar, before and after."""
    image, mask = bar()
    for seed in range(20):
        moved, moved_mask = augment(image, 1.0, np.random.default_rng(seed), mask=mask, noise=0)
        assert moved_mask.any()
        assert ((moved > (40 + AIR) / 2) != moved_mask).sum() <= 10  # of 341, at the bar's border


def test_a_turn_is_clockwise_a_shift_down_and_right_a_scale_above_1_enlarges():
    """The bar's centre is 25 mm to the right of the image's: after a quarter turn, below it."""
    image, _ = bar()
    centres = {}
    for name, arguments in {
        "turn": (90, 1, (0, 0)),
        "shift": (0, 1, (4, -6)),
        "scale": (0, 1.2, (0, 0)),
        "turn, then shift": (90, 1, (0, -6)),
    }.items():
        moved = move(image, placement(image.shape, 1.0, *arguments), cv2.INTER_LINEAR, AIR)
        weight = moved - AIR
        rows, columns = np.indices(image.shape) - 50
        centres[name] = ((rows * weight).sum(), (columns * weight).sum()) / weight.sum()
    assert centres["turn"] == pytest.approx((25, 0), abs=0.1)
    assert centres["shift"] == pytest.approx((4, 19), abs=0.1)
    assert centres["scale"] == pytest.approx((0, 30), abs=0.1)
    assert centres["turn, then shift"] == pytest.approx((25, -6), abs=0.1)


def test_a_circle_stays_a_circle_where_pixels_are_not_square():
    """Turned by 45° with rows 2 mm and columns 0.5 mm apart, it covers the same pixels."""
    rows, columns = np.indices((61, 241))
    mask = np.hypot((rows - 30) * 2.0, (columns - 120) * 0.5) <= 40
    matrix = placement(mask.shape, (2.0, 0.5), 45, 1, (0, 0))
    turned = move(mask.astype(np.uint8), matrix, cv2.INTER_NEAREST, 0).astype(bool)
    assert (turned != mask).sum() < 0.03 * mask.sum()


def test_changes_stay_within_their_ranges_and_fill_them():
    """Angle, size and shift of 200 draws, measured on the moved bar in pixels of 0.5 mm."""
    image, mask = bar()
    angles, sizes, shifts = [], [], []
    still = {"scale": 0, "noise": 0, "rotation_deg": 0, "shift_mm": 0}
    generator = np.random.default_rng(0)
    for _ in range(200):
        turned, _ = augment(image, 0.5, generator, **still | {"rotation_deg": 20})
        weight = cv2.moments(turned - AIR)
        y, x = weight["m01"] / weight["m00"] - 50, weight["m10"] / weight["m00"] - 50
        angles.append(np.degrees(np.arctan2(y, x)))
        _, grown = augment(image, 0.5, generator, mask=mask, **still | {"scale": 0.2})
        sizes.append(np.sqrt(grown.sum() / mask.sum()))
        shifted, _ = augment(image, 0.5, generator, **still | {"shift_mm": 3})
        weight = cv2.moments(shifted - AIR)
        shifts += [weight["m01"] / weight["m00"] - 50, weight["m10"] / weight["m00"] - 75]
    for values, low, high in (
        (angles, -20, 20),
        (np.log(sizes), -np.log(1.2), np.log(1.2)),
        (shifts, -6, 6),
    ):
        assert low * 1.05 <= min(values) < 0.9 * low
        assert 0.9 * high < max(values) <= high * 1.05
        assert np.mean(values) == pytest.approx(0, abs=0.15 * high)


def test_noise_has_the_announced_strength():
    """Standard deviations spread evenly between 0 and 20 HU, the mean stays."""
    flat = np.full((100, 100), -500, np.float32)
    generator = np.random.default_rng(0)
    found = [augment(flat, 1, generator, **NOTHING | {"noise": 20})[0] for _ in range(200)]
    deviations = np.std(found, axis=(1, 2))
    assert deviations.min() < 1
    assert 19 < deviations.max() < 20.5
    assert deviations.mean() == pytest.approx(10, abs=1.5)
    assert np.mean(found) == pytest.approx(-500, abs=0.1)


def test_what_comes_in_from_outside_is_air():
    """In HU −1000, never 0, which is water; a windowed image names its own grey."""
    image = np.full((50, 50), 40, np.float32)
    quiet = {"rotation_deg": 0, "scale": 0, "noise": 0, "shift_mm": 20}
    moved, _ = augment(image, 1.0, np.random.default_rng(0), **quiet)
    assert moved.min() == AIR
    grey, _ = augment(image / 40, 1.0, np.random.default_rng(0), border=0.25, **quiet)
    assert grey.min() == 0.25
    np.testing.assert_array_equal(grey == 0.25, moved == AIR)


def test_preprocessing_takes_the_same_placement():
    """One interpolation from the scanner's pixels gives nearly what moving the result gives."""
    hu = smooth((512, 512)) - 100
    matrix = random_placement((224, 224), 400 / 224, np.random.default_rng(4))
    still = preprocess_ct_image(hu, 400 / 512, mask=None)
    there = preprocess_ct_image(hu, 400 / 512, mask=None, placement=matrix)
    twice = move(still, matrix, cv2.INTER_LINEAR, 350 / 1500)
    inner = np.s_[30:-30, 30:-30]
    assert np.abs(there - still)[inner].mean() > 5 * np.abs(there - twice)[inner].mean()
    assert there[inner].std() > twice[inner].std()  # the second interpolation blurs


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rotation_deg": -1}, "rotation_deg=-1"),
        ({"scale": np.nan}, "scale=nan"),
        ({"shift_mm": np.inf}, "shift_mm=inf"),
        ({"noise": -0.1}, r"noise=-0\.1"),
        ({"image": np.zeros((9, 9), np.int16)}, "float32 slice, got int16"),
        ({"image": np.zeros((2, 9, 9), np.float32)}, r"float32 slice, got float32 \(2, 9, 9\)"),
        ({"mask": np.ones((9, 8), bool)}, r"mask has the shape \(9, 8\), the image \(9, 9\)"),
        ({"pixel_mm": 0}, "expected the pixel size in mm"),
    ],
)
def test_a_senseless_request_is_refused(change, message):
    """The message names the value."""
    request = {"image": np.zeros((9, 9), np.float32), "pixel_mm": 1.0} | change
    with pytest.raises(ValueError, match=message):
        augment(generator=np.random.default_rng(0), **request)


def test_no_generator_no_augmentation():
    """Nobody augments by accident, or from a hidden seed."""
    with pytest.raises(TypeError, match="generator"):
        augment(np.zeros((9, 9), np.float32), 1.0)
