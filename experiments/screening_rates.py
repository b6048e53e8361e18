"""What each step of a screen costs, in molecules per core-second: numbers to plan with.

100,000 molecules of ZINC: read, parsed by rdkit with all checks (the limit of whatever parses every
molecule), turned into fingerprints, scored by a Gaussian process of 2,598 labels and by a network
of 512 and 128 units; the whole screen in one process, with the review of 100 hits; and, of 500
molecules, what is asked of the hits alone. Each is the median of three. Rates are of the machine
that ran it; their ratios say more. Run it with ``python experiments/screening_rates.py``, about 2
CPU-minutes.
"""

import tempfile
import time
from pathlib import Path
from statistics import median

import torch
from rdkit import Chem
from rdkit.Chem import QED

from medml.course import experiment
from medml.data.catalogue import locate
from medml.data.compounds import library_paths, load_activities
from medml.data.smiles import read_chunks, sample_smiles
from medml.drugs.finetuning import FineTuned
from medml.drugs.kernel_model import KernelModel
from medml.drugs.molecules import fingerprints
from medml.drugs.multitask import MultiTask, seeded
from medml.drugs.screening import screen
from medml.drugs.triage import alerts

TASK = "CHEMBL236_Ki"
SEED = 20261127
COUNT = 100_000
ASKED = 500  # molecules for what is slow
BLOCK = 2000


def rate(name, count, step):
    """Return the row of a step: molecules per core-second of this process, median of three."""
    times = []
    for _ in range(3):
        start = time.process_time()
        step()
        times.append(time.process_time() - start)
    return {"step": name, "molecules": count, "rate": count / median(times)}


def measure(count=COUNT, asked=ASKED):
    """Return a row for each step."""
    torch.set_num_threads(1)
    target = load_activities(TASK)
    process = KernelModel(fingerprints(target["smiles"]), target["pX"])
    network = seeded(0, lambda: FineTuned(MultiTask(["x"]).body, level=7.0, spread=1.0)).eval()
    lines = sample_smiles(library_paths(), count, SEED)
    parsed = [Chem.MolFromSmiles(text) for text in lines[:asked]]
    bits = fingerprints(lines[:BLOCK])
    blocks = range(count // BLOCK)
    for rules in ("PAINS", "BRENK"):
        alerts("C", rules)  # the first call builds the catalogue
    whole = sum(len(chunk.smiles) for chunk in read_chunks(library_paths()))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "library.smi")
        path.write_text("\n".join(lines))
        return [
            rate("read", whole, lambda: list(map(len, read_chunks(library_paths())))),
            rate("parse", count, lambda: [Chem.MolFromSmiles(text) and None for text in lines]),
            rate("parse and fingerprint", count // 4, lambda: fingerprints(lines[: count // 4])),
            rate("score, Gaussian process", count, lambda: [process.predict(bits) for _ in blocks]),
            rate("score, network", count, lambda: [network.predict(bits) for _ in blocks]),
            rate(
                "screen, Gaussian process", count, lambda: screen(path, process, 100, processes=1)
            ),
            rate("screen, network", count, lambda: screen(path, network, 100, processes=1)),
            rate("PAINS", asked, lambda: [alerts(text, "PAINS") for text in lines[:asked]]),
            rate("BRENK", asked, lambda: [alerts(text, "BRENK") for text in lines[:asked]]),
            rate("QED", asked, lambda: [QED.qed(molecule) for molecule in parsed]),
        ]


def main():
    """Measure and store."""
    experiment.store(
        __file__,
        measure(),
        seed=SEED,
        packages=["numpy", "rdkit", "torch", "scikit-learn"],
        inputs=[*library_paths(), locate("activities", f"{TASK}.csv")],
    )


if __name__ == "__main__":
    main()
