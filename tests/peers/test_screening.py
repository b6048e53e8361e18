"""The chunk function on a Dask cluster: two worker processes, one of them killed on the way."""

import os
import signal
import threading
import time

import numpy as np
import pandas as pd
import pytest
from distributed import Client, LocalCluster
from sklearn.linear_model import Ridge

from medml.data.compounds import library_paths
from medml.data.smiles import sample_smiles
from medml.drugs.screening import screen


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """20,000 molecules and two lines that are none."""
    path = tmp_path_factory.mktemp("library") / "a.smi"
    lines = sample_smiles(library_paths()[1], 20_000, seed=0)
    lines[5], lines[15_000] = "nonsense", ""
    path.write_text("\n".join(lines))
    return path


@pytest.fixture
def client():
    """A cluster of two worker processes on this machine, without its web page."""
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        with Client(cluster) as client:
            yield client


def test_a_cluster_that_loses_a_worker_finds_the_same_as_this_process(library, client, tmp_path):
    """A worker is killed after the first checkpoint; another does its chunks again."""
    model = Ridge().fit(np.eye(50, 2048), np.arange(50.0))
    how = {"top_k": 100, "chunk": 250}
    victim = next(iter(client.run(os.getpid).values()))
    killed = threading.Event()

    def kill():
        while not (tmp_path / "run" / "checkpoint.json").exists():
            time.sleep(0.005)
        os.kill(victim, signal.SIGKILL)
        killed.set()

    threading.Thread(target=kill, daemon=True).start()
    found = screen(library, model, client=client, folder=tmp_path / "run", **how)
    assert killed.is_set()
    assert victim not in client.run(os.getpid).values()
    expected = screen(library, model, processes=1, **how)
    pd.testing.assert_frame_equal(found.hits, expected.hits)
    pd.testing.assert_frame_equal(found.log, expected.log)
    assert (found.molecules, found.skipped) == (expected.molecules, 2) == (19_998, 2)
