"""A training run on disk: whole, unchanged and of the same run, or a clear error."""

import hashlib
import io
from pathlib import Path

import torch

from medml.files import atomic_write

DIGEST_BYTES = hashlib.sha256().digest_size


def save(path: str | Path, run: dict, state: dict) -> None:
    """Write the state of a run in one step: a reader finds the old file or the new one.

    Parameters
    ----------
    path : path
    run : dict
        What the run depends on, in plain values that can be compared and read.
    state : dict
        Tensors, numbers, text and lists or dicts of them, nothing else.
    """
    buffer = io.BytesIO()
    torch.save({"run": run, "state": state}, buffer)
    # PyTorch reads weights with a turned bit without complaint: the hash in front tells.
    with atomic_write(path) as file:
        file.write(hashlib.sha256(buffer.getbuffer()).digest())
        file.write(buffer.getbuffer())


def load(path: str | Path, run: dict) -> dict:
    """Read the state of a run, with its tensors on the CPU.

    Raises
    ------
    ValueError
        If the file is damaged, is no checkpoint, or belongs to another run: the message names
        each difference.
    """
    content = Path(path).read_bytes()
    payload = content[DIGEST_BYTES:]
    if hashlib.sha256(payload).digest() != content[:DIGEST_BYTES]:
        msg = f"{path} is damaged or no checkpoint of this module: delete it to start anew"
        raise ValueError(msg)
    stored = torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
    before = stored["run"]
    differences = [
        f"{name} was {before.get(name)!r}, is {run.get(name)!r}"
        for name in run | before
        if before.get(name) != run.get(name)
    ]
    if differences:
        msg = (
            f"{path} belongs to another run: {'; '.join(differences)}. "
            "Give the run what it had, name another file, or delete this one to start anew"
        )
        raise ValueError(msg)
    return stored["state"]
