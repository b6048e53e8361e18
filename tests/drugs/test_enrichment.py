"""Early recovery against rdkit's own scoring, by hand, and with ties and without actives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdkit.ML.Scoring.Scoring import CalcBEDROC, CalcEnrichment

from medml.drugs.enrichment import bedroc, enrichment_factor, largest_enrichment

LABELS = st.lists(st.booleans(), min_size=2, max_size=60).filter(lambda a: 0 < sum(a) < len(a))


@given(active=LABELS, share=st.sampled_from([0.01, 0.05, 0.3, 0.5]))
def test_the_enrichment_factor_is_rdkit_s(active, share):
    """A list without ties, in its order."""
    scores = -np.arange(len(active))
    (expected,) = CalcEnrichment([[a] for a in active], 0, [share])
    assert enrichment_factor(scores, active, share) == pytest.approx(expected)


def test_a_share_that_is_a_whole_number_of_molecules_is_not_rounded_up():
    """7 % of 100 are 7, though 0.07 · 100 is 7.000000000000001."""
    active = np.arange(100) < 8
    assert enrichment_factor(-np.arange(100), active, 0.07) == pytest.approx(1 / 0.08)
    assert enrichment_factor(-np.arange(100), np.arange(100) == 7, 0.07) == 0


@given(active=LABELS, alpha=st.sampled_from([0.5, 20.0, 100.0]))
def test_bedroc_is_rdkit_s(active, alpha):
    """A list without ties, in its order."""
    expected = CalcBEDROC([[a] for a in active], 0, alpha)
    assert bedroc(-np.arange(len(active)), active, alpha) == pytest.approx(expected, abs=1e-9)


@given(active=LABELS, seed=st.integers(0, 100))
def test_molecules_of_one_score_share_their_places(active, seed):
    """The mean over many random orders of the ties; all alike is chance."""
    generator = np.random.default_rng(seed)
    scores = generator.integers(0, 3, len(active))
    orders = generator.random((400, len(active)))
    for measure in (enrichment_factor, bedroc):
        each = [measure(scores + order, active, 0.3) for order in orders]
        error = np.std(each) / 20 + 1e-9
        assert measure(scores, active, 0.3) == pytest.approx(np.mean(each), abs=5 * error)
    assert enrichment_factor(np.ones(len(active)), active, 0.3) == pytest.approx(1)


def test_the_largest_enrichment_is_bounded_by_the_share_and_by_the_actives():
    """One in 1,000 at the top 1 %: 100. A third active: 3."""
    rare, common = np.arange(1000) < 1, np.arange(999) < 333
    assert largest_enrichment(rare) == pytest.approx(100)
    assert largest_enrichment(common) == pytest.approx(3)
    assert enrichment_factor(-np.arange(1000), rare) == pytest.approx(100)


def test_scaling_or_shifting_the_scores_changes_nothing():
    """Only the order counts."""
    generator = np.random.default_rng(0)
    scores, active = generator.normal(size=200), generator.random(200) < 0.1
    for measure in (enrichment_factor, bedroc):
        assert measure(np.exp(3 * scores) + 7, active) == pytest.approx(measure(scores, active))


@pytest.mark.parametrize("measure", [enrichment_factor, bedroc])
def test_bad_input_is_told(measure):
    """Zero actives, other lengths, a NaN, a setting out of range."""
    with pytest.raises(ValueError, match="none of 3 molecules is active"):
        measure([1, 2, 3], [0, 0, 0])
    with pytest.raises(ValueError, match=r"got shapes \(3,\) and \(2,\)"):
        measure([1, 2, 3], [0, 1])
    with pytest.raises(ValueError, match="finite scores, got nan"):
        measure([1, np.nan, 3], [0, 0, 1])
    with pytest.raises(ValueError, match="above 0"):
        measure([1, 2, 3], [0, 0, 1], 0)


def test_bedroc_of_nothing_but_actives_is_refused():
    """There is no order to judge."""
    with pytest.raises(ValueError, match="all 2 molecules are active"):
        bedroc([1, 2], [1, 1])


@pytest.mark.parametrize("alpha", [1e5, 1e-17])
def test_an_alpha_that_weighs_nothing_is_refused(alpha):
    """All weights are 0, or all alike: the score would be NaN."""
    with pytest.raises(ValueError, match="tells no places of 100 apart: 20 is usual"):
        bedroc(np.arange(100), np.arange(100) > 90, alpha)
