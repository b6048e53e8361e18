"""Confounding by indication: the sickest get the most treatment, so treatment looks harmful."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


def crude_difference(outcome: ArrayLike, treated: ArrayLike) -> float:
    """Return mean outcome of the treated less that of the others.

    Examples
    --------
    >>> crude_difference([1, 0, 1, 1], [True, True, False, False])
    -0.5
    """
    outcome, treated = np.asarray(outcome, float), np.asarray(treated, bool)
    if treated.all() or not treated.any():
        raise ValueError(f"all {len(treated)} or none were treated: nothing to compare with")
    return float(outcome[treated].mean() - outcome[~treated].mean())


def adjusted_difference(
    outcome: ArrayLike, treated: ArrayLike, strata: ArrayLike
) -> tuple[float, float]:
    """Compare the treated with the others within strata: Mantel and Haenszel's difference.

    Σ w_k (mean of the treated - mean of the others)_k / Σ w_k with w = n_1 n_0 / (n_1 + n_0), where
    n_1 of a stratum were treated and n_0 not. A stratum without both has no weight.

    Parameters
    ----------
    outcome : array_like of shape (decisions,)
    treated : array_like of bool, shape (decisions,)
    strata : array_like of shape (decisions,)
        What is held equal, such as a severity group or a state.

    Returns
    -------
    difference : float
    compared : float
        Share of the decisions that lie in strata with both.

    Raises
    ------
    ValueError
        If no stratum has both.

    References
    ----------
    Greenland S, Robins JM (1985) Estimation of a common effect parameter from sparse follow-up
    data. Biometrics 41:55-68, doi:10.2307/2530643.

    Examples
    --------
    Equal within both strata, 1 and 0; the treated are mostly in the second one.

    >>> outcome, strata = [1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]
    >>> treated = [True, False, False, True, True, False]
    >>> crude_difference(outcome, treated) < -0.3, adjusted_difference(outcome, treated, strata)
    (True, (0.0, 1.0))
    """
    table = pd.DataFrame({"y": np.asarray(outcome, float), "t": np.asarray(treated, bool)})
    cells = table.groupby([np.asarray(strata), "t"])["y"].agg(["mean", "size"]).unstack()
    both = cells.dropna()
    if both.empty or both.shape[1] < 4:
        raise ValueError("no stratum holds treated and others: nothing can be compared")
    mean, size = both["mean"], both["size"]
    weight = size[True] * size[False] / (size[True] + size[False])
    difference = (weight * (mean[True] - mean[False])).sum() / weight.sum()
    return float(difference), float(size.to_numpy().sum() / len(table))
