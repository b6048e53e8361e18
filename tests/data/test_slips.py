"""Day-3 values of SUPPORT2 stand beside their patient again, or are gaps."""

from importlib import resources

import numpy as np
import pandas as pd
import pytest

from medml.data.records import load_support2
from medml.data.slips import MOVED, move_back, second_phase
from medml.statistics import auroc


@pytest.fixture(scope="module")
def filed():
    """The records as the file has them."""
    return load_support2()


@pytest.fixture(scope="module")
def runs():
    """The distances as the loader reads them."""
    with resources.files("medml.data").joinpath("support2_slips.csv").open() as file:
        return pd.read_csv(file)


@pytest.fixture(scope="module")
def moved(filed):
    """The records with values moved back."""
    return move_back(filed)


def test_the_second_phase_has_the_published_size_and_lies_in_five_blocks(filed):
    """4,301 and 4,804 patients were reported; 11 of these lack glucose, bun and urine."""
    second = second_phase(filed)
    assert second.sum() == 4804
    assert (~second).sum() == 4301
    assert np.diff(second.astype(int)).tolist().count(1) == 5
    assert filed[second][["glucose", "bun", "urine"]].isna().all(axis=1).sum() == 11


def test_the_distance_only_grows(runs):
    """Rows that one table lost cannot come back: no run overlaps, none stands nearer."""
    assert (runs["distance"].diff().dropna() > 0).all()
    assert (runs["start"].to_numpy()[1:] >= runs["stop"].to_numpy()[:-1]).all()


def test_what_did_not_slide_is_untouched(filed, moved):
    """The first phase, the first 429 rows of the second, and every other column."""
    second = np.flatnonzero(second_phase(filed))
    first = np.setdiff1d(np.arange(len(filed)), second)
    same = np.concatenate([first, second[:429]])
    names = list(MOVED)
    pd.testing.assert_frame_equal(moved.loc[same, names], filed.loc[same, names].astype(float))
    rest = filed.columns.difference(names)
    pd.testing.assert_frame_equal(moved[rest], filed[rest])


def test_a_row_gets_the_values_from_47_rows_further_down(filed, moved):
    """Row 3,000 of the second phase lies in the longest stretch of one distance."""
    second = np.flatnonzero(second_phase(filed))
    here, there = (
        moved.loc[second[3000], list(MOVED)],
        filed.loc[second[3047], list(MOVED)],
    )
    assert here.astype(float).equals(there.astype(float).rename(here.name))


def test_values_agree_with_traits_that_had_no_part_in_the_search(filed, moved):
    """Bilirubin with cirrhosis, glucose with diabetes: nothing as filed, clear when moved."""
    second = second_phase(filed)
    for trait, value in ((filed["dzgroup"] == "Cirrhosis", "bili"), (filed["diabetes"], "glucose")):
        for table, low, high in ((filed, 0.45, 0.6), (moved, 0.7, 0.9)):
            known = second & table[value].notna()
            assert low < auroc(trait[known], table.loc[known, value]) < high


def test_no_value_is_given_to_two_patients(moved):
    """Rows of the second phase with many recorded values are all different."""
    rows = moved[second_phase(load_support2())][list(MOVED)].dropna(thresh=11)
    assert rows.duplicated().sum() <= 2


@pytest.mark.parametrize("rows", [slice(1, None), slice(None, None, -1)])
def test_chosen_or_sorted_rows_are_refused(filed, rows):
    """The distances count rows of the whole file."""
    with pytest.raises(ValueError, match=r"expected all 9,105 rows of load_support2\(\) in their"):
        move_back(filed[rows])
