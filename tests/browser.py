"""A page in Chromium, for tests that click on it."""

import shutil
import subprocess

import pytest


def after(path, script, folder):
    """Text that a script gives after it ran at the end of a page.

    Args:
        path: The page.
        script: JavaScript of a function's body, which returns the text.
        folder: Folder for a copy of the page and the browser's profile.
    """
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if not browser:
        pytest.skip("no Chromium; Debian's package `chromium` has it")
    probe = (
        "<script>document.title = String((() => {" + script + "})());</script>"
        "</body>"
    )
    copy = folder / "page.html"
    copy.write_text(path.read_text().replace("</body>", probe))
    shown = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu",
         f"--user-data-dir={folder / 'profile'}", "--dump-dom", copy.as_uri()],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    return shown.stdout.split("<title>")[1].split("</title>")[0]
