"""Personal doses, found day by day on one patient, within bounds that keep the search safe.

Two numbers are personal: how far the basal rate and the boluses are shifted from what a frozen
controller gives. Each midnight the day's sensor readings become a score, a Gaussian process learns
from it, and the next day's shifts are chosen among those that are probably not much worse than
none. All of it sees what a bedside sees: the sensor, never the true glucose.
"""

import numpy as np
import pandas as pd

from medml.treatment.belief import (
    MARGIN,
    Belief,
    day_score,
    estimated_noise,
    posterior,
    safe_candidates,
)
from medml.treatment.chart import Chart, Dose
from medml.treatment.controllers import Controller
from medml.treatment.exploration import DAY, checked_shifts, one_clock, shift_dose

SPAN = 0.14  # trust region: no shift by more than 14 %
SIDE = 7  # candidates along each side of it
WARM_UP = 5  # days without a shift
RECENT = 3  # days that can undo a shift


class Personalised:
    """A frozen controller with personal shifts that are tried, judged, and kept or taken back.

    Five days without a shift show how good and how variable the patient's days are. Then each
    midnight, until the last day of learning, the safe candidate with the highest mean gain plus
    one standard deviation is tried. A day far worse than days without a shift, by the margin and
    two standard deviations of a day, is followed by one without, and so is a day whose sensor gave
    no score: nothing is tried blindly. After the last day of learning the shift with the highest
    mean gain is kept if that gain is larger than `gate` standard deviations, else none. A kept one
    is taken back for good when its mean gain is no longer above 0, or when three days in a row were
    on average far worse than days without a shift: by the margin and two standard errors.

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
    >>> personal = Personalised(stronger_clinic, days=6)
    >>> course = treat(personal, ["adult#001"], days=7)
    >>> personal.log()["why"].tolist()
    ['warm-up', 'warm-up', 'warm-up', 'warm-up', 'warm-up', 'trial']
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
            self._keep_or_take_back(belief, scores[:, -RECENT:], noise, first=day == self._days)

    def _try(self, belief: Belief, last: np.ndarray, noise: np.ndarray) -> None:
        hope = np.where(
            safe_candidates(belief, self._margin), belief.gain + belief.gain_sd, -np.inf
        )
        bad = (self._choice > 0) & (last < belief.mean[:, 0] - self._margin - 2 * noise)
        blind = np.isnan(last)
        self._choice = np.where(bad | blind, 0, hope.argmax(axis=1))
        self._why = np.select([blind, bad], ["no score", "bad day"], "trial").astype(object)

    def _keep_or_take_back(
        self, belief: Belief, recent: np.ndarray, noise: np.ndarray, first: bool
    ) -> None:
        rows = np.arange(len(self._choice))
        best = belief.gain.argmax(axis=1) if first else self._choice
        stays = belief.gain[rows, best] > (self._gate * belief.gain_sd[rows, best] if first else 0)
        if not first:
            bar = belief.mean[:, 0] - self._margin - 2 * noise / RECENT**0.5
            stays &= ~(recent.mean(axis=1) < bar)
        self._choice = np.where(stays, best, 0)
        before = np.full(len(rows), "none kept") if first else self._why
        lost = np.where(before == "kept", "taken back", before)
        self._why = np.where(self._choice > 0, "kept", lost).astype(object)

    def log(self) -> pd.DataFrame:
        """Return the log of interventions: a row for each patient and day that has ended.

        Columns `row` of the patient, `day` from 1, shifts `basal` and `bolus`, `score`, and `why`:
        warm-up, trial, bad day or no score (no shift after one), kept, none kept, taken back.
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
