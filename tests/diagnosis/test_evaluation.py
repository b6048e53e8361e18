"""A network and its probabilities are judged alike, on patients that nobody has seen."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from medml.diagnosis.evaluation import evaluate_on_test_set
from medml.diagnosis.nodules import NoduleDataset
from medml.statistics import measure_table


@pytest.fixture(scope="module")
def test_set():
    """Return 40 images of 20 patients, where label 1 is brighter (simulated)."""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 2, size=40)
    images = generator.normal(0.4 * labels[:, None, None, None], 0.5, size=(40, 1, 8, 8))
    return NoduleDataset(images.astype(np.float32), labels, np.arange(40) // 2)


def brightness():
    """Return a network whose logit of label 1 is the mean brightness, in a mode of training."""
    network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LazyLinear(2))
    with torch.no_grad():
        network(torch.zeros(1, 1, 8, 8))
        network[2].weight.copy_(torch.tensor([[0.0], [4.0]]))
        network[2].bias.copy_(torch.tensor([0.0, -0.8]))
    return network.train()


def test_a_network_is_judged_as_its_probabilities_are(test_set):
    """The table is that of medml.statistics, with patients resampled."""
    network = brightness()
    means = np.stack([test_set[i][0].numpy() for i in range(40)]).mean(axis=(1, 2, 3))
    probabilities = 1 / (1 + np.exp(-(4 * means - 0.8)))
    found = evaluate_on_test_set(network, test_set, 0.4, prevalence=0.01, resamples=100)
    by_hand = measure_table(
        test_set.labels,
        probabilities,
        0.4,
        patients=test_set.patients,
        prevalence=0.01,
        resamples=100,
    )
    pd.testing.assert_frame_equal(found, by_hand, rtol=1e-5)
    given = evaluate_on_test_set(probabilities, test_set, 0.4, prevalence=0.01, resamples=100)
    pd.testing.assert_frame_equal(given, by_hand)
    assert network.training


def test_a_patient_of_the_training_set_is_refused(test_set):
    """With a name and the cure; other patients are welcome."""
    with pytest.raises(ValueError, match=r"2 patients of the test set .* such as 3: split by pat"):
        evaluate_on_test_set(np.full(40, 0.5), test_set, trained_on=[3, 3, 19, 20])
    evaluate_on_test_set(np.full(40, 0.5), test_set, trained_on=[20, 21], resamples=10)


def test_a_probability_that_is_none_is_named(test_set):
    """NaN, and what a network gives before its softmax."""
    for wrong in (np.nan, -1.5):
        probabilities = np.full(40, 0.5)
        probabilities[7] = wrong
        with pytest.raises(ValueError, match=f"got {wrong} in row 7"):
            evaluate_on_test_set(probabilities, test_set)
