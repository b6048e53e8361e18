"""An experiment is stored with all that made it, in one step."""

import pytest

from medml import MedmlError
from medml.course import experiment
from medml.files import sha256


def test_a_result_is_stored_and_read_back(tmp_path, monkeypatch):
    """Command, hash of the script, seed, versions, inputs and rows."""
    monkeypatch.setattr(experiment, "RESULTS", tmp_path / "results")
    script, data = tmp_path / "draws.py", tmp_path / "data.csv"
    script.write_text("print()", encoding="utf-8")
    data.write_text("1", encoding="utf-8")
    experiment.store(script, [{"x": 1.5}], seed=3, packages=["numpy"], inputs=[data])
    record = experiment.stored_run("draws")
    assert record["command"] == "python experiments/draws.py"
    assert record["script_sha256"] == sha256(script)
    assert record["inputs"] == {"data.csv": sha256(data)}
    assert (record["seed"], record["rows"]) == (3, [{"x": 1.5}])
    assert set(record["packages"]) == {"numpy"}


def test_a_run_that_is_not_stored_names_its_command():
    """The reader can run it."""
    with pytest.raises(MedmlError, match=r"run: python experiments/no_such_run\.py"):
        experiment.stored_run("no_such_run")
