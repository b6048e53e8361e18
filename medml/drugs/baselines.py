"""What every transfer must beat: models of a few labels of the target and nothing else.

Each takes fingerprints of 0 and 1 and returns a score for each test molecule, higher is stronger.
"""

import numpy as np
from sklearn.ensemble import RandomForestRegressor
from sklearn.kernel_ridge import KernelRidge

from medml.drugs.similarity import tanimoto

ACTIVE = 7.0  # pX; Ki or EC50 of 100 nM


def random_forest(
    train: np.ndarray, values: np.ndarray, test: np.ndarray, seed: int = 0
) -> np.ndarray:
    """Predict pX by 300 trees, each split chosen among the root of the number of bits.

    Parameters
    ----------
    train, test : numpy.ndarray of 0 and 1, shape (k, bits) and (n, bits)
    values : numpy.ndarray of shape (k,)
        Labels, pX.
    seed : int

    Returns
    -------
    numpy.ndarray of shape (n,)
        Predicted pX.
    """
    forest = RandomForestRegressor(300, max_features="sqrt", random_state=seed)
    return forest.fit(train, values).predict(test)


def kernel_ridge(train: np.ndarray, values: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Predict pX by ridge regression with the Tanimoto kernel, penalty 0.3.

    Parameters
    ----------
    train, test : numpy.ndarray of 0 and 1, shape (k, bits) and (n, bits)
    values : numpy.ndarray of shape (k,)
        Labels, pX.

    Returns
    -------
    numpy.ndarray of shape (n,)
        Predicted pX.
    """
    level = np.mean(values)
    ridge = KernelRidge(alpha=0.3, kernel="precomputed").fit(tanimoto(train, train), values - level)
    return level + ridge.predict(tanimoto(test, train))


def nearest_active(train: np.ndarray, values: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Return the Tanimoto similarity to the most similar active, pX ≥ `ACTIVE`.

    Parameters
    ----------
    train, test : numpy.ndarray of 0 and 1, shape (k, bits) and (n, bits)
    values : numpy.ndarray of shape (k,)
        Labels, pX.

    Returns
    -------
    numpy.ndarray of shape (n,)
        Between 0 and 1; it ranks, it predicts no pX.

    Raises
    ------
    ValueError
        If no label is active.
    """
    active = np.asarray(values) >= ACTIVE
    if not active.any():
        msg = f"none of {len(values)} labels has pX ≥ {ACTIVE:g}: label more molecules"
        raise ValueError(msg)
    return tanimoto(test, train[active]).max(axis=1)
