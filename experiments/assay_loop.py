"""How many hits a plan of assays finds when a model chooses, and when chance does.

Molecules of the delta opioid receptor whose Ki was measured; hits are the strongest 5 %. Each way
of choosing starts from 1 % drawn at random, then chooses 1 % in each of eleven rounds, so that
12 % are assayed in the end. All ways start from the same molecules with the same seed, and ratios
and differences are paired by seed. "greedy, 5 by chance" gives five places of each batch to a
random control, which shows how far the chosen molecules disappoint and what the pool is really
like. The pool is not a library: chemists chose these molecules because they expected them to be
strong. Five other pools are played by chance and greedily.

Looked at before: the delta pool, with these seeds, when the loop was built; nothing was tuned on
it. The five others were played once. Run it with ``python experiments/assay_loop.py``, about 4
CPU-minutes.
"""

import numpy as np
from tqdm import tqdm

from medml.course import experiment
from medml.data.catalogue import locate
from medml.data.compounds import load_activities
from medml.drugs.assay_loop import CHOOSERS, forest_draws, make_pool, run_loop
from medml.drugs.molecules import fingerprints
from medml.drugs.splits import scaffold
from medml.statistics import bootstrap_interval

TASK = "CHEMBL236_Ki"
OTHERS = ("CHEMBL237_Ki", "CHEMBL233_Ki", "CHEMBL219_Ki", "CHEMBL1862_Ki", "CHEMBL2971_Ki")
SEEDS = range(8)
STEP = 0.01  # share of the pool in a batch
ROUNDS = 11
CONTROL = 5
PLAIN = ("greedy", "random")  # ways that are played on the other pools
WAYS = [(name, name, 0) for name in CHOOSERS] + [("greedy, 5 by chance", "greedy", CONTROL)]


def load(task=TASK):
    """Return the pool of molecules of a target."""
    table = load_activities(task)
    return make_pool(fingerprints(table["smiles"]), table["pX"], table["smiles"].map(scaffold))


def play(pool, chooser, control, seed):
    """Play one loop; return its table."""
    batch = round(STEP * len(pool.measured))
    plan = {"start": batch, "batch": batch, "rounds": ROUNDS, "control": control}
    plan["surrogate"] = no_opinion if chooser == "random" else forest_draws
    return run_loop(pool, CHOOSERS[chooser], seed=seed, **plan)


def no_opinion(bits, values, candidates, generator):
    """Return a draw of nothing: chance needs no model."""
    return np.full((1, len(candidates)), np.nan)


def describe(task, way, pool, plays):
    """Return the row of one way: the course of each seed, and its end with intervals over seeds."""
    tables = plays[way]
    share, scaffolds = ends(tables)
    row = {"task": task, "way": way, "molecules": len(pool.hit), "hits": int(pool.hit.sum())}
    row |= {"assayed": tables[0]["assayed"].tolist(), "scaffolds_each": scaffolds.tolist()}
    row["share"] = [table["share"].tolist() for table in tables]
    chance, _ = ends(plays["random"])
    greedy = ends(plays["greedy"])
    row |= spread("found", np.mean, share)
    row |= spread("times_chance", lambda a, b: a.mean() / b.mean(), share, chance)
    row |= spread("scaffolds", np.mean, scaffolds)
    row |= spread("found_minus_greedy", np.mean, share - greedy[0])
    row |= spread("scaffolds_minus_greedy", np.mean, scaffolds - greedy[1])
    row["pool_mean"] = float(pool.measured.mean())
    for prefix in ("", "control_"):
        if tables[0][f"{prefix}predicted"].notna().any():
            measured = [table[f"{prefix}measured"].mean() for table in tables]
            gap = [table[f"{prefix}predicted"].mean() for table in tables]
            row |= spread(f"{prefix}measured", np.mean, np.array(measured))
            row |= spread(f"{prefix}disappointment", np.mean, np.subtract(gap, measured))
    return row


def ends(tables):
    """Return the share of hits and the number of their scaffolds at the end of each play."""
    return np.array([table.iloc[-1][["share", "scaffolds"]] for table in tables], float).T


def spread(name, statistic, *columns):
    """Return a statistic over seeds and its interval, as columns of a row."""
    interval = bootstrap_interval(statistic, *columns)
    return dict(zip((name, f"{name}_low", f"{name}_high"), interval, strict=True))


def main():
    """Play every way with every seed and store the courses."""
    rows = []
    for task in (TASK, *OTHERS):
        pool = load(task)
        ways = WAYS if task == TASK else [way for way in WAYS if way[0] in PLAIN]
        plays = {
            way: [play(pool, chooser, control, seed) for seed in tqdm(SEEDS, f"{task} {way}")]
            for way, chooser, control in ways
        }
        rows += [describe(task, way, pool, plays) for way in plays]
    experiment.store(
        __file__,
        rows,
        seed=0,
        packages=["numpy", "scikit-learn", "rdkit"],
        inputs=[locate("activities", f"{task}.csv") for task in (TASK, *OTHERS)],
    )


if __name__ == "__main__":
    main()
