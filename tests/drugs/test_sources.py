"""Which sources are looked at, which of them are relatives, and what their sum says."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import zscore

from medml.drugs.baselines import random_forest
from medml.drugs.molecules import fingerprints
from medml.drugs.sources import SourceView, add_sum, best_views, relatives

ALKANES = pd.DataFrame({"task": "alkanes", "smiles": ["C" * n for n in range(2, 9)]})
ALCOHOLS = pd.DataFrame({"task": "alcohols", "smiles": ["C" * n + "O" for n in range(1, 8)]})
BOTH = pd.concat([ALKANES, ALCOHOLS], ignore_index=True).assign(pX=np.linspace(4, 9, 14))
CHAINS = fingerprints(["CCCCN", "CCO", "CCCCCCCC", "OCCO", "CCCCO"])


def test_sources_are_chosen_by_structures_and_small_ones_passed_over():
    """The one with the target's own molecules comes first, whatever its labels."""
    alkanes = ["C" * n for n in range(3, 25)]
    phenols = [f"Oc1ccc({'C' * n})cc1" for n in range(1, 23)]
    labels = np.random.default_rng(0).normal(6, 1, 22)
    table = pd.concat(
        [
            pd.DataFrame({"task": "alkanes", "smiles": alkanes, "pX": labels}),
            pd.DataFrame({"task": "phenols", "smiles": phenols, "pX": labels[::-1]}),
            pd.DataFrame({"task": "few", "smiles": phenols[:19], "pX": labels[:19]}),
        ]
    )
    target = fingerprints(["Oc1ccc(CCCC)cc1", "Oc1ccc(CO)cc1", "Oc1ccccc1"])
    views = best_views(table, target)
    assert [view.name for view in views] == ["phenols", "alkanes"]
    assert 1 > views[0].coverage > views[1].coverage >= 0
    assert [view.name for view in best_views(table, target, keep=1)] == ["phenols"]


def view(name, coverage, prior=1.0):
    """Return a view of five molecules that covers each of them alike."""
    return SourceView(name, np.arange(5.0), coverage * np.eye(5), prior)


FAMILIES = dict.fromkeys(("mu", "delta", "D3", "H1"), "GPCR") | {"Xa": "protease"}


def test_relatives_are_the_first_three_of_the_family():
    """In the order of the views; another family is passed over, a fourth left out."""
    views = [view(name, 0.5) for name in ("Xa", "mu", "delta", "D3", "H1")]
    assert [each.name for each in relatives(views, FAMILIES, "GPCR")] == ["mu", "delta", "D3"]


@pytest.mark.parametrize(
    ("names", "coverage", "found"),
    [
        (("mu", "delta", "D3"), 0.4, 3),
        (("mu", "delta", "D3"), 0.39, 0),
        (("Xa", "mu", "delta"), 0.9, 0),
        ((), 0.9, 0),
    ],
)
def test_without_three_relatives_or_a_near_one_there_are_none(names, coverage, found):
    """Only the first relative has to be near."""
    views = [view(name, coverage if name == "mu" else 0.3) for name in names]
    assert len(relatives(views, FAMILIES, "GPCR")) == found


def test_a_view_of_unknown_family_is_refused():
    """A name that the table of families lacks."""
    with pytest.raises(KeyError, match="amines"):
        relatives([view("amines", 0.5)], FAMILIES, "GPCR")


def test_a_sum_is_that_of_the_sources_forests():
    """Each forest standardised, then the sum; it explains nothing and weighs as much as all."""
    ten = [view("mu", 0.5), view("Xa", 0.4, prior=2.0)]
    *before, added = add_sum(ten, BOTH, CHAINS, ["alcohols", "alkanes"])
    told = [
        zscore(random_forest(fingerprints(rows["smiles"]), rows["pX"].to_numpy(), CHAINS))
        for rows in (BOTH[7:], BOTH[:7])
    ]
    np.testing.assert_allclose(added.mean, zscore(told[0] + told[1]))
    assert before == ten
    assert (added.name, added.coverage, added.prior) == ("sum", 0, 3)
    assert add_sum([], BOTH, CHAINS, ["alcohols"])[0].prior == 1


@pytest.mark.parametrize(
    ("names", "px", "message"),
    [
        (["amines"], BOTH["pX"], "no task 'amines'"),
        (["alkanes"], 6.0, "'alkanes' says the same of all"),
        ([], BOTH["pX"], "no source to add up"),
    ],
)
def test_a_sum_of_nothing_is_refused(names, px, message):
    """A task that is not there, one whose labels are all equal, and no task."""
    with pytest.raises(ValueError, match=message):
        add_sum([], BOTH.assign(pX=px), CHAINS, names)
