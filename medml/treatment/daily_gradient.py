"""The obvious way to update online, which fails: a policy gradient on one patient, every day.

It is here to be measured against `medml.treatment.personalisation`.
"""

import numpy as np

from medml.treatment.chart import Chart, Dose
from medml.treatment.controllers import Controller
from medml.treatment.encoding import FEATURES, observe
from medml.treatment.exploration import DAY, MOST, one_clock, shift_dose
from medml.treatment.measures import reward

DISCOUNT = 0.98  # a step; after 4 h a reward counts a third


class DailyGradient:
    """A frozen controller whose shifts are linear in the observation and learn by REINFORCE.

    shift = w x + spread · ε in every step, with the observation x and normal noise ε. At midnight
    w moves along Σ_t A_t ε_t x_tᵀ / spread, where A is the discounted sum of the rewards to come
    (of the sensor's readings), less its mean of the day and divided by its standard deviation.

    Parameters
    ----------
    controller : callable
        Takes a `Chart`, returns a `Dose`.
    rng : numpy.random.Generator
    rate : float
        How far w moves for a gradient of 1, averaged over the steps.
    spread : float
        Standard deviation of the exploration, a part of a dose.

    Attributes
    ----------
    weights : numpy.ndarray of shape (patients, 2, 11)
    gradients : list of numpy.ndarray of shape (patients, 2, 11), one a day
    """

    def __init__(
        self,
        controller: Controller,
        rng: np.random.Generator,
        rate: float = 0.02,
        spread: float = 0.1,
    ):
        self._controller, self._rng, self._rate, self._spread = controller, rng, rate, spread
        self.weights, self.gradients = np.zeros((0, 2, len(FEATURES) + 1)), []

    def __call__(self, chart: Chart) -> Dose:
        """Return the shifted dose for the next five minutes."""
        minute = one_clock(chart)
        if minute == 0:
            self.weights = np.zeros((len(chart.cgm), 2, len(FEATURES) + 1))
            self.gradients, self._steps, self._rewards = [], [], []
        else:
            self._rewards.append(reward(chart.cgm))
            if minute % DAY == 0:
                self._learn()
        seen = np.column_stack([observe(chart), np.ones(len(chart.cgm))])
        noise = self._rng.standard_normal((len(seen), 2))
        self._steps.append(noise[:, :, None] * seen[:, None, :])
        wish = (self.weights @ seen[:, :, None])[:, :, 0] + self._spread * noise
        return shift_dose(self._controller(chart), np.clip(wish, -MOST, MOST))

    def _learn(self) -> None:
        """Take one step along the gradient of the day that has ended."""
        to_come = np.zeros((len(self._rewards) + 1, len(self.weights)))
        for step in reversed(range(len(self._rewards))):
            to_come[step] = self._rewards[step] + DISCOUNT * to_come[step + 1]
        advantage = to_come[:-1] - to_come[:-1].mean(axis=0)
        advantage = advantage / (advantage.std(axis=0) + 1e-8)
        steps = np.stack(self._steps)
        gradient = np.einsum("tp,tpax->pax", advantage, steps) / (len(steps) * self._spread)
        self.weights = self.weights + self._rate * gradient
        self.gradients.append(gradient)
        self._steps, self._rewards = [], []
