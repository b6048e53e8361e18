"""What a patient's days say of personal shifts: a score a day, and a Gaussian process over shifts.

The process is written out since its uncertainty decides what is safe to try.
"""

from typing import NamedTuple

import numpy as np

from medml.treatment.measures import reward

LENGTH = 0.14  # shifts that are so far apart have scores of their own
SIGNAL = 0.10  # standard deviation of scores over shifts that are far apart
LEVEL = 1.0  # standard deviation of the score without a shift, over patients
NOISE, NOISE_DAYS, LEAST_NOISE = 0.08, 4, 0.03  # of a day's score: belief, its worth, lower limit
MARGIN = 0.10  # a shift is safe if it probably costs no more than this
ENOUGH = 0.7  # share of a day's readings that makes a score


class Belief(NamedTuple):
    """What the days so far say of candidates, arrays of shape (patients, candidates).

    Attributes
    ----------
    mean, sd : score of each candidate
    gain, gain_sd : its difference to candidate 0, which is no shift
    """

    mean: np.ndarray
    sd: np.ndarray
    gain: np.ndarray
    gain_sd: np.ndarray


def day_score(readings: np.ndarray) -> np.ndarray:
    """Return each patient's mean reward over a day's readings.

    Parameters
    ----------
    readings : numpy.ndarray of shape (readings, patients)
        mg/dL, NaN where the sensor gave none.

    Returns
    -------
    numpy.ndarray of shape (patients,)
        NaN where more than 30 % of the readings are missing: such a day teaches nothing.

    References
    ----------
    At least 70 % of the readings: Battelino T et al. (2019), doi:10.2337/dci19-0028.

    Examples
    --------
    >>> day_score(np.array([[110.0, 110.0], [250.0, np.nan]])).round(2).tolist()
    [0.27, nan]
    """
    there = ~np.isnan(readings)
    gains = np.where(there, reward(np.where(there, readings, 100.0)), 0).sum(axis=0)
    mean = gains / np.maximum(there.sum(axis=0), 1)
    return np.where(there.mean(axis=0) >= ENOUGH, mean, np.nan)


def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the covariance of the scores of shifts: LEVEL² + SIGNAL² exp(-|a - b|² / 2 LENGTH²).

    Parameters
    ----------
    a, b : numpy.ndarray of shape (..., n, 2) and (..., m, 2)

    Returns
    -------
    numpy.ndarray of shape (..., n, m)
    """
    squares = ((a[..., :, None, :] - b[..., None, :, :]) ** 2).sum(axis=-1)
    return LEVEL**2 + SIGNAL**2 * np.exp(-squares / (2 * LENGTH**2))


def posterior(
    shifts: np.ndarray, scores: np.ndarray, noise: np.ndarray, candidates: np.ndarray
) -> Belief:
    """Return the Gaussian process's belief about candidates, for each patient from its own days.

    mean = k (K + noise² I)⁻¹ y, covariance = k' - k (K + noise² I)⁻¹ kᵀ; K, k and k' are the
    kernel between the days, between candidates and days, and among candidates.

    Parameters
    ----------
    shifts : numpy.ndarray of shape (patients, days, 2)
    scores : numpy.ndarray of shape (patients, days)
        NaN for a day without a score, which counts for nothing.
    noise : numpy.ndarray of shape (patients,)
        Standard deviation of a day's score.
    candidates : numpy.ndarray of shape (candidates, 2)

    References
    ----------
    Rasmussen CE, Williams CKI (2006), Gaussian Processes for Machine Learning, equations 2.23-24.
    """
    seen = ~np.isnan(scores)
    both = seen[:, :, None] & seen[:, None, :]
    own = np.where(seen, noise[:, None] ** 2, 1.0)[:, :, None] * np.eye(scores.shape[1])
    among_days = np.where(both, kernel(shifts, shifts), 0) + own
    to_days = np.where(seen[:, None, :], kernel(candidates, shifts), 0)
    y = np.where(seen, scores, 0)[:, :, None]
    solved = np.linalg.solve(among_days, np.concatenate([y, to_days.swapaxes(1, 2)], axis=2))
    mean = (to_days @ solved[:, :, :1])[:, :, 0]
    covariance = kernel(candidates, candidates) - to_days @ solved[:, :, 1:]
    variance = np.diagonal(covariance, axis1=1, axis2=2)
    of_gain = variance + variance[:, :1] - 2 * covariance[:, :, 0]
    sd, gain_sd = np.sqrt(variance.clip(0)), np.sqrt(of_gain.clip(0))
    return Belief(mean, sd, mean - mean[:, :1], gain_sd)


def safe_candidates(belief: Belief, margin: float = MARGIN) -> np.ndarray:
    """Tell which candidates are safe: mean - sd > mean of no shift - margin; no shift is.

    References
    ----------
    The idea: Sui Y et al. (2015), Safe exploration for optimization with Gaussian processes,
    Proc Mach Learn Res 37:997-1005.
    """
    safe = belief.mean - belief.sd > belief.mean[:, :1] - margin
    safe[:, 0] = True
    return safe


def estimated_noise(scores: np.ndarray) -> np.ndarray:
    """Return the standard deviation of each patient's score from day to day, shape (patients,).

    Days without a shift, of shape (patients, days), mixed with a belief that is worth four days.
    """
    days = (~np.isnan(scores)).sum(axis=1)
    filled = np.where(np.isnan(scores), 0, scores)
    mean = filled.sum(axis=1) / np.maximum(days, 1)
    squares = (np.where(np.isnan(scores), 0, scores - mean[:, None]) ** 2).sum(axis=1)
    variance = (NOISE_DAYS * NOISE**2 + squares) / (NOISE_DAYS + np.maximum(days - 1, 0))
    return np.maximum(np.sqrt(variance), LEAST_NOISE)
