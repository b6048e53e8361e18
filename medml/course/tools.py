"""The page of tools: versions from the requirements, places of use from the imports."""

import ast
import re
from pathlib import Path

import yaml

from medml.course.exercise_guards import syntax_tree
from medml.course.notebook import code_cells

PIN = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)


def load(root):
    """Return the groups of `book/tools.yml`."""
    return yaml.safe_load(Path(root, "book", "tools.yml").read_text("utf-8"))


def versions(root):
    """Return the pinned version of each package that the book or the course names."""
    files = sorted(Path(root, "requirements").glob("*.txt"))
    return dict(pin for file in files for pin in PIN.findall(file.read_text("utf-8")))


def uses(root, books):
    """Return the numbers of the notebooks that use each package, such as ``{"Bio": ["01"]}``.

    A notebook uses what it imports, and what the modules of medml import that it imports.

    Parameters
    ----------
    root : Path
        The project.
    books : dict of Path to notebook
        The notebooks of the course.
    """
    medml = {}
    for path in Path(root, "medml").rglob("*.py"):
        name = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        medml[name] = set(_imported(ast.parse(path.read_text("utf-8"))))
    places = {}
    for path, book in books.items():
        found, ahead = (
            set(),
            {n for c in code_cells(book) for n in _imported(syntax_tree(c.source))},
        )
        while ahead := ahead - found:
            found |= ahead
            ahead = set().union(*(medml.get(name, ()) for name in ahead))
        for package in sorted({name.partition(".")[0] for name in found}):
            places.setdefault(package, []).append(path.name[:2])
    return places


def page(root, books):
    """Return the page that lists each tool with version, licence and places of use."""
    pins, places = versions(root), uses(root, books)
    lines = ["# Tools", "", (root / "book" / "tools-intro.md").read_text("utf-8")]
    for group in load(root):
        lines += [f"## {group['group']}", "", "| Tool | For | Version, licence | Used in |"]
        lines += ["|---|---|---|---|"]
        for tool in group["tools"]:
            name = f"[{tool['name']}]({tool['link']}){' ●' if tool.get('quote') else ''}"
            version = pins[tool["package"]] if "package" in tool else "not installed"
            lines += [
                f"| {name} | {tool['does']} | {version}, {tool['licence']}"
                f" | {_where(tool, places)} |"
            ]
        lines += [""]
    return "\n".join([*lines, (root / "book" / "tools-ethics.md").read_text("utf-8")])


def _where(tool, places):
    """Return which notebooks use a tool; else what is planned; else it serves the whole book."""
    if found := places.get(tool.get("module")):
        return f"notebook {', '.join(found)}"
    return f"*planned*: {tool['plan']}" if "plan" in tool else "the book as a whole"


def _imported(tree):
    """Yield the names of modules, and perhaps of what is in them, that a piece of code imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)
