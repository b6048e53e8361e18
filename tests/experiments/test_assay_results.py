"""Stored results of the assay loop: two courses come out again, and the bars are met."""

import numpy as np
import pytest

from experiments import assay_loop
from medml.course import stored_run


@pytest.fixture(scope="module")
def rows():
    """The stored rows by target and way of choosing."""
    return {(row["task"], row["way"]): row for row in stored_run("assay_loop")["rows"]}


@pytest.fixture(scope="module")
def delta(rows):
    """Those of the delta opioid receptor by way of choosing."""
    return {way: row for (task, way), row in rows.items() if task == assay_loop.TASK}


def test_the_first_seeds_come_out_again(delta):
    """Chance exactly; the forest within what another numeric library may change."""
    pool = assay_loop.load()
    for way, tolerance in (("random", 1e-9), ("greedy", 0.05)):
        table = assay_loop.play(pool, way, control=0, seed=0)
        assert table["assayed"].tolist() == delta[way]["assayed"]
        np.testing.assert_allclose(table["share"], delta[way]["share"][0], atol=tolerance)
        assert table["scaffolds"].iloc[-1] == pytest.approx(delta[way]["scaffolds_each"][0], abs=8)


def test_choosing_finds_three_times_the_hits_of_chance(delta):
    """After 12 % of the pool, eight seeds. Chance is known exactly: the share that was assayed.

    The random plays were a little lucky, so that ratios to them are a little lower.
    """
    chance = delta["random"]["assayed"][-1] / delta["random"]["molecules"]
    assert chance == pytest.approx(0.12, abs=0.001)
    assert delta["random"]["found_low"] < chance < delta["random"]["found_high"]
    for way in ("greedy", "UCB", "diverse"):
        assert delta[way]["found"] >= 3 * chance
        assert len(delta[way]["share"]) >= 8
    for way in ("UCB", "diverse"):
        assert delta[way]["times_chance"] >= 3
        assert delta[way]["scaffolds_minus_greedy_low"] > 0
    assert delta["UCB"]["times_chance_low"] > 2.5
    assert delta["uncertain"]["found_high"] < delta["greedy"]["found_low"]


def test_the_other_pools_were_played_by_the_plan(rows):
    """Each by three ways, with as many seeds; choosing beats chance in all of them."""
    for task in assay_loop.OTHERS:
        for way in assay_loop.PLAIN:
            assert len(rows[task, way]["share"]) == len(assay_loop.SEEDS)
        assert rows[task, "greedy"]["found_low"] > rows[task, "random"]["found_high"]


def test_what_was_chosen_is_no_sample_of_the_pool_and_the_control_is(delta):
    """The chosen are stronger than the pool; the control's interval holds the pool's mean."""
    row = delta["greedy, 5 by chance"]
    assert row["measured_low"] > row["pool_mean"] + 0.5
    assert row["control_measured_low"] < row["pool_mean"] < row["control_measured_high"]
    assert row["disappointment"] > 0
    assert row["control_disappointment"] > 0
