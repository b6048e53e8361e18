import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn

from medml.diagnosis.model import SmallCNN
from medml.diagnosis.randomisation import random_copy, randomised, rank_correlation


@pytest.fixture
def images():
    return np.random.default_rng(0).normal(size=(5, 1, 32, 32)).astype(np.float32)


@pytest.fixture
def network(images):
    torch.manual_seed(0)
    return random_copy(SmallCNN(), images, 3)


def test_random_copy_changes_all_weights_and_keeps_the_signal(images):
    """Every weight differs by seed; after each normalisation a channel has variance one."""
    torch.manual_seed(0)
    model = SmallCNN()
    first, again, second = (random_copy(model, images, seed) for seed in (0, 0, 1))
    for name, weights in first.named_parameters():
        if "features" in name and weights.ndim == 1:
            continue  # scale and shift of batch normalisation start at 1 and 0
        assert not torch.equal(weights, dict(model.named_parameters())[name])
        assert not torch.equal(weights, dict(second.named_parameters())[name])
        assert torch.equal(weights, dict(again.named_parameters())[name])
    with torch.no_grad():
        signal = first.features[:14](torch.from_numpy(images))
    np.testing.assert_allclose(signal.mean(dim=(0, 2, 3)), 0, atol=0.02)
    np.testing.assert_allclose(signal.var(dim=(0, 2, 3)), 1, atol=0.05)


def test_randomisation_goes_from_the_output_to_the_input(network, images):
    """Step by step one more layer differs from the original; the last equals a random copy."""
    steps = list(randomised(network, images, 3))
    assert [name for name, _ in steps] == [
        "head",
        "features.12",
        "features.8",
        "features.4",
        "features.0",
    ]
    names = [name for name, _ in steps]
    steps = list(randomised(network, images, 5))
    for number, (_, copy) in enumerate(steps):
        changed = [
            name
            for name in names
            if not torch.equal(copy.get_submodule(name).weight, network.get_submodule(name).weight)
        ]
        assert changed == names[: number + 1]
    last, whole = steps[-1][1].state_dict(), random_copy(network, images, 5).state_dict()
    assert all(torch.allclose(last[name], whole[name], atol=1e-5) for name in whole)


def test_layers_of_one_shape_are_drawn_apart(images):
    """Each layer has a draw of its own."""
    model = nn.Sequential(nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3))
    first, second = random_copy(model, images, 0)
    assert not torch.equal(first.weight, second.weight)


def test_randomisation_keeps_the_callers_random_state(network, images):
    """Nothing is drawn from torch's global generator."""
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    random_copy(network, images, 0)
    assert torch.equal(torch.rand(1), expected)


def test_rank_correlation_equals_scipy():
    """Spearman's correlation map by map, ties included; NaN for a flat map."""
    generator = np.random.default_rng(0)
    a, b = generator.integers(0, 9, (2, 4, 5, 6)).astype(float)
    b[3] = 1.0
    ours = rank_correlation(a, b)
    theirs = [spearmanr(x.ravel(), y.ravel()).statistic for x, y in zip(a[:3], b[:3], strict=True)]
    np.testing.assert_allclose(ours[:3], theirs)
    assert np.isnan(ours[3])


def test_rank_correlation_refuses_other_shapes():
    """One map cannot be compared with a stack of them."""
    with pytest.raises(ValueError, match="two stacks of maps"):
        rank_correlation(np.zeros((2, 3)), np.zeros((2, 3)))
    with pytest.raises(ValueError, match="without NaN"):
        rank_correlation(np.full((1, 2, 3), np.nan), np.zeros((1, 2, 3)))
