"""Is it the pull that costs, or the new head? Arms of transfer_networks with the head held back.

With the body frozen, or pulled to the source, a new head of 129 free parameters is left to fit 16
to 64 labels, noise and all. Here it gets a strong L2 penalty too, β/2·‖head‖² with β = 10; sources,
draws, steps and learning rate are those of ``transfer_networks.py``, whose functions do the work:

- head held: the linear probe, all layers, L2-SP (α = 0.1), and training from scratch;
- "all layers" without any penalty once more: it comes out as it did there.

What had been looked at before: all results of ``transfer_networks.py``, on these seeds. β = 10 is
the best of 0.01, 0.3, 1, 3 and 10 for L2-SP on delta, seeds 300 to 307, 16 and 64 labels;
so delta is on the favourable side. On ABL1 no β had been tried.

Run it with ``python experiments/transfer_heads.py``, about 4 CPU-minutes.
"""

import torch
from transfer_networks import ABL1, DELTA, FEW, SCRATCH, SEEDS, run, source_body

from medml.course import experiment
from medml.data.catalogue import locate
from medml.data.compounds import load_targets
from medml.drugs.finetuning import l2_sp

HELD = {"objective": l2_sp(0, 10)}
ARMS = {
    SCRATCH: HELD,
    "linear probe": HELD | {"frozen": 2},
    "all layers": HELD,
    "L2-SP": {"objective": l2_sp(0.1, 10)},
}


def main():
    """Pretrain each source once, run all arms and store them."""
    torch.set_num_threads(1)
    rows = [{"part": "seeds", "seeds": list(SEEDS)}]
    for task in (DELTA, ABL1):
        body, _ = source_body(task, "clean")
        about = {"part": "scores", "task": task, "source": "clean", "split": "scaffold"}
        rows += [about | row for row in run(body, task, "scaffold", {"all layers": {}}, FEW)]
        for row in run(body, task, "scaffold", ARMS, FEW):
            rows.append(about | row | {"arm": f"{row['arm']}, head held"})
    experiment.store(
        __file__,
        rows,
        seed=SEEDS[0],
        packages=["numpy", "rdkit", "scikit-learn", "torch"],
        inputs=[locate("activities", f"{task}.csv") for task in load_targets().index],
    )


if __name__ == "__main__":
    main()
