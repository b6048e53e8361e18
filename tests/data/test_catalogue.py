"""The catalogue names every data set fully, finds its files and refuses damaged ones."""

import errno
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from medml.data import catalogue
from medml.data.catalogue import DataError, atomic_write, data_dir, dataset, locate, names, state
from medml.data.install import REQUIREMENTS

CONTENT = b"patient,hr\n1,72\n"
HERE = [name for name in names() if dataset(name).origin != "url"]


@pytest.mark.parametrize("name", names())
def test_every_datasheet_is_complete(name):
    """No heading of a datasheet is empty, and it is shown with all its traps and files."""
    data = dataset(name)
    empty = [field.name for field in fields(data) if not getattr(data, field.name)]
    assert empty == (["carrier_licence"] if data.origin == "url" else [])
    assert not any(mark in text for _, text in data.rows() for mark in "|\n")  # one table row each
    for text in (str(data), data._repr_markdown_()):
        assert all(part in text for part in (data.title, *data.traps, data.licence))
        assert all(file.path in text for file in data.files)


@pytest.mark.parametrize("name", HERE)
def test_every_installed_file_is_intact_and_of_the_stated_size(name):
    """Each file has its checksum, and the size in the catalogue is the sum of the files."""
    data = dataset(name)
    size = sum(locate(name, file.name).stat().st_size for file in data.files)
    number, unit = data.size.split()
    assert float(number) == pytest.approx(size / {"kB": 1e3, "MB": 1e6}[unit], rel=0.12)
    assert state(name) == "ready"


def test_every_wheel_of_the_catalogue_stands_in_the_requirements():
    """The version of each carrier is the one that data.txt pins."""
    pins = {
        line.split()[0] for line in REQUIREMENTS.read_text("utf-8").splitlines() if "==" in line
    }
    carriers = {dataset(name).carrier for name in names() if dataset(name).origin == "wheel"}
    assert {carrier.replace(" ", "==") for carrier in carriers} == pins


def test_an_unknown_name_is_answered_with_the_closest_and_all_accepted_ones():
    """A mistyped data set is one clear error."""
    with pytest.raises(DataError, match=r"'suport2', expected one of support2, lidc,.*'support2'"):
        dataset("suport2")


def test_an_unknown_file_is_answered_with_the_accepted_ones():
    """A file that the data set does not have is one clear error."""
    with pytest.raises(
        DataError, match=r"no file 'a.csv', expected one of NCI60data.npy, NCI60labs"
    ):
        locate("nci60", "a.csv")


def test_a_missing_file_is_named_with_the_command_that_brings_it(home, toys):
    """An empty data folder leads to the install command, or to fetch for an optional set."""
    with pytest.raises(
        DataError, match=r"toy/table.csv .* missing: run  python -m medml data inst"
    ):
        locate("toy", "table.csv")
    with pytest.raises(DataError, match="missing: run  python -m medml data fetch far"):
        locate("far", "far.csv")
    assert (state("toy"), state("far")) == ("missing", "optional")


def test_a_flipped_byte_is_found_and_a_mended_file_accepted(home, toys):
    """A file is verified before its first use, and again when it has changed."""
    path = home / "toy" / "table.csv"
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    assert locate("toy", "table.csv") == path
    path.write_bytes(CONTENT[:-2] + b"3\n")
    with pytest.raises(DataError, match="damaged: run  python -m medml data install"):
        locate("toy", "table.csv")
    assert state("toy") == "damaged"
    path.write_bytes(CONTENT)
    assert locate("toy", "table.csv") == path


def test_a_file_is_hashed_once_in_a_process(home, toys, monkeypatch):
    """The second use of a large file costs nothing."""
    path = home / "toy" / "table.csv"
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    locate("toy", "table.csv")
    monkeypatch.setattr(catalogue.DataFile, "is_intact", None)
    assert locate("toy", "table.csv") == path


@pytest.mark.parametrize(
    ("origin", "carrier", "path", "cure"),
    [
        ("package", "pydicom 3.0.2", "pydicom/gone.dcm", "pip install .* pydicom==3.0.2"),
        ("package", "nowhere 1", "no_such_package/a.csv", "pip install .* nowhere==1"),
        ("medml", "medml", "medml/data/gone.fasta", "git checkout -- medml/data/gone.fasta"),
    ],
)
def test_a_file_missing_from_a_package_is_mended_by_its_own_command(
    toys, make_dataset, origin, carrier, path, cure
):
    """An ordinary dependency is reinstalled, a file of the project checked out again."""
    toys["odd"] = make_dataset("odd", origin, carrier, path)
    with pytest.raises(DataError, match=f"missing: run  .*{cure}"):
        locate("odd", Path(path).name)


def test_the_data_folder_never_depends_on_the_current_directory(monkeypatch, tmp_path):
    """MEDML_DATA comes first and must be absolute; a checkout keeps its data in .data."""
    monkeypatch.delenv("MEDML_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    assert data_dir() == Path(catalogue.__file__).parents[2] / ".data"
    monkeypatch.setattr(catalogue, "_CHECKOUT", tmp_path)
    assert data_dir().is_absolute()
    assert tmp_path not in data_dir().parents
    monkeypatch.setenv("MEDML_DATA", str(tmp_path / "chosen"))
    assert data_dir() == tmp_path / "chosen"
    monkeypatch.setenv("MEDML_DATA", "data")
    with pytest.raises(DataError, match="MEDML_DATA must be an absolute path, not 'data'"):
        data_dir()


def test_an_atomic_write_replaces_the_file_only_at_its_end(tmp_path):
    """A reader sees the old content or the new one, never a part."""
    path = tmp_path / "cache" / "result.npy"
    with atomic_write(path) as file:
        file.write(b"old")
    with atomic_write(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]


def test_an_interrupted_write_leaves_the_old_file_and_no_partial_one(tmp_path):
    """An error inside the block, a stop by the user included, changes nothing."""
    path = tmp_path / "result.npy"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), atomic_write(path) as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_one_error_without_a_partial_file(tmp_path, monkeypatch):
    """No space left: the message says what to do, and nothing is left behind."""

    def full(source, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(catalogue.os, "replace", full)
    with pytest.raises(DataError, match=r"No space left.*free some space there, or set MEDML_DATA"):
        with atomic_write(tmp_path / "result.npy") as file:
            file.write(b"new")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of file size")
def test_a_write_that_the_system_cuts_off_leaves_no_partial_file(tmp_path):
    """The operating system itself refuses the bytes: the same one error."""
    code = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from medml.data.catalogue import DataError, atomic_write\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n"
        "    with atomic_write(Path(sys.argv[1])) as file:\n"
        "        file.write(bytes(5000))\n"
        "except DataError as error:\n"
        "    print(error)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "result.npy")]
    root = Path(catalogue.__file__).parents[2]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root)
    assert "cannot write" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_one_error(tmp_path):
    """A folder below a regular file cannot exist, not even for the system's administrator."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError, match=r"cannot write .*set MEDML_DATA to a folder"):
        with atomic_write(tmp_path / "file" / "folder" / "result.npy") as file:
            file.write(b"new")
