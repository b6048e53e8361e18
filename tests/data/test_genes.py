"""Expression and sequence are those of their publications."""

import numpy as np
import pytest
from Bio.Seq import Seq
from Bio.SeqUtils import molecular_weight

from medml.data.genes import load_beta_globin, load_khan, load_nci60, sickle_allele


def test_nci60_has_14_labels_of_which_nine_are_tissues():
    """64 samples × 6,830 genes; four labels are repeats of two cell lines, one is unknown."""
    nci60 = load_nci60()
    assert nci60.values.shape == (64, 6830)
    assert np.isfinite(nci60.values).all()
    assert nci60.is_train is None
    labels, counts = np.unique(nci60.labels, return_counts=True)
    tissues = {
        label: int(count)
        for label, count in zip(labels, counts, strict=True)
        if label != "UNKNOWN" and "repro" not in label
    }
    assert len(labels) == 14
    assert tissues == {
        **{"BREAST": 7, "CNS": 5, "COLON": 7, "LEUKEMIA": 6, "MELANOMA": 8},
        **{"NSCLC": 9, "OVARIAN": 6, "PROSTATE": 2, "RENAL": 9},
    }


def test_the_repeats_of_a_cell_line_resemble_each_other():
    """K562 twice: correlation 0.82; MCF7 twice: 0.84; K562 with MCF7: at most 0.2."""
    nci60 = load_nci60()
    order = ["K562A-repro", "K562B-repro", "MCF7A-repro", "MCF7D-repro"]
    rows = [np.flatnonzero(nci60.labels == label)[0] for label in order]
    correlation = np.corrcoef(nci60.values[rows])
    assert correlation[0, 1] == pytest.approx(0.82, abs=0.01)
    assert correlation[2, 3] == pytest.approx(0.84, abs=0.01)
    assert correlation[:2, 2:].max() <= 0.2


def test_khan_has_the_published_counts_of_four_tumours():
    """63 + 20 samples × 2,308 genes; the counts identify the numbered diagnoses."""
    khan = load_khan()
    assert khan.values.shape == (83, 2308)
    assert np.isfinite(khan.values).all()
    names = ["Burkitt lymphoma", "Ewing sarcoma", "neuroblastoma", "rhabdomyosarcoma"]
    for part, expected in ((khan.is_train, [8, 23, 12, 20]), (~khan.is_train, [3, 6, 6, 5])):
        assert [int((khan.labels[part] == name).sum()) for name in names] == expected


def test_beta_globin_is_translated_to_the_protein_of_known_mass():
    """444 nucleotides, 147 residues; 15,867 Da without the first Met."""
    normal = load_beta_globin()
    protein = normal.translate(to_stop=True)
    assert (len(normal), len(protein)) == (444, 147)
    assert normal[-3:] == "TAA"
    assert molecular_weight(protein[1:], "protein") == pytest.approx(15_867, abs=1)


def test_the_sickle_allele_changes_one_letter_and_one_residue():
    """Codon 7 GAG → GTG: glutamate becomes valine, 30 Da lighter."""
    normal = load_beta_globin()
    sickle = sickle_allele(normal)
    letters = [i for i, (a, b) in enumerate(zip(normal, sickle, strict=True)) if a != b]
    assert letters == [19]
    proteins = [allele.translate(to_stop=True) for allele in (normal, sickle)]
    residues = [(i, a, b) for i, (a, b) in enumerate(zip(*proteins, strict=True)) if a != b]
    assert residues == [(6, "E", "V")]
    masses = [molecular_weight(protein[1:], "protein") for protein in proteins]
    assert masses[0] - masses[1] == pytest.approx(29.98, abs=0.01)


@pytest.mark.parametrize("sequence", ["", "ATGGTG", "ATGGTGCATCTGACTCCTGTGGAG"])
def test_a_sequence_without_gag_at_codon_7_is_refused(sequence):
    """Neither a fragment nor the sickle allele itself can be changed."""
    with pytest.raises(ValueError, match="codon 7 of the normal allele must be GAG"):
        sickle_allele(Seq(sequence))
