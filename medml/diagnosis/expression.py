"""Tumour type from thousands of genes: genes selected inside and outside cross-validation."""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import Pipeline, make_pipeline

FOLDS = 5


def gene_classifier(genes: int) -> Pipeline:
    """Return a classifier that selects genes by the F test, then takes the nearest centroid.

    Both steps learn when it is fitted, so that cross-validation repeats both in each fold.

    Parameters
    ----------
    genes : int
        How many genes are kept.

    References
    ----------
    Tibshirani R et al. (2002), doi:10.1073/pnas.082099299 (centroids of expression).
    """
    return make_pipeline(SelectKBest(f_classif, k=genes), NearestCentroid())


def common_types(labels: ArrayLike, fewest: int = FOLDS) -> np.ndarray:
    """Tell which samples are of a type with enough samples, a bool for each.

    Examples
    --------
    >>> common_types(["a", "b", "a"], fewest=2).tolist()
    [True, False, True]
    """
    _, type_of, count = np.unique(labels, return_inverse=True, return_counts=True)
    return count[type_of] >= fewest


def selection_accuracy(
    values: ArrayLike, labels: ArrayLike, genes: int, inside: bool, seed: int = 0
) -> float:
    """Return the accuracy of `gene_classifier` in five folds.

    Parameters
    ----------
    values : array_like of shape (samples, all genes)
        Expression, without gaps.
    labels : array_like of shape (samples,)
        The type of each sample.
    genes : int
        How many genes are selected.
    inside : bool
        True: selected in each fold from its training samples. False: selected once from all
        samples, so that each test sample has helped to choose the genes that judge it. Wrong.
    seed : int
        Of the folds.

    Returns
    -------
    float
        Share of samples whose type was predicted rightly by a model that was not fitted on them.

    Raises
    ------
    ValueError
        If a value is NaN, there is one type only, a type has fewer samples than there are folds
        or `genes` is not between 1 and the number of genes.

    References
    ----------
    Ambroise C, McLachlan GJ (2002), doi:10.1073/pnas.102102699.
    """
    values, labels = np.asarray(values, float), np.asarray(labels)
    if not np.isfinite(values).all():
        row, gene = np.argwhere(~np.isfinite(values))[0]
        raise ValueError(f"sample {row} has {values[row, gene]} for gene {gene}: impute it first")
    if not 1 <= genes <= values.shape[1]:
        raise ValueError(f"{genes} genes to select: expected 1 to {values.shape[1]}")
    types, counts = np.unique(labels, return_counts=True)
    if len(types) < 2:
        raise ValueError(f"all {len(labels)} samples are of type '{types[0]}': two are needed")
    if counts.min() < FOLDS:
        raise ValueError(
            f"type '{types[counts.argmin()]}' has {counts.min()} samples, {FOLDS} folds need "
            f"{FOLDS}: choose samples with common_types"
        )
    model = gene_classifier(genes)
    if not inside:
        values, model = model[0].fit_transform(values, labels), model[1]
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    return float(np.mean(cross_val_predict(model, values, labels, cv=folds) == labels))
