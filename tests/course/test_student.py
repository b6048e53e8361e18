"""The student edition holds every exercise, runs, and gives no answer away."""

import shutil

import pytest

from medml import MedmlError
from medml.course import notebook as nb
from medml.course import student


@pytest.fixture
def copy(project, tmp_path):
    """A copy of the project with the template alone: `make student` runs the whole course."""
    folder = tmp_path / "project"
    shutil.copytree(project, folder, ignore=shutil.ignore_patterns("dist"))
    for path in nb.notebooks(folder):
        if path.stem != "99_template":
            path.unlink()
    return folder


@pytest.mark.slow
def test_the_edition_runs_unsolved_and_without_outputs(copy):
    """Solutions and outputs are gone; the stubs are there."""
    target = copy / "dist" / "student"
    student.build(copy, target)
    book = nb.read(target / "notebooks" / "99_template.ipynb")
    sources = "\n".join(cell.source for cell in book.cells)
    assert "fahrenheit - ..." in sources
    assert "fahrenheit - 32" not in sources
    assert all(cell.outputs == [] for cell in nb.code_cells(book))
    assert (target / "medml" / "exercises" / "nb99.py").exists()
    assert (target / "binder" / "postBuild").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("(fahrenheit - ...) * 5 / 9", "(fahrenheit - 32.0) * 5 / 9", "solved in the student"),
        ("Fill the blanks", "hint: return (fahrenheit - 32) * 5 / 9", "answer leaked"),
    ],
)
def test_a_solved_or_leaking_edition_is_refused(copy, old, new, message):
    """And the edition that stood there before stays."""
    path = copy / "notebooks" / "99_template.ipynb"
    text = path.read_text("utf-8")
    path.write_text(text.replace(old, new), encoding="utf-8")
    target = copy / "dist" / "student"
    target.mkdir(parents=True)
    (target / "yesterday").touch()
    with pytest.raises(MedmlError, match=message):
        student.build(copy, target)
    assert (target / "yesterday").exists()
