"""Stored results of the pointing game: a part comes out again, and the bars are met."""

import numpy as np
import pytest

from experiments import pointing_game
from medml.course import stored_run
from medml.diagnosis.explanation import grad_cam
from medml.diagnosis.model import SmallCNN
from medml.diagnosis.pointing import pointing_hits
from medml.diagnosis.randomisation import random_copy

ROWS = stored_run("pointing_game")["rows"]


def test_blind_guesses_and_an_untrained_network_come_out_again():
    """Seed 0: scenes, split, three blind guesses and the first two untrained networks."""
    row = ROWS[0]
    for name, share in pointing_game.blind(0).items():
        assert share == pytest.approx(row[name], abs=0.005)
    scenes, inputs, _, (train, _, test) = pointing_game.scenes_of(0)
    shown = test[scenes.present[test] == 1]
    assert len(shown) == row["scenes"]
    for seed in (0, 1):
        model = random_copy(SmallCNN(), inputs[train], seed)
        maps = grad_cam(model, model.features[pointing_game.LAST_RELU], inputs[shown])
        hits = pointing_hits(maps, scenes.inside[shown]).mean()
        assert hits == pytest.approx(row["random"][seed], abs=0.04)


@pytest.mark.slow
def test_a_trained_network_comes_out_again():
    """Seed 4, all of it but the untrained networks' order: within a few scenes of ninety."""
    again, row = pointing_game.play(4), ROWS[4]
    for name in ("auroc", "trained", "finer layer", "occlusion"):
        assert again[name] == pytest.approx(row[name], abs=0.06)
    np.testing.assert_allclose(again["random"], row["random"], atol=0.04)


def test_every_seed_meets_the_bars():
    """Trained, its lead over the mean and the best of ten, the centre and the brightest pixel."""
    assert [row["seed"] for row in ROWS] == list(pointing_game.SEEDS)
    for row in ROWS:
        assert len(row["random"]) == 10
        assert row["trained"] >= 0.75
        assert row["trained"] - np.mean(row["random"]) >= 0.5
        assert row["trained"] - max(row["random"]) >= 0.2
        assert row["trained"] - row["centre"] >= 0.3
        assert row["trained"] - row["brightest pixel"] >= 0.3
