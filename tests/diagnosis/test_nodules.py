"""Grey levels, random views and the data set: what a network is given."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from medml.diagnosis import nodules
from medml.diagnosis.nodules import NoduleDataset, nodulemnist_dataset, random_view, to_network

SEEDS = st.integers(0, 2**32)
PATIENTS = np.array(["A", "A", "B", "C"])


def images(n=4, channels=1, side=8):
    """Return random images, shape (n, channels, side, side)."""
    return np.random.default_rng(0).random((n, channels, side, side), np.float32)


def add_noise(image, generator):
    """An augmentation that shows which numbers were drawn."""
    return image + generator.standard_normal(image.shape, np.float32)


def blob(row=32, column=32):
    """Return an image with one smooth spot."""
    rows, columns = np.mgrid[:64, :64]
    return np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 50).astype(np.float32)


def centre(image):
    """Return the centre of mass: row, column."""
    weights = image.clip(0.05) - 0.05
    return np.array([(weights * grid).sum() for grid in np.mgrid[:64, :64]]) / weights.sum()


def test_one_hu_is_one_grey_level_in_every_image():
    """The window is fixed: what else is in an image does not matter, and it is clipped."""
    grey = to_network(np.array([-32768, -1000, -300, 400, 3071], np.int16))
    assert grey.dtype == np.float32
    assert grey.tolist() == [0, 0, 0.5, 1, 1]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_no_number_is_refused(value):
    """Clipping would turn infinity into white without a word."""
    with pytest.raises(ValueError, match="NaN or infinity"):
        to_network([0, value])


@settings(max_examples=50)
@given(SEEDS)
def test_a_random_view_keeps_the_size_of_a_nodule_within_a_few_percent(seed):
    """The area changes by the square of at most 3 %."""
    view = random_view(blob(), np.random.default_rng(seed))
    assert view.shape == (64, 64)
    assert view.dtype == np.float32
    assert 0.96**2 < view.sum() / blob().sum() < 1.04**2


@settings(max_examples=50)
@given(SEEDS)
def test_a_random_view_moves_the_middle_by_three_pixels_at_most(seed):
    """Rotation and scale are about the middle of the image, 31.5."""
    image = blob(31.5, 31.5)
    moved = centre(random_view(image, np.random.default_rng(seed))) - 31.5
    assert np.abs(moved).max() <= 3.1


def test_random_views_show_every_angle_and_both_mirror_images():
    """Two spots beside a nodule: their directions fill the circle, in either order."""
    angles, hands = [], []
    for seed in range(200):
        views = [
            random_view(image, np.random.default_rng(seed))
            for image in (blob(31.5, 31.5), blob(31.5, 46), blob(46, 31.5))
        ]
        middle, right, below = (centre(view) for view in views)
        (a, b), (c, d) = right - middle, below - middle
        angles.append(np.arctan2(a, b))
        hands.append(np.sign(a * d - b * c))
    assert np.histogram(angles, 8, (-np.pi, np.pi))[0].min() > 10
    assert abs(np.mean(hands)) < 0.2


def test_a_view_depends_on_its_generator_alone():
    """The same draw, the same view."""
    views = [random_view(blob(20), np.random.default_rng(seed)) for seed in (5, 5, 6)]
    np.testing.assert_array_equal(views[0], views[1])
    assert (views[0] != views[2]).any()


def test_an_item_is_a_float_image_and_a_whole_label():
    """Types and shapes are those that a convolution and the cross entropy take."""
    x = images(channels=2)
    dataset = NoduleDataset(x, [False, True, True, False], PATIENTS)
    image, label = dataset[1]
    assert (image.dtype, image.shape) == (torch.float32, (2, 8, 8))
    assert (label.dtype, label.item()) == (torch.int64, 1)
    np.testing.assert_array_equal(image, x[1])
    np.testing.assert_array_equal(dataset[-3][0], x[1])
    assert len(list(dataset)) == len(dataset) == 4


def test_writing_to_an_item_leaves_the_data_set_alone():
    """An item is a copy."""
    dataset = NoduleDataset(images(), [0, 1, 1, 0], PATIENTS)
    dataset[0][0].zero_()
    assert dataset[0][0].any()


def test_augmentation_depends_on_seed_epoch_and_item_alone():
    """Another order, a second look or a fresh data set after a restart change nothing."""
    make = {"images": images(), "labels": [0, 1, 1, 0], "patients": PATIENTS, "augment": add_noise}
    first, second, other = (NoduleDataset(**make, seed=seed) for seed in (7, 7, 8))
    for epoch in range(4):
        first.set_epoch(epoch)
    second.set_epoch(3)
    other.set_epoch(3)
    forward = [first[i][0] for i in range(4)]
    backward = [second[i][0] for i in (3, 2, 1, 0)][::-1]
    assert all(map(torch.equal, forward, backward))
    assert not torch.equal(forward[0], other[0][0])
    noise = [(image.numpy() - x).ravel() for image, x in zip(forward, images(), strict=True)]
    second.set_epoch(2)
    noise.append((second[0][0].numpy() - images()[0]).ravel())
    assert np.abs(np.corrcoef(noise)[np.triu_indices(5, 1)]).max() < 0.5


def test_workers_give_the_same_items_as_none():
    """In two processes or in one, epoch by epoch."""
    dataset = NoduleDataset(images(), [0, 1, 1, 0], PATIENTS, augment=add_noise)
    for epoch in (0, 1):
        dataset.set_epoch(epoch)
        alone, together = (
            torch.cat([x for x, _ in DataLoader(dataset, 1, num_workers=n)]) for n in (0, 2)
        )
        assert torch.equal(alone, together)


def test_all_channels_of_an_item_are_turned_alike():
    """Two equal channels stay equal."""
    x = np.repeat(images(side=16), 2, axis=1)
    image, _ = NoduleDataset(x, [0, 1, 1, 0], PATIENTS, augment=random_view)[2]
    assert torch.equal(image[0], image[1])
    assert not np.array_equal(image, x[2])


def test_a_subset_keeps_image_label_and_patient_together():
    """Without augmentation unless one is given; numbers or a mask choose."""
    dataset = NoduleDataset(images(), [0, 1, 1, 0], PATIENTS, augment=add_noise, seed=9)
    part = dataset.subset([3, 1])
    assert part.labels.tolist() == [0, 1]
    assert part.patients.tolist() == ["C", "A"]
    np.testing.assert_array_equal(part[0][0], images()[3])
    noisy = dataset.subset(PATIENTS == "C", augment=add_noise)
    assert len(noisy) == 1
    assert noisy.seed == 9
    assert not np.array_equal(noisy[0][0], images()[3])


def test_one_class_alone_is_a_data_set():
    """A test set of few patients may hold no other; training refuses it."""
    assert NoduleDataset(images(), [1] * 4, PATIENTS).labels.tolist() == [1] * 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": [0, 1, 2, 0]}, "labels 0 or 1, got 2"),
        ({"labels": [0, 1, np.nan, 0]}, "labels 0 or 1, got nan"),
        ({"labels": [0, 1, 1]}, r"4 images need as many labels and patients, got shapes \(3,\)"),
        ({"labels": np.zeros((4, 1))}, r"got shapes \(4, 1\) and \(4,\)"),
        ({"patients": ["A"]}, r"4 images need .* and \(1,\)"),
        ({"images": images()[:, 0]}, r"\(n, channels, rows, columns\), got shape \(4, 8, 8\)"),
        ({"images": images()[:0], "labels": [], "patients": []}, r"got shape \(0, 1, 8, 8\)"),
        ({"images": images() / [[[[1]]], [[[1]]], [[[np.nan]]], [[[1]]]]}, "image 2 holds NaN"),
    ],
)
def test_bad_input_is_refused_with_its_value(change, message):
    """Nothing wrong reaches the network."""
    good = {"images": images(), "labels": [0, 1, 1, 0], "patients": PATIENTS}
    with pytest.raises(ValueError, match=message):
        NoduleDataset(**(good | change))


def test_an_empty_subset_is_refused():
    """A fold without items would train on nothing."""
    with pytest.raises(ValueError, match=r"got shape \(0, 1, 8, 8\)"):
        NoduleDataset(images(), [0, 1, 1, 0], PATIENTS).subset(np.array([], int))


@pytest.fixture
def cubes(monkeypatch):
    """Two cubes in place of NoduleMNIST3D."""
    volumes = np.random.default_rng(0).integers(0, 256, (2, 28, 28, 28), np.uint8)
    monkeypatch.setattr(nodules, "load_nodulemnist", lambda split: (volumes, np.array([1, 0])))
    return volumes


def test_cubes_become_their_central_slices(cubes):
    """One plane, or three through the middle; grey levels from 0 to 1."""
    one, three = (nodulemnist_dataset("val", planes=n) for n in (1, 3))
    assert one[0][0].shape == (1, 28, 28)
    np.testing.assert_allclose(one[1][0][0] * 255, cubes[1, 14], atol=1e-4)
    expected = [cubes[1, 14], cubes[1][:, 14], cubes[1][:, :, 14]]
    np.testing.assert_allclose(three[1][0] * 255, expected, atol=1e-4)
    assert one.labels.tolist() == [1, 0]


def test_every_cube_counts_as_a_patient_of_its_own(cubes):
    """No patient ids were published."""
    assert nodulemnist_dataset("val").patients.tolist() == ["val-0", "val-1"]


def test_two_planes_are_refused(cubes):
    """One or three."""
    with pytest.raises(ValueError, match="1 or 3 planes, got 2"):
        nodulemnist_dataset("val", planes=2)
