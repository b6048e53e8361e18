"""Read `book/coverage.yml`: every item of the document, its place in the book and its verdict."""

from pathlib import Path

import yaml

from medml.course import guards

VERDICTS = ("holds", "holds only if", "does not hold here")


def load(root):
    """Return the items of the document, in its order."""
    return yaml.safe_load(Path(root, "book", "coverage.yml").read_text("utf-8"))


def number(path):
    """Return the number of a notebook, such as 1 of ``01_data.ipynb``."""
    return int(path.name[:2])


def problems(items, books):
    """Yield where the items and the notebooks that exist disagree.

    Parameters
    ----------
    items : list of dict
        The rows of coverage.yml.
    books : dict of int to notebook
        The executed notebooks by number.
    """
    for item in items:
        book = books.get(item.get("notebook"))
        if book is None:
            if planned_too_much := {"verdict", "claims", "anchor"} & item.keys():
                yield f"{item['id']}: has {sorted(planned_too_much)}, but no notebook yet"
            continue
        if item["anchor"] not in guards.headings(book, 2):
            yield f"{item['id']}: no heading {item['anchor']!r} in notebook {item['notebook']}"
        if missing := set(item.get("claims", [])) - guards.claims_in(book).keys():
            yield f"{item['id']}: claims {sorted(missing)} are not in notebook {item['notebook']}"
        judged = item.get("verdict") in VERDICTS and item.get("because") and item.get("claims")
        if item.get("claim") and not judged:
            yield f"{item['id']}: needs a verdict of {VERDICTS}, because and at least one claim"
