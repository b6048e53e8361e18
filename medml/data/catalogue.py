"""The catalogue of data sets: what each one is, where its files lie, and whether they are intact.

Only the standard library is imported here, so that the command line answers at once.
"""

import contextlib
import difflib
import functools
import importlib.util
import os
import tomllib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from medml import MedmlError
from medml.data.datasheet import DataFile, Dataset
from medml.files import atomic_write as _atomic_write

_HERE = Path(__file__).resolve().parent
_CHECKOUT = _HERE.parents[1]


class DataError(MedmlError):
    """A data set cannot be used; the message is one sentence with the command that mends it."""


@functools.cache
def _catalogue() -> dict[str, Dataset]:
    """Read catalogue.toml once."""
    tables = tomllib.loads((_HERE / "catalogue.toml").read_text(encoding="utf-8"))
    catalogue = {}
    for name, table in tables.items():
        files = tuple(DataFile(**file) for file in table.pop("files"))
        traps = tuple(table.pop("traps"))
        catalogue[name] = Dataset(name=name, traps=traps, files=files, **table)
    return catalogue


def names() -> list[str]:
    """Return the names of all data sets, in the order of the catalogue."""
    return list(_catalogue())


def dataset(name: str) -> Dataset:
    """Return the datasheet of one data set.

    Raises
    ------
    DataError
        If the catalogue has no data set of that name.

    Examples
    --------
    >>> dataset("ct-small").kind
    'image'
    """
    if name not in _catalogue():
        close = difflib.get_close_matches(str(name), names(), n=1)
        guess = f"; did you mean '{close[0]}'?" if close else ""
        msg = f"unknown data set '{name}', expected one of {', '.join(names())}{guess}"
        raise DataError(msg)
    return _catalogue()[name]


def data_dir() -> Path:
    """Return the folder for data: `MEDML_DATA`, else `.data` of a checkout, else the user's cache.

    Never a folder that depends on the current directory: notebooks, tests and the command line
    run in different ones and must find the same files.
    """
    chosen = os.environ.get("MEDML_DATA")
    if chosen:
        folder = Path(chosen).expanduser()
        if not folder.is_absolute():
            msg = f"MEDML_DATA must be an absolute path, not '{chosen}': write it from the root on"
            raise DataError(msg)
        return folder
    if (_CHECKOUT / "pyproject.toml").is_file():
        return _CHECKOUT / ".data"
    import pooch  # only for a copy of medml without its checkout: pooch takes a while to import

    return Path(pooch.os_cache("medml"))


def _place(data: Dataset, file: DataFile) -> Path | None:
    """Return where a file belongs, or None when the package that carries it is not installed."""
    if data.origin in ("wheel", "url"):
        return data_dir() / file.path
    # A top-level find_spec imports nothing, so a carrier costs no start-up time.
    spec = importlib.util.find_spec(PurePosixPath(file.path).parts[0])
    return Path(spec.origin).parents[1] / file.path if spec and spec.origin else None


_intact: set[tuple[Path, int, int]] = set()


def file_state(data: Dataset, file: DataFile) -> str:
    """Return "ready", "missing" or "damaged" for one file of a data set.

    A file is hashed once in each process, and again only after it has changed.
    """
    path = _place(data, file)
    if path is None or not path.is_file():
        return "missing"
    status = path.stat()
    seal = (path, status.st_size, status.st_mtime_ns)
    if seal not in _intact:
        if not file.is_intact(path):
            return "damaged"
        _intact.add(seal)
    return "ready"


def state(name: str) -> str:
    """Return "ready", "damaged", "missing" or, for an absent set that is fetched, "optional"."""
    data = dataset(name)
    states = {file_state(data, file) for file in data.files}
    if "damaged" in states:
        return "damaged"
    if "missing" in states:
        return "optional" if data.origin == "url" else "missing"
    return "ready"


def locate(name: str, file: str) -> Path:
    """Return the path of a file of a data set after checking that it is intact.

    Parameters
    ----------
    name : str
        Name of the data set, one of `names()`.
    file : str
        Name of the file, without its folder.

    Raises
    ------
    DataError
        If the file is unknown, missing or damaged; the message gives the command that mends it.
    """
    data = dataset(name)
    files = {entry.name: entry for entry in data.files}
    if file not in files:
        msg = f"data set '{name}' has no file '{file}', expected one of {', '.join(files)}"
        raise DataError(msg)
    condition = file_state(data, files[file])
    if condition != "ready":
        msg = f"file {files[file].path} of data set '{name}' is {condition}: run  {data.cure}"
        raise DataError(msg)
    return _place(data, files[file])


def cache_path(filename: str) -> Path:
    """Return where a slow loader may keep its result; write it with `atomic_write`."""
    return data_dir() / "cache" / filename


def cannot_write(path: Path, error: OSError) -> DataError:
    """Return the error for a place that is full, read-only or no folder."""
    reason = error.strerror or str(error)
    return DataError(
        f"cannot write {path} ({reason}): free some space there, or set MEDML_DATA to a folder "
        "that you can write"
    )


@contextlib.contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """Open a binary file of the data folder that appears only when it was written to its end.

    Raises
    ------
    DataError
        If the disk is full or the folder cannot be written; no partial file is left.
    """
    try:
        with _atomic_write(path) as file:
            yield file
    except OSError as error:
        raise cannot_write(path, error) from error
