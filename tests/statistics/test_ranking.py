"""Positives before negatives: against scikit-learn, and pairs counted by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from medml.statistics import (
    auroc,
    average_precision,
    column_auroc,
    matched_auroc,
    stratified_auroc,
)

ROWS = st.lists(st.tuples(st.booleans(), st.integers(-3, 3), st.integers(0, 3)), min_size=1)


@given(ROWS)
def test_areas_are_scikit_learns_with_ties_and_counts(rows):
    """A count is how often a row stands in the table; without both classes nothing is known."""
    labels, scores, counts = map(np.array, zip(*rows, strict=True))
    repeated = np.repeat(labels, counts), np.repeat(scores, counts)
    found = auroc(labels, scores, counts=counts), average_precision(labels, scores, counts=counts)
    both = len(set(repeated[0])) == 2
    peers = (
        roc_auc_score(*repeated) if both else np.nan,
        average_precision_score(*repeated) if any(repeated[0]) else np.nan,
    )
    assert found == pytest.approx(peers, nan_ok=True)


def test_areas_of_many_counts_have_one_value_each():
    """Rows of counts are resamples; without counts a plain number comes back."""
    labels, scores = [0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4]
    counts = np.array([[1, 1, 1, 1], [2, 0, 0, 1], [1, 0, 3, 0]])
    np.testing.assert_equal(auroc(labels, scores, counts=counts), [0.75, 1, np.nan])
    np.testing.assert_allclose(average_precision(labels, scores, counts=counts), [5 / 6, 1, np.nan])
    assert isinstance(auroc(labels, scores), float)


def test_one_class_has_no_area_and_identical_scores_have_one_half():
    """Not estimable is NaN; the precision of a coin is the prevalence."""
    assert np.isnan(auroc([1, 1], [0.1, 0.2]))
    assert np.isnan(average_precision([0, 0], [0.1, 0.2]))
    assert average_precision([1, 1], [0.1, 0.2]) == 1
    assert auroc([0, 1, 1], [7, 7, 7]) == 0.5
    assert average_precision([0, 1, 1], [7, 7, 7]) == pytest.approx(2 / 3)


def test_the_auroc_of_each_column_is_scikit_learns():
    """With ties, for every column at once."""
    generator = np.random.default_rng(3)
    values = generator.integers(0, 9, size=(60, 20))
    labels = generator.integers(0, 2, size=60)
    peer = [roc_auc_score(labels, column) for column in values.T]
    np.testing.assert_allclose(column_auroc(values, labels), peer)


def test_an_auroc_needs_both_classes():
    """One class has no order to get right."""
    with pytest.raises(ValueError, match="got 3 positives and 0 negatives"):
        column_auroc([[1], [2], [3]], [1, 1, 1])


def test_strata_are_compared_with_themselves_only():
    """By hand: one of one pair is right in a, three of four in b; scikit-learn where all is one."""
    labels = [0, 1, 0, 0, 1, 1]
    scores = [0.5, 0.6, 0.1, 0.3, 0.2, 0.4]
    assert stratified_auroc(labels, scores, ["a"] * 2 + ["b"] * 4) == pytest.approx(4 / 5)
    one = stratified_auroc(labels, scores, [1] * 6)
    assert one == pytest.approx(roc_auc_score(labels, scores))
    shifted = [score + 10 * (i > 1) for i, score in enumerate(scores)]
    assert stratified_auroc(labels, shifted, ["a"] * 2 + ["b"] * 4) == pytest.approx(4 / 5)


def test_strata_of_one_class_count_for_nothing():
    """And nothing can be estimated where every stratum has one class only."""
    assert stratified_auroc([0, 1, 1], [0.1, 0.2, 0.3], [0, 0, 1]) == 1
    assert np.isnan(stratified_auroc([0, 1], [0.1, 0.2], [0, 1]))


def test_matched_pairs_counted_by_hand():
    """Positives of 10, 12 and 30 mm, negatives of 10.5, 11.5 and 20 mm.

    Within 5 % lie 10 and 10.5 (right) and 12 and 11.5 (a tie); 12 and 10.5 only within 20 %
    (wrong), 10 and 11.5 too (right). Nothing is near 30 and 20 mm.
    """
    labels, sizes = [1, 1, 1, 0, 0, 0], [10.0, 12.0, 30.0, 10.5, 11.5, 20.0]
    scores = [0.9, 0.4, 0.1, 0.8, 0.4, 0.9]
    assert matched_auroc(labels, scores, sizes) == pytest.approx(1.5 / 2)
    assert matched_auroc(labels, scores, sizes, tolerance=0.2) == pytest.approx(2.5 / 4)
    assert np.isnan(matched_auroc([1, 0], [0.9, 0.1], [10.6, 10.0]))
    assert matched_auroc(labels, scores, sizes, tolerance=9) == roc_auc_score(labels, scores)


def test_size_says_nothing_among_pairs_of_one_size():
    """Its AUROC is 1, but no two rows are alike; where all are equal it is one half."""
    sizes = np.arange(1.0, 9.0)
    labels = sizes > 4
    assert roc_auc_score(labels, sizes) == 1
    assert np.isnan(matched_auroc(labels, sizes, sizes))
    assert matched_auroc(labels, sizes, sizes, tolerance=0.25) == 1  # 4 and 5 are alike
    assert matched_auroc(labels, np.ones(8), np.ones(8)) == 0.5
    assert np.isnan(matched_auroc([1, 1], [0.1, 0.2], [3.0, 3.0]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, 1], [0.1, 0.2], [3.0]), r"\(2,\), \(2,\), \(1,\)"),
        (([0, 1], [0.1, 0.2], [3.0, 0.0]), "got a size of 0.0"),
        (([0, 1], [0.1, 0.2], [3.0, np.nan]), "got a size of nan"),
        (([0, 1], [0.1, 0.2], [3.0, 3.0], -0.1), "and -0.1"),
    ],
)
def test_matching_refuses_what_it_cannot_match(arguments, message):
    """Lengths, sizes and the tolerance."""
    with pytest.raises(ValueError, match=message):
        matched_auroc(*arguments)
