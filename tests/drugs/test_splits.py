"""Families of molecules stay on one side, and what overlaps is dropped."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medml.data.compounds import load_activities
from medml.drugs.molecules import fingerprints, skeleton
from medml.drugs.overlap import drop_overlap
from medml.drugs.similarity import tanimoto
from medml.drugs.splits import clusters, hold_out, scaffold


@pytest.mark.parametrize(
    ("smiles", "expected"),
    [
        ("CC(=O)Oc1ccccc1C(=O)O", "c1ccccc1"),
        ("OC(c1ccccc1)(c1ccccc1)C1CCNCC1", "c1ccc(C(c2ccccc2)C2CCNCC2)cc1"),
        ("O=C1CCCN1c1ccccc1", "O=C1CCCN1c1ccccc1"),  # a double bond at a ring belongs to it
        ("O[C@H]1CC[C@H]2CCCC[C@@H]2C1", "C1CCC2CCCCC2C1"),  # no stereochemistry
        ("CCCCO", ""),
    ],
)
def test_a_scaffold_is_rings_and_linkers(smiles, expected):
    """Side chains go, linkers stay."""
    assert scaffold(smiles) == expected


@settings(max_examples=60)
@given(
    st.lists(st.integers(0, 12), min_size=30, max_size=80), st.floats(0.3, 0.7), st.integers(0, 9)
)
def test_a_group_is_never_on_both_sides_and_the_share_is_not_exceeded(groups, share, seed):
    """For any groups; as much is held out as whole groups allow."""
    groups = np.array(groups)
    if np.bincount(groups)[np.unique(groups)].min() > share * len(groups):
        return
    test = hold_out(groups, share, seed)
    assert not set(groups[test]) & set(groups[~test])
    assert 0 < test.sum() <= share * len(groups)
    left = share * len(groups) - test.sum()
    assert all((groups == group).sum() > left for group in set(groups[~test]))


def test_a_split_is_decided_by_its_seed():
    """The same seed gives the same, another one another; group names may be anything."""
    groups = [f"scaffold {i // 2}" for i in range(60)]
    first, again, other = (hold_out(groups, 0.5, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert first.sum() == 30


@pytest.mark.parametrize(
    ("share", "message"), [(0.0, "got 0.0"), (1.0, "got 1.0"), (0.4, "none of 1 groups fits")]
)
def test_a_split_that_cannot_be_made_is_refused(share, message):
    """A share outside 0 to 1, or one group for all."""
    with pytest.raises(ValueError, match=message):
        hold_out(["one"] * 9, share, 0)


def test_members_of_a_cluster_are_like_its_centre():
    """Real molecules: each cluster has a member that all others resemble by at least 0.6."""
    bits = fingerprints(load_activities("CHEMBL1862_Ki")["smiles"][:300])
    found, alike = clusters(bits, 0.6), tanimoto(bits, bits)
    sizes = np.bincount(found)
    assert (np.diff(sizes) <= 0).all()
    assert 1 < sizes[0] < 300
    for cluster in range(len(sizes)):
        inside = alike[np.ix_(found == cluster, found == cluster)]
        assert inside.min(axis=1).max() >= 0.6 - 1e-6


def test_clusters_need_a_similarity():
    """Above 0 and at most 1."""
    for similarity in (0.0, 1.5):
        with pytest.raises(ValueError, match=f"got {similarity}"):
            clusters(np.eye(3, dtype=np.uint8), similarity)


def table(task, *smiles):
    """Return rows of one task."""
    return pd.DataFrame({"task": task, "smiles": smiles})


def test_overlap_is_dropped_by_molecule_and_by_protein_and_scaffolds_on_request():
    """A mirror image and a salt of a target's molecule go, and the protein's other read-out."""
    target = table("P1_Ki", "C[C@H](N)c1ccccc1", "CCO")
    source = pd.concat(
        [
            table("P1_EC50", "c1ccncc1"),  # the same protein under another read-out
            table("P2_Ki", "C[C@@H](N)c1ccccc1", "OCC", "Cc1ccccc1", "CCCC"),
            table("P10_Ki", "c1ccsc1"),  # another protein whose name begins alike
            table("P3_Ki", "Cl.CC(N)c1ccccc1", "CC([NH3+])c1ccccc1.[Br-]"),
        ],
        ignore_index=True,
    )
    assert drop_overlap(source, target).index.tolist() == [3, 4, 5]
    assert drop_overlap(source, target, scaffolds=True).index.tolist() == [4, 5]


def test_nothing_of_a_real_target_is_left_in_its_source():
    """Kappa by Ki against kappa by EC50, JAK2 and JAK1: no protein, molecule or scaffold twice."""
    activities = load_activities("CHEMBL2971_Ki", "CHEMBL2835_Ki", "CHEMBL237_EC50")
    jak2 = activities[activities["task"] == "CHEMBL2971_Ki"]
    kept = drop_overlap(activities, jak2)
    assert set(kept["task"]) == {"CHEMBL2835_Ki", "CHEMBL237_EC50"}
    assert (kept["task"] == "CHEMBL2835_Ki").sum() == 615 - 544  # molecules shared by JAK1 and JAK2
    assert not set(kept["smiles"].map(skeleton)) & set(jak2["smiles"].map(skeleton))
    strict = drop_overlap(activities, jak2, scaffolds=True)
    assert len(strict) < len(kept)
    shared = set(strict["smiles"].map(scaffold)) & set(jak2["smiles"].map(scaffold))
    assert shared <= {""}


def test_an_overlap_that_leaves_nothing_and_a_missing_column_are_refused():
    """The target itself as source; a table without `smiles`; a SMILES that is none."""
    target = table("P1_Ki", "CCO")
    with pytest.raises(ValueError, match="nothing is left of the source"):
        drop_overlap(target, target)
    with pytest.raises(ValueError, match="the target has no column 'smiles'"):
        drop_overlap(target, target[["task"]])
    with pytest.raises(ValueError, match="not a molecule: 'xyz'"):
        drop_overlap(table("P2_Ki", "xyz"), target)
