"""Checks of notebook 09's exercises, with the wrong answers that they must refuse."""

import numpy as np

from medml.course import Exercise, Refused, call

REWARDS = [1.0, 0.0, -2.0, 4.0]
GAMMA = 0.5
RATIOS = [1.5, 0.5, 1.5, 0.5, 1.1]
GAINS = [2.0, 2.0, -2.0, -2.0, 1.0]
EPSILON = 0.2
# Three lose by five, eight and a little; one gains, with a single episode that is worse.
OURS = {
    "adult#001": [70.0, 80.0, 75.0],
    "adult#002": [95.0, 95.0, 95.0],
    "child#001": [90.0, 92.0, 91.0],
    "adolescent#003": [88.0, 88.0, 88.0],
}
THEIRS = {
    "adult#001": [76.0, 84.0, 80.0],
    "adult#002": [80.0, 96.0, 85.0],
    "child#001": [99.0, 99.0, 99.0],
    "adolescent#003": [88.5, 88.0, 88.1],
}


def returns(answer):
    """Four rewards of mixed sign, then no discount, then one reward alone."""
    right = _returns(REWARDS, GAMMA)
    got = _numbers(call(answer, list(REWARDS), GAMMA))
    if got.ndim != 1:
        raise Refused("Got {}; expected a list with one number for each reward.", got.tolist())
    if len(got) != len(REWARDS):
        raise Refused("Got {} returns for {} rewards.", len(got), len(REWARDS))
    if np.allclose(got, right[::-1]):
        raise Refused("The returns come out in reverse order; the first belongs to the first step.")
    if np.allclose(got, _returns(REWARDS[::-1], GAMMA)[::-1]):
        raise Refused("Each step was credited with the rewards before it, not with those after.")
    if np.allclose(got, _returns(REWARDS, 1.0)):
        raise Refused("A reward far away counts in full: the discount is missing.")
    if np.allclose(got, right * GAMMA ** np.arange(len(right))):
        raise Refused("The discount counts from the start of the episode, not from each step.")
    if np.allclose(got, [*right[1:], 0.0]):
        raise Refused("Each step's own reward is left out of its return.")
    if np.allclose(got, GAMMA * right):
        raise Refused("A step's own reward is discounted too; only what comes later should be.")
    if np.allclose(got, REWARDS):
        raise Refused("The returns are the rewards: nothing that comes later is added.")
    if not np.allclose(got, right):
        raise Refused("Got {} for the first step.", float(got[0]))
    plain = _numbers(call(answer, list(REWARDS), 1.0))
    if not np.allclose(plain, _returns(REWARDS, 1.0)):
        raise Refused("Wrong without discount: got {}.", plain)
    alone = _numbers(call(answer, [3.0], 0.9))
    if not np.allclose(alone, [3.0]):
        raise Refused("One reward alone gives {}.", alone)


def surrogate(answer):
    """Ratios beyond both ends of the clip, with gains and losses."""
    ratios, gains = np.array(RATIOS), np.array(GAINS)
    got = _numbers(call(answer, ratios.copy(), gains.copy(), EPSILON))
    right = _surrogate(ratios, gains, EPSILON)
    if got.shape != right.shape:
        raise Refused("Got {} numbers for {} actions.", got.size, right.size)
    if np.allclose(got, ratios * gains):
        raise Refused("Nothing is clipped: an action may become far more probable.")
    if np.allclose(got, _surrogate(ratios, gains, EPSILON, np.maximum)):
        raise Refused("The better of the two was taken: a policy could still run away.")
    if np.allclose(got, np.clip(ratios, 1 - EPSILON, 1 + EPSILON) * gains):
        raise Refused("Always the clipped value: a bad step that went too far is not pulled back.")
    if np.allclose(got, np.minimum(ratios, np.clip(ratios, 1 - EPSILON, 1 + EPSILON)) * gains):
        raise Refused("The smaller ratio was taken. With a loss it gives the larger product.")
    if np.allclose(got, -right):
        raise Refused("Every sign is turned: this is a loss to go down, not an objective.")
    if not np.allclose(got, right):
        raise Refused("Got {}.", got.round(3).tolist())
    wide = _numbers(call(answer, ratios.copy(), gains.copy(), 0.6))
    if not np.allclose(wide, _surrogate(ratios, gains, 0.6)):
        raise Refused("Right for one width of the clip, wrong for another.")


def worse_for(answer):
    """Three patients worse, by much or little, and one better; then nobody."""
    names = _names(call(answer, _copy(OURS), _copy(THEIRS)))
    right = _worse(OURS, THEIRS)
    gained = [name for name in names if name not in right]
    if not names:
        raise Refused("Got nobody. A better mean over all patients hides who is worse.")
    if names == gained:
        raise Refused("Got {}: the one who gained. Which way round is the difference?", names)
    if gained:
        raise Refused("{} gained on average, although not in every episode.", gained)
    if set(names) < set(right):
        raise Refused("Got {}: somebody who lost less on average is missing.", names)
    if sorted(names) == sorted(right) and names != right:
        raise Refused("The names are right, the order is not: the largest mean loss comes first.")
    if names != right:
        raise Refused("Got {}.", names)
    if _names(call(answer, _copy(THEIRS), _copy(THEIRS))):
        raise Refused("With equal results nobody is worse; got names.")


def _names(value):
    if isinstance(value, (str, dict)):
        raise Refused("Got {}; expected a list of names.", value)
    try:
        names = [str(name) for name in value]
    except TypeError:
        raise Refused("Got {}; expected a list of names.", value) from None
    if not set(names) <= set(OURS):
        raise Refused("Got {}; expected names and nothing else.", names)
    return names


def _numbers(value):
    if value is None:
        raise Refused("Got {}: does your function return its result?", value)
    try:
        value = list(value) if hasattr(value, "__next__") else value  # as reversed() gives
        return np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise Refused("Got {}; expected numbers.", value) from None


def _copy(table):
    return {name: list(values) for name, values in table.items()}


def _returns(rewards, gamma):
    later, result = 0.0, []
    for reward in reversed(rewards):
        later = reward + gamma * later
        result.append(later)
    return np.array(result[::-1])


def _surrogate(ratios, gains, epsilon, pick=np.minimum):
    return pick(ratios * gains, np.clip(ratios, 1 - epsilon, 1 + epsilon) * gains)


def _worse(ours, theirs, summary=np.mean):
    change = {one: summary(ours[one]) - summary(theirs[one]) for one in ours}
    return sorted((one for one in change if change[one] < 0), key=change.get)


EXERCISES = {
    "09.returns": Exercise(
        check=returns,
        hints=(
            "Walk from the last step to the first.",
            "The return of a step is its reward plus the discounted return of the next step.",
            "The list was filled from the end; turn it round before you return it.",
        ),
        wrong=(
            (lambda rewards, gamma: _returns(rewards, gamma)[::-1], "reverse order"),
            (
                lambda rewards, gamma: _returns(rewards[::-1], gamma)[::-1],
                "rewards before it",
            ),
            (lambda rewards, gamma: _returns(rewards, 1.0), "discount is missing"),
            (lambda rewards, gamma: rewards, "nothing that comes later"),
            (
                lambda rewards, gamma: _returns(rewards, gamma) * gamma ** np.arange(len(rewards)),
                "from the start of the episode",
            ),
            (lambda rewards, gamma: [*_returns(rewards, gamma)[1:], 0.0], "own reward is left out"),
            (lambda rewards, gamma: gamma * _returns(rewards, gamma), "own reward is discounted"),
            (lambda rewards, gamma: _returns(rewards, gamma)[0], "one number for each"),
            (lambda rewards, gamma: None, "return its result"),
            (lambda rewards, gamma: 2 * _returns(rewards, gamma), "for the first step"),
            (lambda rewards, gamma: _returns(rewards, gamma)[:-1], "returns for"),
            (lambda rewards, gamma: _returns(rewards, 0.5), "without discount"),
        ),
    ),
    "09.surrogate": Exercise(
        check=surrogate,
        hints=(
            "Try an action with a gain whose ratio is already far above one.",
            "The objective must never reward going further than the clip.",
            "Of the clipped and the plain product, which one is the pessimist's?",
        ),
        wrong=(
            (lambda r, a, e: r * a, "Nothing is clipped"),
            (lambda r, a, e: _surrogate(r, a, e, np.maximum), "better of the two"),
            (lambda r, a, e: np.clip(r, 1 - e, 1 + e) * a, "not pulled back"),
            (lambda r, a, e: np.minimum(r, np.clip(r, 1 - e, 1 + e)) * a, "smaller ratio"),
            (lambda r, a, e: -_surrogate(r, a, e), "sign is turned"),
            (lambda r, a, e: _surrogate(r, a, 0.2), "wrong for another"),
            (lambda r, a, e: _surrogate(r, a, e).mean(), "numbers for"),
        ),
    ),
    "09.worse_for": Exercise(
        check=worse_for,
        hints=(
            "Compare each patient with the same patient, not with all.",
            "Take the mean of each list, ours less theirs, and keep the negative ones.",
            "`sorted(names, key=gain.get)` puts the smallest gain first.",
        ),
        wrong=(
            (lambda ours, theirs: _worse(theirs, ours), "Which way round"),
            (lambda ours, theirs: _worse(ours, theirs)[::-1], "order is not"),
            (lambda ours, theirs: sorted(_worse(ours, theirs)), "order is not"),
            (lambda ours, theirs: sorted(_worse(ours, theirs), key=ours.get), "order is not"),
            (lambda ours, theirs: _worse(ours, theirs, np.min), "is missing"),
            (lambda ours, theirs: _worse(ours, theirs)[:1], "is missing"),
            (
                lambda ours, theirs: [
                    one for one in ours if (np.array(ours[one]) < theirs[one]).any()
                ],
                "not in every episode",
            ),
            (lambda ours, theirs: [], "better mean over all"),
            (lambda ours, theirs: dict.fromkeys(_worse(ours, theirs)), "expected a list"),
            (lambda ours, theirs: _worse(ours, theirs)[0], "expected a list"),
            (lambda ours, theirs: [np.mean(values) for values in ours.values()], "nothing else"),
            (
                lambda ours, theirs: list(ours)[:1] if ours == theirs else _worse(ours, theirs),
                "nobody is worse",
            ),
        ),
    ),
}
