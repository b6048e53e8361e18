"""How good a glucose was: what diabetologists report, and the reward of the document."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from medml.statistics import bootstrap_interval
from medml.treatment.course import Course

LOW, HIGH, VERY_LOW, FAILURE = 70.0, 180.0, 54.0, 40.0  # mg/dL
SCALE = (20.0, 600.0)  # mg/dL: the range for which the risk is defined


def risk(glucose: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return how dangerous each glucose is: the risk of low and of high values.

    f = 1.509 (ln(G)^1.084 - 5.381), r = 10 f²; r is the low risk where f < 0, that is below 112.5
    mg/dL, else the high risk. G is kept within 20 and 600 mg/dL, where r is 100: beyond, the
    formula has no meaning, and at low values no bound.

    Parameters
    ----------
    glucose : array_like
        mg/dL.

    Returns
    -------
    low, high : numpy.ndarray of the same shape
        From 0 to 100; one of the two is 0. Their means are the LBGI and the HBGI.

    Raises
    ------
    ValueError
        If a value is no number, as from a sensor that is dead.

    References
    ----------
    Kovatchev BP et al. (1997), doi:10.2337/diacare.20.11.1655.

    Examples
    --------
    >>> low, high = risk([20, 70, 112.5, 180, 600])
    >>> low.round(1).tolist(), high.round(1).tolist()
    ([100.0, 7.8, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 7.7, 99.9])
    """
    glucose = np.asarray(glucose, float)
    if np.isnan(glucose).any():
        count = int(np.isnan(glucose).sum())
        msg = f"{count} glucose values are missing: leave out the time without a reading"
        raise ValueError(msg)
    f = 1.509 * (np.log(np.clip(glucose, *SCALE)) ** 1.084 - 5.381)
    r = 10 * f**2
    return np.where(f < 0, r, 0), np.where(f < 0, 0, r)


def cure(glucose: ArrayLike) -> np.ndarray:
    """Return 1 where the glucose is in range, 70 to 180 mg/dL, else 0."""
    glucose = np.asarray(glucose, float)
    return ((glucose >= LOW) & (glucose <= HIGH)).astype(float)


def adverse(glucose: ArrayLike) -> np.ndarray:
    """Return how adverse a glucose is, from 0 to 12: its risk, and more below 54 and below 40.

    0.1 · low risk + 0.02 · high risk + 0.5 · [G < 54] + 1.5 · [G < 40]: the weights are ours.
    """
    low, high = risk(glucose)
    glucose = np.asarray(glucose, float)
    return 0.1 * low + 0.02 * high + 0.5 * (glucose < VERY_LOW) + 1.5 * (glucose < FAILURE)


def reward(glucose: ArrayLike, alpha: float = 1.0, beta: float = 1.0) -> np.ndarray:
    """Return the document's reward of one step: α · cure - β · adverse.

    Parameters
    ----------
    glucose : array_like
        mg/dL: the true one in a simulator; at the bedside there is only the sensor's.
    alpha, beta : float
        With β = 0 nothing keeps a policy from very low values; with a large β it gives so little
        insulin that glucose is high for ever.

    Returns
    -------
    numpy.ndarray of the same shape

    Examples
    --------
    >>> reward([110, 250, 50]).round(2).tolist()
    [1.0, -0.45, -2.75]
    """
    return alpha * cure(glucose) - beta * adverse(glucose)


def measure(glucose: ArrayLike) -> pd.DataFrame:
    """Return the consensus measures of each episode.

    Parameters
    ----------
    glucose : array_like of shape (episodes, times)
        mg/dL at equal intervals: true values, or a sensor's.

    Returns
    -------
    DataFrame
        One row an episode: `in_range` (70-180 mg/dL), `below_70`, `below_54` and `above_180` in %
        of the time, `mean` in mg/dL, `cv` (standard deviation / mean) in %, `lbgi`, `hbgi`, their
        sum `risk`, and `failure`, 100 where any value was below 40 mg/dL, else 0.

    Raises
    ------
    ValueError
        If a value is missing or there is none.

    References
    ----------
    Targets, in %: in range > 70, below 70 < 4, below 54 < 1, above 180 < 25, CV ≤ 36: Battelino T
    et al. (2019), doi:10.2337/dci19-0028.

    Examples
    --------
    >>> measure([[100, 60, 50, 200]]).loc[0, ["in_range", "below_70", "below_54"]].tolist()
    [25.0, 50.0, 25.0]
    """
    glucose = np.atleast_2d(np.asarray(glucose, float))
    if not glucose.size:
        raise ValueError(f"no glucose to measure: got an array of shape {glucose.shape}")
    low, high = (values.mean(axis=1) for values in risk(glucose))
    mean = glucose.mean(axis=1)
    return pd.DataFrame(
        {
            "in_range": 100 * cure(glucose).mean(axis=1),
            "below_70": 100 * (glucose < LOW).mean(axis=1),
            "below_54": 100 * (glucose < VERY_LOW).mean(axis=1),
            "above_180": 100 * (glucose > HIGH).mean(axis=1),
            "mean": mean,
            "cv": 100 * glucose.std(axis=1) / mean,
            "lbgi": low,
            "hbgi": high,
            "risk": low + high,
            "failure": 100.0 * (glucose < FAILURE).any(axis=1),
        }
    )


def measure_course(course: Course) -> pd.DataFrame:
    """Return `measure` of the true glucose, indexed by patient and episode of that patient.

    Tables of two controllers with the same patients and seed can be subtracted: pairs.
    """
    table = measure(course.glucose)
    episode = pd.Series(course.names).groupby(course.names).cumcount()
    table.index = pd.MultiIndex.from_arrays([course.names, episode], names=["patient", "episode"])
    return table


def summarise(
    table: pd.DataFrame, columns: Sequence[str] | None = None, seed: int = 0
) -> pd.DataFrame:
    """Return the mean of each measure over all episodes with an interval over patients.

    Parameters
    ----------
    table : DataFrame
        As `measure_course` gives it, or the difference of two such tables.
    columns : sequence of str, optional
        Some of the measures only.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    DataFrame
        One row a measure: `mean`, `low` and `high`, the 95 % interval when whole patients are
        drawn anew. With few patients it is a rough one.
    """
    patients = table.index.get_level_values("patient")
    columns = list(table.columns if columns is None else columns)
    rows = [bootstrap_interval(np.mean, table[c], patients=patients, seed=seed) for c in columns]
    return pd.DataFrame(rows, index=columns, columns=["mean", "low", "high"])
