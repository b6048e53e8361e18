"""Glucose and insulin of many virtual patients at once: the UVA/Padova model, minute by minute.

Thirteen differential equations a patient, solved by the classical Runge-Kutta method with fixed
steps, in NumPy, for all patients side by side. Every operation works element by element, so that
a patient's course does not depend on who else is in the batch.
"""

from types import SimpleNamespace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from medml.data.virtual_patients import STATE

EATING_RATE = 5.0  # g/min
UNIT = 6000.0  # pmol in a unit of insulin
# Places of what the model measures in masses a kg of body weight.
SOLID, LIQUID, GUT, PLASMA, TISSUE, SUBCUTANEOUS = 0, 1, 2, 3, 4, 12
GLUCOSE = (PLASMA, TISSUE, SUBCUTANEOUS)
BODY = 3  # from this row on: the body, on which the stomach and the gut do not depend
DIGESTION_STEPS = 3  # a minute


class Simulator:
    """Virtual patients who eat, get insulin and have a glucose.

    Parameters
    ----------
    patients : DataFrame
        Rows of `load_virtual_patients()`, in any order and number; a patient may stand in it many
        times, each time as an independent copy.

    Attributes
    ----------
    state : numpy.ndarray of shape (13, patients)
        Glucose in the stomach (solid, liquid) and the gut (mg); glucose in plasma and tissue
        (mg/kg); insulin in plasma (pmol/kg), insulin action (pmol/L) and its two delays (pmol/L),
        insulin in the liver and in two depots under the skin (pmol/kg); glucose under the skin
        (mg/kg).

    References
    ----------
    Dalla Man C, Rizza RA, Cobelli C (2007), doi:10.1109/TBME.2007.893506; stomach: Dalla Man C et
    al. (2006), doi:10.1109/TBME.2006.883792. As in simglucose 0.2.11, but where glucose reaches 0:
    there simglucose's patient freezes for ever, here glucose waits at 0 for food or for the
    insulin to wear off.

    Examples
    --------
    >>> from medml.data.virtual_patients import load_virtual_patients
    >>> patients = load_virtual_patients().loc[["adult#001", "child#001"]]
    >>> simulator = Simulator(patients)
    >>> for minute in range(60):
    ...     simulator.step(insulin=patients.basal / 60, carbs=50 * (minute == 0))
    >>> simulator.glucose.round().tolist()
    [182.0, 298.0]
    """

    def __init__(self, patients: pd.DataFrame):
        if not len(patients):
            raise ValueError("no patient to simulate: give at least one row of the patients' table")
        self.names = patients.index.to_numpy(dtype=str)
        self._constants = _constants(patients)
        self._start = np.ascontiguousarray(patients[list(STATE)].to_numpy(float).T)
        self.state = self._start.copy()
        self._to_eat = np.zeros(len(patients))
        self._eating = np.zeros(len(patients), bool)
        self._meal = np.zeros(len(patients))  # mg: what the stomach's emptying is adjusted to

    def reset(self, rows: ArrayLike = slice(None), glucose_factor: ArrayLike = 1.0) -> None:
        """Bring patients back to the fasting state, glucose everywhere times a factor.

        Parameters
        ----------
        rows : index of patients, optional
            All of them if not given.
        glucose_factor : array_like of shape (rows,)
            1 is the glucose that the basal rate keeps, 133 to 153 mg/dL.
        """
        self.state[:, rows] = self._start[:, rows]
        for place in GLUCOSE:
            self.state[place, rows] *= glucose_factor
        self._to_eat[rows] = self._meal[rows] = 0.0
        self._eating[rows] = False

    @property
    def glucose(self) -> np.ndarray:
        """Glucose under the skin in mg/dL, shape (patients,): what a perfect sensor would show.

        simglucose calls it BG. It follows the glucose in plasma with a delay of 7 to 20 minutes.
        """
        return self.state[SUBCUTANEOUS] / self._constants.Vg

    def step(self, insulin: ArrayLike, carbs: ArrayLike = 0.0) -> None:
        """Let one minute pass.

        Parameters
        ----------
        insulin : array_like of shape (patients,) or a number
            Rate of infusion in this minute, basal and bolus together, in U/min.
        carbs : array_like of shape (patients,) or a number
            Carbohydrate put on the table now, in g; it is eaten at 5 g/min, after what still
            stands there.

        Raises
        ------
        ValueError
            If a dose is negative, infinite or no number.
        """
        insulin = checked_dose(self.names, insulin, "U/min of insulin")
        carbs = checked_dose(self.names, carbs, "g of carbohydrate")
        self._to_eat += carbs
        bite = np.minimum(self._to_eat, EATING_RATE)
        self._to_eat -= bite
        x = self.state
        begins = (bite > 0) & ~self._eating
        if begins.any():
            self._meal = np.where(begins, x[SOLID] + x[LIQUID], self._meal)
        self._meal += 1000 * bite
        self._eating = bite > 0
        self._advance(1000 * bite, insulin * self._constants.pmol_per_kg)
        # The model's brain never stops, and would take glucose that is not there.
        for place in GLUCOSE:
            np.maximum(x[place], 0, out=x[place])

    def _advance(self, eaten: np.ndarray, infused: np.ndarray) -> None:
        """Advance the state by a minute; eaten in mg, infused in pmol/kg.

        The stomach changes its pace within a minute and depends on nothing else: it goes first,
        in thirds of a minute. What it absorbed in all follows from what is left. The body, in one
        step, is given a gut whose mean (by Simpson's rule) absorbs exactly that much.
        """
        x, p = self.state, self._constants
        before = x[:BODY].copy()
        meal = (eaten, 2.5 / np.maximum(self._meal, 1), p)
        for _ in range(DIGESTION_STEPS):
            x[:BODY] = _runge_kutta(_digestion, x[:BODY], 1 / DIGESTION_STEPS, (meal, meal, meal))
        absorbed = eaten + (before - x[:BODY]).sum(axis=0)
        start, end = before[GUT], x[GUT]
        middle = (6 * absorbed / p.kabs - start - end) / 4
        inputs = [(gut, infused, p) for gut in (start, middle, end)]
        x[BODY:] = _runge_kutta(_body, x[BODY:], 1.0, inputs)


def checked_dose(names: np.ndarray, dose: ArrayLike, what: str) -> np.ndarray:
    """Return a dose, one number or one for each patient, as an array, or refuse it.

    Raises
    ------
    ValueError
        If a dose is negative, infinite or no number; the message names the first such patient. If
        there are more or fewer doses than patients.
    """
    dose = np.asarray(dose, float)
    if dose.shape not in ((), names.shape):
        raise ValueError(f"expected {what} for {len(names)} patients, got shape {dose.shape}")
    if not (dose.min() >= 0 and dose.max() < np.inf):  # also false for NaN
        dose = np.broadcast_to(dose, names.shape)
        wrong = np.flatnonzero(~((dose >= 0) & (dose < np.inf)))[0]
        msg = f"{names[wrong]} cannot get {dose[wrong]:g} {what}: give a finite number ≥ 0"
        raise ValueError(msg)
    return dose


def _constants(patients: pd.DataFrame) -> SimpleNamespace:
    """Return the constants of the equations, one array of shape (patients,) each."""
    p = SimpleNamespace(**{name: patients[name].to_numpy(float) for name in patients.columns})
    p.pmol_per_kg = UNIT / p.BW
    p.appearance = p.f * p.kabs / p.BW  # share of the gut's glucose that reaches the blood, a kg
    p.leaving = np.stack([p.kmax, p.kmax, p.kabs])
    p.half = (p.kmax - p.kmin) / 2
    p.slopes = np.stack([1 / (1 - p.b), 1 / p.d])
    p.shifts = np.stack([2.5 * p.b / (1 - p.b), np.full(len(p.b), 2.5)])
    p.plasma_loss, p.liver_loss = p.m2 + p.m4, p.m1 + p.m30
    p.depot_loss = p.ka1 + p.kd
    return p


def _runge_kutta(rates, x, minutes, inputs):
    """Take one step of the classical method; the inputs are those of its start, middle and end."""
    start, middle, end = inputs
    a = rates(x, *start)
    b = rates(x + 0.5 * minutes * a, *middle)
    c = rates(x + 0.5 * minutes * b, *middle)
    d = rates(x + minutes * c, *end)
    return x + minutes / 6 * (a + 2 * (b + c) + d)


def _digestion(x, eaten, per_meal, p):
    """Return how fast the sugar in stomach and gut changes, in mg/min.

    Parameters
    ----------
    x : numpy.ndarray of shape (3, patients)
        The first three rows of `Simulator.state`.
    eaten : numpy.ndarray of shape (patients,)
        mg/min.
    per_meal : numpy.ndarray of shape (patients,)
        2.5 divided by the size of the meal in mg.
    p : SimpleNamespace
        As `_constants` gives it, under the names of the model.
    """
    # A stomach that is full or nearly empty empties at kmax, in between more slowly, down to kmin.
    filling = (x[SOLID] + x[LIQUID]) * per_meal
    full, empty = np.tanh(p.slopes * filling - p.shifts)
    leaving = p.leaving * x
    leaving[LIQUID] += p.half * (full - empty) * x[LIQUID]
    dx = -leaving
    dx[SOLID] += eaten
    dx[LIQUID:] += leaving[:GUT]
    return dx


def _body(x, gut, infused, p):
    """Return how fast glucose and insulin in the body change, a minute.

    Parameters
    ----------
    x : numpy.ndarray of shape (10, patients)
        The other rows of `Simulator.state`.
    gut, infused : numpy.ndarray of shape (patients,)
        Sugar in the gut in mg, insulin in pmol/kg/min.
    p : SimpleNamespace
        As `_constants` gives it, under the names of the model.
    """
    plasma, tissue, insulin, action, delay, delayed, liver, depot, near, skin = x
    dx = np.empty_like(x)
    production = np.maximum(p.kp1 - p.kp2 * plasma - p.kp3 * delayed, 0)
    excretion = p.ke1 * np.maximum(plasma - p.ke2, 0)
    exchange = p.k1 * plasma - p.k2 * tissue
    dx[0] = production + p.appearance * gut - p.Fsnc - excretion - exchange
    fuel = np.maximum(tissue, 0)  # a stage of a step may reach beyond zero
    dx[1] = exchange - (p.Vm0 + p.Vmx * action) * fuel / (p.Km0 + fuel)

    level = insulin / p.Vi
    absorbed = p.ka2 * near
    dx[2] = p.m1 * liver + p.ka1 * depot + absorbed - p.plasma_loss * insulin
    dx[3] = p.p2u * (level - p.Ib - action)
    dx[4] = p.ki * (level - delay)
    dx[5] = p.ki * (delay - delayed)
    dx[6] = p.m2 * insulin - p.liver_loss * liver
    dx[7] = infused - p.depot_loss * depot
    dx[8] = p.kd * depot - absorbed
    dx[9] = p.ksc * (plasma - skin)
    return dx
