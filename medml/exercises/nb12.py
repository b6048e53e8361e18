"""Checks of notebook 12's exercises, with the wrong answers that they must refuse."""

import weakref

import numpy as np

from medml.course import Exercise, Refused, call, number


def enrichment(answer):
    """Ten molecules whose first two places hold one of four actives, then a list without luck."""
    scores = np.array([3.0, 9.0, 1.0, 8.0, 2.0, 7.0, 6.0, 0.0, 5.0, 4.0])
    active = np.array([1, 0, 0, 1, 1, 1, 0, 0, 0, 0], bool)
    right = _enrichment(scores, active, 0.2)
    got = number(call(answer, scores.copy(), active.copy(), 0.2))
    if np.isclose(got, _enrichment(-scores, active, 0.2)):
        raise Refused("Got {}: that is the end of the list. Which score comes first?", got)
    if np.isclose(got, 0.5):
        raise Refused("Got {}, the hit rate of the top alone. What would chance reach?", got)
    if np.isclose(got, 0.25):
        raise Refused("Got {}, the share of the actives that was found, not a ratio.", got)
    if np.isclose(got, 1 / right):
        raise Refused("Got {}: the ratio stands upside down.", got)
    if not np.isclose(got, right):
        raise Refused("Got {}. Divide the hit rate of the top by that of the whole list.", got)
    got = number(call(answer, scores.copy(), active.copy(), 1.0))
    if not np.isclose(got, 1):
        raise Refused("Got {} when the whole list is assayed: then choice is chance.", got)


def next_batch(answer):
    """Six molecules, the two best of them assayed; then equal predictions."""
    predicted = np.array([6.0, 9.0, 7.5, 8.5, 5.0, 7.0])
    assayed = np.array([False, True, False, True, False, False])
    got = _places(call(answer, predicted.copy(), assayed.copy(), 2))
    if set(got) & {1, 3}:
        raise Refused("Chose {}: a molecule that was assayed already is bought again.", got)
    if len(got) != 2:
        raise Refused("Chose {}: that is not as many as were asked for.", got)
    if sorted(got) == [0, 4]:
        raise Refused("Chose {}: the weakest that are left.", got)
    if got == [5, 2]:
        raise Refused("Chose {}: the right two, but the best must come first.", got)
    if got != [2, 5]:
        raise Refused("Chose {}.", got)
    none = np.zeros(6, bool)
    got = _places(call(answer, predicted.copy(), none, 3))
    if got != [1, 3, 2]:
        raise Refused("Chose {} when nothing was assayed yet.", got)
    got = _places(call(answer, -predicted, ~assayed, 1))
    if got != [3]:
        raise Refused("Chose {} where all predictions are negative.", got)


def keep_best(answer):
    """Ten pieces; how many are alive when the next is read? Then ties, few molecules, none."""
    generator = np.random.default_rng(12)
    rows = [(float(s), f"m{n}") for n, s in enumerate(generator.permutation(60))]
    alive = weakref.WeakSet()
    most = 0

    def pieces():
        nonlocal most
        for start in range(0, 60, 6):
            piece = _Piece(rows[start : start + 6])
            alive.add(piece)
            most = max(most, len(alive))
            yield piece
            del piece

    got = _pairs(call(answer, pieces(), 4))
    right = sorted(rows, reverse=True)[:4]
    if most > 4:
        raise Refused("Pieces pile up in memory: {} at once. Keep the best, drop the rest.", most)
    if len(got) > 4:
        raise Refused("Got {} molecules: more than were asked for.", len(got))
    if got == sorted(rows)[:4]:
        raise Refused("Got {}: the lowest scores.", got)
    if set(got) <= set(rows[-6:]):
        raise Refused("Got {}: all from the last piece. The earlier ones were forgotten.", got)
    if sorted(got) == sorted(right) and got != right:
        raise Refused("Got {}: right, but the best must come first.", got)
    if got != right:
        raise Refused("Got {}. Are the best of all pieces among them?", got)
    tied = [[(1.0, "a"), (2.0, "z")], [(2.0, "b"), (2.0, "c")]]
    got = _pairs(call(answer, iter(tied), 2))
    if got != [(2.0, "z"), (2.0, "b")]:
        raise Refused("Got {} for equal scores: who came earlier stays.", got)
    got = _pairs(call(answer, iter([[(1.0, "a")], []]), 3))
    if got != [(1.0, "a")]:
        raise Refused("Got {} from a library smaller than what is kept.", got)


class _Piece(list):
    """A list that can be watched; it is compared by identity, so that a set can hold it."""

    __hash__ = object.__hash__


def _enrichment(scores, active, share):
    top = int(np.ceil(share * len(scores)))
    return active[np.argsort(-scores)[:top]].mean() / active.mean()


def _places(value):
    try:
        return [int(place) for place in value]
    except (TypeError, ValueError):
        raise Refused("Got {}; expected places, such as an array of integers.", value) from None


def _pairs(value):
    try:
        return [(float(score), str(name)) for score, name in value]
    except (TypeError, ValueError):
        raise Refused("Got {}; expected a list of (score, name).", value) from None


def _best(rows, k):
    return sorted(rows, key=lambda row: -row[0])[:k]


def _streamed(pieces, k, sort=_best):
    best = []
    for piece in pieces:
        best = sort([*best, *piece], k)
    return best


def _hoarded(pieces, k):
    every = list(pieces)
    return _best([row for piece in every for row in piece], k)


def _last_piece(pieces, k):
    best = []
    for piece in pieces:
        best = _best(piece, k)
    return best


def _masked(predicted, assayed, count, value):
    return np.argsort(-np.where(assayed, value, predicted), kind="stable")[:count]


EXERCISES = {
    "12.enrichment": Exercise(
        check=enrichment,
        hints=(
            "The factor compares two hit rates: of the top, and of what?",
            "argsort puts the smallest first; screening wants the highest score first.",
            "A mean of True and False is a hit rate.",
        ),
        wrong=(
            (lambda s, a, share: _enrichment(-s, a, share), "the end of the list"),
            (lambda s, a, share: a[np.argsort(-s)[: int(share * len(s))]].mean(), "hit rate of"),
            (
                lambda s, a, share: a[np.argsort(-s)[: int(share * len(s))]].sum() / a.sum(),
                "the share of the actives",
            ),
            (lambda s, a, share: 1 / _enrichment(s, a, share), "upside down"),
            (
                lambda s, a, share: a[np.argsort(-s)[: int(share * len(s))]].sum() / a.mean(),
                "Divide the hit rate",
            ),
            (lambda s, a, share: _enrichment(s, a, 0.2), "the whole list is assayed"),
        ),
    ),
    "12.next_batch": Exercise(
        check=next_batch,
        hints=(
            "What does the function do with a molecule that has been measured?",
            "Such a molecule must come last, whatever was predicted for it.",
            "argsort of the negative score puts infinity first.",
        ),
        wrong=(
            (lambda p, a, count: _masked(p, a, count, np.inf), "is bought again"),
            (lambda p, a, count: np.argsort(-p)[:count], "is bought again"),
            (lambda p, a, count: np.flatnonzero(~a), "not as many as"),
            (lambda p, a, count: _masked(-p, a, count, -np.inf), "the weakest that are left"),
            (lambda p, a, count: _masked(p, a, count, -np.inf)[::-1], "the best must come first"),
            (lambda p, a, count: _masked(p, a, count, 0), "predictions are negative"),
        ),
    ),
    "12.keep_best": Exercise(
        check=keep_best,
        hints=(
            "How many molecules must be in memory after a piece has been read?",
            "The best of what was kept and the new piece are the best so far.",
            "Sort the kept ones together with the piece by score, and cut after k.",
        ),
        wrong=(
            (_hoarded, "pile up in memory"),
            (lambda pieces, k: _streamed(pieces, k, lambda rows, _: rows), "more than"),
            (_last_piece, "were forgotten"),
            (
                lambda pieces, k: _streamed(pieces, k, lambda rows, k: sorted(rows)[:k]),
                "the lowest scores",
            ),
            (lambda pieces, k: _streamed(pieces, k)[::-1], "the best must come first"),
            (
                lambda pieces, k: _streamed(pieces, k, lambda r, k: sorted(r, reverse=True)[:k]),
                "who came earlier stays",
            ),
        ),
    ),
}
