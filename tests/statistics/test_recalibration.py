"""One temperature, found on a grid as well; isotonic regression is scikit-learn's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import log_loss

from medml.statistics import at_temperature, auroc, fit_isotonic, fit_temperature


def simulated(rows, temperature, seed=0):
    """Return labels and the logits of a model that is `temperature` times too sure."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(size=rows) * 2
    return generator.random(rows) < expit(logits), logits * temperature


@pytest.mark.parametrize("truth", [0.4, 1.0, 3.0])
def test_the_temperature_is_the_best_of_a_grid_and_near_the_true_one(truth):
    """The log loss by scikit-learn on 500 temperatures finds no better one."""
    labels, logits = simulated(2000, truth)
    found = fit_temperature(labels, logits)
    assert found == pytest.approx(truth, rel=0.1)
    grid = np.geomspace(0.2, 5, 500)
    losses = [log_loss(labels, expit(logits / one)) for one in grid]
    assert log_loss(labels, at_temperature(logits, found)) <= min(losses) + 1e-12
    assert found == pytest.approx(grid[np.argmin(losses)], rel=0.004)


@given(st.floats(0.5, 20))
def test_a_temperature_changes_no_order(temperature):
    """The AUROC stays exactly what it was."""
    labels, logits = simulated(60, 1.0)
    assert auroc(labels, at_temperature(logits, temperature)) == auroc(labels, logits)


def test_a_model_twice_as_sure_has_twice_the_temperature():
    """Fitting again after scaling finds nothing more to do."""
    labels, logits = simulated(300, 1.0)
    found = fit_temperature(labels, logits)
    assert fit_temperature(labels, 2 * logits) == pytest.approx(2 * found, rel=1e-5)
    assert fit_temperature(labels, logits / found) == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize(
    ("labels", "logits", "message"),
    [
        ([0, 0, 1, 1], [-2.0, -1.0, 1.0, 2.0], "separate the classes perfectly"),
        ([1, 1, 0, 0], [-2.0, -1.0, 1.0, 2.0], "point the wrong way"),
        ([0, 1], [0.1, np.inf], "logits must be finite, got inf in row 1"),
        ([0, 2], [0.1, 0.2], "got 2 in row 1"),
    ],
)
def test_no_temperature_is_better_than_a_wrong_one(labels, logits, message):
    """Logits without an overlap, of the wrong class, or that are no numbers."""
    with pytest.raises(ValueError, match=message):
        fit_temperature(labels, logits)


@pytest.mark.parametrize("temperature", [0, -1, np.nan])
def test_a_temperature_is_above_zero(temperature):
    """NaN is not."""
    with pytest.raises(ValueError, match=f"above 0, got {temperature}"):
        at_temperature([1.0], temperature)


def test_the_monotone_curve_is_scikit_learns():
    """It never falls, and stays between 0 and 1 outside what it has seen."""
    labels, logits = simulated(400, 2.0)
    probabilities = expit(logits) * 0.8 + 0.1
    calibrate = fit_isotonic(labels, probabilities)
    grid = np.linspace(0, 1, 101)
    peer = IsotonicRegression(out_of_bounds="clip").fit(probabilities, labels)
    np.testing.assert_allclose(calibrate(grid), peer.predict(grid))
    assert (np.diff(calibrate(grid)) >= 0).all()
    assert 0 <= calibrate([0, 1]).min() <= calibrate([0, 1]).max() <= 1


def test_the_monotone_curve_refuses_what_is_no_probability():
    """When it is fitted and when it is used."""
    with pytest.raises(ValueError, match="lie between 0 and 1, got"):
        fit_isotonic([0, 1], [0.5, 1.5])
    with pytest.raises(ValueError, match="got nan in row 0"):
        fit_isotonic([0, 1], [0.2, 0.8])([np.nan])
