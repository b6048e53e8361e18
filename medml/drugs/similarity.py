"""How alike two molecules are: the Tanimoto coefficient of their fingerprints."""

import numpy as np


def tanimoto(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the Tanimoto coefficient of each pair: shared bits over bits set in either.

    It is a positive definite kernel, so a Gaussian process can use it as it is. Two fingerprints
    without any bit are fully alike.

    Parameters
    ----------
    left, right : numpy.ndarray of 0 and 1, shapes (n, bits) and (m, bits)

    Returns
    -------
    numpy.ndarray of float32, shape (n, m)

    Raises
    ------
    ValueError
        If the two have different numbers of bits, or hold something else than 0 and 1.

    References
    ----------
    Ralaivola L et al. (2005) Graph kernels for chemical informatics,
    doi:10.1016/j.neunet.2005.07.009.

    Examples
    --------
    >>> tanimoto(np.array([[1, 1, 0, 0]]), np.array([[1, 0, 0, 0], [0, 0, 1, 1]])).tolist()
    [[0.5, 0.0]]
    """
    left, right = np.atleast_2d(left), np.atleast_2d(right)
    if left.shape[1] != right.shape[1]:
        msg = f"fingerprints of {left.shape[1]} and {right.shape[1]} bits: make both alike"
        raise ValueError(msg)
    for side in (left, right):
        if side.size and (side.min() < 0 or side.max() > 1):
            raise ValueError("expected fingerprints of 0 and 1: packed ones need numpy.unpackbits")
    a, b = left.astype(np.float32), right.astype(np.float32)  # counts below 2²⁴ stay exact
    shared = a @ b.T
    either = a.sum(axis=1)[:, None] + b.sum(axis=1) - shared
    return np.divide(shared, either, out=np.ones_like(shared), where=either > 0)
