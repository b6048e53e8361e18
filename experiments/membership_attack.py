"""Who was in the training set? A loss attack on overfitted, regularised and private models.

In each draw equally many patients of SUPPORT2 are trained on (members) and left aside (others).
The attacker asks each model for the risk of each patient and calls those with a low loss
members. Stored are the attack's results and each model's AUROC on further patients.

Run it with ``python experiments/membership_attack.py``, about 2 CPU-minutes.
"""

import numpy as np
from scipy.special import expit
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from tqdm import tqdm

from medml.course import experiment
from medml.data.catalogue import locate
from medml.data.membership import largest_advantage, loss_attack, loss_of_each
from medml.data.private_training import dp_sgd_noise, train_private
from medml.data.records import load_support2, textbook_features

SEED = 20261125
DRAWS = 200
HELD_OUT = 2700
MEMBERS = 1000
EPSILON, SAMPLING, STEPS, DELTA = 1.0, 0.1, 100, 1e-5
KEPT = 3  # draws stored one by one, for the test that recomputes them


def fit(name, x, y, noise, generator):
    """Return a trained model as a function from features to risks."""
    seed = int(generator.integers(2**31))
    if name.startswith("logistic, DP"):
        weights = train_private(
            x, y, noise=noise, sampling=SAMPLING, steps=STEPS, generator=generator
        )
        return lambda rows: expit(rows @ weights)
    model = {
        "forest, fully grown": RandomForestClassifier(100, random_state=seed),
        "forest, leaves of 30": RandomForestClassifier(100, min_samples_leaf=30, random_state=seed),
        "logistic, penalised": LogisticRegression(C=0.01, max_iter=1000),
    }[name].fit(x, y)
    return lambda rows: model.predict_proba(rows)[:, 1]


MODELS = (
    "forest, fully grown",
    "forest, leaves of 30",
    "logistic, penalised",
    "logistic, DP with ε = 1",
)


def one_draw(x, y, noise, draw):
    """Return for each model the attack's AUROC, advantage and catch, and the held-out AUROC."""
    generator = np.random.default_rng([SEED, draw])
    order = generator.permutation(len(y))
    test, members, others = np.split(
        order[: HELD_OUT + 2 * MEMBERS], [HELD_OUT, HELD_OUT + MEMBERS]
    )
    results = []
    for name in MODELS:
        risk = fit(name, x[members], y[members], noise, generator)
        losses = (loss_of_each(y[group], risk(x[group])) for group in (members, others))
        results.append([*loss_attack(*losses), roc_auc_score(y[test], risk(x[test]))])
    return results


def main():
    """Run all draws and store their means and 95 % ranges."""
    patients = load_support2()
    x, y = textbook_features(patients).to_numpy(), patients["hospdead"].to_numpy()
    noise = dp_sgd_noise(EPSILON, SAMPLING, STEPS, DELTA)
    draws = np.array([one_draw(x, y, noise, draw) for draw in tqdm(range(DRAWS))])
    rows = []
    for place, name in enumerate(MODELS):
        row = {"model": name, "members": MEMBERS}
        if "DP" in name:
            row["largest_advantage"] = largest_advantage(EPSILON, DELTA)
        for number, measure in enumerate(("attack", "advantage", "caught", "auroc")):
            column = draws[:, place, number]
            low, high = np.quantile(column, [0.025, 0.975])
            row |= {measure: column.mean(), f"{measure}_low": low, f"{measure}_high": high}
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
