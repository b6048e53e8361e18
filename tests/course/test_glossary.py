"""The glossary is in order, and a notebook's terms are found in it."""

import nbformat
import pytest

from medml.course import glossary

ENTRIES = [
    {"term": "AUROC", "zh": "曲线下面积", "text": "A measure."},
    {"term": "window", "zh": "窗宽窗位", "text": "A range of grey."},
]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("An **AUROC** (曲线下面积) is shown.", []),
        ("A **Window** (窗宽窗位, W/L) is shown.", []),
        ("Bold **words** (in brackets) are no term.", []),
        (
            "A **window** (窗口) is shown.",
            ["cell 1: **window** (窗口): book/glossary.yml has 窗宽窗位"],
        ),
        ("A **voxel** (体素).", ["cell 1: **voxel** (体素): book/glossary.yml has nothing"]),
    ],
)
def test_each_term_of_a_notebook_is_looked_up(source, found):
    """The Chinese must be the same; capitals and a plural's s do not matter."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(source)])
    assert list(glossary.missing(notebook, ENTRIES)) == found


def test_a_glossary_in_disorder_is_found():
    """Doubles, order and more than one line."""
    assert list(glossary.problems(ENTRIES)) == []
    assert "must stand before" in next(glossary.problems(ENTRIES[::-1]))
    assert "more than once" in next(glossary.problems([*ENTRIES, ENTRIES[1]]))
    assert "one line each" in next(glossary.problems([{**ENTRIES[0], "text": "two\nlines"}]))
