"""The baselines: one hand-computed value each, and the case without an active."""

import numpy as np
import pytest

from medml.drugs.baselines import kernel_ridge, nearest_active, random_forest
from medml.drugs.molecules import fingerprints
from medml.drugs.similarity import tanimoto

PHENOLS = fingerprints([f"Oc1ccc({'C' * n})cc1" for n in range(1, 13)])
AMINES = fingerprints([f"NC{'C' * n}N" for n in range(1, 13)])


def test_kernel_ridge_solves_its_normal_equations():
    """level + k (K + 0.3 I)⁻¹ (y − level), by numpy."""
    values = np.linspace(5, 8, 12)
    kernel = tanimoto(PHENOLS, PHENOLS).astype(float)
    weights = np.linalg.solve(kernel + 0.3 * np.eye(12), values - 6.5)
    expected = 6.5 + tanimoto(AMINES, PHENOLS) @ weights
    np.testing.assert_allclose(kernel_ridge(PHENOLS, values, AMINES), expected, rtol=1e-4)


def test_the_nearest_active_counts_actives_only():
    """A weak molecule's own similarity of 1 does not count; pX 7 is active."""
    values = np.r_[7.0, 6.9, np.full(10, 5.0)]
    found = nearest_active(PHENOLS, values, PHENOLS)
    np.testing.assert_allclose(found, tanimoto(PHENOLS, PHENOLS)[:, 0])
    assert (found[0], found[1] < 1) == (1.0, True)


def test_zero_actives_are_one_clear_error():
    """Without an active there is nothing to be near to."""
    with pytest.raises(ValueError, match="none of 12 labels has pX ≥ 7"):
        nearest_active(PHENOLS, np.full(12, 6.0), PHENOLS)


def test_a_forest_separates_two_series_and_repeats_with_its_seed():
    """Strong phenols and weak amines, four of each held out."""
    train = np.concatenate([PHENOLS[:8], AMINES[:8]])
    test = np.concatenate([PHENOLS[8:], AMINES[8:]])
    values = np.repeat([8.0, 5.0], 8) + np.tile(np.linspace(0, 0.7, 8), 2)
    first, again, other = (random_forest(train, values, test, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert first[:4].min() > 7
    assert first[4:].max() < 6
