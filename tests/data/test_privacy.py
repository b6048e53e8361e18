"""Groups of patients who look alike, counted by hand and by brute force."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medml.data.privacy import (
    bands,
    group_sizes,
    k_anonymity,
    share_unique,
    suppress_small_groups,
)

TABLE = pd.DataFrame(
    {
        "age": [60, 60, 71, np.nan, np.nan],
        "sex": pd.Categorical(["f", "f", "m", "f", "f"], categories=["f", "m", "x"]),
        "died": [0, 1, 0, 1, 1],
    }
)


def test_patients_with_equal_values_are_counted_together_gaps_included():
    """A gap looks like a gap."""
    assert group_sizes(TABLE, ["age", "sex"]).tolist() == [2, 2, 1, 2, 2]
    assert share_unique(TABLE, ["age", "sex"]) == 0.2
    assert k_anonymity(TABLE, ["age", "sex"]) == 1
    assert k_anonymity(TABLE, ["died"]) == 2


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=30))
def test_group_sizes_agree_with_counting_one_by_one(rows):
    """And what is left after suppression is k-anonymous."""
    table = pd.DataFrame(rows, columns=["a", "b"])
    assert group_sizes(table, ["a", "b"]).tolist() == [rows.count(row) for row in rows]
    for k in range(1, len(rows) + 1):
        left = suppress_small_groups(table, ["a", "b"], k)
        assert len(left) == sum(rows.count(row) >= k for row in rows)
        assert left.empty or k_anonymity(left, ["a", "b"]) >= k


@pytest.mark.parametrize("k", [0, -1, 6])
def test_a_k_that_no_group_can_reach_is_named(k):
    """k larger than the table, or below one patient."""
    with pytest.raises(ValueError, match=f"k = {k}: expected 1 to 5"):
        suppress_small_groups(TABLE, ["sex"], k)


def test_no_group_may_be_large_enough():
    """Then nothing is left, which is an honest answer."""
    assert suppress_small_groups(TABLE, ["age", "sex"], 5).empty


@pytest.mark.parametrize("ask", [group_sizes, share_unique, k_anonymity])
def test_an_empty_table_a_missing_column_and_no_column_are_named(ask):
    """Instead of a NaN that looks like a result."""
    with pytest.raises(ValueError, match="the table has no rows"):
        ask(TABLE.iloc[:0], ["sex"])
    with pytest.raises(KeyError, match="agee"):
        ask(TABLE, ["agee"])
    with pytest.raises(ValueError, match="at least one column"):
        ask(TABLE, [])


def test_bands_are_as_wide_as_asked_and_open_at_the_top():
    """A value on the edge belongs to the band that it begins."""
    got = bands([60, 69.99, 70, 89.9, 90, 101, None], width=10, top=90)
    assert got.tolist() == ["60-69", "60-69", "70-79", "80-89", "90+", "90+", "unknown"]
    assert bands([61, 79], width=20).tolist() == ["60-79", "60-79"]
    ages = pd.Series([61.0, 79.0], index=[5, 7])
    assert bands(ages, width=20).index.tolist() == [5, 7]
    with pytest.raises(ValueError, match="width 0"):
        bands([1], width=0)


def test_a_generalised_table_never_singles_out_more():
    """Wider bands join groups and split none."""
    ages = np.random.default_rng(0).uniform(18, 100, 500)
    shares = [
        share_unique(pd.DataFrame({"age": bands(ages, width)}), ["age"]) for width in (1, 5, 10, 20)
    ]
    assert shares == sorted(shares, reverse=True)
