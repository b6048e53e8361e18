"""The pages that are computed: verdicts and coverage, tools, glossary, run times, the API."""

import ast
import json
import re
import textwrap
from pathlib import Path

from sphinx.ext.napoleon import Config, NumpyDocstring

from medml import MedmlError
from medml.course import coverage, glossary, guards, tools
from medml.course import notebook as nb
from medml.files import write_text

GENERATED = "book/generated"


def write_pages(root):
    """Write the computed pages to `book/generated/`.

    Raises
    ------
    MedmlError
        If a notebook is not fully executed: the book shows stored outputs only.
    """
    root = Path(root)
    books = {path: nb.read(path) for path in nb.notebooks(root)}
    for path, book in books.items():
        for problem in guards.is_executed(book):
            raise MedmlError(f"{path.name}: {problem}; run `make notebooks` and commit")
    pages = {
        "tools": tools.page(root, books),
        "glossary": glossary.page(root),
        "run-times": run_times(root, books),
        "api": api(root),
    }
    pages["verdicts"] = verdicts(root, books, {*pages, "verdicts"})
    for name, text in pages.items():
        write_text(root / GENERATED / f"{name}.md", text)


def verdicts(root, books, generated):
    """Return the page that lists every item of the document, its place and its verdict.

    An item that a page handles links to it, if that is a prose page or one of those `generated`.
    """
    paths = {coverage.number(path): path for path in books}
    items = coverage.load(root)
    judged = [item for item in items if "verdict" in item]
    lines = [
        "# Verdicts and coverage",
        "",
        (root / "book" / "verdicts-intro.md").read_text("utf-8"),
    ]
    lines += [_score(items, judged), "## Verdicts", ""]
    for item in judged:
        path = paths[item["notebook"]]
        lines += [
            f"### {item['translation'][0].upper()}{item['translation'][1:]}",
            "",
            f"> 「{item['quote']}」 (§{item['section']})",
            "",
            f"**{item['verdict'].capitalize()}.** {item['because']}",
            "",
        ]
        lines += [f"- {_claim_line(claim, path)}" for claim in item["claims"]]
        lines += ["", f"Shown in {_link(item, path)}.", ""]
    lines += ["## Coverage", "", "| § | The document | What the reader verifies | Where |"]
    lines += ["|---|---|---|---|"]
    for item in items:
        quote = f"「{item['quote']}」 " if item["quote"] else ""
        path = paths.get(item.get("notebook"))
        where = _link(item, path) if path else _page_or_plan(item, root, generated)
        lines += [
            f"| {item['section']} | {quote}{item['translation']} | {item['shows']} | {where} |"
        ]
    return "\n".join(lines) + "\n"


def run_times(root, books):
    """Return the page of measured CPU time and memory of each notebook."""
    file = root / "notebooks" / "run_times.json"
    times = json.loads(file.read_text("utf-8"))
    lines = ["# Run times", "", (root / "book" / "run-times-intro.md").read_text("utf-8")]
    lines += ["| Notebook | CPU-seconds | Budget | Memory, MB | Budget |", "|---|--:|--:|--:|--:|"]
    for path, book in books.items():
        used, budget = times[path.stem], book.metadata.medml.budget
        lines += [
            f"| [{guards.headings(book, 1)[0]}](../../notebooks/{path.name}) | {used['cpu_s']:.0f}"
            f" | {budget['cpu_s']} | {used['memory_mb']:.0f} | {budget['memory_mb']} |"
        ]
    return "\n".join(lines) + "\n"


def api(root):
    """Return the reference of medml, read from the source text without importing it.

    Of `medml.course` it holds what notebooks import, not the machinery behind the book.
    """
    lines = [
        "# API of medml",
        "",
        "The helpers that the notebooks call, with shapes and units.",
        "",
    ]
    exported = ast.parse((root / "medml/course/__init__.py").read_text("utf-8")).body
    exported = {node.module for node in exported if isinstance(node, ast.ImportFrom)}
    for path in sorted((root / "medml").rglob("[a-z]*.py")):
        name = ".".join(path.relative_to(root).with_suffix("").parts)
        tree = ast.parse(path.read_text("utf-8"))
        members = [node for node in tree.body if _is_public(node)]
        if not members or (name.startswith("medml.course.") and name not in exported):
            continue
        lines += [f"## {name}", "", "```{eval-rst}", f".. py:currentmodule:: {name}", ""]
        lines += [_rst(tree), *(_entry(node, _imported(tree)) for node in members), "```", ""]
    return "\n".join(lines) + "\n"


def _score(items, judged):
    """Return the sentence that counts the verdicts."""
    found = [item["verdict"] for item in judged]
    counts = ", ".join(f"{name}: {found.count(name)}" for name in coverage.VERDICTS)
    claims = [item for item in items if item.get("claim") and "notebook" in item]
    waiting = len(claims) - len(judged)
    return f"So far {counts}. Sentences that wait for their chapter: {waiting}.\n"


def _claim_line(claim_id, path):
    glue = f"../../notebooks/{path.name}::{claim_id}:s"
    return f"claim `{claim_id}`: {{glue:text}}`{glue}`"


def _link(item, path):
    slug = re.sub(r"[^\w\- ]", "", item["anchor"].lower()).strip().replace(" ", "-")
    return f"[{path.name[:2]}: {item['anchor']}](../../notebooks/{path.name}#{slug})"


def _page_or_plan(item, root, generated):
    if "notebook" in item:
        return f"planned: notebook {item['notebook']:02}"
    if item["page"] in generated:
        return f"[]({item['page']}.md)"
    if (root / "book" / f"{item['page']}.md").exists():
        return f"[](../{item['page']}.md)"
    return "planned: a page of its own"


def _is_public(node):
    kinds = (ast.FunctionDef, ast.ClassDef)
    return isinstance(node, kinds) and not node.name.startswith("_") and ast.get_docstring(node)


def _imported(tree):
    """Return each name that a module imports from medml with the module it comes from."""
    found = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    found = [node for node in found if node.module.startswith("medml.")]
    return {
        alias.name: f"{node.module.rsplit('.')[-1]}.{alias.name}"
        for node in found
        for alias in node.names
    }


def _entry(node, imported):
    """Return the reStructuredText of a function or class."""
    kind, arguments = "class", ""
    if isinstance(node, ast.FunctionDef):
        # Two rooms may each have a class of one name: the module tells which is meant.
        for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
            for name in ast.walk(argument):
                if isinstance(name, ast.Name):
                    name.id = imported.get(name.id, name.id)
        kind, arguments = "function", f"({ast.unparse(node.args)})"
    return f".. py:{kind}:: {node.name}{arguments}\n\n{textwrap.indent(_rst(node), '   ')}\n"


def _rst(node):
    """Return a numpydoc docstring as plain reStructuredText."""
    config = Config(napoleon_use_param=False, napoleon_use_rtype=False, napoleon_use_ivar=True)
    parts = re.split(r"(`+[^`]*`+|^ *>>> .*$)", ast.get_docstring(node) or "", flags=re.MULTILINE)
    # In text between them |z| and c_-1 are formulas, not substitutions and links.
    parts[::2] = [re.sub(r"\||(?<=\w)_(?=[±-])", r"\\\g<0>", text) for text in parts[::2]]
    return str(NumpyDocstring("".join(parts), config)) + "\n"
