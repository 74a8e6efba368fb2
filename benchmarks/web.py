r"""The page of `integral-tf export --formats=web`, timed in Chromium.

    integral-tf export --formats=web --out=models
    python benchmarks/web.py --page=models/web/1

Prints a Markdown table: the sizes of the folder's parts; the time from opening
the page to its being ready, and to the first pose; and, by WASM with one thread
and with as many as there are cores, people a second in boxes (crop, network and
drawing) and the camera's frames a second. Needs Playwright and Chromium.

MediaPipe's page is not run, because its models are not to be had by pip or npm.
"""

import json
import pathlib
import re
import statistics
import sys
import tempfile
import time

from absl import app
from absl import flags
from PIL import Image

from integral_tf.records import synthetic

ROOT = pathlib.Path(__file__).parents[1]
_PAGE = flags.DEFINE_string("page", None, "Folder to time.", required=True)
_REPEATS = flags.DEFINE_integer("repeats", 5, "Times of opening.", 1)
_SECONDS = flags.DEFINE_integer("seconds", 10, "Seconds of the camera.", 1)


def sizes(folder):
    """Dict from a part of the page to its megabytes."""
    card = json.loads((folder / "card.json").read_text())
    parts = {"engine, both builds": 0, "page": 0, "model": 0}
    for name, size in card["files"].items():
        part = "page"
        if name.startswith("engine/"):
            part = "engine, both builds"
        elif name == "model.onnx":
            part = "model"
        parts[part] += size / 1e6
    wasm = card["files"]["engine/ort-wasm-simd-threaded.wasm"]
    return {"engine by WASM, which is loaded": wasm / 1e6, **parts}


def measure(pages, playwright, film, photo, isolated):
    """Dict of figures, by one kind of server."""
    ready, first = [], []
    with pages.Server(_PAGE.value, isolated=isolated) as server:
        for _ in range(_REPEATS.value):
            chromium = pages.browser(playwright, *pages.camera(film))
            begun = time.perf_counter()
            page = pages.Page(chromium, server.url)
            ready.append(time.perf_counter() - begun)
            page.show(photo)
            first.append(time.perf_counter() - begun)
            if len(ready) < _REPEATS.value:
                chromium.close()
        warm = []
        for _ in range(10):
            said = page.change(lambda: page.page.click("#whole"))
            warm.append(before("ms", said))
        page.page.click("#camera")
        rates, end = [], time.perf_counter() + _SECONDS.value
        page.wait("frames a second")
        while time.perf_counter() < end:
            said = page.wait("frames a second")
            rates.append(before("frames a second", said))
            time.sleep(0.2)
        engine = page.text("card").split("Runs by")[1].split("\n")[1].strip()
        chromium.close()
    return {
        "runs by": engine,
        "page ready, s": statistics.median(ready),
        "first pose, s": statistics.median(first),
        "whole picture in two passes, ms": statistics.median(warm),
        "camera, frames a second": statistics.median(rates),
    }


def before(unit, said):
    """The number before a unit in what the page says."""
    return float(re.search(rf"([\d.]+) {unit}", said)[1])


def main(argv):
    if len(argv) > 1:
        raise app.UsageError(f"Received: {argv[1:]}")
    sys.path.insert(0, str(ROOT))
    from playwright import sync_api

    from tests.export import pages

    for part, size in sizes(pathlib.Path(_PAGE.value)).items():
        print(f"| {part} | {size:.2f} MB |")
    with tempfile.TemporaryDirectory() as folder:
        photo = pathlib.Path(folder, "photo.jpg")
        image = Image.fromarray(synthetic.person(0, 3).image)
        image.resize((640, 480)).save(photo, quality=95)
        film = pathlib.Path(folder, "film.mjpeg")
        film.write_bytes(30 * photo.read_bytes())
        with sync_api.sync_playwright() as playwright:
            for isolated in (False, True):
                found = measure(pages, playwright, film, photo, isolated)
                for name, value in found.items():
                    text = value if isinstance(value, str) else f"{value:.3g}"
                    print(f"| {name} | {text} |")


if __name__ == "__main__":
    app.run(main)
