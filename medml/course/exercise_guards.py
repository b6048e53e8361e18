"""Guards of the exercises: fair to the reader, and read by nothing but their own check."""

import ast
import re

from medml.course.exercises import blanks
from medml.course.notebook import tags


def has_fair_exercises(notebook):
    """Stub, solution and check follow each other, and the stub keeps what its form promises."""
    forms = []
    cells = notebook.cells
    for index, cell in enumerate(cells):
        if "exercise" not in tags(cell):
            continue
        settings = cell.metadata.get("medml", {})
        solution, check = cells[index + 1 : index + 3]
        forms.append(settings.get("form"))
        name = settings.get("exercise", f"cell {index + 1}")
        if not {"solution", "hide-cell"} <= set(tags(solution)):
            yield f"{name}: the next cell needs the tags solution and hide-cell"
        elif solution.metadata.get("mystnb", {}).get("code_prompt_show") != "Solution":
            yield f"{name}: the solution's prompt must be 'Solution' (mystnb.code_prompt_show)"
        elif f'check("{name}"' not in check.source:
            yield f'{name}: the cell after the solution must call check("{name}", …)'
        else:
            for problem in _breaks_form(cell.source, solution.source, settings):
                yield f"{name}: {problem}"
    if forms != sorted(forms, key=str) or set(forms) != {"E1", "E2", "E3"}:
        yield f"exercises have the forms {forms}; expected E1, E2 and E3, in this order"
    if not any(cell.source.startswith("### E4 ★") for cell in cells):
        yield "the open exercise '### E4 ★' with its rubric is missing"


def leaves_answers_unread(notebook):
    """No cell but its own check reads a name that an exercise or its solution defines."""
    answers = {}
    for index, cell in enumerate(notebook.cells):
        if "exercise" in tags(cell):
            triple = range(index, index + 3)
            for part in notebook.cells[index : index + 2]:
                answers |= dict.fromkeys(_defined(part.source), triple)
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            for name in sorted(_used(cell.source) & answers.keys()):
                if index not in answers[name]:
                    yield f"cell {index + 1}: reads the reader's answer {name!r}"


def syntax_tree(source):
    """Parse a cell without its IPython magics."""
    return ast.parse(re.sub(r"^\s*[%!].*$", "", source, flags=re.MULTILINE))


def _defined(source):
    """Yield the names that a cell defines at its top level."""
    for statement in syntax_tree(source).body:
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            yield statement.name
        else:
            for node in ast.walk(statement):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    yield node.id


def _used(source):
    """Return the names that a cell reads."""
    nodes = ast.walk(syntax_tree(source))
    return {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def _breaks_form(stub, solution, settings):
    """Yield how a stub departs from its form (E1, E2 or E3)."""
    form, lines = settings.get("form"), settings.get("lines")
    if form == "E1":
        if not any(blanks(syntax_tree(stub))):
            yield "a faded exercise needs a blank ..."
        if not _same_but_blanks(syntax_tree(stub), syntax_tree(solution)):
            yield "stub and solution differ in more than the blanks"
    elif form == "E2" and lines == "order":
        if _words(stub) != _words(solution):
            yield "a Parsons stub must hold the solution's lines"
    elif form == "E2":
        old, new = stub.split("\n"), solution.split("\n")
        changed = [n for n, pair in enumerate(zip(old, new, strict=False), 1) if len(set(pair)) > 1]
        if len(old) != len(new) or changed != lines:
            yield f"stub and solution differ in lines {changed}; declared: {lines}"
    elif form == "E3":
        if _signatures(stub) != _signatures(solution):
            yield "the solution changes a signature or docstring"
    else:
        yield f"form {form!r}; expected E1, E2 or E3"


def _same_but_blanks(stub, solution):
    """Compare two syntax trees; a blank of the stub equals any expression."""
    if isinstance(stub, ast.Constant) and stub.value is ...:
        return isinstance(solution, ast.expr)
    if type(stub) is not type(solution):
        return False
    if isinstance(stub, ast.AST):
        return all(
            _same_but_blanks(getattr(stub, name, None), getattr(solution, name, None))
            for name in stub._fields
        )
    if isinstance(stub, list):
        return len(stub) == len(solution) and all(map(_same_but_blanks, stub, solution))
    return stub == solution


def _words(source):
    return sorted(line.strip() for line in source.split("\n") if line.strip())


def _signatures(source):
    return [
        (f.name, ast.dump(f.args), ast.get_docstring(f))
        for f in ast.walk(syntax_tree(source))
        if isinstance(f, ast.FunctionDef)
    ]


def answer_lines(notebook):
    """Yield the lines that only the solutions hold: what a student edition must not contain.

    Lines under 15 characters, such as ``return total``, give nothing away.
    """
    for stub, solution in zip(notebook.cells, notebook.cells[1:], strict=False):
        if "solution" in tags(solution):
            lines = set(_words(solution.source)) - set(_words(stub.source))
            yield from sorted(line for line in lines if len(line) >= 15)
