"""From several opinions to one label: rules, the draw of one reader, and Dawid and Skene's model.

A table of ratings is that of `medml.data.readers`. Every label made here is an opinion of readers,
not pathology: no rule and no model can find an error that all of them share.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import logsumexp

from medml.data.readers import as_table


def consensus(table: ArrayLike, rule: str = "median", cut: float = 3) -> pd.Series:
    """Make one label an item: 1 above the cut, 0 below, NaN where the rule cannot decide.

    Parameters
    ----------
    table : DataFrame or array_like of shape (items, readings)
    rule : {"median", "majority", "unanimous", "any"}
        - median: on which side of the cut the median rating lies;
        - majority: whether more ratings lie above or below; those on the cut abstain;
        - unanimous: only if all ratings lie on one side;
        - any: 1 if a single rating lies above, 0 if none does and one lies below.
    cut : float
        The rating that takes no side: 3, "indeterminate", in LIDC-IDRI.

    Raises
    ------
    ValueError
        If the rule is unknown.

    Examples
    --------
    >>> ratings = [[1, 2, 4], [3, 3, 5], [4, 5, 5]]
    >>> {rule: consensus(ratings, rule).tolist() for rule in ("median", "any", "unanimous")}
    {'median': [0.0, nan, 1.0], 'any': [1.0, 1.0, 1.0], 'unanimous': [nan, nan, 1.0]}
    """
    table = as_table(table)
    above, below = (table > cut).sum(axis=1), (table < cut).sum(axis=1)
    given = table.notna().sum(axis=1)
    sides = {
        "median": np.sign(table.median(axis=1) - cut),
        "majority": np.sign(above - below),
        "unanimous": (above == given).astype(int) - (below == given),
        "any": np.where(above > 0, 1, -np.sign(below)),
    }
    if rule not in sides:
        raise ValueError(f"unknown rule {rule!r}; expected one of {list(sides)}")
    side = pd.Series(sides[rule], index=table.index, dtype=float)
    return (side + 1).div(2).where((side != 0) & (given > 0))


def one_reading(table: ArrayLike, generator: np.random.Generator) -> pd.Series:
    """Draw one of each item's ratings at random, as if one reader had done the labelling.

    Parameters
    ----------
    table : DataFrame or array_like of shape (items, readings)
    generator : numpy.random.Generator

    Returns
    -------
    Series of float
        One rating an item; NaN if it has none.

    Examples
    --------
    >>> one_reading([[np.nan, 2], [5, np.nan]], np.random.default_rng(0)).tolist()
    [2.0, 5.0]
    """
    table = as_table(table)
    lots = np.where(table.notna(), generator.random(table.shape), -1)
    drawn = table.to_numpy()[np.arange(len(table)), lots.argmax(axis=1)]
    return pd.Series(drawn, index=table.index)


class ReaderModel(NamedTuple):
    """What `dawid_skene` estimates, for K classes.

    Attributes
    ----------
    classes : array of shape (K,)
        The ratings, sorted.
    prevalence : array of shape (K,)
        Share of the items in each class.
    confusion : array of shape (readers, K, K)
        ``confusion[r, k, l]``: share of class k that reader r calls l. One matrix if shared.
    posterior : array of shape (items, K)
        Probability of each class, item by item.
    objective : array of shape (iterations,)
        Log-likelihood plus the log-density of the pseudo-counts; EM never lets it fall.
    converged : bool
        Whether it rose by less than the tolerance in the end.
    """

    classes: np.ndarray
    prevalence: np.ndarray
    confusion: np.ndarray
    posterior: np.ndarray
    objective: np.ndarray
    converged: bool


def dawid_skene(
    table: ArrayLike,
    *,
    shared: bool = False,
    classes: ArrayLike | None = None,
    pseudo_count: float = 1.0,
    tolerance: float = 1e-4,
    most_iterations: int = 2000,
) -> ReaderModel:
    """Estimate the truth and the readers' confusion matrices together, by the EM algorithm.

    The model: each item has a true class that nobody sees, each reader a confusion matrix, and
    given the truth the readers err independently. A shared error breaks it.

    Start from each item's share of votes, then repeat: estimate prevalence and confusion matrices
    as if the posterior were the truth (M), then the posterior by Bayes' rule as if they were
    right (E):  posterior(i, k) ∝ prevalence(k) Π confusion(r, k, rating of r for i).

    Parameters
    ----------
    table : DataFrame or array_like of shape (items, readers)
        Ratings, NaN where a reader did not read. Without ``shared``, a column is one reader.
    shared : bool
        One confusion matrix for all readings: the only choice when readers have no identity, as
        in LIDC-IDRI, where the order of the columns means nothing.
    classes : array_like, optional
        The classes; default: the ratings that occur.
    pseudo_count : float
        Weight of a uniform row that is added to each row of each matrix and to the prevalence.
        A reader with no rating gets uniform rows, one with a single rating nearly so.
    tolerance : float
        Stop when the objective rises by less.
    most_iterations : int

    Returns
    -------
    ReaderModel
        An item without ratings has the prevalence as its posterior. If most readers are worse
        than chance, the classes come out exchanged: the data cannot tell.

    Raises
    ------
    ValueError
        If there are fewer than two classes or readings a table, a rating is not among the
        classes, or the pseudo-count is not positive.

    References
    ----------
    Dawid AP, Skene AM (1979), doi:10.2307/2346806.

    Examples
    --------
    >>> model = dawid_skene([[0, 0, 0], [0, 0, 1], [1, 1, 1], [1, 1, 0]] * 10)
    >>> model.posterior[:4].argmax(axis=1).tolist()
    [0, 0, 1, 1]
    """
    classes, said = _votes(table, classes, pseudo_count)
    if shared:
        said = said.sum(axis=1, keepdims=True)
    size = len(classes)
    posterior = _shares(said.sum(axis=1) + 1e-9)
    objective, converged = [], False
    while not converged and len(objective) < most_iterations:
        prevalence = _shares(posterior.sum(axis=0) + pseudo_count / size)
        counts = np.einsum("ik,irl->rkl", posterior, said)
        confusion = _shares(counts + pseudo_count / size)
        joint = np.log(prevalence) + np.einsum("irl,rkl->ik", said, np.log(confusion))
        evidence = logsumexp(joint, axis=1)
        posterior = np.exp(joint - evidence[:, None])
        prior = np.log(prevalence).sum() + np.log(confusion).sum()
        objective.append(evidence.sum() + pseudo_count / size * prior)
        converged = len(objective) > 1 and objective[-1] - objective[-2] < tolerance
    return ReaderModel(classes, prevalence, confusion, posterior, np.array(objective), converged)


def plant_ratings(
    truth: ArrayLike, confusion: ArrayLike, generator: np.random.Generator
) -> np.ndarray:
    """Invent ratings of readers whose confusion matrices are known.

    Parameters
    ----------
    truth : array_like of int, shape (items,)
        True class of each item, 0 to K - 1.
    confusion : array_like of shape (readers, K, K)
        Rows sum to one.
    generator : numpy.random.Generator

    Returns
    -------
    array of float, shape (items, readers)
        Ratings 0 to K - 1; given the truth, readers err independently.

    Raises
    ------
    ValueError
        If a row of a matrix is no distribution.
    """
    confusion = np.asarray(confusion, dtype=float)
    rows = confusion.sum(axis=-1)
    if confusion.ndim != 3 or (confusion < 0).any() or not np.allclose(rows, 1):
        raise ValueError(f"expected (readers, K, K) with rows that sum to 1, got sums {rows}")
    steps = confusion[:, np.asarray(truth)].cumsum(axis=2)[..., :-1]
    lots = generator.random(steps.shape[:2])
    return (lots[..., None] > steps).sum(axis=2).T.astype(float)


def _shares(counts):
    return counts / counts.sum(axis=-1, keepdims=True)


def _votes(table, classes, pseudo_count):
    """Return the classes and the votes, (items, readers, K), 1 where a reader said a class."""
    table = np.asarray(table, dtype=float)
    if table.ndim != 2 or table.shape[1] < 2:
        raise ValueError(f"expected items × two or more readings, got shape {table.shape}")
    if not pseudo_count > 0:
        raise ValueError(f"pseudo_count {pseudo_count}: expected more than 0")
    given = np.unique(table[~np.isnan(table)])
    classes = given if classes is None else np.unique(np.asarray(classes, dtype=float))
    if len(classes) < 2:
        raise ValueError(f"expected at least two classes, got {classes.tolist()}")
    if unknown := sorted(set(given) - set(classes)):
        raise ValueError(f"rating {unknown[0]} is not among the classes {classes.tolist()}")
    return classes, (table[..., None] == classes).astype(float)
