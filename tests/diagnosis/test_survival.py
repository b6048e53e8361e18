"""Kaplan-Meier against statsmodels, horizon labels against Kaplan-Meier, concordance by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.duration.survfunc import SurvfuncRight

from medml.diagnosis.survival import (
    concordance,
    horizon_labels,
    kaplan_meier,
    survival_at,
)

FOLLOW_UP = st.lists(st.tuples(st.integers(1, 20), st.booleans()), min_size=2, max_size=40)


def columns(pairs):
    """Return days and deaths as two arrays."""
    days, died = zip(*pairs, strict=True)
    return np.array(days, float), np.array(died)


@settings(max_examples=60)
@given(FOLLOW_UP)
def test_kaplan_meier_and_greenwood_equal_statsmodels(pairs):
    """Same times, numbers at risk, survival and standard errors, with ties and censoring."""
    days, died = columns(pairs)
    ours, theirs = kaplan_meier(days, died), SurvfuncRight(days, died.astype(int))
    keep = theirs.n_events > 0
    np.testing.assert_allclose(ours["days"], theirs.surv_times[keep])
    np.testing.assert_allclose(ours["at_risk"], theirs.n_risk[keep])
    np.testing.assert_allclose(ours["survival"], theirs.surv_prob[keep], atol=1e-12)
    se = theirs.surv_prob_se[keep]
    known = ours["survival"].to_numpy() > 1e-12
    np.testing.assert_allclose(ours["se"].to_numpy()[known], se[known], atol=1e-12)


def test_the_interval_is_the_one_of_the_formula():
    """One death in four: S = 0.75, variance of log S = 1 / (4 · 3), by hand."""
    row = kaplan_meier([2, 3, 3, 3], [1, 0, 0, 0]).iloc[0]
    width = 1.959964 * np.sqrt(1 / 12) / -np.log(0.75)
    assert row["low"] == pytest.approx(0.75 ** np.exp(width))
    assert row["high"] == pytest.approx(0.75 ** np.exp(-width))
    assert 0 < row["low"] < 0.75 < row["high"] < 1


def test_the_interval_is_unknown_when_nobody_survives():
    """S = 0: its logarithm has no interval."""
    assert np.isnan(kaplan_meier([1, 2], [1, 1])[["se", "low", "high"]].iloc[-1]).all()


@settings(max_examples=80)
@given(FOLLOW_UP, st.integers(1, 20))
def test_weighted_labels_equal_kaplan_meier(pairs, horizon):
    """The weighted share of deaths is 1 - S(horizon), and the weights add up to everybody."""
    days, died = columns(pairs)
    if days.max() < horizon:
        return
    table = horizon_labels(days, died, horizon)
    deaths = (table["label"] * table["weight"]).sum() / len(days)
    assert deaths == pytest.approx(1 - survival_at(days, died, [horizon])[0])
    assert table["weight"].sum() == pytest.approx(len(days))


def test_survival_is_unknown_beyond_the_longest_follow_up():
    """Day 6 of a study of five days; the last day itself is known."""
    found = survival_at([2, 5], [1, 0], [5, 6])
    assert found[0] == 0.5
    assert np.isnan(found[1])


def test_three_ways_with_a_censored_patient():
    """Dead on day 2; censored on day 3; dead on day 5; alive on day 6. The horizon is day 4."""
    days, died = [2, 3, 5, 6], [1, 0, 1, 0]
    weights = {
        way: horizon_labels(days, died, 4, way)["weight"].tolist()
        for way in ("weighted", "excluded", "as survivors")
    }
    assert weights["weighted"] == pytest.approx([1, 0, 1.5, 1.5])
    assert weights["excluded"] == [1, 0, 1, 1]
    assert weights["as survivors"] == [1, 1, 1, 1]
    assert horizon_labels(days, died, 4)["label"].tolist() == [True, False, False, False]


def test_a_death_on_the_horizon_counts_and_censoring_there_is_survival():
    """Both are known on that day."""
    table = horizon_labels([4, 4, 9], [1, 0, 0], 4)
    assert table["label"].tolist() == [True, False, False]
    assert (table["weight"] > 0).all()


def test_concordance_counts_the_pairs_that_can_be_compared():
    """Censored on day 2: only pairs with deaths before count. Four pairs, 2.5 in order, by hand."""
    days, died = [1, 2, 3, 4], [1, 0, 1, 0]
    risk = [0.5, 0.9, 0.5, 0.1]
    # (1, 2): 0, (1, 3): one half, (1, 4): 1, (3, 4): 1.
    assert concordance(days, died, risk) == pytest.approx(2.5 / 4)


@settings(max_examples=40)
@given(FOLLOW_UP, st.integers(0, 2**32 - 1))
def test_concordance_equals_a_plain_loop(pairs, seed):
    """Two loops over patients, as the definition says it."""
    days, died = columns(pairs)
    risk = np.random.default_rng(seed).integers(5, size=len(days)).astype(float)
    right = total = 0.0
    for i in range(len(days)):
        for j in range(len(days)):
            later = days[j] > days[i] or (days[j] == days[i] and not died[j])
            if died[i] and later:
                total += 1
                right += (risk[i] > risk[j]) + 0.5 * (risk[i] == risk[j])
    np.testing.assert_allclose(concordance(days, died, risk), right / total if total else np.nan)


def test_counts_stand_for_repeated_rows():
    """Drawn twice, a patient is two patients, whose pair is a tie that cannot be compared."""
    days, died, risk = np.array([1, 2, 3, 4.0]), np.array([1, 1, 0, 1]), np.array([3, 1, 2, 0.0])
    counts = np.array([[2, 1, 0, 1], [1, 1, 1, 1]])
    repeated = [np.repeat(column, counts[0]) for column in (days, died, risk)]
    expected = [concordance(*repeated), concordance(days, died, risk)]
    np.testing.assert_allclose(concordance(days, died, risk, counts=counts), expected)


@pytest.mark.parametrize(
    ("days", "died", "message"),
    [
        ([3, 0], [1, 1], "after day 0, got 0 in row 1"),
        ([-2, 5], [1, 0], "after day 0, got -2 in row 0"),
        ([np.nan, 5], [1, 0], "times must be finite, got nan in row 0"),
        ([1, 2], [1, 2], "labels must be 0 or 1"),
        ([1, 2, 3], [1, 0], "expected 2 times"),
    ],
)
def test_times_that_cannot_be_are_refused(days, died, message):
    """0, below 0, NaN, a third kind of end, a missing row."""
    with pytest.raises(ValueError, match=message):
        kaplan_meier(days, died)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"horizon": 0}, "the horizon must lie after day 0, got 0"),
        ({"horizon": np.nan}, "the horizon must lie after day 0, got nan"),
        ({"horizon": 9}, "nobody was followed to day 9: the longest is 5"),
        ({"horizon": 2, "censored": "dropped"}, "expected 'weighted', 'excluded' or"),
    ],
)
def test_impossible_horizons_are_refused(options, message):
    """Day 0, NaN, beyond the study, an unknown way."""
    with pytest.raises(ValueError, match=message):
        horizon_labels([2, 5], [1, 0], **options)


def test_no_death_gives_no_comparable_pair():
    """One class only: not estimable."""
    assert np.isnan(concordance([1, 2], [0, 0], [1, 2]))
    assert kaplan_meier([1, 2], [0, 0]).empty


def test_a_missing_risk_is_refused():
    """NaN is no rank."""
    with pytest.raises(ValueError, match="risks must be finite, got nan in row 1"):
        concordance([1, 2], [1, 1], [1, np.nan])
