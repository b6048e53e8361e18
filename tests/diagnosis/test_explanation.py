import numpy as np
import pytest
import torch
from captum.attr import LayerAttribution, LayerGradCam, Occlusion
from torch import nn

from medml.diagnosis.explanation import grad_cam, occlusion_map
from medml.diagnosis.model import LungCancerClassifier, SmallCNN
from medml.diagnosis.randomisation import random_copy


@pytest.fixture
def images():
    return np.random.default_rng(0).normal(size=(5, 1, 32, 32)).astype(np.float32)


@pytest.fixture
def network(images):
    torch.manual_seed(0)
    return random_copy(SmallCNN(), images, 3)


@pytest.mark.parametrize("number", [2, 10, 14])
@pytest.mark.parametrize("target", [0, 1])
def test_grad_cam_equals_captum(network, images, number, target):
    """The same map as captum's on three layers, for both classes."""
    layer = network.features[number]
    theirs = LayerGradCam(network, layer).attribute(
        torch.from_numpy(images), target=target, relu_attributions=True
    )
    theirs = LayerAttribution.interpolate(theirs, (32, 32), "bilinear")[:, 0].detach().numpy()
    ours = grad_cam(network, layer, images, target)
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.99
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert ours.max() > 0


def test_grad_cam_equals_captum_on_a_resnet():
    """ResNet's last stage, whose additions are in place."""
    torch.manual_seed(1)
    model = LungCancerClassifier().eval()
    batch = torch.randn(2, 1, 64, 64)
    layer = model.resnet.layer3
    theirs = LayerGradCam(model, layer).attribute(batch, target=1, relu_attributions=True)
    theirs = LayerAttribution.interpolate(theirs, (64, 64), "bilinear")[:, 0].detach().numpy()
    ours = grad_cam(model, layer, batch.numpy())
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.99


def test_grad_cam_by_hand():
    """Two channels with slopes 3 and -1: the weights are the means of the slopes."""
    model = nn.Sequential(nn.Conv2d(1, 2, 1, bias=False), nn.Flatten(), nn.Linear(8, 2, bias=False))
    with torch.no_grad():
        model[0].weight[:] = torch.tensor([1.0, 2.0]).view(2, 1, 1, 1)
        model[2].weight[1, :4] = torch.tensor([0.0, 6.0, 3.0, 3.0])
        model[2].weight[1, 4:] = -1.0
    image = np.array([[[[1.0, 2.0], [3.0, -4.0]]]], np.float32)
    expected = np.maximum(0, 3 * image[:, 0] - 1 * 2 * image[:, 0])
    np.testing.assert_allclose(grad_cam(model, model[0], image), expected)


def test_grad_cam_works_on_frozen_weights_in_batches(network, images):
    """Frozen weights, no-grad mode and a stack of more than one batch change no map."""
    layer = network.features[14]
    before = grad_cam(network, layer, images)
    many = np.concatenate([images] * 14)
    for weights in network.parameters():
        weights.requires_grad_(False)
    with torch.no_grad():
        after = grad_cam(network, layer, many)
    np.testing.assert_allclose(after[-5:], before, atol=1e-6)


def test_explaining_leaves_the_model_as_it_was(network, images):
    """Modes, hooks, weights and gradients are those from before."""
    network.train()
    network.features[1].eval()
    weights = {name: value.clone() for name, value in network.state_dict().items()}
    grad_cam(network, network.features[14], images)
    occlusion_map(network, images, window=16, stride=16)
    random_copy(network, images, 0)
    assert network.training and not network.features[1].training
    assert not network.features[14]._forward_hooks
    assert all(torch.equal(value, weights[name]) for name, value in network.state_dict().items())
    assert all(value.grad is None for value in network.parameters())


def test_occlusion_equals_captum(network, images):
    """The same map as captum's, overlapping windows and a grey fill included."""
    theirs = Occlusion(network).attribute(
        torch.from_numpy(images), (1, 8, 8), (1, 4, 4), baselines=0.3, target=1
    )
    ours = occlusion_map(network, images, 1, window=8, stride=4, fill=0.3)
    np.testing.assert_allclose(ours, theirs[:, 0].numpy(), atol=1e-5)


def test_occlusion_by_hand():
    """A model that sums the image loses what the window hid."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 2, bias=False))
    nn.init.ones_(model[1].weight)
    image = np.array([[[[1.0, 2.0], [3.0, 4.0]]]], np.float32)
    np.testing.assert_allclose(occlusion_map(model, image, window=1, stride=1), image[:, 0])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"layer": nn.ReLU()}, "not part of this SmallCNN"),
        ({"layer": "head"}, r"gives the shape \(5, 2\)"),
        ({"target": 2}, "target 2: expected a class from 0 to 1"),
        ({"target": -1}, "target -1"),
        ({"target": 0.5}, "target 0.5"),
        ({"images": np.zeros((1, 32, 32))}, r"got shape \(1, 32, 32\)"),
        ({"images": np.zeros((0, 1, 32, 32))}, "expected images"),
        ({"images": np.zeros((1, 3, 32, 32))}, "does not take images of shape"),
        ({"images": np.full((1, 1, 32, 32), np.nan)}, "holds NaN"),
    ],
)
def test_grad_cam_refuses(network, images, change, words):
    """A wrong layer, target or batch is named."""
    given = {"layer": network.features[14], "images": images, "target": 1} | change
    if given["layer"] == "head":
        given["layer"] = network.head
    with pytest.raises(ValueError, match=words):
        grad_cam(network, given["layer"], given["images"], given["target"])


def test_grad_cam_refuses_a_layer_that_is_not_used(network, images):
    """A layer that stands in the model and never works has no map."""
    network.spare = nn.Conv2d(1, 1, 1)
    with pytest.raises(ValueError, match="does not use this layer"):
        grad_cam(network, network.spare, images)


@pytest.mark.parametrize(("window", "stride"), [(8, 5), (40, 4), (4, 8), (8, 0)])
def test_occlusion_refuses_windows_that_do_not_fit(network, images, window, stride):
    """Pixels at the edge would never be hidden."""
    with pytest.raises(ValueError, match="does not end at the edge"):
        occlusion_map(network, images, window=window, stride=stride)
