"""Every notebook of the course keeps the rules, and its checks refuse its wrong answers."""

import importlib
import pkgutil
import re
from pathlib import Path

import pytest
import yaml

import medml.exercises
from medml.course import coverage, glossary, guards
from medml.course import notebook as nb
from medml.course.exercise_guards import answer_lines
from medml.course.exercises import Refused, judge

ROOT = Path(__file__).parents[1]
PATHS = nb.notebooks(ROOT)
BOOKS = {coverage.number(path): nb.read(path) for path in PATHS}
ITEMS = coverage.load(ROOT)
TERMS = glossary.load(ROOT)
EXERCISES = {
    exercise_id: exercise
    for module in pkgutil.iter_modules(medml.exercises.__path__)
    for exercise_id, exercise in importlib.import_module(
        f"medml.exercises.{module.name}"
    ).EXERCISES.items()
}
WRONG = [
    pytest.param(exercise, answer, message, id=f"{exercise_id} {message}")
    for exercise_id, exercise in EXERCISES.items()
    for answer, message in exercise.wrong
]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
@pytest.mark.parametrize("guard", guards.GUARDS, ids=lambda guard: guard.__name__)
def test_a_notebook_keeps_the_rule(path, guard):
    """Each rule is one function of medml.course.guards; its docstring says what it asks."""
    assert list(guard(nb.read(path))) == []


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_notebook_quotes_the_document_as_coverage_does(path):
    """Chinese, translation and section agree with book/coverage.yml."""
    items = [item for item in ITEMS if item.get("notebook") == coverage.number(path)]
    assert list(guards.quotes_the_document(nb.read(path), items)) == []


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_the_terms_of_a_notebook_are_in_the_glossary(path):
    """With the same Chinese."""
    assert list(glossary.missing(nb.read(path), TERMS)) == []


def test_the_glossary_is_in_order():
    """Each word once, sorted, one line; this many are promised."""
    assert list(glossary.problems(TERMS)) == []
    assert len(TERMS) >= 120


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_stored_run_is_within_its_budget(path):
    """What `make notebooks` measured; a live run may take twice as much."""
    times = yaml.safe_load((ROOT / "notebooks" / "run_times.json").read_text("utf-8"))[path.stem]
    budget = nb.read(path).metadata.medml.budget
    assert times["cpu_s"] <= budget["cpu_s"]
    assert times["memory_mb"] <= budget["memory_mb"]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_notebook_is_in_the_table_of_contents(path):
    """And its exercises are those of its module."""
    assert f"notebooks/{path.stem}\n" in (ROOT / "_toc.yml").read_text("utf-8")
    sources = "\n".join(cell.source for cell in nb.code_cells(nb.read(path)))
    asked = re.findall(r'check\("([\w.]+)"', sources)
    assert asked == [name for name in EXERCISES if name.startswith(path.name[:2])]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_no_module_holds_a_line_of_an_answer(path):
    """What `make student` looks for in all that it hands out, here in seconds."""
    modules = {module: module.read_text("utf-8") for module in (ROOT / "medml").rglob("*.py")}
    lines = answer_lines(nb.read(path))
    assert [(line, name) for line in lines for name, text in modules.items() if line in text] == []


def test_coverage_agrees_with_the_notebooks():
    """Anchors and claims exist, and every sentence that claims something has a verdict."""
    assert list(coverage.problems(ITEMS, BOOKS)) == []


def test_ids_are_unique():
    """Items of the document, and claims over all notebooks."""
    ids = [item["id"] for item in ITEMS]
    claims = [claim for book in BOOKS.values() for claim in guards.claims_in(book)]
    assert len(ids) == len(set(ids))
    assert len(claims) == len(set(claims))


@pytest.mark.parametrize(("exercise", "answer", "message"), WRONG)
def test_a_wrong_answer_is_refused_with_its_misconception(exercise, answer, message):
    """The message has at most 25 words, and its template no digit that gives the answer away."""
    assert message in judge(exercise, answer)
    try:
        exercise.check(answer)
    except Refused as refused:
        assert len(refused.template.split()) <= 25
        assert not re.search(r"\d", refused.template)


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
def test_an_exercise_knows_three_wrong_answers_and_three_hints(exercise):
    """Fewer would not show what the check tells apart."""
    assert len(exercise.wrong) >= 3
    assert len(exercise.hints) == 3
