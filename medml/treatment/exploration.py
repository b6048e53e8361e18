"""Personal shifts of a controller's doses, and two ways to try them at random and to log it."""

import numpy as np
from numpy.typing import ArrayLike

from medml.treatment.chart import Chart, Dose
from medml.treatment.controllers import Controller

DAY = 24 * 60  # minutes
MOST = 0.5  # of a dose


def checked_shifts(shifts: ArrayLike) -> np.ndarray:
    """Return shifts of basal rate and boluses after a check.

    Parameters
    ----------
    shifts : array_like of shape (..., 2)
        0.1 gives a tenth more; at most half of a dose is moved.

    Raises
    ------
    ValueError
        If the last axis is not two long, or a shift is beyond ±0.5 or no number.
    """
    shifts = np.asarray(shifts, float)
    if not shifts.ndim or shifts.shape[-1] != 2:
        msg = f"expected shifts of (basal rate, boluses), got the shape {shifts.shape}"
        raise ValueError(msg)
    if not (np.abs(shifts) <= MOST).all():  # also for NaN
        wrong = shifts[~(np.abs(shifts) <= MOST)][0]
        raise ValueError(f"a shift of {wrong} is outside ±{MOST}: give parts of a dose")
    return shifts


def shift_dose(dose: Dose, shifts: np.ndarray) -> Dose:
    """Return a dose with its basal rate and its bolus moved by parts of themselves."""
    return Dose(dose.basal * (1 + shifts[..., 0]), dose.bolus * (1 + shifts[..., 1]))


def shifted(controller: Controller, shifts: ArrayLike) -> Controller:
    """Return a controller whose doses are shifted, by the same for all or row by row."""
    shifts = checked_shifts(shifts)
    return lambda chart: shift_dose(controller(chart), shifts)


def one_clock(chart: Chart) -> int:
    """Return the minute of a chart whose patients began together.

    Raises
    ------
    ValueError
        If they did not: days could not be told apart.
    """
    minutes = np.unique(chart.minute)
    if len(minutes) != 1:
        raise ValueError(f"patients must begin together, their minutes are {minutes[:3].tolist()}")
    return int(minutes[0])


class DailyTrial:
    """A controller that draws each patient's shifts anew at every midnight.

    Parameters
    ----------
    controller : callable
        Takes a `Chart`, returns a `Dose`.
    arms : array_like of shape (arms, 2)
        Shifts of basal rate and boluses, drawn with equal chances.
    rng : numpy.random.Generator

    Attributes
    ----------
    drawn : list of numpy.ndarray of int, shape (patients,)
        The arm of each patient, day by day of the episode that runs or ran last.
    """

    def __init__(self, controller: Controller, arms: ArrayLike, rng: np.random.Generator):
        self._controller, self.arms, self._rng = controller, checked_shifts(arms), rng
        self.drawn: list[np.ndarray] = []

    def __call__(self, chart: Chart) -> Dose:
        """Return the shifted dose for the next five minutes."""
        minute = one_clock(chart)
        if minute == 0:
            self.drawn = []
        if minute % DAY == 0:
            self.drawn.append(self._rng.integers(len(self.arms), size=len(chart.cgm)))
        return shift_dose(self._controller(chart), self.arms[self.drawn[-1]])


class StepTrial:
    """A controller whose basal rate is moved at random every five minutes.

    Parameters
    ----------
    controller : callable
    spread : float
        Standard deviation of the shift of the basal rate.
    mean : float
        Mean of the shift.
    rng : numpy.random.Generator

    Attributes
    ----------
    drawn : list of numpy.ndarray, shape (patients,)
        The shifts, step by step; a rate below 0 is 0.
    """

    def __init__(
        self, controller: Controller, spread: float, rng: np.random.Generator, mean: float = 0.0
    ):
        self._controller, self.spread, self.mean, self._rng = controller, spread, mean, rng
        self.drawn: list[np.ndarray] = []

    def __call__(self, chart: Chart) -> Dose:
        """Return the dose for the next five minutes."""
        if one_clock(chart) == 0:
            self.drawn = []
        self.drawn.append(self._rng.normal(self.mean, self.spread, len(chart.cgm)))
        dose = self._controller(chart)
        return Dose(dose.basal * np.maximum(1 + self.drawn[-1], 0), dose.bolus)

    def step_weights(self, mean: float) -> np.ndarray:
        """Return how much likelier each course up to a step were with another mean.

        The ratio of two normal densities: Π exp((mean' - mean) (2 x - mean' - mean) / 2 spread²).

        Returns
        -------
        numpy.ndarray of shape (patients, steps)
        """
        x = np.stack(self.drawn, axis=1)
        logs = (mean - self.mean) * (2 * x - mean - self.mean) / (2 * self.spread**2)
        return np.exp(logs.cumsum(axis=1))
