"""Virtual patients side by side, each with a sensor, a pump, meals and a chart at the bedside."""

from collections.abc import Sequence

import numpy as np

from medml.treatment.chart import Chart, Dose, Rules
from medml.treatment.devices import STEP, OnBoard, Pump, Sensor
from medml.treatment.meals import STEPS_A_DAY, draw_meals, plan_meals
from medml.treatment.patients import choose_patients
from medml.treatment.simulator import Simulator, checked_dose

RESCUE_BELOW = 54.0  # mg/dL on the sensor
RESCUE_GRAMS = 15.0
RESCUE_PAUSE = 20  # minutes before the next 15 g
START_SPREAD = 0.15  # standard deviation of the logarithm of the first glucose
HISTORY = 13  # readings that a chart remembers: one hour


class Ward:
    """Many virtual patients, treated together in steps of five minutes.

    Parameters
    ----------
    names : sequence of str
        Patients, see `choose_patients`; a name may come many times.
    days : int
        Length of an episode, from midnight.
    sensor, pump : str
        Names of `load_sensors()` and `load_pumps()`.
    plan : sequence of (hour, grams), optional
        The same meals every day (`plan_meals`) instead of random ones.
    scaled_meals, counting_error
        See `draw_meals`.
    rescue : bool
        Whether a patient eats 15 g of glucose when the sensor shows less than 54 mg/dL, at most
        every 20 minutes. Nobody doses insulin for it.
    """

    def __init__(
        self,
        names: Sequence[str],
        *,
        days: int = 3,
        sensor: str = "Dexcom",
        pump: str = "Insulet",
        plan: Sequence[tuple[float, float]] | None = None,
        scaled_meals: bool = True,
        counting_error: float = 0.0,
        rescue: bool = True,
    ):
        if days < 1 or not 0 <= counting_error < np.inf:
            msg = f"expected days ≥ 1 and counting_error ≥ 0, got {days} and {counting_error}"
            raise ValueError(msg)
        patients = choose_patients(names)
        size, self.steps = len(patients), days * STEPS_A_DAY
        self.simulator, self.sensor = Simulator(patients), Sensor(sensor)
        self.pump, self.rescue = Pump(pump, size), rescue
        self._counting = {"scaled": scaled_meals, "counting_error": counting_error}
        self._plan = None if plan is None else plan_meals(days, plan)
        self.rules = Rules(*patients[["basal", "CR", "CF", "TDI", "BW", "age"]].to_numpy().T.copy())
        self._iob, self._slow_iob = OnBoard(60, size), OnBoard(120, size)
        self._cob = OnBoard(50, size)
        self._row = np.arange(size)
        self.step_number = np.full(size, self.steps)  # no episode has begun
        self._eaten, self._announced, self._noise = np.zeros((3, self.steps + 1, size))
        self._readings = np.zeros((HISTORY, size))
        self._sampled, self._rescued = np.zeros(size), np.zeros(size, int)

    def __len__(self) -> int:
        return len(self._row)

    def reset(self, generators: Sequence[np.random.Generator], rows=None) -> None:
        """Begin an episode at midnight; everything random in it is drawn now.

        Parameters
        ----------
        generators : sequence of numpy.random.Generator
            One for each row, so that a row does not depend on the others.
        rows : array of int, optional
            The rows that begin anew, all if not given.
        """
        rows = self._row if rows is None else np.asarray(rows)
        times = np.arange(self.steps + 1) * STEP // self.sensor.sample_time
        factors = np.empty(len(rows))
        for i, (row, rng) in enumerate(zip(rows, generators, strict=True)):
            factors[i] = np.exp(START_SPREAD * rng.standard_normal())
            meals = self._plan or draw_meals(
                self._days, self.rules.weight[row], rng, **self._counting
            )
            self._eaten[:-1, row], self._announced[:-1, row] = meals
            self._noise[:, row] = self.sensor.noise(times * self.sensor.sample_time, rng)
        self.simulator.reset(rows, factors)
        for part in (self.pump, self._iob, self._slow_iob, self._cob):
            part.reset(rows)
        self.step_number[rows] = 0
        self._rescued[rows] = -RESCUE_PAUSE
        self._sampled[rows] = self.glucose[rows]
        self._readings[:, rows] = self._read()[rows]

    @property
    def _days(self) -> int:
        return self.steps // STEPS_A_DAY

    @property
    def glucose(self) -> np.ndarray:
        """The true glucose in mg/dL, shape (patients,); see `Simulator.glucose`."""
        return self.simulator.glucose

    @property
    def over(self) -> np.ndarray:
        """Whose episode has reached its last step, bool of shape (patients,)."""
        return self.step_number >= self.steps

    def _read(self) -> np.ndarray:
        return self.sensor.read(self._sampled, self._noise[self.step_number, self._row])

    def chart(self) -> Chart:
        """Return what is known at the bedside now."""
        readings = self._readings
        return Chart(
            rules=self.rules,
            minute=self.step_number * STEP,
            cgm=readings[-1].copy(),
            cgm_15=readings[-1 - 15 // STEP].copy(),
            cgm_60=readings[0].copy(),
            meal=self._announced[self.step_number, self._row],
            iob=self._iob.amount,
            slow_iob=self._slow_iob.amount,
            cob=self._cob.amount,
        )

    def step(self, dose: Dose) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give a dose and let five minutes pass.

        Parameters
        ----------
        dose : Dose
            What the pump cannot give is cut down (`Pump`).

        Returns
        -------
        insulin, eaten, rescue : numpy.ndarray of shape (patients,)
            Delivered in U; carbohydrate of the meal that began, and against low glucose, in g.

        Raises
        ------
        ValueError
            If a dose is negative or no number, or an episode is over.
        """
        if self.over.any():
            name = self.simulator.names[self.over][0]
            raise ValueError(f"the episode of {name} is over: reset it before the next step")
        eaten = self._eaten[self.step_number, self._row]
        rescue = self._rescue_carbs()
        announced = self._announced[self.step_number, self._row]
        names = self.simulator.names
        basal = checked_dose(names, dose.basal, "U/h of basal insulin")
        bolus = checked_dose(names, dose.bolus, "U as a bolus")
        insulin = self.pump.deliver(basal, bolus)
        for minute in range(STEP):
            self.simulator.step(insulin / STEP, 0.0 if minute else eaten + rescue)
            now = self.step_number * STEP + minute + 1
            self._sampled = np.where(now % self.sensor.sample_time, self._sampled, self.glucose)
        beyond = insulin - self.rules.basal * (STEP / 60)
        self._iob.add(beyond)
        self._slow_iob.add(beyond)
        self._cob.add(announced + rescue)
        self.step_number += 1
        self._readings[:-1] = self._readings[1:]
        self._readings[-1] = self._read()
        return insulin, eaten, rescue

    def _rescue_carbs(self) -> np.ndarray:
        """Return what patients eat because their sensor shows a low glucose, in g."""
        now = self.step_number * STEP
        due = (self._readings[-1] < RESCUE_BELOW) & (now - self._rescued >= RESCUE_PAUSE)
        due &= self.rescue
        self._rescued = np.where(due, now, self._rescued)
        return np.where(due, RESCUE_GRAMS, 0.0)
