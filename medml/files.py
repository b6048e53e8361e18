"""Files that are either whole or not there."""

import contextlib
import hashlib
import os
import uuid
from pathlib import Path


@contextlib.contextmanager
def atomic_write(path):
    """Open a binary file that appears at `path` only when it was written to its end.

    A reader finds the old file or the new one, never a part, and nothing is left of a write that
    failed.

    Raises
    ------
    OSError
        If the disk is full or the folder cannot be written.

    Examples
    --------
    >>> with atomic_write("squares.txt") as file:  # doctest: +SKIP
    ...     file.write(b"1 4 9")
    """
    path = Path(path)
    # In the same folder, because a rename is atomic only within one file system.
    partial = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(partial, "xb") as file:
            yield file
        os.replace(partial, path)
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def write_text(path, text):
    """Write text as UTF-8 with Unix line ends, in one step (see `atomic_write`).

    A file that holds the text already is left alone, so that nothing is rebuilt because of it.
    """
    path = Path(path)
    if path.is_file() and path.read_bytes() == text.encode():
        return
    with atomic_write(path) as file:
        file.write(text.encode())


def sha256(path):
    """Return the SHA-256 of a file as hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
