"""What is asked of the hits alone, as it is too slow for a library: domain, alerts, families."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from medml.drugs.molecules import fingerprints
from medml.drugs.ranking import Hit
from medml.drugs.similarity import tanimoto
from medml.drugs.triage import triage

ALIKE = 0.6  # Tanimoto from which two molecules are of one family
_BLOCK = 500


def review(
    hits: Sequence[Hit], training: np.ndarray | None = None, bits: int = 2048, radius: int = 2
) -> pd.DataFrame:
    """Return the hits as a table, with what a chemist would ask of each.

    Parameters
    ----------
    hits : sequence of Hit
        The best first.
    training : numpy.ndarray of 0 and 1, shape (n, bits), optional
        Fingerprints of the molecules that taught the model.
    bits, radius : int
        As in `molecules.fingerprints`.

    Returns
    -------
    pandas.DataFrame
        Indexed by `rank` from 1: `score`; `smiles`, `file` and `line` as they stand in the
        library; `molecule`, what was scored; `pains`, `brenk`, `qed` and `scaffold` (see
        `triage.triage`); `family` (see `families`): the first of each family is a diverse choice.
        With `training` also `similarity`, to the nearest molecule that taught the model, and
        `in_domain`, whether that is at least `domain_edge`.

    Raises
    ------
    ValueError
        If the training fingerprints have another number of bits.
    """
    table = pd.DataFrame(hits, columns=Hit._fields)
    table.index = pd.RangeIndex(1, len(table) + 1, name="rank")
    rows = fingerprints(table["molecule"], radius, bits)
    if training is not None:
        table["similarity"] = nearest(rows, training)
        table["in_domain"] = table["similarity"] >= domain_edge(training)
    asked = triage(table["molecule"]).drop(columns="smiles").set_index(table.index)
    return table.join(asked).assign(family=families(rows))


def nearest(molecules: np.ndarray, training: np.ndarray, place: int = 1) -> np.ndarray:
    """Return the similarity of each molecule to its nearest in a training set.

    Parameters
    ----------
    molecules, training : numpy.ndarray of 0 and 1, shapes (n, bits) and (m, bits)
    place : int
        1 for the nearest, 2 for the second nearest, which is the nearest other molecule when the
        molecules are the training set itself.

    Returns
    -------
    numpy.ndarray of float32, shape (n,)
        Tanimoto; memory is bounded, however many molecules there are.

    Raises
    ------
    ValueError
        If the training set has fewer than `place` molecules, or other bits.
    """
    if len(training) < place:
        raise ValueError(f"expected at least {place} training molecules, got {len(training)}")
    best = np.empty(len(molecules), np.float32)
    for start in range(0, len(molecules), _BLOCK):
        rows = slice(start, start + _BLOCK)
        best[rows] = np.partition(tanimoto(molecules[rows], training), -place, axis=1)[:, -place]
    return best


def domain_edge(training: np.ndarray) -> float:
    """Return the similarity below which a molecule is strange to a model.

    It is the 5 % quantile of the training molecules' own similarity to their nearest other: a
    molecule below it lies further out than 19 in 20 of those that taught the model. That is a
    convention, not a proof that predictions are right inside.

    Parameters
    ----------
    training : numpy.ndarray of 0 and 1, shape (n, bits)
        At least two.

    References
    ----------
    Sheridan RP et al. (2004) Similarity to molecules in the training set is a good discriminator
    for prediction accuracy in QSAR, doi:10.1021/ci049782w.
    """
    return float(np.quantile(nearest(training, training, place=2), 0.05))


def families(ranked: np.ndarray, similarity: float = ALIKE, most: int | None = None) -> np.ndarray:
    """Group ranked molecules: the best one that is left leads a family of all that are like it.

    Parameters
    ----------
    ranked : numpy.ndarray of 0 and 1, shape (n, bits)
        Fingerprints, the best molecule first.
    similarity : float
        Tanimoto to the leader from which a molecule belongs to the family, above 0.
    most : int, optional
        Stop after so many families.

    Returns
    -------
    numpy.ndarray of int, shape (n,)
        The family of each molecule, from 0; −1 for a molecule that was not reached. The leaders
        are the first of each family, and no two are alike.

    Raises
    ------
    ValueError
        If the similarity is not above 0 and at most 1.

    Examples
    --------
    >>> families(np.array([[1, 1, 0, 0], [0, 0, 1, 1], [1, 1, 1, 0]])).tolist()
    [0, 1, 0]
    """
    if not 0 < similarity <= 1:
        raise ValueError(f"expected a similarity above 0 and at most 1, got {similarity}")
    family = np.full(len(ranked), -1)
    left = np.arange(len(ranked))
    number = 0
    while len(left) and number != most:
        alike = tanimoto(ranked[left[:1]], ranked[left])[0] >= similarity
        family[left[alike]] = number
        left = left[~alike]
        number += 1
    return family
