"""Checks of notebook 06's exercises, with the wrong answers that they must refuse."""

import numpy as np

from medml.course import Exercise, Refused, call, number


def predictive_value(answer):
    """A rare disease with two different rates, a common one, then a test that finds nobody."""
    got = number(call(answer, 0.8, 0.95, 0.02))
    tempting = {
        _ppv(0.8, 0.95, 0.5): "Got {}: that is the value where every second person is ill.",
        _ppv(0.95, 0.8, 0.02): "Got {}: sensitivity and specificity are exchanged.",
        0.8 * 0.02 / (0.8 * 0.02 + 0.95 * 0.98): (
            "Got {}: the healthy who are cleared were counted as false alarms."
        ),
        0.8 * 0.02: "Got {}: a share of everybody. Divide by all who test positive.",
        1 - _ppv(0.8, 0.95, 0.02): "Got {}: that is the share of false alarms among the positives.",
    }
    for value, message in tempting.items():
        if np.isclose(got, value):
            raise Refused(message, got)
    if got > 1:
        raise Refused("Got {}; expected a share, between zero and one.", got)
    if np.isclose(got, _ppv(0.8, 0.95, 0.02), atol=5e-3) and not _is_ppv(got, 0.8, 0.95, 0.02):
        raise Refused("Got {}: nearly. Was it rounded inside the function?", got)
    if not _is_ppv(got, 0.8, 0.95, 0.02):
        raise Refused("Got {}; count true and false alarms among many people.", got)
    for sensitivity, specificity, prevalence in ((0.6, 0.7, 0.4), (0.99, 0.5, 0.1)):
        got = number(call(answer, sensitivity, specificity, prevalence))
        if not _is_ppv(got, sensitivity, specificity, prevalence):
            raise Refused("Right for one test, wrong for another: {}.", got)


def cross_fitted(answer):
    """Calibrators that return the mean label they were shown tell where they have been."""
    labels = np.array([1, 0, 0, 0, 1, 1, 1, 0, 1])
    scores = np.linspace(0.1, 0.9, 9)
    fold = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2])
    shown = []

    def fit(some_labels, some_scores):
        shown.append((np.asarray(some_labels), np.asarray(some_scores)))
        level = float(np.mean(some_labels))
        return lambda values: np.asarray(values) * 0 + level

    got = _array(call(answer, labels.copy(), scores.copy(), fold.copy(), fit))
    if got.shape != scores.shape:
        raise Refused("Got the shape {} for {} scores.", got.shape, scores.shape)
    if not shown:
        raise Refused("No calibrator was fitted at all.")
    if any(len(some) != len(others) for some, others in shown):
        raise Refused("A calibrator was given labels and scores of different rows.")
    if not all(np.isin(others, scores).all() for _, others in shown):
        raise Refused("A calibrator was fitted on scores that were repaired before.")
    means = {f: labels[fold == f].mean() for f in range(3)}
    if np.allclose(got, [means[f] for f in fold]):
        raise Refused("Each calibrator was fitted on the very rows that it calibrates.")
    if np.allclose(got, labels.mean()):
        raise Refused("The calibrator has seen all rows, those it calibrates too.")
    right = np.array([labels[fold != f].mean() for f in fold])
    if not np.allclose(got, right):
        raise Refused("Got {} for the first row; its calibrator saw other rows.", float(got[0]))


def net_benefit(answer):
    """A low threshold, a high one, a model that flags everybody, and one that flags nobody."""
    labels = np.array([1, 1, 1, 0, 0, 0, 0, 0, 0, 0])
    risks = np.array([0.9, 0.6, 0.2, 0.7, 0.4, 0.3, 0.28, 0.1, 0.1, 0.05])
    for threshold in (0.25, 0.65):
        got = number(call(answer, labels.copy(), risks.copy(), threshold))
        _refuse_tempting(got, labels, risks, threshold)
        if not np.isclose(got, _net(labels, risks, threshold)):
            raise Refused("Got {} at a threshold of {}.", got, threshold)
    got = number(call(answer, labels.copy(), np.zeros(10), 0.5))
    if not np.isclose(got, 0):
        raise Refused("Got {} for a model that treats nobody; nothing is won or lost then.", got)
    got = number(call(answer, labels.copy(), np.ones(10), 0.25))
    if not np.isclose(got, _net(labels, np.ones(10), 0.25)):
        raise Refused("Got {} for treating everybody.", got)
    got = number(call(answer, labels.copy(), np.full(10, 0.5), 0.5))
    if not np.isclose(got, _net(labels, np.full(10, 0.5), 0.5)):
        raise Refused("Got {} where every risk is exactly the threshold: treat from there on.", got)


def _refuse_tempting(got, labels, risks, threshold):
    """Refuse what comes of a wrong weight, a wrong denominator or a forgotten one."""
    hit = ((risks >= threshold) & (labels == 1)).sum()
    alarm = ((risks >= threshold) & (labels == 0)).sum()
    odds, n = threshold / (1 - threshold), len(labels)
    tempting = {
        (hit - alarm) / n: "Got {}: a false alarm was weighed like a hit.",
        (hit - alarm / odds) / n: "Got {}: the odds of the threshold are upside down.",
        (hit - alarm * threshold) / n: "Got {}: weigh by the odds of the threshold, not by itself.",
        hit - odds * alarm: "Got {}: a number of patients. Divide by how many there are.",
        hit / (labels == 1).sum() - odds * alarm / (labels == 0).sum(): (
            "Got {}: each count was divided by its own class; both belong to all patients."
        ),
        hit / n: "Got {}: false alarms cost nothing here.",
        (odds * alarm - hit) / n: "Got {}: the sign is turned; hits are won, false alarms lost.",
        (hit + odds * alarm) / n: "Got {}: false alarms were added; they must be taken off.",
    }
    for value, message in tempting.items():
        if np.isclose(got, value):
            raise Refused(message, got)


def _ppv(sensitivity, specificity, prevalence):
    hits, alarms = sensitivity * prevalence, (1 - specificity) * (1 - prevalence)
    return hits / (hits + alarms)


def _is_ppv(value, *rates):
    return np.isclose(value, _ppv(*rates))


def _net(labels, risks, threshold, weight=lambda t: t / (1 - t), flag=np.greater_equal):
    flagged = flag(risks, threshold)
    hits, alarms = (flagged & (labels == 1)).mean(), (flagged & (labels == 0)).mean()
    return hits - alarms * weight(threshold)


def _in_place(labels, scores, fold, fit):
    """Overwrite the scores, so that later calibrators see repaired ones."""
    for one in np.unique(fold):
        inside = fold == one
        scores[inside] = fit(labels[~inside], scores[~inside])(scores[inside])
    return scores


def _fold_by_fold(labels, scores, fold, fit, choose):
    found = np.empty(len(scores))
    for number_ in np.unique(fold):
        inside = fold == number_
        rows = choose(inside)
        found[inside] = fit(labels[rows], scores[rows])(scores[inside])
    return found


def _array(value):
    try:
        return np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise Refused("Got {}; expected an array of numbers.", value) from None


EXERCISES = {
    "06.predictive_value": Exercise(
        check=predictive_value,
        hints=(
            "Imagine ten thousand people. How many are ill, and how many of them are found?",
            "The false alarms come from the healthy: one minus the prevalence of them.",
            "Of the healthy, the share one minus the specificity is alarmed for nothing.",
        ),
        wrong=(
            (lambda sens, spec, _: _ppv(sens, spec, 0.5), "every second person is ill"),
            (lambda sens, spec, prev: _ppv(spec, sens, prev), "are exchanged"),
            (
                lambda sens, spec, prev: sens * prev / (sens * prev + spec * (1 - prev)),
                "were counted as false alarms",
            ),
            (lambda sens, spec, prev: sens * prev, "a share of everybody"),
            (lambda sens, spec, prev: 1 - _ppv(sens, spec, prev), "the share of false alarms"),
            (lambda sens, spec, prev: sens, "count true and false alarms"),
            (lambda sens, spec, prev: 100 * _ppv(sens, spec, prev), "expected a share"),
            (lambda sens, spec, prev: round(_ppv(sens, spec, prev), 2), "rounded inside"),
            (lambda sens, spec, prev: _ppv(0.8, 0.95, 0.02), "wrong for another"),
        ),
    ),
    "06.cross_fitted": Exercise(
        check=cross_fitted,
        hints=(
            "Which rows may a calibrator see before it is applied to a fold?",
            "It must not see the fold that it is applied to.",
            "`~inside` is True for the rows of all other folds.",
        ),
        wrong=(
            (
                lambda labels, scores, fold, fit: _fold_by_fold(
                    labels, scores, fold, fit, lambda inside: inside
                ),
                "on the very rows",
            ),
            (
                lambda labels, scores, fold, fit: _fold_by_fold(
                    labels, scores, fold, fit, lambda inside: inside | True
                ),
                "has seen all rows",
            ),
            (
                lambda labels, scores, fold, fit: fit(labels[fold > 0], scores[fold > 0])(scores),
                "saw other rows",
            ),
            (lambda labels, scores, fold, fit: scores, "No calibrator"),
            (lambda labels, scores, fold, fit: fit(labels, scores)(scores[:3]), "the shape"),
            (
                lambda labels, scores, fold, fit: fit(labels[fold > 0], scores)(scores),
                "different rows",
            ),
            (_in_place, "repaired before"),
        ),
    ),
    "06.net_benefit": Exercise(
        check=net_benefit,
        hints=(
            "Count the ill who are treated and the healthy who are treated.",
            "At a threshold of one in four, three needless treatments weigh as much as one hit.",
            "Hits minus false alarms times threshold / (1 - threshold), over all patients.",
        ),
        wrong=(
            (lambda y, p, t: _net(y, p, t, weight=lambda t: 1), "weighed like a hit"),
            (lambda y, p, t: _net(y, p, t, weight=lambda t: (1 - t) / t), "upside down"),
            (lambda y, p, t: _net(y, p, t, weight=lambda t: t), "not by itself"),
            (lambda y, p, t: len(y) * _net(y, p, t), "a number of patients"),
            (
                lambda y, p, t: (p >= t)[y == 1].mean() - t / (1 - t) * (p >= t)[y == 0].mean(),
                "divided by its own class",
            ),
            (lambda y, p, t: _net(y, p, t, weight=lambda t: 0), "cost nothing"),
            (lambda y, p, t: -_net(y, p, t), "sign is turned"),
            (lambda y, p, t: _net(y, p, t, weight=lambda t: -t / (1 - t)), "were added"),
            (lambda y, p, t: _net(y, p, t, flag=np.greater), "exactly the threshold"),
            (
                lambda y, p, t: _net(y, p, t) if (p >= t).any() else -y.mean(),
                "treats nobody",
            ),
            (
                lambda y, p, t: _net(y, p, t) - 0.1 * (p >= t).all(),
                "for treating everybody",
            ),
            (lambda y, p, t: _net(y, p, t) + 0.01, "at a threshold"),
        ),
    ),
}
