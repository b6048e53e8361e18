"""How many hits a plan of assays finds when a model chooses, and when chance does.

Molecules of the delta opioid receptor whose Ki was measured; hits are the strongest 5 %. Each way
of choosing starts from 1 % drawn at random, then chooses 1 % in each of eleven rounds, so that
12 % are assayed in the end. All ways start from the same molecules with the same seed, and ratios
to chance are paired by seed. "greedy, 5 by chance" gives five places of each batch to a random
control, which shows how far the chosen molecules disappoint. The pool is not a library: chemists
chose these molecules because they expected them to be strong. Run it with
``python experiments/assay_loop.py``, about 2 CPU-minutes.
"""

import numpy as np
from tqdm import tqdm

from medml.course import experiment
from medml.data.catalogue import locate
from medml.data.compounds import load_activities
from medml.drugs.assay_loop import CHOOSERS, make_pool, run_loop
from medml.drugs.molecules import fingerprints
from medml.drugs.splits import scaffold
from medml.statistics import bootstrap_interval

TASK = "CHEMBL236_Ki"
SEEDS = range(8)
STEP = 0.01  # share of the pool in a batch
ROUNDS = 11
CONTROL = 5
WAYS = [(name, name, 0) for name in CHOOSERS] + [("greedy, 5 by chance", "greedy", CONTROL)]


def load():
    """Return the pool of molecules."""
    table = load_activities(TASK)
    return make_pool(fingerprints(table["smiles"]), table["pX"], table["smiles"].map(scaffold))


def play(pool, chooser, control, seed):
    """Play one loop; return its table."""
    batch = round(STEP * len(pool.measured))
    plan = {"start": batch, "batch": batch, "rounds": ROUNDS, "control": control}
    return run_loop(pool, CHOOSERS[chooser], seed=seed, **plan)


def describe(way, tables, chance):
    """Return the row of one way: the course of each seed, and its end with intervals over seeds."""
    share = np.array([table["share"] for table in tables])
    ratio = bootstrap_interval(lambda a, b: a.mean() / b.mean(), share[:, -1], chance)
    ends = [bootstrap_interval(np.mean, share[:, -1]), ratio]
    gap = np.mean([table["predicted"] - table["measured"] for table in tables], axis=0)[1:]
    row = {"way": way, "assayed": tables[0]["assayed"].tolist(), "share": share.tolist()}
    for name, (estimate, low, high) in zip(("found", "times_chance"), ends, strict=True):
        row |= {name: estimate, f"{name}_low": low, f"{name}_high": high}
    row["scaffolds"] = float(np.mean([table["scaffolds"].iloc[-1] for table in tables]))
    row["disappointment"] = float(gap.mean())
    if tables[0]["control_measured"].notna().any():
        gaps = [(table["control_predicted"] - table["control_measured"]).mean() for table in tables]
        row["control_disappointment"] = float(np.mean(gaps))
    return row


def main():
    """Play every way with every seed and store the courses."""
    pool = load()
    plays = {
        way: [play(pool, chooser, control, seed) for seed in tqdm(SEEDS, way)]
        for way, chooser, control in WAYS
    }
    chance = np.array([table["share"].iloc[-1] for table in plays["random"]])
    experiment.store(
        __file__,
        [describe(way, tables, chance) for way, tables in plays.items()],
        seed=0,
        packages=["numpy", "scikit-learn", "rdkit"],
        inputs=[locate("activities", f"{TASK}.csv")],
    )


if __name__ == "__main__":
    main()
