"""Off-policy estimates on virtual patients: a day as one decision, or 288 decisions a day.

- Day by day: 200 logs of 30 patients for 4 days; each midnight the stronger clinic's basal rate is
  shifted by +10 %, -10 % or not, at random. A day is one decision; its score is the mean reward of
  the sensor's readings. The targets hold one shift for ever; the truth comes from letting them, on
  other days. The model of the doubly robust estimate is each patient's mean. Intervals draw whole
  patients.
- Step by step: 20 logs of 60 patient-days in which the basal rate is moved at random in each of
  288 steps, by a standard deviation of 10 %; the target moves it by 5 % more on average.

Looked at beforehand: what `evaluate` refuses was chosen on ICU-Sepsis, see ``off_policy.py``; on
these patients, four logs step by step with the same seeds. Run it with
``python experiments/off_policy_insulin.py``, about 1 CPU-minute.
"""

import numpy as np
from tqdm import tqdm

from medml.course import experiment
from medml.data.catalogue import locate
from medml.data.virtual_patients import load_virtual_patients
from medml.treatment.controllers import stronger_clinic
from medml.treatment.course import treat
from medml.treatment.exploration import DailyTrial, StepTrial, shifted
from medml.treatment.interval_coverage import judge, summarise_coverage
from medml.treatment.measures import reward
from medml.treatment.off_policy import evaluate

SEED = 20_000
LOGS = 200
ARMS = {"no shift": (0, 0), "basal +10 %": (0.1, 0), "basal -10 %": (-0.1, 0)}
DAYS, LOGS_AT_ONCE, TRUE_TIMES = 4, 25, 40
STEP_LOGS, PATIENT_DAYS, SPREAD, MORE = 20, 60, 0.1, 0.05


def day_scores(course, days):
    """Return the mean reward of the sensor's readings of each day, shape (episodes, days)."""
    return reward(course.cgm[:, 1:]).reshape(len(course.cgm), days, -1).mean(axis=2)


def true_scores(times=TRUE_TIMES):
    """Return the score of each arm when all patients keep it, on other days."""
    names = load_virtual_patients().index.tolist() * times
    seed = 1000 * SEED
    return {
        name: float(
            day_scores(
                treat(shifted(stronger_clinic, arm), names, seed=seed, days=DAYS), DAYS
            ).mean()
        )
        for name, arm in ARMS.items()
    }


def daily_logs(truths, number, logs=LOGS_AT_ONCE):
    """Return the rows of some logs that are simulated side by side."""
    patients = load_virtual_patients().index.to_numpy()
    trial = DailyTrial(stronger_clinic, list(ARMS.values()), np.random.default_rng([SEED, number]))
    seed = 2000 * SEED + 10_000 * number
    course = treat(trial, patients.tolist() * logs, seed=seed, days=DAYS)
    arms = np.stack(trial.drawn, axis=1).reshape(logs, -1)
    scores, rows = day_scores(course, DAYS).reshape(logs, -1), []
    of_patient = np.repeat(patients, DAYS)
    for arm, score in zip(arms, scores, strict=True):
        means = score.reshape(len(patients), DAYS).mean(axis=1)
        model = np.repeat(means, DAYS)[:, None]
        values = model, np.column_stack([model, np.zeros(len(model))])
        for place, name in enumerate(ARMS):
            weights = len(ARMS) * (arm == place).astype(float)[:, None]
            answer = evaluate(
                weights, score[:, None], values, patients=of_patient, refuse=False, seed=number
            )
            rows += judge(answer, truths[name], target=name)
    return rows


def step_logs(logs=STEP_LOGS):
    """Return the rows of logs in which every step was moved at random, and the truth by target."""
    names = np.resize(load_virtual_patients().index, PATIENT_DAYS * logs).tolist()
    scores, trials = [], []
    for mean in (0.0, MORE):
        trials.append(StepTrial(stronger_clinic, SPREAD, np.random.default_rng(SEED), mean))
        course = treat(trials[-1], names, seed=3000 * SEED, days=1)
        scores.append(reward(course.cgm[:, 1:]) / course.insulin.shape[1])
    target, truth = "5 % more basal insulin", float(scores[1].sum(axis=1).mean())
    weights, rows = trials[0].step_weights(MORE), []
    for log in range(logs):
        part = slice(PATIENT_DAYS * log, PATIENT_DAYS * (log + 1))
        answer = evaluate(weights[part], scores[0][part], refuse=False, seed=log)
        rows += judge(answer, truth, target=target)
    return rows, {target: truth}


def main():
    """Draw all logs and store how the estimates did."""
    truths, batches = true_scores(), range(LOGS // LOGS_AT_ONCE)
    rows = [row for n in tqdm(batches, "days") for row in daily_logs(truths, n)]
    result = [{"decision": "day"} | row for row in summarise_coverage(rows, truths)]
    result += [{"decision": "step"} | row for row in summarise_coverage(*step_logs())]
    experiment.store(
        __file__,
        result,
        seed=SEED,
        packages=["numpy", "scipy", "pandas"],
        inputs=[locate("virtual-patients", "vpatient_params.csv")],
    )


if __name__ == "__main__":
    main()
