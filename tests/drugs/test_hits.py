"""Hits with known relatives: nearest neighbours, domain and families by hand."""

import numpy as np
import pytest

from medml.drugs.hits import domain_edge, families, nearest, review
from medml.drugs.molecules import fingerprints
from medml.drugs.ranking import Hit
from medml.drugs.similarity import tanimoto

PHENOLS = [f"Oc1ccc({'C' * n})cc1" for n in range(1, 13)]


def test_the_nearest_is_the_row_maximum_and_the_second_leaves_itself_out():
    """Against the whole matrix; 1,200 rows go in more than one block."""
    bits = fingerprints(PHENOLS)
    matrix = tanimoto(bits, bits)
    np.testing.assert_array_equal(nearest(np.repeat(bits, 100, axis=0), bits), np.ones(1200))
    np.fill_diagonal(matrix, -1)
    np.testing.assert_array_equal(nearest(bits, bits, place=2), matrix.max(axis=1))
    assert domain_edge(bits) == pytest.approx(np.quantile(matrix.max(axis=1), 0.05))
    with pytest.raises(ValueError, match="at least 2 training molecules, got 1"):
        domain_edge(bits[:1])


def test_families_have_leaders_that_are_not_alike_and_members_that_are():
    """Each molecule is in the family of the first leader that it is like."""
    rows = fingerprints([*PHENOLS, "NCCN", "NCCCN", "CC(=O)O"])
    family = families(rows, 0.5)
    _, leaders = np.unique(family, return_index=True)
    alike = tanimoto(rows, rows[leaders]) >= 0.5
    assert len(leaders) > 2
    np.testing.assert_array_equal(family, alike.argmax(axis=1))
    assert alike[leaders].sum() == len(leaders)
    np.testing.assert_array_equal(families(rows, 0.5, most=2), np.where(family < 2, family, -1))
    assert families(rows[:0]).shape == (0,)
    with pytest.raises(ValueError, match="above 0 and at most 1, got 0"):
        families(rows, 0)


def test_the_review_asks_everything_of_every_hit():
    """A quinone raises an alert; a molecule of the training set is in its domain."""
    texts = ["O=C1C=CC(=O)C=C1", *PHENOLS[:3]]
    hits = [Hit(9.0 - n, "a.smi", n, text, text) for n, text in enumerate(texts)]
    table = review(hits, training=fingerprints(PHENOLS))
    assert table.index.tolist() == [1, 2, 3, 4]
    assert table.pains.tolist() == [1, 0, 0, 0]
    assert table.in_domain.tolist() == [False, True, True, True]
    assert table.similarity.iloc[1:].tolist() == [1, 1, 1]
    assert table.family.iloc[0] == 0
    assert table.scaffold.iloc[1] == "c1ccccc1"
    assert table.qed.between(0, 1).all()


def test_a_review_of_nothing_has_the_columns_and_no_rows():
    """A library without a single molecule is not an error."""
    table = review([], training=fingerprints(PHENOLS))
    assert len(table) == 0
    assert {"score", "similarity", "in_domain", "pains", "qed", "family"} <= set(table.columns)
