"""Does a risk of 20 % come true in 20 of 100? Reliability, its error, slope and intercept."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from medml.statistics.columns import as_counts, as_labels, as_probabilities, ratio
from medml.statistics.intervals import cautious_interval

NEWTON_STEPS = 40
LONGEST_STEP = 4.0
FLAT = 1e-10  # a direction in which the likelihood bends so much less than in another


def expected_calibration_error(
    labels: ArrayLike,
    probabilities: ArrayLike,
    bins: int = 10,
    equal: str = "width",
    *,
    counts: ArrayLike | None = None,
) -> float:
    """Return the expected calibration error: Σ over the bins of n_b / n · |observed - predicted|.

    A bin's observed share of positives is set against its mean probability. Chance alone keeps
    them apart, so the error of a small sample, and of a resample even more, is too high: 0 is not
    what a perfect model gets. Compare models on the same patients and with the same bins.

    Parameters
    ----------
    labels : array_like of shape (rows,)
        1 or True for a positive.
    probabilities : array_like of shape (rows,)
        Of the positive class, 0-1.
    bins : int
        Number of bins.
    equal : {"width", "count"}
        Bins of equal width between 0 and 1, or with equally many rows; identical probabilities
        stay together, so that there can be fewer bins.
    counts : array_like of shape (..., rows), optional
        How often each row was drawn; the bins are those of all rows.

    Returns
    -------
    float or numpy.ndarray of shape (...)
        Between 0 and 1; NaN where no row was drawn.

    Raises
    ------
    ValueError
        If a column is not what it should be, there is no bin or `equal` is unknown.

    References
    ----------
    Naeini MP, Cooper GF, Hauskrecht M (2015), doi:10.1609/aaai.v29i1.9602. Its bias: Bröcker J,
    Smith LA (2007), doi:10.1175/WAF993.1.

    Examples
    --------
    >>> round(expected_calibration_error([0, 1, 1, 1], [0.2, 0.2, 0.9, 0.9]), 3)
    0.2
    """
    labels = as_labels(labels)
    probabilities = as_probabilities(probabilities, len(labels))
    counts = as_counts(counts, len(labels))
    bin_of = np.searchsorted(bin_edges(probabilities, bins, equal)[1:-1], probabilities)
    in_bin = bin_of[:, None] == np.arange(bins)
    gaps = (counts * (labels - probabilities)) @ in_bin.astype(float)
    return ratio(np.abs(gaps).sum(axis=-1), counts.sum(axis=-1))


def bin_edges(probabilities: np.ndarray, bins: int, equal: str) -> np.ndarray:
    """Return the edges of the bins; a bin holds its upper edge, the first its lower one too."""
    if bins < 1 or equal not in {"width", "count"}:
        raise ValueError(f"expected bins ≥ 1 of equal 'width' or 'count', got {bins} of {equal!r}")
    even = np.linspace(0, 1, bins + 1)
    return even if equal == "width" else np.unique(np.quantile(probabilities, even))


def reliability_table(
    labels: ArrayLike,
    probabilities: ArrayLike,
    bins: int = 10,
    equal: str = "count",
    patients: ArrayLike | None = None,
    **options,
) -> pd.DataFrame:
    """Return what a reliability diagram shows: predicted and observed share of each bin.

    Parameters
    ----------
    labels, probabilities, bins, equal
        As in `expected_calibration_error`.
    patients, **options
        As in `bootstrap_interval`.

    Returns
    -------
    DataFrame
        A row for each bin that holds a row: `above` and `up_to` (its edges), `rows`, `predicted`
        (mean probability), `observed` (share of positives) with `low` and `high`; these are NaN,
        "not estimable", in a bin that some resample left empty (see `cautious_interval`).

    Raises
    ------
    ValueError
        As in `expected_calibration_error`.

    Examples
    --------
    >>> table = reliability_table([0, 1, 1, 1], [0.2, 0.2, 0.9, 0.9], bins=2)
    >>> table[["rows", "predicted", "observed"]].to_numpy().tolist()
    [[2.0, 0.2, 0.5], [2.0, 0.9, 1.0]]
    """
    labels = as_labels(labels)
    probabilities = as_probabilities(probabilities, len(labels))
    edges = bin_edges(probabilities, bins, equal)
    bin_of = np.searchsorted(edges[1:-1], probabilities)
    used, bin_of = np.unique(bin_of, return_inverse=True)
    in_bin = (bin_of[:, None] == np.arange(len(used))).astype(float)

    def observed(labels, in_bin, counts=None):
        counts = as_counts(counts, len(labels))
        return ratio((counts * labels) @ in_bin, counts @ in_bin)

    found = cautious_interval(observed, labels, in_bin, patients=patients, **options)
    rows = in_bin.sum(axis=0)
    return pd.DataFrame(
        {
            "above": edges[used],
            "up_to": edges[np.minimum(used + 1, len(edges) - 1)],
            "rows": rows.astype(int),
            "predicted": probabilities @ in_bin / rows,
            "observed": found.estimate,
            "low": found.low,
            "high": found.high,
        }
    )


def calibration_intercept(
    labels: ArrayLike, probabilities: ArrayLike, *, counts: ArrayLike | None = None
) -> float:
    """Return the calibration in the large: a of logit P(y = 1) = a + logit p.

    0 is right on average; above 0 the risks are too low, below 0 too high.

    Parameters
    ----------
    labels, probabilities
        As in `expected_calibration_error`; no probability may be 0 or 1.
    counts : array_like of shape (..., rows), optional
        How often each row was drawn.

    Returns
    -------
    float or numpy.ndarray of shape (...)
        NaN, "not estimable", for one class only.

    Raises
    ------
    ValueError
        If a column is not what it should be.

    References
    ----------
    Van Calster B et al. (2019), doi:10.1186/s12916-019-1466-7.

    Examples
    --------
    >>> round(calibration_intercept([0, 1, 1, 1], [0.5, 0.5, 0.5, 0.5]), 3)  # log 3
    1.099
    """
    labels, logits, counts = _logits(labels, probabilities, counts)
    line = _fit(labels, np.ones((len(labels), 1)), logits, counts)
    return ratio(line[..., 0], 1)


def calibration_slope(
    labels: ArrayLike, probabilities: ArrayLike, *, counts: ArrayLike | None = None
) -> float:
    """Return b of logit P(y = 1) = a + b logit p.

    1 is right; below 1 the risks are too extreme, as after overfitting, above 1 too timid.

    Parameters
    ----------
    labels, probabilities, counts
        As in `calibration_intercept`.

    Returns
    -------
    float or numpy.ndarray of shape (...)
        NaN, "not estimable", for one class only, for identical probabilities, or if they separate
        the classes without an overlap.

    Raises
    ------
    ValueError
        If a column is not what it should be.

    References
    ----------
    Cox DR (1958), doi:10.1093/biomet/45.3-4.562. Van Calster B et al. (2019),
    doi:10.1186/s12916-019-1466-7.

    Examples
    --------
    >>> slope = calibration_slope([0, 0, 1, 0, 1, 1], [0.05, 0.05, 0.05, 0.95, 0.95, 0.95])
    >>> round(slope, 3)  # log 2 / log 19: risks of 1 in 3 and 2 in 3
    0.235
    """
    labels, logits, counts = _logits(labels, probabilities, counts)
    design = np.column_stack([np.ones(len(labels)), logits - logits.mean()])
    return ratio(_fit(labels, design, 0.0, counts)[..., 1], 1)


def _logits(labels: ArrayLike, probabilities: ArrayLike, counts: ArrayLike | None) -> tuple:
    """Return labels, logits and counts; refuse a probability without a finite logit."""
    labels = as_labels(labels)
    probabilities = as_probabilities(probabilities, len(labels))
    certain = (probabilities == 0) | (probabilities == 1)
    if certain.any():
        row = int(np.argmax(certain))
        raise ValueError(
            f"a probability of {probabilities[row]:g} (row {row}) has no finite logit: decide how "
            "certain a model may be, clip, for example to 0.001-0.999, and say so"
        )
    return labels, logit(probabilities), as_counts(counts, len(labels))


def _fit(labels: np.ndarray, design: np.ndarray, offset: np.ndarray, counts: np.ndarray):
    """Return the coefficients of a logistic regression for all counts at once, by Newton's steps.

    NaN if they do not settle: nothing then keeps the likelihood from growing without end.
    """
    width = design.shape[1]
    products = (design[:, :, None] * design[:, None, :]).reshape(len(design), width**2)
    line = np.zeros((*counts.shape[:-1], width))
    for _ in range(NEWTON_STEPS):
        risk = expit(line @ design.T + offset)
        slope = (counts * (labels - risk)) @ design
        curvature = (counts * risk * (1 - risk)) @ products
        curvature = curvature.reshape(*slope.shape, width)
        step = (np.linalg.pinv(curvature, FLAT, hermitian=True) @ slope[..., None])[..., 0]
        line += np.clip(step, -LONGEST_STEP, LONGEST_STEP)
    flat = np.linalg.matrix_rank(curvature, rtol=FLAT, hermitian=True) < width
    settled = (np.abs(step) < 1e-8).all(axis=-1) & ~flat
    return np.where(settled[..., None], line, np.nan)
