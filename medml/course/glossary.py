"""Read `book/glossary.yml`: the words of the course in English and Chinese, one line each."""

import itertools
import re
from pathlib import Path

import yaml

# In a notebook: **Hounsfield unit** (亨氏单位, HU). Only the Chinese part is compared.
NEW_TERM = re.compile(r"\*\*([^*\n]+)\*\* \(([^)\n]*[\u4e00-\u9fff][^)\n]*)\)")


def load(root):
    """Return the entries of the glossary: dictionaries with ``term``, ``zh`` and ``text``."""
    return yaml.safe_load(Path(root, "book", "glossary.yml").read_text("utf-8"))


def problems(entries):
    """Yield what is wrong with the glossary itself: order, doubles, anything but one line."""
    for name in ("term", "zh"):
        seen = [entry[name].casefold() for entry in entries]
        for double in sorted({word for word in seen if seen.count(word) > 1}):
            yield f"{name} {double!r} stands in the glossary more than once"
    for before, after in itertools.pairwise(entry["term"] for entry in entries):
        if before.casefold() > after.casefold():
            yield f"{after!r} must stand before {before!r}"
    for entry in entries:
        if set(entry) != {"term", "zh", "text"} or "\n" in "".join(entry.values()):
            yield f"{entry['term']!r} needs term, zh and text, one line each"


def missing(notebook, entries):
    """Yield each **term** (中文) of a notebook that the glossary does not hold in these words."""
    known = {entry["term"].casefold(): entry["zh"] for entry in entries}
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type != "markdown":
            continue
        for term, words in NEW_TERM.findall(cell.source):
            chinese = re.split("[,，;；]", words)[0].strip()
            word = term.casefold()
            found = known.get(word) or known.get(word.removesuffix("s"), "nothing")
            if found != chinese:
                yield f"cell {number}: **{term}** ({chinese}): book/glossary.yml has {found}"


def page(root):
    """Return the page of the glossary, one section for each first letter."""
    lines = ["# Glossary 术语表", "", (root / "book" / "glossary-intro.md").read_text("utf-8")]
    for letter, entries in itertools.groupby(load(root), lambda entry: entry["term"][0].upper()):
        lines += [f"## {letter}", "", "```{glossary}"]
        for entry in entries:
            lines += [entry["term"], entry["zh"], f"  {entry['text']}", ""]
        lines += ["```", ""]
    return "\n".join(lines)
