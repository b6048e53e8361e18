"""Write files in one step: first a temporary file beside the target, then a rename."""

import hashlib
import os
import tempfile
from pathlib import Path


def write_bytes(path, content):
    """Write bytes so that the file is either the old one or the new one, never a part.

    Raises
    ------
    OSError
        If the folder cannot be written or the disk is full; no temporary file is left.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def write_text(path, text):
    """Write text as UTF-8 with Unix line ends, in one step (see `write_bytes`)."""
    write_bytes(path, text.encode())


def sha256(path):
    """Return the SHA-256 of a file as hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
