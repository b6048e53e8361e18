"""Hospitals that train one model together and send weights instead of rows."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import expit


def local_training(
    weights: ArrayLike,
    x: ArrayLike,
    y: ArrayLike,
    *,
    steps: int,
    learning_rate: float,
    penalty: float = 0.0,
) -> np.ndarray:
    """Return the weights of a logistic model after gradient steps on one hospital's patients.

    Each step follows the gradient of the mean loss + penalty / 2 · ‖w‖², the intercept left out
    of the penalty.

    Parameters
    ----------
    weights : array_like of shape (features,)
        Where to start; the first weight is the intercept.
    x : array_like of shape (patients, features)
        With a first column of ones.
    y : array_like of shape (patients,)
        0 or 1.
    steps : int
    learning_rate, penalty : float

    Raises
    ------
    ValueError
        If the hospital has no patient.
    """
    if len(x) == 0:
        raise ValueError("a hospital without patients cannot train; leave it out")
    x, weights = np.asarray(x, dtype=float), np.array(weights, dtype=float)
    shrink = np.r_[0.0, np.full(weights.size - 1, penalty)]
    for _ in range(steps):
        gradient = x.T @ (expit(x @ weights) - y) / len(y)
        weights -= learning_rate * (gradient + shrink * weights)
    return weights


def federated_average(
    hospitals: Sequence[tuple[ArrayLike, ArrayLike]],
    *,
    rounds: int = 100,
    local_steps: int = 5,
    learning_rate: float = 0.5,
    penalty: float = 1e-3,
) -> np.ndarray:
    """Return the weights of a logistic model trained by hospitals that keep their rows.

    In each round every hospital starts from the common weights, trains on its own patients, and
    sends its weights and its number of patients. The common weights become the mean of what was
    sent, weighted by patients: w = Σ nᵢ wᵢ / Σ nᵢ.

    Parameters
    ----------
    hospitals : sequence of (x, y)
        Patients of each hospital, as for `local_training`; with one hospital this is ordinary
        training, and with ``local_steps=1`` the result is that of the pooled patients.
    rounds, local_steps : int
        More local steps send less, but hospitals with different patients drift apart.
    learning_rate, penalty : float

    Raises
    ------
    ValueError
        If there is no hospital, one has no patient, or their features differ in number.

    Notes
    -----
    Weights are no rows, but they come from rows: without noise they can be attacked too.

    References
    ----------
    McMahan B et al. (2017), algorithm 1, arXiv:1602.05629.
    """
    features = {np.shape(x)[1] for x, _ in hospitals}
    if len(features) != 1:
        raise ValueError(f"hospitals have {sorted(features)} features; expected one common number")
    sizes = np.array([len(y) for _, y in hospitals])
    weights = np.zeros(features.pop())
    settings = {"steps": local_steps, "learning_rate": learning_rate, "penalty": penalty}
    for _ in range(rounds):
        sent = [local_training(weights, x, y, **settings) for x, y in hospitals]
        weights = np.average(sent, axis=0, weights=sizes)
    return weights


def simulate_hospitals(patients: pd.DataFrame, generator: np.random.Generator) -> np.ndarray:
    """Return True for each patient of simulated hospital A, False for B.

    SUPPORT2 does not say in which hospital a patient lay. Here those with organ failure or in
    coma (`dzclass`) go to A with probability 0.9 and all others to B with probability 0.9, so
    that A looks like a referral centre and B like a local hospital. Nothing else differs: real
    hospitals also measure, treat and write differently.

    Parameters
    ----------
    patients : pandas.DataFrame
        Rows of `load_support2`.
    generator : numpy.random.Generator

    Returns
    -------
    numpy.ndarray of bool, shape (patients,)
    """
    severe = patients["dzclass"].isin(["ARF/MOSF", "Coma"]).to_numpy()
    return generator.random(len(patients)) < np.where(severe, 0.9, 0.1)
