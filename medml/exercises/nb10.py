"""Checks of notebook 10's exercises, with the wrong answers that they must refuse."""

import numpy as np

from medml.course import Exercise, Refused, call, number


def effective_sample_size(answer):
    """Equal weights, one weight, and weights of another scale."""
    got = number(call(answer, np.full(4, 0.3)))
    if np.isclose(got, 4 * 0.3):
        raise Refused("Got {} for four equal weights of less than one: that is their sum.", got)
    if np.isclose(got, 1 / 4):
        raise Refused("Got {} for four equal weights: the fraction stands on its head.", got)
    if np.isclose(got, 1 / 0.3):
        raise Refused("Got {} for four equal weights: is the sum above squared?", got)
    if np.isclose(got, 1):
        raise Refused("Got {} for four equal weights: above and below are the same.", got)
    if not np.isclose(got, 4):
        raise Refused("Got {} for four equal weights; they are four episodes.", got)
    got = number(call(answer, np.array([0.0, 7.0, 0.0])))
    if not np.isclose(got, 1):
        raise Refused("Got {} although a single episode carries all the weight.", got)
    weights = np.array([1.0, 2.0, 3.0])
    got, scaled = (number(call(answer, x.copy())) for x in (weights, 10 * weights))
    if not np.isclose(got, scaled):
        raise Refused(
            "Got {} and {} when all weights grew tenfold: only shares matter.", got, scaled
        )
    if not np.isclose(got, 36 / 14):
        raise Refused("Got {} for weights that rise in equal steps.", got)


def safe(answer):
    """A candidate that may be bad, one that is surely a little worse, one that is better."""
    mean, sd = np.array([0.80, 0.85, 0.75, 0.60]), np.array([0.01, 0.30, 0.02, 0.01])
    got = _flags(call(answer, mean.copy(), sd.copy(), 0.10), len(mean))
    if not got[0]:
        raise Refused("No shift itself is called unsafe.")
    if got[3] and not got[2]:
        raise Refused("What costs most is called safe, what costs little is not: turned round.")
    if got[1]:
        raise Refused("A candidate that nobody knows yet is called safe: hope is no proof.")
    if not got[2]:
        raise Refused("A candidate that surely costs less than the margin is called unsafe.")
    if got[3]:
        raise Refused("A candidate that surely costs more than the margin is called safe.")
    better = _flags(call(answer, np.array([0.8, 0.9]), np.array([0.01, 0.05]), 0.0), 2)
    if not better[1]:
        raise Refused("With no margin, a candidate that is surely better is called unsafe.")
    noisy = _flags(call(answer, np.array([0.8, 0.6]), np.array([0.3, 0.01]), 0.10), 2)
    if not noisy[0]:
        raise Refused("No shift is called unsafe when its own score is uncertain: it always may.")
    if noisy[1]:
        raise Refused("An uncertain score of no shift lowered the bar: compare with its mean.")


def adjusted(answer):
    """Severity decides on treatment; strata of unequal size; one without a comparison."""
    outcome = np.array([1, 1, 1, 0, 1, 0, 0, 0, 0, 0], float)
    treated = np.array([1, 0, 0, 0, 0, 1, 1, 1, 1, 0], bool)
    strata = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
    right = 0.5 * (1 - 3 / 4) + 0.5 * 0
    got = number(call(answer, outcome.copy(), treated.copy(), strata.copy()))
    if np.isclose(got, _crude(outcome, treated)):
        raise Refused("Got {}, the crude difference: severity still plays its part.", got)
    if np.isclose(got, -right):
        raise Refused("Got {}: the treated and the others are exchanged.", got)
    if np.isclose(got, 10 * right):
        raise Refused("Got {}: the sum was not divided by the weights.", got)
    if np.isclose(got, (1 * 0.25 + 4 * 0) / 5) or np.isclose(got, (4 * 0.25 + 1 * 0) / 5):
        raise Refused("Got {}: all rows of a stratum are its weight, not one kind alone.", got)
    if not np.isclose(got, right):
        raise Refused("Got {} for two strata of equal size.", got)
    outcome, treated, strata = (
        np.concatenate([column, more])
        for column, more in (
            (outcome, [1.0, 0.0] * 5),
            (treated, [True, False] * 5),
            (strata, [2] * 10),
        )
    )
    right = (10 * 1 + 5 * 0.25 + 5 * 0) / 20
    got = number(call(answer, outcome.copy(), treated.copy(), strata.copy()))
    if np.isclose(got, (1 + 0.25 + 0) / 3):
        raise Refused("Got {}: a large stratum counts as much as a small one.", got)
    if np.isclose(got, (2.5 * 1 + 0.8 * 0.25 + 0.8 * 0) / (2.5 + 0.8 + 0.8)):
        raise Refused("Got {}: those are Mantel and Haenszel's weights; take the rows.", got)
    if not np.isclose(got, right):
        raise Refused("Got {} for three strata of unequal size.", got)
    more = np.append(outcome, 1.0), np.append(treated, True), np.append(strata, 9)
    got = number(call(answer, *more))
    if not np.isclose(got, right):
        raise Refused("Got {} after a stratum came in where all were treated: leave it out.", got)


def _flags(value, size):
    got = np.asarray(value)
    if got.dtype != bool or got.shape != (size,):
        raise Refused("Got {}; expected one truth value for each candidate.", value)
    return got


def _crude(outcome, treated):
    return outcome[treated].mean() - outcome[~treated].mean()


def _stratified(outcome, treated, strata, weigh=np.size, sign=1):
    """Return the weighted mean of the differences; `weigh` takes who was treated."""
    summed = weights = 0.0
    for stratum in np.unique(strata):
        rows = strata == stratum
        if treated[rows].all() or not treated[rows].any():
            continue
        weight = weigh(treated[rows])
        summed += weight * sign * _crude(outcome[rows], treated[rows])
        weights += weight
    return summed / weights


def _with_empty(outcome, treated, strata):
    """A stratum without a comparison counts as no difference."""
    result, kept = _stratified(outcome, treated, strata), 0
    for stratum in np.unique(strata):
        rows = strata == stratum
        kept += rows.sum() * (treated[rows].any() and not treated[rows].all())
    return result * kept / len(outcome)


EXERCISES = {
    "10.effective_sample_size": Exercise(
        check=effective_sample_size,
        hints=(
            "Four equal weights must give four, whatever their size.",
            "The blanks are a power of the sum, and the sum of powers.",
            "Square the sum above, sum the squares below.",
        ),
        wrong=(
            (lambda weights: weights.sum(), "that is their sum"),
            (lambda weights: (weights**2).sum() / weights.sum() ** 2, "stands on its head"),
            (lambda weights: weights.sum() / (weights**2).sum(), "sum above squared"),
            (lambda weights: weights.sum() ** 2 / weights.sum() ** 2, "are the same"),
            (len, "a single episode carries"),
            (lambda weights: (weights > 0).sum(), "rise in equal steps"),
            (lambda weights: 3 * weights.sum(), "four equal weights; they"),
            (lambda weights: weights.sum() / weights.max(), "rise in equal steps"),
        ),
    ),
    "10.safe": Exercise(
        check=safe,
        hints=(
            "What does a large sd say about a candidate: better, worse, or unknown?",
            "Safe means: even in a bad case it costs no more than the margin.",
            "The sign in front of sd is wrong.",
        ),
        wrong=(
            (lambda mean, sd, margin: mean + sd > mean[0] - margin, "hope is no proof"),
            (lambda mean, sd, margin: mean > mean[0] - margin, "hope is no proof"),
            (lambda mean, sd, margin: mean - sd > mean[0] + margin, "itself is called unsafe"),
            (
                lambda mean, sd, margin: (mean - sd > mean[0]) | (np.arange(len(mean)) == 0),
                "costs less than the margin",
            ),
            (lambda mean, sd, margin: sd < 0.1, "costs more than the margin"),
            (
                lambda mean, sd, margin: (
                    (mean - sd < mean[0] - margin) | (np.arange(len(mean)) == 0)
                ),
                "turned round",
            ),
            (lambda mean, sd, margin: mean - sd > mean[0] - margin, "it always may"),
            (lambda mean, sd, margin: mean - sd > (mean - sd)[0] - margin, "lowered the bar"),
            (lambda mean, sd, margin: mean - sd, "one truth value for each"),
        ),
    ),
    "10.adjusted": Exercise(
        check=adjusted,
        hints=(
            "Compare the treated with the others inside one stratum first.",
            "Skip a stratum that holds only one kind of patient.",
            "Weigh each difference by the number of rows of its stratum, and divide by their sum.",
        ),
        wrong=(
            (lambda outcome, treated, strata: _crude(outcome, treated), "severity still plays"),
            (lambda *columns: _stratified(*columns, sign=-1), "are exchanged"),
            (
                lambda *columns: _stratified(*columns, weigh=lambda drug: 1),
                "counts as much as a small",
            ),
            (_with_empty, "leave it out"),
            (lambda *columns: 10 * _stratified(*columns), "not divided by the weights"),
            (lambda *columns: _stratified(*columns, weigh=np.sum), "not one kind alone"),
            (
                lambda *columns: _stratified(
                    *columns, weigh=lambda drug: drug.sum() * (~drug).sum() / drug.size
                ),
                "Mantel and Haenszel",
            ),
            (lambda *columns: _stratified(*columns) + 1, "two strata of equal size"),
        ),
    ),
}
