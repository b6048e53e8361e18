"""The distances by which SUPPORT2's values slid come out again."""

from importlib import resources

import pandas as pd
from threadpoolctl import threadpool_limits

from experiments import support2_slips
from medml.course import stored_run
from medml.data.records import load_support2


def test_the_runs_come_out_again_and_the_loader_reads_them():
    """Nine of ten rows get the same distance, whatever the library's version."""
    stored = pd.DataFrame(stored_run("support2_slips")["rows"])
    stored = stored[stored["part"] == "run"][["start", "stop", "distance"]].astype(int)
    table = resources.files("medml.data").joinpath("support2_slips.csv")
    pd.testing.assert_frame_equal(pd.read_csv(table), stored)
    with threadpool_limits(1):
        recorded, predicted = support2_slips.predicted_scores(load_support2())
    path = support2_slips.best_distances(recorded, predicted)
    same = sum((path[run.start : run.stop] == run.distance).sum() for run in stored.itertuples())
    assert same >= 0.9 * (stored["stop"] - stored["start"]).sum()
