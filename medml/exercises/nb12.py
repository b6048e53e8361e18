"""Checks of notebook 12's exercises, with the wrong answers that they must refuse."""

import weakref

import numpy as np

from medml.course import Exercise, Refused, call, number


def enrichment(answer):
    """Ten molecules whose first two places hold one of three actives; a longer list; all of it."""
    scores = np.array([3.0, 9.0, 1.0, 8.0, 2.0, 7.0, 6.0, 0.0, 5.0, 4.0])
    active = np.array([1, 0, 0, 1, 0, 1, 0, 0, 0, 0], bool)
    right = _enrichment(scores, active, 0.2)
    got = number(call(answer, scores.copy(), active.copy(), 0.2))
    if np.isclose(got, _enrichment(-scores, active, 0.2)):
        raise Refused("Got {}: that is the end of the list. Which score comes first?", got)
    if np.isclose(got, 0.5):
        raise Refused("Got {}, the hit rate of the top alone. What would chance reach?", got)
    if np.isclose(got, 1 / 3):
        raise Refused("Got {}, the share of the actives that was found, not a ratio.", got)
    if np.isclose(got, 0.5 / 0.2):
        raise Refused("Got {}: divided by the share that is tested, which is no hit rate.", got)
    if np.isclose(got, 1 / right):
        raise Refused("Got {}: the ratio stands upside down.", got)
    if not np.isclose(got, right):
        raise Refused("Got {}. Divide the hit rate of the top by that of the whole list.", got)
    got = number(call(answer, scores.copy(), active.copy(), 1.0))
    if not np.isclose(got, 1):
        raise Refused("Got {} when the whole list is assayed: then choice is chance.", got)
    generator = np.random.default_rng(12)
    scores, active = generator.permutation(60) / 4, generator.random(60) < 0.4
    got = number(call(answer, scores.copy(), active.copy(), 0.3))
    if not np.isclose(got, _enrichment(scores, active, 0.3)):
        raise Refused("Got {} on a longer list. Is its top where the scores are highest?", got)


def next_batch(answer):
    """Seven molecules, two of the best of them assayed; then none assayed; then all negative."""
    predicted = np.array([9.0, 6.0, 8.5, 7.5, 6.5, 5.0, 8.7])
    assayed = np.array([True, False, True, False, False, False, False])
    got = _places(call(answer, predicted.copy(), assayed.copy(), 2))
    if set(got) & {0, 2}:
        raise Refused("Chose {}: a molecule that was assayed already is bought again.", got)
    if len(got) != 2:
        raise Refused("Chose {}: that is not as many as were asked for.", got)
    if got == [4, 1]:
        raise Refused("Chose {}: places among those that are left, not in the whole list.", got)
    if got == [3, 6]:
        raise Refused("Chose {}: the right two, but the best must come first.", got)
    if sorted(got) == [1, 5]:
        raise Refused("Chose {}: the weakest that are left.", got)
    if got != [6, 3]:
        raise Refused("Chose {}. Which predictions are highest among those that are left?", got)
    got = _places(call(answer, predicted.copy(), np.zeros(7, bool), 3))
    if got != [0, 6, 2]:
        raise Refused("Chose {} when nothing was assayed yet.", got)
    got = _places(call(answer, -predicted, ~assayed, 1))
    if got != [2]:
        raise Refused("Chose {} where all predictions are negative.", got)


def keep_best(answer):
    """Ten pieces; how many molecules live when the next is read? Then ties, few, none."""
    generator = np.random.default_rng(12)
    rows = [(float(s), f"m{n}") for n, s in enumerate(generator.permutation(60))]
    parts = [rows[start : start + 6] for start in range(0, 60, 6)]
    alive = weakref.WeakSet()
    most = 0

    def pieces():
        nonlocal most
        for part in parts:
            most = max(most, len(alive))
            piece = [(_Score(score), name) for score, name in part]
            alive.update(score for score, _ in piece)
            yield piece
            del piece

    got = _pairs(call(answer, pieces(), 4))
    right = sorted(rows, reverse=True)[:4]
    if most > 20:
        raise Refused("{} molecules pile up in memory. Keep the best, drop the rest.", most)
    if len(got) > 4:
        raise Refused("Got {} molecules: more than were asked for.", len(got))
    if len(got) < 4:
        raise Refused("Got {} molecules: fewer than were asked for.", len(got))
    if got == sorted(rows)[:4]:
        raise Refused("Got {}: the lowest scores.", got)
    if set(got) <= set(parts[-1]):
        raise Refused("Got {}: all from the last piece. The earlier ones were forgotten.", got)
    if set(got) <= set(parts[0]):
        raise Refused("Got {}: all from the first piece. Does the loop end too early?", got)
    if got == sorted(map(max, parts), reverse=True)[:4]:
        raise Refused("Got {}: one of a piece. A piece can hold several of the best.", got)
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


class _Score(float):
    """A number that can be watched."""


def _enrichment(scores, active, share):
    top = int(np.ceil(share * len(scores)))
    return active[np.argsort(-scores)[:top]].mean() / active.mean()


def _places(value):
    try:
        places = np.array([place for place in value])
    except (TypeError, ValueError):
        places = np.array(np.nan)
    if places.dtype == bool:
        raise Refused("Got {}, a mask; expected the places of the chosen molecules.", value)
    if places.size and not np.issubdtype(places.dtype, np.integer):
        raise Refused("Got {}; expected places, such as an array of integers.", value)
    return places.tolist()


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
    return _best([row for piece in pieces for row in piece], k)


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
            (lambda s, a, share: _enrichment(s, a, share) * a.mean() / share, "is no hit rate"),
            (lambda s, a, share: _enrichment(s, a, 0.2), "the whole list is assayed"),
            (
                lambda s, a, share: a[-np.argsort(s)[: int(share * len(s))]].mean() / a.mean(),
                "on a longer list",
            ),
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
            (lambda p, a, count: np.argsort(-p[~a])[:count], "not in the whole list"),
            (lambda p, a, count: np.where(a, -np.inf, p), "expected places"),
            (lambda p, a, count: np.argsort(-p) < count, "a mask"),
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
            (lambda pieces, k: _best(next(iter(pieces)), k), "end too early"),
            (lambda pieces, k: _best(map(max, pieces), k), "one of a piece"),
            (lambda pieces, k: _streamed(pieces, k + 1), "more than"),
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
