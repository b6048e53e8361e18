"""Checks of notebook 03's exercises, with the wrong answers that they must refuse."""

import numpy as np
import pandas as pd

from medml.course import Exercise, Refused, call, number


def true_share(answer):
    """Nobody, everybody and some say yes, for a timid and a bold coin."""
    for honest in (0.6, 0.9):
        epsilon = np.log(honest / (1 - honest))
        for share in (0.0, 0.3, 1.0):
            yes = share * honest + (1 - share) * (1 - honest)
            got = number(call(answer, yes, epsilon))
            if abs(got - share) < 1e-9:
                continue
            if abs(got - yes) < 1e-9:
                raise Refused("Got {}: that is the noisy share itself.", got)
            if abs(got - (1 - share)) < 1e-9:
                raise Refused(
                    "Got {}: the mirror image. Which answer is more likely, true or false?", got
                )
            if abs(got - (yes - (1 - honest))) < 1e-9:
                raise Refused(
                    "Got {}: the false yeses are out, but not every true yes is back.", got
                )
            raise Refused("Got {} where the truth is {}.", got, share)


def shift_dates(answer):
    """Two scans of one patient, one of another, in mixed order; many patients."""
    patients = ["Li", "Ma", "Li"]
    dates = np.array(["2024-03-01", "2024-03-01", "2024-04-15"], dtype="datetime64[D]")
    got = call(answer, patients, dates, np.random.default_rng(3))
    moved = (dates - np.asarray(got, dtype="datetime64[D]")).astype(int)
    if (moved == 0).all():
        raise Refused("The dates came back as they were.")
    if moved[0] != moved[2]:
        raise Refused("Two scans of one patient moved by {} and {} days.", *moved[[0, 2]].tolist())
    if moved[0] == moved[1]:
        raise Refused(
            "Two patients moved by the same {} days: one known date gives all away.", moved[0]
        )
    if (moved < 0).any():
        raise Refused(
            "A date moved {} days into the future; they should go back.", -int(moved.min())
        )


def least_diverse(answer):
    """Groups that differ in size and diversity, with a gap among what others may know."""
    table = pd.DataFrame(
        {
            "age": ["60-69"] * 3 + ["70-79"] * 4 + [None] * 3,
            "sex": ["f"] * 10,
            "diagnosis": ["a", "b", "c", "a", "a", "b", "b", "d", "d", "d"],
        }
    )
    got = number(call(answer, table, ["age", "sex"], "diagnosis"))
    if got == 2:
        raise Refused("Got {}: those whose age is not known are a group too.", got)
    if got == 3:
        raise Refused("Got {}: that is patients, or the most diverse group. Count values.", got)
    if got == 4:
        raise Refused("Got {}: those are all diagnoses together. Look group by group.", got)
    if got != 1:
        raise Refused("Got {} for groups of which one shares a single diagnosis.", got)
    got = number(call(answer, table.iloc[:7], ["age", "sex"], "diagnosis"))
    if got != 2:
        raise Refused("Got {} after the group with a single diagnosis had left.", got)


def _honest(epsilon):
    return 1 / (1 + np.exp(-epsilon))


def _move(dates, days):
    return np.asarray(dates) - np.asarray(days).astype("timedelta64[D]")


EXERCISES = {
    "03.true_share": Exercise(
        check=true_share,
        hints=(
            "With no privacy loss the coin is fair; with a large one nearly all tell the truth.",
            "The first blank makes the two probabilities differ by a factor of e to the ε.",
            "The second blank is the probability of a lie: what an all-no crowd would give.",
        ),
        wrong=(
            (lambda yes, epsilon: yes, "noisy share itself"),
            (
                lambda yes, epsilon: (yes - _honest(epsilon)) / (1 - 2 * _honest(epsilon)),
                "mirror image",
            ),
            (lambda yes, epsilon: yes - (1 - _honest(epsilon)), "not every true yes is back"),
            (
                lambda yes, epsilon: (yes - _honest(epsilon)) / (2 * _honest(epsilon) - 1),
                "where the truth is",
            ),
        ),
    ),
    "03.shift_dates": Exercise(
        check=shift_dates,
        hints=(
            "How many random numbers does one patient get?",
            "The second line found out which patient each row belongs to. Where is that used?",
            "Index the days by the patient of each row.",
        ),
        wrong=(
            (
                lambda patients, dates, generator: _move(
                    dates, generator.integers(1, 3651, size=len(dates))
                ),
                "Two scans of one patient",
            ),
            (
                lambda patients, dates, generator: _move(dates, generator.integers(1, 3651)),
                "Two patients moved by the same",
            ),
            (lambda patients, dates, generator: dates, "as they were"),
            (
                lambda patients, dates, generator: _move(
                    dates, [-len(name) if name == "Li" else -7 for name in patients]
                ),
                "into the future",
            ),
        ),
    ),
    "03.least_diverse": Exercise(
        check=least_diverse,
        hints=(
            "Group the table first; a gap needs an argument of groupby to stay a group.",
            "Of each group, count the different values of one column.",
            "The weakest group decides.",
        ),
        wrong=(
            (
                lambda table, quasi, sensitive: table.groupby(quasi)[sensitive].nunique().min(),
                "a group too",
            ),
            (
                lambda table, quasi, sensitive: table.groupby(quasi, dropna=False).size().min(),
                "that is patients",
            ),
            (lambda table, quasi, sensitive: table[sensitive].nunique(), "all diagnoses together"),
            (
                lambda table, quasi, sensitive: int(
                    (table.groupby(quasi, dropna=False)[sensitive].nunique() == 0).sum()
                ),
                "shares a single diagnosis",
            ),
            (lambda table, quasi, sensitive: 1, "had left"),
        ),
    ),
}
