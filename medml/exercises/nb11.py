"""Checks of notebook 11's exercises, with the wrong answers that they must refuse."""

import numpy as np
import pandas as pd

from medml.course import Exercise, Refused, call, number

LOSS, LAM = 3.0, 0.25
START = {"first": np.array([1.0, -2.0]), "second": np.array([[0.5], [4.0]])}
NOW = {
    "first": np.array([2.0, -4.0]),
    "second": np.array([[0.5], [1.0]]),
    "head": np.array([7.0, 1.0]),
}


def penalised(answer):
    """A body that moved, a large new head, then λ at both ends."""
    right = _penalised(LOSS, NOW, START, LAM)
    got = number(call(answer, LOSS, _copy(NOW), _Source(_copy(START)), LAM))
    pull = LAM * _distance(NOW, START)
    mean = LAM * sum(((NOW[name] - START[name]) ** 2).mean() for name in START)
    first = LAM * ((NOW["first"] - START["first"]) ** 2).sum()
    wrong = {
        _penalised(LOSS, NOW, START, 1 - LAM): "λ and its complement have changed places.",
        pull + LAM * LOSS: "Both parts have the weight λ: the two weights must add up to one.",
        pull - (1 - LAM) * LOSS: "The loss has a minus sign: it would be made larger.",
        mean
        + (1 - LAM) * LOSS: "The distance is a mean of squares; the formula asks for their sum.",
        first + (1 - LAM) * LOSS: "Only one layer is pulled; every layer of the source counts.",
        pull + LOSS: "The loss keeps its full weight; it must lose what the distance gains.",
        _penalised(LOSS, NOW, START, LAM, head=True): "The new head is in the distance, but it "
        "has no source value.",
        LAM * _distance(NOW, START) ** 0.5 + (1 - LAM) * LOSS: "The distance is not squared.",
    }
    for value, words in wrong.items():
        if np.isclose(got, value):
            raise Refused(words)
    if not np.isclose(got, right):
        raise Refused("Got {} with a loss of {}.", got, LOSS)
    for lam, words in ((0.0, "λ at its lowest: the loss alone"), (1.0, "the distance alone")):
        got = number(call(answer, LOSS, _copy(NOW), _Source(_copy(START)), lam))
        if not np.isclose(got, _penalised(LOSS, NOW, START, lam)):
            raise Refused(f"Right once, but not for {words}: got {{}}.", got)


def clean_source(answer):
    """Two read-outs of one protein, a test molecule in another assay, and a name that begins alike.

    The columns `compound` stand for the key that all forms of a molecule share.
    """
    source = pd.DataFrame(
        [
            ("OPRD1", "Ki", "a"),
            ("OPRD1", "EC50", "b"),
            ("OPRM1", "Ki", "c"),
            ("OPRM1", "Ki", "d"),
            ("OPRM1", "Ki", "e"),
            ("OPRD10", "Ki", "f"),
        ],
        columns=["protein", "readout", "compound"],
    )
    target = pd.DataFrame(
        [("OPRD1", "Ki", "a", False), ("OPRD1", "Ki", "c", False), ("OPRD1", "Ki", "d", True)],
        columns=["protein", "readout", "compound", "test"],
    )
    got = call(answer, source.copy(), target.copy())
    if not isinstance(got, pd.DataFrame) or "compound" not in got:
        raise Refused("Got {}; expected rows of the source.", type(got).__name__)
    left = "".join(sorted(got["compound"]))
    if left == "def":
        raise Refused("A test molecule is still in the source, measured at another protein.")
    if left == "cef":
        raise Refused("A labelled molecule is still in the source, measured at another protein.")
    if "b" in left:
        raise Refused("The target's protein is still in the source, under another read-out.")
    if "c" in left and "d" in left:
        raise Refused("The target's molecules are still in the source.")
    if "f" not in left or "e" not in left:
        raise Refused("Left are the compounds {}: more was taken out than overlaps.", left)
    if left != "ef":
        raise Refused("Left are the compounds {}.", left)


def taken_apart(answer):
    """Three settings of λ and the learning rate, one of them without a pull."""
    lam, rate = 0.75, 0.08
    got = _pair(call(answer, lam, rate))
    if np.allclose(got, [lam / (1 - lam), rate]):
        raise Refused("The pull is right; but the document's loss shrinks the step on L as well.")
    if np.allclose(got, [lam / (1 - lam), rate / (1 - lam)]):
        raise Refused("The rate has grown; under the document's loss the step on L is smaller.")
    if np.allclose(got, [lam, rate * (1 - lam)]):
        raise Refused("The step is right; the pull must be measured in units of the shrunken loss.")
    if np.allclose(got, [(1 - lam) / lam, rate * (1 - lam)]):
        raise Refused("The ratio stands upside down: more λ must pull more.")
    if np.allclose(got[::-1], [lam / (1 - lam), rate * (1 - lam)]):
        raise Refused("Both numbers are right, but in the other order.")
    if np.allclose(got, [lam * rate, (1 - lam) * rate]):
        raise Refused("These are two steps, on D and on L; the pull is measured against L.")
    if np.allclose(got, [lam, rate]):
        raise Refused("λ itself is not the pull: what multiplies L has shrunk at the same time.")
    if np.allclose(got[1:], rate * lam):
        raise Refused("The rate goes with λ; but the more λ, the smaller the step on L.")
    if not np.allclose(got, [lam / (1 - lam), rate * (1 - lam)]):
        raise Refused("Got {} and {}; try one step by hand.", *got)
    for lam, rate in ((0.0, 0.3), (0.4, 1.0)):
        got = _pair(call(answer, lam, rate))
        if not np.allclose(got, [lam / (1 - lam), rate * (1 - lam)]):
            raise Refused("Right for one λ, wrong for another: {} and {}.", *got)


class _Source(dict):
    """The source's arrays. A head that is asked for all the same is zero, to be seen in the sum."""

    def __missing__(self, name):
        return np.zeros(NOW[name].shape)


def _pair(value):
    try:
        first, second = value
    except (TypeError, ValueError):
        raise Refused("Got {}; expected two numbers, pull and rate.", value) from None
    return [number(first), number(second)]


def _copy(arrays):
    return {name: array.copy() for name, array in arrays.items()}


def _distance(now, start, head=False):
    squares = [((now[name] - start[name]) ** 2).sum() for name in start]
    return float(sum(squares) + (now["head"] ** 2).sum() * head)


def _penalised(loss, now, start, lam, head=False):
    return lam * _distance(now, start, head) + (1 - lam) * loss


def _without(source, proteins, compounds):
    return source[~source["protein"].isin(proteins) & ~source["compound"].isin(compounds)]


EXERCISES = {
    "11.penalised": Exercise(
        check=penalised,
        hints=(
            "Which parameters have a value in the source?",
            "The dict `start` holds no head: its names are those to be compared.",
            "What the distance gets of the whole, the loss on the labels must give up.",
        ),
        wrong=(
            (lambda *a: _penalised(*a, head=True), "no source value"),
            (lambda loss, now, start, lam: _penalised(loss, now, start, 1 - lam), "changed places"),
            (
                lambda loss, now, start, lam: lam * _distance(now, start) + loss,
                "keeps its full weight",
            ),
            (
                lambda loss, now, start, lam: lam * _distance(now, start) ** 0.5 + (1 - lam) * loss,
                "not squared",
            ),
            (lambda *a: _penalised(LOSS, NOW, START, LAM), "the loss alone"),
            (lambda loss, now, start, lam: lam * (_distance(now, start) + loss), "add up to one"),
            (
                lambda loss, now, start, lam: _penalised(-loss, now, start, lam),
                "minus sign",
            ),
            (
                lambda loss, now, start, lam: _penalised(loss, now, {"first": start["first"]}, lam),
                "Only one layer",
            ),
            (
                lambda loss, now, start, lam: (
                    lam * sum(((now[name] - start[name]) ** 2).sum() for name in now)
                    + (1 - lam) * loss
                ),
                "no source value",
            ),
            (
                lambda loss, now, start, lam: (
                    lam * sum(((now[name] - start[name]) ** 2).mean() for name in start)
                    + (1 - lam) * loss
                ),
                "a mean of squares",
            ),
            (lambda *a: 0.0, "with a loss of"),
        ),
    ),
    "11.clean_source": Exercise(
        check=clean_source,
        hints=(
            "Where can the network have met a test molecule before?",
            "A molecule of the target may have been measured at a sister protein.",
            "Take out all molecules of the target, whether they are for testing or labelled.",
        ),
        wrong=(
            (
                lambda s, t: _without(s, t["protein"], t["compound"][~t["test"]]),
                "A test molecule is still",
            ),
            (
                lambda s, t: _without(s, t["protein"], t["compound"][t["test"]]),
                "A labelled molecule is still",
            ),
            (lambda s, t: s[~s["compound"].isin(t["compound"])], "under another read-out"),
            (lambda s, t: s[~s["protein"].isin(t["protein"])], "molecules are still"),
            (
                lambda s, t: s[
                    ~s["protein"].str.startswith("OPRD1") & ~s["compound"].isin(t["compound"])
                ],
                "more was taken out",
            ),
            (lambda s, t: len(s), "expected rows"),
        ),
    ),
    "11.taken_apart": Exercise(
        check=taken_apart,
        hints=(
            "Write the gradient of the document's loss times η, and sort it by ∂L and ∂D.",
            "The factor before ∂L is the learning rate that L really gets.",
            "Divide the factor before ∂D by the factor before ∂L: that is the pull.",
        ),
        wrong=(
            (lambda lam, rate: (lam / (1 - lam), rate), "shrinks the step"),
            (lambda lam, rate: (lam / (1 - lam), rate / (1 - lam)), "The rate has grown"),
            (lambda lam, rate: (lam, rate * (1 - lam)), "in units of the shrunken loss"),
            (lambda lam, rate: ((1 - lam) / lam, rate * (1 - lam)), "upside down"),
            (lambda lam, rate: (rate * (1 - lam), lam / (1 - lam)), "other order"),
            (lambda lam, rate: (lam, rate), "λ itself is not the pull"),
            (lambda lam, rate: (lam * rate, (1 - lam) * rate), "two steps"),
            (lambda lam, rate: (lam / (1 - lam), rate * lam), "The rate goes with λ"),
            (lambda lam, rate: (3.0, 0.02), "wrong for another"),
            (lambda lam, rate: lam, "expected two numbers"),
        ),
    ),
}
