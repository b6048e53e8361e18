"""The command line lists, shows and mends, quickly and without a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from medml.__main__ import main
from medml.data import catalogue
from medml.data.catalogue import names

ROOT = Path(catalogue.__file__).parents[2]


def test_list_shows_every_data_set_with_its_state(capsys):
    """One line for each data set, below a heading."""
    assert main(["data", "list"]) == 0
    heading, *lines = capsys.readouterr().out.splitlines()
    assert heading.split() == ["NAME", "KIND", "SIZE", "LICENCE", "STATE"]
    assert [line.split()[0] for line in lines] == names()
    assert {line.split()[-1] for line in lines} <= {"ready", "optional"}


def test_list_name_shows_the_datasheet(capsys):
    """The whole datasheet, traps included."""
    assert main(["data", "list", "nci60"]) == 0
    out = capsys.readouterr().out
    assert "14 labels are not 14 cancers" in out
    assert "doi:10.1038/73432" in out


def test_an_error_is_one_line_and_status_1(capsys):
    """What a user can mend is told in one line on stderr."""
    assert main(["data", "list", "hbv"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("medml: unknown data set 'hbv'")
    assert err.count("\n") == 1


def test_install_and_fetch_report_one_line(capsys, home, toys, wheel, mirror):
    """Both commands end with the place of the files."""
    (mirror / "far.csv").write_bytes(b"patient,hr\n1,72\n")
    assert main(["data", "install"]) == 0
    assert main(["data", "fetch", "far"]) == 0
    out = capsys.readouterr().out
    assert f"1 of 1 data files installed in {home}" in out
    assert f"far is ready in {home}" in out


@pytest.mark.parametrize("arguments", [["data"], ["data", "fetch"], ["nothing"]])
def test_a_wrong_command_is_status_2(arguments, capsys):
    """argparse's own errors keep their status."""
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2


def test_a_console_without_greek_letters_shows_the_datasheet():
    """β and µ become question marks where the encoding has none."""
    command = [sys.executable, "-m", "medml", "data", "list", "hbb"]
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)
    assert done.returncode == 0, done.stderr
    assert "human ?-globin" in done.stdout


def test_the_command_line_imports_no_scientific_package():
    """`python -m medml data list` answers at once because it imports nothing heavy."""
    code = (
        "import sys; from medml.__main__ import main; main(['data', 'list'])\n"
        "print(sorted({'numpy', 'pandas', 'pydicom', 'pooch', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr
