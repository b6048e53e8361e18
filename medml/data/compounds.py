"""Small molecules: measured activities at 30 targets, and a library of 1.9 million to screen.

A task is one protein with one read-out, such as "CHEMBL236_Ki"; two tasks can share a protein.
"""

from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd

from medml.data.catalogue import dataset, locate


def load_targets() -> pd.DataFrame:
    """Return what each task measures, as a table indexed by the name of the task.

    Returns
    -------
    pandas.DataFrame of shape (30, 5)
        `target`, the ChEMBL identifier of the human protein; `readout`, "Ki" (how well a molecule
        binds) or "EC50" (how well it acts); `name`; `gene`; `family` of the protein.

    Examples
    --------
    >>> load_targets().loc["CHEMBL236_Ki", "name"]
    'delta opioid receptor'
    """
    with resources.files("medml.data").joinpath("chembl_targets.csv").open() as file:
        proteins = pd.read_csv(file)
    tasks = [file.name.removesuffix(".csv") for file in dataset("activities").files]
    table = pd.DataFrame([[task, *task.split("_")] for task in tasks])
    table.columns = ["task", "target", "readout"]
    return table.merge(proteins, on="target", how="left", validate="many_to_one").set_index("task")


def load_activities(*tasks: str) -> pd.DataFrame:
    """Return the measured activities of the named tasks, or of all 30.

    Parameters
    ----------
    *tasks : str
        Names from the index of `load_targets`; without any, all.

    Returns
    -------
    pandas.DataFrame
        One row = one molecule in one task: `task`; `smiles`; `nanomolar`, the Ki or EC50 in nM;
        `pX` = 9 − log10(nanomolar), one unit more is ten times stronger; `cliff`, True if a
        similar molecule of the task is more than ten times stronger or weaker; `authors_test`,
        True in the test part of the authors' own split, which shares scaffolds with training.

    Raises
    ------
    ValueError
        If a task is unknown.
    DataError
        If a file is missing or damaged.

    References
    ----------
    van Tilborg D, Alenicheva A, Grisoni F (2022), doi:10.1021/acs.jcim.2c01073.

    Examples
    --------
    >>> len(load_activities("CHEMBL236_Ki", "CHEMBL1862_Ki"))
    3392
    """
    known = list(load_targets().index)
    unknown = [task for task in tasks if task not in known]
    if unknown:
        raise ValueError(f"unknown task {unknown[0]!r}, expected one of {', '.join(known)}")
    parts = [_read(task) for task in tasks or known]
    return pd.concat(parts, ignore_index=True).astype({"task": "category"})


def _read(task: str) -> pd.DataFrame:
    """Read the table of one task."""
    raw = pd.read_csv(locate("activities", f"{task}.csv"))
    nanomolar = raw["exp_mean [nM]"]
    return pd.DataFrame(
        {
            "task": task,
            "smiles": raw["smiles"],
            "nanomolar": nanomolar,
            "pX": 9 - np.log10(nanomolar),
            "cliff": raw["cliff_mol"].astype(bool),
            "authors_test": raw["split"] == "test",
        }
    )


def library_paths() -> list[Path]:
    """Return the three gzipped tables of 1,936,962 ZINC molecules, one column `SMILES` each.

    In the order of the catalogue: train, test, test_scaffolds. Nothing was measured for them.

    Raises
    ------
    DataError
        If a file is missing or damaged.

    References
    ----------
    Polykovskiy D et al. (2020), doi:10.3389/fphar.2020.565644.
    """
    return [locate("zinc", file.name) for file in dataset("zinc").files]
