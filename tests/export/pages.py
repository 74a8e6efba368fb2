"""An exported page in Debian's Chromium, driven by Playwright."""

import functools
import http.server
import json
import pathlib
import shutil
import threading
import time

import pytest

# Debian's, or the one that machines of continuous integration have.
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
_SECONDS = 60  # of waiting, on a machine with other work
COCO = pathlib.Path("shared/data/coco/val2017")


class Server:
    """Serves a folder as any static server would.

    Args:
        folder: Folder to serve.
        isolated: Send the two headers with which WASM has threads.

    Attributes:
        url: Address of the folder.
        asked: Paths that were asked for.
    """

    def __init__(self, folder, isolated=False):
        self.asked = asked = []

        class handler(_Isolated if isolated else _Handler):
            def do_GET(self):
                asked.append(self.path)
                super().do_GET()

        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(handler, directory=folder)
        )
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class _Handler(http.server.SimpleHTTPRequestHandler):
    extensions_map = {
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def log_message(self, *_):
        pass


class _Isolated(_Handler):
    def end_headers(self):
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()


def photographs(count=3):
    """Photographs of COCO in `shared/` of the checkout or above it."""
    for above in pathlib.Path(__file__).parents[2:]:
        if (above / COCO).is_dir():
            return sorted((above / COCO).glob("*.jpg"))[:count]
    return []


def browser(playwright, *arguments):
    """Starts Chromium, which finds no other host than this one."""
    if BROWSER is None:
        pytest.skip("no Chromium; Debian's package `chromium` has it")
    offline = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    return playwright.chromium.launch(
        executable_path=BROWSER, args=["--no-sandbox", offline, *arguments]
    )


def camera(film):
    """Arguments with which the browser's camera shows a film."""
    return (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    )


class Page:
    """The page, opened and loaded.

    Args:
        chromium: A browser of Playwright's.
        url: The page's address.
        script: JavaScript that runs before the page's.
        **settings: Of the browser's context, such as `viewport`.

    Attributes:
        page: Playwright's page.
        requests: Addresses that the page asked for.
        errors: Texts of errors that the page did not catch.
    """

    def __init__(self, chromium, url, script="", **settings):
        self.page = chromium.new_page(**settings)
        self.page.add_init_script(script)
        self.requests, self.errors = [], []
        self.page.on("request", lambda each: self.requests.append(each.url))
        self.page.on("pageerror", lambda each: self.errors.append(str(each)))
        self.page.goto(url)
        self.wait("Ready")

    def text(self, name):
        return self.page.inner_text(f"#{name}")

    def wait(self, want, name="status"):
        """Waits until an element's text has a part; returns the text."""
        end = time.monotonic() + _SECONDS
        while time.monotonic() < end:
            text = self.text(name)
            if want in text:
                return text
            wrong = self.text("error")
            assert name == "error" or not wrong, wrong
            time.sleep(0.05)
        raise AssertionError(f"{want!r} is not in {self.text(name)!r}")

    def until(self, true):
        """Waits until an expression of JavaScript is true."""
        # Playwright's own waiting is against the page's policy.
        end = time.monotonic() + _SECONDS
        while not self.page.evaluate(true):
            assert time.monotonic() < end, true
            time.sleep(0.05)

    def give(self, *paths, field="files"):
        """Gives the page files, as its buttons do."""
        self.page.evaluate(
            "for (const id of ['status', 'error'])"
            " document.getElementById(id).textContent = ''"
        )
        self.page.set_input_files(f"#{field}", [str(path) for path in paths])

    def show(self, path):
        """Gives a photograph, and waits for the poses."""
        self.give(path, field="photo")
        return self.wait(" ms.")

    def change(self, action):
        """Does something, and waits for the next poses."""
        self.page.evaluate("document.getElementById('status').textContent = ''")
        action()
        return self.wait(" ms.")

    def joints(self):
        """The rows that the page saves."""
        with self.page.expect_download() as download:
            self.page.click("#save-joints")
        return json.loads(pathlib.Path(download.value.path()).read_text())
