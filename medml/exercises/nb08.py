"""Checks of notebook 08's exercises, with the wrong answers that they must refuse."""

from itertools import combinations, permutations

import numpy as np
from sklearn.neighbors import NearestCentroid

from medml.course import Exercise, Refused, call, number


def horizon_label(answer):
    """A death before, on and after the horizon; a follow-up that ends before, on and after it."""
    got = call(answer, 100, False, 180)
    if got == 0:
        raise Refused("Censored before the horizon, a patient counted as alive. Who saw it?")
    if got == 1:
        raise Refused("Censored before the horizon, a patient counted as dead.")
    if got is not None:
        raise Refused("Got {} for a patient censored before the horizon.", got)
    _expect(call(answer, 100, True, 180), 1, "a death before the horizon")
    got = call(answer, 200, True, 180)
    if got == 1:
        raise Refused("A death after the horizon counted; on that day the patient was alive.")
    if got is None:
        raise Refused("A patient who died after the horizon got no label, but was alive then.")
    _expect(got, 0, "a death after the horizon")
    _expect(call(answer, 200, False, 180), 0, "a follow-up beyond the horizon")
    _expect(call(answer, 90, True, 90), 1, "a death on the day of the horizon")
    got = call(answer, 90, False, 90)
    if got is None:
        raise Refused("Followed to the very day of the horizon, a patient got no label.")
    _expect(got, 0, "a follow-up that ends on the horizon")


def honest_accuracy(answer):
    """Noise with a spy as the selection: it notes which samples it was shown."""
    generator = np.random.default_rng(8)
    values, labels = generator.normal(size=(30, 200)), np.arange(30) % 2
    folds = [(np.flatnonzero(np.arange(30) % 3 != k), np.arange(k, 30, 3)) for k in range(3)]
    shown = []

    def select(some_values, some_labels):
        shown.append((np.array(some_values), np.array(some_labels)))
        alike = len(some_values) == len(some_labels)
        return _strongest(some_values, some_labels) if alike else np.arange(10)

    got = number(call(answer, values.copy(), labels.copy(), folds, select))
    if not shown:
        raise Refused("The genes were never selected.")
    if any(len(one) != len(names) for one, names in shown):
        raise Refused("The selection got samples and labels of different length.")
    sizes = [len(one) for one, _ in shown]
    if max(sizes) == len(values):
        raise Refused("The selection saw all samples: each test sample helped to choose its genes.")
    if min(sizes) < len(values) // 2:
        raise Refused("The selection saw {} samples: those of the test.", min(sizes))
    if len(shown) < len(folds):
        raise Refused("The selection ran {} times for three folds.", len(shown))
    if got > 1:
        raise Refused("Got {}; a share is at most one.", got)
    if not np.isclose(got, _accuracy(values, labels, folds, lambda train, test: train)):
        raise Refused("Selected in each fold, yet the accuracy is {}. Whom did the rest see?", got)


def concordance(answer):
    """Pairs in order, out of order, tied, and pairs that censoring makes impossible to compare."""
    days, died = np.array([2.0, 4.0, 6.0, 8.0]), np.array([True, True, True, False])
    got = number(call(answer, days, died, np.array([4.0, 3.0, 2.0, 1.0])))
    if np.isclose(got, 0):
        raise Refused("Got {} where the highest risk dies first: the order is reversed.", got)
    if not np.isclose(got, 1):
        raise Refused("Got {} where every risk is in the right order.", got)
    got = number(call(answer, days, died, np.ones(4)))
    if not np.isclose(got, 0.5):
        raise Refused("Got {} for equal risks: what should a tie count?", got)
    days, died = np.array([1.0, 2.0, 3.0, 4.0]), np.array([False, True, False, True])
    risk = np.array([0.1, 0.9, 0.5, 0.2])
    got = number(call(answer, days, died, risk))
    if np.isclose(got, _pairs(days, [True] * 4, risk)):
        raise Refused("A censored patient was counted as dying on the last day seen.")
    if not np.isclose(got, 1):
        raise Refused("Got {}. Which pairs can be compared if the first was censored?", got)
    days, died = np.array([1.0, 2.0, 3.0]), np.array([True, True, False])
    risk = np.array([0.2, 0.9, 0.5])
    got = number(call(answer, days, died, risk))
    if np.isclose(got, 0):
        raise Refused("A pair is missing: one who died is compared with the censored too.")
    if not np.isclose(got, 1 / 3):
        raise Refused("Got {} for three pairs, only one of them in order.", got)
    shuffled = [1, 2, 0]
    moved = number(call(answer, days[shuffled], died[shuffled], risk[shuffled]))
    if not np.isclose(moved, got):
        raise Refused("The same patients in another order gave {}, not {}.", moved, got)


def _right_label(days, died, horizon):
    """Return 1, 0 or None as the exercise asks."""
    dead = died and not days > horizon
    return 1 if dead else 0 if days >= horizon else None


def _expect(got, right, words):
    """Refuse a label that is not the right one."""
    if got is None or got != right:
        raise Refused("Got {} for " + words + ".", got)


def _strongest(values, labels):
    """Return the ten columns that differ most between two types."""
    gap = values[labels == 1].mean(axis=0) - values[labels == 0].mean(axis=0)
    return np.argsort(-np.abs(gap))[:10]


def _accuracy(values, labels, folds, seen, fitted=None, select=_strongest):
    """Return the accuracy with genes from the rows `seen`, a model from the rows `fitted`."""
    right = []
    for train, test in folds:
        rows = seen(train, test)
        genes = select(values[rows], labels[rows])
        rows = (fitted or (lambda train, test: train))(train, test)
        model = NearestCentroid().fit(values[rows][:, genes], labels[rows])
        right.append(model.predict(values[test][:, genes]) == labels[test])
    return float(np.mean(np.concatenate(right)))


def _everybody(train, test):
    return np.sort(np.concatenate([train, test]))


def _wrong_accuracy(seen, fitted=None):
    def wrong(values, labels, folds, select):
        return _accuracy(values, labels, folds, seen, fitted, select)

    return wrong


def _selected_once(values, labels, folds, select):
    genes = select(values[folds[0][0]], labels[folds[0][0]])
    return _accuracy(values, labels, folds, lambda train, test: train, select=lambda x, y: genes)


def _wrong_labels(values, labels, folds, select):
    return float(np.mean([len(select(values[train], labels)) for train, _ in folds]))


def _pairs(days, died, risk, tie=0.5, censored=True, in_rows=False):
    """Return the concordance, with wrong ways to count ties, the censored and the rows."""
    right = total = 0.0
    for i, j in (combinations if in_rows else permutations)(range(len(days)), 2):
        if died[i] and days[i] < days[j] and (censored or died[j]):
            total += 1
            right += (risk[i] > risk[j]) + tie * (risk[i] == risk[j])
    return right / total if total else 0.0


EXERCISES = {
    "08.horizon_label": Exercise(
        check=horizon_label,
        hints=(
            "Three answers are possible. Which patient gets which?",
            "A death counts if it was seen and not later than the horizon.",
            "Alive on the horizon is known only of those who were followed up to it.",
        ),
        wrong=(
            (lambda days, died, horizon: int(died and days <= horizon), "counted as alive"),
            (lambda days, died, horizon: int(days <= horizon), "counted as dead"),
            (
                lambda days, died, horizon: int(died) if died or days >= horizon else None,
                "A death after the horizon counted",
            ),
            (
                lambda days, died, horizon: (
                    None if days > horizon and died else _right_label(days, died, horizon)
                ),
                "got no label, but was alive",
            ),
            (
                lambda days, died, horizon: (
                    1 if died and days <= horizon else 0 if days > horizon else None
                ),
                "the very day of the horizon",
            ),
            (
                lambda days, died, horizon: (
                    1 if died and days < horizon else 0 if days >= horizon else None
                ),
                "a death on the day of the horizon",
            ),
        ),
    ),
    "08.honest_accuracy": Exercise(
        check=honest_accuracy,
        hints=(
            "Which samples may help to choose the genes?",
            "Whatever learns from data learns inside the fold, from its training samples.",
            "Only the call of `select` is wrong: look at the line below it.",
        ),
        wrong=(
            (_wrong_accuracy(_everybody), "saw all samples"),
            (_wrong_accuracy(lambda train, test: test), "those of the test"),
            (_selected_once, "for three folds"),
            (
                _wrong_accuracy(lambda train, test: train, _everybody),
                "Selected in each fold, yet",
            ),
            (_wrong_labels, "of different length"),
            (
                lambda values, labels, folds, select: (
                    100 * _accuracy(values, labels, folds, lambda train, test: train, select=select)
                ),
                "a share is at most one",
            ),
            (lambda values, labels, folds, select: 0.5, "never selected"),
        ),
    ),
    "08.concordance": Exercise(
        check=concordance,
        hints=(
            "Look at pairs. Of which pairs do you know who died first?",
            "A pair counts if the one with the shorter time was seen to die.",
            "In order: the one who died first has the higher risk. Equal risks count one half.",
        ),
        wrong=(
            (lambda days, died, risk: 1 - _pairs(days, died, risk), "the order is reversed"),
            (lambda days, died, risk: _pairs(days, died, risk, tie=0), "what should a tie count"),
            (lambda days, died, risk: _pairs(days, died, risk, tie=1), "what should a tie count"),
            (
                lambda days, died, risk: _pairs(days, [True] * len(days), risk),
                "was counted as dying",
            ),
            (
                lambda days, died, risk: _pairs(days, died, risk, censored=False),
                "A pair is missing",
            ),
            (
                lambda days, died, risk: _pairs(days, died, risk, in_rows=True),
                "in another order",
            ),
        ),
    ),
}
