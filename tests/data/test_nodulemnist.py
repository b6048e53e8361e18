"""NoduleMNIST3D from a mirror on loopback: an invented file of the same form."""

import io

import numpy as np
import pytest

from medml.data.catalogue import DataError
from medml.data.install import fetch
from medml.data.nodulemnist import SPLITS, load_nodulemnist
from medml.diagnosis.nodules import nodulemnist_dataset


def form(**changes):
    """Return arrays of the form of NoduleMNIST3D: six noisy cubes a split; None drops one."""
    generator = np.random.default_rng(0)
    arrays = {}
    for split in SPLITS:
        arrays[f"{split}_images"] = generator.integers(1, 256, (6, 28, 28, 28), np.uint8)
        arrays[f"{split}_labels"] = np.array([[0], [1], [0], [1], [1], [0]], np.uint8)
    return {name: array for name, array in (arrays | changes).items() if array is not None}


@pytest.fixture
def served(toys, mirror, make_dataset):
    """The function that puts content on the mirror, into the catalogue and fetches it."""

    def serve(content):
        if isinstance(content, dict):
            file = io.BytesIO()
            np.savez_compressed(file, **content)
            content = file.getvalue()
        (mirror / "nodulemnist3d.npz").write_bytes(content)
        toys["nodulemnist3d"] = make_dataset(
            "nodulemnist3d", "url", "http://127.0.0.1:9", "nodulemnist3d/nodulemnist3d.npz", content
        )
        fetch("nodulemnist3d")

    return serve


@pytest.mark.parametrize("split", SPLITS)
def test_a_fetched_split_is_loaded(served, split):
    """Cubes as they were stored, one whole number a label."""
    served(form())
    images, labels = load_nodulemnist(split)
    np.testing.assert_array_equal(images, form()[f"{split}_images"])
    assert images.dtype == np.uint8
    assert labels.dtype == np.int64
    assert labels.tolist() == [0, 1, 0, 1, 1, 0]


def test_empty_cubes_are_left_out_with_a_warning_that_counts_them(served):
    """Older releases held some; their labels go with them."""
    cubes = form()["test_images"]
    cubes[[1, 5]] = 0
    served(form(test_images=cubes))
    with pytest.warns(UserWarning, match="2 of 6 cubes of 'test' are empty and left out"):
        images, labels = load_nodulemnist("test")
    np.testing.assert_array_equal(images, cubes[[0, 2, 3, 4]])
    assert labels.tolist() == [0, 0, 1, 1]


def test_a_fetched_split_becomes_a_data_set_for_networks(served):
    """From the mirror to a tensor."""
    served(form())
    dataset = nodulemnist_dataset("train", planes=3)
    image, label = dataset[1]
    assert image.shape == (3, 28, 28)
    assert label == 1
    np.testing.assert_allclose(image[0] * 255, form()["train_images"][1, 14], atol=1e-4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"val_labels": None}, "is not NoduleMNIST3D .*val_labels"),
        ({"val_images": np.ones((6, 64, 64, 64), np.uint8)}, r"uint8 cubes \(6, 64, 64, 64\)"),
        ({"val_images": np.ones((6, 28, 28), np.uint8)}, r"uint8 cubes \(6, 28, 28\)"),
        ({"val_images": np.ones((6, 28, 28, 28), np.float32)}, "float32 cubes"),
        ({"val_labels": np.array([0, 1])}, "2 labels"),
        ({"val_labels": np.array([0, 1, 2, 3, 4, 5])}, "labels .0, 1, 2, 3, 4, 5., expected 0 and"),
        ({"val_labels": np.full(6, None)}, "is not NoduleMNIST3D .*allow_pickle=False"),
        ({"val_images": np.zeros((6, 28, 28, 28), np.uint8)}, "all 6 cubes of 'val' are empty"),
        ({"val_images": np.ones((0, 28, 28, 28), np.uint8), "val_labels": []}, "n ≥ 1"),
    ],
)
def test_a_file_of_another_form_is_one_error(served, changes, message):
    """The checksum may be right and the content not what the loader expects."""
    served(form(**changes))
    with pytest.raises(DataError, match=message):
        load_nodulemnist("val")


@pytest.mark.parametrize("content", [b"", b"patient,hr\n1,72\n", b"PK\x03\x04 half a file"])
def test_a_file_that_is_no_archive_is_one_error(served, content):
    """Not a single array can be read."""
    served(content)
    with pytest.raises(DataError, match="is not NoduleMNIST3D"):
        load_nodulemnist("val")


def test_a_single_array_is_not_the_set(served):
    """NumPy opens such a file without complaint, but it has no names."""
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    served(file.getvalue())
    with pytest.raises(DataError, match="is not NoduleMNIST3D"):
        load_nodulemnist("val")


def test_a_set_that_was_not_fetched_names_the_command(home):
    """It is optional: nothing is downloaded behind the user's back."""
    with pytest.raises(DataError, match="run  python -m medml data fetch nodulemnist3d"):
        load_nodulemnist("train")


def test_an_unknown_split_lists_the_splits(home):
    """The validation set is called val."""
    with pytest.raises(ValueError, match="unknown split 'validation', expected one of train"):
        load_nodulemnist("validation")
