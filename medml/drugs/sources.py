"""What other targets' data say about a target's molecules, before any label of the target is seen.

A source task with labels is a Gaussian process with the Tanimoto kernel. Its view of the target's
molecules is a prediction p and the share E of their covariance that it explains; where it has no
similar molecule both are 0.

An average of views takes one source or another, and never adds two opinions up. So the sum of the
random forests of three relatives may stand beside them as one more view. It explains nothing,
E = 0, and says something about every molecule, so that the evidence of a few labels may fail to
refuse it: it is offered only to targets with three relatives, of which one knows their chemistry.
"""

import heapq
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.linalg import cholesky, solve_triangular
from scipy.stats import zscore

from medml.drugs.baselines import random_forest
from medml.drugs.molecules import fingerprints
from medml.drugs.similarity import tanimoto

NOISE = 0.2  # variance of a measurement, in units of the process's variance
FEWEST = 20  # molecules of a source
RELATIVES = 3
NEAR = 0.4  # coverage by the nearest relative


class SourceView(NamedTuple):
    """What a source says about n molecules of the target.

    Attributes
    ----------
    name : str
        The source's task.
    mean : numpy.ndarray of shape (n,)
        Its prediction in pX, from its own mean.
    explained : numpy.ndarray of shape (n, n)
        Covariance that it explains, in units of the process's variance.
    prior : float
        How much it is believed beforehand, relative to other views.
    """

    name: str
    mean: np.ndarray
    explained: np.ndarray
    prior: float = 1.0

    @property
    def coverage(self) -> float:
        """Mean explained share of the variance: 0 for chemistry unknown to it, below 1."""
        return float(self.explained.diagonal().mean())


def view_source(
    name: str, within: np.ndarray, across: np.ndarray, values: np.ndarray
) -> SourceView:
    """Predict n molecules of the target from m labelled molecules of a source.

    p = Kᵀ (S + 0.2 I)⁻¹ y and E = Kᵀ (S + 0.2 I)⁻¹ K, with y the labels minus their mean.

    Parameters
    ----------
    name : str
    within : numpy.ndarray of shape (m, m)
        Kernel S of the source's molecules; the result has its precision.
    across : numpy.ndarray of shape (m, n)
        Kernel K between the source's and the target's molecules.
    values : numpy.ndarray of shape (m,)
        Labels in pX.

    Raises
    ------
    ValueError
        If shapes differ or a label is not a finite number.

    References
    ----------
    Rasmussen CE, Williams CKI (2006) Gaussian Processes for Machine Learning, algorithm 2.1.
    """
    count = len(values)
    if within.shape != (count, count) or len(across) != count:
        shapes = f"{within.shape}, {across.shape} and {count} labels"
        raise ValueError(f"expected kernels (m, m), (m, n) and m labels, got {shapes}")
    if not np.isfinite(values).all():
        raise ValueError(f"source {name!r} has labels that are not finite: leave these rows out")
    factor = cholesky(within + NOISE * np.eye(count, dtype=within.dtype), lower=True)
    centred = (values - np.mean(values)).astype(within.dtype)
    half = solve_triangular(factor, across, lower=True)
    label = solve_triangular(factor, centred, lower=True)
    return SourceView(name, half.T @ label, half.T @ half)


def best_views(source: pd.DataFrame, bits: np.ndarray, keep: int = 10) -> list[SourceView]:
    """Return the views of the sources that know the target's chemistry best.

    They are chosen by coverage, from structures alone: no label of the target is looked at.

    Parameters
    ----------
    source : pandas.DataFrame
        Rows with `task`, `smiles` and `pX`, without overlap (`overlap.drop_overlap`). A task with
        fewer than `FEWEST` rows is passed over.
    bits : numpy.ndarray of 0 and 1, shape (n, bits)
        Fingerprints of all molecules of the target, of radius 2.
    keep : int
        Number of views; each holds n² numbers.

    Returns
    -------
    list of SourceView
        At most `keep`, the highest coverage first.
    """

    def views():
        for name, rows in source.groupby("task", observed=True):
            if len(rows) >= FEWEST:
                known = fingerprints(rows["smiles"], bits=bits.shape[1])
                across = tanimoto(known, bits)
                yield view_source(str(name), tanimoto(known, known), across, rows["pX"].to_numpy())

    return heapq.nlargest(keep, views(), key=lambda view: view.coverage)


def relatives(
    views: Sequence[SourceView], families: Mapping[str, str], family: str
) -> list[SourceView]:
    """Return the three views of a target's relatives that know its chemistry best, or none.

    None are returned if there are fewer than three, or if the first covers less than 0.4. Like
    the choice of views, this asks no label of the target.

    Parameters
    ----------
    views : sequence of SourceView
        The highest coverage first, as `best_views` returns them.
    families : mapping of str to str
        The protein family of each source's task.
    family : str
        That of the target.

    Raises
    ------
    KeyError
        If the family of a view is not known.
    """
    found = [view for view in views if families[view.name] == family][:RELATIVES]
    enough = len(found) == RELATIVES and found[0].coverage >= NEAR
    return found if enough else []


def add_sum(
    views: Sequence[SourceView], source: pd.DataFrame, bits: np.ndarray, names: Sequence[str]
) -> list[SourceView]:
    """Return the views and one more, the sum of several sources' random forests.

    Each forest's predictions are standardised over the target's molecules before they are added,
    and so is the sum: its `mean` is in standard deviations, and b in pX for each of them. It is
    believed as much as all other views together.

    Parameters
    ----------
    views : sequence of SourceView
    source : pandas.DataFrame
        Rows with `task`, `smiles` and `pX`, without overlap (`overlap.drop_overlap`).
    bits : numpy.ndarray of 0 and 1, shape (n, bits)
        Fingerprints of all molecules of the target, of radius 2.
    names : sequence of str
        Tasks of the source that are added up.

    Raises
    ------
    ValueError
        If no task is named, one is not in the source, or its forest says the same of all molecules.
    """
    if not len(names):
        raise ValueError("no source to add up: pass the names of some tasks")
    total = zscore(sum(_forest(source, bits, name) for name in names))
    nothing = np.broadcast_to(0.0, (len(bits), len(bits)))
    weight = sum(view.prior for view in views) or 1.0
    return [*views, SourceView("sum", total, nothing, weight)]


def _forest(source: pd.DataFrame, bits: np.ndarray, name: str) -> np.ndarray:
    """Return what the forest of one source says of the target's molecules, standardised."""
    rows = source[source["task"] == name]
    if rows.empty:
        raise ValueError(f"no task {name!r} in the source: take a name of its column task")
    known = fingerprints(rows["smiles"], bits=bits.shape[1])
    told = random_forest(known, rows["pX"].to_numpy(), bits)
    if np.ptp(told) == 0:
        raise ValueError(f"task {name!r} says the same of all molecules: leave it out")
    return zscore(told)
