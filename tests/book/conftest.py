"""A browser, the built book on a server of this machine, and nothing else to be reached."""

import functools
import http.server
import shutil
import threading

import pytest
from playwright.sync_api import Error, sync_playwright

from tests.book.built import SITE

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

# All but the server of `site` is asked through a proxy that is not there, so nothing else answers.
NOWHERE = {"server": "http://127.0.0.1:9", "bypass": "127.0.0.1"}


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serve files without a line in the log."""

    def log_message(self, *arguments):
        """Say nothing."""


class QuietServer(http.server.ThreadingHTTPServer):
    """A server that does not mind a browser that leaves early."""

    def handle_error(self, *arguments):
        """Say nothing: a file that did not arrive is a problem of its page."""


@pytest.fixture(scope="session")
def site():
    """The address of the built book on a loopback server."""
    if not (SITE / "index.html").exists():
        pytest.fail("there is no book in _build/html: run `make book`", pytrace=False)
    handler = functools.partial(QuietHandler, directory=SITE)
    with QuietServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="session")
def browser():
    """An installed Chrome or Chromium, else Playwright's own; headless, without sandbox."""
    installed = next(filter(None, map(shutil.which, NAMES)), None)
    ways = [{"executable_path": installed}] if installed else []
    with sync_playwright() as playwright:
        for way in (*ways, {"channel": "chrome"}, {}):
            try:
                found = playwright.chromium.launch(args=["--disable-gpu"], proxy=NOWHERE, **way)
            except Error:
                continue
            yield found
            found.close()
            return
    pytest.fail(
        "no browser starts: install Chrome or Chromium, "
        "or run `python -m playwright install chromium`",
        pytrace=False,
    )


class Reader:
    """Somebody who reads page after page in one window, and notes what goes wrong on each."""

    def __init__(self, browser, site, width=1280, colours="light"):
        self.page = browser.new_page(
            base_url=site, viewport={"width": width, "height": 800}, color_scheme=colours
        )
        self.page.set_default_timeout(15_000)
        self.site, self.problems = site, []
        self.page.on("request", self._request)
        self.page.on("response", self._response)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.problems.append(f"script: {error}"))

    def visit(self, path):
        """Open a page and wait until its maths is drawn."""
        self.problems.clear()
        self.page.goto(path)
        self.page.evaluate(
            "async () => { await window.MathJax?.startup?.promise; await document.fonts.ready; }"
        )
        return self.page

    def _request(self, request):
        if not request.url.startswith((self.site, "file:", "data:", "blob:")):
            self.problems.append(f"asks for {request.url}")

    def _response(self, response):
        if response.status >= 400 and not is_favicon(response.url):
            self.problems.append(f"{response.status} for {response.url}")

    def _console(self, message):
        if message.type == "error" and not is_favicon(message.location["url"]):
            self.problems.append(f"console: {message.text}")


def is_favicon(url):
    """Say whether a browser asks for this address by itself, at a page that names no icon."""
    return url.endswith("/favicon.ico")


@pytest.fixture
def reader(browser, site):
    """Somebody who has never been here."""
    reader = Reader(browser, site)
    yield reader
    reader.page.close()


@pytest.fixture(scope="session")
def reader_by_day(browser, site):
    """Somebody at a wide screen."""
    return Reader(browser, site)


@pytest.fixture(scope="session")
def reader_by_night(browser, site):
    """Somebody whose system asks for dark mode."""
    return Reader(browser, site, colours="dark")


@pytest.fixture(scope="session")
def reader_on_phone(browser, site):
    """Somebody at a narrow screen."""
    return Reader(browser, site, width=360)
