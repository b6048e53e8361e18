"""The buttons for Binder and Colab: with an address they open the student edition."""

import re
import shutil
import types

import pytest

from medml import MedmlError
from medml.course import launch

ADDRESS = "https://github.com/ada/course"
NOTEBOOK = "notebooks/99_template.ipynb"


@pytest.fixture
def addressed(project, tmp_path):
    """Return a function that copies the project and sets the one value of _config.yml."""

    def copy(address):
        folder = tmp_path / "project"
        left_out = shutil.ignore_patterns("dist", "generated", "_build")
        shutil.copytree(project, folder, ignore=left_out)
        config = folder / "_config.yml"
        text = config.read_text("utf-8")
        assert 'repository: {url: ""}' in text
        config.write_text(text.replace('url: ""', f'url: "{address}"'), encoding="utf-8")
        return folder

    return copy


def test_no_address_adds_nothing(project):
    """Neither a button nor a link that leads nowhere."""
    config = types.SimpleNamespace(html_theme_options={"logo": {}})
    launch.add_buttons(types.SimpleNamespace(srcdir=project), config)
    assert config.html_theme_options == {"logo": {}}


@pytest.mark.parametrize("address", ["ada/course", f"{ADDRESS}.git", "https://example.org/a/b"])
def test_another_address_is_refused(addressed, address):
    """With the value and what was expected."""
    with pytest.raises(MedmlError, match="expected such as https://github"):
        launch.repository(addressed(address))


def test_colab_fetches_the_course(addressed):
    """From the branch of the student edition, with the packages that medml imports."""
    source = launch.colab_cell(addressed(f"{ADDRESS}/")).source
    assert f"--branch student {ADDRESS} /content/course" in source
    assert re.search(r"%pip install --quiet [\w -]*\bpydicom\b[\w -]*$", source, re.MULTILINE)


def test_binder_installs_the_course_without_pytorch(project, tmp_path):
    """The same pins as everywhere, and the data."""
    launch.write_binder(project, tmp_path)
    lines = (tmp_path / "binder" / "requirements.txt").read_text("utf-8").splitlines()
    course = (project / "requirements" / "course.txt").read_text("utf-8").splitlines()
    assert "-c ../requirements/constraints.txt" in lines
    assert {line.partition("==")[0] for line in course} - {
        line.partition("==")[0] for line in lines
    } == {"-c constraints.txt", "efficientnet-lite-pytorch", "torch", "torchvision"}
    assert (tmp_path / "binder" / "postBuild").stat().st_mode & 0o100


@pytest.mark.slow
def test_an_address_brings_buttons_to_notebooks_only(addressed, run_in, build_book):
    """Built in a folder of its own, as an instructor does."""
    folder = addressed(f"{ADDRESS}/")
    assert run_in(folder, "medml", "book", "pages").returncode == 0
    site = build_book(folder)
    page = (site / "notebooks" / "99_template.html").read_text("utf-8")
    assert re.findall(r'href="(https?://[^"]*student[^"]*)"', page) == [
        f"https://mybinder.org/v2/gh/ada/course/student?urlpath=lab/tree/{NOTEBOOK}",
        f"https://colab.research.google.com/github/ada/course/blob/student/{NOTEBOOK}",
    ]
    assert "mybinder" not in (site / "book" / "index.html").read_text("utf-8")
