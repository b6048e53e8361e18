"""Families of molecules: scaffolds, clusters, and splits that keep a family on one side."""

import functools
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from rdkit import Chem
from rdkit.Chem.Scaffolds import MurckoScaffold
from rdkit.ML.Cluster import Butina

from medml.drugs.molecules import parse
from medml.drugs.similarity import tanimoto


@functools.lru_cache(maxsize=100_000)  # asked again for each target
def scaffold(smiles: str) -> str:
    """Return the Bemis-Murcko scaffold: the rings and what links them, without stereochemistry.

    Parameters
    ----------
    smiles : str

    Returns
    -------
    str
        Canonical SMILES, empty for a molecule without rings.

    Raises
    ------
    ValueError
        If `molecules.parse` refuses it.

    References
    ----------
    Bemis GW, Murcko MA (1996) The properties of known drugs. 1. Molecular frameworks,
    doi:10.1021/jm9602928.

    Examples
    --------
    >>> scaffold("CC(=O)Nc1ccc(cc1)C(C)C2CC2")
    'c1ccc(CC2CC2)cc1'
    """
    core = MurckoScaffold.GetScaffoldForMol(parse(smiles))
    return Chem.MolToSmiles(core, isomericSmiles=False)


def clusters(fingerprints: np.ndarray, similarity: float = 0.6) -> np.ndarray:
    """Group molecules by Butina's algorithm: the one with most neighbours takes them all, repeat.

    Members are at least `similarity` like their centre. Members of two clusters can still be more
    alike than that: read a score on held-out clusters beside the similarity that is left.

    Parameters
    ----------
    fingerprints : numpy.ndarray of 0 and 1, shape (n, bits)
    similarity : float
        Tanimoto, between 0 and 1. Memory grows with n²: 5,000 molecules take about 1 GB.

    Returns
    -------
    numpy.ndarray of int, shape (n,)
        The cluster of each molecule, 0 is the largest.

    References
    ----------
    Butina D (1999), doi:10.1021/ci9803381.
    """
    if not 0 < similarity <= 1:
        raise ValueError(f"expected a similarity above 0 and at most 1, got {similarity}")
    count = len(fingerprints)
    lower = np.tril_indices(count, -1)
    distances = (1 - tanimoto(fingerprints, fingerprints))[lower].tolist()
    found = Butina.ClusterData(distances, count, 1 - similarity, isDistData=True, reordering=True)
    cluster = np.empty(count, int)
    for number, members in enumerate(sorted(found, key=len, reverse=True)):
        cluster[list(members)] = number
    return cluster


def hold_out(groups: Sequence | ArrayLike, share: float, seed: int) -> np.ndarray:
    """Choose whole groups at random for testing, until they hold a share of the molecules.

    Parameters
    ----------
    groups : sequence of n
        The group of each molecule: scaffolds or clusters.
    share : float
        Wanted share of test molecules; a group that would go beyond it is passed over.
    seed : int

    Returns
    -------
    numpy.ndarray of bool, shape (n,)
        True for a test molecule.

    Raises
    ------
    ValueError
        If the share is not between 0 and 1, or no group is small enough for it.

    Examples
    --------
    >>> hold_out(["a", "b", "b", "a"], 0.5, seed=0).sum()
    np.int64(2)
    """
    if not 0 < share < 1:
        raise ValueError(f"expected a share between 0 and 1, got {share}")
    _, group = np.unique(np.asarray(groups), return_inverse=True)
    sizes = np.bincount(group)
    room = share * len(group)
    chosen = np.zeros(len(sizes), bool)
    for number in np.random.default_rng(seed).permutation(len(sizes)):
        if sizes[number] <= room:
            chosen[number] = True
            room -= sizes[number]
    if not chosen.any():
        msg = f"none of {len(sizes)} groups fits into {share:.0%} of {len(group)}: use smaller ones"
        raise ValueError(msg)
    return chosen[group]
