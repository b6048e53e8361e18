"""Which part of a sum of relatives helps kappa: one forest, two, or all three?

In ``transfer_relatives`` kappa gains by the sum of the forests of mu, delta and dopamine D3. Here
each of these forests stands beside the ten views alone, each pair and all three, with the same
prior; and so does the sum of the three sources' own predictions p (``sources.SourceView``), which
tells what the forests do.

What had been looked at before: everything. This explains a result that was known, on its own
target, draws and labels (seeds from 500 on). Nothing was chosen by it, and it promises nothing for
other draws.

Run it with ``python experiments/transfer_parts.py``, about 2 CPU-minutes.
"""

from itertools import combinations

from scipy.stats import zscore
from sklearn.metrics import roc_auc_score
from transfer_relatives import SEEDS, source_of
from transfer_targets import KAPPA, draw, load, plain, score_process

from medml.course import experiment
from medml.data.catalogue import locate
from medml.data.compounds import load_targets
from medml.drugs.baselines import ACTIVE
from medml.drugs.sources import add_sum, best_views, relatives

SIZES = (16, 32, 64)
PREDICTIONS = "own predictions"  # of the sources' processes, in place of their forests


def sums_of(source, target):
    """Return the ten views, and the same with each sum; the sum is the last view."""
    families = load_targets()["family"]
    ten = best_views(source, target.bits)
    near = relatives(ten, families, families[KAPPA])
    names = [view.name for view in near]
    parts = [part for count in (1, 2, 3) for part in combinations(names, count)]
    views = {"+".join(part): add_sum(ten, source, target.bits, part) for part in parts}
    whole = views["+".join(names)]
    total = zscore(sum(zscore(view.mean) for view in near))
    return ten, views | {PREDICTIONS: [*ten, whole[-1]._replace(mean=total)]}


def main():
    """Score each sum without a label of kappa, and with 16 to 64; store all."""
    activities, rows, target = load(KAPPA)
    ten, views = sums_of(source_of("clean", activities, rows), target)
    active = target.px >= ACTIVE
    results = [
        {"part": "no label", "added": name, "auroc": plain(roc_auc_score(active, each[-1].mean))}
        for name, each in views.items()
    ]
    for name, each in {"nothing": ten, **views}.items():
        for size in SIZES:
            scores = []
            for seed in SEEDS:
                test, order = draw(target, seed)
                found = score_process(target, order[:size], test, each)
                scores.append(plain(found["auroc"]))
            results.append({"part": "scores", "added": name, "n": size, "auroc": scores})
    experiment.store(
        __file__,
        results,
        seed=SEEDS[0],
        packages=["numpy", "rdkit", "scikit-learn", "scipy"],
        inputs=[locate("activities", f"{task}.csv") for task in sorted(load_targets().index)],
    )


if __name__ == "__main__":
    main()
