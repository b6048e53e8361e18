"""What chance gives when there are more genes than patients.

Labels are drawn at random, half 0 and half 1, so that no gene can tell anything. For growing
numbers of samples and genes of NCI60 the script stores

- the AUROC of the best single gene, in either direction;
- the five-fold accuracy of a nearest-centroid classifier on ten genes that were selected with all
  samples in view (wrong), and selected within each training part (right).

Run it with ``python experiments/chance_genes.py``, about 8 CPU-minutes.
"""

import numpy as np
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from tqdm import tqdm

from medml.course import experiment
from medml.data.catalogue import locate
from medml.data.genes import load_nci60
from medml.statistics import column_auroc

SEED = 20261123
DRAWS = 1000
SAMPLES = (16, 32, 64)
GENES = (10, 100, 1000, 6830)
SELECTED = 10
KEPT = 5  # draws stored one by one, for the test that recomputes them


def one_draw(values, samples, genes, draw):
    """Return best AUROC and the accuracies with genes selected outside and inside the folds."""
    generator = np.random.default_rng([SEED, samples, genes, draw])
    rows = generator.permutation(len(values))[:samples]
    columns = generator.permutation(values.shape[1])[:genes]
    x = values[np.ix_(rows, columns)]
    y = generator.permutation(samples) % 2
    folds = StratifiedKFold(5, shuffle=True, random_state=draw)
    select = SelectKBest(f_classif, k=SELECTED)
    outside = cross_val_score(NearestCentroid(), select.fit_transform(x, y), y, cv=folds).mean()
    inside = cross_val_score(make_pipeline(select, NearestCentroid()), x, y, cv=folds).mean()
    auroc = column_auroc(x, y)
    return max(auroc.max(), 1 - auroc.min()), outside, inside


def main():
    """Run all draws and store their means and 95 % ranges."""
    values = load_nci60().values
    rows = []
    for samples in SAMPLES:
        for genes in GENES:
            draws = np.array(
                [
                    one_draw(values, samples, genes, draw)
                    for draw in tqdm(range(DRAWS), f"{samples} samples, {genes} genes")
                ]
            )
            row = {"samples": samples, "genes": genes}
            for name, column in zip(("best_auroc", "outside", "inside"), draws.T, strict=True):
                low, high = np.quantile(column, [0.025, 0.975])
                row |= {name: column.mean(), f"{name}_low": low, f"{name}_high": high}
            rows.append(row | {"first_draws": draws[:KEPT].tolist()})
    experiment.store(
        __file__,
        rows,
        seed=SEED,
        packages=["numpy", "scikit-learn"],
        inputs=[locate("nci60", "NCI60data.npy")],
    )


if __name__ == "__main__":
    main()
