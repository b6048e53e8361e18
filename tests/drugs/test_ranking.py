"""Chunks scored by a model that is a sum of weights, and results joined in every order."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from medml.data.compounds import load_activities
from medml.data.smiles import Chunk
from medml.drugs.molecules import fingerprints
from medml.drugs.ranking import Hit, Scored, Skipped, merge, score_chunk


class Weights:
    """A linear model with weights drawn by its seed."""

    def __init__(self, bits=2048, seed=0):
        self.weights = np.random.default_rng(seed).normal(size=bits)

    def predict(self, bits):
        return bits @ self.weights


class Constant:
    """A model that gives one answer whatever it is asked."""

    def __init__(self, answer):
        self.answer = answer

    def predict(self, bits):
        return self.answer(len(bits))


def scored(*texts, model=None, top_k=100, **how):
    """Score the lines of one chunk of the file "a" and keep the best."""
    return merge([score_chunk(Chunk("a", 1, texts), model or Weights(), **how)], top_k)


@pytest.fixture(scope="module")
def compounds():
    """150 SMILES from the activities, stereochemistry and all."""
    return load_activities("CHEMBL236_Ki").smiles.iloc[:150].tolist()


@pytest.mark.parametrize(("bits", "radius"), [(2048, 2), (1024, 3), (100, 1)])
def test_the_best_molecules_are_those_of_the_model_by_hand(compounds, bits, radius):
    """Scores of `fingerprints`, sorted; a size that is no multiple of 8 too."""
    model = Weights(bits)
    expected = model.predict(fingerprints(compounds, radius, bits))
    result = scored(*compounds, model=model, top_k=10, bits=bits, radius=radius)
    best = np.argsort(-expected, kind="stable")[:10]
    assert [hit.line - 1 for hit in result.hits] == best.tolist()
    assert [hit.score for hit in result.hits] == pytest.approx(expected[best])
    assert [hit.smiles for hit in result.hits] == [compounds[i] for i in best]
    assert result.molecules == len(compounds)


def test_leaving_out_stereochemistry_changes_no_fingerprint(compounds):
    """As written, in random order, with single and double bonds, with every hydrogen."""
    texts = []
    for molecule in map(Chem.MolFromSmiles, compounds[:60]):
        texts += [Chem.MolToSmiles(molecule, doRandom=True)]
        texts += [Chem.MolToSmiles(molecule, allHsExplicit=True)]
        texts += [Chem.MolToSmiles(Chem.AddHs(molecule))]
        Chem.Kekulize(molecule, clearAromaticFlags=True)
        texts += [Chem.MolToSmiles(molecule, kekuleSmiles=True)]
    model = Weights()
    found = {text: scored(text, model=model).hits[0].score for text in texts}
    assert list(found.values()) == pytest.approx(model.predict(fingerprints(found)).tolist())


def test_a_hydrogen_written_as_a_number_changes_no_fingerprint():
    """rdkit reads [#1] as [H]."""
    first, second = (scored(text).hits[0] for text in ("[#1]OC", "[H]OC"))
    assert (first.score, first.molecule) == (second.score, second.molecule)


def test_what_cannot_be_scored_is_told_with_its_line_and_the_rest_goes_on():
    """Invalid, empty, blank, too long, an impossible carbon, salt, a foreign letter; a metal."""
    monster = "C" * 10_000
    salt, metal, cyrillic = "[Na+].[Cl-]", "C[Hg]C", "CC\u0421"
    crowded = "C(C)(C)(C)(C)C"
    lines = ("CCO", "C1CC", "", "  ", monster, crowded, salt, "c1cccc1", metal, cyrillic)
    result = scored(*lines)
    assert {hit.line for hit in result.hits} == {1, 9}
    reasons = {row.line: row.reason for row in result.skipped}
    assert list(reasons) == [2, 3, 4, 5, 6, 7, 8, 10]
    assert "expected a SMILES, got ''" in reasons[3]
    assert "10,000 characters, at most 1,000" in reasons[5]
    assert "no organic part" in reasons[7]
    assert all("not a molecule" in reasons[line] for line in (2, 6, 8, 10))
    assert len(result.skipped[3].smiles) == 80
    assert result.molecules == 2


def test_a_mixture_is_its_largest_organic_part_and_a_duplicate_counts_once():
    """A salt, its neutral form and another spelling are one molecule: the first line stays."""
    result = scored("CCO", "[Na+].[O-]C(=O)c1ccccc1", "OC(=O)c1ccccc1", "c1ccccc1C(O)=O", "OCC")
    assert sorted((hit.line, hit.molecule) for hit in result.hits) == [
        (1, "CCO"), (2, "O=C(O)c1ccccc1"),
    ]  # fmt: skip
    assert result.molecules == 5


def test_damage_is_one_skipped_line_after_the_last():
    """The chunk's molecules are scored all the same; a chunk can hold damage alone."""
    result = score_chunk(Chunk("a", 7, ("C", "CC"), damage="torn"), Weights())
    assert (result.molecules, result.skipped) == (2, [Skipped("a", 9, "", "torn")])
    assert score_chunk(Chunk("a", 7, (), damage="torn"), Weights()).molecules == 0


def test_the_floor_drops_worse_molecules_and_keeps_equal_ones(compounds):
    """What the caller has no use for is not even named."""
    every = scored(*compounds).hits
    kept = scored(*compounds, floor=every[20].score).hits
    assert kept == every[: len(kept)]
    assert len(kept) == 21


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda n: np.full(n, np.nan), "each of 2 molecules, got nan"),
        (lambda n: np.r_[np.ones(n - 1), np.inf], "got inf"),
        (lambda n: np.ones((n, 1)), r"got an array of shape \(2, 1\)"),
        (lambda n: np.ones(3), r"got an array of shape \(3,\)"),
    ],
)
def test_scores_that_are_not_one_finite_number_each_are_refused(answer, message):
    """NaN would be sorted to anywhere. A note names the lines."""
    with pytest.raises(ValueError, match=message) as told:
        scored("C", "CC", model=Constant(answer))
    assert told.value.__notes__ == ["This came from lines 1 to 2 of a."]


@settings(max_examples=100)
@given(
    rows=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), max_size=30),
    cuts=st.tuples(st.integers(0, 30), st.integers(0, 30)),
    order=st.permutations(range(3)),
    top_k=st.integers(1, 8),
)
def test_the_parts_can_be_joined_in_any_order(rows, cuts, order, top_k):
    """Ties in score and repeated molecules included: equal to one sort of all."""
    hits = [Hit(float(s), "a", n, f"m{m}", f"m{m}") for n, (s, m) in enumerate(rows)]
    first, second = sorted(cuts)
    parts = [
        merge([Scored([hit], [Skipped("a", hit.line, "", "")], 1) for hit in part], top_k)
        for part in (hits[:first], hits[first:second], hits[second:])
    ]
    best = {}
    for hit in sorted(hits, key=lambda hit: (-hit.score, hit.line)):
        best.setdefault(hit.molecule, hit)
    joined = merge([parts[i] for i in order], top_k)
    assert joined.hits == list(itertools.islice(best.values(), top_k))
    assert [row.line for row in joined.skipped] == list(range(len(rows)))
    assert joined.molecules == len(rows)
