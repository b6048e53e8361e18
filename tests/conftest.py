"""What all tests share: hypothesis without a stopwatch, and an author's copy of the project.

The copy has the template as its notebook 99, executed.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

with contextlib.suppress(ModuleNotFoundError):  # `make bench` runs tests/peers without it
    from hypothesis import settings

    # A deadline of 200 ms an example fails where the machine is busy, whatever the code does.
    settings.register_profile("unhurried", settings(), deadline=None)
    settings.load_profile("unhurried")

ROOT = Path(__file__).parents[1]
TEMPLATE = ROOT / "tests" / "template"
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv*", ".data", "_build", "dist", "__pycache__", ".*_cache"
)


@pytest.fixture(scope="session")
def run_in():
    """Run a Python module in a project folder; return the completed process."""

    def run(folder, *arguments):
        data = os.environ.get("MEDML_DATA", str(ROOT / ".data"))
        environment = {**os.environ, "PYTHONPATH": str(folder), "MEDML_DATA": data}
        return subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run


@pytest.fixture(scope="session")
def build_book():
    """Build the book of a project folder as `make book` does; return its folder of pages."""

    def build(folder):
        start = "import sys; from jupyter_book.cli.main import main; sys.exit(main())"
        options = ["build", ".", "--warningiserror", "--nitpick", "--keep-going"]
        done = subprocess.run(
            [sys.executable, "-c", start, *options], cwd=folder, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return folder / "_build" / "html"

    return build


@pytest.fixture(scope="session")
def project(tmp_path_factory, run_in):
    """Add the template as notebook 99 by the four steps of CONTRIBUTING, then run it."""
    folder = tmp_path_factory.mktemp("author") / "project"
    shutil.copytree(ROOT, folder, ignore=LEFT_OUT)
    shutil.copy(TEMPLATE / "notebook.ipynb", folder / "notebooks" / "99_template.ipynb")
    shutil.copy(TEMPLATE / "exercises.py", folder / "medml" / "exercises" / "nb99.py")
    for source, target in (("coverage.yml", "book/coverage.yml"), ("toc.yml", "_toc.yml")):
        with open(folder / target, "a", encoding="utf-8") as file:
            file.write((TEMPLATE / source).read_text("utf-8"))
    done = run_in(folder, "medml", "book", "run", "99")
    assert done.returncode == 0, done.stderr
    return folder
