"""A small catalogue of invented data sets, a wheel that carries one, and a mirror on loopback."""

import functools
import hashlib
import http.server
import threading
import zipfile
from types import SimpleNamespace

import pytest

from medml.data import catalogue, install
from medml.data.datasheet import DataFile, Dataset

CONTENT = b"patient,hr\n1,72\n"


def invent(name, origin, carrier, path, content=CONTENT):
    """Return the datasheet of an invented data set of one file."""
    file = DataFile(path, f"sha256:{hashlib.sha256(content).hexdigest()}")
    words = dict.fromkeys(("title", "kind", "contents", "units", "collected"), "invented")
    return Dataset(
        name=name,
        **words,
        traps=("it is invented",),
        licence="MIT",
        citation="nobody",
        origin=origin,
        carrier=carrier,
        size="16 B",
        files=(file,),
    )


@pytest.fixture
def make_dataset():
    """The function that invents a data set."""
    return invent


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty data folder."""
    folder = tmp_path / "home"
    monkeypatch.setenv("MEDML_DATA", str(folder))
    return folder


@pytest.fixture
def toys(home, monkeypatch):
    """A catalogue of one wheel data set, `toy`, and one to be fetched, `far`."""
    sets = {
        "toy": invent("toy", "wheel", "toy 1.0", "toy/table.csv"),
        "far": invent("far", "url", "http://127.0.0.1:9/files", "far/far.csv"),
    }
    monkeypatch.setattr(catalogue, "_catalogue", lambda: sets)
    return sets


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """A wheel that carries the file of `toy`, and the requirements that name it; pip stays here."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    path = shelf / "toy-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("toy/__init__.py", "raise RuntimeError('a carrier must not be imported')")
        archive.writestr("toy/table.csv", CONTENT)
        archive.writestr(
            "toy-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n"
        )
        archive.writestr("toy-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("toy-1.0.dist-info/RECORD", "")
    requirements = tmp_path / "data.txt"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    requirements.write_text(f"toy==1.0 --hash=sha256:{digest}\n", encoding="utf-8")
    monkeypatch.setattr(install, "REQUIREMENTS", requirements)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    return SimpleNamespace(path=path, requirements=requirements)


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """A classroom mirror on loopback that serves a folder; returns the folder."""
    folder = tmp_path / "mirror"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            """Say nothing."""

    handler = functools.partial(Handler, directory=folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("MEDML_MIRROR", f"http://127.0.0.1:{server.server_port}/")
    yield folder
    server.shutdown()
    server.server_close()
