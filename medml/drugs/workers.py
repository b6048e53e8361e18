"""Who scores the chunks: this process, a pool of processes, or a Dask cluster."""

import contextlib
import multiprocessing
import os
import pickle
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from medml.data.smiles import Chunk
from medml.drugs.ranking import Model, Scored, score_chunk

# Takes a chunk and the settings of `score_chunk`, answers at once with a future.
Submit = Callable[..., Any]


@contextlib.contextmanager
def scorers(model: Model, processes: int = 1, client: Any = None) -> Iterator[Submit]:
    """Open a pool that scores chunks with one model, which is sent to each worker once.

    This process works too, whenever the others have enough to do. It need not wait for them to
    start, which takes seconds where they must import PyTorch.

    Parameters
    ----------
    model : Model
    processes : int
        Processes that work, this one included, each on one thread.
    client : dask.distributed.Client, optional
        Then the workers of its cluster do it, `processes` is not looked at, and what a lost
        worker had is done again by another.

    Yields
    ------
    callable
        ``submit(chunk, **settings)`` gives a future of ``score_chunk(chunk, model, **settings)``.

    Raises
    ------
    ValueError
        If there are no processes, or several and the model cannot be sent to them: a class of it
        stands in a notebook, or it cannot be pickled.
    """
    if processes < 1:
        raise ValueError(f"expected at least 1 process, got {processes}")
    if client is not None:
        sent = client.scatter(model, broadcast=True)
        yield lambda chunk, **how: client.submit(score_chunk, chunk, sent, pure=False, **how)
        return
    if processes > 1:
        _check_sending(model)
    # New processes, not forks: a fork of a process with threads can stand still for ever.
    start = multiprocessing.get_context("spawn")
    others = processes - 1
    pool = ProcessPoolExecutor(others, start, _receive, (model,)) if others else None
    sent: list[Future] = []

    def submit(chunk: Chunk, **how) -> Future:
        sent[:] = [future for future in sent if not future.done()]
        if len(sent) == 3 * others:
            return _done(score_chunk(chunk, model, **how))
        sent.append(pool.submit(_score, chunk, how))
        return sent[-1]

    try:
        with threadpool_limits(1):
            yield submit
    finally:
        if pool:
            pool.shutdown(cancel_futures=True)


def _check_sending(model: Model) -> None:
    """Raise a ValueError if a model cannot be rebuilt in new processes: they would die."""
    name = type(model).__name__
    try:
        sent = pickle.dumps(model)
    except Exception as error:
        msg = f"{name} cannot be sent to other processes ({error}): mend it or pass processes=1"
        raise ValueError(msg) from error
    script = getattr(sys.modules["__main__"], "__file__", "")
    if b"__main__" in sent and not Path(script).is_file():  # the model's class or that of a part
        msg = (
            f"other processes cannot see {name}, or a part of it, a class of this notebook: put "
            "it into a module and import it, or pass processes=1"
        )
        raise ValueError(msg)


def in_order(
    chunks: Iterable[Chunk], submit: Callable[[Chunk], Any], window: int
) -> Iterator[tuple[Chunk, Scored]]:
    """Yield each chunk with its result, in order, with at most `window` of them under way.

    Without a window a fast reader would fill the memory with chunks that wait for a slow worker.

    Raises
    ------
    RuntimeError
        If a worker process died.
    """
    waiting = deque()
    for chunk in chunks:
        with _death_told(chunk):
            waiting.append((chunk, submit(chunk)))
        while waiting and (waiting[0][1].done() or len(waiting) == window):
            yield _next(waiting)
    while waiting:
        yield _next(waiting)


def _next(waiting: deque) -> tuple[Chunk, Scored]:
    """Wait for the oldest chunk."""
    chunk, future = waiting.popleft()
    with _death_told(chunk):
        return chunk, future.result()


@contextlib.contextmanager
def _death_told(chunk: Chunk) -> Iterator[None]:
    """Say what to do when a worker process has died."""
    try:
        yield
    except BrokenProcessPool as error:
        last = chunk.line + len(chunk.smiles) - 1
        msg = (
            f"a worker process died near lines {chunk.line}-{last} of {chunk.file}, for want of "
            "memory or because it cannot import the model (its own message stands above): call "
            "again with the same folder, with fewer processes"
        )
        raise RuntimeError(msg) from error


def _done(result: Scored) -> Future:
    """Return a future that has its result already."""
    future = Future()
    future.set_result(result)
    return future


_model: Model | None = None  # in a worker process: what it was sent


def _receive(model: Model) -> None:
    """Keep the model and use one thread, since there is a process for each core."""
    global _model  # noqa: PLW0603  a worker has no other place for it
    _model = model
    threadpool_limits(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this worker when the process that started it was killed, or it would wait for ever."""
    multiprocessing.parent_process().join()
    os._exit(1)


def _score(chunk: Chunk, how: dict[str, Any]) -> Scored:
    """Score a chunk in a worker process."""
    return score_chunk(chunk, _model, **how)
