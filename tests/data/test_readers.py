"""Agreement by hand, against scikit-learn, and by what must hold for any ratings."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import cohen_kappa_score

from medml.data import lidc
from medml.data.readers import (
    COSTS,
    against_the_others,
    kappa,
    krippendorff_alpha,
    ordered_pairs,
    rating_table,
)

NAN = np.nan
FIFTY_EXAMPLES = settings(max_examples=50)
GRADES = st.integers(1, 5).map(float)
COMPLETE = arrays(float, st.tuples(st.integers(2, 12), st.integers(2, 5)), elements=GRADES)
GAPPY = arrays(
    float,
    st.tuples(st.integers(2, 12), st.integers(2, 5)),
    elements=st.one_of(GRADES, st.just(NAN)),
)

# The example of Krippendorff's "Computing Krippendorff's Alpha-Reliability" (2011): 12 units.
KRIPPENDORFF = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
).T


def test_readings_become_a_table_without_naming_readers():
    """In the order in which they come; a missing rating stays missing."""
    table = rating_table([7, 3, 7, 7], [1, NAN, 5, 2])
    assert table.index.tolist() == [3, 7]
    np.testing.assert_array_equal(table, [[NAN, NAN, NAN], [1, 5, 2]])


def test_items_and_ratings_of_different_length_are_named():
    """A shifted column must not pass."""
    with pytest.raises(ValueError, match="2 items, but 1 ratings"):
        rating_table([1, 2], [5])


def test_pairs_come_in_either_order_and_single_ratings_in_none():
    """Three ratings make six pairs, two make two, one makes none."""
    pairs = ordered_pairs(pd.DataFrame([[1, 2, 3], [4, NAN, 5], [NAN, 6, NAN]], index=list("abc")))
    assert pairs.index.value_counts().to_dict() == {"a": 6, "b": 2}
    found = sorted(pairs.loc["a"].itertuples(index=False, name=None))
    assert found == [(1, 2), (1, 3), (2, 1), (2, 3), (3, 1), (3, 2)]
    assert sorted(pairs.loc["b", "first"]) == [4, 5]


def test_kappa_counted_by_hand():
    """Two readers, 50 patients: 20 + 15 agree (0.7), chance 0.5 · 0.6 + 0.5 · 0.4 gives 0.5."""
    first = [1] * 25 + [0] * 25
    second = [1] * 20 + [0] * 5 + [1] * 10 + [0] * 15
    assert kappa(first, second) == pytest.approx(0.4)


def test_quadratic_kappa_counted_by_hand():
    """Ratings 1, 2, 3 against 1, 2, 1: observed 4/3; expected 2/3 of 1.25 …, counted out below."""
    # First: one each of 1, 2, 3. Second: two of 1, one of 2. Squared gaps of the nine pairs:
    # 1: 0 0 1, 2: 1 1 0, 3: 4 4 1, together 12, so 12/9 by chance and (0 + 0 + 4)/3 observed.
    assert kappa([1, 2, 3], [1, 2, 1], "quadratic") == pytest.approx(1 - (4 / 3) / (12 / 9))


@FIFTY_EXAMPLES
@given(arrays(float, st.tuples(st.just(2), st.integers(1, 30)), elements=GRADES))
def test_kappa_is_scikit_learns(ratings):
    """All three costs; scikit-learn gives NaN too where all ratings are one."""
    first, second = ratings
    if len(np.unique(ratings)) == 1:
        assert all(np.isnan(kappa(first, second, cost)) for cost in COSTS)
        return
    for cost, weights in (("nominal", None), ("linear", "linear"), ("quadratic", "quadratic")):
        peer = cohen_kappa_score(first, second, labels=[1, 2, 3, 4, 5], weights=weights)
        assert kappa(first, second, cost) == pytest.approx(peer, abs=1e-9)


@FIFTY_EXAMPLES
@given(COMPLETE, st.randoms(use_true_random=False))
def test_the_order_of_nameless_readers_does_not_matter(table, random):
    """Shuffle the readings of each item: agreement over all ordered pairs stays."""
    shuffled = np.array([random.sample(row, len(row)) for row in table.tolist()])
    for cost in COSTS:
        before, after = (
            kappa(*ordered_pairs(t).to_numpy().T, cost=cost) for t in (table, shuffled)
        )
        assert before == pytest.approx(after, nan_ok=True)


@FIFTY_EXAMPLES
@given(COMPLETE)
def test_alpha_is_kappa_but_for_the_size_of_the_sample(table):
    """(1 - α) = (1 - κ) (n - 1) / n when every item has the same number of ratings."""
    pairs = ordered_pairs(table)
    for level, cost in (("nominal", "nominal"), ("interval", "quadratic")):
        disagreement = 1 - kappa(pairs["first"], pairs["second"], cost)
        expected = 1 - disagreement * (table.size - 1) / table.size
        found = krippendorff_alpha(table, level)
        assert found == pytest.approx(expected, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize(
    ("level", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)]
)
def test_alpha_of_krippendorffs_own_example(level, alpha):
    """Four observers, twelve units, missing ratings, one unit with a single rating."""
    assert krippendorff_alpha(KRIPPENDORFF, level) == pytest.approx(alpha, abs=0.0005)


@FIFTY_EXAMPLES
@given(GAPPY)
def test_alpha_never_exceeds_one_and_full_agreement_reaches_it(table):
    """With gaps, in every level; ratings of one value only leave it undefined."""
    if not (np.sum(~np.isnan(table), axis=1) > 1).any():
        with pytest.raises(ValueError, match=r"finite ratings|two ratings"):
            krippendorff_alpha(table)
        return
    agreeing = np.where(np.isnan(table), NAN, np.arange(len(table))[:, None] % 2)
    for level in ("nominal", "ordinal", "interval"):
        alpha = krippendorff_alpha(table, level)
        assert np.isnan(alpha) or alpha <= 1 + 1e-9
        perfect = krippendorff_alpha(agreeing, level)
        assert np.isnan(perfect) or perfect == pytest.approx(1)


def test_constant_ratings_leave_agreement_undefined():
    """Chance alone agrees: NaN, not 0 and not 1."""
    assert np.isnan(kappa([3, 3], [3, 3]))
    assert np.isnan(krippendorff_alpha([[3, 3], [3, 3]]))


def test_a_reader_is_judged_by_the_others_only():
    """The median leaves out the own rating; a single rating is judged by nobody."""
    judged = against_the_others(pd.DataFrame([[5, 1, 2], [4, NAN, 3], [NAN, 2, NAN]]))
    assert judged.loc[0].sort_values("rating").to_numpy().tolist() == [
        [1, 3.5, 2],
        [2, 3, 2],
        [5, 1.5, 2],
    ]
    assert judged.loc[1].sort_values("rating").to_numpy().tolist() == [[3, 4, 1], [4, 3, 1]]
    assert 2 not in judged.index


@FIFTY_EXAMPLES
@given(COMPLETE, st.data())
def test_a_reader_cannot_move_the_own_label(table, data):
    """Whatever one reader says instead, the label that judges that reader stays."""
    row = data.draw(st.integers(0, len(table) - 1))
    changed = table.copy()
    changed[row, 0] = data.draw(GRADES)
    before, after = (against_the_others(t).loc[row] for t in (table, changed))
    assert before["others"].iloc[0] == after["others"].iloc[0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kappa([], []), r"shapes \(0,\)"),
        (lambda: kappa([1], [1, 2]), r"\(1,\) and \(2,\)"),
        (lambda: kappa([1, NAN], [1, 2]), "a rating is missing"),
        (lambda: kappa([1], [1], "cubic"), "cubic"),
        (lambda: krippendorff_alpha([[1, 2]], "ratio"), "ratio"),
        (lambda: krippendorff_alpha([[1, NAN], [NAN, 2]]), "no item has two ratings"),
        (lambda: ordered_pairs([[NAN, NAN]]), r"shape \(1, 2\)"),
        (lambda: ordered_pairs(np.empty((0, 3))), r"shape \(0, 3\)"),
        (lambda: against_the_others([[1, np.inf]]), "finite"),
    ],
)
def test_bad_input_is_named(call, message):
    """Empty, unequal, missing and unknown."""
    with pytest.raises(ValueError, match=message):
        call()


def test_lidc_readers_agree_as_published_here():
    """Quadratic κ 0.466 ± 0.01 over all ordered pairs of the nodules with four readings."""
    nodules = lidc.load_nodules()
    readings = lidc.load_readings()
    four = readings[readings["nodule_id"].isin(nodules.index[nodules["readers"] == 4])]
    pairs = ordered_pairs(rating_table(four["nodule_id"], four["malignancy"]))
    assert len(pairs) == 12 * four["nodule_id"].nunique()
    assert kappa(pairs["first"], pairs["second"], "quadratic") == pytest.approx(0.466, abs=0.01)
    assert (pairs["first"] == pairs["second"]).mean() == pytest.approx(0.376, abs=0.001)
