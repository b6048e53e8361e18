"""Stored results are those of the script, seed and data beside them."""

import json
from pathlib import Path

import numpy as np
import pytest

from experiments import chance_genes
from medml.course import stored_run
from medml.course.experiment import RESULTS
from medml.data.catalogue import dataset, names
from medml.data.genes import load_nci60
from medml.files import sha256

STORED = sorted(RESULTS.glob("*.json"))
CATALOGUED = {file.name: file.checksum for name in names() for file in dataset(name).files}
# A policy that one experiment trained is the input of another.
CATALOGUED |= {path.name: f"sha256:{sha256(path)}" for path in RESULTS.rglob("*.pt")}


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_a_result_names_its_script_seed_and_inputs(path):
    """An edited script or other data make a stored number worthless: run it again."""
    record = json.loads(path.read_text("utf-8"))
    script = Path(RESULTS.parent, f"{path.stem}.py")
    assert record["command"] == f"python experiments/{script.name}"
    assert record["script_sha256"] == sha256(script), f"edited since: run {record['command']}"
    assert isinstance(record["seed"], int)
    assert record["cpu_s"] > 0
    assert record["packages"]
    for name, digest in record["inputs"].items():
        assert CATALOGUED[name] == f"sha256:{digest}"


def test_every_script_has_its_result():
    """And every result its script."""
    scripts = {path.stem for path in RESULTS.parent.glob("*.py")}
    assert {path.stem for path in STORED} == scripts


# In a small draw a gene may be constant within a fold; it is then never selected.
@pytest.mark.filterwarnings("ignore:Features:UserWarning", "ignore:invalid value:RuntimeWarning")
def test_the_first_draws_of_chance_genes_come_out_again():
    """Five draws of each setting; the means rest on a thousand such draws."""
    values = load_nci60().values
    for row in stored_run("chance_genes")["rows"]:
        for draw, stored in enumerate(row["first_draws"]):
            fresh = chance_genes.one_draw(values, row["samples"], row["genes"], draw)
            np.testing.assert_allclose(fresh, stored, atol=1e-9)
