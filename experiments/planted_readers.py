"""How well Dawid and Skene's model recovers readers whose confusion matrices are known.

Readers are invented: each row of each matrix is right with a chance between 0.55 and 0.9, the rest
is spread at random over the wrong classes. For growing numbers of items the script stores the mean
absolute error of the matrices

- by the model, which sees the ratings only;
- counted against the majority vote, taken for the truth;
- counted against the truth, which nobody has: the best that can be.

It does so for four readers with matrices of their own and for four readings by one matrix
(``shared``). Then the assumption is broken: a share of the malignant items looks benign to every
reader. Run it with ``python experiments/planted_readers.py``, about 4 CPU-minutes.
"""

import numpy as np
from tqdm import tqdm

from medml.course import experiment
from medml.data.labels import dawid_skene, plant_ratings

SEED = 20261125
PLANTS = 100
READERS = 4
CLASSES = (2, 3, 5)
ITEMS = (200, 1000, 5000)
HIDDEN = (0.0, 0.1, 0.2, 0.3, 0.4)
KEPT = 2  # plants stored one by one, for the test that recomputes them


def plant_readers(classes, generator):
    """Return invented confusion matrices, shape (READERS, classes, classes)."""
    right = generator.uniform(0.55, 0.9, size=(READERS, classes))
    wrong = generator.dirichlet(np.ones(classes - 1), size=(READERS, classes))
    confusion = np.empty((READERS, classes, classes))
    for row in np.ndindex(READERS, classes):
        confusion[row] = np.insert((1 - right[row]) * wrong[row], row[1], right[row])
    return confusion


def count(ratings, truth, classes):
    """Return the confusion matrices counted against a known truth."""
    said = ratings[..., None] == np.arange(classes)
    each = [said[truth == k].sum(axis=0) for k in range(classes)]
    matrices = np.stack(each, axis=1) + 1 / classes
    return matrices / matrices.sum(axis=2, keepdims=True)


def one_plant(classes, items, shared, plant):
    """Return the errors by the model, by the majority and by the truth, and both accuracies."""
    generator = np.random.default_rng([SEED, classes, items, shared, plant])
    confusion = plant_readers(classes, generator)
    if shared:
        confusion[:] = confusion[0]
    truth = generator.choice(classes, size=items, p=generator.dirichlet(np.full(classes, 5.0)))
    ratings = plant_ratings(truth, confusion, generator)
    model = dawid_skene(ratings, shared=shared, classes=range(classes))
    majority = (ratings[..., None] == np.arange(classes)).sum(axis=1).argmax(axis=1)
    errors = []
    for matrices in (
        model.confusion,
        count(ratings, majority, classes),
        count(ratings, truth, classes),
    ):
        matrix = matrices.mean(axis=0, keepdims=True) if shared else matrices
        errors.append(np.abs(matrix - confusion).mean())
    accuracies = [(guess == truth).mean() for guess in (model.posterior.argmax(axis=1), majority)]
    return [*errors, *accuracies]


def one_hidden(share, plant):
    """Return the true sensitivity of readers who share an error, and the one that is estimated."""
    generator = np.random.default_rng([SEED, round(100 * share), plant])
    truth = (generator.random(5000) < 0.4).astype(int)
    seen = truth * (generator.random(5000) >= share)  # what the item looks like to everybody
    ratings = plant_ratings(seen, [[[0.9, 0.1], [0.15, 0.85]]] * READERS, generator)
    model = dawid_skene(ratings)
    return [ratings[truth == 1].mean(), model.confusion[:, 1, 1].mean()]


def describe(names, plants):
    """Return mean and 95 % range of each column over the plants."""
    row = {}
    for name, column in zip(names, np.asarray(plants).T, strict=True):
        low, high = np.quantile(column, [0.025, 0.975])
        row |= {name: column.mean(), f"{name}_low": low, f"{name}_high": high}
    return row | {"first_plants": plants[:KEPT]}


def main():
    """Plant all readers and store what is recovered."""
    names = ("model", "majority", "truth", "model_accuracy", "majority_accuracy")
    rows = []
    for shared in (False, True):
        for classes in CLASSES:
            for items in ITEMS:
                plants = [
                    one_plant(classes, items, shared, plant)
                    for plant in tqdm(range(PLANTS), f"{classes} classes, {items} items")
                ]
                row = {"part": "recovery", "shared": shared, "classes": classes, "items": items}
                rows.append(row | describe(names, plants))
    for share in HIDDEN:
        plants = [one_hidden(share, plant) for plant in tqdm(range(PLANTS), f"hidden {share}")]
        rows.append({"part": "hidden", "share": share} | describe(("true", "estimated"), plants))
    experiment.store(__file__, rows, seed=SEED, packages=["numpy", "scipy"], inputs=[])


if __name__ == "__main__":
    main()
