"""The two-task Gaussian process: exact identities, and no harm without anything to transfer."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal, zscore
from scipy.stats import t as student

from medml.drugs import gaussian_process
from medml.drugs.gaussian_process import COUPLINGS, NOISES, GaussianProcess, predict
from medml.drugs.similarity import tanimoto
from medml.drugs.sources import NOISE, view_source


def molecules(count, seed, bits=64, first=0):
    """Return random fingerprints; their bits lie at `first` or later."""
    drawn = np.random.default_rng(seed).random((count, bits)) < 0.3
    drawn[:, :first] = False
    return drawn.astype(np.uint8)


def kernel_of(left, right):
    """Return the Tanimoto kernel in double precision."""
    return tanimoto(left, right).astype(float)


SOURCE, TARGET = molecules(30, 0), molecules(20, 1)
ROWS, REST = np.arange(8), np.arange(8, 20)
RNG = np.random.default_rng(2)
SOURCE_PX, PX = RNG.normal(6, 1, 30), RNG.normal(6, 1, 8)
WITHIN, ACROSS, KERNEL = (
    kernel_of(*pair) for pair in ((SOURCE, SOURCE), (SOURCE, TARGET), (TARGET, TARGET))
)
VIEW = view_source("source", WITHIN, ACROSS, SOURCE_PX)


def dense(b, noise):
    """Return the joint covariance of 30 + 20 measurements, and of what noise does not touch."""
    clean = np.block([[WITHIN, b * ACROSS], [b * ACROSS.T, KERNEL]])
    return clean + np.diag([NOISE] * 30 + [noise] * 20), clean


@pytest.mark.parametrize("b", [0.3, 0.95])
def test_given_the_source_the_target_is_the_dense_joint_process(b):
    """Mean b·p and kernel K − b²·E are those of a Gaussian on 30 + 20 molecules, to 1e-6."""
    full, clean = dense(b, 0.0)
    gain = np.linalg.solve(full[:30, :30], clean[:30, 30:]).T
    np.testing.assert_allclose(b * VIEW.mean, gain @ (SOURCE_PX - SOURCE_PX.mean()), atol=1e-6)
    expected = clean[30:, 30:] - gain @ clean[:30, 30:]
    np.testing.assert_allclose(KERNEL - b**2 * VIEW.explained, expected, atol=1e-6)


@pytest.mark.parametrize(("b", "noise"), [(0.0, 0.1), (0.5, 0.3), (0.95, 0.6)])
def test_predictions_and_evidence_equal_those_of_the_dense_joint_process(b, noise):
    """With source labels and 8 target labels at once: the same location and evidence, to 1e-6.

    The target's unknown level is a column of the joint regression there.
    """
    full, clean = dense(b, noise)
    seen = np.r_[np.arange(30), 30 + ROWS]
    labels = np.r_[SOURCE_PX - SOURCE_PX.mean(), PX]
    inverse = np.linalg.inv(full[np.ix_(seen, seen)])
    level = np.r_[np.zeros(30), np.ones(8)]
    constant = level @ inverse @ labels / (level @ inverse @ level)
    across = clean[np.ix_(seen, 30 + REST)]
    expected = constant + across.T @ inverse @ (labels - constant * level)

    block = KERNEL - b**2 * VIEW.explained
    process = GaussianProcess(block[np.ix_(ROWS, ROWS)], b * VIEW.mean[ROWS], PX, noise)
    found, _ = process.predict(block[np.ix_(ROWS, REST)], block[REST, REST], b * VIEW.mean[REST])
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_evidence_is_that_of_a_multivariate_normal_integrated_over_level_and_scale():
    """Numerically: a grid over level and log scale of the normal density, for two models."""
    few, values = ROWS[:4], PX[:4]
    levels, scales = np.linspace(-15, 27, 500), np.exp(np.linspace(-4, 4, 300))
    exact, summed = [], []
    for noise in (0.1, 0.6):
        block = KERNEL[np.ix_(few, few)]
        exact.append(GaussianProcess(block, np.zeros(4), values, noise).evidence)
        normal = [
            multivariate_normal(np.zeros(4), s**2 * (block + noise * np.eye(4))).pdf(
                values - levels[:, None]
            )
            for s in scales
        ]
        summed.append(np.log(np.sum(normal)))
    assert exact[1] - exact[0] == pytest.approx(summed[1] - summed[0], abs=1e-4)


def test_the_spread_without_similar_labels_is_that_of_one_more_draw():
    """Independent molecules: Student's t for a new measurement of a normal sample."""
    count, noise = 6, 0.3
    values = np.array([5.0, 6, 6.5, 7, 8, 5.5])
    process = GaussianProcess(np.eye(count), np.zeros(count), values, noise)
    location, spread = process.predict(np.zeros((count, 1)), np.ones(1), np.zeros(1))
    assert process.freedom == count - 1
    assert location[0] == pytest.approx(values.mean())
    assert spread[0] == pytest.approx(values.std(ddof=1) * np.sqrt(1 + 1 / count))


def test_without_sources_it_is_the_plain_process():
    """b = 0 alone: an average over the three noises by their evidence."""
    found = predict(KERNEL, ROWS, PX)
    each = [GaussianProcess(KERNEL[:8, :8], np.zeros(8), PX, noise) for noise in NOISES]
    weight = np.exp([process.evidence for process in each])
    plain = [process.predict(KERNEL[:8], np.ones(20), np.zeros(20))[0] for process in each]
    np.testing.assert_allclose(found.mean, np.average(plain, axis=0, weights=weight), atol=1e-9)
    np.testing.assert_allclose(found.models["weight"], weight / weight.sum())


def test_with_a_source_it_is_the_average_of_all_two_task_processes():
    """Three plain ones share half of the prior, fifteen with b·p and K − b²·E the other half."""
    means, log_weights = [], []
    for b in (0.0, *COUPLINGS):
        block, mean = KERNEL - b**2 * VIEW.explained, b * VIEW.mean
        for noise in NOISES:
            process = GaussianProcess(block[:8, :8], mean[:8], PX, noise)
            means.append(process.predict(block[:8], block.diagonal(), mean)[0])
            log_weights.append(process.evidence - np.log(15 if b else 3))
    weight = np.exp(log_weights) / np.exp(log_weights).sum()
    found = predict(KERNEL, ROWS, PX, [VIEW])
    np.testing.assert_allclose(found.models["weight"], weight)
    np.testing.assert_allclose(found.mean, weight @ means, atol=1e-9)


def test_a_source_without_a_shared_bit_falls_back_to_the_plain_process():
    """Its view is all zero, so every coupling gives the plain prediction, interval and all."""
    stranger = molecules(30, 3, bits=128, first=64)
    known = np.hstack([TARGET, np.zeros_like(TARGET)])
    across = kernel_of(stranger, known)
    view = view_source("stranger", kernel_of(stranger, stranger), across, SOURCE_PX)
    assert view.coverage == 0
    plain, found = predict(KERNEL, ROWS, PX), predict(KERNEL, ROWS, PX, [view])
    np.testing.assert_allclose(found.mean, plain.mean, atol=1e-9)
    np.testing.assert_allclose(found.interval(), plain.interval(), atol=1e-6)
    assert found.models.loc[found.models["b"] == 0, "weight"].sum() == pytest.approx(0.5)


def series(count, seed):
    """Return molecules of ten series: copies of a template with a few bits turned round."""
    generator = np.random.default_rng(seed)
    templates = (np.random.default_rng(99).random((10, 256)) < 0.3).astype(np.uint8)
    return templates[generator.integers(10, size=count)] ^ (generator.random((count, 256)) < 0.05)


@pytest.fixture(scope="module")
def kin():
    """Return 200 source molecules and 100 of a target with the same activities, measured twice."""
    drawn = series(300, 4)
    kernel = kernel_of(drawn, drawn)
    root = np.linalg.cholesky(kernel + 1e-9 * np.eye(300))
    truth = root @ np.random.default_rng(5).normal(size=300)
    measured = truth + np.random.default_rng(6).normal(0, 0.3, 300)
    return kernel, truth[200:], measured


def test_a_kin_is_believed_and_its_permuted_labels_are_not(kin):
    """A source that is the target helps; ten times permuted, it loses weight and harms nothing."""
    kernel, truth, measured = kin
    within, across, own = kernel[:200, :200], kernel[:200, 200:], kernel[200:, 200:]
    rows = np.arange(30)

    def try_source(*labels):
        views = [view_source("source", within, across, each) for each in labels]
        found = predict(own, rows, measured[200:][rows], views)
        error = np.sqrt(np.mean((found.mean - truth)[30:] ** 2))
        return error, found.models.loc[found.models["b"] > 0, "weight"].sum()

    plain, _ = try_source()
    error, weight = try_source(measured[:200])
    assert error < 0.9 * plain
    assert weight > 0.95
    draws = [np.random.default_rng(seed).permutation(measured[:200]) for seed in range(10)]
    error, weight = np.mean([try_source(labels) for labels in draws], axis=0)
    assert error == pytest.approx(plain, rel=0.03)
    assert weight < 0.45


def test_a_90_percent_interval_covers_90_percent_of_what_the_model_draws():
    """25 draws from the prior, 12 labels each: the rest lies inside about nine times of ten."""
    drawn = series(60, 8)
    kernel = kernel_of(drawn, drawn)
    root = np.linalg.cholesky(kernel + 0.3 * np.eye(60))
    inside = []
    for seed in range(25):
        values = 6 + 1.5 * root @ np.random.default_rng(seed).normal(size=60)
        low, high = predict(kernel, np.arange(12), values[:12]).interval(0.9)
        inside.append(((low < values) & (values < high))[12:].mean())
    assert np.mean(inside) == pytest.approx(0.9, abs=0.03)


def test_the_quantile_of_a_mixture_lies_where_the_shares_below_add_up():
    """Two t distributions 1:3; and one alone has the quantile of scipy."""
    prediction = gaussian_process.Prediction(
        pd.DataFrame(),
        np.array([0.25, 0.75]),
        np.array([[0.0, 1.0], [2.0, 5.0]]),
        np.array([[1.0, 0.5], [2.0, 1.0]]),
        5,
    )
    for level in (0.05, 0.5, 0.95):
        value = prediction.quantile(level)
        below = student.cdf((value - prediction.locations) / prediction.spreads, 5)
        np.testing.assert_allclose(prediction.weights @ below, level, atol=1e-8)
    alone = gaussian_process.Prediction(
        pd.DataFrame(), np.ones(1), np.array([[3.0]]), np.array([[2.0]]), 7
    )
    assert alone.interval(0.8) == pytest.approx(student(7, 3, 2).interval(0.8))
    assert alone.mean == pytest.approx([3.0])
    assert alone.below(4.5) == pytest.approx(student(7, 3, 2).cdf(4.5))
    np.testing.assert_allclose(prediction.below(prediction.quantile(0.2)), 0.2, atol=1e-8)


def test_a_view_that_is_believed_more_beforehand_has_more_of_the_prior():
    """Twice the prior, twice the odds; half of the prior stays with no source."""
    views = [VIEW._replace(name=str(prior), prior=prior) for prior in (1.0, 2.0)]
    weight = predict(KERNEL, ROWS, PX, views).models.groupby("source")["weight"].sum()
    alone = predict(KERNEL, ROWS, PX, [VIEW]).models.groupby("source")["weight"].sum()
    assert weight["2.0"] == pytest.approx(2 * weight["1.0"])
    assert weight[""] == pytest.approx(alone[""])


def test_the_evidence_believes_a_sum_that_is_right_and_refuses_its_opposite():
    """Eight labels that rise with a sum, and eight that fall."""
    said = zscore(np.linspace(-1, 1, 20) ** 3)
    view = VIEW._replace(name="sum", mean=said, explained=np.zeros((20, 20)))
    for sign, least, most in ((1, 0.9, 1), (-1, 0, 0.2)):
        models = predict(KERNEL, ROWS, 6 + sign * said[ROWS], [view]).models
        assert least <= models.loc[models["b"] > 0, "weight"].sum() <= most


@pytest.mark.parametrize(
    ("rows", "values", "message"),
    [
        ([0, 1], [5.0, 6.0], "at least 3 labels"),
        ([0, 1, 2], [5.0, 6.0], "got 3 and 2"),
        ([0, 1, 2], [6.0, 6.0, 6.0], "not all equal"),
        ([0, 1, 2], [6.0, np.nan, 5.0], "must be finite"),
    ],
)
def test_labels_that_say_nothing_are_refused(rows, values, message):
    """Too few, all equal, or not a number."""
    with pytest.raises(ValueError, match=message):
        predict(KERNEL, rows, values, [VIEW])


def test_five_labels_are_enough():
    """A target with five labels gets predictions with wide, finite intervals."""
    low, high = predict(KERNEL, np.arange(5), PX[:5], [VIEW]).interval()
    assert np.isfinite(high - low).all()
    assert (high - low).min() > np.ptp(PX[:5])


def test_views_and_sources_that_do_not_fit_are_refused():
    """A view of other molecules or never believed, kernels of other sizes, missing labels."""
    with pytest.raises(ValueError, match="'source' is of other molecules than the kernel's 19"):
        predict(KERNEL[:19, :19], ROWS, PX, [VIEW])
    for prior in (0, np.nan):
        with pytest.raises(ValueError, match=f"'source' has the prior {prior}: leave it out"):
            predict(KERNEL, ROWS, PX, [VIEW._replace(prior=prior)])
    with pytest.raises(ValueError, match=r"got \(30, 30\), \(30, 20\) and 29 labels"):
        view_source("source", WITHIN, ACROSS, SOURCE_PX[1:])
    with pytest.raises(ValueError, match="'source' has labels that are not finite"):
        view_source("source", WITHIN, ACROSS, np.r_[np.nan, SOURCE_PX[1:]])
    for level in (0.0, 1.0):
        with pytest.raises(ValueError, match="level between 0 and 1"):
            predict(KERNEL, ROWS, PX).quantile(level)
