"""The built book does in a browser what it promises to its readers."""

import html
import re
from urllib.parse import unquote, urldefrag, urljoin

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.book.built import PAGES, SITE, read

WITH_MATHS = [path for path in PAGES if 'class="math ' in read(path)]
NOTEBOOKS = [path for path in PAGES if path.startswith("notebooks/")]
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def unfold_all(page):
    """Open every solution and every quiz option."""
    folded = page.locator(".bd-article details")
    if folded.count():
        folded.evaluate_all("all => all.forEach(details => details.open = true)")
        page.wait_for_timeout(400)  # 300 ms later the theme looks which boxes now scroll


def barriers(page, **rules):
    """Return what axe-core finds that keeps somebody from reading: serious or critical."""
    # axe would fetch style sheets anew, from wrong addresses; its WCAG rules do not need them.
    options = {"resultTypes": ["violations"], "preload": False, **rules}
    return [
        f"{found['id']}: {node['html'][:120]} {[check['message'] for check in node['any']]}"
        for found in Axe().run(page, options=options).response["violations"]
        if found["impact"] in ("serious", "critical")
        for node in found["nodes"]
    ]


def test_the_front_door_leads_to_the_first_page(reader):
    """Without a problem, for somebody who comes for the first time."""
    reader.page.goto("index.html")
    reader.page.wait_for_url("**/book/index.html", wait_until="load")
    assert reader.problems == []


@pytest.fixture(scope="module", params=PAGES)
def page_by_day(request, reader_by_day):
    """Each page in turn, opened once for the tests that only look at it."""
    return reader_by_day.visit(request.param)


def test_a_page_loads_without_a_problem(reader_by_day, page_by_day):
    """Nothing is asked from elsewhere, nothing is missing, no script complains."""
    assert reader_by_day.problems == []


def test_no_barrier_by_day(page_by_day):
    """axe-core finds no serious or critical breach of WCAG 2 A and AA, all answers unfolded."""
    unfold_all(page_by_day)
    assert barriers(page_by_day, runOnly=WCAG) == []


@pytest.mark.parametrize("path", PAGES)
def test_every_link_inside_the_book_leads_somewhere(site, path):
    """The file is there, and so is the heading."""
    broken = set()
    for link in map(html.unescape, re.findall(r'(?:href|src)="([^"]+)"', read(path))):
        target, anchor = urldefrag(urljoin(site + path, link))
        if target.startswith(site):
            file = unquote(target.removeprefix(site).partition("?")[0])
            anchored = anchor and file.endswith(".html")
            if not (SITE / file).is_file() or (
                anchored and f'id="{unquote(anchor)}"' not in read(file)
            ):
                broken.add(link)
    assert broken == set()


def test_maths_renders(reader):
    """Every formula becomes a drawn one, without an error inside."""
    assert WITH_MATHS
    for path in WITH_MATHS:
        page = reader.visit(path)
        formulas = page.locator(".bd-article .math").count()
        assert page.locator(".bd-article .math > mjx-container").count() == formulas
        assert page.locator("mjx-merror").count() == 0


def test_the_book_opens_from_a_folder(reader):
    """Without a server, as after a download: maths and styles are there."""
    page = reader.visit((SITE / WITH_MATHS[0]).as_uri())
    assert page.locator("mjx-container").count() > 0
    assert page.locator(".navbar-brand img").first.bounding_box()["height"] < 100


@pytest.mark.parametrize("path", NOTEBOOKS)
def test_solutions_and_answers_unfold(reader, path):
    """A click shows the text, Enter folds it, Space shows it again."""
    page = reader.visit(path)
    folded = page.locator(".bd-article details").all()
    assert len(folded) > 3
    for details in folded:
        summary = details.locator("> summary")
        question = details.inner_text().strip()
        summary.click()
        answer = details.inner_text().strip()
        assert len(answer) > len(question) + 10, question
        summary.press("Enter")
        assert details.inner_text().strip() == question
        summary.press("Space")
        assert details.inner_text().strip() == answer


@pytest.mark.parametrize(
    ("word", "path"),
    [
        ("Hounsfield", "notebooks/01_data.html"),
        ("malignant", "notebooks/02_readers.html"),
        ("突破", "book/generated/verdicts.html"),
    ],
)
def test_search_finds_words_of_both_languages(reader, word, path):
    """As a reader does it: press the search button, type, press Enter, follow the result."""
    page = reader.visit("book/index.html")
    page.locator("button.search-button-field").click()
    page.keyboard.type(word)
    page.keyboard.press("Enter")
    result = page.locator(f"#search-results a[href*='{path}']").first
    result.wait_for()
    assert barriers(page, runOnly=WCAG) == []
    result.click()
    page.wait_for_url(f"**/{path}*")
    assert page.locator(".bd-article", has_text=word).count() == 1
    assert reader.problems == []


@pytest.mark.parametrize("path", PAGES)
def test_no_barrier_by_night(reader_by_night, path):
    """Text keeps its contrast in dark mode; figures stand on white, in their own colours."""
    page = reader_by_night.visit(path)
    assert page.locator("html").get_attribute("data-theme") == "dark"
    unfold_all(page)
    assert barriers(page, runOnly=["color-contrast"]) == []
    for figure in page.locator(".bd-article .cell_output img").all():
        style = "e => [getComputedStyle(e).backgroundColor, getComputedStyle(e).filter]"
        assert figure.evaluate(style) == ["rgb(255, 255, 255)", "none"]


@pytest.mark.parametrize("path", PAGES)
def test_figures_have_words(path):
    """An alternative text of at least five words, never the path of the file."""
    for image in re.findall(r"<img[^>]+_images/[^>]+>", read(path)):
        words = re.search(r'alt="([^"]*)"', image)
        assert words, image
        assert len(words[1].split()) >= 5, image


OVERFLOWING = """() => {
  const width = document.documentElement.clientWidth;
  const scrolls = e => e && (['auto', 'scroll'].includes(getComputedStyle(e).overflowX)
    || scrolls(e.parentElement));
  return [...document.querySelectorAll('.bd-main *, .bd-header *, footer *')]
    .filter(e => e.checkVisibility({visibilityProperty: true, opacityProperty: true}))
    .filter(e => e.getBoundingClientRect().right > width + 1 && !scrolls(e.parentElement))
    .filter(e => !e.closest('.bd-sidebar-secondary, mjx-assistive-mml'))
    .map(e => e.outerHTML.slice(0, 120));
}"""


@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_a_phone(reader_on_phone, path):
    """At 360 pixels nothing sticks out, and what scrolls can be reached by keyboard."""
    page = reader_on_phone.visit(path)
    unfold_all(page)
    assert barriers(page, runOnly=["scrollable-region-focusable"]) == []
    for colours in ("dark", "light"):
        page.emulate_media(color_scheme=colours)
        assert page.evaluate("document.scrollingElement.scrollWidth") <= 360
        assert page.evaluate(OVERFLOWING) == []
