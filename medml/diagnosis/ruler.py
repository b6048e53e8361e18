"""Beside the ruler: what a score tells of a nodule that its diameter does not tell.

The label is the readers' opinion, not pathology, and the diameter alone predicts it well. So every
model stands beside the diameter, on the same nodules, with intervals that resample patients.
"""

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medml.diagnosis.cohort import folds
from medml.statistics import Interval, bootstrap_interval, column_auroc, matched_auroc

# From … to below … mm. Benign and malignant are mixed most between 8 and 12 mm.
SIZES_MM = {"all sizes": (0, np.inf), "6-15 mm": (6, 15), "8-12 mm": (8, 12)}
MATCHED = "matched AUROC"

Score = Callable[[np.ndarray, np.ndarray, int], np.ndarray]


def regression(features: ArrayLike, labels: ArrayLike) -> Score:
    """Make a contestant: logistic regression on standardised features.

    Parameters
    ----------
    features : array_like of shape (nodules, features)
    labels : array_like of bool, shape (nodules,)

    Returns
    -------
    callable
        ``score(train, test, seed)`` learns from the rows `train` and returns the probability of
        malignant for the rows `test`, arrays of row numbers. The seed changes nothing here.
    """
    features, labels = np.asarray(features, float), np.asarray(labels)

    def score(train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        return model.fit(features[train], labels[train]).predict_proba(features[test])[:, 1]

    return score


def out_of_fold(nodules: pd.DataFrame, score: Score, seeds: Iterable[int]) -> pd.DataFrame:
    """Score every nodule by a model that has not seen its patient, once for each seed.

    Parameters
    ----------
    nodules : DataFrame
        With the columns patient_id and malignant, as `cohort.folds` needs them.
    score : callable
        As `regression` makes it; its row numbers count within `nodules`.
    seeds : iterable of int
        One repetition of the folds for each.

    Returns
    -------
    DataFrame
        One row for each seed and nodule, in the order of `nodules`: seed, nodule_id (the index of
        `nodules`), patient_id, fold (0 to 4) and score.
    """
    parts = []
    for seed in seeds:
        fold, scores = np.empty(len(nodules), int), np.empty(len(nodules))
        for number, (train, test) in enumerate(folds(nodules, seed)):
            fold[test], scores[test] = number, score(train, test, seed)
        columns = {"seed": seed, "nodule_id": nodules.index, "patient_id": nodules["patient_id"]}
        parts.append(pd.DataFrame(columns | {"fold": fold, "score": scores}))
    return pd.concat(parts, ignore_index=True)


def mean_score(scores: pd.DataFrame) -> np.ndarray:
    """Average the scores of `out_of_fold` over its seeds, in the order of the nodules."""
    return scores.groupby("nodule_id", sort=False)["score"].mean().to_numpy()


def of_size(nodules: pd.DataFrame, size: str) -> np.ndarray:
    """Tell which nodules belong to a class of `SIZES_MM`, an array of bool."""
    low, high = SIZES_MM[size]
    return ((nodules["diameter_mm"] >= low) & (nodules["diameter_mm"] < high)).to_numpy()


def auroc_gain(labels: ArrayLike, scores: ArrayLike, ruler: ArrayLike) -> float:
    """Return the AUROC of the scores minus that of the ruler; NaN if a class is missing."""
    if len(np.unique(labels)) < 2:
        return np.nan
    ours, theirs = column_auroc(np.column_stack([scores, ruler]), labels)
    return float(ours - theirs)


def beside_ruler(
    nodules: pd.DataFrame, scores: ArrayLike, ruler: ArrayLike, resamples: int = 1000
) -> dict[str, int | Interval]:
    """Compare scores with a ruler's scores of the same nodules.

    Parameters
    ----------
    nodules : DataFrame
        With the columns patient_id, malignant and diameter_mm.
    scores, ruler : array_like of shape (nodules,)
        Probabilities of malignant.
    resamples : int
        Of the bootstrap over patients; its seed is 0.

    Returns
    -------
    dict
        How many "nodules" and "malignant" ones; the gain in AUROC in each class of `SIZES_MM`;
        `MATCHED`, the AUROC over pairs that differ by at most 5 % in diameter
        (`statistics.matched_auroc`); "accuracy", with malignant said above one half. The ends of
        an interval are NaN, "not estimable", where some resample lacks a class.
    """
    table = nodules.assign(scores=np.asarray(scores), ruler=np.asarray(ruler))
    table["right"] = (table["scores"] > 0.5) == table["malignant"]

    def interval(statistic: Callable[..., float], rows: pd.DataFrame, *names: str) -> Interval:
        columns, patients = [rows[name].to_numpy() for name in names], rows["patient_id"].to_numpy()
        return bootstrap_interval(statistic, *columns, patients=patients, resamples=resamples)

    found = {"nodules": len(table), "malignant": int(table["malignant"].sum())}
    for size in SIZES_MM:
        rows = table[of_size(table, size)]
        found[size] = interval(auroc_gain, rows, "malignant", "scores", "ruler")
    found[MATCHED] = interval(matched_auroc, table, "malignant", "scores", "diameter_mm")
    found["accuracy"] = interval(np.mean, table, "right")
    return found
