"""Open the student edition on Binder or Colab: what it needs there, and buttons in the book.

As a Sphinx extension this module adds the buttons to the pages of notebooks when `repository.url`
of `_config.yml` names a repository on GitHub. Left to itself, the theme fails without an address,
and with one it opens the notebooks with the solutions.
"""

import re
import tomllib
from pathlib import Path

import nbformat
import yaml

from medml import MedmlError
from medml.files import write_text

BRANCH = "student"  # where the workflow `book` publishes dist/student
ADDRESS = re.compile(r"https://github\.com/[\w.-]+/[\w.-]+(?<!\.git)")
# A Binder has one or two GB of memory: PyTorch's default build is left out, and what asks for it.
TOO_LARGE = ("efficientnet-lite-pytorch==", "torch==", "torchvision==")
POST_BUILD = """#!/usr/bin/env bash
# Binder runs this once, when it builds the image.
set -euo pipefail
python -m pip install --quiet --no-deps --editable .
python -m medml data install
"""
# Packages are named without versions, so that Colab keeps those it has.
COLAB = """# Only for Colab: fetches the course, what Colab lacks and the data in a few minutes.
import sys

if "google.colab" in sys.modules:
    !git clone --quiet --depth 1 --branch {branch} {address} /content/course
    %cd /content/course/notebooks
    %pip install --quiet {packages}
    !cd .. && python -m medml data install
    sys.path.insert(0, "/content/course")"""


def repository(root):
    """Return the address of the course's repository, as `_config.yml` gives it, or "" for none.

    Raises
    ------
    MedmlError
        If it is not the address of a repository on GitHub.
    """
    settings = yaml.safe_load(Path(root, "_config.yml").read_text("utf-8"))
    address = (settings["repository"]["url"] or "").rstrip("/")
    if address and not ADDRESS.fullmatch(address):
        raise MedmlError(
            f"repository.url in _config.yml is {address!r}; "
            "expected such as https://github.com/NAME/REPOSITORY, or nothing"
        )
    return address


def colab_cell(root):
    """Return the code cell that prepares Colab, where a notebook arrives without its course."""
    project = tomllib.loads(Path(root, "pyproject.toml").read_text("utf-8"))["project"]
    packages = [re.match(r"[\w-]+", needed)[0] for needed in project["dependencies"]]
    source = COLAB.format(branch=BRANCH, address=repository(root), packages=" ".join(packages))
    return nbformat.v4.new_code_cell(source, id="colab")


def write_binder(root, edition):
    """Write the folder `binder` of a student edition: what Binder installs and runs."""
    course = Path(root, "requirements", "course.txt").read_text("utf-8").splitlines(keepends=True)
    needed = "".join(line for line in course if not line.startswith(TOO_LARGE))
    needed = needed.replace("-c constraints.txt", "-c ../requirements/constraints.txt")
    folder = Path(edition, "binder")
    write_text(folder / "requirements.txt", needed)
    write_text(folder / "runtime.txt", "python-3.11\n")
    write_text(folder / "postBuild", POST_BUILD)
    (folder / "postBuild").chmod(0o755)


def add_buttons(app, config):
    """Tell the theme where the student edition lies, if it lies anywhere."""
    if address := repository(app.srcdir):
        config.html_theme_options |= {
            "repository_url": address,
            "repository_branch": BRANCH,
            "launch_buttons": {
                "binderhub_url": "https://mybinder.org",
                "colab_url": "https://colab.research.google.com",
                "notebook_interface": "jupyterlab",
            },
        }


def setup(app):
    """Register with Sphinx."""
    app.connect("config-inited", add_buttons)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
