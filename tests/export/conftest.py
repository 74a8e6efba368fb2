"""What several files here need: a run to export, and Chromium."""

import pytest

from tests.export import cases
from tests.export import pages


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    return cases.write_run(tmp_path_factory.mktemp("export"))


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """The file that the browser's camera shows; a test writes it."""
    return tmp_path_factory.mktemp("film") / "people.mjpeg"


# Not of the session: while Playwright runs, this thread has an event loop.
@pytest.fixture(scope="module")
def chromium(film):
    """The browser, whose camera is a film."""
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        launched = pages.browser(playwright, *pages.camera(film))
        yield launched
        launched.close()
