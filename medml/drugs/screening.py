"""Virtual screening: a library of any length is ranked by a model, in bounded memory.

The library is read in chunks. Each is parsed, turned into fingerprints and scored by a pure
function, and only the best hits are kept, so memory does not grow with the library.
"""

import hashlib
import itertools
import os
import tempfile
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import rdkit
from tqdm import tqdm

from medml.data.smiles import Chunk, library_files, read_chunks
from medml.drugs.hits import review
from medml.drugs.progress import Progress
from medml.drugs.ranking import Hit, Model, predict, score_chunk
from medml.drugs.similarity import tanimoto
from medml.drugs.workers import in_order, scorers

SAVE_EVERY = 20  # chunks
WAITING = 40  # chunks that may be done before an earlier one is, as while a worker starts
_SHOWN = 1000  # lines of the log that are returned
_END = 65_536  # bytes


class Screening(NamedTuple):
    """The result of a screen.

    Attributes
    ----------
    hits : pandas.DataFrame
        The best molecules, as `hits.review` describes them.
    molecules : int
        Lines that were scored.
    skipped : int
        Lines that could not be, for the reasons in `log`.
    log : pandas.DataFrame
        The first 1,000 skipped lines: `file`, `line`, `smiles` (its beginning) and `reason`. All
        of them are in `skipped.csv` of the folder.
    """

    hits: pd.DataFrame
    molecules: int
    skipped: int
    log: pd.DataFrame


def screen(
    library: str | os.PathLike | Iterable[str | os.PathLike],
    model: Model,
    top_k: int = 1000,
    *,
    folder: str | os.PathLike | None = None,
    training: np.ndarray | None = None,
    column: str = "smiles",
    processes: int = 2,
    client: Any = None,
    chunk: int = 2000,
    bits: int = 2048,
    radius: int = 2,
) -> Screening:
    """Rank a library of molecules by a model and return the best.

    The result does not depend on the number of processes, nor on interruptions: called again with
    the same folder, a screen that was killed goes on, and one that is finished answers at once.
    A script that uses several processes needs the usual ``if __name__ == "__main__":``.

    Parameters
    ----------
    library : path or iterable of paths
        See `medml.data.smiles`.
    model : Model
        Has ``predict(fingerprints)``, higher is better. Several processes need one that can be
        pickled and whose class stands in a module, not in a notebook.
    top_k : int
        Number of different molecules to keep.
    folder : path, optional
        Where checkpoint and log are kept, a folder for each screen. Without one a screen cannot
        go on after an interruption.
    training : numpy.ndarray of 0 and 1, shape (n, bits), optional
        Fingerprints that the model learned from, at least two: hits are then marked as inside or
        outside.
    column : str
        Name of the column of SMILES in a table.
    processes : int
        Processes that work, this one included.
    client : dask.distributed.Client, optional
        Work on its cluster instead.
    chunk : int
        Lines scored at once: memory grows with it, by about 25 MB a worker for 2,000.
    bits, radius : int
        The fingerprints that the model learned from, as in `molecules.fingerprints`.

    Returns
    -------
    Screening

    Raises
    ------
    ValueError
        Before anything is read: a setting out of its range, a table without the column, a model
        for other fingerprints, a folder with another screen. Later: scores that are not finite.
        What the model itself raises gets a note of the lines.
    OSError
        If a file is missing or the disk is full; the checkpoint stays.
    RuntimeError
        If a worker process died; the checkpoint stays.

    Warns
    -----
    UserWarning
        If a file could not be read to its end.
    """
    top_k, chunk, bits = _whole("top_k", top_k), _whole("chunk", chunk), _whole("bits", bits)
    radius = _whole("radius", radius, 0)
    files = library_files(library)
    chunks = read_chunks(files, chunk, column)
    _check_model(model, bits)
    _check_training(training, bits)
    how = {"bits": bits, "radius": radius}
    job = {"library": [_mark(path) for path in files], "column": column, "chunk": chunk, **how}
    job |= {"top_k": top_k, "rdkit": rdkit.__version__}
    with tempfile.TemporaryDirectory() as temporary:
        progress = Progress(folder or temporary, job, top_k)
        _check_scores(progress.hits, model, how)
        if not progress.finished:
            total = sum(path.stat().st_size for path in files)
            _run(progress, chunks, total, model, how, processes, client)
        texts = dict.fromkeys(["file", "smiles", "reason"], str)  # "007" is no number
        log = pd.read_csv(progress.log, nrows=_SHOWN, keep_default_na=False, dtype=texts)
        hits = review(progress.hits, training, bits, radius)
    return Screening(hits, progress.molecules, progress.skipped, log)


def _run(progress, chunks, total, model, how, processes, client) -> None:
    """Score the chunks that are left."""
    workers = processes if client is None else sum(client.nthreads().values())
    window = WAITING + 3 * workers
    with (
        scorers(model, processes, client) as submit,
        tqdm(total=total, unit="B", unit_scale=True) as bar,
    ):

        def ask(chunk: Chunk):
            return submit(chunk, floor=progress.floor, **how)

        left = itertools.islice(chunks, progress.chunks, None)
        for chunk, scored in in_order(left, ask, window):
            progress.add(scored)
            if chunk.damage:
                warnings.warn(f"{chunk.file}: {chunk.damage}", stacklevel=3)
            if progress.chunks % SAVE_EVERY == 0:
                progress.save()
            bar.update(chunk.bytes_read - bar.n)
            bar.set_postfix_str(f"{progress.molecules:,} molecules, {progress.skipped:,} skipped")
    progress.finished = True
    progress.save()


def _whole(name: str, value: float, least: int = 1) -> int:
    """Return a setting as an int: JSON and rdkit take no whole number of NumPy."""
    if not (least <= value < np.inf and value == int(value)):
        raise ValueError(f"expected a whole {name} of at least {least}, got {value}")
    return int(value)


def _check_model(model: Model, bits: int) -> None:
    """Raise a ValueError if the model does not score fingerprints of this size."""
    probe = np.zeros((2, bits), np.uint8)
    probe[1, ::2] = 1
    try:
        predict(model, probe)
    except Exception as error:
        msg = (
            f"the model does not score fingerprints of {bits} bits ({error}): pass the bits= that "
            "it learned from, or mend its predict"
        )
        raise ValueError(msg) from error


def _check_training(training: np.ndarray | None, bits: int) -> None:
    """Raise a ValueError now for what `hits.review` would refuse when all is scored."""
    if training is None:
        return
    if training.ndim != 2 or len(training) < 2 or training.shape[1] != bits:
        msg = f"training fingerprints of shape {training.shape}, expected at least 2 of {bits} bits"
        raise ValueError(msg)
    tanimoto(training[:1], training)


def _check_scores(hits: list[Hit], model: Model, how: dict[str, int]) -> None:
    """Raise a ValueError if a model scores earlier hits otherwise: it is not the same model."""
    some = hits[:50]
    stored = Chunk("checkpoint", 0, tuple(hit.smiles for hit in some))
    again = score_chunk(stored, model, **how).hits
    scores = [hit.score for hit in sorted(again, key=lambda hit: hit.line)]
    if not np.allclose(scores, [hit.score for hit in some], rtol=1e-4):
        raise ValueError("the folder holds the screen of another model: give this one its own")


def _mark(path: Path) -> list:
    """Return name, size and a hash of both ends of a file: a whole hash takes too long."""
    size = path.stat().st_size
    with open(path, "rb") as file:
        start = file.read(_END)
        file.seek(max(0, size - _END))
        ends = hashlib.sha256(start + file.read(_END)).hexdigest()[:16]
    return [str(path), size, ends]
