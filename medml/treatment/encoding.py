"""What a policy sees and what its actions mean, the same for a child and for an adult.

An action has two numbers from -1 to 1, relative to what the patient gets anyhow. The first moves
the basal rate: -1 stops it, 0 keeps it, 1 gives four times as much. The second moves the advised
bolus at meals: -1 halves it, 0 keeps it, 1 gives half as much again. So the action (0, 0) is the
stronger clinic.
"""

import numpy as np

from medml.treatment.chart import Chart, Dose
from medml.treatment.controllers import MOST_BASAL, TARGET, advised_bolus

LIMIT = 10.0  # features are cut to -10 … 10
BOLUS_SPAN = 0.5
FEATURES = (
    "glucose: (cgm - 140) / 100 mg/dL",
    "change in 15 min / 30 mg/dL",
    "change in 60 min / 100 mg/dL",
    "insulin on board / tenth of the daily dose",
    "slow insulin on board / tenth of the daily dose",
    "carbohydrate on board / CR / tenth of the daily dose",
    "announced meal / CR / tenth of the daily dose",
    "where all on board would lead: (cgm + CF (carbs / CR - insulin) - 140) / 100 mg/dL",
    "sine of the time of day",
    "cosine of the time of day",
)
DESCRIPTORS = (
    "weight / 70 kg",
    "age / 40 years",
    "daily dose / 50 U",
    "CR / 10 g/U",
    "CF / 20 (mg/dL)/U",
    "basal rate / 1 U/h",
)


def observe(chart: Chart, descriptors: bool = False) -> np.ndarray:
    """Return what a policy sees: `FEATURES`, scaled by the patient's own rules.

    Parameters
    ----------
    chart : Chart
    descriptors : bool
        Whether the raw `DESCRIPTORS` come behind; with 24 patients to learn from, a network can
        tell by them who it treats.

    Returns
    -------
    numpy.ndarray of shape (patients, 10 or 16), float32

    Raises
    ------
    ValueError
        If a sensor gives no reading: a policy has not learnt to dose without.
    """
    if np.isnan(chart.cgm).any():
        row = np.flatnonzero(np.isnan(chart.cgm))[0]
        raise ValueError(f"the sensor of row {row} is dead: dose by the clinic's rules instead")
    rules, tenth = chart.rules, chart.rules.daily_dose / 10
    carbs, meal = chart.cob / rules.carb_ratio, chart.meal / rules.carb_ratio
    error, time = chart.cgm - TARGET, chart.minute * (2 * np.pi / 1440)
    columns = [
        error / 100,
        (chart.cgm - chart.cgm_15) / 30,
        (chart.cgm - chart.cgm_60) / 100,
        chart.iob / tenth,
        chart.slow_iob / tenth,
        carbs / tenth,
        meal / tenth,
        (error + rules.correction_factor * (carbs + meal - chart.iob)) / 100,
        np.sin(time),
        np.cos(time),
    ]
    if descriptors:
        columns += [rules.weight / 70, rules.age / 40, rules.daily_dose / 50]
        columns += [rules.carb_ratio / 10, rules.correction_factor / 20, rules.basal]
    return np.clip(np.stack(columns, axis=1), -LIMIT, LIMIT).astype(np.float32)


def doses(chart: Chart, action: np.ndarray) -> Dose:
    """Return the doses that actions stand for.

    Parameters
    ----------
    chart : Chart
    action : array_like of shape (patients, 2)
        See the head of this module.

    Returns
    -------
    Dose

    Raises
    ------
    ValueError
        If the shape is another or a number lies outside -1 to 1.
    """
    action = np.asarray(action, float)
    if action.shape != (len(chart.cgm), 2):
        msg = f"expected actions of shape {(len(chart.cgm), 2)}, got {action.shape}"
        raise ValueError(msg)
    if not (np.abs(action) <= 1).all():  # also for NaN
        wrong = action[~(np.abs(action) <= 1)][0]
        raise ValueError(f"an action of {wrong} is outside -1 to 1: clip it before")
    move = action[:, 0]
    factor = 1 + np.where(move > 0, (MOST_BASAL - 1) * move, move)
    return Dose(chart.rules.basal * factor, advised_bolus(chart) * (1 + BOLUS_SPAN * action[:, 1]))
