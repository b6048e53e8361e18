"""Exercises: a check answers the reader at once, whatever the reader passes.

A module of `medml.exercises` (``nb01.py`` for notebook 01) holds one `Exercise` for each
exercise id in a dictionary called ``EXERCISES``.
"""

import ast
import importlib
import inspect
import os
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real


class Raised(Exception):
    """A reader's code raised; the cause is what it raised."""


class Refused(Exception):
    """What is wrong with an answer, beginning with what was observed.

    Parameters
    ----------
    template : str
        At most 25 words and no digit, so that it cannot give the answer away.
    *values
        Observed values, put in place of the template's ``{}``.
    """

    def __init__(self, template, *values):
        super().__init__(template.format(*(show(value) for value in values)))
        self.template = template


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    Attributes
    ----------
    check : callable
        Takes the answer; raises `Refused` if a property fails on fresh inputs.
    hints : tuple of three str
        From a nudge to nearly the way.
    wrong : tuple of (answer, str)
        At least three wrong answers, each with words of the message that must refuse it.
    """

    check: Callable
    hints: tuple[str, str, str]
    wrong: tuple


def check(exercise_id, answer, hint=0):
    """Check an answer and print PASS, NOT STARTED or what was observed.

    Parameters
    ----------
    exercise_id : str
        Notebook and name, such as ``"01.hounsfield"``.
    answer : object
        Whatever the exercise asks for; anything is answered with a message.
    hint : int
        0 for none, 1 to 3 to see so many hints.

    Raises
    ------
    ValueError
        If the exercise does not exist or there is no such hint.
    AssertionError
        Only with the environment variable ``MEDML_STRICT=1``: if the answer does not pass.
    """
    exercise = find(exercise_id)
    if hint not in range(4):
        raise ValueError(f"hint={hint!r}: choose 0 (none), 1, 2 or 3")
    verdict = judge(exercise, answer)
    print(f"{exercise_id}: {verdict}")
    for number, text in enumerate(exercise.hints[:hint], 1):
        print(f"  Hint {number} of 3: {text}")
    if verdict != "PASS":
        if hint < 3:
            print(f"  For a hint, add hint={hint + 1} to the call.")
        if os.environ.get("MEDML_STRICT") == "1":
            raise AssertionError(f"{exercise_id}: {verdict}")


def find(exercise_id):
    """Return the `Exercise` of an id, or raise ValueError naming the ids that exist."""
    number, _, _ = str(exercise_id).partition(".")
    module = f"medml.exercises.nb{number}"
    try:
        exercises = importlib.import_module(module).EXERCISES if number.isdigit() else {}
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        exercises = {}
    if exercise_id not in exercises:
        known = ", ".join(exercises) or "none in a notebook of that number"
        raise ValueError(f"unknown exercise {exercise_id!r}; known: {known}")
    return exercises[exercise_id]


def judge(exercise, answer):
    """Return "PASS", "NOT STARTED …" or the message of what was observed; never raise."""
    if has_blank(answer):
        return "NOT STARTED: replace each ... with your own code, run that cell, then this one."
    try:
        exercise.check(answer)
    except Refused as refused:
        return str(refused)
    except Raised as raised:
        return f"Your code raised {_describe(raised.__cause__)}"
    except KeyboardInterrupt:
        return "Your code was stopped before it returned. Is there a loop without an end?"
    except Exception as error:
        return (
            f"Your result could not be checked ({_describe(error)}). Is it of the kind asked for?"
        )
    return "PASS"


def call(answer, *arguments):
    """Return what a reader's function returns.

    Raises
    ------
    Refused
        If the answer is no function.
    Raised
        If the function raises anything, SystemExit included.
    """
    if not callable(answer):
        raise Refused("Got {}, which is not a function. Pass its name, without brackets.", answer)
    try:
        return answer(*arguments)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise Raised from error


def number(value):
    """Return a result as a float, or raise `Refused` if it is not one number.

    A tensor or an array without dimensions is one number too.
    """
    if getattr(value, "shape", None) == ():
        value = value.item()
    if isinstance(value, Real):
        return float(value)
    raise Refused("Got {}; expected one number.", value)


def has_blank(answer):
    """Tell whether an answer is, or its source still holds, a blank ``...``.

    An Ellipsis inside an index, such as ``x[..., 0]``, is no blank.
    """
    if answer is ...:
        return True
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(answer)))
    except Exception:  # no source to be had, or the object fights inspection: no blank seen
        return False
    parts = [tree]
    if getattr(answer, "__name__", "") == "<lambda>":  # its source is the whole line around it
        parts = [node for node in ast.walk(tree) if isinstance(node, ast.Lambda)]
    return any(blank for part in parts for blank in blanks(part))


def blanks(tree):
    """Yield the Ellipsis constants of a syntax tree that stand outside an index."""
    in_index = {
        id(node)
        for index in ast.walk(tree)
        if isinstance(index, ast.Subscript)
        for node in ast.walk(index.slice)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node.value is ... and id(node) not in in_index:
            yield node


def show(value):
    """Return a short one-line text of any value, even one whose repr fails."""
    try:
        text = " ".join(repr(value).split())
    except Exception:
        text = f"a {type(value).__name__}"
    return text if len(text) <= 60 else text[:57] + "..."


def _describe(error):
    """Return the type and the first line of an error, even one whose text fails."""
    try:
        text = str(error).split("\n")[0][:80]
    except Exception:
        text = "no message"
    return f"{type(error).__name__}: {text}"
