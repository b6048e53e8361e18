"""The table of ICU-Sepsis: shapes, probabilities, and what its states and actions are."""

import numpy as np
import pytest

from medml.data import sepsis as module
from medml.data.catalogue import DataError, locate
from medml.data.sepsis import (
    AFTER,
    DEATH,
    SURVIVAL,
    fluid_level,
    load_sepsis,
    vasopressor_level,
)


@pytest.fixture(scope="module")
def sepsis():
    """The decision process, read once."""
    return load_sepsis()


def test_all_rows_are_distributions(sepsis):
    """Transitions, first states, and the clinicians' choice where there is one."""
    np.testing.assert_allclose(sepsis.transitions.sum(axis=2), 1, atol=1e-9)
    assert sepsis.start.sum() == pytest.approx(1)
    assert not sepsis.start[sepsis.terminal].any()
    np.testing.assert_allclose(sepsis.clinicians[~sepsis.terminal].sum(axis=1), 1, atol=1e-9)
    assert not sepsis.clinicians[sepsis.terminal].any()


def test_three_states_are_ends(sepsis):
    """Death and survival lead to the state after the end, for ever."""
    assert np.flatnonzero(sepsis.terminal).tolist() == [DEATH, SURVIVAL, AFTER]
    np.testing.assert_allclose(sepsis.transitions[[DEATH, SURVIVAL, AFTER], :, AFTER], 1)
    assert not sepsis.transitions[~sepsis.terminal][:, :, AFTER].any()


def test_the_reward_is_that_of_the_file(sepsis):
    """1 on arrival at survival from a state that decides, whatever the action."""
    with np.load(locate("icu-sepsis", "dynamics.npz"), allow_pickle=False) as file:
        rewards = file["r_mat"]
    deciding = ~sepsis.terminal
    assert (rewards[deciding] == sepsis.rewards).all()
    assert not (rewards * sepsis.transitions)[sepsis.terminal].any()


def test_sicker_patients_get_more_vasopressors(sepsis):
    """So the order of the levels is right: level 4 at a higher SOFA score than level 0."""
    level = vasopressor_level(np.arange(25))
    weight = sepsis.clinicians[~sepsis.terminal]
    score = sepsis.sofa[~sepsis.terminal]
    mean = [np.average(score, weights=weight[:, level == k].sum(axis=1)) for k in range(5)]
    assert mean == sorted(mean)
    assert mean[4] - mean[0] > 3


def test_an_action_is_a_pair_of_levels():
    """5 × 5, each pair once."""
    pairs = set(zip(fluid_level(np.arange(25)), vasopressor_level(np.arange(25)), strict=True))
    assert pairs == {(f, v) for f in range(5) for v in range(5)}


def test_arrays_of_another_shape_are_refused(tmp_path, monkeypatch):
    """The message gives what was found and what was expected."""
    path = tmp_path / "dynamics.npz"
    np.savez(path, tx_mat=np.zeros((2, 1, 2)), d_0=np.ones(2))
    monkeypatch.setattr(module, "locate", lambda *names: path)
    with pytest.raises(DataError, match=r"shapes \{'tx_mat': \(2, 1, 2\), .* expected"):
        load_sepsis()


def test_a_pickle_is_never_read(tmp_path, monkeypatch):
    """An array of objects could run code."""
    path = tmp_path / "dynamics.npz"
    np.savez(path, tx_mat=np.array([{}], dtype=object))
    monkeypatch.setattr(module, "locate", lambda *names: path)
    with pytest.raises(ValueError, match="allow_pickle=False"):
        load_sepsis()
