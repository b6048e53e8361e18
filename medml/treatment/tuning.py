"""The clinic with two numbers tuned: a rival that every learned policy has to beat."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from medml.treatment.chart import Chart, Dose
from medml.treatment.controllers import advised_bolus
from medml.treatment.course import treat
from medml.treatment.measures import adverse, cure, measure, risk

BASAL_FACTORS = (0.8, 0.9, 1.0, 1.1, 1.2, 1.3)
BOLUS_FACTORS = (0.5, 0.7, 0.85, 1.0, 1.15, 1.3, 1.5)


class Tuned(NamedTuple):
    """The stronger clinic with everybody's basal rate and advised bolus times a factor.

    Attributes
    ----------
    basal, bolus : float or array of shape (patients,)
    """

    basal: float | np.ndarray
    bolus: float | np.ndarray

    def __call__(self, chart: Chart) -> Dose:
        """Return the dose for the next five minutes."""
        return Dose(self.basal * chart.rules.basal, self.bolus * advised_bolus(chart))


def try_factors(names: Sequence[str], *, seed: int, days: int = 2, **setting) -> pd.DataFrame:
    """Treat every patient with every pair of factors.

    Parameters
    ----------
    names : sequence of str
    seed : int
        See `treat`; every pair meets the same episodes.
    days : int
    **setting
        See `Ward`.

    Returns
    -------
    DataFrame
        One row a pair: `basal`, `bolus`, the means of `measure`, of `cure`, `adverse` and of the
        low risk in each reading (`low_risk`), and `rescue`, grams a day.
    """
    grid = np.array([(b, m) for b in BASAL_FACTORS for m in BOLUS_FACTORS])
    basal, bolus = np.repeat(grid, len(names), axis=0).T
    seeds = np.tile(seed + np.arange(len(names)), len(grid))
    course = treat(Tuned(basal, bolus), list(names) * len(grid), seed=seeds, days=days, **setting)
    table = measure(course.glucose).assign(
        basal=basal,
        bolus=bolus,
        cure=cure(course.glucose).mean(axis=1),
        adverse=adverse(course.glucose).mean(axis=1),
        low_risk=risk(course.glucose)[0].mean(axis=1),
        rescue=course.rescue.sum(axis=1) / days,
    )
    return table.groupby(["basal", "bolus"], as_index=False).mean()


def tune_clinic(names: Sequence[str], *, seed: int) -> Callable[[Chart], Dose]:
    """Return the pair of factors with the highest mean reward on these patients.

    Examples
    --------
    >>> tune_clinic(["child#001"], seed=1)
    Tuned(basal=..., bolus=...)
    """
    table = try_factors(list(names) * 2, seed=seed)
    best = table.loc[(table["cure"] - table["adverse"]).idxmax()]
    return Tuned(float(best["basal"]), float(best["bolus"]))
