"""A transfer that knows when not to: two-task Gaussian processes, averaged by their evidence.

Source and target are taken to be related by f_target = b·f_source + √(1 − b²)·g, where g is
independent of f_source and has the same kernel K (two tasks of Bonilla EV, Chai KM, Williams CKI
2007, Multi-task Gaussian process prediction, NeurIPS 20). Given the source's labels, the target is
again a Gaussian process: its mean is b·p and its kernel K − b²·E (p and E: `sources.SourceView`).
b = 0 is the plain process, and so is any b where the source knows no similar molecule.

Which source and which b? The evidence tells how probable the target's few labels are under each;
predictions are averaged by it (Hoeting JA et al. 1999, doi:10.1214/ss/1009212519). No transfer,
b = 0, has half of the prior, so a source must earn its weight.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import elementwise
from scipy.special import logsumexp, stdtr, stdtrit

from medml.drugs.sources import SourceView

COUPLINGS = (0.3, 0.5, 0.7, 0.85, 0.95)  # b, the correlation of source and target
NOISES = (0.1, 0.3, 0.6)  # variance of a measurement, in units of the process's variance
NEGLIGIBLE = 1e-4  # a model of less weight is left out of the average


class GaussianProcess:
    """A Gaussian process of unknown level and unknown scale, given k labels.

    values = c + mean + f + noise, where f has the covariance s²·kernel and the noise s²·noise. c
    has a flat prior, s the prior 1/s, and both are integrated out: predictions have Student's t
    distribution with k − 1 degrees of freedom.

    Parameters
    ----------
    kernel : numpy.ndarray of shape (k, k)
        Of the labelled molecules.
    mean, values : numpy.ndarray of shape (k,)
        Prior mean and labels, pX.
    noise : float
        Variance of a measurement, in units of s².

    Attributes
    ----------
    evidence : float
        Log density of the labels, up to a constant that all models of these labels share.

    References
    ----------
    Rasmussen CE, Williams CKI (2006) Gaussian Processes for Machine Learning, section 2.7.
    O'Hagan A (1978) Curve fitting and optimal design, doi:10.1111/j.2517-6161.1978.tb01643.x.
    """

    def __init__(self, kernel: np.ndarray, mean: np.ndarray, values: np.ndarray, noise: float):
        count = len(values)
        self.noise = noise
        self._factor = cholesky(kernel + noise * np.eye(count), lower=True)
        # In the basis of the factor all labels are independent and of one variance, s².
        columns = np.column_stack([np.ones(count), values - mean])
        self._ones, labels = solve_triangular(self._factor, columns, lower=True).T
        self._precision = self._ones @ self._ones
        self._level = self._ones @ labels / self._precision
        self._rest = labels - self._level * self._ones
        square = self._rest @ self._rest
        self.freedom = count - 1
        self._variance = square / self.freedom  # s², estimated
        self.evidence = -(
            np.log(self._factor.diagonal()).sum()
            + np.log(self._precision) / 2
            + np.log(square) * self.freedom / 2
        )

    def predict(
        self, across: np.ndarray, variance: np.ndarray, mean: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Predict measurements of n molecules.

        Parameters
        ----------
        across : numpy.ndarray of shape (k, n)
            Kernel between labelled and predicted molecules.
        variance, mean : numpy.ndarray of shape (n,)
            Diagonal of the predicted molecules' kernel, and their prior mean.

        Returns
        -------
        location, spread : numpy.ndarray of shape (n,)
            Centre and scale of Student's t distribution with `freedom` degrees, pX.
        """
        half = solve_triangular(self._factor, across, lower=True)
        location = mean + self._level + half.T @ self._rest
        unknown_level = (1 - self._ones @ half) ** 2 / self._precision
        share = variance + self.noise - (half**2).sum(axis=0) + unknown_level
        return location, np.sqrt(self._variance * share)


@dataclass(frozen=True, eq=False)
class Prediction:
    """Predicted measurements of n molecules, a mixture of m Student t distributions each.

    Attributes
    ----------
    models : pandas.DataFrame
        All models that were compared: `source` (empty without one), `b`, `noise`, `weight`.
    weights : numpy.ndarray of shape (m,)
        Of the models that are not negligible; they add up to 1.
    locations, spreads : numpy.ndarray of shape (m, n)
        Centre and scale of each, pX.
    freedom : int
        Degrees of freedom of all.
    """

    models: pd.DataFrame
    weights: np.ndarray
    locations: np.ndarray
    spreads: np.ndarray
    freedom: int

    @property
    def mean(self) -> np.ndarray:
        """Predicted pX, shape (n,)."""
        return self.weights @ self.locations

    def below(self, value: float | np.ndarray) -> np.ndarray:
        """Return the probability that a new measurement lies below one pX, or n of them, (n,)."""
        return self.weights @ stdtr(self.freedom, (value - self.locations) / self.spreads)

    def quantile(self, level: float) -> np.ndarray:
        """Return the value below which a new measurement lies with probability `level`, (n,).

        Raises
        ------
        ValueError
            If the level is not between 0 and 1.
        """
        if not 0 < level < 1:
            raise ValueError(f"expected a level between 0 and 1, got {level}")

        def excess(value, molecule):
            standard = (value - self.locations[:, molecule]) / self.spreads[:, molecule]
            return self.weights @ stdtr(self.freedom, standard) - level

        each = self.locations + self.spreads * stdtrit(self.freedom, level)
        ends = each.min(axis=0) - 1e-6, each.max(axis=0) + 1e-6
        return elementwise.find_root(excess, ends, args=(np.arange(each.shape[1]),)).x

    def interval(self, level: float = 0.9) -> tuple[np.ndarray, np.ndarray]:
        """Return the ends of the central interval for a new measurement, pX, shape (n,) each."""
        return self.quantile((1 - level) / 2), self.quantile((1 + level) / 2)


def predict(
    kernel: np.ndarray,
    rows: np.ndarray,
    values: np.ndarray,
    views: Sequence[SourceView] = (),
) -> Prediction:
    """Predict all molecules of a target from a few labels and what sources say.

    Parameters
    ----------
    kernel : numpy.ndarray of shape (n, n)
        Tanimoto kernel of all molecules of the target, labelled and not.
    rows : numpy.ndarray of int, shape (k,)
        The labelled ones.
    values : numpy.ndarray of shape (k,)
        Their pX.
    views : sequence of SourceView, optional
        Of the same n molecules. Without any, the plain Gaussian process.

    Returns
    -------
    Prediction
        For all n molecules, in the order of the kernel.

    Raises
    ------
    ValueError
        If there are fewer than three labels, they are all equal or not finite, or a view has
        another number of molecules than the kernel, or a prior that is not above 0.
    """
    rows, values = np.asarray(rows), np.asarray(values, float)
    count = len(kernel)
    _refuse(count, rows, values, views)
    nothing = SourceView("", np.zeros(count), np.broadcast_to(0.0, (count, count)))
    models = [_Model(nothing, 0.0, noise) for noise in NOISES]
    models += [_Model(*each) for each in itertools.product(views, COUPLINGS, NOISES)]
    processes = [model.given(kernel, rows, values) for model in models]
    table = _weigh(models, processes)
    kept = np.flatnonzero(table["weight"] >= NEGLIGIBLE)
    predictions = [models[i].everywhere(kernel, rows, processes[i]) for i in kept]
    locations, spreads = np.stack(predictions, axis=1)
    weights = table["weight"].to_numpy()[kept]
    return Prediction(table, weights / weights.sum(), locations, spreads, processes[0].freedom)


class _Model(NamedTuple):
    """One source, one coupling, one noise."""

    view: SourceView
    b: float
    noise: float

    def given(self, kernel: np.ndarray, rows: np.ndarray, values: np.ndarray) -> GaussianProcess:
        """Return the target's process, given the source's labels and then the target's."""
        return GaussianProcess(
            self._kernel(kernel, np.ix_(rows, rows)),
            self.b * self.view.mean[rows],
            values,
            self.noise,
        )

    def everywhere(self, kernel, rows, process: GaussianProcess) -> tuple[np.ndarray, np.ndarray]:
        """Predict all molecules."""
        diagonal = np.diag_indices(len(kernel))
        across, variance = (self._kernel(kernel, part) for part in (rows, diagonal))
        return process.predict(across, variance, self.b * self.view.mean)

    def _kernel(self, kernel: np.ndarray, part) -> np.ndarray:
        """Return a part of K − b²·E."""
        return kernel[part].astype(float) - self.b**2 * self.view.explained[part]


def _weigh(models: Sequence[_Model], processes: Sequence[GaussianProcess]) -> pd.DataFrame:
    """Return the models with their posterior weights; half of the prior is on b = 0."""
    table = pd.DataFrame([(model.view.name, model.b, model.noise) for model in models])
    table.columns = ["source", "b", "noise"]
    prior = pd.Series([model.view.prior for model in models])
    prior /= prior.groupby(table["b"] > 0).transform("sum")
    log_weight = np.log(prior) + [process.evidence for process in processes]
    return table.assign(weight=np.exp(log_weight - logsumexp(log_weight)))


def _refuse(count: int, rows: np.ndarray, values: np.ndarray, views: Sequence[SourceView]) -> None:
    """Raise a ValueError for labels or views that no model can use."""
    if len(rows) != len(values) or len(rows) < 3:
        msg = f"expected at least 3 labels, one for each row, got {len(rows)} and {len(values)}"
        raise ValueError(msg)
    if not np.isfinite(values).all() or np.ptp(values) == 0:
        raise ValueError("labels must be finite and not all equal: measure more molecules")
    wrong = [view.name for view in views if len(view.mean) != count]
    if wrong:
        raise ValueError(f"view {wrong[0]!r} is of other molecules than the kernel's {count}")
    for view in views:
        if not 0 < view.prior < np.inf:
            raise ValueError(f"view {view.name!r} has the prior {view.prior}: leave it out")
