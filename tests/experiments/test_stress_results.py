"""Stored results of the letter and of the other scanner: a part comes out again; ten runs agree."""

import numpy as np
import pandas as pd
import pytest

from experiments import stress_networks
from medml.course import stored_run

ROWS = stored_run("stress_networks")["rows"]
TABLE = pd.json_normalize(ROWS, sep="|")


@pytest.fixture(scope="module")
def run():
    """The split of seed 1."""
    return stress_networks.Run(1)


def test_the_networks_with_and_without_the_letter_come_out_again(run):
    """Seed 1: AUROC, influence of the letter, and heat of occlusion in its corner."""
    for name, slack in (("letter tells", 0.15), ("corner covered", 0.04)):
        again = stress_networks.letter(run, name)
        stored = ROWS[1]["letter"][name]
        assert again.keys() == stored.keys()
        for words in ("as in training", "no letter", "swapped", "letter alone", "occlusion"):
            assert again[words] == pytest.approx(stored[words], abs=slack)


def test_the_network_of_many_scanners_comes_out_again(run):
    """Seed 1: the order of the nodules, and about the same decisions."""
    again = stress_networks.scanner(run, "many scanners")
    for words, stored in ROWS[1]["scanner"]["many scanners"].items():
        assert again[words]["AUROC"] == pytest.approx(stored["AUROC"], abs=0.03)
        for rate in ("sensitivity", "specificity"):
            assert again[words][rate] == pytest.approx(stored[rate], abs=0.15)


def test_every_seed_is_there():
    """Ten splits, each of its own patients."""
    assert [row["seed"] for row in ROWS] == list(stress_networks.SEEDS)
    assert all(row["nodules"] > 110 and row["patients"] > 60 for row in ROWS)


def test_the_swap_and_occlusion_find_the_letter_in_every_run():
    """It falls once swapped, nine times below chance; the others stay; occlusion tells them apart.

    Seed 7 squeezes its probabilities: the letter turns their order and hardly moves them.
    """
    tells, chance, covered = (
        TABLE.filter(like=f"|{name}|").rename(columns=lambda c: c.split("|")[2])
        for name in ("letter tells", "letter by chance", "corner covered")
    )
    assert (tells["as in training"] > 0.95).all()
    assert (tells["no letter"] - tells["swapped"] > 0.4).all()
    assert (tells["swapped"] >= 0.5).to_numpy().nonzero()[0].tolist() == [7]
    assert (tells["letter alone"] < 0.3).to_numpy().nonzero()[0].tolist() == [7]
    assert (chance["letter alone"] < 0.1).all()
    assert (covered["letter alone"] == 0).all()
    assert (covered["swapped"] == covered["as in training"]).all()
    assert (chance[["as in training", "no letter", "swapped"]] > 0.8).all(axis=None)
    assert (tells["occlusion"] - chance["occlusion"] > 0.3).all()


def test_many_scanners_lose_less_than_one():
    """On the mean of ten runs, under noise and under blur."""
    for change, rate in (("noise + 75 HU", "specificity"), ("blur + 2 mm", "sensitivity")):
        lost = {
            name: TABLE[f"scanner|{name}|as trained|{rate}"]
            - TABLE[f"scanner|{name}|{change}|{rate}"]
            for name in ("one scanner", "many scanners")
        }
        assert np.mean(lost["one scanner"]) - np.mean(lost["many scanners"]) > 0.1
