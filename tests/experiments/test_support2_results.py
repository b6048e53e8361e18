"""The distances by which SUPPORT2's values slid come out again, and chance does not find them."""

from importlib import resources

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from experiments import support2_slips
from medml.course import stored_run
from medml.data.records import load_support2


@pytest.fixture(scope="module")
def stored():
    """The rows of the stored run."""
    return pd.DataFrame(stored_run("support2_slips")["rows"])


@pytest.fixture(scope="module")
def scores():
    """The scores of the second phase, recorded and predicted."""
    with threadpool_limits(1):
        return support2_slips.predicted_scores(load_support2())


def test_the_runs_come_out_again_and_the_loader_reads_them(stored, scores):
    """Nine of ten rows get the same distance, whatever the library's version."""
    runs = stored[stored["part"] == "run"][["start", "stop", "distance"]].astype(int)
    table = resources.files("medml.data").joinpath("support2_slips.csv")
    pd.testing.assert_frame_equal(pd.read_csv(table), runs)
    path = support2_slips.best_distances(*scores)
    same = sum((path[run.start : run.stop] == run.distance).sum() for run in runs.itertuples())
    assert same >= 0.9 * (runs["stop"] - runs["start"]).sum()


def test_chance_believes_few_rows_and_no_long_run(stored, scores, monkeypatch):
    """Three shuffled files of the stored twenty: a few hundred rows, none of them in a long run."""
    monkeypatch.setattr(support2_slips, "DRAWS", 3)
    lengths = [len(here) for here, _ in support2_slips.chance(*scores)]
    extent = stored[stored["part"] == "extent"].set_index("search")
    assert sum(lengths) / 3 < 0.1 * extent.loc["the file", "rows"]
    assert max(lengths) <= support2_slips.SHORT < extent.loc["the file", "longest"]
    assert extent.loc["shuffled files", "rows"] == pytest.approx(sum(lengths) / 3, rel=0.5)


def test_traits_judge_the_distances_and_death_cannot(stored):
    """Moved values tell traits as in the first phase; chance tells of death, and of no trait."""
    records = load_support2()
    judged = stored[stored["part"] == "judge"].set_index(["trait", "value"])
    found = stored[stored["part"] == "run"][["start", "stop", "distance"]].astype(int)
    nobody = [(np.arange(4804), np.arange(4804))]
    again = support2_slips.judge(records, found.to_dict("records"), nobody)
    again = pd.DataFrame(again).set_index(["trait", "value"])
    ways = ["first phase", "as filed", "moved", "moved, short runs"]
    pd.testing.assert_frame_equal(again[ways], judged[ways], atol=1e-9)
    gap = (judged["moved"] - judged["first phase"]).abs()
    assert gap.max() < 0.05
    by_chance = (judged["chance"] - 0.5).abs()
    assert by_chance.drop("death in hospital", level="trait").max() < 0.06
    assert by_chance["death in hospital"].min() > 0.1
