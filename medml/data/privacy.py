"""Tables: who can be singled out, and how to blur what singles out."""

from collections.abc import Sequence

import pandas as pd


def bands(values: Sequence[float], width: float, top: float | None = None) -> pd.Series:
    """Blur numbers into bands of one width, such as 60-69 for a width of 10.

    Parameters
    ----------
    values : sequence of float
        Numbers such as ages; a missing one becomes "unknown".
    width : float
        Width of a band, above 0.
    top : float, optional
        Start of the last band, which is open: "90+".

    Returns
    -------
    pandas.Series of str

    Raises
    ------
    ValueError
        If the width is not above 0.

    Examples
    --------
    >>> bands([64.2, 69.9, 93.0, None], width=10, top=90).tolist()
    ['60-69', '60-69', '90+', 'unknown']
    """
    if not width > 0:
        raise ValueError(f"width {width}: expected a number above 0")
    values = pd.Series(values, dtype=float)
    low = values // width * width
    text = [f"{start:g}-{start + width - 1:g}" for start in low]
    banded = pd.Series(text, index=values.index).mask(values.isna(), "unknown")
    return banded if top is None else banded.mask(values >= top, f"{top:g}+")


def group_sizes(table: pd.DataFrame, columns: list[str]) -> pd.Series:
    """Return for each row how many rows share its values of these columns, itself included.

    A missing value equals a missing value: whoever looks for a person sees the gap too.

    Raises
    ------
    ValueError
        If the table is empty or no column is given.
    KeyError
        If a column is not there.

    Examples
    --------
    >>> group_sizes(pd.DataFrame({"age": [60, 60, 71]}), ["age"]).tolist()
    [2, 2, 1]
    """
    _need_rows(table)
    if missing := [name for name in columns if name not in table]:
        raise KeyError(f"no column {missing}; the table has {list(table.columns)}")
    if not columns:
        raise ValueError("give at least one column that others may know about a person")
    groups = table.groupby(list(columns), observed=True, dropna=False)
    return groups[columns[0]].transform("size").astype(int)


def share_unique(table: pd.DataFrame, columns: list[str]) -> float:
    """Return the share of rows that share their values of these columns with no other row.

    Unique in the table is not yet unique in the population; it is an upper bound for someone who
    knows that the person is in the table.

    >>> share_unique(pd.DataFrame({"age": [60, 60, 71, 85]}), ["age"])
    0.5
    """
    return float((group_sizes(table, columns) == 1).mean())


def k_anonymity(table: pd.DataFrame, columns: list[str]) -> int:
    """Return k: the size of the smallest group that shares its values of these columns.

    References
    ----------
    Sweeney L (2002), doi:10.1142/S0218488502001648.

    Examples
    --------
    >>> k_anonymity(pd.DataFrame({"age": [60, 60, 71, 71, 71]}), ["age"])
    2
    """
    return int(group_sizes(table, columns).min())


def suppress_small_groups(table: pd.DataFrame, columns: list[str], k: int) -> pd.DataFrame:
    """Return the table without the rows whose group is smaller than k.

    Returns
    -------
    pandas.DataFrame
        k-anonymous on these columns; empty if no group is large enough.

    Raises
    ------
    ValueError
        If k is below 1 or larger than the table, or the table is empty.
    """
    _need_rows(table)
    if not 1 <= k <= len(table):
        raise ValueError(f"k = {k}: expected 1 to {len(table)}, the number of rows")
    return table[group_sizes(table, columns) >= k]


def _need_rows(table: pd.DataFrame) -> None:
    if len(table) == 0:
        raise ValueError("the table has no rows; give at least one patient")
