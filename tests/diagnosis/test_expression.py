"""Genes chosen with the test samples in view make chance look like knowledge."""

import numpy as np
import pytest

from medml.data.genes import load_khan
from medml.diagnosis.expression import common_types, gene_classifier, selection_accuracy


@pytest.fixture(scope="module")
def noise():
    """Forty samples of pure noise in 500 genes, two types."""
    return np.random.default_rng(1).normal(size=(40, 500)), np.arange(40) % 2


def test_outside_selection_finds_types_in_noise_and_inside_does_not(noise):
    """Mean of eight permutations of the labels."""
    values, labels = noise
    draws = [np.random.default_rng(i).permutation(labels) for i in range(8)]
    inside, outside = (
        np.mean([selection_accuracy(values, y, 10, inside=side) for y in draws])
        for side in (True, False)
    )
    assert outside > 0.8
    assert 0.35 < inside < 0.65


def test_all_genes_leave_nothing_to_select(noise):
    """Inside and outside agree if every gene is kept."""
    values, labels = noise
    both = [selection_accuracy(values, labels, 500, inside=side) for side in (True, False)]
    assert both[0] == both[1]


def test_the_seed_draws_other_folds(noise):
    """Five seeds on noise: not one accuracy, and each the same when asked again."""
    values, labels = noise
    found = [selection_accuracy(values, labels, 10, True, seed) for seed in range(5)]
    assert len(set(found)) > 1
    assert found == [selection_accuracy(values, labels, 10, True, seed) for seed in range(5)]


def test_the_four_childhood_tumours_are_told_apart():
    """Khan's own test samples: at least 18 of 20 right with 50 genes chosen on its training set."""
    khan = load_khan()
    model = gene_classifier(50).fit(khan.values[khan.is_train], khan.labels[khan.is_train])
    right = model.predict(khan.values[~khan.is_train]) == khan.labels[~khan.is_train]
    assert len(right) == 20
    assert right.sum() >= 18


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, y: (np.where(x == x[3, 7], np.nan, x), y, 5), "sample 3 has nan for gene 7"),
        (lambda x, y: (x, y * 0, 5), "all 40 samples are of type '0': two are needed"),
        (lambda x, y: (x, np.arange(40) < 3, 5), "type 'True' has 3 samples, 5 folds need 5"),
        (lambda x, y: (x, y, 0), "0 genes to select: expected 1 to 500"),
        (lambda x, y: (x, y, 501), "501 genes to select"),
    ],
)
def test_what_cannot_be_judged_is_refused(noise, change, message):
    """A gap, one type, a rare type, no gene, too many genes."""
    values, labels, genes = change(*noise)
    with pytest.raises(ValueError, match=message):
        selection_accuracy(values, labels, genes, inside=True)


def test_types_with_few_samples_are_found():
    """Five are enough, four are not."""
    assert common_types(["a"] * 5 + ["b"] * 4).tolist() == [True] * 5 + [False] * 4
