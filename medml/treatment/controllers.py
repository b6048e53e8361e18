"""Ways to dose insulin that a policy has to beat, and a shield around any of them.

A controller takes a `Chart` and returns a `Dose`. A sensor that gives no reading (NaN) is answered
with a warning and with what needs none: the basal rate, and the bolus for the carbohydrate.
"""

import warnings
from collections.abc import Callable

import numpy as np

from medml.treatment.chart import Chart, Dose
from medml.treatment.devices import STEP

TARGET = 140.0  # mg/dL, which the basal rate of these patients keeps
CORRECT_ABOVE, CORRECT_BELOW = 150.0, 100.0
UNSAFE, HORIZON, NO_EXTRA_BELOW = 70.0, 30.0, 80.0  # mg/dL, min, mg/dL
MOST_BASAL = 4.0  # times the patient's basal rate

Controller = Callable[[Chart], Dose]


def _warn_of_dead_sensors(chart: Chart) -> None:
    if np.isnan(chart.cgm).any():
        warnings.warn("a sensor gives no reading: no correction for its patient", stacklevel=3)


def constant_basal(chart: Chart) -> Dose:
    """Give the basal rate and nothing for meals: how bad it gets without a decision."""
    return Dose(chart.rules.basal, np.zeros_like(chart.cgm))


def basal_bolus(chart: Chart) -> Dose:
    """Dose as simglucose's clinic does: meal / CR, and (cgm - 140) / CF above 150, at meals only.

    References
    ----------
    The basal-bolus controller of simglucose 0.2.11.
    """
    _warn_of_dead_sensors(chart)
    above = np.where(chart.cgm > CORRECT_ABOVE, chart.cgm - TARGET, 0)
    bolus = chart.meal / chart.rules.carb_ratio + above / chart.rules.correction_factor
    return Dose(chart.rules.basal, np.where(chart.meal > 0, bolus, 0))


def advised_bolus(chart: Chart) -> np.ndarray:
    """Return the bolus of the stronger clinic in U, 0 between meals.

    meal / CR + correction; the correction is (cgm - 140) / CF less the insulin on board, at
    least 0, when the sensor shows more than 150 mg/dL, and (cgm - 100) / CF, which is negative,
    when it shows less than 100.

    References
    ----------
    Schmidt S, Nørgaard K (2014) Bolus calculators, doi:10.1177/1932296814532906.

    Examples
    --------
    A meal of 50 g at 240 mg/dL with 1 U on board; CR 10 g/U, CF 50 (mg/dL)/U: 5 + (2 - 1).

    >>> from medml.treatment.chart import Rules
    >>> one = np.ones(1)
    >>> rules = Rules(one, 10 * one, 50 * one, 40 * one, 70 * one, 30 * one)
    >>> cgm = 240 * one
    >>> advised_bolus(Chart(rules, 0 * one, cgm, cgm, cgm, 50 * one, one, one, 0 * one)).tolist()
    [6.0]
    """
    _warn_of_dead_sensors(chart)
    factor = chart.rules.correction_factor
    above = np.where(chart.cgm > CORRECT_ABOVE, (chart.cgm - TARGET) / factor, 0)
    above = np.maximum(above - np.maximum(chart.iob, 0), 0)
    below = np.where(chart.cgm < CORRECT_BELOW, (chart.cgm - CORRECT_BELOW) / factor, 0)
    bolus = np.maximum(chart.meal / chart.rules.carb_ratio + above + below, 0)
    return np.where(chart.meal > 0, bolus, 0)


def stronger_clinic(chart: Chart) -> Dose:
    """Give the basal rate and the bolus of `advised_bolus`, which counts what is on board."""
    return Dose(chart.rules.basal, advised_bolus(chart))


class Pid:
    """Move the basal rate with the error, its integral and its slope; boluses for meals as advised.

    rate = basal + (e + (1 / Ti) ∫ e dt + Td dG/dt) / (CF · T), e = cgm - target, between 0 and
    four times the basal rate. The integral stands still at those limits.

    Parameters
    ----------
    target : float
        mg/dL.
    hours : float
        T: in how many hours a steady error is answered with a full correction.
    integral_minutes, slope_minutes : float
        Ti and Td. All four were chosen on these 30 patients, so that this is a strong opponent.

    References
    ----------
    Steil GM et al. (2006), doi:10.2337/db06-0419; with announced meals: Weinzimer SA et al. (2008),
    doi:10.2337/dc07-1967.
    """

    def __init__(
        self,
        target: float = 130.0,
        hours: float = 4.0,
        integral_minutes: float = 1200.0,
        slope_minutes: float = 90.0,
    ):
        self.target, self.hours = target, hours
        self.integral_minutes, self.slope_minutes = integral_minutes, slope_minutes
        self._integral = 0.0  # (mg/dL) min

    def __call__(self, chart: Chart) -> Dose:
        """Return the dose for the next five minutes."""
        bolus = advised_bolus(chart)
        error = np.nan_to_num(chart.cgm - self.target)
        trend = np.nan_to_num(chart.trend)
        # A chart of minute 0 begins a new episode.
        integral = np.where(chart.minute == 0, 0.0, self._integral) + error * STEP
        wish = error + integral / self.integral_minutes + self.slope_minutes * trend
        rate = chart.rules.basal + wish / (chart.rules.correction_factor * self.hours)
        limited = np.clip(rate, 0, MOST_BASAL * chart.rules.basal)
        self._integral = np.where(limited == rate, integral, integral - error * STEP)
        return Dose(limited, bolus)


def shielded_dose(chart: Chart, dose: Dose) -> Dose:
    """Take away what is unsafe in a dose, and add nothing.

    The basal rate is 0 when the sensor shows less than 70 mg/dL or would in 30 minutes at its
    present slope; below 80 mg/dL a bolus is at most the advised one; without a reading the rate is
    at most the patient's own.
    """
    now, soon = chart.cgm, chart.cgm + HORIZON * chart.trend
    basal = np.where((now < UNSAFE) | (soon < UNSAFE), 0, dose.basal)
    basal = np.where(np.isnan(now), np.minimum(basal, chart.rules.basal), basal)
    careful = np.isnan(now) | (now < NO_EXTRA_BELOW)
    bolus = np.where(careful, np.minimum(dose.bolus, advised_bolus(chart)), dose.bolus)
    return Dose(basal, bolus)


def shielded(controller: Controller) -> Controller:
    """Return a controller whose doses pass through `shielded_dose`."""
    return lambda chart: shielded_dose(chart, controller(chart))
