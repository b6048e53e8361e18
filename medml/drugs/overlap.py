"""What a source shares with a target: leakage that looks like transfer."""

import pandas as pd

from medml.drugs.molecules import skeleton
from medml.drugs.splits import scaffold


def drop_overlap(
    source: pd.DataFrame, target: pd.DataFrame, scaffolds: bool = False
) -> pd.DataFrame:
    """Return the source without anything that tells about the target's molecules or protein.

    Dropped are all tasks that measure a protein of the target, under whatever read-out, and all
    forms of every molecule of the target, labelled or not (`molecules.skeleton`).

    Parameters
    ----------
    source, target : pandas.DataFrame
        Rows with `task` ("PROTEIN_READOUT") and `smiles`, as `compounds.load_activities` gives
        them. The target's rows should include its test molecules.
    scaffolds : bool
        Drop also what shares a scaffold with the target. Molecules without rings have none.

    Returns
    -------
    pandas.DataFrame
        Some rows of `source`, in their order.

    Raises
    ------
    ValueError
        If a column is missing, a SMILES is refused, or nothing is left.
    """
    for name, table in (("source", source), ("target", target)):
        missing = {"task", "smiles"} - set(table.columns)
        if missing:
            raise ValueError(f"the {name} has no column {sorted(missing)[0]!r}")
    proteins = set(_protein(target["task"]))
    left = source[~_protein(source["task"]).isin(proteins)]
    left = left[~left["smiles"].map(skeleton).isin(set(target["smiles"].map(skeleton)))]
    if scaffolds:
        known = set(target["smiles"].map(scaffold)) - {""}
        left = left[~left["smiles"].map(scaffold).isin(known)]
    if left.empty:
        raise ValueError("nothing is left of the source: all of it overlaps with the target")
    return left


def _protein(tasks: pd.Series) -> pd.Series:
    """Return the protein of each task: its name without the read-out."""
    return tasks.astype(str).str.rsplit("_", n=1).str[0]
