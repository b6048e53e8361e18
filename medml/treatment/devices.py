"""What stands between a patient and the doses: a glucose sensor, a pump, and sums on board."""

import warnings

import numpy as np
import pandas as pd
from scipy.signal import lfilter

from medml.data.virtual_patients import load_pumps, load_sensors

STEP = 5  # minutes between two decisions
NOISE_STEP = 15  # minutes between two independent pushes of the sensor's noise


def choose_device(table: pd.DataFrame, name: str) -> pd.Series:
    """Return one row of `load_sensors()` or `load_pumps()`.

    Raises
    ------
    ValueError
        If the table has no device of that name.
    """
    if name not in table.index:
        raise ValueError(f"no device is called {name!r}; expected one of {list(table.index)}")
    return table.loc[name]


class Sensor:
    """A continuous glucose monitor: noise with a memory, limits, and a reading now and then.

    The noise is a curve in time that the sensor's sample time does not change: an autoregressive
    series with one push every 15 minutes, bent by Johnson's transformation, with a smooth curve
    (Catmull-Rom) through its points.

    Parameters
    ----------
    name : str
        A row of `load_sensors()`: Dexcom (a reading every 3 minutes), GuardianRT (5), Navigator
        (1).

    References
    ----------
    Breton M, Kovatchev B (2008) J Diabetes Sci Technol 2:853-862, PMC2740661. simglucose takes a
    spline through every eleven points instead.
    """

    def __init__(self, name: str = "Dexcom"):
        self.constants = choose_device(load_sensors(), name)
        self.sample_time = int(self.constants.sample_time)

    def noise(self, minutes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw the course of one sensor's noise.

        Parameters
        ----------
        minutes : numpy.ndarray of int
            Times since the start, increasing.
        rng : numpy.random.Generator
            As many numbers are drawn for every sensor.

        Returns
        -------
        numpy.ndarray of the shape of `minutes`
            What is added to the glucose, in mg/dL; not symmetric, and larger upwards.
        """
        c = self.constants
        pushes = rng.standard_normal(minutes[-1] // NOISE_STEP + 4)
        pushes[0] /= c.PACF  # the first point is a standard normal number
        points = lfilter([c.PACF], [1, -c.PACF], pushes)
        points = c.xi + c["lambda"] * np.sinh((points - c.gamma) / c.delta)
        before, s = minutes // NOISE_STEP, minutes % NOISE_STEP / NOISE_STEP
        weights = (
            -0.5 * s + s**2 - 0.5 * s**3,
            1 - 2.5 * s**2 + 1.5 * s**3,
            0.5 * s + 2 * s**2 - 1.5 * s**3,
            -0.5 * s**2 + 0.5 * s**3,
        )
        return sum(weight * points[before + i] for i, weight in enumerate(weights))

    def read(self, glucose: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """Return what the sensor shows, in mg/dL: glucose and noise within its limits."""
        return np.clip(glucose + noise, self.constants["min"], self.constants["max"])


class Pump:
    """Insulin pumps side by side: limits, and whole pulses of 0.05 U.

    What is asked for is saved up until it makes a pulse, so that a child's basal rate of 0.3 U/h
    is given exactly, on average, though five minutes of it are half a pulse.

    Parameters
    ----------
    name : str
        A row of `load_pumps()`: Insulet (at most 30 U/h and 30 U) or Cozmo (35 U/h and 75 U).
    patients : int
    """

    def __init__(self, name: str = "Insulet", patients: int = 1):
        constants = choose_device(load_pumps(), name)
        self.max_basal, self.max_bolus = float(constants.max_basal), float(constants.max_bolus)
        self.pulse = float(constants.inc_bolus)
        self._saved = np.zeros(patients)

    def reset(self, rows=slice(None)) -> None:
        """Forget what was saved up."""
        self._saved[rows] = 0.0

    def deliver(self, basal: np.ndarray, bolus: np.ndarray) -> np.ndarray:
        """Return the insulin that is delivered in one step of five minutes.

        Parameters
        ----------
        basal, bolus : numpy.ndarray of shape (patients,)
            U/h and U. More than the pump can give is cut down to its limits, with a warning.

        Returns
        -------
        numpy.ndarray of shape (patients,)
            Insulin in U, a multiple of the pulse.
        """
        if basal.max() > self.max_basal or bolus.max() > self.max_bolus:
            limits = f"{self.max_basal:g} U/h and {self.max_bolus:g} U"
            warnings.warn(f"a dose is cut to what the pump can give: {limits}", stacklevel=2)
        asked = np.minimum(basal, self.max_basal) * (STEP / 60) + np.minimum(bolus, self.max_bolus)
        self._saved += asked
        # The small number keeps three pulses from being 2.9999999999999996 pulses.
        given = np.floor(self._saved / self.pulse + 1e-6) * self.pulse
        self._saved -= given
        return given


class OnBoard:
    """How much of what was given still waits to act: two compartments that empty one after another.

    A dose leaves as (1 + t / tau) exp(-t / tau); its mean time on board is 2 tau.

    Parameters
    ----------
    tau : float
        Time constant of each compartment in minutes.
    patients : int

    Examples
    --------
    >>> iob = OnBoard(tau=60)
    >>> for step in range(73):
    ...     iob.add(np.array([10.0 * (step == 0)]))
    >>> iob.amount.round(2).tolist()  # after 6 h and 5 min
    [0.16]
    """

    def __init__(self, tau: float, patients: int = 1):
        self._decay, self._flow = np.exp(-STEP / tau), STEP / tau
        self._first, self._second = np.zeros(patients), np.zeros(patients)

    def reset(self, rows=slice(None)) -> None:
        """Empty both compartments."""
        self._first[rows] = self._second[rows] = 0.0

    def add(self, dose: np.ndarray) -> None:
        """Give a dose, then let five minutes pass."""
        self._first += dose
        self._second = (self._second + self._first * self._flow) * self._decay
        self._first *= self._decay

    @property
    def amount(self) -> np.ndarray:
        """What is on board, in the unit of the doses, shape (patients,)."""
        return self._first + self._second
