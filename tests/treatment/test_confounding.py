"""Crude and adjusted differences against a hand and against a process whose truth is known."""

import numpy as np
import pytest

from medml.treatment.confounding import adjusted_difference, crude_difference


def test_the_adjusted_difference_is_what_a_hand_computes():
    """Strata of (2, 2) and (1, 4) with differences 1/2 and 1/4, weights 1 and 4/5."""
    outcome = [1, 1, 1, 0, 1, 0, 1, 1, 1]
    treated = [True, True, False, False, True, False, False, False, False]
    strata = list("aaaabbbbb")
    right = (1 * 1 / 2 + 0.8 * 1 / 4) / 1.8
    difference, compared = adjusted_difference(outcome, treated, strata)
    assert difference == pytest.approx(right)
    assert compared == 1
    assert crude_difference(outcome, treated) == pytest.approx(1 - 4 / 6)


def test_a_stratum_without_both_is_left_out():
    """A third of the decisions has nothing to be compared with."""
    outcome, treated = [1, 0, 1, 1, 1, 1], [True, False, True, False, True, True]
    strata = [0, 0, 0, 0, 1, 1]
    difference, compared = adjusted_difference(outcome, treated, strata)
    assert difference == pytest.approx(1 - 0.5)
    assert compared == pytest.approx(4 / 6)


def test_adjusting_for_severity_undoes_confounding_by_indication():
    """Treatment helps by 0.1; the severely ill are treated four times as often and die more."""
    rng = np.random.default_rng(0)
    severe = rng.random(40_000) < 0.5
    treated = rng.random(40_000) < np.where(severe, 0.8, 0.2)
    outcome = rng.random(40_000) < 0.8 - 0.4 * severe + 0.1 * treated
    assert crude_difference(outcome, treated) < -0.1
    difference, _ = adjusted_difference(outcome, treated, severe)
    assert difference == pytest.approx(0.1, abs=0.015)


def test_nothing_to_compare_with_is_refused():
    """All treated, or each stratum of one kind."""
    with pytest.raises(ValueError, match="all 2 or none were treated"):
        crude_difference([1, 0], [True, True])
    with pytest.raises(ValueError, match="no stratum holds treated and others"):
        adjusted_difference([1, 0], [True, False], ["a", "b"])
    with pytest.raises(ValueError, match="no stratum holds treated and others"):
        adjusted_difference([1, 0], [True, True], ["a", "a"])
