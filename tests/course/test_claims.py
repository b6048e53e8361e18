"""Claims hold inside their band, fail outside it, and print what a test can compare."""

import math
import subprocess
import sys

import pytest

from medml.course import claims
from medml.course.claims import Band, claim, measured, summarise


@pytest.mark.parametrize(
    ("bound", "text", "inside", "outside"),
    [
        ({"expected": 3}, "exactly 3", 3, 4),
        ({"expected": 0.94, "tol": 0.02}, "0.94 ± 0.02", 0.925, 0.915),
        ({"between": (-5, 2.5)}, "-5 to 2.5", -4.9, -5.1),
        ({"at_least": 1e20}, "≥ 1e+20", 2e20, 9e19),
        ({"at_most": 0.05}, "≤ 0.05", 0.0, 0.051),
    ],
)
def test_a_band_reads_back_from_its_text(bound, text, inside, outside):
    """What is printed is what is checked."""
    band = Band.of(**bound)
    assert band.text == text
    assert band == Band.parse(text)
    assert inside in band
    assert outside not in band


def test_a_claim_prints_one_line_that_the_guards_can_read(capsys):
    """Id, band, unit and value come back from the line."""
    claim("heart-rate", 61.098, 61, tol=1, unit="beats/min", interval=(60, 62))
    line = capsys.readouterr().out
    assert line == (
        "claim heart-rate holds: 61 ± 1 beats/min [measured 61.1, 95 % interval 60 to 62]\n"
    )
    match = claims.CLAIM.search(line)
    assert match.group("id", "band", "unit", "value") == (
        "heart-rate",
        "61 ± 1",
        "beats/min",
        "61.1",
    )


@pytest.mark.parametrize("value", [0.95, math.nan, math.inf])
def test_a_claim_outside_its_band_fails_and_says_both_numbers(value):
    """The message names the id, the band and the measured value."""
    with pytest.raises(AssertionError, match=r"claim auc does not hold: expected ≤ 0.9, measured"):
        claim("auc", value, at_most=0.9)


@pytest.mark.parametrize(
    "bound", [{}, {"at_least": 1, "at_most": 2}, {"between": (1, 2), "tol": 1}]
)
def test_a_band_needs_exactly_one_kind_of_bound(bound):
    """None or two bounds are an error that lists the kinds."""
    with pytest.raises(ValueError, match="give one bound"):
        claim("auc", 1, **bound)


@pytest.mark.parametrize("value", ["0.9", None, True, [0.9]])
def test_a_claim_refuses_what_is_no_number(value):
    """A list or a truth value is no measurement."""
    with pytest.raises(TypeError, match="expected a number"):
        measured(value, at_least=0)


def test_a_claim_id_is_lower_case_words():
    """Other ids would break the pages' links."""
    with pytest.raises(ValueError, match="AUC of model"):
        claim("AUC of model", 1, 1)


def test_the_summary_lists_each_claim_under_an_objective(capsys, monkeypatch):
    """Claims that were not made, or are listed nowhere, are errors."""
    monkeypatch.setattr(claims, "_seen", {})
    claim("rows", 9105, 9105)
    with pytest.raises(ValueError, match="not claimed in this session: \\['columns'\\]"):
        summarise({"Count.": ["columns"]})
    with pytest.raises(ValueError, match="no objective lists: \\['rows'\\]"):
        summarise({})
    capsys.readouterr()
    summarise({"Count.": ["rows"]})
    assert capsys.readouterr().out == "Count.\n  - rows: exactly 9105\n"


def test_the_course_imports_no_scientific_package():
    """The book is published without numpy, pandas and the rest."""
    code = (
        "import sys, medml.course, medml.__main__\n"
        "print(sorted({'numpy', 'pandas', 'torch', 'sklearn', 'scipy'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
