"""What patients eat, and what they think they eat."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

from medml.treatment.devices import STEP

STEPS_A_DAY = 24 * 60 // STEP
TYPICAL_WEIGHT = 70.0  # kg, of the person whose meals the table gives

# Breakfast, snack, lunch, snack, dinner, snack: how often, when (h: earliest, latest, mean,
# standard deviation) and how much (g: mean, standard deviation). The day of simglucose.
_OFTEN = np.array([0.95, 0.3, 0.95, 0.3, 0.95, 0.3])
_EARLIEST = np.array([5, 9, 10, 14, 16, 20])
_LATEST = np.array([9, 10, 14, 16, 20, 23])
_MEAN = np.array([7, 9.5, 12, 15, 18, 21.5])
_SD = np.array([1, 0.5, 1, 0.5, 1, 0.5])
_GRAMS = np.array([45, 10, 70, 10, 80, 10])
_GRAMS_SD = np.array([10, 5, 10, 5, 10, 5])


class Meals(NamedTuple):
    """Carbohydrate in g at each step of five minutes, both of shape (steps,)."""

    eaten: np.ndarray
    announced: np.ndarray


def draw_meals(
    days: int,
    weight: float,
    rng: np.random.Generator,
    *,
    scaled: bool = True,
    counting_error: float = 0.0,
) -> Meals:
    """Draw the meals of one patient.

    Parameters
    ----------
    days : int
        From midnight to midnight.
    weight : float
        Body weight in kg.
    rng : numpy.random.Generator
    scaled : bool
        Whether a meal grows with the body weight, from the amounts for 70 kg; if not, a child of
        25 kg eats the dinner of 80 g of an adult.
    counting_error : float
        Standard deviation of what the patient announces, as a part of the true amount. People
        are wrong by 0.2 on average.

    Returns
    -------
    Meals

    References
    ----------
    Times and amounts: the random scenario of simglucose 0.2.11. Error: Brazeau AS et al. (2013),
    doi:10.1016/j.diabres.2012.11.024.
    """
    happens = rng.random((days, 6)) < _OFTEN
    low, high = ndtr((_EARLIEST - _MEAN) / _SD), ndtr((_LATEST - _MEAN) / _SD)
    hour = _MEAN + _SD * ndtri(low + (high - low) * rng.random((days, 6)))
    grams = _GRAMS + _GRAMS_SD * rng.standard_normal((days, 6))
    error = 1 + counting_error * rng.standard_normal((days, 6))
    size = weight / TYPICAL_WEIGHT if scaled else 1.0
    eaten = np.where(happens, np.round(grams.clip(0) * size), 0)
    step = np.round(hour * 60 / STEP).astype(int) + STEPS_A_DAY * np.arange(days)[:, None]
    announced = eaten * error.clip(0)
    steps = days * STEPS_A_DAY
    return Meals(*(np.bincount(step.ravel(), x.ravel(), steps) for x in (eaten, announced)))


def plan_meals(days: int, plan: Sequence[tuple[float, float]]) -> Meals:
    """Return meals that are the same every day and rightly announced.

    Parameters
    ----------
    days : int
    plan : sequence of (hour, grams)
        In the order of the day, hour from 0 to below 24; a meal begins at the nearest step.

    Returns
    -------
    Meals

    Raises
    ------
    ValueError
        If the meals are out of order, outside the day, or not of a finite size ≥ 0.

    Examples
    --------
    >>> eaten, _ = plan_meals(1, [(7, 45), (12.5, 70)])
    >>> np.flatnonzero(eaten).tolist(), float(eaten.sum())
    ([84, 150], 115.0)
    """
    day, before = np.zeros(STEPS_A_DAY), -1.0
    for hour, grams in plan:
        if not (0 <= hour < 24 and hour > before):
            msg = f"a meal at hour {hour} cannot follow: give hours from 0 to below 24 in order"
            raise ValueError(msg)
        if not 0 <= grams < np.inf:
            raise ValueError(f"the meal at hour {hour} has {grams} g: give a finite number ≥ 0")
        day[min(round(hour * 60 / STEP), STEPS_A_DAY - 1)] += grams
        before = hour
    return Meals(np.tile(day, days), np.tile(day, days))
