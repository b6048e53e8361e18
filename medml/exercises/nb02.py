"""Checks of notebook 02's exercises, with the wrong answers that they must refuse."""

import statistics

import numpy as np

from medml.course import Exercise, Refused, call, number


def kappa_of_counts(answer):
    """Two readers with other habits than each other, then three answers and full agreement."""
    counts = np.array([[45, 15], [25, 15]])  # agreement 0.6, by chance 0.54
    got = number(call(answer, counts))
    if abs(got - 0.6) < 1e-9:
        raise Refused("Got {}: that is the raw agreement, chance is still in it.", got)
    if abs(got - 0.06) < 1e-9:
        raise Refused("Got {}: divide by what chance leaves to be gained.", got)
    if abs(got - 0.2) < 1e-9:
        raise Refused("Got {}: chance follows the readers' habits, it is no fair coin.", got)
    if min(abs(got - 0.08 / 0.48), abs(got - 0.02 / 0.42)) < 1e-9:
        raise Refused("Got {}: one reader's shares stand in for both readers.", got)
    if abs(got - 0.06 / 0.46) > 1e-9:
        raise Refused("Got {} for two readers who say yes in different shares.", got)
    full = number(call(answer, np.diag([5, 3, 2])))
    if abs(full - 1) > 1e-9:
        raise Refused("Got {} although both readers always agree.", full)
    three = number(call(answer, np.array([[4, 2, 0], [1, 5, 2], [1, 0, 5]])))
    if abs(three - 73 / 133) > 1e-9:  # agreement 0.7, by chance 0.335
        raise Refused("Got {} for a table of three answers. Are all of them counted?", three)


def median_of_others(answer):
    """Three readings, two equal ones, and four."""
    got = call(answer, [1, 4, 5])
    if got == [4.0] * 3:
        raise Refused("Got {} for every reading: the own rating still counts.", got)
    if got != [4.5, 3.0, 2.5]:
        raise Refused("Got {} for one, four and five; which two are left each time?", got)
    equal = call(answer, [2, 2, 5])
    if equal[:1] == [5.0]:
        raise Refused("Got {}: a colleague with the same rating was dropped too.", equal)
    if equal != [3.5, 3.5, 2.0]:
        raise Refused("Got {} for two, two and five.", equal)
    four = call(answer, [1, 1, 2, 5])
    if four != [2.0, 2.0, 1.0, 1.0]:
        raise Refused("Got {} for four readings. Is it the median of the others?", four)


def torn_patients(answer):
    """Nobody torn, two torn out of order, and the same patient in many rows."""
    patients = ["p9", "p2", "p2", "p5", "p9", "p7"]
    got = call(answer, patients, [0, 1, 3], [2, 4])
    if got == []:
        raise Refused("Got {}: no row is on both sides, but two patients are.", got)
    if got == ["p9", "p2"]:
        raise Refused("Got {}: the patients are right, their order is not.", got)
    if isinstance(got, (set, tuple)) and sorted(got) == ["p2", "p9"]:
        raise Refused("Got {}; expected a sorted list.", got)
    if got == ["p2", "p5", "p9"]:
        raise Refused("Got {}: that is everybody; one of them has no row in the test.", got)
    if got != ["p2", "p9"]:
        raise Refused("Got {} where two patients are torn.", got)
    clean = call(answer, patients, [0, 4, 3], [1, 2])
    if clean != []:
        raise Refused("Got {} although every patient stays on one side.", clean)
    unused = call(answer, patients, [1], [2])
    if unused != ["p2"]:
        raise Refused("Got {}: rows outside training and test do not count.", unused)


def _leave_out(ratings, keep):
    return [statistics.median(keep(ratings, i)) for i in range(len(ratings))]


def _kappa(counts, chance):
    agreement = np.diag(counts).sum() / np.sum(counts)
    return (agreement - chance) / (1 - chance)


def _habits(counts, axis):
    return np.sum(counts, axis=axis) / np.sum(counts)


def _both(patients, train, test):
    return {patients[i] for i in train}.intersection(patients[i] for i in test)


EXERCISES = {
    "02.kappa_of_counts": Exercise(
        check=kappa_of_counts,
        hints=(
            "Both readers gave the same answer in the cells of the diagonal.",
            "The sums of the rows are one reader's habits, those of the columns the other's.",
            "By chance both say the same with the product of their shares, added over all answers.",
        ),
        wrong=(
            (lambda counts: np.diag(counts).sum() / counts.sum(), "raw agreement"),
            (lambda counts: _kappa(counts, 1 / len(counts)), "no fair coin"),
            (lambda counts: _kappa(counts, (_habits(counts, 1) ** 2).sum()), "stand in for both"),
            (lambda counts: _kappa(counts, (_habits(counts, 0) ** 2).sum()), "stand in for both"),
            (
                lambda counts: (
                    np.diag(counts).sum() / counts.sum()
                    - (_habits(counts, 0) * _habits(counts, 1)).sum()
                ),
                "what chance leaves",
            ),
            (lambda counts: _kappa(counts[:2, :2], 0.54), "Are all of them counted"),
        ),
    ),
    "02.median_of_others": Exercise(
        check=median_of_others,
        hints=(
            "Change one rating: whose label may move?",
            "The list `others` must be one shorter than `ratings`.",
            "Join what stands before the place to what stands behind it.",
        ),
        wrong=(
            (lambda ratings: [float(np.median(ratings))] * len(ratings), "own rating still counts"),
            (
                lambda ratings: _leave_out(ratings, lambda r, i: [x for x in r if x != r[i]]),
                "was dropped too",
            ),
            (
                lambda ratings: _leave_out(ratings, lambda r, i: r[:i] or r[1:]),
                "which two are left",
            ),
            (
                lambda ratings: [(sum(ratings) - r) / (len(ratings) - 1) for r in ratings],
                "the median of the others",
            ),
        ),
    ),
    "02.torn_patients": Exercise(
        check=torn_patients,
        hints=(
            "Whose row is number 3? Look it up in the first argument.",
            "Make two sets: the patients in training and the patients in test.",
            "What both sets hold, sorted.",
        ),
        wrong=(
            (lambda patients, train, test: sorted(set(train) & set(test)), "no row is on both"),
            (lambda patients, train, test: sorted({patients[i] for i in train}), "everybody"),
            (lambda patients, train, test: sorted(_both(patients, train, test))[::-1], "order"),
            (_both, "expected a sorted list"),
            (
                lambda patients, train, test: sorted(
                    p for p in set(patients) if patients.count(p) > 1
                ),
                "stays on one side",
            ),
        ),
    ),
}
