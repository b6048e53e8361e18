"""Screens of small libraries: interrupted, killed, on one process or two, the same result."""

import errno
import gzip
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures.process import BrokenProcessPool

import numpy as np
import pandas as pd
import pytest

from medml.data.compounds import library_paths
from medml.data.smiles import Chunk, read_chunks, sample_smiles
from medml.drugs import progress, screening
from medml.drugs.molecules import fingerprints
from medml.drugs.screening import screen
from medml.drugs.workers import in_order

BAD = {7: "C1CC", 50: "", 51: "C" * 10_000, 120: "[Na+].[Cl-]", 399: "not a molecule"}


class Weights:
    """A linear model; `slow` seconds a chunk."""

    def __init__(self, bits=2048, seed=0, slow=0.0):
        self.weights, self.slow = np.random.default_rng(seed).normal(size=bits), slow

    def predict(self, bits):
        time.sleep(self.slow)
        return bits @ self.weights


@pytest.fixture(scope="module")
def texts():
    """400 lines: ZINC molecules with the bad ones among them."""
    lines = sample_smiles(library_paths()[1], 400, seed=0)
    for place, text in BAD.items():
        lines[place] = text
    return lines


@pytest.fixture
def library(tmp_path, texts):
    """The lines as two files, a packed table and a list."""
    table, words = tmp_path / "a.csv.gz", tmp_path / "b.smi"
    table.write_bytes(
        gzip.compress("\n".join(["id,smiles", *("x," + t for t in texts[:250])]).encode())
    )
    words.write_text("\n".join(texts[250:]))
    return [table, words]


def run(library, folder=None, model=None, top_k=20, **how):
    """Screen in this process, in chunks of 15 lines, unless told otherwise."""
    how = {"processes": 1, "chunk": 15, **how}
    return screen(library, model or Weights(), top_k, folder=folder, **how)


def same(left, right):
    """Assert that two screens found the same."""
    pd.testing.assert_frame_equal(left.hits, right.hits)
    pd.testing.assert_frame_equal(left.log, right.log)
    assert (left.molecules, left.skipped) == (right.molecules, right.skipped)


def test_the_hits_are_the_best_of_the_library_by_hand(library, texts):
    """One matrix product over all that can be parsed; the bad lines are in the log."""
    good = [i for i in range(400) if i not in BAD]
    scores = Weights().predict(fingerprints([texts[i] for i in good]))
    best = [good[i] for i in np.argsort(-scores)[:20]]
    result = run(library)
    assert result.hits.smiles.tolist() == [texts[i] for i in best]
    lines = [(str(library[0]), i + 2) if i < 250 else (str(library[1]), i - 249) for i in best]
    assert list(zip(result.hits.file, result.hits.line, strict=True)) == lines
    assert (result.molecules, result.skipped) == (395, 5)
    assert result.log.line.tolist() == [9, 52, 53, 122, 150]
    assert result.log.smiles.tolist()[3:] == ["[Na+].[Cl-]", "not"]


def test_training_molecules_mark_what_lies_in_the_domain(library):
    """A model taught by the first seven hits knows these; of the others it knows some."""
    taught = run(library).hits.smiles[:7]
    hits = run(library, top_k=60, training=fingerprints(taught)).hits
    assert hits.smiles[:7].tolist() == taught.tolist()
    assert hits.in_domain[:7].all()
    assert (hits.similarity[:7] == 1).all()
    assert not hits.in_domain[7:].all()


def test_neither_chunks_nor_processes_change_the_result(library):
    """One chunk, many, and two worker processes."""
    expected = run(library)
    same(run(library, chunk=1000), expected)
    same(run(library, chunk=1), expected)
    from sklearn.linear_model import Ridge  # a class that worker processes can import

    model = Ridge().fit(np.eye(50, 2048), np.arange(50.0))
    same(run(library, model=model, processes=2), run(library, model=model))


@pytest.mark.parametrize("stop", [1, 20, 21, 27])
def test_an_interrupted_screen_goes_on_to_the_identical_result(library, tmp_path, stop):
    """The model fails in one of 27 chunks, before or after a checkpoint (every 20)."""

    class Failing(Weights):
        calls = 0

        def predict(self, bits):
            self.calls += 1
            if self.calls == stop + 1:  # the first call only tries the model
                raise KeyboardInterrupt
            return super().predict(bits)

    with pytest.raises(KeyboardInterrupt):
        run(library, tmp_path / "run", Failing())
    counting = Weights()
    asked = []
    counting.predict = lambda bits: asked.append(len(bits)) or bits @ counting.weights
    same(run(library, tmp_path / "run", counting), run(library))
    if stop > 20:
        assert len(asked) < 10


def test_a_screen_killed_without_warning_goes_on_to_the_identical_result(library, tmp_path):
    """kill -9 of a process with two workers; none of them is left behind."""
    folder, script = tmp_path / "run", tmp_path / "script.py"
    names = [str(path) for path in library]
    script.write_text(
        "import time, numpy as np\n"
        "from medml.drugs.screening import screen\n"
        "class Weights:\n"
        "    weights = np.random.default_rng(0).normal(size=2048)\n"
        "    def predict(self, bits):\n"
        "        time.sleep(0.1)\n"
        "        return bits @ self.weights\n"
        "if __name__ == '__main__':\n"
        f"    screen({names}, Weights(), 20, folder={str(folder)!r}, chunk=10)\n"
    )
    process = subprocess.Popen([sys.executable, script], start_new_session=True)
    limit = time.monotonic() + 60
    while not (folder / "checkpoint.json").exists() and time.monotonic() < limit:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert '"finished": false' in (folder / "checkpoint.json").read_text()
    same(run(library, folder, chunk=10), run(library))
    while group_lives(process.pid) and time.monotonic() < limit:
        time.sleep(0.05)
    assert not group_lives(process.pid)


def group_lives(group):
    """Tell whether a process group has a member that is no zombie."""
    states = subprocess.run(["ps", "-eo", "pgid=,stat="], capture_output=True, text=True).stdout
    return any(
        line.split()[0] == str(group) and "Z" not in line.split()[1] for line in states.splitlines()
    )


def test_a_finished_screen_answers_without_reading_again(library, tmp_path):
    """Its model is asked for the stored hits only."""
    expected = run(library, tmp_path / "run")
    asked = []
    model = Weights()
    model.predict = lambda bits: asked.append(len(bits)) or bits @ model.weights
    same(run(library, tmp_path / "run", model), expected)
    assert asked == [2, 20]


def test_a_folder_of_another_screen_is_refused(library, tmp_path):
    """Another number of hits, library, model, or a log that was cut by hand."""
    run(library, tmp_path / "run")
    with pytest.raises(ValueError, match="another screen, whose top_k was 20 and not 21"):
        run(library, tmp_path / "run", top_k=21)
    with pytest.raises(ValueError, match="the screen of another model"):
        run(library, tmp_path / "run", Weights(seed=1))
    (tmp_path / "run" / "skipped.csv").write_text("")
    with pytest.raises(ValueError, match=r"skipped\.csv is shorter than its checkpoint says"):
        run(library, tmp_path / "run")
    (tmp_path / "half").mkdir()
    for text in ('{"job": ', "[]", "{}", '{"job": null}'):
        (tmp_path / "half" / "checkpoint.json").write_text(text)
        with pytest.raises(ValueError, match=r"checkpoint\.json is no checkpoint: delete the fold"):
            run(library, tmp_path / "half")
    with pytest.raises(OSError, match="name a folder that can be written"):
        run(library, library[1])
    library[1].write_text("C\n")
    with pytest.raises(ValueError, match="another screen, whose library was"):
        run(library, tmp_path / "run")


@pytest.mark.parametrize("where", ["checkpoint", "log"])
def test_a_full_disk_stops_with_advice_and_the_screen_goes_on_later(
    library, tmp_path, monkeypatch, where
):
    """The fourth line of the log, or the second checkpoint, does not fit any more."""
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    name = "atomic_write" if where == "checkpoint" else "open"
    original = progress.atomic_write if where == "checkpoint" else open
    calls = []

    def fill(*arguments):
        calls.append(arguments)
        if len(calls) == (2 if where == "checkpoint" else 4):
            raise full
        return original(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(progress, name, fill, raising=False)
        with pytest.raises(
            OSError, match=r"No space left .* free some space and call again"
        ) as told:
            run(library, tmp_path / "run")
        assert told.value.errno == errno.ENOSPC
    same(run(library, tmp_path / "run"), run(library))


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
def test_a_disk_that_is_full_from_the_start_is_told_at_once(library, tmp_path):
    """Writing to /dev/full fails as on a full disk."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "skipped.csv").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device"):
        run(library, tmp_path / "run")


def test_a_truncated_gz_is_screened_as_far_as_it_goes_with_a_warning(library, texts):
    """The second file follows; the log has a line for the damage."""
    library[0].write_bytes(library[0].read_bytes()[:-200])
    with pytest.warns(UserWarning, match=r"a\.csv\.gz: the file cannot be unpacked any further"):
        result = run(library)
    assert 145 < result.molecules < 395
    assert "cannot be unpacked" in result.log.reason.str.cat()
    assert {str(library[1])} <= set(run(library[1]).hits.file)


def test_a_model_for_other_fingerprints_is_refused_before_anything_is_read(library, tmp_path):
    """And so are training molecules, and settings out of range."""
    with pytest.raises(ValueError, match=r"does not score fingerprints of 2048 bits .* pass"):
        run(library, tmp_path / "run", Weights(bits=1024))
    assert not (tmp_path / "run").exists()
    assert run(library, model=Weights(bits=1024), bits=1024).molecules == 395
    for shape in ((3, 1024), (1, 2048), (2048,)):
        with pytest.raises(ValueError, match=f"of shape {re.escape(str(shape))}, expected at le"):
            run(library, tmp_path / "run", training=np.zeros(shape, np.uint8))
    with pytest.raises(ValueError, match="expected fingerprints of 0 and 1"):
        run(library, tmp_path / "run", training=np.full((3, 2048), 7))
    assert not (tmp_path / "run").exists()
    for wrong in (0, 5.5, np.inf, np.nan):
        with pytest.raises(ValueError, match=f"a whole top_k of at least 1, got {wrong}"):
            run(library, top_k=wrong)
    for setting, wrong in (("chunk", 2.5), ("bits", -8), ("radius", -1)):
        with pytest.raises(ValueError, match=f"a whole {setting} of .* got {wrong}"):
            run(library, **{setting: wrong})
    with pytest.raises(ValueError, match="at least 1 process, got 0"):
        run(library, processes=0)
    with pytest.raises(ValueError, match="no column 'structure'"):
        run(library, column="structure")


def test_whole_numbers_of_numpy_are_settings_too(library, tmp_path):
    """They fit neither JSON nor rdkit as they are."""
    how = {"top_k": 20, "chunk": 15, "bits": 2048, "radius": 2}
    numbers = {name: np.int64(value) for name, value in how.items()}
    same(run(library, tmp_path / "run", **numbers), run(library, tmp_path / "run", **how))


def test_the_log_keeps_numbers_as_they_were_written(tmp_path):
    """As where the column of identifiers was named by mistake."""
    path = tmp_path / "a.csv"
    path.write_text("id,smiles\n007,C\n12,N\n")
    assert run(path, column="id").log.smiles.tolist() == ["007", "12"]


def test_a_library_without_a_single_molecule_gives_no_hits(tmp_path):
    """Empty, or nothing but refused lines."""
    path = tmp_path / "a.smi"
    path.write_text("")
    assert (run(path).molecules, len(run(path).hits)) == (0, 0)
    path.write_text("nonsense\n" * 3)
    result = run(path, training=fingerprints(["CCO", "CCC"]))
    assert (result.molecules, result.skipped, len(result.hits)) == (0, 3, 0)


def test_a_log_longer_than_a_thousand_lines_is_on_disk_and_its_beginning_returned(tmp_path):
    """Memory stays bounded when a whole file is nonsense."""
    path = tmp_path / "a.smi"
    path.write_text("C\n" + '"x,\n' * 1200)
    result = run(path, tmp_path / "run", chunk=100)
    assert (result.skipped, len(result.log)) == (1200, screening._SHOWN)
    log = pd.read_csv(tmp_path / "run" / "skipped.csv")
    assert log.line.tolist() == list(range(2, 1202))
    assert set(log.smiles) == {'"x,'}


def test_no_more_chunks_than_the_window_are_under_way():
    """The reader waits for the slow worker; results come in order, whenever they are done."""
    begun, done = [], []

    class Future:
        def __init__(self, number):
            self.number = number
            begun.append(number)
            assert len(begun) - len(done) <= 4

        def done(self):
            return self.number in (0, 7, 8)

        def result(self):
            done.append(self.number)
            return self.number

    chunks = (Chunk("a", n, ()) for n in range(20))
    found = list(in_order(chunks, lambda chunk: Future(chunk.line), window=4))
    assert [result for _, result in found] == list(range(20))


def test_a_pool_that_takes_no_more_chunks_is_told_with_the_lines_too():
    """A worker may die between two chunks; the next one is then refused at once."""

    def refuse(chunk):
        raise BrokenProcessPool

    with pytest.raises(RuntimeError, match=r"died near lines 5-6 of a, .* with fewer processes"):
        list(in_order([Chunk("a", 5, ("C", "N"))], refuse, window=4))


def test_a_worker_that_dies_is_told_with_the_lines_it_had(library, tmp_path):
    """As when the system kills it for want of memory; the checkpoint stays."""
    script = tmp_path / "script.py"
    names = [str(path) for path in library]
    script.write_text(
        "import multiprocessing, os, numpy as np\n"
        "from medml.drugs.screening import screen\n"
        "class Deadly:\n"
        "    def predict(self, bits):\n"
        "        if multiprocessing.parent_process():\n"
        "            os._exit(9)\n"
        "        return bits @ np.ones(2048)\n"
        "if __name__ == '__main__':\n"
        f"    screen({names}, Deadly(), 20, chunk=15)\n"
    )
    answer = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60)
    assert answer.returncode == 1
    assert f"a worker process died near lines 2-16 of {names[0]}" in answer.stderr


def test_a_class_of_a_notebook_is_refused_before_the_workers_die_of_it(library):
    """A program without a file, as a notebook is; with one process it does. Parts count too."""
    program = (
        "from medml.drugs.screening import screen\n"
        "class Mine:\n"
        "    def predict(self, bits):\n"
        "        return bits.sum(axis=1)\n"
        f"library = {[str(path) for path in library]}\n"
        "print(screen(library, Mine(), 5, processes=1).molecules)\n"
        "from sklearn.linear_model import Ridge\n"
        "part = Ridge().fit([[0] * 2048, [1] * 2048], [0, 1])\n"
        "part.mine = Mine()\n"
        "for model in (Mine(), part):\n"
        "    try:\n"
        "        screen(library, model, 5)\n"
        "    except ValueError as error:\n"
        "        print(error)\n"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    molecules, whole, part = answer.stdout.splitlines()
    assert molecules == "395"
    assert "cannot see Mine, or a part of it, a class of this notebook: put it into" in whole
    assert "cannot see Ridge, or a part of it" in part


def test_a_model_that_cannot_be_pickled_is_refused_with_several_processes(library):
    """A function without a name, for one."""
    model = Weights()
    model.predict = lambda bits: bits @ model.weights
    with pytest.raises(ValueError, match=r"Weights cannot be sent to other .* pass processes=1"):
        run(library, model=model, processes=2)


def test_a_checkpoint_outlives_a_move_of_the_folder(library, tmp_path):
    """Nothing in it names the folder."""
    expected = run(library, tmp_path / "run")
    shutil.move(tmp_path / "run", tmp_path / "elsewhere")
    same(run(library, tmp_path / "elsewhere"), expected)
    assert sum(1 for _ in read_chunks(library, 15)) == 27
