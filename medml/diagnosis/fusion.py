"""One model from several sources: early fusion, late fusion, and a source that is missing.

A table for each source goes in, as ``{"clinical": (patients, columns), …}``. A patient whose row of
a table is empty (NaN throughout) lacks that source, and so do all patients if the table is not
there. Both fusions then still answer, each in its own way.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from medml.statistics import auroc

Tables = Mapping[str, pd.DataFrame]
FOLDS = 5
CERTAIN = 1e-6  # probabilities are kept so far from 0 and 1, where the logit ends


def boosting(seed: int = 0) -> HistGradientBoostingClassifier:
    """Return the model that both fusions use: small boosted trees that accept gaps.

    Each split of a tree learns on which side a gap belongs, so nothing is filled in.

    References
    ----------
    Friedman JH (2001), doi:10.1214/aos/1013203451.
    """
    return HistGradientBoostingClassifier(
        max_iter=250,
        learning_rate=0.05,
        max_leaf_nodes=6,
        min_samples_leaf=40,
        l2_regularization=10,
        early_stopping=False,
        random_state=seed,
    )


class EarlyFusion(ClassifierMixin, BaseEstimator):
    """One model that sees all sources side by side.

    Parameters
    ----------
    model : scikit-learn classifier, optional
        With `predict_proba`; it must accept NaN, as `boosting` does.
    dropped : float
        For each source, this share of the training patients is shown once more without it, so
        that the model learns to do without. 0 shows nobody twice.
    seed : int
        Of the draw of these patients.

    References
    ----------
    Baltrušaitis T, Ahuja C, Morency LP (2019), doi:10.1109/TPAMI.2018.2798607. Source dropout:
    Neverova N et al. (2016), doi:10.1109/TPAMI.2015.2461544.
    """

    def __init__(self, model: ClassifierMixin | None = None, dropped: float = 0.0, seed: int = 0):
        self.model = model
        self.dropped = dropped
        self.seed = seed

    def fit(self, tables: Tables, labels: ArrayLike) -> "EarlyFusion":
        """Learn from tables and labels (0 or 1) of the same patients in the same order.

        Raises
        ------
        ValueError
            If labels lack a class, tables differ in length, a source is empty throughout or
            `dropped` is not a share.
        """
        if not 0 <= self.dropped <= 1:
            raise ValueError(f"dropped is a share of the patients, 0-1, got {self.dropped}")
        labels = _check(tables, labels)
        self.columns_ = {source: list(table.columns) for source, table in tables.items()}
        generator = np.random.default_rng(self.seed)
        x, y = [_beside(tables, self.columns_)], [labels]
        for source in tables if self.dropped else ():
            chosen = generator.random(len(labels)) < self.dropped
            others = {name: table[chosen] for name, table in tables.items() if name != source}
            x.append(_beside(others, self.columns_))
            y.append(labels[chosen])
        self.model_ = clone(self.model or boosting()).fit(np.concatenate(x), np.concatenate(y))
        return self

    def predict(self, tables: Tables) -> np.ndarray:
        """Return the probability of label 1; a missing source is a gap in all of its columns.

        Raises
        ------
        ValueError
            If a source is unknown, none is there or its columns are others.
        """
        _check_known(tables, self.columns_)
        return self.model_.predict_proba(_beside(tables, self.columns_))[:, 1]


class LateFusion(ClassifierMixin, BaseEstimator):
    """A model for each source, and a logistic regression that combines their log odds.

    The combination learns from predictions for patients that the source's model has not seen; it
    would trust the model that remembers best otherwise. For a patient who lacks a source, another
    combination is used, one that was learned from the sources that are there.

    Parameters
    ----------
    model : scikit-learn classifier, optional
        With `predict_proba`, for each source; it must accept NaN, as `boosting` does.
    seed : int
        Of the folds.

    References
    ----------
    Wolpert DH (1992), doi:10.1016/S0893-6080(05)80023-1.
    """

    def __init__(self, model: ClassifierMixin | None = None, seed: int = 0):
        self.model = model
        self.seed = seed

    def fit(self, tables: Tables, labels: ArrayLike) -> "LateFusion":
        """Learn from tables and labels (0 or 1) of the same patients in the same order.

        Raises
        ------
        ValueError
            As `EarlyFusion.fit`, or if a class has fewer patients than there are folds.
        """
        self.labels_ = _check(tables, labels)
        if min(np.bincount(self.labels_)) < FOLDS:
            raise ValueError(f"{FOLDS} folds need {FOLDS} patients of each class: take more")
        self.columns_ = {source: list(table.columns) for source, table in tables.items()}
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=self.seed)
        self.models_, self.unseen_ = {}, {}
        for source, table in tables.items():
            there, x = _there(table), table.to_numpy(float)
            model, y = clone(self.model or boosting()), self.labels_[there]
            unseen = cross_val_predict(model, x[there], y, cv=folds, method="predict_proba")
            self.unseen_[source] = np.full(len(x), np.nan)
            self.unseen_[source][there] = _log_odds(unseen[:, 1])
            self.models_[source] = model.fit(x[there], y)
        return self

    def predict(self, tables: Tables) -> np.ndarray:
        """Return the probability of label 1 from the sources that are there.

        Raises
        ------
        ValueError
            If a source is unknown, a patient has none, or columns are others.
        """
        _check_known(tables, self.columns_)
        there = np.column_stack([_there(table) for table in tables.values()])
        if not there.any(axis=1).all():
            row = int(np.argmin(there.any(axis=1)))
            raise ValueError(f"the patient in row {row} has no source at all: nothing to combine")
        probability = np.empty(len(there))
        for pattern in np.unique(there, axis=0):
            rows = (there == pattern).all(axis=1)
            present = [source for source, is_there in zip(tables, pattern, strict=True) if is_there]
            odds = [self._log_odds_of(source, tables[source][rows]) for source in present]
            probability[rows] = self._combine(present, np.column_stack(odds))
        return probability

    def _log_odds_of(self, source: str, table: pd.DataFrame) -> np.ndarray:
        """Return what a source's own model says of patients, as log odds."""
        x = table[self.columns_[source]].to_numpy(float)
        return _log_odds(self.models_[source].predict_proba(x)[:, 1])

    def _combine(self, present: list[str], odds: np.ndarray) -> np.ndarray:
        """Return the probability from the log odds of the present sources."""
        unseen = np.column_stack([self.unseen_[source] for source in present])
        known = np.isfinite(unseen).all(axis=1)
        line = LogisticRegression().fit(unseen[known], self.labels_[known])
        return expit(odds @ line.coef_[0] + line.intercept_[0])


def without_each_source(fusion: EarlyFusion | LateFusion, tables: Tables, labels: ArrayLike):
    """Return the AUROC of a fitted fusion with all sources, and with each one missing at test.

    Returns
    -------
    dict of str to float
        By the source that is missing; "none" for all sources there.
    """
    answers = {"none": auroc(labels, fusion.predict(tables))}
    for source in tables:
        rest = {name: table for name, table in tables.items() if name != source}
        answers[source] = auroc(labels, fusion.predict(rest))
    return answers


def _beside(tables: Tables, columns: Mapping[str, list[str]]) -> np.ndarray:
    """Return all columns side by side, NaN for those of a source that is not there."""
    rows = len(next(iter(tables.values())))
    parts = [
        tables[source][names].to_numpy(float)
        if source in tables
        else np.full((rows, len(names)), np.nan)
        for source, names in columns.items()
    ]
    return np.concatenate(parts, axis=1)


def _there(table: pd.DataFrame) -> np.ndarray:
    """Tell which patients have a source: at least one of its columns is no gap."""
    return table.notna().any(axis=1).to_numpy()


def _log_odds(probability: np.ndarray) -> np.ndarray:
    """Return the logit, finite for a model that is certain."""
    return logit(np.clip(probability, CERTAIN, 1 - CERTAIN))


def _check(tables: Tables, labels: ArrayLike) -> np.ndarray:
    """Return labels as 0 and 1; refuse what no model can learn from."""
    labels = np.asarray(labels)
    lengths = {source: len(table) for source, table in tables.items()}
    if not lengths or set(lengths.values()) != {len(labels)}:
        raise ValueError(f"expected one row for each of {len(labels)} labels, got {lengths}")
    classes = np.unique(labels)
    if not np.isin(classes, (0, 1)).all():
        raise ValueError(f"labels are 0 or 1, got {classes[:4].tolist()}: drop or code the others")
    if len(classes) < 2:
        raise ValueError(f"all {len(labels)} labels are {int(classes[0])}: a model needs both")
    for source, table in tables.items():
        if not _there(table).any():
            raise ValueError(f"source {source!r} is empty for every patient: leave it out")
    return labels.astype(int)


def _check_known(tables: Tables, columns: Mapping[str, list[str]]) -> None:
    """Refuse sources and columns that the model was not trained on."""
    if not tables:
        raise ValueError(f"no source at all, expected some of {', '.join(columns)}")
    for source, table in tables.items():
        if source not in columns:
            raise ValueError(f"unknown source {source!r}, expected some of {', '.join(columns)}")
        if list(table.columns) != columns[source]:
            raise ValueError(
                f"source {source!r} has columns {list(table.columns)}, "
                f"the model learned from {columns[source]}"
            )
