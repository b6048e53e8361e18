"""Two simulated hospitals train one model of death in hospital without sharing a row.

SUPPORT2 does not say in which hospital a patient lay, so the hospitals are simulated: patients
with organ failure or in coma mostly go to A, all others mostly to B (`simulate_hospitals`). In
each draw the patients are split anew, and B is cut to a given number of training patients.
Stored are AUROCs on held-out patients of each hospital, for A alone, B alone, federated
averaging and the pooled rows, and their differences on B's held-out patients.

Run it with ``python experiments/federated_hospitals.py``, about 3 CPU-minutes.
"""

import numpy as np
from sklearn.metrics import roc_auc_score
from tqdm import tqdm

from medml.course import experiment
from medml.data.catalogue import locate
from medml.data.federated import federated_average, simulate_hospitals
from medml.data.records import load_support2, textbook_features

SEED = 20261126
DRAWS = 200
HELD_OUT = 2700
AT_B = (100, 300, 1000, 2500)
MODELS = ("A alone", "B alone", "federated", "pooled")
KEPT = 2  # draws stored one by one, for the test that recomputes them


def one_draw(patients, x, y, at_b, draw):
    """Return AUROCs: one row a model, columns held-out patients of A and of B."""
    generator = np.random.default_rng([SEED, at_b, draw])
    in_a = simulate_hospitals(patients, generator)
    order = generator.permutation(len(y))
    test, train = order[:HELD_OUT], order[HELD_OUT:]
    a, b = train[in_a[train]], train[~in_a[train]][:at_b]
    trained_on = {"A alone": [a], "B alone": [b], "federated": [a, b], "pooled": [np.r_[a, b]]}
    results = []
    for name in MODELS:
        weights = federated_average([(x[rows], y[rows]) for rows in trained_on[name]])
        held_out = (test[in_a[test]], test[~in_a[test]])
        results.append([roc_auc_score(y[rows], x[rows] @ weights) for rows in held_out])
    return results


def main():
    """Run all draws and store their means and 95 % ranges."""
    patients = load_support2()
    x, y = textbook_features(patients).to_numpy(), patients["hospdead"].to_numpy()
    rows = []
    for at_b in AT_B:
        draws = np.array(
            [one_draw(patients, x, y, at_b, draw) for draw in tqdm(range(DRAWS), f"B has {at_b}")]
        )
        for place, name in enumerate(MODELS):
            row = {"at_b": at_b, "model": name}
            columns = {"at A": draws[:, place, 0], "at B": draws[:, place, 1]}
            columns["over A alone"] = draws[:, place, 1] - draws[:, 0, 1]
            columns["over B alone"] = draws[:, place, 1] - draws[:, 1, 1]
            columns["under pooled"] = draws[:, 3, 1] - draws[:, place, 1]
            for measure, column in columns.items():
                low, high = np.quantile(column, [0.025, 0.975])
                row |= {measure: column.mean(), f"{measure} low": low, f"{measure} high": high}
            rows.append(row | {"first_draws": draws[:KEPT, place].tolist()})
    experiment.store(
        __file__,
        rows,
        seed=SEED,
        packages=["numpy", "scipy", "scikit-learn", "pandas"],
        inputs=[locate("support2", "support2.csv")],
    )


if __name__ == "__main__":
    main()
