"""Checks of notebook 99's exercises, with the wrong answers that they must refuse."""

from medml.course import Exercise, Refused, call


def celsius(answer):
    """Freezing and boiling water, and one temperature in between."""
    if call(answer, 32) == 32:
        raise Refused("Freezing water stays at {}: nothing was subtracted.", call(answer, 32))
    if abs(call(answer, 32)) > 1e-9:
        raise Refused("Freezing water becomes {} °C; it should be zero.", call(answer, 32))
    if abs(call(answer, 212) - 100) > 1e-9:
        raise Refused("Boiling water becomes {} °C. Check the factor.", call(answer, 212))


def plausible(answer):
    """Values inside and outside the range, more than one of each."""
    kept = call(answer, [36.5, 98.6, 37.0, -1])
    if kept == [37.0]:
        raise Refused("Got {}: the list starts anew for each value.", kept)
    if kept is None or len(kept) > 2:
        raise Refused("Got {}: an impossible value was kept or nothing returned.", kept)
    if kept != [36.5, 37.0]:
        raise Refused("Got {}: a plausible value is lost.", kept)


def share_missing(answer):
    """No, some and only missing values."""
    for values, share in (([1, None], 0.5), ([0, 1], 0.0), ([None], 1.0)):
        got = call(answer, values)
        if got == 0.5 and 0 in values:
            raise Refused("Got {}: a measured zero is not missing.", got)
        if got == 100 * share and share:
            raise Refused("Got {}: a share lies between zero and one.", got)
        if got != share:
            raise Refused("Got {} for the values {}.", got, values)


EXERCISES = {
    "99.celsius": Exercise(
        check=celsius,
        hints=(
            "At which °F does water freeze?",
            "That temperature must become zero.",
            "Subtract it before you multiply.",
        ),
        wrong=(
            (lambda f: f, "nothing was subtracted"),
            (lambda f: f * 5 / 9, "should be zero"),
            (lambda f: (f - 32) * 9 / 5, "Check the factor"),
        ),
    ),
    "99.plausible": Exercise(
        check=plausible,
        hints=(
            "Which line must run once only?",
            "The list is made before the loop.",
            "The list is returned after the loop.",
        ),
        wrong=(
            (lambda ts: [t for t in ts if 25 <= t <= 45][-1:], "starts anew"),
            (lambda ts: ts, "impossible value was kept"),
            (lambda ts: [t for t in ts if 25 <= t <= 45][:1], "plausible value is lost"),
        ),
    ),
    "99.share_missing": Exercise(
        check=share_missing,
        hints=(
            "None is not zero.",
            "Count with `value is None`.",
            "Divide the count by the number of values.",
        ),
        wrong=(
            (lambda vs: sum(not v for v in vs) / len(vs), "measured zero"),
            (lambda vs: 100 * sum(v is None for v in vs) / len(vs), "between zero and one"),
            (lambda vs: sum(v is not None for v in vs) / len(vs), "Got"),
        ),
    ),
}
