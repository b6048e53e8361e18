"""What a pretrained network gives a new target: which layers move, and what pulls them back.

Two targets, the delta opioid receptor and the kinase ABL1. A network of shared layers learns all
source tasks at once, once a target; then it is tuned to 16 to 256 labels. Test halves and labels
are those of ``transfer_targets.py``, seed by seed, so that both can be compared in pairs. Intervals
over seeds hold for this one source network.

- arms: training from scratch, linear probe, first layer frozen, all layers, L2-SP (α = 0.1,
  β = 0.01; and β = 0, no penalty on the new head), the document's loss with λ up to 1;
- plain gradient descent: the same loss, with the learning rate η, and with η / (1 − λ);
- leaky: the source network has seen the target's molecules in other proteins' assays, for as many
  epochs as the clean one;
- random split: the test half is drawn molecule by molecule.

What had been looked at before: weight transfer of this kind on delta, in earlier work, eight seeds;
this code on delta with 64 labels, seeds 0 and 1, which set the learning rate of plain gradient
descent. α and β were not tuned. The seeds here, from 100 on, had not been used for networks.

Run it with ``python experiments/transfer_networks.py``, about 15 CPU-minutes.
"""

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from tqdm import tqdm

from medml.course import experiment
from medml.data.catalogue import locate
from medml.data.compounds import load_activities, load_targets
from medml.drugs.baselines import ACTIVE
from medml.drugs.finetuning import fine_tune, l2_sp, transfer_loss
from medml.drugs.molecules import fingerprints
from medml.drugs.multitask import MultiTask, pretrain, seeded
from medml.drugs.overlap import drop_overlap
from medml.drugs.splits import hold_out, scaffold

SEEDS = range(100, 112)
FEW, SIZES = (16, 32, 64), (16, 32, 64, 128, 256)
DELTA, ABL1 = "CHEMBL236_Ki", "CHEMBL1862_Ki"
LAMBDAS = (0.01, 0.1, 0.5, 0.9, 1.0)
RATE = 0.03  # of plain gradient descent
SCRATCH = "from scratch"
ARMS = {
    SCRATCH: {},
    "linear probe": {"frozen": 2},
    "first layer frozen": {"frozen": 1},
    "all layers": {},
    "L2-SP": {"objective": l2_sp(0.1, 0.01)},
}
PULLS = {f"λ = {lam:g}": {"objective": transfer_loss(lam)} for lam in LAMBDAS}
PULLS["L2-SP, head free"] = {"objective": l2_sp(0.1, 0)}
DESCENT = {
    f"descent, λ = {lam:g}{words}": {
        "objective": transfer_loss(lam),
        "rate": rate,
        "optimiser": torch.optim.SGD,
    }
    for lam in (0, 0.1, 0.5, 0.9)
    for words, rate in (("", RATE), (", apart", RATE / (1 - lam)))
    if lam or not words
}
# Target, source, split, arms, numbers of labels.
PLAN = [
    (DELTA, "clean", "scaffold", ARMS, SIZES),
    (DELTA, "clean", "scaffold", PULLS | DESCENT, FEW),
    (DELTA, "clean", "random", {name: ARMS[name] for name in (SCRATCH, "all layers")}, FEW),
    (
        DELTA,
        "leaky",
        "scaffold",
        {name: ARMS[name] for name in ("linear probe", "all layers")},
        FEW,
    ),
    (ABL1, "clean", "scaffold", ARMS, SIZES),
    (ABL1, "clean", "scaffold", PULLS, FEW),
]


def load(task):
    """Return fingerprints, pX and scaffolds of a target's molecules."""
    rows = load_activities(task)
    return fingerprints(rows["smiles"]), rows["pX"].to_numpy(), rows["smiles"].map(scaffold)


def source_body(task, source):
    """Train the source network of a target; return its shared layers and the rows it learned."""
    activities = load_activities()
    rows = activities[activities["task"] == task]
    left = activities[~activities["task"].str.startswith(task.split("_")[0])]
    if source == "clean":
        left = drop_overlap(activities, rows)
    learned = fingerprints(left["smiles"]), left["task"].astype(str), left["pX"]
    return pretrain(*learned, seed=0).body, len(left)


def draw(px, scaffolds, seed, split):
    """Return the rows of the test half, and all others in the order in which they are labelled."""
    test = hold_out(scaffolds if split == "scaffold" else np.arange(len(px)), 0.5, seed)
    order = np.random.default_rng(seed).permutation(np.flatnonzero(~test))
    return np.flatnonzero(test), order


def tune(body, arm, settings, data, labelled, test, seed):
    """Tune once: AUROC on the test half, distance from θ_s, squared error of the labels."""
    bits, px = data
    if arm == SCRATCH:
        body = seeded(seed, lambda: MultiTask(["none"])).body
    tuned = fine_tune(body, bits[labelled], px[labelled], seed=seed, **settings)
    pairs = zip(tuned.body.parameters(), body.parameters(), strict=True)
    moved = sum(((own - start) ** 2).sum().item() for own, start in pairs) ** 0.5
    rest = (tuned.predict(bits[labelled]) - px[labelled]) / px[labelled].std()
    score = roc_auc_score(px[test] >= ACTIVE, tuned.predict(bits[test]))
    return {"auroc": score, "moved": moved, "label_error": np.mean(rest**2)}


def run(body, task, split, arms, sizes, seeds=SEEDS):
    """Yield a row for each arm and number of labels: lists over the seeds."""
    bits, px, scaffolds = load(task)
    draws = {seed: draw(px, scaffolds, seed, split) for seed in seeds}
    for arm, settings in tqdm(arms.items(), f"{task}, {split}"):
        for size in sizes:
            found = [
                tune(body, arm, settings, (bits, px), order[:size], test, seed)
                for seed, (test, order) in draws.items()
            ]
            lists = {name: [float(f"{each[name]:.5g}") for each in found] for name in found[0]}
            yield {"arm": arm, "n": size} | lists


def main():
    """Pretrain each source once, run the plan and store it."""
    torch.set_num_threads(1)
    bodies, rows = {}, []
    for task, source, split, arms, sizes in PLAN:
        if (task, source) not in bodies:
            bodies[task, source], count = source_body(task, source)
            rows.append({"part": "source", "task": task, "source": source, "rows": count})
        about = {"part": "scores", "task": task, "source": source, "split": split}
        rows += [about | row for row in run(bodies[task, source], task, split, arms, sizes)]
    experiment.store(
        __file__,
        [{"part": "seeds", "seeds": list(SEEDS)}, *rows],
        seed=SEEDS[0],
        packages=["numpy", "rdkit", "scikit-learn", "torch"],
        inputs=[locate("activities", f"{task}.csv") for task in load_targets().index],
    )


if __name__ == "__main__":
    main()
