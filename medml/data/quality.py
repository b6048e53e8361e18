"""Quality of records: who is in the table, what is missing and what cannot be true."""

import pandas as pd


def table_one(records, columns, by):
    """Return table one: what kind of patients each group holds.

    Parameters
    ----------
    records : pandas.DataFrame
        One row = one patient.
    columns : list of str
        Columns to describe: numbers by median [quartiles], 0/1 columns and categories by the
        share of each value among the patients with a value.
    by : str
        Column whose values are the groups.

    Returns
    -------
    pandas.DataFrame of str
        One row for each number or category and one for how much of it is missing; one column for
        each group and one for all patients.

    Raises
    ------
    KeyError
        If a column is not there.

    Examples
    --------
    >>> patients = pd.DataFrame({"age": [50, 60, None], "died": [0, 0, 1]})
    >>> table_one(patients, ["age"], "died")["all"].tolist()
    ['3', '55 [52.5, 57.5]', '33.3 %']
    """
    groups = {f"{by} = {value}": group for value, group in records.groupby(by, observed=True)}
    everyone = _describe(records, columns)
    table = pd.DataFrame({name: _describe(group, columns) for name, group in groups.items()})
    return table.reindex(everyone.index).assign(all=everyone).fillna("0.0 %")


def _describe(group, columns):
    rows = {"patients": str(len(group))}
    for name in columns:
        values = group[name].dropna()
        if isinstance(values.dtype, pd.CategoricalDtype) or values.isin([0, 1]).all():
            shares = values.value_counts(normalize=True, sort=False)
            rows |= {f"{name}: {value}": f"{share:.1%}" for value, share in shares.items()}
        else:
            low, middle, high = values.quantile([0.25, 0.5, 0.75])
            rows[name] = f"{middle:.4g} [{low:.4g}, {high:.4g}]"
        rows[f"{name}: missing"] = f"{group[name].isna().mean():.1%}"
    return pd.Series({key: value.replace("%", " %") for key, value in rows.items()})


def impossible_values(records, limits):
    """Count the values that cannot be true of a living adult, column by column.

    Parameters
    ----------
    records : pandas.DataFrame
        One row = one patient.
    limits : pandas.DataFrame
        `low` and `high`, indexed by column name, in the column's unit; a limit of NaN is none.

    Returns
    -------
    pandas.Series of int
        Number of values below `low` or above `high`, for the columns with a limit. A missing value
        is not impossible.

    Examples
    --------
    >>> limits = pd.DataFrame({"low": [20.0], "high": [300.0]}, index=["pulse"])
    >>> impossible_values(pd.DataFrame({"pulse": [0, 72, None]}), limits).to_dict()
    {'pulse': 1}
    """
    limits = limits[limits[["low", "high"]].notna().any(axis=1)]
    values = records[limits.index]
    outside = values.lt(limits["low"], axis=1) | values.gt(limits["high"], axis=1)
    return outside.sum()
