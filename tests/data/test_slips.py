"""Day-3 values of SUPPORT2 stand beside their patient again, or are gaps."""

import numpy as np
import pandas as pd
import pytest

from medml.data.records import load_support2
from medml.data.slips import MOVED, move_back, second_phase


@pytest.fixture(scope="module")
def filed():
    """The records as the file has them."""
    return load_support2()


@pytest.fixture(scope="module")
def moved(filed):
    """The records with values moved back."""
    return move_back(filed)


def test_the_second_phase_has_about_the_published_size(filed):
    """4,804 patients were reported; 11 of them lack glucose, bun and urine."""
    assert second_phase(filed).sum() == 4793


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


def test_values_agree_with_scores_that_had_no_part_in_the_search(filed, moved):
    """Bilirubin with cirrhosis, creatinine with sps: from nothing to what the first phase shows."""
    second = second_phase(filed)
    for table, low, high in ((filed, -0.1, 0.1), (moved, 0.2, 0.5)):
        rows = table[second]
        assert low < rows[["crea", "sps"]].corr(method="spearman").iloc[0, 1] < high
    cirrhosis = moved[second & (moved["dzgroup"] == "Cirrhosis")]["bili"].median()
    assert cirrhosis > 3 * moved[second]["bili"].median()


def test_no_value_is_given_to_two_patients(moved):
    """Rows of the second phase with many recorded values are all different."""
    rows = moved[second_phase(load_support2())][list(MOVED)].dropna(thresh=11)
    assert rows.duplicated().sum() <= 2


@pytest.mark.parametrize("rows", [slice(1, None), slice(None, None, -1)])
def test_chosen_or_sorted_rows_are_refused(filed, rows):
    """The distances count rows of the whole file."""
    with pytest.raises(ValueError, match=r"expected all 9,105 rows of load_support2\(\) in their"):
        move_back(filed[rows])
