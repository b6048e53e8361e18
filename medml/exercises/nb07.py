"""Checks of notebook 07's exercises, with the wrong answers that they must refuse."""

import numpy as np

from medml.course import Exercise, Refused, call, number


def heat_map(answer):
    """Two channels whose slopes differ from place to place, and a place that speaks against."""
    generator = np.random.default_rng(7)
    channels = generator.normal(size=(3, 4, 5))
    slopes = generator.normal(size=(3, 4, 5)) + np.array([1.0, -0.5, 0.3])[:, None, None]
    weighted = _weighted(channels, slopes)
    got = _array(call(answer, channels.copy(), slopes.copy()))
    if got.shape != (4, 5):
        raise Refused("Got the shape {} for three channels of four by five places.", got.shape)
    if np.allclose(got, weighted):
        raise Refused("Got {} at one place: places that speak against count as heat.", got.min())
    if np.allclose(got, np.abs(weighted)):
        raise Refused("The sign was dropped: places that speak against the class are hot too.")
    if np.allclose(got, np.maximum(20 * weighted, 0)):
        raise Refused("The slopes were added up; the weight of a channel is their mean.")
    if np.allclose(got, np.maximum((channels * slopes).sum(axis=0), 0)):
        raise Refused("Each place got a weight of its own; a channel has one for all its places.")
    if np.allclose(got, np.maximum(channels, 0).sum(axis=0)):
        raise Refused("The channels were added without weights: that shows the image alone.")
    if not np.allclose(got, np.maximum(weighted, 0)):
        raise Refused("Got {} at the first place.", float(got[0, 0]))


def sensitivity_by_group(answer):
    """A group that is found well and one that is found badly, of different sizes."""
    labels = np.array([1, 1, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0])
    flagged = np.array([1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0])
    groups = np.array(["a"] * 6 + ["b"] * 8)
    got = _by_group(call(answer, labels.copy(), flagged.copy(), groups.copy()))
    found = [got.get("a", -1), got.get("b", -1)]
    if np.allclose(found, [3 / 5, 1 / 4]):
        raise Refused("Got {}: that is the share of right alarms among all alarms.", got)
    if np.allclose(found, [5 / 6, 1 / 2]):
        raise Refused("Got {}: that is who was flagged, sick or not.", got)
    if np.allclose(found, [1 / 2, 1 / 2]):
        raise Refused("Got {}: that is who was judged rightly, sick or not.", got)
    if np.allclose(found, [4 / 6, 4 / 6]):
        raise Refused("Got {} for both groups: they were thrown together.", got)
    if not np.allclose(found, [3 / 4, 1 / 2]):
        raise Refused("Got {}; count the sick of each group and the found among them.", got)


def risk_at_coverage(answer):
    """Probabilities on both sides of one half, confident and not, right and wrong."""
    labels = np.array([1, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 1])
    shares = np.array([0.97, 0.02, 0.9, 0.85, 0.3, 0.55, 0.45, 0.6, 0.48, 0.2, 0.12, 0.75])
    wrong = (shares >= 0.5) != labels
    order = np.argsort(-np.abs(shares - 0.5))
    got = number(call(answer, labels.copy(), shares.copy(), 1.0))
    if np.isclose(got, 1 - wrong.mean()):
        raise Refused("Got {} when all are answered: that is how often it is right.", got)
    if not np.isclose(got, wrong.mean()):
        raise Refused("Got {} when all are answered.", got)
    got = number(call(answer, labels.copy(), shares.copy(), 0.5))
    if np.isclose(got, wrong[np.argsort(-shares)[:6]].mean()):
        raise Refused("Got {}: a sure no was refused. Confidence has two sides.", got)
    if np.isclose(got, wrong[order[6:]].mean()):
        raise Refused("Got {}: the doubtful half was answered and the sure half refused.", got)
    if np.isclose(got, wrong[order[:6]].sum() / 12):
        raise Refused("Got {}: the errors were divided by all, the refused among them.", got)
    if np.isclose(got, wrong.mean()):
        raise Refused("Got {}, the same as without refusing anybody.", got)
    if not np.isclose(got, wrong[order[:6]].mean()):
        raise Refused("Got {} when the surest half is answered.", got)
    few = number(call(answer, labels.copy(), shares.copy(), 0.25))
    if not np.isclose(few, wrong[order[:3]].mean()):
        raise Refused("Right for a half, but got {} for the surest quarter.", few)


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


def _group_shares(labels, flagged, groups, top, bottom):
    return {
        group: top(labels, flagged)[groups == group].sum()
        / bottom(labels, flagged)[groups == group].sum()
        for group in np.unique(groups)
    }


def _kept(labels, shares, coverage, confidence):
    wrong = (shares >= 0.5) != labels
    order = np.argsort(-confidence(shares))
    return wrong[order[: round(coverage * len(labels))]]


def _sure(shares):
    return np.abs(shares - 0.5)


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
            (
                lambda channels, slopes: np.maximum(20 * _weighted(channels, slopes), 0),
                "slopes were added up",
            ),
            (
                lambda channels, slopes: np.maximum((channels * slopes).sum(axis=0), 0),
                "a weight of its own",
            ),
            (
                lambda channels, slopes: np.maximum(channels, 0).sum(axis=0),
                "without weights",
            ),
            (
                lambda channels, slopes: slopes.mean(axis=(1, 2))[:, None, None] * channels,
                "Got the shape",
            ),
            (
                lambda channels, slopes: np.maximum(-_weighted(channels, slopes), 0),
                "at the first place",
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
            (
                lambda labels, flagged, groups: _group_shares(
                    labels, flagged, groups, lambda y, f: y * f, lambda y, f: f
                ),
                "right alarms among all alarms",
            ),
            (
                lambda labels, flagged, groups: _group_shares(
                    labels, flagged, groups, lambda y, f: f, lambda y, f: np.ones(len(y))
                ),
                "who was flagged, sick or not",
            ),
            (
                lambda labels, flagged, groups: _group_shares(
                    labels, flagged, groups, lambda y, f: y == f, lambda y, f: np.ones(len(y))
                ),
                "who was judged rightly",
            ),
            (
                lambda labels, flagged, groups: {
                    group: (labels * flagged).sum() / labels.sum() for group in "ab"
                },
                "thrown together",
            ),
            (
                lambda labels, flagged, groups: _group_shares(
                    labels, flagged, groups, lambda y, f: y * (1 - f), lambda y, f: y
                ),
                "count the sick of each group",
            ),
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
            (
                lambda labels, shares, coverage: 1 - _kept(labels, shares, coverage, _sure).mean(),
                "how often it is right",
            ),
            (
                lambda labels, shares, coverage: _kept(
                    labels, shares, coverage, lambda p: p
                ).mean(),
                "Confidence has two sides",
            ),
            (
                lambda labels, shares, coverage: _kept(
                    labels, shares, coverage, lambda p: -_sure(p)
                ).mean(),
                "the doubtful half was answered",
            ),
            (
                lambda labels, shares, coverage: (
                    _kept(labels, shares, coverage, _sure).sum() / len(labels)
                ),
                "divided by all",
            ),
            (
                lambda labels, shares, coverage: _kept(labels, shares, 1, _sure).mean(),
                "without refusing anybody",
            ),
            (
                lambda labels, shares, coverage: _kept(
                    labels, shares, max(coverage, 0.5), _sure
                ).mean(),
                "surest quarter",
            ),
        ),
    ),
}
