"""Alerts, drug-likeness and pictures of known molecules."""

import numpy as np
import pytest

from medml.data.compounds import load_activities
from medml.drugs.triage import alerts, draw, triage

QUINONE, ASPIRIN, ETHANOL = "O=C1C=CC(=O)C=C1", "CC(=O)Oc1ccccc1C(=O)O", "CCO"


def test_known_troublemakers_raise_alerts_and_ethanol_does_not():
    """A quinone and a rhodanine are PAINS; aspirin, a drug, raises one of Brenk's for its ester."""
    assert alerts(QUINONE, "PAINS") == ["quinone_A(370)"]
    assert alerts("O=C1CSC(=S)N1", "BRENK")
    assert alerts("CN1C(=O)C(=Cc2ccccc2)SC1=S", "PAINS") == ["ene_rhod_A(235)"]
    assert alerts(ASPIRIN, "PAINS") == []
    assert alerts(ASPIRIN, "BRENK") == ["phenol_ester"]
    assert alerts(ETHANOL, "PAINS") == alerts(ETHANOL, "BRENK") == []


def test_hits_come_with_alerts_drug_likeness_and_scaffold():
    """Aspirin's QED is 0.55, as published with the method; the order is that of the input."""
    table = triage([QUINONE, ASPIRIN])
    assert table["pains"].tolist() == [1, 0]
    assert table["brenk"].tolist() == [1, 1]
    assert table["qed"].iloc[1] == pytest.approx(0.550, abs=0.001)
    assert table["scaffold"].tolist() == [QUINONE, "c1ccccc1"]
    assert triage([]).columns.tolist() == table.columns.tolist()


def test_unknown_rules_are_answered_with_the_known_ones():
    """A mistyped set of rules is one clear error."""
    with pytest.raises(ValueError, match="unknown rules 'pains', expected one of PAINS, BRENK"):
        alerts(ETHANOL, "pains")


def test_a_picture_shows_the_scaffold_in_colour_and_a_chain_without():
    """Two molecules side by side: colour only on the half with a ring."""
    image = np.asarray(draw(["CCCCCC", "CCCc1ccccc1"], ["chain", "ring"], columns=2).convert("RGB"))
    assert image.shape == (200, 400, 3)
    coloured = np.ptp(image.astype(int), axis=2) > 50
    assert not coloured[:, :200].any()
    assert coloured[:, 200:].any()


def test_every_scaffold_is_found_in_its_molecule():
    """100 measured molecules are drawn, as many as there are."""
    smiles = load_activities("CHEMBL2971_Ki")["smiles"][:100].tolist()
    assert draw(smiles, columns=10).size == (2000, 2000)


def test_pictures_need_molecules_and_as_many_captions():
    """None at all, or one caption too few."""
    with pytest.raises(ValueError, match="got 0 and no captions"):
        draw([])
    with pytest.raises(ValueError, match="got 2 and 1 captions"):
        draw([ETHANOL, ASPIRIN], ["one"])
