"""The simulator reproduces simglucose, and a patient does not depend on the batch."""

from pathlib import Path

import numpy as np
import pytest

from medml.data.virtual_patients import load_virtual_patients
from medml.treatment.simulator import GLUCOSE, PLASMA, Simulator

PATIENTS = load_virtual_patients()
BASAL = PATIENTS.basal.to_numpy() / 60  # U/min


@pytest.fixture(scope="module")
def golden():
    """Return trajectories of simglucose 0.2.11: benchmarks/peers/simglucose_day.py made them."""
    with np.load(Path(__file__).with_name("golden.npz"), allow_pickle=False) as file:
        return dict(file)


def test_the_golden_day_takes_every_branch_of_the_model(golden):
    """All 30 patients, meals and boluses; above the kidneys' threshold, and low."""
    assert golden["names"].tolist() == PATIENTS.index.tolist()
    assert ((golden["carbs"] > 0).sum(axis=1) == 6).all()
    assert (golden["insulin"].max(axis=1) > 20 * BASAL).all()
    plasma_threshold = (PATIENTS.ke2 / PATIENTS.Vg).to_numpy()
    assert (golden["glucose"].max(axis=1) > plasma_threshold).mean() > 0.9
    assert golden["glucose"].min() < 60


def test_every_patient_follows_simglucose_for_a_day(golden):
    """At most 0.05 mg/dL apart at any time in 24 h, and in the same state at the end."""
    simulator = Simulator(PATIENTS.loc[golden["names"].tolist()])
    course = [simulator.glucose]
    for minute in range(24 * 60):
        simulator.step(golden["insulin"][:, minute], golden["carbs"][:, minute])
        if (minute + 1) % 5 == 0:
            course.append(simulator.glucose)
    error = np.abs(np.transpose(course) - golden["glucose"]).max(axis=1)
    assert error.max() <= 0.05, dict(zip(golden["names"], error.round(3), strict=True))
    np.testing.assert_allclose(simulator.state.T, golden["state"], rtol=2e-4, atol=2e-3)


def test_the_basal_rate_keeps_the_fasting_state():
    """Without food the glucose of each patient drifts by less than 1 mg/dL in 12 h."""
    simulator = Simulator(PATIENTS)
    start = simulator.glucose
    for _ in range(12 * 60):
        simulator.step(BASAL)
    assert np.abs(simulator.glucose - start).max() < 1


def test_a_patient_in_a_batch_is_bit_for_bit_the_patient_alone():
    """Whatever the size of the batch and the place in it."""
    order = np.random.default_rng(0).permutation(np.tile(np.arange(30), 7))
    meals = {10: 61.0, 12: 7.3, 150: 40.0}
    batch, alone = Simulator(PATIENTS.iloc[order]), Simulator(PATIENTS.iloc[[11]])
    for minute in range(200):
        batch.step(BASAL[order] * (1 + minute % 3), meals.get(minute, 0.0))
        alone.step(BASAL[[11]] * (1 + minute % 3), meals.get(minute, 0.0))
    copies = batch.state[:, order == 11]
    assert copies.shape == (13, 7)
    assert (copies == alone.state).all()


def test_a_meal_is_eaten_at_five_grams_a_minute():
    """What is put on the table during a meal is eaten after it: 20 g and 10 g are 30 g."""
    one, two = Simulator(PATIENTS), Simulator(PATIENTS)
    for minute in range(60):
        one.step(BASAL, 30 if minute == 0 else 0)
        two.step(BASAL, {0: 20, 2: 10}.get(minute, 0))
        if minute == 2:
            sugar = one.state[:3].sum(axis=0) / 1000
            assert (sugar <= 15).all()
            assert sugar.min() > 10
    assert (one.state == two.state).all()


def test_food_is_neither_made_nor_lost():
    """A day later the sugar of a meal has left stomach and gut, and only 90 % reach the blood."""
    simulator = Simulator(PATIENTS)
    absorbed = np.zeros(30)
    for minute in range(24 * 60):
        before = simulator.state[2].copy()
        simulator.step(BASAL, 50 * (minute == 0))
        absorbed += PATIENTS.kabs.to_numpy() * (before + simulator.state[2]) / 2
    np.testing.assert_allclose(
        absorbed / 1000 + simulator.state[:3].sum(axis=0) / 1000, 50, rtol=0.01
    )


@pytest.mark.parametrize("times", [10, 60, 600])
def test_an_overdosed_patient_waits_at_zero_and_recovers(times):
    """simglucose's patient would stay frozen; ours wakes up when insulin is gone and food comes."""
    simulator = Simulator(PATIENTS)
    lowest = np.full(30, np.inf)
    for _ in range(6 * 60):
        simulator.step(times * BASAL)
        lowest = np.minimum(lowest, simulator.state[PLASMA])
        assert (simulator.state[list(GLUCOSE)] >= 0).all()
    assert (lowest == 0).any()
    for minute in range(48 * 60):
        simulator.step(BASAL, 20 * (minute % 120 == 0))
    assert simulator.glucose.min() > 60
    assert simulator.glucose.max() < 1000


def test_a_reset_forgets_everything():
    """Food on the table, too; other rows go on."""
    simulator, fresh = Simulator(PATIENTS), Simulator(PATIENTS)
    for _ in range(3):
        simulator.step(2 * BASAL, 80)
    other = simulator.state[:, 2:].copy()
    simulator.reset([0, 1])
    assert (simulator.state[:, 2:] == other).all()
    for _ in range(20):
        simulator.step(BASAL)
        fresh.step(BASAL)
    assert (simulator.state[:, :2] == fresh.state[:, :2]).all()


def test_the_first_glucose_can_be_chosen():
    """A factor of 1.2 raises the glucose by a fifth and nothing else."""
    simulator = Simulator(PATIENTS)
    start, insulin = simulator.glucose, simulator.state[5].copy()
    simulator.reset(glucose_factor=1.2)
    np.testing.assert_allclose(simulator.glucose, 1.2 * start)
    assert (simulator.state[5] == insulin).all()


@pytest.mark.parametrize("dose", [-0.1, np.nan, np.inf])
def test_an_impossible_dose_is_refused_by_the_name_of_its_patient(dose):
    """Negative, missing or infinite insulin or food; the state stays as it was."""
    simulator = Simulator(PATIENTS)
    doses = BASAL.copy()
    doses[20] = dose
    for arguments in ((doses,), (BASAL, doses)):
        with pytest.raises(ValueError, match=r"child#001 cannot get .* finite number ≥ 0"):
            simulator.step(*arguments)
    assert (simulator.state == Simulator(PATIENTS).state).all()


def test_nobody_cannot_be_simulated():
    """An empty table is refused."""
    with pytest.raises(ValueError, match="no patient"):
        Simulator(PATIENTS.iloc[:0])
