"""Lung segmentation: simulated chests with an exact truth, hard cases, a real slice, bad input."""

import cv2
import numpy as np
import pytest

from medml.data.imaging import read_ct_small, to_hounsfield
from medml.diagnosis.ct import WINDOWS
from medml.diagnosis.lungs import segment_lungs
from medml.diagnosis.phantom import CASES, thorax

FRESH = range(1000, 1040)  # the settings were chosen on the seeds 0 to 39
SIMPLE = {"closing_mm": 0.0, "repair": False}


def dice(a, b):
    """Return twice the overlap over the sum of both areas."""
    return 2 * (a & b).sum() / max(1, a.sum() + b.sum())


def score(phantoms, **options):
    """Return the mean Dice and the mean share of the nodule's pixels in the mask."""
    masks = [segment_lungs(p.hu, p.pixel_mm, **options).mask for p in phantoms]
    overlap = [dice(mask, p.lungs) for mask, p in zip(masks, phantoms, strict=True)]
    recall = [mask[p.nodule].mean() for mask, p in zip(masks, phantoms, strict=True)]
    return np.mean(overlap), np.mean(recall)


@pytest.fixture(scope="module")
def plain():
    """One slice without a nodule, of 256 pixels."""
    return thorax(20, 256)


@pytest.fixture(scope="module")
def seated():
    """Forty slices with a nodule on the chest wall."""
    return [thorax(seed, 320, "juxtapleural") for seed in FRESH]


def test_lungs_with_a_central_nodule_overlap_the_truth():
    """Forty fresh slices: mean Dice at least 0.995, every nodule kept."""
    overlap, recall = score([thorax(seed, 320, "central") for seed in FRESH])
    assert overlap >= 0.995
    assert recall == 1


def test_a_nodule_on_the_wall_is_kept_by_the_repair(seated):
    """Forty fresh slices: at least 95 % of its pixels, and Dice at least 0.995."""
    overlap, recall = score(seated)
    assert recall >= 0.95
    assert overlap >= 0.995


def test_dice_hides_that_the_nodule_is_gone(seated):
    """Without closing and repair at most 5 % is left, while Dice still reads above 0.99."""
    overlap, recall = score(seated, **SIMPLE)
    assert recall <= 0.05
    assert overlap > 0.99


def test_closing_alone_saves_some_nodules_and_the_repair_costs_little_dice(seated):
    """Between the two others; what the repair adds elsewhere is below 0.4 % of Dice."""
    overlap, recall = score(seated, repair=False)
    assert 0.3 < recall < 0.8
    assert score(seated)[0] > overlap - 0.004


@pytest.mark.parametrize("size", [128, 192, 512])
def test_other_pixel_sizes_work_with_the_same_settings(size):
    """Ten fresh slices each; coarse pixels cost overlap, not the nodule."""
    overlap, recall = score([thorax(seed, size, "juxtapleural") for seed in FRESH[:10]])
    assert overlap >= {128: 0.985, 192: 0.99, 512: 0.997}[size]
    assert recall >= 0.93


def test_ordinary_slices_give_no_warning(seated):
    """Forty of forty."""
    assert [segment_lungs(p.hu, p.pixel_mm).report.warnings for p in seated] == [()] * 40


SOLVED = {"table air", "padding", "contrast", "zoom", "metal", "bases", "stomach gas"}
TOLD = {
    "stomach gas": "air outside the lungs taken out",
    "effusion": "tissue behind the lungs",
    "metal": "metal",
    "zoom": "border",
    "saturated": "has a window cut them off",
}


@pytest.mark.parametrize("case", CASES)
def test_a_hard_case_is_solved_or_told(case):
    """Ten slices each: Dice at least 0.95, or the warning that names what is wrong."""
    assert case in SOLVED | TOLD.keys()
    for seed in FRESH[:10]:
        phantom = thorax(seed, 256, cases=[case])
        lungs = segment_lungs(phantom.hu, phantom.pixel_mm)
        if case in SOLVED:
            assert dice(lungs.mask, phantom.lungs) >= 0.95
        if case in TOLD:
            assert TOLD[case] in " | ".join(lungs.report.warnings)


@pytest.mark.parametrize(
    "cases",
    [("zoom", "padding"), ("table air", "padding"), ("bases", "stomach gas", "effusion"), CASES],
    ids=str,
)
def test_several_hard_cases_at_once_do_not_pass_silently(cases):
    """Ten slices: either Dice is at least 0.95 or the report warns."""
    for seed in FRESH[:10]:
        phantom = thorax(seed, 192, cases=cases)
        lungs = segment_lungs(phantom.hu, phantom.pixel_mm)
        assert lungs.report.warnings or dice(lungs.mask, phantom.lungs) >= 0.95


def test_a_lung_that_the_border_cuts_is_kept_although_vessels_end_there():
    """A slice whose right lung has many vessels at the edge of the circle."""
    phantom = thorax(205, 256, cases=["zoom", "padding"])
    assert dice(segment_lungs(phantom.hu, phantom.pixel_mm).mask, phantom.lungs) > 0.98


def to_grey(hu, level, width):
    """Return a picture with 8 bits in a window."""
    return np.rint(255 * np.clip((hu - level) / width + 0.5, 0, 1)).astype(np.uint8)


@pytest.mark.parametrize(
    "cases", [(), ("padding",), ("zoom", "padding"), ("stomach gas",)], ids=str
)
def test_a_picture_in_the_lung_window_is_as_good_as_hu(cases):
    """8 bits in the default window: nearly the same mask and the same warnings."""
    phantom = thorax(7, 256, cases=cases)
    hu = segment_lungs(phantom.hu, phantom.pixel_mm)
    grey = segment_lungs(to_grey(phantom.hu, *WINDOWS["lung"]), phantom.pixel_mm)
    assert dice(grey.mask, hu.mask) > 0.997
    assert dice(grey.mask, phantom.lungs) > 0.98
    assert len(grey.report.warnings) == len(hu.report.warnings)


def test_a_picture_in_another_window_needs_that_window():
    """With it the lungs are found, with a warning; read with the default one, it does not pass."""
    phantom = thorax(7, 256)
    window = WINDOWS["mediastinum"]
    grey = to_grey(phantom.hu, *window)
    told = segment_lungs(grey, phantom.pixel_mm, window=window)
    assert dice(told.mask, phantom.lungs) > 0.95
    assert "the window ends at -125 HU" in told.report.warnings[0]
    assert segment_lungs(grey, phantom.pixel_mm).report.warnings


def test_values_that_are_no_hu_are_told(plain):
    """Stored values without slope and intercept, and an image stretched to 0 to 1."""
    stretched = (plain.hu - plain.hu.min()) / np.ptp(plain.hu)
    for wrong in ((plain.hu + 1024).astype(np.int16), stretched):
        lungs = segment_lungs(wrong, plain.pixel_mm)
        assert not lungs.mask.any()
        assert "are these HU" in lungs.report.warnings[0]
        assert "no lung found" in lungs.report.warnings


def test_the_report_adds_up(plain):
    """Areas are those of the mask, left and right, and the steps lead from one to the other."""
    lungs = segment_lungs(plain.hu, plain.pixel_mm)
    cm2 = plain.pixel_mm**2 / 100
    halves = lungs.mask[:, :128].sum() * cm2, lungs.mask[:, 128:].sum() * cm2
    assert lungs.report.areas_cm2 == pytest.approx(halves, rel=0.01)
    steps = lungs.report.steps
    total = steps["threshold_cm2"] + steps["closing_cm2"] + steps["repair_cm2"]
    assert total == pytest.approx(sum(lungs.report.areas_cm2))
    assert steps["lung_pieces"] == 2
    simple = segment_lungs(plain.hu, plain.pixel_mm, **SIMPLE)
    steps = simple.report.steps
    area = simple.mask.sum() * cm2
    assert steps["threshold_cm2"] + steps["closing_cm2"] == pytest.approx(area)
    assert steps["repair_cm2"] == steps["bridges"] == 0
    assert (simple.mask <= lungs.mask).all()


def turned(image, degrees, border):
    """Turn an image about its middle."""
    middle = (len(image) - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), degrees, 1)
    return cv2.warpAffine(image, matrix, image.shape, borderValue=border)


def test_the_mask_moves_with_the_body(plain):
    """Shifted by whole pixels."""
    mask = segment_lungs(plain.hu, plain.pixel_mm).mask
    for shift in ((3, -4), (-5, 2)):
        moved = segment_lungs(np.roll(plain.hu, shift, (0, 1)), plain.pixel_mm).mask
        assert dice(moved, np.roll(mask, shift, (0, 1))) > 0.999


def test_the_mask_turns_and_mirrors_with_the_body(plain):
    """By ±10°, left for right, and upside down."""
    for degrees in (-10, 10):
        hu = turned(plain.hu, degrees, -1000.0)
        truth = turned(plain.lungs.astype(np.float32), degrees, 0) > 0.5
        lungs = segment_lungs(hu, plain.pixel_mm)
        assert dice(lungs.mask, truth) > 0.985
        assert lungs.report.warnings == ()
    mask = segment_lungs(plain.hu, plain.pixel_mm).mask
    for flip in (np.s_[:, ::-1], np.s_[::-1]):
        assert dice(segment_lungs(plain.hu[flip], plain.pixel_mm).mask, mask[flip]) > 0.998


def test_areas_do_not_depend_on_the_grid(plain):
    """The same slice on half and on double the pixels, and on pixels that are not square."""
    area = sum(segment_lungs(plain.hu, plain.pixel_mm).report.areas_cm2)
    for fx, fy in ((0.5, 0.5), (2, 2), (1, 0.7)):
        hu = cv2.resize(plain.hu, None, fx=fx, fy=fy, interpolation=cv2.INTER_AREA)
        report = segment_lungs(hu, (plain.pixel_mm / fy, plain.pixel_mm / fx)).report
        assert sum(report.areas_cm2) == pytest.approx(area, rel=0.02)


@pytest.mark.parametrize("offset", [-20, 0, 20])
def test_a_badly_calibrated_or_noisy_scanner_does_little_harm(plain, offset):
    """An offset of 20 HU, five times what quality assurance allows, and noise of 60 HU."""
    noise = np.random.default_rng(0).normal(offset, 60, plain.hu.shape)
    assert dice(segment_lungs(plain.hu + noise, plain.pixel_mm).mask, plain.lungs) > 0.99


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.int64, np.float32, np.float64])
def test_the_type_of_the_numbers_does_not_matter(plain, dtype):
    """HU are whole numbers here."""
    mask = segment_lungs(plain.hu.astype(dtype), plain.pixel_mm).mask
    np.testing.assert_array_equal(mask, segment_lungs(plain.hu, plain.pixel_mm).mask)


def test_lungs_that_hang_together_are_parted_for_the_report():
    """A channel of lung through the thin tissue in front joins them into one piece."""
    phantom = thorax(1001, 320)
    before = segment_lungs(phantom.hu, phantom.pixel_mm, **SIMPLE).report
    gaps = {}
    for row in np.flatnonzero(phantom.lungs.any(axis=1)):
        columns = np.flatnonzero(phantom.lungs[row])
        step = np.diff(columns).argmax()
        gaps[row] = columns[step], columns[step + 1]
    row = min((r for r in gaps if np.ptp(gaps[r]) > 1), key=lambda r: np.ptp(gaps[r]))
    phantom.hu[row - 1 : row + 2, gaps[row][0] : gaps[row][1] + 1] = -850
    report = segment_lungs(phantom.hu, phantom.pixel_mm, **SIMPLE).report
    assert report.steps["lung_pieces"] == before.steps["lung_pieces"] - 1
    assert report.areas_cm2 == pytest.approx(before.areas_cm2, rel=0.03)


def test_one_lung_only_is_told(plain):
    """The right half of the image filled with soft tissue."""
    hu = plain.hu.copy()
    hu[:, 128:][plain.lungs[:, 128:]] = 40
    report = segment_lungs(hu, plain.pixel_mm).report
    assert report.areas_cm2[1] == 0
    assert "one lung only" in report.warnings


def test_a_pneumothorax_is_not_taken_for_lung(plain):
    """Gas without tissue in half of the chest is left out and told."""
    hu = plain.hu.copy()
    hu[:, :128][plain.lungs[:, :128]] = -1000
    report = segment_lungs(hu, plain.pixel_mm).report
    assert report.areas_cm2[0] == 0
    assert any("gas inside the body" in warning for warning in report.warnings)


def test_a_real_slice_that_is_cut_on_three_sides():
    """The crop of a real CT: both lungs, neither aorta nor vertebra, and a word that it is cut."""
    dataset = read_ct_small()
    hu = to_hounsfield(dataset.pixel_array, dataset.RescaleSlope, dataset.RescaleIntercept)
    pixel_mm = [float(mm) for mm in dataset.PixelSpacing]
    lungs = segment_lungs(hu, pixel_mm)
    assert lungs.report.areas_cm2 == pytest.approx((8.2, 7.5), abs=0.3)  # checked by eye
    assert "lung cut off by the image border" in lungs.report.warnings
    assert np.percentile(hu[lungs.mask], 97) < -400
    assert not lungs.mask[15:80, 45:80].any()  # vertebra
    assert not lungs.mask[:18, 82:100].any()  # aorta
    padded = turned(hu.astype(np.float32), 10, -2048.0)
    turned_areas = segment_lungs(padded, pixel_mm).report.areas_cm2
    assert turned_areas == pytest.approx((7.0, 6.9), abs=0.3)


@pytest.mark.parametrize(
    "image",
    [np.full((64, 64), value) for value in (-1000.0, -850.0, 0.0, 3000.0, -2048.0)]
    + [np.full((1, 1), -850.0), np.zeros((64, 64), np.uint8)],
    ids=lambda image: f"{image.shape} {image.dtype} {image.flat[0]}",
)
def test_a_constant_slice_has_no_lung(image):
    """An empty mask of the image's shape, and two warnings."""
    lungs = segment_lungs(image, 1.0)
    assert lungs.mask.shape == image.shape
    assert not lungs.mask.any()
    assert "constant image" in lungs.report.warnings[0]
    assert "no lung found" in lungs.report.warnings


@pytest.mark.parametrize("size", [1, 2, 3, 7, 20, 50])
def test_random_pixels_never_break_it(size):
    """Noise, blobs and stripes of any size give a mask and a report, at any pixel size."""
    rng = np.random.default_rng(size)
    for pixel_mm in (0.05, 0.7, 5, 20):
        noise = rng.normal(-500, 600, (size, size + 3))
        for hu in (noise, cv2.blur(noise, (3, 3)), np.where(noise > 0, 40.0, -850.0)):
            lungs = segment_lungs(hu, pixel_mm)
            assert lungs.mask.shape == hu.shape
            assert lungs.mask.dtype == bool


@pytest.mark.parametrize(
    ("image", "options", "message"),
    [
        (np.full((8, 8), np.nan), {}, "64 of 64 values are NaN"),
        (np.where(np.eye(8) > 0, np.inf, 0.0), {}, "8 of 64 values are NaN or infinite"),
        (np.zeros((0, 8)), {}, "empty shape"),
        (np.zeros((0, 8), np.uint8), {}, "got"),
        (np.zeros((3, 8, 8)), {}, r"expected one slice .* got shape \(3, 8, 8\)"),
        (np.zeros((8, 8, 3), np.uint8), {}, r"got shape \(8, 8, 3\)"),
        (np.zeros((8, 8), np.uint16), {}, "got uint16"),
        (np.zeros((8, 8), bool), {}, "got bool"),
        (np.zeros((8, 8)), {"pixel_mm": 0}, "pixel size in mm"),
        (np.zeros((8, 8)), {"pixel_mm": -0.7}, "pixel size in mm"),
        (np.zeros((8, 8)), {"pixel_mm": np.nan}, "pixel size in mm"),
        (np.zeros((8, 8)), {"closing_mm": -1}, "closing_mm is -1"),
        (np.zeros((8, 8), np.uint8), {"window": (-600, 0)}, "positive width"),
    ],
)
def test_bad_input_is_told(image, options, message):
    """Each message names the value."""
    with pytest.raises(ValueError, match=message):
        segment_lungs(image, **{"pixel_mm": 0.7, **options})
