"""The student edition: the course without its solutions and outputs."""

import shutil
from pathlib import Path

from medml import MedmlError
from medml.course import launch
from medml.course import notebook as nb
from medml.course.exercise_guards import answer_lines

SHARED = (
    "LICENSE",
    "LICENSE-CONTENT",
    "experiments/results",
    "pyproject.toml",
    "medml",
    "requirements/constraints.txt",
    "requirements/course.txt",
    "requirements/data.txt",
)
README = """# Breakthroughs of machine learning in healthcare: student edition

1. Make an environment with Python 3.11 to 3.13: `python -m venv .venv`, then activate it.
2. `python -m pip install -r requirements/course.txt -e .`
3. `python -m medml data install`
4. `jupyter lab notebooks`

Fill each `...` of an exercise, run its cell, then the check below it. Not medical advice.
"""


def strip(notebook):
    """Drop the solutions and clear the outputs of a notebook in place."""
    notebook.cells = [cell for cell in notebook.cells if "solution" not in nb.tags(cell)]
    for cell in nb.code_cells(notebook):
        cell.outputs, cell.execution_count = [], None
    notebook.metadata.get("medml", {}).pop("code_hash", None)
    return notebook


def build(root, target):
    """Write the student edition of the course at `root` to `target`, run it and search it.

    Raises
    ------
    MedmlError
        If an exercise already passes or raises, or an answer is found in the edition. The target
        is then left as it was.
    """
    root, target = Path(root), Path(target)
    fresh = target.with_name(target.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    for name in SHARED:
        _copy(root / name, fresh / name)
    (fresh / "README.md").write_text(README, encoding="utf-8")
    launch.write_binder(root, fresh)
    for path in nb.notebooks(root):
        student = strip(nb.read(path))
        if launch.repository(root):
            student.cells.insert(1, launch.colab_cell(root))
        nb.write(student, fresh / "notebooks" / path.name)
        _prove_unsolved(nb.read(path), student, fresh / "notebooks")
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)


def _copy(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copyfile(source, target)


def _prove_unsolved(author, student, folder):
    """Run a student notebook in memory, and look for answers in everything that is handed out."""
    nb.execute(student, folder, strict=False)
    printed = [out.get("text", "") for cell in nb.code_cells(student) for out in cell.outputs]
    if passed := [text for text in printed if text.rstrip().endswith(": PASS")]:
        raise MedmlError(f"solved in the student edition: {passed[0].strip()}")
    handed_out = {path: path.read_text("utf-8") for path in folder.parent.rglob("*.py")}
    handed_out |= {folder: "\n".join(cell.source for cell in student.cells)}
    for line in answer_lines(author):
        for path, text in handed_out.items():
            if line in text:
                raise MedmlError(f"answer leaked in {path.relative_to(folder.parent)}: {line}")
