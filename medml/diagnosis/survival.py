"""Time to death when not every death was seen: censoring, Kaplan-Meier and horizon labels.

`days` is how long a patient was followed, `died` whether the follow-up ended with death. Without
death the time is censored: the patient lived at least so long.
"""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import norm

from medml.statistics.columns import as_counts, as_labels, as_numbers, ratio


def kaplan_meier(days: ArrayLike, died: ArrayLike, level: float = 0.95) -> pd.DataFrame:
    """Return the Kaplan-Meier estimate of survival, S(t) = Π over tᵢ ≤ t of (1 - dᵢ / nᵢ).

    nᵢ patients are at risk just before day tᵢ, and dᵢ of them die on it. A patient censored on
    that day is still at risk. Greenwood's formula gives the standard error, S √Σ dᵢ / nᵢ(nᵢ - dᵢ),
    and the interval is symmetric for log(-log S), so that it stays between 0 and 1.

    Parameters
    ----------
    days : array_like of shape (patients,)
        Follow-up, above 0.
    died : array_like of shape (patients,)
        1 or True for a death, 0 for a censored time.
    level : float
        Coverage of the interval at each time, between 0 and 1.

    Returns
    -------
    DataFrame
        A row for each day with a death: `days`, `at_risk`, `deaths`, `survival`, `se`, `low` and
        `high`; the last three are NaN once nobody at risk survives.

    Raises
    ------
    ValueError
        If a time is 0, negative or NaN, or `died` is not 0 or 1.

    References
    ----------
    Kaplan EL, Meier P (1958), doi:10.1080/01621459.1958.10501452. Interval: Kalbfleisch JD,
    Prentice RL (2002), doi:10.1002/9781118032985.

    Examples
    --------
    >>> kaplan_meier([2, 3, 3, 5], [1, 1, 0, 1])[["days", "at_risk", "survival"]].values.tolist()
    [[2.0, 4.0, 0.75], [3.0, 3.0, 0.5], [5.0, 1.0, 0.0]]
    """
    days, died = as_times(days, died)
    if not 0 < level < 1:
        raise ValueError(f"level of the interval: expected between 0 and 1, got {level}")
    times, deaths = np.unique(days[died], return_counts=True)
    at_risk = len(days) - np.searchsorted(np.sort(days), times)
    survival = np.cumprod(1 - deaths / at_risk)
    variance = np.cumsum(ratio(deaths, at_risk * (at_risk - deaths)))
    with np.errstate(divide="ignore", invalid="ignore"):
        width = norm.isf((1 - level) / 2) * np.sqrt(variance) / np.abs(np.log(survival))
    return pd.DataFrame(
        {
            "days": times,
            "at_risk": at_risk,
            "deaths": deaths,
            "survival": survival,
            "se": survival * np.sqrt(variance),
            "low": survival ** np.exp(width),
            "high": survival ** np.exp(-width),
        }
    )


def survival_at(days: ArrayLike, died: ArrayLike, times: ArrayLike) -> np.ndarray:
    """Return the Kaplan-Meier estimate at the given times; NaN beyond the longest follow-up.

    Examples
    --------
    >>> survival_at([2, 3, 3, 5], [1, 1, 0, 0], [1, 3, 4.9, 6]).tolist()
    [1.0, 0.5, 0.5, nan]
    """
    curve = kaplan_meier(days, died)
    steps = np.concatenate([[1.0], curve["survival"]])
    times = np.asarray(times, float)
    at = steps[np.searchsorted(curve["days"], times, side="right")]
    return np.where(times > np.max(days), np.nan, at)


def horizon_labels(
    days: ArrayLike, died: ArrayLike, horizon: float, censored: str = "weighted"
) -> pd.DataFrame:
    """Return who died up to a horizon, and how much each patient counts.

    Somebody censored before the horizon has no label. Three ways to go on:

    - "weighted": those with a label stand in for the others. Each counts 1 / G, where G is the
      probability of not yet being censored, just before the death or at the horizon (inverse
      probability of censoring). The weighted share of deaths equals 1 minus Kaplan-Meier. Right
      if who is censored does not depend on the risk.
    - "excluded": those without a label count 0, the others 1. Deaths are over-represented: who
      dies early needs less follow-up to get a label.
    - "as survivors": wrong, and common. Those without a label count as alive.

    Parameters
    ----------
    days, died : array_like of shape (patients,)
        As in `kaplan_meier`.
    horizon : float
        Days, above 0.
    censored : {"weighted", "excluded", "as survivors"}
        What to do with those censored before the horizon.

    Returns
    -------
    DataFrame
        `label`, True for a death up to the horizon (False where it is unknown), and `weight`.

    Raises
    ------
    ValueError
        If a time or the horizon is not above 0, nobody was followed to the horizon, or `censored`
        is unknown.

    References
    ----------
    Graf E et al. (1999),
    doi:10.1002/(SICI)1097-0258(19990915/30)18:17/18<2529::AID-SIM274>3.0.CO;2-5.

    Examples
    --------
    >>> table = horizon_labels([2, 3, 5, 5], [1, 0, 1, 0], horizon=4)
    >>> table["label"].tolist(), table["weight"].round(3).tolist()
    ([True, False, False, False], [1.0, 0.0, 1.5, 1.5])
    """
    days, died = as_times(days, died)
    if not horizon > 0:
        raise ValueError(f"the horizon must lie after day 0, got {horizon}")
    if censored not in {"weighted", "excluded", "as survivors"}:
        raise ValueError(
            f"censored: expected 'weighted', 'excluded' or 'as survivors', got {censored!r}"
        )
    if not (days >= horizon).any():
        raise ValueError(f"nobody was followed to day {horizon:g}: the longest is {days.max():g}")
    label = died & (days <= horizon)
    known = label | (days >= horizon)
    if censored == "as survivors":
        weight = np.ones(len(days))
    elif censored == "excluded":
        weight = known.astype(float)
    else:
        weight = known / _uncensored(days, died, np.minimum(days, horizon))
    return pd.DataFrame({"label": label, "weight": weight})


def concordance(
    days: ArrayLike, died: ArrayLike, risk: ArrayLike, *, counts: ArrayLike | None = None
) -> float | np.ndarray:
    """Return Harrell's concordance index: how often who died first had the higher risk.

    A pair can be compared if the one with the shorter time died; a patient censored on the day of
    the other's death outlived it. Equal risks count one half.

    Parameters
    ----------
    days, died : array_like of shape (patients,)
        As in `kaplan_meier`.
    risk : array_like of shape (patients,)
        Higher for an earlier death, such as Cox's linear predictor.
    counts : array_like of shape (..., patients), optional
        How often each patient was drawn.

    Returns
    -------
    float or numpy.ndarray of shape (...)
        0.5 for risks that tell nothing; NaN, "not estimable", if no pair can be compared.

    Raises
    ------
    ValueError
        If a time is not above 0, or a risk is NaN.

    References
    ----------
    Harrell FE, Lee KL, Mark DB (1996),
    doi:10.1002/(SICI)1097-0258(19960229)15:4<361::AID-SIM168>3.0.CO;2-4.

    Examples
    --------
    >>> concordance([1, 2, 3], [1, 1, 0], [0.9, 0.1, 0.2])  # 2 of 3 pairs in order
    0.6666666666666666
    """
    days, died = as_times(days, died)
    risk = as_numbers(risk, len(days), "risks")
    counts = as_counts(counts, len(days))
    longer = (days[:, None] < days) | ((days[:, None] == days) & ~died)
    comparable = died[:, None] & longer
    higher = (risk[:, None] > risk) + 0.5 * (risk[:, None] == risk)
    pairs = (counts @ comparable.astype(float) * counts).sum(axis=-1)
    return ratio((counts @ (comparable * higher) * counts).sum(axis=-1), pairs)


def as_times(days: ArrayLike, died: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return times as floats and deaths as booleans, each of shape (patients,).

    Raises
    ------
    ValueError
        If a time is 0, negative, NaN or infinite, or `died` is not 0 or 1.

    Examples
    --------
    >>> as_times([3, 0], [1, 0])
    Traceback (most recent call last):
        ...
    ValueError: times must lie after day 0, got 0 in row 1: count from one clear start, and leave \
out who was not followed
    """
    died = as_labels(died)
    days = as_numbers(days, len(died), "times")
    if (days <= 0).any():
        row = int(np.argmax(days <= 0))
        raise ValueError(
            f"times must lie after day 0, got {days[row]:g} in row {row}: "
            "count from one clear start, and leave out who was not followed"
        )
    return days, died


def _uncensored(days: np.ndarray, died: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Return G just before each time: Kaplan-Meier with censoring as the event.

    On a day with both, deaths come first, so that they leave before censored ones do.
    """
    ends, censored = np.unique(days[~died], return_counts=True)
    after_deaths = len(days) - np.searchsorted(np.sort(days), ends)
    after_deaths -= np.array([(died & (days == end)).sum() for end in ends], dtype=int)
    steps = np.concatenate([[1.0], np.cumprod(1 - censored / after_deaths)])
    return steps[np.searchsorted(ends, times, side="left")]
