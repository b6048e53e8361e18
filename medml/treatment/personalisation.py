"""Personal doses, found day by day on one patient, within bounds that keep the search safe.

Two numbers are personal: how far the basal rate and the boluses are shifted from what a frozen
controller gives. Each midnight the day's sensor readings become a score, a Gaussian process learns
from it, and the next day's shifts are chosen among those that are probably not much worse than
none. All of it sees what a bedside sees: the sensor, never the true glucose.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from medml.treatment.chart import Chart, Dose
from medml.treatment.controllers import Controller
from medml.treatment.exploration import DAY, checked_shifts, one_clock, shift_dose
from medml.treatment.measures import reward

SPAN = 0.14  # trust region: no shift by more than 14 %
SIDE = 7  # candidates along each side of it
LENGTH = 0.14  # shifts that are so far apart have scores of their own
SIGNAL = 0.10  # standard deviation of scores over shifts that are far apart
LEVEL = 1.0  # standard deviation of the score without a shift, over patients
NOISE, NOISE_DAYS, LEAST_NOISE = 0.08, 4, 0.03  # of a day's score: belief, its worth, lower limit
MARGIN = 0.10  # a shift is safe if it probably costs no more than this
WARM_UP = 5  # days without a shift
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


class Personalised:
    """A frozen controller with personal shifts that are tried, judged, and kept or taken back.

    Five days without a shift show how good and how variable the patient's days are. Then each
    midnight, until the last day of learning, the safe candidate with the highest mean gain plus
    one standard deviation is tried. A day that was far worse than expected is followed by one
    without a shift. After the last day of learning the shift with the highest mean gain is kept
    if that gain is larger than `gate` standard deviations, else none; a kept one is taken back
    for good on the day when its mean gain is no longer above 0.

    Parameters
    ----------
    controller : callable
        Takes a `Chart`, returns a `Dose`.
    days : int
        Days of learning, warm-up included.
    span : float
        Half the side of the trust region, a part of a dose.
    margin : float
        See `safe_candidates`; infinite to try everything in the trust region.
    gate : float
        Standard deviations.

    Raises
    ------
    ValueError
        If there are no days to learn after the warm-up, or a setting is out of its range.

    Examples
    --------
    >>> from medml.treatment.controllers import stronger_clinic
    >>> from medml.treatment.course import treat
    >>> personal = Personalised(stronger_clinic, days=7)
    >>> course = treat(personal, ["adult#001"], days=9)
    >>> personal.log()["why"].tolist()
    ['warm-up', 'warm-up', 'warm-up', 'warm-up', 'warm-up', 'trial', 'trial', 'none kept']
    """

    def __init__(
        self,
        controller: Controller,
        *,
        days: int = 40,
        span: float = SPAN,
        margin: float = MARGIN,
        gate: float = 1.0,
    ):
        if days <= WARM_UP or not margin >= 0 or not gate >= 0:
            msg = f"expected more than {WARM_UP} days, margin and gate ≥ 0, got {days}, {margin}"
            raise ValueError(f"{msg} and {gate}")
        self._controller, self._days, self._margin, self._gate = controller, days, margin, gate
        side = np.linspace(-span, span, SIDE)
        grid = checked_shifts(np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1))
        grid = grid.reshape(-1, 2)
        self.candidates = np.vstack([np.zeros((1, 2)), grid[np.abs(grid).sum(axis=1) > 1e-9]])
        self._begin(0)

    def _begin(self, size: int) -> None:
        self._choice = np.zeros(size, int)
        self._why = np.full(size, "warm-up", object)
        self._readings, self._choices, self._scores, self._reasons = [], [], [], []

    def __call__(self, chart: Chart) -> Dose:
        """Return the shifted dose for the next five minutes."""
        minute = one_clock(chart)
        if minute == 0:
            self._begin(len(chart.cgm))
        else:
            self._readings.append(chart.cgm)
            if minute % DAY == 0:
                self._close_day()
        return shift_dose(self._controller(chart), self.candidates[self._choice])

    def _close_day(self) -> None:
        """Score the day that has ended and choose the next day's shifts."""
        self._scores.append(day_score(np.array(self._readings)))
        self._choices.append(self._choice)
        self._reasons.append(self._why)
        self._readings, day = [], len(self._scores)
        if day < WARM_UP:
            return
        scores, shifts = np.stack(self._scores, axis=1), self.candidates[np.stack(self._choices, 1)]
        noise = estimated_noise(scores[:, :WARM_UP])
        belief = posterior(shifts, scores, noise, self.candidates)
        if day < self._days:
            self._try(belief, scores[:, -1], noise)
        else:
            self._keep_or_take_back(belief, first=day == self._days)

    def _try(self, belief: Belief, last: np.ndarray, noise: np.ndarray) -> None:
        hope = np.where(
            safe_candidates(belief, self._margin), belief.gain + belief.gain_sd, -np.inf
        )
        bad = (self._choice > 0) & (last < belief.mean[:, 0] - self._margin - 2 * noise)
        self._choice = np.where(bad, 0, hope.argmax(axis=1))
        self._why = np.where(bad, "bad day", "trial").astype(object)

    def _keep_or_take_back(self, belief: Belief, first: bool) -> None:
        rows = np.arange(len(self._choice))
        best = belief.gain.argmax(axis=1) if first else self._choice
        bar = self._gate * belief.gain_sd[rows, best] if first else 0.0
        self._choice = np.where(belief.gain[rows, best] > bar, best, 0)
        why = np.where(best > 0, "taken back", "none kept")
        why = "none kept" if first else np.where(self._why == "kept", why, self._why)
        self._why = np.where(self._choice > 0, "kept", why).astype(object)

    def log(self) -> pd.DataFrame:
        """Return the log of interventions: a row for each patient and day that has ended.

        Columns `row` of the patient, `day` from 1, shifts `basal` and `bolus`, `score`, and `why`:
        warm-up, trial, bad day (no shift after one), kept, none kept, taken back.
        """
        days, rows = len(self._scores), len(self._choice)
        shifts = self.candidates[np.array(self._choices, int).reshape(days, rows)]
        return pd.DataFrame(
            {
                "row": np.tile(np.arange(rows), days),
                "day": np.repeat(np.arange(1, days + 1), rows),
                "basal": shifts[..., 0].ravel(),
                "bolus": shifts[..., 1].ravel(),
                "score": np.array(self._scores).ravel(),
                "why": np.array(self._reasons, object).ravel(),
            }
        )
