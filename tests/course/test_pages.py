"""The computed pages hold what the notebooks and coverage.yml hold."""

import ast
import shutil

import pytest

from medml import MedmlError
from medml.course import coverage, pages, tools
from medml.course import notebook as nb


@pytest.fixture(scope="module")
def generated(project):
    """The computed pages of the project with notebook 99."""
    pages.write_pages(project)
    folder = project / "book" / "generated"
    return {path.stem: path.read_text("utf-8") for path in folder.glob("*.md")}


def test_every_item_of_the_document_has_a_row(project, generated):
    """With a link if its notebook exists, and the word planned if not."""
    rows = [line for line in generated["verdicts"].split("\n") if line.startswith("| ")]
    items = coverage.load(project)
    assert len(rows) == len(items) + 1
    assert "../../notebooks/99_template.ipynb#a-worked-example" in rows[-1]
    assert "planned: notebook 14" in generated["verdicts"]
    assert "notebooks/14" not in generated["verdicts"]


def test_an_item_of_a_page_links_to_it_once_it_exists(generated):
    """Prose pages and computed ones; the others are planned."""
    rows = {row.split("|")[2]: row for row in generated["verdicts"].split("\n") if "|" in row}
    where = {words: row.split("|")[-2].strip() for words, row in rows.items()}
    assert where[" 「PyTorch」 PyTorch "] == "[](tools.md)"
    assert where[" 「技术革新的浪潮」 a wave of technical innovation "] == "[](../index.md)"
    assert where[" future trends (not in the text) "] == "planned: a page of its own"


def test_the_verdicts_are_counted(project, generated):
    """And the sentences that wait for their chapter."""
    held = sum(item.get("verdict") == "holds" for item in coverage.load(project))
    assert f"So far holds: {held}, holds only if: " in generated["verdicts"]


def test_tools_show_the_pinned_version_and_where_they_are_used(project, generated):
    """Through the helpers of medml too; what no notebook imports is planned."""
    rows = {row.split("]")[0]: row for row in generated["tools"].split("\n") if "](" in row}
    pins = tools.versions(project)
    assert f"| {pins['biopython']}, " in rows["| [Biopython"]
    assert rows["| [Biopython"].split("|")[-2].startswith(" notebook 01")
    assert "| *planned*: " in rows["| [Bioconductor"]


def test_every_verdict_shows_its_claims(project, generated):
    """By the band that the notebook printed."""
    for item in coverage.load(project):
        for claim_id in item.get("claims", []):
            assert f"::{claim_id}:s`" in generated["verdicts"]


def test_run_times_stand_beside_their_budgets(generated):
    """For each notebook."""
    assert "99 · Title of the chapter" in generated["run-times"]
    assert "| 60 |" in generated["run-times"]


def test_the_reference_has_public_names_only(generated):
    """Read from the source, private helpers left out."""
    assert (
        ".. py:function:: claim(claim_id, value, expected=None, *, interval=None"
        in (generated["api"])
    )
    assert "py:class:: Exercise" in generated["api"]
    assert "medml.course.guards" not in generated["api"]
    assert "function:: _" not in generated["api"]


def test_a_formula_in_a_docstring_is_no_markup():
    """Bars and a trailing underscore are escaped in text, not in code."""
    source = "'''Where |z| < r, c_-1 and ``|z|``.\n\n>>> 1 | 2\n3\n'''"
    text = pages._rst(ast.parse(source))
    assert r"Where \|z\| < r, c\_-1 and ``|z|``." in text
    assert ">>> 1 | 2" in text


def test_a_notebook_with_stripped_outputs_is_refused(project, tmp_path):
    """One sentence with the cure; nothing is written."""
    copy = tmp_path / "project"
    shutil.copytree(project, copy, ignore=shutil.ignore_patterns("dist", "generated"))
    path = copy / "notebooks" / "99_template.ipynb"
    book = nb.read(path)
    for cell in nb.code_cells(book):
        cell.outputs, cell.execution_count = [], None
    nb.write(book, path)
    with pytest.raises(MedmlError, match=r"99_template\.ipynb: not fully executed.*make notebooks"):
        pages.write_pages(copy)
    assert not (copy / "book" / "generated").exists()


@pytest.mark.slow
def test_the_book_builds_with_a_new_notebook_and_no_change_of_machinery(
    project, run_in, build_book
):
    """Four files of the template are enough."""
    assert run_in(project, "medml", "book", "pages").returncode == 0
    page = (build_book(project) / "notebooks" / "99_template.html").read_text("utf-8")
    assert "mybinder" not in page, "without an address there is no button"
