"""Stored results of the assay loop: two courses come out again, and the bars are met."""

import numpy as np
import pytest

from experiments import assay_loop
from medml.course import stored_run


@pytest.fixture(scope="module")
def rows():
    """The stored rows by way of choosing."""
    return {row["way"]: row for row in stored_run("assay_loop")["rows"]}


def test_the_first_seeds_come_out_again(rows):
    """Chance exactly; the forest within what another numeric library may change."""
    pool = assay_loop.load()
    for way, tolerance in (("random", 1e-9), ("greedy", 0.05)):
        table = assay_loop.play(pool, way, control=0, seed=0)
        assert table["assayed"].tolist() == rows[way]["assayed"]
        np.testing.assert_allclose(table["share"], rows[way]["share"][0], atol=tolerance)


def test_choosing_finds_three_times_the_hits_of_chance(rows):
    """After 12 % of the pool, eight seeds: greedy and better; chance finds what it assays."""
    assert rows["random"]["found"] == pytest.approx(0.12, abs=0.03)
    for way in ("greedy", "UCB", "diverse"):
        assert rows[way]["times_chance"] >= 3
        assert len(rows[way]["share"]) >= 8
    assert rows["UCB"]["times_chance_low"] > 2.5
    assert rows["uncertain"]["found_high"] < rows["greedy"]["found_low"]


def test_a_model_taught_by_its_own_choice_expects_too_much(rows):
    """Of what it chooses, and of molecules drawn by chance too."""
    row = rows["greedy, 5 by chance"]
    assert row["disappointment"] > 0
    assert row["control_disappointment"] > 0
