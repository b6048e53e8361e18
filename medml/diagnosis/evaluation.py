"""The document's `evaluate_on_test_set`: more than an accuracy, and by patient."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from torch import nn

from medml.diagnosis.training import predict
from medml.statistics import measure_table


def evaluate_on_test_set(
    model: nn.Module | ArrayLike,
    test,
    threshold: float = 0.5,
    *,
    trained_on: ArrayLike = (),
    device: str = "cpu",
    **options,
) -> pd.DataFrame:
    """Return what a model does on patients it has not seen, each number with its interval.

    Parameters
    ----------
    model : Module or array_like of shape (n,)
        A network that returns logits, shape (n, 2), or the probabilities that any model gave.
    test : data set or DataFrame
        With `labels` (0 or 1) and `patients`, one for each item; a network also needs its images,
        as in `nodules.NoduleDataset`.
    threshold : float
        An item is called positive if its probability is at least this; chosen on other patients.
    trained_on : array_like, optional
        Patients that training or any choice has used, the threshold too.
    device : str
        Where a network runs: "cpu", "cuda" or "mps".
    **options
        `prevalence`, `resamples`, `level` and `seed` of `medml.statistics.measure_table`.

    Returns
    -------
    DataFrame
        As `measure_table`: accuracy, sensitivity, specificity, PPV, NPV, AUROC, AUPRC, Brier and
        ECE, with columns estimate, low and high; intervals resample patients.

    Raises
    ------
    ValueError
        If a patient of the test set is among `trained_on`, the device is missing, a label is not
        0 or 1, or a probability is NaN or outside 0-1.

    Examples
    --------
    >>> test = pd.DataFrame({"labels": [0, 0, 1, 1], "patients": ["a", "b", "c", "d"]})
    >>> evaluate_on_test_set([0.1, 0.6, 0.4, 0.8], test).estimate[["accuracy", "AUROC"]].tolist()
    [0.5, 0.75]
    """
    seen = np.intersect1d(test.patients, trained_on)
    if len(seen):
        msg = (
            f"{len(seen)} patients of the test set have been used for training or a choice, such "
            f"as {seen[0]}: split by patient (split_patients)"
        )
        raise ValueError(msg)
    probabilities = predict(model, test, device=device) if isinstance(model, nn.Module) else model
    return measure_table(test.labels, probabilities, threshold, patients=test.patients, **options)
