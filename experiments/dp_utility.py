"""What privacy costs: AUROC of a private model of death in hospital, for growing ε.

In each draw SUPPORT2's patients are split by chance into training and held-out patients. A
logistic model is trained by DP-SGD at each ε, and once in the same way without noise. Stored are
the AUROC on the held-out patients and its difference from the run without noise.

Run it with ``python experiments/dp_utility.py``, about 1 CPU-minute.
"""

import math

import numpy as np
from sklearn.metrics import roc_auc_score
from tqdm import tqdm

from medml.course import experiment
from medml.data.catalogue import locate
from medml.data.private_training import dp_sgd_noise, train_private
from medml.data.records import load_support2, textbook_features

SEED = 20261124
DRAWS = 200
HELD_OUT = 2700
PATIENTS = (300, 1000, 6000)
EPSILONS = (0.1, 0.3, 1.0, 3.0, 10.0)
SAMPLING, STEPS, DELTA = 0.1, 100, 1e-5
KEPT = 3  # draws stored one by one, for the test that recomputes them


def noises():
    """Return the noise multiplier of each ε; 0 stands for no privacy at all."""
    return {epsilon: dp_sgd_noise(epsilon, SAMPLING, STEPS, DELTA) for epsilon in EPSILONS} | {
        math.inf: 0.0
    }


def one_draw(x, y, patients, noise_of, draw):
    """Return the held-out AUROC for each ε on one split."""
    generator = np.random.default_rng([SEED, patients, draw])
    order = generator.permutation(len(y))
    test, train = order[:HELD_OUT], order[HELD_OUT : HELD_OUT + patients]
    settings = {"sampling": SAMPLING, "steps": STEPS, "generator": generator}
    weights = [train_private(x[train], y[train], noise=n, **settings) for n in noise_of.values()]
    return [roc_auc_score(y[test], x[test] @ one) for one in weights]


def main():
    """Run all draws and store their means and 95 % ranges."""
    patients = load_support2()
    x, y = textbook_features(patients).to_numpy(), patients["hospdead"].to_numpy()
    noise_of = noises()
    rows = []
    for size in PATIENTS:
        draws = np.array(
            [
                one_draw(x, y, size, noise_of, draw)
                for draw in tqdm(range(DRAWS), f"{size} patients")
            ]
        )
        for place, (epsilon, noise) in enumerate(noise_of.items()):
            auroc, cost = draws[:, place], draws[:, -1] - draws[:, place]
            row = {"patients": size, "epsilon": epsilon if noise else None, "noise": noise}
            for name, column in (("auroc", auroc), ("cost", cost)):
                low, high = np.quantile(column, [0.025, 0.975])
                row |= {name: column.mean(), f"{name}_low": low, f"{name}_high": high}
            rows.append(row | {"first_draws": auroc[:KEPT].tolist()})
    experiment.store(
        __file__,
        rows,
        seed=SEED,
        packages=["numpy", "scipy", "scikit-learn", "pandas"],
        inputs=[locate("support2", "support2.csv")],
    )


if __name__ == "__main__":
    main()
