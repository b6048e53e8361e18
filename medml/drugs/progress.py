"""How far a screen has come, kept on disk so that it can go on after any interruption."""

import contextlib
import csv
import errno
import io
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from medml.drugs.ranking import Hit, Scored, Skipped, merge
from medml.files import atomic_write

_FULL = (errno.ENOSPC, errno.EDQUOT)


class Progress:
    """What was found in the chunks so far, and the log of the lines that were skipped.

    The folder holds `checkpoint.json`, which is replaced in one step, and `skipped.csv`, which
    only grows. The checkpoint knows how long the log was: what came after is cut off when the
    screen goes on, and found again.

    Parameters
    ----------
    folder : path
        Of this screen alone; made if it is not there.
    job : dict
        All that the result depends on, as JSON can hold it.
    top_k : int
        Number of hits to keep.

    Attributes
    ----------
    chunks, molecules, skipped : int
        Chunks that are done, lines scored and lines skipped.
    hits : list of Hit
        The best so far.
    finished : bool
        Whether nothing is left to do.
    log : pathlib.Path

    Raises
    ------
    ValueError
        If the folder holds the checkpoint of another job, or files that do not fit each other.
    OSError
        If the folder cannot be written. What was saved before stays as it was.
    """

    def __init__(self, folder: str | os.PathLike, job: dict[str, Any], top_k: int):
        self._checkpoint = Path(folder) / "checkpoint.json"
        self.log = Path(folder) / "skipped.csv"
        self._job, self._top_k = job, top_k
        self.hits: list[Hit] = []
        self.chunks = self.molecules = self.skipped = self._log_bytes = 0
        self.finished = False
        if self._checkpoint.is_file():
            self._load()
            return
        with self._disk():
            self.log.parent.mkdir(parents=True, exist_ok=True)
            self.log.write_bytes(b"")  # of a screen that was killed before its first checkpoint
            self._write([Skipped._fields])

    @property
    def floor(self) -> float:
        """The score below which a molecule is no hit any more."""
        return self.hits[-1].score if len(self.hits) == self._top_k else -np.inf

    def add(self, part: Scored) -> None:
        """Take in the result of the next chunk."""
        self.hits = merge([Scored(self.hits, [], 0), part], self._top_k).hits
        self.chunks += 1
        self.molecules += part.molecules
        self.skipped += len(part.skipped)
        if part.skipped:
            with self._disk():
                self._write(part.skipped)

    def save(self) -> None:
        """Write the checkpoint."""
        state = {
            "job": self._job,
            "chunks": self.chunks,
            "molecules": self.molecules,
            "skipped": self.skipped,
            "log_bytes": self._log_bytes,
            "finished": self.finished,
            "hits": self.hits,
        }
        with self._disk(), atomic_write(self._checkpoint) as file:
            file.write(json.dumps(state).encode())

    def _load(self) -> None:
        """Go on from the checkpoint."""
        try:
            state = json.loads(self._checkpoint.read_bytes())
            job, hits, self._log_bytes = (state.pop(key) for key in ("job", "hits", "log_bytes"))
            changed = [name for name in self._job if job.get(name) != self._job[name]]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            msg = f"{self._checkpoint} is no checkpoint: delete the folder, begin again"
            raise ValueError(msg) from error
        if changed:
            name = changed[0]
            msg = (
                f"{self._checkpoint.parent} holds another screen, whose {name} was "
                f"{job.get(name)} and not {self._job[name]}: give this one a folder of its own"
            )
            raise ValueError(msg)
        self.hits = [Hit(*hit) for hit in hits]
        for name, value in state.items():
            setattr(self, name, value)
        if not self.log.is_file() or self.log.stat().st_size < self._log_bytes:
            msg = f"{self.log} is shorter than its checkpoint says: delete the folder, begin again"
            raise ValueError(msg)
        with self._disk():
            os.truncate(self.log, self._log_bytes)

    def _write(self, rows: Iterable[tuple]) -> None:
        """Append rows to the log."""
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows(rows)
        data = text.getvalue().encode()
        with open(self.log, "ab") as file:
            file.write(data)
        self._log_bytes += len(data)

    @contextlib.contextmanager
    def _disk(self) -> Iterator[None]:
        """Say what to do about a full disk or a folder that cannot be written."""
        try:
            yield
        except OSError as error:
            cure = "name a folder that can be written"
            if error.errno in _FULL:
                cure = (
                    "free some space and call again with the same folder, then the screen goes on "
                    "from its checkpoint"
                )
            msg = f"cannot write to {self.log.parent} ({error.strerror or error}): {cure}"
            raise OSError(error.errno, msg) from error
