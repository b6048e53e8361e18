"""A checkpoint is whole, unchanged and of the same run, or refused with the reason."""

import hashlib
import io
import os
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from medml import checkpoint
from medml.diagnosis.nodules import NoduleDataset
from medml.diagnosis.training import Settings, fit, predict

SETTINGS = Settings(epochs=2, batch_size=4)


def dataset(name, **changes):
    """Return eight images of 2 x 2 pixels of four patients."""
    images = np.random.default_rng(len(name)).normal(size=(8, 1, 2, 2))
    parts = {"images": images, "labels": [0, 1] * 4, "patients": np.repeat(list("abcd"), 2)}
    parts["patients"] = [f"{name}-{patient}" for patient in parts["patients"]]
    return NoduleDataset(**(parts | changes))


def network(classes=2):
    """Return a softmax regression."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(4, classes))


@pytest.fixture
def path(tmp_path):
    """Return the checkpoint of a finished run."""
    fit(network(), dataset("train"), dataset("val"), SETTINGS, tmp_path / "run.pt")
    return tmp_path / "run.pt"


def resume(path, **changes):
    """Run again with something changed."""
    parts = {"model": network(), "train": dataset("train"), "validation": dataset("val")}
    parts["settings"] = SETTINGS
    return fit(**(parts | changes), checkpoint=path)


def brighter(image, generator):
    """Augment."""
    return image + np.float32(generator.random())


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"settings": replace(SETTINGS, learning_rate=0.5)}, "learning_rate was 0.001, is 0.5"),
        ({"settings": replace(SETTINGS, epochs=3)}, "epochs was 2, is 3"),
        ({"settings": replace(SETTINGS, class_weights=True)}, "class_weights was False, is True"),
        (
            {"model": nn.Sequential(nn.Flatten(), nn.Linear(4, 9), nn.Linear(9, 2))},
            r"network was 'Sequential with 10 parameters .*is 'Sequential with 65 parameters",
        ),
        (
            {"train": dataset("train", labels=[1, 0] * 4)},
            "training data was '8 items .*is '8 items",
        ),
        ({"train": dataset("train", patients=list("abcdefgh"))}, "training data was"),
        ({"train": dataset("train", images=np.ones((8, 1, 2, 2)))}, "training data was"),
        ({"train": dataset("train", augment=brighter)}, "training data was"),
        ({"validation": dataset("val").subset(range(6))}, "validation data was '8 .*is '6 items"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused_with_what_differs_and_the_cure(
    path, changes, message
):
    """Settings, network, pixels, labels, patients, augmentation; the file stays as it was."""
    before = path.read_bytes()
    with pytest.raises(ValueError, match=message) as error:
        resume(path, **changes)
    assert str(error.value).count(" was ") == 1
    assert "delete this one to start anew" in str(error.value)
    assert path.read_bytes() == before


def test_a_dropout_that_has_no_weights_makes_another_network_too(path):
    """The layers count, not the shapes of the weights alone."""
    model = network()
    model[0] = nn.Sequential(nn.Flatten(), nn.Dropout())
    with pytest.raises(ValueError, match="network was"):
        resume(path, model=model)


class Product(nn.Module):
    """A product of matrices, whose shapes its text does not tell."""

    def __init__(self, *shapes):
        super().__init__()
        self.factors = [nn.Parameter(torch.ones(shape)) for shape in shapes]
        for number, factor in enumerate(self.factors):
            self.register_parameter(f"factor{number}", factor)

    def forward(self, images):
        """Multiply the pixels by each factor."""
        for factor in self.factors:
            images = images.flatten(1) @ factor
        return images


def test_weights_of_another_shape_make_another_network_too(path):
    """28 parameters and the same text, but the factors have other rows and columns."""
    path.unlink()
    resume(path, model=Product((4, 2), (2, 2), (2, 4), (4, 2)))
    with pytest.raises(ValueError, match=r"network was 'Product with 28 .*is 'Product with 28"):
        resume(path, model=Product((4, 4), (4, 2), (2, 1), (1, 2)))


def test_a_forged_file_runs_no_code(path):
    """Its hash is right, but it names a function: only tensors and plain values are read."""
    buffer = io.BytesIO()
    torch.save({"run": {}, "state": os.getcwd}, buffer)
    path.write_bytes(hashlib.sha256(buffer.getvalue()).digest() + buffer.getvalue())
    with pytest.raises(pickle.UnpicklingError, match="getcwd"):
        checkpoint.load(path, {})


def test_other_first_weights_do_not_matter(path):
    """A notebook that was interrupted resumes with the model as the interruption left it."""
    expected, model = network(), network()
    resume(path, model=expected)
    with torch.no_grad():
        model[1].weight.fill_(7.0)
    resume(path, model=model)
    items = dataset("other")
    assert predict(model, items).tolist() == predict(expected, items).tolist()


@pytest.mark.parametrize("kept", [0, 1, 40, 0.5, -1])
def test_a_file_cut_short_anywhere_is_refused_with_the_cure(path, kept):
    """From an empty file to one that lacks its last byte."""
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content)) if 0 < kept < 1 else kept])
    with pytest.raises(ValueError, match=r"run.pt is damaged or no checkpoint .*: delete it"):
        resume(path)


def test_one_turned_bit_anywhere_is_noticed(path):
    """In the hash, the header, the weights and the end: PyTorch alone would read most of them."""
    content = path.read_bytes()
    for place in np.linspace(0, len(content) - 1, 60).astype(int):
        turned = bytearray(content)
        turned[place] ^= 4
        path.write_bytes(turned)
        with pytest.raises(ValueError, match="damaged"):
            resume(path)


def test_weights_saved_by_pytorch_alone_are_no_checkpoint(path):
    """A file of `torch.save` is refused in the same words."""
    torch.save(network().state_dict(), path)
    with pytest.raises(ValueError, match="damaged or no checkpoint"):
        resume(path)


def test_a_disk_that_is_full_leaves_the_last_checkpoint_whole(path, monkeypatch):
    """A write that fails half way leaves the old file and no other."""
    before = path.read_bytes()
    run, state = {"epochs": 1}, {"weights": torch.ones(9)}

    def fail(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="no space"):
        checkpoint.save(path, run, state)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["run.pt"]


def test_what_is_saved_comes_back(tmp_path):
    """Tensors bit for bit, numbers and text as they were."""
    state = {"weights": torch.randn(5), "history": [{"epoch": 1, "loss": 0.1 + 0.2}]}
    checkpoint.save(tmp_path / "new folder" / "a.pt", {"seed": 1}, state)
    again = checkpoint.load(tmp_path / "new folder" / "a.pt", {"seed": 1})
    assert torch.equal(again["weights"], state["weights"])
    assert again["history"] == state["history"]
