"""Checks of notebook 01's exercises, with the wrong answers that they must refuse."""

import numpy as np
from Bio.Seq import Seq

from medml.course import Exercise, Refused, call, number


def heart_rate(answer):
    """A steady pulse, and the same pulse with one missed beat."""
    steady = number(call(answer, [1000.0] * 10))
    if steady == 1000:
        raise Refused("Got {}: that is the distance itself, not beats per minute.", steady)
    if abs(steady - 1) < 1e-9 or abs(steady - 0.06) < 1e-9:
        raise Refused("Got {} for one beat a second. How many ms has a minute?", steady)
    if abs(steady - 60) > 1e-9:
        raise Refused("Got {} for one beat a second.", steady)
    missed = number(call(answer, [800.0] * 9 + [1600.0]))
    if abs(missed - 75) > 1e-9:
        raise Refused("One missed beat changes the result to {}. Which middle ignores it?", missed)


def count_impossible(answer):
    """Values below, above and on the limits, and gaps."""
    gaps = number(call(answer, [np.nan, 70.0, np.nan], 20, 300))
    if gaps != 0:
        raise Refused("Counted {} in a list with gaps and one healthy value.", gaps)
    limits = number(call(answer, [20.0, 300.0], 20, 300))
    if limits != 0:
        raise Refused("Counted {}: a value on the limit is still possible.", limits)
    found = number(call(answer, [0.0, 70.0, 900.0], 20, 300))
    if found == 0:
        raise Refused("Counted {}: no value is below and above at once.", found)
    if found != 2:
        raise Refused("Counted {} in the values zero, seventy, nine hundred.", found)


def protein_changes(answer):
    """A change of protein, a silent change, two changes, and none."""
    normal = Seq("ATGGAGAAACTG")  # M E K L
    got = call(answer, normal, Seq("ATGGTGAAACTG"))
    if got == ["E1V"]:
        raise Refused("Got {}: places are counted from one, not from zero.", got)
    if got in (["A5T"], ["GAG2GTG"]):
        raise Refused("Got {}: those are letters of the gene. Translate first.", got)
    if got == ["V2E"]:
        raise Refused("Got {}: the old amino acid stands first.", got)
    if got != ["E2V"]:
        raise Refused("Got {} for glutamate turned into valine.", got)
    silent = call(answer, normal, Seq("ATGGAAAAACTG"))
    if silent != []:
        raise Refused("Got {} although the protein stays the same.", silent)
    both = call(answer, normal, Seq("ATGGTGAAACCG"))
    if both != ["E2V", "L4P"]:
        raise Refused("Got {} where the protein changes twice.", both)


def _pairs(old, new):
    return enumerate(zip(old, new, strict=True))


def _proteins(old, new):
    return _pairs(old.translate(), new.translate())


EXERCISES = {
    "01.heart_rate": Exercise(
        check=heart_rate,
        hints=(
            "One beat a second is a distance of a thousand ms. What rate is that?",
            "Put the milliseconds of a minute above the line.",
            "Below the line stands the median of the argument.",
        ),
        wrong=(
            (lambda rr_ms: 60_000 / np.mean(rr_ms), "missed beat"),
            (lambda rr_ms: 60 / np.median(rr_ms), "How many ms"),
            (lambda rr_ms: 1000 / np.median(rr_ms), "How many ms"),
            (np.median, "the distance itself"),
        ),
    ),
    "01.count_impossible": Exercise(
        check=count_impossible,
        hints=(
            "What does NaN >= low give? And its opposite?",
            "Ask for what is outside, not for the opposite of what is inside.",
            "A value is impossible if it is below one limit or above the other.",
        ),
        wrong=(
            (
                lambda v, low, high: int((~((np.array(v) >= low) & (np.array(v) <= high))).sum()),
                "with gaps",
            ),
            (
                lambda v, low, high: int(((np.array(v) < low) & (np.array(v) > high)).sum()),
                "below and above at once",
            ),
            (
                lambda v, low, high: int(((np.array(v) <= low) | (np.array(v) >= high)).sum()),
                "still possible",
            ),
            (lambda v, low, high: int((np.array(v) > high).sum()), "Counted 1.0 in the values"),
        ),
    ),
    "01.protein_changes": Exercise(
        check=protein_changes,
        hints=(
            "A Seq has a method that turns a gene into a protein.",
            "Walk through both proteins together, place by place.",
            "Keep a place only if the two amino acids differ, and count from one.",
        ),
        wrong=(
            (
                lambda old, new: [f"{a}{i + 1}{b}" for i, (a, b) in _pairs(old, new) if a != b],
                "Translate first",
            ),
            (
                lambda old, new: [f"{a}{i}{b}" for i, (a, b) in _proteins(old, new) if a != b],
                "from zero",
            ),
            (
                lambda old, new: [f"{b}{i + 1}{a}" for i, (a, b) in _proteins(old, new) if a != b],
                "stands first",
            ),
            (
                lambda old, new: [f"{a}{i + 1}{b}" for i, (a, b) in _proteins(old, new)],
                "for glutamate turned into valine",
            ),
            (lambda normal, variant: None, "Got None"),
        ),
    ),
}
