"""Experiments too long for a notebook: run once by a script, stored with all that made them."""

import json
import os
from importlib.metadata import version
from pathlib import Path

from medml import MedmlError
from medml.files import sha256, write_text

RESULTS = Path(__file__).parents[2] / "experiments" / "results"


def store(script, rows, *, seed, packages, inputs):
    """Store the results of an experiment as ``experiments/results/NAME.json``, in one step.

    Parameters
    ----------
    script : path
        The script that made the results: pass ``__file__``.
    rows : list of dict
        The results, plain numbers and texts.
    seed : int
        Seed of all that is random.
    packages : list of str
        Packages that the numbers depend on; their versions are stored.
    inputs : list of path
        Data files that were read; their SHA-256 are stored.
    """
    script = Path(script).resolve()
    record = {
        "command": f"python experiments/{script.name}",
        "script_sha256": sha256(script),
        "seed": seed,
        "packages": {name: version(name) for name in packages},
        "inputs": {Path(path).name: sha256(path) for path in inputs},
        "cpu_s": round(sum(os.times()[:4]), 1),  # of this process and of its workers that ended
        "rows": rows,
    }
    write_text(RESULTS / f"{script.stem}.json", json.dumps(record, indent=1) + "\n")


def stored_run(name):
    """Return the stored record of an experiment: its command, seed, inputs and rows.

    Raises
    ------
    MedmlError
        If the experiment has not been run.
    """
    path = RESULTS / f"{name}.json"
    if not path.exists():
        raise MedmlError(f"no stored run of {name!r}; run: python experiments/{name}.py")
    return json.loads(path.read_text("utf-8"))
