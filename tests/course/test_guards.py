"""Each guard is clean on the template and finds the defect that it is for."""

import copy

import nbformat
import pytest

from medml.course import coverage, guards
from medml.course import notebook as nb


@pytest.fixture(scope="module")
def executed(project):
    """The executed template."""
    return nb.read(project / "notebooks" / "99_template.ipynb")


@pytest.fixture
def notebook(executed):
    """A copy of the template to break."""
    return copy.deepcopy(executed)


def cell(notebook, cell_id):
    return next(cell for cell in notebook.cells if cell.id == cell_id)


def edit(notebook, cell_id, old, new):
    """Replace text in a cell, and run nothing."""
    target = cell(notebook, cell_id)
    assert old in target.source
    target.source = target.source.replace(old, new)


@pytest.mark.parametrize("guard", guards.GUARDS)
def test_the_template_passes(guard, notebook):
    """An author who copies the template begins without a defect."""
    assert list(guard(notebook)) == []


def test_stripped_outputs_are_found(notebook):
    """nbval alone would pass them."""
    for code in nb.code_cells(notebook):
        code.execution_count, code.outputs = None, []
    assert "not fully executed" in next(guards.is_executed(notebook))


def test_an_edited_cell_is_found(notebook):
    """Even if its output would stay the same."""
    edit(notebook, "means", "36.9", "36.90")
    assert "edited after" in next(guards.is_executed(notebook))


def test_a_value_outside_its_band_is_found(notebook):
    """nbval does not see it, since the sanitiser blanks the value."""
    output = cell(notebook, "means").outputs[0]
    output.text = output.text.replace("[measured 57.53]", "[measured 58.53]")
    assert "outside its band" in next(guards.stays_in_its_bands(notebook))


def test_a_value_without_a_band_is_found(notebook):
    """`[measured …]` must not become a way around the comparison."""
    cell(notebook, "means").outputs[0].text = "mean [measured 57.53]"
    assert "without its band" in next(guards.stays_in_its_bands(notebook))


def test_a_claimed_number_in_prose_is_found(notebook):
    """It would stay when the measurement moves."""
    edit(notebook, "explain-means", "no temperature", "57.5 °C and no temperature")
    assert "repeats claim template-mean" in next(guards.keeps_numbers_out_of_prose(notebook))


@pytest.mark.parametrize(
    ("cell_id", "old", "new", "guard", "message"),
    [
        ("card", "- **Time**", "- **Duration**", guards.has_its_sections, "header card"),
        ("quiz", "## Quiz", "## Test", guards.has_its_sections, "sections"),
        ("explain-source", "**Explain.**", "So:", guards.has_its_sections, "**Explain.**"),
        ("card", "a patient", "a {term}`patient`", guards.is_commonmark, "MyST"),
        ("quiz", "### 5. ", "5. ", guards.asks_five_questions, "4 questions"),
        ("quiz", "Right, because it", "It", guards.asks_five_questions, "each option"),
        ("quiz", "Wrong, because it", "Right, because it", guards.asks_five_questions, "one"),
        ("card", "1. Compute", "1. Know", guards.lists_its_objectives, "word for word"),
        ("e1-solution", "5 / 9", "5 / 8", guards.has_fair_exercises, "more than the blanks"),
        ("e2-solution", "25 <=", "20 <=", guards.has_fair_exercises, "solution's lines"),
        ("e3-solution", "(values)", "(rows)", guards.has_fair_exercises, "signature"),
        ("e4", "### E4 ★", "###", guards.has_fair_exercises, "E4"),
        ("rule", "t for t in t", "celsius(t) for t in t", guards.leaves_answers_unread, "celsius"),
    ],
)
def test_a_departure_from_the_format_is_found(notebook, cell_id, old, new, guard, message):
    """One edit, one message that says what is expected."""
    edit(notebook, cell_id, old, new)
    assert message in " ".join(guard(notebook))


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ({"output_type": "stream", "name": "stderr", "text": "Warning"}, "warning"),
        ({"output_type": "error", "ename": "E", "evalue": "", "traceback": []}, "error"),
        ({"output_type": "display_data", "data": {"image/png": ""}, "metadata": {}}, "alt text"),
        ({"output_type": "display_data", "data": {"image/svg+xml": ""}, "metadata": {}}, "PNG"),
    ],
)
def test_an_output_that_nbval_cannot_compare_is_found(notebook, output, message):
    """Warnings, errors and figures without alt text."""
    cell(notebook, "rule").outputs.append(nbformat.from_dict(output))
    assert message in next(guards.has_clean_outputs(notebook))


@pytest.mark.parametrize("tag", ["nbval-skip", "raises-exception"])
def test_a_tag_that_hides_a_failure_is_found(notebook, tag):
    """A third ignored output is one too many as well."""
    cell(notebook, "rule").metadata["tags"] = [tag]
    assert tag in next(guards.has_clean_outputs(notebook))
    for code in nb.code_cells(notebook):
        code.metadata["tags"] = ["nbval-ignore-output"]
    assert "two at most" in " ".join(guards.has_clean_outputs(notebook))


def test_a_quote_that_differs_from_coverage_is_found(project, notebook):
    """Chinese, translation and section are compared to the letter."""
    items = [item for item in coverage.load(project) if item.get("notebook") == 99]
    assert list(guards.quotes_the_document(notebook, items)) == []
    edit(notebook, "document", "标注", "标记")
    assert "quote differs" in next(guards.quotes_the_document(notebook, items))


def test_coverage_agrees_with_the_notebooks_that_exist(project, notebook):
    """A wrong anchor and a claim that no notebook makes are found."""
    items = [item for item in coverage.load(project) if item.get("notebook") == 99]
    assert list(coverage.problems(items, {99: notebook})) == []
    items[0] |= {"anchor": "Nowhere", "claims": ["template-mean", "no-such-claim"], "claim": True}
    problems = " ".join(coverage.problems(items, {99: notebook}))
    assert "no heading 'Nowhere'" in problems
    assert "['no-such-claim']" in problems
    assert "needs a verdict" in problems
    assert "but no notebook yet" in next(coverage.problems(items, {}))
