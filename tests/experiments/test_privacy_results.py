"""The first draws of notebook 03's experiments come out again."""

import numpy as np
import pytest

from experiments import dp_utility, federated_hospitals, membership_attack, privacy_loss_power
from medml.course import stored_run
from medml.data.private_training import dp_sgd_noise
from medml.data.records import load_support2, textbook_features

# Another numeric library may swap the order of two nearly equal risks.
CLOSE = {"atol": 2e-3, "rtol": 0}


@pytest.fixture(scope="module")
def support2():
    """Patients, their features and who died in hospital."""
    patients = load_support2()
    return patients, textbook_features(patients).to_numpy(), patients["hospdead"].to_numpy()


def test_the_first_bounds_of_the_privacy_test_come_out_again():
    """Five of a thousand tests of each mechanism and number of draws."""
    for row in stored_run("privacy_loss_power")["rows"]:
        share = privacy_loss_power.NOISE[row["mechanism"]]
        for number, stored in enumerate(row["first_bounds"]):
            fresh = privacy_loss_power.one_test(share, row["draws"], number)
            np.testing.assert_allclose(fresh, stored, atol=1e-9)


def test_an_honest_mechanism_is_hardly_ever_refuted():
    """In at most 1 % of the tests, while half the noise is always found with 10,000 draws."""
    for row in stored_run("privacy_loss_power")["rows"]:
        if row["mechanism"] == "honest":
            assert row["refuted"] <= 0.01 * row["tests"]
        if row["mechanism"] == "half the noise" and row["draws"] >= 10_000:
            assert row["refuted"] == row["tests"]


def test_the_first_private_models_come_out_again(support2):
    """Three of 200 splits for each number of patients, all ε."""
    _, x, y = support2
    noises = dp_utility.noises()
    stored = {}
    for row in stored_run("dp_utility")["rows"]:
        stored.setdefault(row["patients"], []).append(row["first_draws"])
    for size, columns in stored.items():
        for draw, expected in enumerate(np.transpose(columns)):
            fresh = dp_utility.one_draw(x, y, size, noises, draw)
            np.testing.assert_allclose(fresh, expected, **CLOSE)


def test_the_first_attacks_come_out_again(support2):
    """Two of 200 draws, all models."""
    _, x, y = support2
    noise = dp_sgd_noise(
        membership_attack.EPSILON,
        membership_attack.SAMPLING,
        membership_attack.STEPS,
        membership_attack.DELTA,
    )
    rows = stored_run("membership_attack")["rows"]
    for draw in range(2):
        fresh = membership_attack.one_draw(x, y, noise, draw)
        expected = [row["first_draws"][draw] for row in rows]
        np.testing.assert_allclose(fresh, expected, atol=5e-3)


def test_the_first_federations_come_out_again(support2):
    """Two of 200 splits for each size of hospital B, all models."""
    stored = {}
    for row in stored_run("federated_hospitals")["rows"]:
        stored.setdefault(row["at_b"], []).append(row["first_draws"])
    for at_b, models in stored.items():
        for draw in range(federated_hospitals.KEPT):
            fresh = federated_hospitals.one_draw(*support2, at_b, draw)
            np.testing.assert_allclose(fresh, [model[draw] for model in models], **CLOSE)
