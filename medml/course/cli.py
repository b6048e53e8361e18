"""Commands of the book: `python -m medml book …`.

The modules that do the work are imported when a command needs them, so that the command line
answers at once.
"""

from pathlib import Path

from medml import MedmlError

ROOT = Path(__file__).parents[2]


def add_commands(groups):
    """Add the group ``book`` to the command line of `medml`."""
    group = groups.add_parser("book", help="pages, notebooks and the student edition")
    commands = group.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("pages", help="write the computed pages to book/generated/")
    command.set_defaults(run=_pages)
    command = commands.add_parser("run", help="run notebooks and store their outputs")
    command.add_argument("number", nargs="*", help="such as 01; all if none is given")
    command.set_defaults(run=_run)
    command = commands.add_parser("student", help="write dist/student/, run and search it")
    command.set_defaults(run=_student)


def _pages(_):
    from medml.course import pages

    pages.write_pages(ROOT)


def _run(options):
    from medml.course import notebook

    paths = notebook.notebooks(ROOT)
    if unknown := sorted(set(options.number) - {path.name[:2] for path in paths}):
        raise MedmlError(f"no notebook has the number {unknown}; give two digits, such as 01")
    for path in paths:
        if not options.number or path.name[:2] in options.number:
            used = notebook.run(path)
            print(f"{path.name}: {used.cpu_s:.0f} CPU-seconds, {used.memory_mb:.0f} MB")


def _student(_):
    from medml.course import student

    target = ROOT / "dist" / "student"
    student.build(ROOT, target)
    print(f"{target.relative_to(ROOT)}: run top to bottom, no answer found in it")
