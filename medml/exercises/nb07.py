"""Checks of notebook 07's exercises, with the wrong answers that they must refuse."""

import numpy as np
import pandas as pd

from medml.course import Exercise, Refused, call, number


def heat_map(answer):
    """Three channels whose slopes differ from place to place, and places that speak against."""
    generator = np.random.default_rng(7)
    channels = generator.normal(size=(3, 4, 5))
    slopes = generator.normal(size=(3, 4, 5)) + np.array([1.0, -0.5, 0.3])[:, None, None]
    weighted = _weighted(channels, slopes)
    got = _array(call(answer, channels.copy(), slopes.copy()))
    if got.shape != (4, 5):
        raise Refused("Got the shape {} for three channels of four by five places.", got.shape)
    if np.isnan(got).any():
        raise Refused("Got {} at one place; the inputs hold none.", float("nan"))
    if np.allclose(got, weighted):
        lowest = float(got.min())
        raise Refused("Got {} at one place: places that speak against count as heat.", lowest)
    for slip, words in _slips(channels, slopes, weighted):
        if np.allclose(got, slip):
            raise Refused(words)
    if not np.allclose(got, np.maximum(weighted, 0)):
        raise Refused("Got {} at the first place.", float(got[0, 0]))


def _slips(channels, slopes, weighted):
    """Yield maps that are easily taken for Grad-CAM, and what went wrong."""
    parts = slopes.mean(axis=(1, 2))[:, None, None] * channels
    yield np.abs(weighted), "The sign was dropped: places that speak against are hot too."
    yield (
        np.maximum(20 * weighted, 0),
        "The slopes were added up; the weight of a channel is their mean.",
    )
    yield (
        np.maximum((channels * slopes).sum(axis=0), 0),
        "Each place got a weight of its own; a channel has one for all its places.",
    )
    yield (
        np.maximum(channels, 0).sum(axis=0),
        "The channels were added without weights: that shows the image alone.",
    )
    yield (
        np.maximum(_weighted(channels, channels), 0),
        "The weight was taken from the channel itself; take it from the channel's slopes.",
    )
    yield (
        np.maximum(channels.sum(axis=0) * slopes.mean(), 0),
        "All channels got the same weight; each has the mean of its own slopes.",
    )
    yield (
        np.maximum(parts, 0).sum(axis=0),
        "Each channel was cut before the sum; add the channels first, then cut.",
    )


def sensitivity_by_group(answer):
    """A group that is found well and one that is found badly, of different sizes."""
    labels = np.array([1, 1, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0])
    flagged = np.array([1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0])
    groups = np.array(["a"] * 6 + ["b"] * 8)
    got = _by_group(call(answer, labels.copy(), flagged.copy(), groups.copy()))
    if not {"a", "b"} <= got.keys():
        raise Refused("Got {}; a group is missing.", got)
    found = [got["a"], got["b"]]
    if np.allclose(found, [3 / 5, 1 / 4]):
        raise Refused("Got {}: that is the share of right alarms among all alarms.", got)
    if np.allclose(found, [5 / 6, 1 / 2]):
        raise Refused("Got {}: that is who was flagged, sick or not.", got)
    if np.allclose(found, [1 / 2, 1 / 2]):
        raise Refused("Got {}: that is who was judged rightly, sick or not.", got)
    if np.allclose(found, [4 / 6, 4 / 6]):
        raise Refused("Got {} for both groups: they were thrown together.", got)
    if np.allclose(found, [1 / 4, 1 / 2]):
        raise Refused("Got {}: that is the share of the sick who were missed.", got)
    if np.allclose(found, [1, 1 / 2]):
        raise Refused("Got {}: that is the share of false alarms among the healthy.", got)
    if not np.allclose(found, [3 / 4, 1 / 2]):
        raise Refused("Got {}; count the sick of each group and the found among them.", got)


def risk_at_coverage(answer):
    """Probabilities on both sides of one half, one exactly there, confident and not."""
    labels, shares = _patients()
    wrong = (shares >= 0.5) != labels
    order = np.argsort(-np.abs(shares - 0.5))
    got = number(call(answer, labels.copy(), shares.copy(), 1.0))
    if np.isnan(got):
        raise Refused("Nobody is answered when all should be: coverage is no bar for confidence.")
    if np.isclose(got, 1 - wrong.mean()):
        raise Refused("Got {} when all are answered: that is how often it is right.", got)
    if np.isclose(got, ((shares > 0.5) != labels).mean()):
        raise Refused("Got {} when all are answered: exactly one half means yes.", got)
    if np.isclose(got, ((shares[order] >= 0.5) != labels).mean()):
        raise Refused("Got {} when all are answered: the labels were not sorted along.", got)
    if not np.isclose(got, wrong.mean()):
        raise Refused("Got {} when all are answered.", got)
    _half(number(call(answer, labels.copy(), shares.copy(), 0.5)), wrong, shares, order)
    few = number(call(answer, labels.copy(), shares.copy(), 0.25))
    if not np.isclose(few, wrong[order[:3]].mean()):
        raise Refused("Right for a half, but got {} for the surest quarter.", few)


def _half(got, wrong, shares, order):
    """Refuse a wrong error of the surest half."""
    if np.isclose(got, wrong[np.argsort(-shares)[:6]].mean()):
        raise Refused("Got {}: a sure no was refused. Confidence has two sides.", got)
    if np.isclose(got, wrong[order[6:]].mean()):
        raise Refused("Got {}: the doubtful half was answered and the sure half refused.", got)
    if np.isclose(got, wrong[order[:6]].sum() / 12):
        raise Refused("Got {}: the errors were divided by all, the refused among them.", got)
    if np.isclose(got, wrong.mean()):
        raise Refused("Got {}, the same as without refusing anybody.", got)
    if np.isclose(got, wrong[:6].mean()):
        raise Refused("Got {}: the first half was answered, in whatever order they came.", got)
    if not np.isclose(got, wrong[order[:6]].mean()):
        raise Refused("Got {} when the surest half is answered.", got)


def _patients():
    """Return labels and probabilities on which each misconception gives a number of its own."""
    labels = np.array([1, 1, 1, 0, 1, 1, 1, 0, 1, 0, 0, 1])
    shares = np.array([0.9, 0.02, 0.3, 0.55, 0.6, 0.97, 0.45, 0.2, 0.85, 0.75, 0.12, 0.5])
    return labels, shares


def _weighted(channels, slopes):
    return (slopes.mean(axis=(1, 2))[:, None, None] * channels).sum(axis=0)


def _array(value):
    try:
        return np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise Refused("Got {}; expected an array of numbers.", value) from None


def _by_group(value):
    try:
        return {str(group): float(share) for group, share in dict(value).items()}
    except (TypeError, ValueError):
        raise Refused("Got {}; expected a dictionary of numbers by group.", value) from None


def _cam(weigh):
    """Return an answer that makes its weights by another rule."""
    return lambda channels, slopes: np.maximum(
        (weigh(channels, slopes)[:, None, None] * channels).sum(axis=0), 0
    )


def _shares(top, bottom):
    """Return an answer that divides other counts in each group."""
    return lambda labels, flagged, groups: {
        group: top(labels, flagged)[groups == group].sum()
        / bottom(labels, flagged)[groups == group].sum()
        for group in np.unique(groups)
    }


def _errors(labels, shares):
    return (shares >= 0.5) != labels


def _sure(shares):
    return np.abs(shares - 0.5)


def _risk(errors=_errors, sure=_sure, keep=lambda share: share, end=np.mean):
    """Return an answer that counts, sorts, keeps or sums up by another rule."""

    def answer(labels, shares, coverage):
        order = np.argsort(-sure(shares), kind="stable")
        return end(errors(labels, shares)[order][: round(keep(coverage) * len(labels))])

    return answer


def _unsorted(labels, shares):
    """Return errors that come out as if only the probabilities had been sorted."""
    order = np.argsort(-_sure(shares))
    errors = np.empty(len(labels), bool)
    errors[order] = _errors(labels, shares[order])
    return errors


EXERCISES = {
    "07.heat_map": Exercise(
        check=heat_map,
        hints=(
            "One channel has one weight, however many places it has.",
            "The weight is the mean of the channel's slopes over rows and columns.",
            "After the weighted sum over channels, negative places become zero.",
        ),
        wrong=(
            (_weighted, "speak against count as heat"),
            (lambda channels, slopes: np.abs(_weighted(channels, slopes)), "sign was dropped"),
            (_cam(lambda channels, slopes: slopes.sum(axis=(1, 2))), "slopes were added up"),
            (_cam(lambda channels, slopes: channels.mean(axis=(1, 2))), "channel itself"),
            (_cam(lambda channels, slopes: np.full(3, slopes.mean())), "same weight"),
            (_cam(lambda channels, slopes: -slopes.mean(axis=(1, 2))), "at the first place"),
            (_cam(lambda channels, slopes: np.full(3, np.nan)), "hold none"),
            (lambda channels, slopes: np.maximum(channels * slopes, 0), "Got the shape"),
            (
                lambda channels, slopes: np.maximum((channels * slopes).sum(axis=0), 0),
                "a weight of its own",
            ),
            (lambda channels, slopes: np.maximum(channels, 0).sum(axis=0), "without weights"),
            (
                lambda channels, slopes: np.maximum(
                    slopes.mean(axis=(1, 2))[:, None, None] * channels, 0
                ).sum(axis=0),
                "cut before the sum",
            ),
        ),
    ),
    "07.sensitivity_by_group": Exercise(
        check=sensitivity_by_group,
        hints=(
            "Sensitivity asks about the sick: how many of them were found?",
            "Look at what the line divides by.",
            "The denominator is the number of the sick in the group.",
        ),
        wrong=(
            (_shares(lambda y, f: y * f, lambda y, f: f), "right alarms among all alarms"),
            (_shares(lambda y, f: f, lambda y, f: y**0), "who was flagged, sick or not"),
            (_shares(lambda y, f: y == f, lambda y, f: y**0), "who was judged rightly"),
            (_shares(lambda y, f: y * (1 - f), lambda y, f: y), "the sick who were missed"),
            (_shares(lambda y, f: (1 - y) * f, lambda y, f: 1 - y), "among the healthy"),
            (_shares(lambda y, f: y * f, lambda y, f: y**0), "count the sick of each group"),
            (
                lambda labels, flagged, groups: dict.fromkeys(
                    groups, (labels * flagged).sum() / labels.sum()
                ),
                "thrown together",
            ),
            (lambda labels, flagged, groups: {"a": 0.75}, "a group is missing"),
        ),
    ),
    "07.risk_at_coverage": Exercise(
        check=risk_at_coverage,
        hints=(
            "Who is the model surest about? A probability near zero is as sure as one near one.",
            "Sort by the distance of the probability from one half, largest first.",
            "Keep the first share of patients and count the errors among these only.",
        ),
        wrong=(
            (_risk(lambda labels, shares: ~_errors(labels, shares)), "how often it is right"),
            (_risk(lambda labels, shares: (shares > 0.5) != labels), "one half means yes"),
            (_risk(_unsorted), "not sorted along"),
            (_risk(sure=lambda shares: shares), "Confidence has two sides"),
            (_risk(sure=lambda shares: -_sure(shares)), "the doubtful half was answered"),
            (_risk(sure=lambda shares: 0 * shares), "in whatever order"),
            (_risk(end=lambda errors: errors.sum() / 12), "divided by all"),
            (_risk(keep=lambda share: 1), "without refusing anybody"),
            (_risk(keep=lambda share: max(share, 0.5)), "surest quarter"),
            (
                lambda labels, shares, coverage: float(
                    pd.Series(_errors(labels, shares))[_sure(shares) + 0.5 >= coverage].mean()
                ),
                "no bar for confidence",
            ),
        ),
    ),
}
