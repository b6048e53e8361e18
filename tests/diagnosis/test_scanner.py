import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from medml.diagnosis.scanner import rescan


@pytest.fixture
def images():
    images = np.zeros((3, 1, 64, 64), np.float32)
    images[:, 0, 24:40, 24:40] = 100
    return images


def test_nothing_added_changes_nothing(images):
    """The same values, in a copy."""
    again = rescan(images, 0)
    np.testing.assert_array_equal(again, images)
    assert not np.shares_memory(again, images)


def test_blur_is_a_gaussian_in_mm(images):
    """Equal to scipy's filter: 2.1 mm are three pixels of 0.7 mm and 1.5 of 1.4 mm."""
    for pixel_mm in (0.7, 1.4):
        ours = rescan(images, 0, blur_mm=2.1, pixel_mm=pixel_mm)[0, 0]
        theirs = gaussian_filter(images[0, 0], 2.1 / pixel_mm, mode="nearest", truncate=6)
        np.testing.assert_allclose(ours, theirs, atol=0.3)


def test_noise_has_its_size_and_its_own_draw(images):
    """Standard deviation in HU, another noise for each image, the same for the same seed."""
    noise = rescan(images, 3, noise_hu=75) - images
    np.testing.assert_allclose(noise.std(axis=(2, 3)), 75, rtol=0.05)
    assert abs(np.corrcoef(noise[0].ravel(), noise[1].ravel())[0, 1]) < 0.1
    np.testing.assert_array_equal(noise, rescan(images, 3, noise_hu=75) - images)
    assert not np.array_equal(noise, rescan(images, 4, noise_hu=75) - images)


def test_each_image_can_have_its_own_scanner(images):
    """One value for each image: the first is left alone."""
    again = rescan(images, 0, blur_mm=[0, 2, 0], noise_hu=[0, 0, 50])
    changed = [not np.array_equal(a, b) for a, b in zip(again, images, strict=True)]
    assert changed == [False, True, True]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"images": np.zeros((64, 64))}, "got shape"),
        ({"images": np.full((1, 1, 8, 8), np.nan)}, "expected finite images"),
        ({"noise_hu": -1}, "at least 0, got 0.0 mm and -1 HU"),
        ({"blur_mm": [0, np.nan, 0]}, "at least 0"),
        ({"pixel_mm": 0}, "at least 0"),
        ({"noise_hu": [1, 2]}, "broadcast"),
    ],
)
def test_rescan_refuses(images, change, words):
    """Shapes, NaN and negative settings are named."""
    with pytest.raises(ValueError, match=words):
        rescan(change.pop("images", images), 0, **change)
