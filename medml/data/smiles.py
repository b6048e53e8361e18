"""Libraries of molecules as files, read in pieces: memory is bounded by the piece.

A library is one file or several: .smi, .smiles or .txt (the SMILES is the first word of a line),
.csv or .tsv (with a header line), plain or .gz. One line holds one molecule.
"""

import csv
import gzip
import io
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_WORDS = (".smi", ".smiles", ".txt")


class Chunk(NamedTuple):
    """Some lines of one file.

    Attributes
    ----------
    file : str
        Path of the file.
    line : int
        Number of the first line, from 1; the header of a table is line 1.
    smiles : tuple of str
        One text for each line, empty where the line has none; nothing is checked.
    bytes_read : int
        How far the library was read up to here, in bytes on disk.
    damage : str
        Why the file could not be read to its end; empty while all is well.
    """

    file: str
    line: int
    smiles: tuple[str, ...]
    bytes_read: int = 0
    damage: str = ""


def library_files(library: str | os.PathLike | Iterable[str | os.PathLike]) -> list[Path]:
    """Return the files of a library as a list of paths.

    Raises
    ------
    ValueError
        If there is no file, or one has an unknown ending.
    FileNotFoundError
        If a file is missing.
    """
    one = isinstance(library, str | os.PathLike)
    files = [Path(path) for path in ([library] if one else library)]
    if not files:
        raise ValueError("a library needs at least one file, got none")
    for path in files:
        if _ending(path) not in (*_DELIMITERS, *_WORDS):
            known = ", ".join((*_WORDS, *_DELIMITERS))
            raise ValueError(f"unknown kind of file {str(path)!r}, expected {known}, or these .gz")
        if not path.is_file():
            raise FileNotFoundError(f"no file {str(path)!r}")
    return files


def read_chunks(
    library: str | os.PathLike | Iterable[str | os.PathLike],
    size: int = 2000,
    column: str = "smiles",
) -> Iterator[Chunk]:
    """Read a library in pieces of at most `size` lines; the same files give the same pieces.

    A .gz file that is cut short or broken gives what could be unpacked, then one chunk with
    `damage`; the other files follow. Bytes that are no UTF-8 become the character U+FFFD.

    Parameters
    ----------
    library : path or iterable of paths
    size : int
        Lines in a chunk.
    column : str
        Name of the column in a .csv or .tsv file; upper or lower case does not matter.

    Returns
    -------
    iterator of Chunk
        In the order of the files; a chunk never spans two of them.

    Raises
    ------
    ValueError
        At once, before anything is read, if a file has an unknown ending, is no .gz, or lacks the
        column, or the size is below 1.
    FileNotFoundError
        If a file is missing.
    """
    if size < 1:
        raise ValueError(f"expected a size of at least 1 line, got {size}")
    files = library_files(library)
    places = [_find_column(path, column) for path in files]
    return _read(files, places, size)


def sample_smiles(
    library: str | os.PathLike | Iterable[str | os.PathLike],
    count: int,
    seed: int,
    column: str = "smiles",
) -> list[str]:
    """Draw lines of a library at random without replacement, in the order of the library.

    The library is read twice, once to count its lines.

    Parameters
    ----------
    library : path or iterable of paths
    count : int
        Number of lines to draw.
    seed : int
    column : str
        As in `read_chunks`.

    Returns
    -------
    list of str
        `count` texts as they stand there, unchecked.

    Raises
    ------
    ValueError
        If the library has fewer lines, or as in `read_chunks`.
    """
    library = library_files(library)
    total = sum(len(chunk.smiles) for chunk in read_chunks(library, column=column))
    if not 0 <= count <= total:
        raise ValueError(f"expected between 0 and {total} lines to draw, got {count}")
    chosen = np.sort(np.random.default_rng(seed).choice(total, count, replace=False))
    drawn, start = [], 0
    for chunk in read_chunks(library, column=column):
        end = start + len(chunk.smiles)
        first, last = np.searchsorted(chosen, [start, end])
        drawn += [chunk.smiles[place - start] for place in chosen[first:last]]
        start = end
    return drawn


def _ending(path: Path) -> str:
    """Return the ending of a file's name in lower case, without .gz."""
    name = path.name.lower()
    return Path(name.removesuffix(".gz")).suffix


def _text(path: Path, raw: io.BufferedReader) -> io.TextIOWrapper:
    """Wrap an open file as text, unpacked if its name ends in .gz."""
    stream = gzip.GzipFile(fileobj=raw) if path.name.lower().endswith(".gz") else raw
    return io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace")


def _find_column(path: Path, column: str) -> int | None:
    """Return the place of the SMILES in the lines of a table, None for a file without header."""
    delimiter = _DELIMITERS.get(_ending(path))
    with open(path, "rb") as raw, _text(path, raw) as lines:
        try:
            header = lines.readline()
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"cannot unpack {str(path)!r}: {error}") from error
    if delimiter is None:
        return None
    if not header.strip():
        raise ValueError(f"no header line in {str(path)!r}: is the file empty?")
    names = [name.strip() for name in next(csv.reader([header], delimiter=delimiter))]
    matches = [i for i, name in enumerate(names) if name.lower() == column.lower()]
    if column in names:
        return names.index(column)
    if len(matches) != 1:
        found = "more than one" if matches else "no"
        msg = f"{found} column {column!r} in {str(path)!r}, it has {names}: name one of these"
        raise ValueError(msg)
    return matches[0]


def _field_of(place: int | None, delimiter: str) -> Callable[[str], str]:
    """Return the function that takes the SMILES out of a line."""

    def first_word(line: str) -> str:
        """Return what stands before the first blank."""
        words = line.split(None, 1)
        return words[0] if words else ""

    def field(line: str) -> str:
        """Return the field of the column."""
        # Line by line, so that an open quotation mark cannot swallow the molecules that follow.
        if '"' not in line:
            fields = line.split(delimiter)
        else:
            try:
                fields = next(csv.reader([line], delimiter=delimiter))
            except csv.Error:  # a field of more than 131,072 characters
                return line
        return fields[place].strip() if place < len(fields) else ""

    return first_word if place is None else field


def _read(files: list[Path], places: list[int | None], size: int) -> Iterator[Chunk]:
    """Yield the chunks of all files."""
    before = 0
    for path, place in zip(files, places, strict=True):
        with open(path, "rb") as raw:
            for chunk in _read_file(path, raw, place, size):
                yield chunk._replace(bytes_read=before + raw.tell())
        before += path.stat().st_size


def _read_file(path: Path, raw: io.BufferedReader, place: int | None, size: int) -> Iterator[Chunk]:
    """Yield the chunks of one open file."""
    field = _field_of(place, _DELIMITERS.get(_ending(path), ""))
    number, texts, damage = 1, [], ""
    with _text(path, raw) as lines:
        if place is not None:
            lines.readline()
            number = 2
        try:
            for line in lines:
                texts.append(field(line))
                if len(texts) == size:
                    yield Chunk(str(path), number, tuple(texts))
                    number, texts = number + size, []
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            damage = f"the file cannot be unpacked any further: {error}"
        if texts or damage:
            yield Chunk(str(path), number, tuple(texts), damage=damage)
