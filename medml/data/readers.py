"""Readers who disagree: how far they agree, with each other and with the rest.

A table of ratings has one row an item, such as a nodule, and one column a reading; a missing
reading is NaN. In LIDC-IDRI nobody knows who a reader is, so the columns have no meaning there: a
pair of columns is not a pair of people, and agreement runs over all ordered pairs of an item's
readings. A rating is an opinion, not pathology.
"""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

# What a disagreement of so many points costs.
COSTS = {
    "nominal": lambda gap: (gap != 0).astype(float),
    "linear": np.abs,
    "quadratic": np.square,
}
LEVELS = ("nominal", "ordinal", "interval")


def rating_table(items: ArrayLike, ratings: ArrayLike) -> pd.DataFrame:
    """Turn a list of readings into a table of ratings.

    Parameters
    ----------
    items : array_like of shape (readings,)
        The item of each reading.
    ratings : array_like of shape (readings,)
        The rating; NaN if the reader gave none.

    Returns
    -------
    DataFrame
        One row an item (sorted), columns 1 to the most readings that an item has, NaN behind the
        last. The columns count readings; they do not name readers.

    Raises
    ------
    ValueError
        If the two differ in length.

    Examples
    --------
    >>> rating_table(["a", "b", "a"], [3, 5, 4]).to_numpy().tolist()
    [[3.0, 4.0], [5.0, nan]]
    """
    items, ratings = np.asarray(items), np.asarray(ratings, dtype=float)
    if len(items) != len(ratings):
        raise ValueError(f"{len(items)} items, but {len(ratings)} ratings; each needs the other")
    long = pd.DataFrame({"item": items, "rating": ratings})
    long["reading"] = long.groupby("item").cumcount() + 1
    return long.pivot(index="item", columns="reading", values="rating")


def ordered_pairs(table: ArrayLike) -> pd.DataFrame:
    """Return every ordered pair of ratings of the same item.

    An item with m ratings has m (m - 1) pairs: each two readings come once in either order, so it
    does not matter which of two nameless readers is called the first.

    Parameters
    ----------
    table : DataFrame or array_like of shape (items, readings)

    Returns
    -------
    DataFrame
        Indexed by item: `first` and `second`. An item with one rating has no pair.

    Examples
    --------
    >>> ordered_pairs([[1, 4], [2, np.nan]]).to_numpy().tolist()
    [[1.0, 4.0], [4.0, 1.0]]
    """
    table = as_table(table)
    values, readings = table.to_numpy(), table.shape[1]
    first, second = np.nonzero(~np.eye(readings, dtype=bool))
    pairs = pd.DataFrame(
        {"first": values[:, first].ravel(), "second": values[:, second].ravel()},
        index=table.index.repeat(len(first)),
    )
    return pairs.dropna()


def kappa(first: ArrayLike, second: ArrayLike, cost: str = "nominal") -> float:
    """Return Cohen's κ: the part of the disagreement expected by chance that does not happen.

    κ = 1 - Σ d(a, b) O(a, b) / Σ d(a, b) E(a, b), where O is the share of pairs rated a and b, E
    the product of the shares of a among the first and of b among the second ratings, and d the
    cost of a disagreement: 1 for any (nominal), ``|a - b|`` (linear) or (a - b)² (quadratic).

    Parameters
    ----------
    first, second : array_like of shape (pairs,)
        Two ratings of each item, such as the columns of `ordered_pairs`.
    cost : {"nominal", "linear", "quadratic"}

    Returns
    -------
    float
        1 is full agreement, 0 what chance gives; NaN, "undefined", if all ratings are the same:
        chance alone agrees then.

    Raises
    ------
    ValueError
        If there is no pair, a rating is missing, the lengths differ or the cost is unknown.

    References
    ----------
    Cohen J (1960), doi:10.1177/001316446002000104; with costs, Cohen J (1968),
    doi:10.1037/h0026256.

    Examples
    --------
    >>> kappa([1, 1, 2, 2], [1, 1, 2, 1])
    0.5
    """
    first, second = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if first.shape != second.shape or first.ndim != 1 or not len(first):
        raise ValueError(f"expected pairs, got ratings of shapes {first.shape} and {second.shape}")
    if np.isnan([first, second]).any():
        raise ValueError("a rating is missing; leave such pairs out, as ordered_pairs does")
    if cost not in COSTS:
        raise ValueError(f"unknown cost {cost!r}; expected one of {list(COSTS)}")
    values, codes = np.unique([first, second], return_inverse=True)
    size = len(values)
    a, b = codes.reshape(2, -1)
    observed = np.bincount(a * size + b, minlength=size**2).reshape(size, size) / len(first)
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0))
    costs = COSTS[cost](values[:, None] - values)
    by_chance = (costs * expected).sum()
    return float(1 - (costs * observed).sum() / by_chance) if by_chance > 0 else float("nan")


def krippendorff_alpha(table: ArrayLike, level: str = "ordinal") -> float:
    """Return Krippendorff's α, which allows for missing ratings and a small sample.

    α = 1 - (n - 1) Σ o(c, k) δ(c, k) / Σ n(c) n(k) δ(c, k). The coincidences o count each ordered
    pair of an item with m ratings 1 / (m - 1) times, so that every rating has the same weight;
    n(c) = Σ o(c, k), n = Σ n(c). The distance δ is 1 (nominal), (c - k)² (interval), or the square
    of the ratings that lie between c and k, half of their own counted (ordinal).

    With m ratings of every item, (1 - α) = (1 - κ) (n - 1) / n for κ over all ordered pairs.

    Parameters
    ----------
    table : DataFrame or array_like of shape (items, readings)
    level : {"nominal", "ordinal", "interval"}

    Returns
    -------
    float
        1 is full agreement, 0 what chance gives; NaN, "undefined", if all ratings are the same.

    Raises
    ------
    ValueError
        If no item has two ratings or the level is unknown.

    References
    ----------
    Hayes AF, Krippendorff K (2007), doi:10.1080/19312450709336664.

    Examples
    --------
    >>> round(krippendorff_alpha([[1, 1], [2, 2], [1, 2], [3, np.nan]], "nominal"), 3)
    0.444
    """
    if level not in LEVELS:
        raise ValueError(f"unknown level {level!r}; expected one of {LEVELS}")
    pairs = ordered_pairs(table)
    if pairs.empty:
        raise ValueError("no item has two ratings: nothing can agree or disagree")
    ratings = as_table(table).notna().sum(axis=1)
    weight = 1 / (ratings[ratings > 1] - 1)
    weight = np.repeat(weight, (ratings * (ratings - 1))[ratings > 1])
    values, codes = np.unique(pairs.to_numpy().T, return_inverse=True)
    size = len(values)
    a, b = codes.reshape(2, -1)
    coincidences = np.bincount(a * size + b, weight, size**2).reshape(size, size)
    count = coincidences.sum(axis=1)
    if level == "ordinal":
        middle = np.cumsum(count) - count / 2
        distance = np.square(middle[:, None] - middle)
    else:
        cost = COSTS["nominal" if level == "nominal" else "quadratic"]
        distance = cost(values[:, None] - values)
    by_chance = (np.outer(count, count) * distance).sum() / (count.sum() - 1)
    return float(1 - (coincidences * distance).sum() / by_chance) if by_chance > 0 else np.nan


def against_the_others(table: ArrayLike) -> pd.DataFrame:
    """Set each rating beside the median of the item's OTHER ratings.

    Whoever is judged must not help to make the label, nor to choose the cohort: select rows by
    `others` alone. Otherwise a reader is compared with himself.

    Parameters
    ----------
    table : DataFrame or array_like of shape (items, readings)

    Returns
    -------
    DataFrame
        Indexed by item, one row a rating: `rating`, `others` (median) and `readers` (how many
        others). An item with one rating has no row.

    Examples
    --------
    >>> against_the_others([[1, 4, 5], [2, np.nan, np.nan]]).to_numpy().tolist()
    [[1.0, 4.5, 2.0], [4.0, 3.0, 2.0], [5.0, 2.5, 2.0]]
    """
    table = as_table(table)
    parts = []
    for column in table.columns:
        rest = table.drop(columns=column)
        parts.append(
            pd.DataFrame(
                {
                    "rating": table[column],
                    "others": rest.median(axis=1),
                    "readers": rest.notna().sum(axis=1),
                }
            ).dropna()
        )
    return pd.concat(parts).sort_index(kind="stable")


def as_table(table: ArrayLike) -> pd.DataFrame:
    """Return a table of ratings as floats, one row an item, one column a reading.

    Raises
    ------
    ValueError
        If it holds no rating, or an infinite one.
    """
    table = pd.DataFrame(table).astype(float)
    if table.isna().all(axis=None) or np.isinf(table.to_numpy()).any():
        raise ValueError(f"expected finite ratings, got none in a table of shape {table.shape}")
    return table
