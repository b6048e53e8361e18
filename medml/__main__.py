"""The command line: `python -m medml GROUP COMMAND`."""

import argparse
import sys

from medml import MedmlError
from medml.course.cli import add_commands as add_book_commands
from medml.data.cli import add_commands as add_data_commands


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit status: 0, or 1 with one line that says what to do."""
    # A pipe on Windows may know neither β nor µ; a question mark is better than a traceback.
    sys.stdout.reconfigure(errors="replace")
    sys.stderr.reconfigure(errors="replace")
    parser = argparse.ArgumentParser(prog="python -m medml", description="The course's commands.")
    groups = parser.add_subparsers(required=True, metavar="GROUP")
    add_data_commands(groups)
    add_book_commands(groups)
    args = parser.parse_args(argv)
    try:
        return args.run(args) or 0
    except MedmlError as error:
        print(f"medml: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
