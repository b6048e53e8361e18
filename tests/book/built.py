"""Where the built book lies and which pages it has."""

from pathlib import Path

SITE = Path(__file__).parents[2] / "_build" / "html"


def read(path):
    """Return the HTML of a page, given by its path in the book."""
    file = SITE / path
    return file.read_text("utf-8") if file.exists() else ""


# Redirects and templates have no main part. Without a book every test still runs once, and the
# fixture `site` says what is wrong.
PAGES = sorted(
    path
    for file in SITE.rglob("*.html")
    if "<main" in read(path := file.relative_to(SITE).as_posix())
) or ["index.html"]
