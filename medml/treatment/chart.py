"""The chart at the bedside: what a controller may know, and the dose it answers with."""

from typing import NamedTuple

import numpy as np


class Rules(NamedTuple):
    """What a clinic knows of each patient, arrays of shape (patients,)."""

    basal: np.ndarray  # U/h
    carb_ratio: np.ndarray  # g/U
    correction_factor: np.ndarray  # (mg/dL)/U
    daily_dose: np.ndarray  # U/day
    weight: np.ndarray  # kg
    age: np.ndarray  # years


class Dose(NamedTuple):
    """Insulin for the next five minutes, arrays of shape (patients,)."""

    basal: np.ndarray  # U/h
    bolus: np.ndarray  # U


class Chart(NamedTuple):
    """What is known at the bedside, arrays of shape (patients,); the true glucose is not.

    Attributes
    ----------
    rules : Rules
    minute : minutes since the midnight before the first day
    cgm : what the sensor shows, mg/dL
    cgm_15, cgm_60 : what it showed 15 and 60 minutes ago (at first: its first reading)
    meal : carbohydrate announced for now, g
    iob, slow_iob : insulin on board beyond the basal rate, U; after a bolus the first is gone
        within 6 h, the second lasts twice as long. Negative after a pause of the basal rate.
    cob : announced carbohydrate and rescue carbohydrate on board, g
    """

    rules: Rules
    minute: np.ndarray
    cgm: np.ndarray
    cgm_15: np.ndarray
    cgm_60: np.ndarray
    meal: np.ndarray
    iob: np.ndarray
    slow_iob: np.ndarray
    cob: np.ndarray

    @property
    def trend(self) -> np.ndarray:
        """How fast the readings have changed over 15 minutes, (mg/dL)/min."""
        return (self.cgm - self.cgm_15) / 15
