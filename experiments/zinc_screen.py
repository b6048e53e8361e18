"""1.9 million molecules of ZINC ranked for the delta opioid receptor: hits, rates, memory.

Two models rank the library. The document's: a network pretrained on the other proteins of the
activities (whatever overlaps with the receptor dropped), then fine-tuned on the receptor's Ki. And
a Gaussian process of the receptor's Ki alone, which knows when it does not know. Both are judged
first, with simpler ones, on molecules of scaffolds that they have not seen: how well do the strong
ones (pX ≥ 7) stand out among 20,000 of ZINC, presumed inactive, and among measured molecules of
the same scaffolds, which is harder? Does the interval of the Gaussian process hold what it
promises? Then, taught by all, they screen 50,000 molecules and the whole library.

Looked at before: an earlier draft judged network, forest and nearest active with this seed. The
Gaussian process has no setting that was chosen on this receptor's test part; it takes part because
the draft's best hits lay outside the network's domain. Run it with
``python experiments/zinc_screen.py``, about 15 CPU-minutes.
"""

import os
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import torch

from medml.course import experiment
from medml.data.catalogue import dataset, locate
from medml.data.compounds import library_paths, load_activities
from medml.data.smiles import sample_smiles
from medml.drugs import gaussian_process
from medml.drugs.baselines import ACTIVE, nearest_active, random_forest
from medml.drugs.enrichment import bedroc, enrichment_factor, largest_enrichment
from medml.drugs.finetuning import fine_tune
from medml.drugs.hits import domain_edge, nearest
from medml.drugs.kernel_model import KernelModel
from medml.drugs.molecules import fingerprints, parse
from medml.drugs.multitask import pretrain
from medml.drugs.overlap import drop_overlap
from medml.drugs.screening import screen
from medml.drugs.similarity import tanimoto
from medml.drugs.splits import hold_out, scaffold
from medml.statistics import bootstrap_interval, column_auroc

TASK = "CHEMBL236_Ki"
SEED = 20261127
DECOYS = 20_000
PART = 50_000  # molecules of the smaller screen
TOP = 1000
SHOWN = 50  # hits of each model that are stored
EACH = 50  # decoys of the same size for an active
MEASURES = {
    "enrichment_1": enrichment_factor,
    "bedroc": bedroc,
    "auroc": lambda scores, active: float(column_auroc(scores[:, None], active)[0]),
}


def source_body(target):
    """Return the body of a network that has learned everything but the target."""
    source = drop_overlap(load_activities(), target)
    bits = fingerprints(source["smiles"])
    return pretrain(bits, source["task"].astype(str), source["pX"].to_numpy(), SEED).body


def split(target):
    """Tell which molecules are for testing: whole scaffolds, three in ten molecules."""
    return hold_out(target["smiles"].map(scaffold), 0.3, SEED).astype(bool)


def process(train, labels, asked):
    """Return the Gaussian process's prediction of the molecules that are asked."""
    every = np.vstack([train, asked])
    return gaussian_process.predict(tanimoto(every, every), np.arange(len(train)), labels)


def of_one_size(atoms, active):
    """Return the places of actives and, for each, 50 decoys with as many heavy atoms.

    An active for which there are not enough is left out.
    """
    generator = np.random.default_rng(SEED)
    places, free = [], ~active
    for one in np.flatnonzero(active):
        alike = np.flatnonzero(free & (atoms == atoms[one]))
        if len(alike) >= EACH:
            drawn = generator.choice(alike, EACH, replace=False)
            free[drawn] = False
            places += [one, *drawn]
    return np.array(places, int)


def judge(target, body=None, decoys=DECOYS):
    """Return a row for each model and each kind of decoy; without a body, all but the network."""
    test = split(target)
    texts = target["smiles"][test].tolist()
    strong = target["pX"][test].to_numpy() >= ACTIVE
    spike = sample_smiles(library_paths(), decoys, SEED) if decoys else []
    asked = fingerprints([*texts, *spike])
    atoms = np.array([parse(text).GetNumAtoms() for text in (*texts, *spike)], float)
    train, labels = fingerprints(target["smiles"][~test]), target["pX"][~test].to_numpy()
    models = {
        "heavy atoms": lambda: atoms,
        "nearest active": lambda: nearest_active(train, labels, asked),
        "random forest": lambda: random_forest(train, labels, asked, seed=SEED),
        "Gaussian process": lambda: KernelModel(train, labels).predict(asked),
    }
    if body is not None:
        models["network"] = lambda: fine_tune(body, train, labels, seed=SEED).predict(asked)
    # Molecules of one scaffold are alike, so intervals draw scaffolds; a decoy stands for itself.
    group = np.array([*(scaffold(text) for text in texts), *(f"decoy {n}" for n in range(decoys))])
    active = np.r_[strong, np.zeros(decoys, bool)]
    kinds = {"measured": np.arange(len(strong))}
    if decoys:
        spiked = np.r_[np.flatnonzero(strong), len(strong) + np.arange(decoys)]
        kinds["ZINC"] = spiked
        kinds["ZINC, same size"] = spiked[of_one_size(atoms[spiked], active[spiked])]
    rows = []
    for name, predict in models.items():
        scores = predict()
        for kind, places in kinds.items():
            row = {"part": "judge", "model": name, "decoys": kind}
            row |= {"molecules": len(places), "actives": int(active[places].sum())}
            row |= {"largest_1": largest_enrichment(active[places])}
            rows.append(row | measure(scores[places], active[places], group[places]))
    return rows


def measure(scores, active, group):
    """Return the measures with their bootstrap intervals."""
    row = {}
    for name, function in MEASURES.items():
        interval = bootstrap_interval(function, scores, active, patients=group, resamples=200)
        row |= dict(zip((name, f"{name}_low", f"{name}_high"), interval, strict=True))
    return row


def calibrate(target):
    """Return rows of the Gaussian process's 90 % interval on scaffolds that it has not seen.

    And what it is good for in a screen: the share of strong molecules among the 50 with the highest
    prediction, and among the 50 with the highest lower end.
    """
    test = split(target)
    bits, values = fingerprints(target["smiles"]), target["pX"].to_numpy()
    prediction = process(bits[~test], values[~test], bits[test])
    found = values[test]
    low, high, strong = (
        column[(~test).sum() :]
        for column in (*prediction.interval(0.9), 1 - prediction.below(ACTIVE))
    )
    inside = (low <= found) & (found <= high)
    near = nearest(bits[test], bits[~test]) >= domain_edge(bits[~test])
    rows = [
        {"part": "interval", "molecules": name, "count": int(which.sum())}
        | {"coverage": float(inside[which].mean()), "width": float((high - low)[which].mean())}
        | {"expected": float(strong[which].mean())}
        | {"strong": float((found >= ACTIVE)[which].mean())}
        | {"error": float(np.abs(found - prediction.mean[(~test).sum() :])[which].mean())}
        for name, which in (("all", near | True), ("inside", near), ("outside", ~near))
    ]
    for name, score in (("prediction", prediction.mean[(~test).sum() :]), ("lower end", low)):
        best = np.argsort(-score, kind="stable")[:SHOWN]
        strong = {"strong": float((found[best] >= ACTIVE).mean()), "pX": float(found[best].mean())}
        rows.append({"part": "first", "by": name, "base": float((found >= ACTIVE).mean())} | strong)
    return rows


class Memory(threading.Thread):
    """Watches resident memory, in MB: of this process and of the largest worker."""

    def __init__(self):
        super().__init__(daemon=True)
        self.own, self.worker, self.over = 0.0, 0.0, threading.Event()

    def run(self):
        me = psutil.Process()
        while not self.over.wait(0.1):
            self.own = max(self.own, me.memory_info().rss / 1e6)
            for child in me.children(recursive=True):
                try:
                    self.worker = max(self.worker, child.memory_info().rss / 1e6)
                except psutil.NoSuchProcess:
                    continue


def core_seconds():
    """Return the CPU time of this process and of workers that have ended."""
    return sum(os.times()[:4])


def measured_screen(library, name, model, training):
    """Return the screen and its row: molecules, core-seconds, wall time and memory."""
    memory = Memory()
    memory.start()
    before = psutil.Process().memory_info().rss / 1e6
    start, wall = core_seconds(), time.perf_counter()
    result = screen(library, model, TOP, training=training, processes=2)
    row = {"core_s": core_seconds() - start, "wall_s": time.perf_counter() - wall}
    memory.over.set()
    memory.join()
    row |= {"molecules": result.molecules, "skipped": result.skipped}
    row |= {"worker_mb": memory.worker, "own_growth_mb": memory.own - before}
    return result, {"part": "screen", "model": name, "processes": 2} | row


def describe(name, hits, training, labels):
    """Return the row of a model's best molecules, and one for each that is shown.

    Of these the Gaussian process tells what a measurement would give: the ends of its 90 % interval
    and the probability that the molecule is strong.
    """
    row = {"part": "top", "model": name, "hits": len(hits)}
    row |= {"families": int(hits["family"].nunique()), "in_domain": float(hits["in_domain"].mean())}
    row |= {"pains": float((hits["pains"] > 0).mean()), "brenk": float((hits["brenk"] > 0).mean())}
    row |= {"similarity": float(hits["similarity"].median()), "qed": float(hits["qed"].median())}
    shown = hits.head(SHOWN).reset_index().drop(columns="molecule")
    prediction = process(training, labels, fingerprints(shown["smiles"]))
    low, high = prediction.interval(0.9)
    shown = shown.assign(
        low=low[-SHOWN:], high=high[-SHOWN:], chance=1 - prediction.below(ACTIVE)[-SHOWN:]
    )
    shown["file"] = shown["file"].map(lambda path: Path(path).name)
    return [row, *({"part": "hit", "model": name} | hit for hit in shown.to_dict("records"))]


def main():
    """Judge the models, screen, and store both."""
    torch.set_num_threads(1)
    target = load_activities(TASK)
    body = source_body(target)
    rows = judge(target, body) + calibrate(target)
    training, labels = fingerprints(target["smiles"]), target["pX"].to_numpy()
    models = {
        "Gaussian process": KernelModel(training, labels),
        "network": fine_tune(body, training, labels, seed=SEED),
    }
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder, "part.smi")
        part.write_text("\n".join(sample_smiles(library_paths(), PART, SEED)))
        for name, model in models.items():
            for library in (part, library_paths()):
                result, row = measured_screen(library, name, model, training)
                rows.append(row)
            rows += describe(name, result.hits, training, labels)
            found[name] = set(result.hits["molecule"])
    rows.append({"part": "overlap", "shared": len(set.intersection(*found.values()))})
    experiment.store(
        __file__,
        rows,
        seed=SEED,
        packages=["numpy", "rdkit", "torch", "scikit-learn"],
        inputs=[
            *library_paths(),
            *(locate("activities", file.name) for file in dataset("activities").files),
        ],
    )


if __name__ == "__main__":
    main()
