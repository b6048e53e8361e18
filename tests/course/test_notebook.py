"""Running a notebook gives a file that changes in git only when its content does."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from medml import MedmlError
from medml.course import notebook as nb
from medml.course.notebook import kernel_environment, record_usage
from medml.course.usage import Usage

ROOT = Path(__file__).parents[2]


def edit(project, tmp_path, old, new):
    """Copy the executed template with one text replaced everywhere in the file."""
    text = (project / "notebooks" / "99_template.ipynb").read_text("utf-8")
    assert old in text
    (tmp_path / "99_template.ipynb").write_text(text.replace(old, new), encoding="utf-8")
    shutil.copy(project / "conftest.py", tmp_path)
    shutil.copy(project / "tests" / "nbval_sanitize.cfg", tmp_path)


def nbval(project, tmp_path):
    """Run nbval on the notebook in a folder, with the medml of the project."""
    command = ["pytest", "-q", "--nbval", "--nbval-sanitize-with", "nbval_sanitize.cfg", "."]
    environment = kernel_environment(project, strict=True)
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_second_run_changes_nothing(project, run_in):
    """No time stamp, no new cell id, no order that wanders."""
    path = project / "notebooks" / "99_template.ipynb"
    before = path.read_bytes()
    assert run_in(project, "medml", "book", "run", "99").returncode == 0
    assert path.read_bytes() == before


def test_a_run_writes_its_usage_into_the_header_card(project):
    """The reader sees what the machine measured."""
    card = nb.read(project / "notebooks" / "99_template.ipynb").cells[0].source
    used = json.loads((project / "notebooks" / "run_times.json").read_text("utf-8"))["99_template"]
    line = f"{used['cpu_s']:.0f} CPU-seconds, {used['memory_mb']:.0f} MB of memory"
    assert f"- **Measured run**: {line}" in card


def test_a_failing_cell_leaves_the_file_as_it_was(project, tmp_path, monkeypatch):
    """Nothing is half-written."""
    edit(project, tmp_path, "36.9, 98.6, 37.1", "36.9, 37.0, 37.1")
    monkeypatch.setenv("PYTHONPATH", str(project))
    path = tmp_path / "99_template.ipynb"
    before = path.read_bytes()
    with pytest.raises(MedmlError, match="claim template-mean does not hold"):
        nb.run(path)
    assert path.read_bytes() == before
    assert not (tmp_path / "run_times.json").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("[measured 57.53]", "[measured 57.54]", ""),
        ("exactly 1 [measured 1]", "exactly 2 [measured 1]", "claim template-impossible holds"),
        ("99.celsius: PASS", "99.celsius: PASSED", "99.celsius: PASS"),
        ("(fahrenheit - 32) * 5 / 9", "(fahrenheit - 30) * 5 / 9", "should be zero"),
    ],
    ids=["measured value", "digit of an output", "word of an output", "refused solution"],
)
def test_nbval_compares_what_is_printed(project, tmp_path, old, new, says):
    """A measured value may move within its band; nothing else may."""
    edit(project, tmp_path, old, new)
    done = nbval(project, tmp_path)
    assert (done.returncode == 0) == (not says), done.stdout
    assert says in done.stdout


@pytest.mark.slow
def test_nbval_fails_on_a_notebook_far_over_its_budget(project, tmp_path):
    """Twice the budget, so that a slow machine passes and a slow cell does not."""
    edit(project, tmp_path, '"cpu_s": 60', '"cpu_s": 0.01')
    done = nbval(project, tmp_path)
    assert done.returncode != 0
    assert "cpu_s is" in done.stdout


def test_kernels_cannot_leave_the_machine():
    """Addresses and names are refused, the loopback is not."""
    code = (
        "import socket\n"
        "for host in ('192.0.2.1', 'example.org', '127.0.0.1'):\n"
        "    try:\n"
        "        socket.create_connection((host, 9), timeout=1)\n"
        "    except OSError as error:\n"
        "        print('switched off' in str(error))\n"
    )
    environment = kernel_environment(ROOT, strict=False)
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True", "True", "False"]


def test_noise_in_the_run_time_is_no_change(tmp_path):
    """A quarter more or less, or two seconds, keeps the stored figure."""
    path = tmp_path / "99_template.ipynb"
    assert record_usage(path, Usage(10, 500)) == Usage(10, 500)
    assert record_usage(path, Usage(11, 450)) == Usage(10, 500)
    assert record_usage(path, Usage(14, 500)) == Usage(14, 500)
    assert record_usage(path, Usage(14, 900)) == Usage(14, 900)


def test_a_file_that_is_no_notebook_is_named(tmp_path):
    """One sentence instead of a JSON traceback."""
    path = tmp_path / "01_broken.ipynb"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(MedmlError, match=r"cannot read a notebook from .*01_broken"):
        nb.read(path)


def test_writing_is_all_or_nothing(tmp_path, monkeypatch):
    """A full disk leaves the old file and no other."""
    path = tmp_path / "01.ipynb"
    nb.write(nbformat.v4.new_notebook(), path)
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="No space left"):
        nb.write(nbformat.v4.new_notebook(metadata={"a": 1}), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
