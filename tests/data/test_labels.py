"""From opinions to a label: rules by hand, one reader's draw, planted readers recovered."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from medml.data.labels import consensus, dawid_skene, one_reading, plant_ratings

NAN = np.nan
FIFTY_EXAMPLES = settings(max_examples=50)
RATINGS = arrays(
    float,
    st.tuples(st.integers(2, 15), st.integers(2, 4)),
    elements=st.sampled_from([0.0, 1.0, 2.0, NAN]),
)
RULES = ("median", "majority", "unanimous", "any")
FOUR = np.array(
    [
        [[0.9, 0.1], [0.2, 0.8]],
        [[0.7, 0.3], [0.1, 0.9]],
        [[0.8, 0.2], [0.4, 0.6]],
        [[0.6, 0.4], [0.3, 0.7]],
    ]
)


@pytest.mark.parametrize(
    ("ratings", "labels"),
    [
        ([1, 2, 2, 2], (0, 0, 0, 0)),
        ([1, 2, 3, 4], (0, 0, NAN, 1)),
        ([3, 3, 3, 5], (NAN, 1, NAN, 1)),
        ([1, 3, 3, NAN], (NAN, 0, NAN, 0)),
        ([2, 4, NAN, NAN], (NAN, NAN, NAN, 1)),
        ([5, NAN, NAN, NAN], (1, 1, 1, 1)),
        ([3, NAN, NAN, NAN], (NAN, NAN, NAN, NAN)),
        ([NAN, NAN, NAN, NAN], (NAN, NAN, NAN, NAN)),
        ([4, 5, 5, 2], (1, 1, NAN, 1)),
    ],
)
def test_the_rules_by_hand(ratings, labels):
    """A 3 takes no side; ties and silence stay undecided."""
    table = pd.DataFrame([ratings, [1, 1, 1, 1]], index=["item", "other"])
    found = [consensus(table, rule)["item"] for rule in RULES]
    np.testing.assert_array_equal(found, labels)


@FIFTY_EXAMPLES
@given(arrays(float, st.tuples(st.integers(1, 9), st.just(4)), elements=st.integers(1, 5)))
def test_turning_the_scale_round_turns_the_labels_round(table):
    """6 - rating swaps benign and malignant for every rule but the one-sided `any`."""
    for rule in RULES[:3]:
        turned = consensus(6 - table, rule)
        np.testing.assert_array_equal(1 - consensus(table, rule), turned)


def test_one_reading_is_fair_and_never_missing():
    """Each of an item's readings is drawn equally often; the item keeps its name."""
    table = pd.DataFrame([[1, 2, 3, NAN], [NAN, NAN, 5, NAN]], index=["a", "b"])
    generator = np.random.default_rng(0)
    draws = pd.DataFrame([one_reading(table, generator) for _ in range(3000)])
    shares = draws["a"].value_counts(normalize=True)
    assert (draws["b"] == 5).all()
    np.testing.assert_allclose(shares.sort_index(), 1 / 3, atol=0.03)


def test_four_planted_readers_are_recovered():
    """5,000 items: the mean absolute error of all entries is at most 0.03."""
    generator = np.random.default_rng(1)
    truth = (generator.random(5000) < 0.4).astype(int)
    model = dawid_skene(plant_ratings(truth, FOUR, generator))
    assert model.converged
    assert np.abs(model.confusion - FOUR).mean() <= 0.03
    assert model.prevalence[1] == pytest.approx(0.4, abs=0.05)


def test_readers_without_identity_share_one_matrix():
    """Shuffling the readings of each item changes nothing; the planted matrix comes back."""
    generator = np.random.default_rng(2)
    truth = (generator.random(5000) < 0.4).astype(int)
    ratings = plant_ratings(truth, FOUR[[0, 0, 0, 0]], generator)
    model = dawid_skene(ratings, shared=True)
    shuffled = dawid_skene(generator.permuted(ratings, axis=1), shared=True)
    assert model.confusion.shape == (1, 2, 2)
    np.testing.assert_allclose(model.confusion, shuffled.confusion, atol=1e-9)
    assert np.abs(model.confusion[0] - FOUR[0]).mean() <= 0.03


def test_readers_who_know_the_truth_leave_no_doubt():
    """Perfect readers: identity matrices, up to the pseudo-count, and posteriors of 0 and 1."""
    truth = np.arange(300) % 3
    model = dawid_skene(np.stack([truth] * 3, axis=1), pseudo_count=1e-6)
    np.testing.assert_allclose(model.confusion, [np.eye(3)] * 3, atol=1e-6)
    np.testing.assert_array_equal(model.posterior.argmax(axis=1), truth)
    np.testing.assert_allclose(model.prevalence, 1 / 3)


def test_the_posterior_of_one_step_is_bayes_rule():
    """One iteration from the share of votes, counted by hand."""
    table = [[0, 0], [0, 1], [1, 1]]
    model = dawid_skene(table, most_iterations=1, pseudo_count=1e-12)
    # Votes: (1, 0), (1/2, 1/2), (0, 1): prevalence 1/2. Reader 1 says 0, 0, 1, so class 0 (weight
    # 1.5) is called 0 always; class 1 is called 0 by a third, 1 by two thirds. Reader 2 mirrors it.
    np.testing.assert_allclose(model.confusion[0], [[1, 0], [1 / 3, 2 / 3]], atol=1e-9)
    np.testing.assert_allclose(model.confusion[1], [[2 / 3, 1 / 3], [0, 1]], atol=1e-9)
    # Item 2, rated 0 and 1: 1 · 1/3 against 1/3 · 1.
    np.testing.assert_allclose(model.posterior[1], [0.5, 0.5])
    assert not model.converged


@FIFTY_EXAMPLES
@given(RATINGS, st.booleans())
def test_em_never_climbs_down(table, shared):
    """Whatever the ratings: the objective rises, and all that should sum to one does."""
    if len(np.unique(table[~np.isnan(table)])) < 2:
        with pytest.raises(ValueError, match="at least two classes"):
            dawid_skene(table, shared=shared)
        return
    model = dawid_skene(table, shared=shared, most_iterations=50)
    assert (np.diff(model.objective) > -1e-8).all()
    for shares in (model.prevalence, model.confusion, model.posterior):
        np.testing.assert_allclose(shares.sum(axis=-1), 1)


def test_who_read_little_is_known_little():
    """No rating: uniform rows. One rating: nearly so. No rating of an item: the prevalence."""
    table = np.array([[0, 0, NAN, NAN], [1, 1, NAN, 1], [1, 1, NAN, NAN]] * 20 + [[NAN] * 4])
    table[4:, 3] = NAN
    model = dawid_skene(table)
    np.testing.assert_allclose(model.confusion[2], 0.5)
    np.testing.assert_allclose(model.confusion[3, 0], 0.5, atol=0.01)
    assert 0.5 < model.confusion[3, 1, 1] < 0.9
    np.testing.assert_allclose(model.posterior[-1], model.prevalence, atol=0.001)


def test_a_shared_error_cannot_be_seen():
    """Four in ten cancers look benign to all: the model praises the readers' sensitivity."""
    generator = np.random.default_rng(3)
    truth = generator.random(5000) < 0.4
    seen = (truth & (generator.random(5000) > 0.4)).astype(int)
    ratings = plant_ratings(seen, FOUR, generator)
    model = dawid_skene(ratings)
    assert model.confusion[:, 1, 1].mean() > ratings[truth].mean() + 0.15


def test_planted_ratings_follow_the_matrices():
    """The share of each answer, and readers in columns."""
    truth = np.repeat([0, 1], 20_000)
    ratings = plant_ratings(truth, FOUR, np.random.default_rng(4))
    assert ratings.shape == (40_000, 4)
    for k in (0, 1):
        np.testing.assert_allclose(ratings[truth == k].mean(axis=0), FOUR[:, k, 1], atol=0.02)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: consensus([[1, 2]], "loudest"), "loudest"),
        (lambda: consensus([[NAN, NAN]]), "finite ratings"),
        (lambda: dawid_skene([[1, 1], [1, NAN]]), r"at least two classes, got \[1.0\]"),
        (lambda: dawid_skene([1, 2, 3]), r"got shape \(3,\)"),
        (lambda: dawid_skene([[1], [2]]), r"got shape \(2, 1\)"),
        (lambda: dawid_skene([[1, 2]], classes=[1, 3]), "rating 2.0 is not among"),
        (lambda: dawid_skene([[1, 2]], pseudo_count=0), "pseudo_count 0"),
        (lambda: plant_ratings([0], [[0.5, 0.5]], None), "rows that sum to 1"),
        (lambda: plant_ratings([0], [[[0.5, 0.6], [0, 1]]], None), "1.1"),
    ],
)
def test_bad_input_is_named(call, message):
    """Unknown rules, constant ratings, wrong shapes, no distribution."""
    with pytest.raises(ValueError, match=message):
        call()
