"""One day of simglucose 0.2.11 for each virtual patient: what our simulator must reproduce.

    cd benchmarks/peers
    ../../.venv-simglucose/bin/python simglucose_day.py ../../tests/treatment/golden.npz [NAME ...]

Runs in an environment of its own, made from requirements/simglucose.txt (`make bench` makes it),
and imports nothing of medml. Takes about 5 CPU-seconds a patient; prints how long the simulation
itself took. The file holds, for each patient:

names    as simglucose spells them, such as adult#001
carbs    (patients, 1440), g: meals, each announced in the minute in which eating begins
insulin  (patients, 1440), U/min: what the pump delivers in each minute
glucose  (patients, 289), mg/dL, float32: simglucose's BG every five minutes, the start included
state    (patients, 13): the state after 24 h
"""

import json
import sys
import time
import warnings

import numpy as np
import pandas as pd

warnings.simplefilter("ignore")  # gym and pkg_resources on their age
from simglucose.controller.basal_bolus_ctrller import CONTROL_QUEST  # noqa: E402  after the filter
from simglucose.patient.t1dpatient import PATIENT_PARA_FILE, Action, T1DPatient  # noqa: E402  likewise

MINUTES = 24 * 60
EVERY = 5
# Minute, g/kg, and what part of the right bolus is given how many minutes after the first bite.
# The day has a snack during lunch, late and small boluses (glucose passes the kidneys' threshold)
# and one that is too large (the liver's production stops), so that every branch is taken.
MEALS = (
    (420, 0.7, 1.0, 0),
    (570, 0.2, 0.0, 0),
    (720, 1.0, 0.7, 20),
    (725, 0.2, 0.0, 0),
    (1080, 0.9, 1.2, -10),
    (1290, 0.3, 1.0, 0),
)
NIGHT, NIGHT_BASAL = 300, 0.6  # until five in the morning, this part of the basal rate


def day(patient, carb_ratio):
    """Return the carbs (g) and the insulin (U/min) of each minute."""
    weight = patient._params.BW
    basal = patient._params.u2ss * weight / 6000
    carbs, insulin = np.zeros(MINUTES), np.full(MINUTES, basal)
    insulin[:NIGHT] *= NIGHT_BASAL
    for minute, per_kg, part, delay in MEALS:
        carbs[minute] += round(per_kg * weight)
        insulin[minute + delay] += round(part * carbs[minute] / carb_ratio, 2)
    return carbs, insulin


def simulate(patient, carbs, insulin):
    """Return BG every five minutes; the patient is left in its last state."""
    glucose = [patient.observation.Gsub]
    for minute in range(MINUTES):
        patient.step(Action(CHO=carbs[minute], insulin=insulin[minute]))
        if (minute + 1) % EVERY == 0:
            glucose.append(patient.observation.Gsub)
    return glucose


def main(path, names):
    """Simulate the patients and write the file."""
    names = names or pd.read_csv(PATIENT_PARA_FILE).Name.tolist()
    ratios = pd.read_csv(CONTROL_QUEST).set_index("Name").CR
    rows, cpu_s = [], 0.0
    for name in names:
        patient = T1DPatient.withName(name)
        carbs, insulin = day(patient, ratios[name])
        start = time.process_time()
        glucose = simulate(patient, carbs, insulin)
        cpu_s += time.process_time() - start
        rows.append((carbs, insulin, np.float32(glucose), patient.state))
    columns = dict(
        zip(("carbs", "insulin", "glucose", "state"), zip(*rows, strict=True), strict=True)
    )
    np.savez_compressed(path, names=names, **columns)
    print(json.dumps({"patients": len(names), "cpu_s": round(cpu_s, 2)}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
