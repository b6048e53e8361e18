"""Molecules scored per core-second: medml against a plain rdkit loop and scikit-fingerprints.

    python benchmarks/screening.py [MOLECULES]

All read the same file, make Morgan fingerprints of radius 2 and 2,048 bits, score them with the
same network (512 and 128 units) and keep the best 100. Beside them stands rdkit's parser alone, the
limit of whatever parses every molecule. Core-seconds count worker processes; medml's include their
start and the review of the hits. Exits with 1 if two find different hits, or if medml misses
what it promises: 60 % of the parser's rate, twice the processes in 1 / 1.5 of the time (only
where two cores are idle can that be measured), and workers below 1 GB.
"""

import itertools
import os
import resource
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import torch
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator

from medml.data.compounds import library_paths
from medml.data.smiles import sample_smiles
from medml.drugs.finetuning import FineTuned
from medml.drugs.multitask import MultiTask, seeded
from medml.drugs.screening import screen

TOP = 100


def parse_only(path, model):
    """Parse every molecule and do nothing with it."""
    with open(path) as file:
        for line in file:
            Chem.MolFromSmiles(line)


def plain_loop(path, model):
    """Do what a first script would: one list of fingerprints, then scores in blocks."""
    morgan = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    with open(path) as file:
        lines = [line.strip() for line in file]
    rows = []
    for line in lines:
        molecule = Chem.MolFromSmiles(line)
        if molecule is not None:
            rows.append(morgan.GetFingerprintAsNumPy(molecule))
    return best(lines, model.predict(np.array(rows)))


def by_skfp(path, model):
    """Let scikit-fingerprints make the fingerprints, 2,000 at a time so that they fit."""
    from skfp.fingerprints import ECFPFingerprint  # at the top, medml's workers would import it

    ecfp = ECFPFingerprint(fp_size=2048, radius=2, n_jobs=1)
    lines, scores = [], []
    with open(path) as file:
        while block := [line.strip() for line in itertools.islice(file, 2000)]:
            lines += block
            scores.append(model.predict(ecfp.transform(block)))
    return best(lines, np.concatenate(scores))


def by_medml(path, model, processes):
    """Screen."""
    return set(screen(path, model, TOP, processes=processes).hits.smiles)


def best(lines, scores):
    """Return the SMILES of the highest scores."""
    return {lines[place] for place in np.argsort(-scores, kind="stable")[:TOP]}


class Peak(threading.Thread):
    """Watches the resident memory of the largest worker process, in MB."""

    def __init__(self):
        super().__init__(daemon=True)
        self.megabytes, self.over = 0.0, threading.Event()

    def run(self):
        me = psutil.Process()
        while not self.over.wait(0.1):
            for child in me.children(recursive=True):
                try:
                    self.megabytes = max(self.megabytes, child.memory_info().rss / 1e6)
                except psutil.NoSuchProcess:
                    continue


def core_seconds():
    """Return the CPU time of this process and of the workers that have ended."""
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in spent)


def measure(function, *arguments):
    """Return the result, core-seconds, wall time and the peak of worker memory of a call."""
    peak = Peak()
    peak.start()
    start, wall = core_seconds(), time.perf_counter()
    result = function(*arguments)
    spent, wall = core_seconds() - start, time.perf_counter() - wall
    peak.over.set()
    peak.join()
    return result, spent, wall, peak.megabytes


def main(count):
    """Time all on `count` molecules drawn from the library; return the exit status."""
    import skfp.fingerprints  # noqa: F401  takes 2.5 s, which are not counted

    torch.set_num_threads(1)
    model = seeded(0, lambda: FineTuned(MultiTask(["target"]).body, level=7.0, spread=1.0)).eval()
    runs = {
        "rdkit, parse only": (parse_only,),
        "plain rdkit loop": (plain_loop,),
        "scikit-fingerprints": (by_skfp,),
        "medml, 1 process": (by_medml, 1),
        "medml, 2 processes": (by_medml, 2),
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "library.smi"
        path.write_text("\n".join(sample_smiles(library_paths(), count, seed=0)))
        table = {
            name: measure(function, path, model, *rest) for name, (function, *rest) in runs.items()
        }
    limit = count / table["rdkit, parse only"][1]
    print(f"{count:,} molecules\n")
    print(f"{'':<22}{'per core-s':>11}{'of parsing':>11}{'wall s':>8}{'worker MB':>11}")
    for name, (_, spent, wall, megabytes) in table.items():
        rate = count / spent
        memory = f"{megabytes:.0f}" if megabytes else ""
        print(f"{name:<22}{rate:>11,.0f}{rate / limit:>11.0%}{wall:>8.1f}{memory:>11}")
    return verdict(table, limit, count)


def verdict(table, limit, count):
    """Print what was missed and return the exit status."""
    (_, one, one_wall, _), (_, _, two_wall, megabytes) = list(table.values())[-2:]
    idle = os.cpu_count() >= 2 and psutil.cpu_percent(interval=1) < 25
    missed = {
        "different hits": len({frozenset(hits) for hits, *_ in list(table.values())[1:]}) > 1,
        "less than 60 % of the parser's rate": count / one < 0.6 * limit,
        "two processes gain less than 1.5": idle and one_wall / two_wall < 1.5,
        "a worker of 1 GB or more": megabytes >= 1000,
    }
    print(
        f"\ntwo processes: {one_wall / two_wall:.2f} × one{'' if idle else ' (machine not idle)'}"
    )
    for what in (name for name, so in missed.items() if so):
        print(what.upper())
    return int(any(missed.values()))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000))
