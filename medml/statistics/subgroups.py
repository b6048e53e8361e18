"""One model, several groups of patients: what it does in each, and how far they are apart."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from medml.statistics.calibration import expected_calibration_error
from medml.statistics.columns import (
    as_counts,
    as_groups,
    as_labels,
    as_numbers,
    as_probabilities,
)
from medml.statistics.intervals import FEWEST_PATIENTS, cautious_interval
from medml.statistics.ranking import auroc
from medml.statistics.rates import mean, positive_predictive_value, sensitivity, specificity

MEASURES = (
    "prevalence",
    "selection rate",
    "sensitivity",
    "specificity",
    "PPV",
    "AUROC",
    "calibration in the large",
    "ECE",
)


def group_table(
    labels: ArrayLike,
    probabilities: ArrayLike,
    groups: ArrayLike,
    threshold: ArrayLike = 0.5,
    *,
    patients: ArrayLike | None = None,
    **options,
) -> pd.DataFrame:
    """Return what a model does in each group of patients, each number with its interval.

    Parameters
    ----------
    labels : array_like of shape (rows,)
        1 or True for a positive.
    probabilities : array_like of shape (rows,)
        Of the positive class, 0-1.
    groups : array_like of shape (rows,)
        Name of each row's group, none missing.
    threshold : float or array_like of shape (rows,)
        A row is flagged if its probability is at least this, such as
        ``thresholds.loc[groups]`` after `equal_opportunity_thresholds`.
    patients : array_like of shape (rows,), optional
        Patient of each row; without it each row is a patient of its own.
    **options
        `resamples`, `level` and `seed` as in `bootstrap_interval`.

    Returns
    -------
    DataFrame
        Indexed by `group` and `measure`: prevalence (share of positives), selection rate (share of
        flagged), sensitivity, specificity, PPV, AUROC, calibration in the large (mean of label
        minus probability: above 0 the risks are too low) and ECE (ten bins of equal width, too
        high in small groups). Columns `rows`, `patients`, `estimate`, `low`, `high`; NaN is "not
        estimable", as for a group of one class or, its ends, of fewer than 10 patients.

    Raises
    ------
    ValueError
        If a column is not what it should be or a group is missing.

    Examples
    --------
    >>> table = group_table([0, 1, 0, 1], [0.2, 0.9, 0.6, 0.4], ["f", "f", "m", "m"])
    >>> table.estimate.unstack()["sensitivity"].to_dict()
    {'f': 1.0, 'm': 0.0}
    """
    table = _table(labels, probabilities, groups, threshold, patients)
    parts = {}
    for group, rows in table.groupby("group"):
        parts[group] = _with_intervals(_measures, rows, options)
        parts[group].insert(0, "rows", len(rows))
        parts[group].insert(1, "patients", rows["patient"].nunique())
    return pd.concat(parts, names=["group"])


def group_gaps(
    labels: ArrayLike,
    probabilities: ArrayLike,
    groups: ArrayLike,
    reference: object,
    threshold: ArrayLike = 0.5,
    *,
    patients: ArrayLike | None = None,
    **options,
) -> pd.DataFrame:
    """Return how far each group lies from a reference group, with the interval of the gap.

    All patients are drawn together, so that the gap has an interval of its own: whether two
    intervals overlap does not tell whether their difference holds 0.

    Parameters
    ----------
    labels, probabilities, groups, threshold, patients, **options
        As in `group_table`.
    reference
        Name of the group that is subtracted.

    Returns
    -------
    DataFrame
        Indexed by `group` (without the reference) and `measure`, as in `group_table`: `estimate`,
        `low` and `high` of the group minus the reference; ends are NaN if one of the two has
        fewer than 10 patients.

    Raises
    ------
    ValueError
        As in `group_table`, and if no row belongs to the reference or to another group.

    Examples
    --------
    >>> gaps = group_gaps([0, 1, 0, 1], [0.2, 0.9, 0.6, 0.4], ["f", "f", "m", "m"], "f")
    >>> gaps.estimate["m"][["sensitivity", "AUROC"]].to_dict()
    {'sensitivity': -1.0, 'AUROC': -1.0}
    """
    table = _table(labels, probabilities, groups, threshold, patients)
    sizes = table.groupby("group")["patient"].nunique()
    if reference not in sizes.index or len(sizes) < 2:
        known = ", ".join(map(str, sizes.index))
        raise ValueError(f"expected the reference and another group, got {reference!r} of {known}")
    parts = {}
    for group in sizes.index.drop(reference):
        both = table[table["group"].isin([group, reference])]
        inside = (both["group"] == group).to_numpy()

        def gap(*columns, counts=None, inside=inside):
            counts = as_counts(counts, len(inside))
            ours, theirs = (
                _measures(*(column[rows] for column in columns), counts=counts[..., rows])
                for rows in (inside, ~inside)
            )
            return ours - theirs

        parts[group] = _with_intervals(gap, both, options)
        if sizes[[group, reference]].min() < FEWEST_PATIENTS:
            parts[group][["low", "high"]] = np.nan
    return pd.concat(parts, names=["group"])


def _table(labels, probabilities, groups, threshold, patients) -> pd.DataFrame:
    """Return the columns, checked, as a table; the first three are what `_measures` takes."""
    labels = as_labels(labels)
    rows = len(labels)
    probabilities = as_probabilities(probabilities, rows)
    threshold = np.full(rows, threshold) if np.ndim(threshold) == 0 else threshold
    patients = np.arange(rows) if patients is None else np.asarray(patients)
    if patients.shape != (rows,):
        raise ValueError(f"expected {rows} patients, one for each row, got shape {patients.shape}")
    return pd.DataFrame(
        {
            "label": labels,
            "probability": probabilities,
            "decision": probabilities >= as_numbers(threshold, rows, "thresholds"),
            "group": as_groups(groups, rows),
            "patient": patients,
        }
    )


def _measures(labels, probabilities, decisions, counts=None):
    """Return `MEASURES` of some rows, along the last axis."""
    found = [
        mean(labels, counts=counts),
        mean(decisions, counts=counts),
        sensitivity(labels, decisions, counts=counts),
        specificity(labels, decisions, counts=counts),
        positive_predictive_value(labels, decisions, counts=counts),
        auroc(labels, probabilities, counts=counts),
        mean(labels - probabilities, counts=counts),
        expected_calibration_error(labels, probabilities, counts=counts),
    ]
    return np.stack(found, axis=-1)


def _with_intervals(statistic, table: pd.DataFrame, options: dict) -> pd.DataFrame:
    """Return `MEASURES`, or their gaps, with intervals, one row for each measure."""
    columns = (table[name].to_numpy() for name in ("label", "probability", "decision"))
    patients = table["patient"].to_numpy()
    found = cautious_interval(statistic, *columns, patients=patients, **options)
    return pd.DataFrame(found._asdict(), index=pd.Index(MEASURES, name="measure"))
