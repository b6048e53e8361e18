"""The networks: their shapes, their weights and what becomes of wrong ones. No network is used."""

import os
import urllib.error

import numpy as np
import pytest
import torch
from efficientnet_lite_pytorch import EfficientNet
from torchvision.models import ResNet18_Weights, resnet18
from torchvision.transforms import v2

from medml.data.catalogue import locate
from medml.diagnosis import model as module
from medml.diagnosis.model import (
    LungCancerClassifier,
    SmallCNN,
    WeightsError,
    load_weights,
    pretrained_features,
)

WEIGHTS = ResNet18_Weights.IMAGENET1K_V1


def grey(n=2, side=64, channels=1):
    """Return random grey images as a tensor."""
    return torch.rand(n, channels, side, side, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def cached(tmp_path, monkeypatch):
    """Where torchvision keeps downloaded weights: an empty folder, and nobody answers."""

    def nobody(*args, **kwargs):
        raise urllib.error.URLError("Temporary failure in name resolution")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", nobody)
    path = tmp_path / "hub" / "checkpoints" / "resnet18-f37072fd.pth"
    path.parent.mkdir(parents=True)
    return path


@pytest.mark.parametrize("network", [LungCancerClassifier, SmallCNN])
@pytest.mark.parametrize(("classes", "channels", "side"), [(2, 1, 64), (3, 3, 28), (2, 2, 65)])
def test_images_become_logits(network, classes, channels, side):
    """One row an image, one column a class, for several sizes of image."""
    made = network(num_classes=classes, channels=channels).eval()
    assert made(grey(2, side, channels)).shape == (2, classes)


def test_without_weights_nothing_is_asked_of_the_network(cached):
    """`weights=None` works offline."""
    assert LungCancerClassifier(weights=None).resnet.conv1.in_channels == 1


@pytest.mark.parametrize("channels", [1, 2])
def test_grey_gives_the_logits_of_three_equal_channels(cached, channels):
    """The stem's weights are summed over red, green and blue, with ImageNet's weights as well."""
    torch.save(resnet18(weights=None).state_dict(), cached)
    rgb = LungCancerClassifier(channels=3, weights=WEIGHTS).eval()
    made = LungCancerClassifier(channels=channels, weights=WEIGHTS).eval()
    made.resnet.fc.load_state_dict(rgb.resnet.fc.state_dict())
    with torch.inference_mode():
        expected = rgb(grey().repeat(1, 3, 1, 1))
        torch.testing.assert_close(made(grey().repeat(1, channels, 1, 1)), expected)
        assert expected.std() > 1e-3


def test_three_channels_keep_torchvisions_network(cached):
    """Every weight but the last layer's is the one that was downloaded."""
    original = resnet18(weights=None).state_dict()
    torch.save(original, cached)
    made = LungCancerClassifier(channels=3, weights=WEIGHTS).resnet.state_dict()
    assert all(torch.equal(made[name], original[name]) for name in original if name[:2] != "fc")
    assert made["fc.weight"].shape == (2, 512)


def test_a_failed_download_says_what_to_do(cached):
    """Offline: the file's name, its place and the way without it."""
    with pytest.raises(
        WeightsError,
        match=r"IMAGENET1K_V1 \(.*name resolution.*: connect .* put resnet18-f37072fd\.pth into "
        r".*checkpoints, or use weights=None",
    ) as error:
        LungCancerClassifier(weights=WEIGHTS)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"half a file", b"PK\x03\x04 half an archive"])
def test_a_damaged_download_is_to_be_deleted(cached, content):
    """Being online would not help: torchvision takes what is there."""
    cached.write_bytes(content)
    with pytest.raises(WeightsError, match=r"delete .*f37072fd\.pth and try again"):
        LungCancerClassifier(weights=WEIGHTS)


def test_the_weights_of_another_network_are_refused(cached):
    """A file with the right name and the wrong content."""
    torch.save(SmallCNN().state_dict(), cached)
    with pytest.raises(WeightsError, match=r"f37072fd\.pth holds other weights than ResNet has"):
        LungCancerClassifier(weights=WEIGHTS)


@pytest.mark.parametrize("weights", [True, "IMAGENET1K_V1"])
def test_weights_are_a_member_of_torchvisions_list(weights):
    """The True of older code gets a clear answer."""
    with pytest.raises(TypeError, match=rf"ResNet18_Weights or None, got .?{weights}"):
        LungCancerClassifier(weights=weights)


def test_pretrained_is_no_argument_any_more():
    """torchvision gave it up too."""
    with pytest.raises(TypeError, match="pretrained"):
        LungCancerClassifier(pretrained=True)


@pytest.mark.parametrize("network", [LungCancerClassifier, SmallCNN])
def test_the_same_seed_makes_the_same_network(network):
    """Weights come from torch's global generator and from nothing else."""
    outputs = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        outputs.append(network().eval()(grey()))
    assert torch.equal(outputs[0], outputs[1])
    assert not torch.equal(outputs[0], outputs[2])


def test_the_small_network_is_small_and_every_weight_learns():
    """Fewer than 80,000 numbers, each with a gradient."""
    network = SmallCNN()
    network(grey(8)).square().sum().backward()
    assert 60_000 < sum(p.numel() for p in network.parameters()) < 80_000
    assert all(p.grad.abs().sum() > 0 for p in network.parameters())


def test_the_small_network_learns_to_tell_sizes_apart():
    """Discs of 3 to 6 pixels against 8 to 11, in noise: after 30 steps new ones are told apart."""
    generator = np.random.default_rng(0)
    torch.manual_seed(0)

    def discs(n):
        label = np.arange(n) % 2
        radius = generator.uniform(3, 6, n) + 5 * label
        offset = np.arange(32) - 15.5
        image = np.hypot(offset, offset[:, None]) < radius[:, None, None]
        image = image + generator.normal(0, 0.2, image.shape)
        return torch.tensor(image[:, None], dtype=torch.float32), torch.tensor(label)

    network = SmallCNN()
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(30):
        images, labels = discs(16)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(images), labels).backward()
        optimizer.step()
    images, labels = discs(64)
    assert (network.eval()(images).argmax(1) == labels).float().mean() > 0.95


@pytest.fixture(scope="module")
def lite():
    """EfficientNet-Lite0 with ImageNet's weights, as its authors assemble it."""
    network = EfficientNet.from_name("efficientnet-lite0")
    path = locate("efficientnet-lite0", "efficientnet-lite0-57934424.pth")
    network.load_state_dict(torch.load(path, weights_only=True))
    return network.eval()


def test_features_are_those_before_the_last_layer(lite):
    """The last layer on top of them gives the whole network's answer to the same picture."""
    steps = v2.Compose(
        [
            v2.Grayscale(3),
            v2.Resize((128, 128), antialias=True),
            v2.Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]),
        ]
    )
    features = pretrained_features(grey(3), side=128)
    assert features.dtype == np.float32
    assert features.shape == (3, 1280)
    with torch.inference_mode():
        torch.testing.assert_close(lite._fc(torch.from_numpy(features)), lite(steps(grey(3))))


def test_features_of_an_image_depend_on_it_alone():
    """Neither on the batch nor on the images beside it; threads are given back."""
    threads = torch.get_num_threads()
    images = grey(5).numpy()
    features = pretrained_features(images, side=64, batch=2)
    np.testing.assert_allclose(features, pretrained_features(images, side=64), atol=1e-5)
    np.testing.assert_allclose(features[3:4], pretrained_features(images[3:4], side=64), atol=1e-5)
    assert np.abs(features[0] - features[1]).max() > 0.1
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 3, 64, 64)), r"\(n, 1, rows, columns\), got shape \(2, 3, 64, 64\)"),
        (np.zeros((64, 64)), r"got shape \(64, 64\)"),
        (np.zeros((0, 1, 64, 64)), r"got shape \(0, 1, 64, 64\)"),
        (np.full((1, 1, 64, 64), -850), "-850 to -850: map HU with nodules.to_network"),
        (np.full((1, 1, 64, 64), np.nan), "nan to nan"),
    ],
)
def test_images_that_are_no_grey_levels_are_refused(images, message):
    """HU or colours would give features of nothing."""
    with pytest.raises(ValueError, match=message):
        pretrained_features(images)


@pytest.mark.parametrize("side", [0, 100, -32])
def test_a_side_that_the_network_cannot_halve_five_times_is_refused(side):
    """Padding would differ from the one it was trained with."""
    with pytest.raises(ValueError, match=f"multiple of 32 pixels, got {side}"):
        pretrained_features(grey().numpy(), side=side)


def test_saved_weights_give_the_same_predictions(tmp_path):
    """What was saved is what is loaded."""
    torch.save(SmallCNN().state_dict(), tmp_path / "a.pth")
    networks = [SmallCNN().eval(), SmallCNN().eval()]
    for network in networks:
        load_weights(network, tmp_path / "a.pth")
    assert torch.equal(networks[0](grey()), networks[1](grey()))


@pytest.mark.parametrize("content", [None, b"", b"half a file", b"PK\x03\x04 half an archive"])
def test_a_file_without_weights_is_one_error(tmp_path, content):
    """Missing, empty or damaged: the file's name and what to do."""
    path = tmp_path / "a.pth"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"cannot read weights from .*a\.pth \(.+again") as error:
        load_weights(SmallCNN(), path)
    assert "\n" not in str(error.value)


class Bomb:
    """An object whose pickle makes a folder when it is loaded."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


def test_code_in_a_file_of_weights_is_not_run(tmp_path):
    """Only plain weights are read."""
    torch.save({"weight": Bomb(tmp_path / "boom")}, tmp_path / "a.pth")
    with pytest.raises(WeightsError, match="cannot read weights"):
        load_weights(SmallCNN(), tmp_path / "a.pth")
    assert not (tmp_path / "boom").exists()


@pytest.mark.parametrize(
    "state",
    [LungCancerClassifier().state_dict(), SmallCNN(num_classes=3).state_dict(), torch.zeros(3), {}],
)
def test_weights_that_do_not_fit_are_refused(tmp_path, state):
    """Another network, another number of classes, no dictionary, an empty one."""
    torch.save(state, tmp_path / "a.pth")
    with pytest.raises(WeightsError, match=r"a\.pth holds other weights than SmallCNN has"):
        load_weights(SmallCNN(), tmp_path / "a.pth")


def test_damaged_weights_from_the_wheel_never_give_features(tmp_path, monkeypatch):
    """The state must fit in every name and shape."""
    torch.save(SmallCNN().state_dict(), tmp_path / "a.pth")
    monkeypatch.setattr(module, "locate", lambda *names: tmp_path / "a.pth")
    with pytest.raises(WeightsError, match="other weights than EfficientNet has"):
        pretrained_features(grey().numpy())
