"""A check answers whatever it is given, and never with an exception of its own."""

import collections

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from medml.course import exercises
from medml.course.exercises import (
    Exercise,
    Refused,
    call,
    check,
    find,
    has_blank,
    judge,
    number,
    show,
)


def even(answer):
    """An exercise: tell whether a number is even."""
    if call(answer, 4) is not True:
        raise Refused("Got {} for an even number.", call(answer, 4))


EVEN = Exercise(check=even, hints=("Divide.", "By two.", "Look at the rest."), wrong=())


@pytest.fixture
def nb98(monkeypatch):
    """Notebook 98 with one exercise."""
    module = type("module", (), {"EXERCISES": {"98.even": EVEN}})
    monkeypatch.setattr(exercises.importlib, "import_module", lambda name: module)


class Hostile:
    """Raises at every touch."""

    def __init__(self, number):
        """Take what the exercise passes."""

    def __getattribute__(self, name):
        raise RuntimeError("hands off")

    def __repr__(self):
        raise RuntimeError("hands off")


def stub(number):
    """Not yet done."""
    return ... + number


def indexed(rows):
    """An Ellipsis inside an index is no blank."""
    return rows[..., 0]


def leaves(number):
    """A student's function may end the process."""
    raise SystemExit("bye")


def deep(number):
    """A student's function may call itself for ever."""
    return deep(number)


def test_right_answers_pass(nb98, capsys):
    """The verdict is one line."""
    check("98.even", lambda number: number % 2 == 0)
    assert capsys.readouterr().out == "98.even: PASS\n"


def test_blanks_are_not_started():
    """An Ellipsis left in the source, or given as the answer."""
    assert has_blank(stub)
    assert has_blank(...)
    assert not has_blank(indexed)
    assert [has_blank(part) for part in (..., lambda number: number)] == [True, False]
    assert judge(EVEN, stub).startswith("NOT STARTED")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "Got None, which is not a function"),
        (True, "Got True, which is not a function"),
        (lambda number: "yes", "Got 'yes' for an even number"),
        (lambda: True, "Your code raised TypeError"),
        (leaves, "Your code raised SystemExit: bye"),
        (deep, "Your code raised RecursionError"),
        (np.zeros((3, 3)), "Got array"),
        (pd.DataFrame({"a": [1]}), "Got a 0 1, which is not a function"),
        (collections, "Got <module 'collections'"),
        (Hostile, "Got a Hostile for an even number"),
    ],
)
def test_wrong_answers_get_what_was_observed(answer, message):
    """Functions, values and objects that fight back."""
    assert message in judge(EVEN, answer)


def test_a_result_of_the_wrong_kind_is_shown():
    """A check that expects one number says so."""
    exercise = Exercise(check=lambda f: number(call(f)), hints=EVEN.hints, wrong=())
    assert judge(exercise, lambda: "61") == "Got '61'; expected one number."
    for one in (61, np.float32(0.5), np.array(0.5), torch.tensor(0.5, requires_grad=True)):
        assert judge(exercise, lambda one=one: one) == "PASS"
    for many in (np.array([0.5]), torch.zeros(2), np.array("61")):
        assert judge(exercise, lambda many=many: many).endswith("expected one number.")


def test_a_check_that_stumbles_over_a_result_says_so():
    """It does not blame the reader's code."""
    exercise = Exercise(check=lambda f: len(call(f)), hints=EVEN.hints, wrong=())
    assert judge(exercise, lambda: 3).startswith("Your result could not be checked (TypeError:")


def test_an_object_that_fights_back_gets_a_message():
    """Even asking for its class raises."""
    assert judge(EVEN, object.__new__(Hostile)) == "Got a Hostile, which is not a function. " + (
        "Pass its name, without brackets."
    )


@given(st.recursive(st.none() | st.floats() | st.text() | st.binary(), st.lists))
def test_any_value_gets_a_message(answer):
    """Whatever is passed, a one-line message comes back."""
    verdict = judge(EVEN, answer)
    assert verdict.startswith("Got ")
    assert "\n" not in verdict


def test_hints_come_in_three_steps(nb98, capsys):
    """Each call says how to get the next."""
    check("98.even", lambda number: False, hint=2)
    assert capsys.readouterr().out.split("\n")[1:4] == [
        "  Hint 1 of 3: Divide.",
        "  Hint 2 of 3: By two.",
        "  For a hint, add hint=3 to the call.",
    ]
    with pytest.raises(ValueError, match="hint=4"):
        check("98.even", even, hint=4)


def test_strict_mode_fails_on_every_answer_that_does_not_pass(nb98, monkeypatch):
    """This is how CI runs the solutions."""
    monkeypatch.setenv("MEDML_STRICT", "1")
    check("98.even", lambda number: True)
    for answer in (stub, lambda number: False):
        with pytest.raises(AssertionError, match=r"98\.even"):
            check("98.even", answer)


@pytest.mark.parametrize("exercise_id", ["98.odd", "even", "", None, "77.x", "../x"])
def test_an_unknown_exercise_is_an_error_that_names_it(exercise_id):
    """A misspelt id must not look like an answer."""
    with pytest.raises(ValueError, match="unknown exercise"):
        find(exercise_id)


def test_long_values_are_cut_to_one_line():
    """A message stays readable."""
    assert show(list(range(1000))).endswith("...")
    assert len(show("x" * 500)) == 60
