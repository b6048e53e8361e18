"""Bad columns are refused with the value, the row and the cure."""

import numpy as np
import pytest

from medml.statistics import auroc, average_precision
from medml.statistics.columns import as_counts, as_labels, as_numbers, as_probabilities, ratio


@pytest.mark.parametrize("labels", [[0, 1, 1], [0.0, 1.0, 1.0], [False, True, True]])
def test_labels_are_zeros_and_ones_or_booleans(labels):
    """Whatever their type."""
    assert as_labels(labels).tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 2, 1], "got 2 in row 1: compare with the positive class"),
        ([-1, 1], "got -1 in row 0"),
        ([0, np.nan], "got nan in row 1: .* leave rows without a label out"),
        ([0, 0.5], "got 0.5 in row 1"),
        (["benign", "malignant"], "got benign in row 0"),
        ([None, 1], "got None in row 0"),
        ([], r"at least one row, got shape \(0,\)"),
        ([[0], [1]], r"got shape \(2, 1\)"),
    ],
)
def test_labels_that_are_not_two_classes_are_named(labels, message):
    """With the row where the first one stands."""
    with pytest.raises(ValueError, match=message):
        as_labels(labels)


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ([0.1, np.nan], "scores must be finite, got nan in row 1: impute"),
        ([np.inf, 0.1], "got inf in row 0"),
        ([0.1], r"expected 2 scores, one for each row, got shape \(1,\)"),
        ([[0.1], [0.2]], r"got shape \(2, 1\)"),
    ],
)
def test_scores_are_finite_numbers_one_for_each_row(scores, message):
    """The measures say so as well."""
    with pytest.raises(ValueError, match=message):
        as_numbers(scores, 2)
    for measure in (auroc, average_precision):
        with pytest.raises(ValueError, match=message):
            measure([0, 1], scores)


@pytest.mark.parametrize("value", [-0.01, 1.2])
def test_probabilities_lie_between_zero_and_one(value):
    """The ends are allowed, and what lies outside is named with its cure."""
    assert as_probabilities([0, 1], 2).tolist() == [0, 1]
    with pytest.raises(ValueError, match=f"got {value} in row 1: pass predict_proba"):
        as_probabilities([0.5, value], 2)


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ([1, 1, 1], r"for 2 rows, got shape \(3,\)"),
        ([[1], [1]], r"got shape \(2, 1\)"),
        ([1, -1], "with -1.0"),
        ([1, np.nan], "with nan"),
    ],
)
def test_counts_are_not_negative_and_one_for_each_row(counts, message):
    """Without counts each row counts once."""
    assert as_counts(None, 2).tolist() == [1, 1]
    with pytest.raises(ValueError, match=message):
        as_counts(counts, 2)


def test_nothing_to_divide_by_is_not_estimable():
    """No warning, no error, and arrays of any shape."""
    assert np.isnan(ratio(0, 0))
    np.testing.assert_equal(ratio([[1, 2]], [[0], [4]]), [[np.nan, np.nan], [0.25, 0.5]])
