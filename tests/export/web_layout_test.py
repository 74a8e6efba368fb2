"""The page on a phone, in light and dark, and by keyboard alone.

Its model is `constant_network`, so that no network is trained or exported.
"""

import io
import re

import numpy as np
import pytest
from PIL import Image

from integral_tf.export import web
from integral_tf.records import synthetic
from tests.export import constant_network
from tests.export import pages

PHONE = {"width": 360, "height": 740}
# In the order of the page: what a user acts on.
CONTROLS = [
    "choose", "camera", "add", "whole", "split", "save-picture", "save-joints",
    "ellipses", "joint", "least", "choose-files", "remove",
]  # fmt: skip

# Of each visible element: its edges in the document, and whether its content is
# wider than the element.
EDGES = """
  [...document.body.querySelectorAll("*")]
    .filter((each) => each.checkVisibility())
    .map((each) => {
      const { left, right } = each.getBoundingClientRect();
      const hides = getComputedStyle(each).overflowX !== "visible";
      const isCut = hides && each.scrollWidth > each.clientWidth;
      return [each.id || each.outerHTML.slice(0, 60), left, right, isCut];
    })
"""

# Of each element with a text of its own: the text, its colour and opacity, and
# the grounds from it to the document. Of what is disabled nothing is asked
# (WCAG 2.2, success criterion 1.4.3).
COLOURS = """
  [...document.body.querySelectorAll("*")]
    .filter((each) => each.checkVisibility() && !each.closest(":disabled"))
    .map((each) => {
      const own = [...each.childNodes].filter(({ nodeType }) => nodeType === 3);
      const text = own.map(({ data }) => data.trim()).join("");
      const grounds = [];
      for (let at = each; at; at = at.parentElement) {
        grounds.push(getComputedStyle(at).backgroundColor);
      }
      return [text, getComputedStyle(each).color, grounds];
    })
    .filter(([text]) => text)
"""


# Keeps what the page says while it loads.
SAID = """
  window.said = [];
  new MutationObserver(() => {
    const status = document.getElementById("status")?.textContent;
    if (status && status !== window.said.at(-1)) window.said.push(status);
  }).observe(document, { childList: true, subtree: true });
"""


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    path = tmp_path_factory.mktemp("photo") / "photo.png"
    Image.fromarray(synthetic.person(0, 5).image).save(path)
    return path


@pytest.fixture(scope="module")
def opened(chromium, tmp_path_factory, photo):
    """The page with a picture, a box, two models, their people and an error."""
    out = tmp_path_factory.mktemp("layout")
    joints = np.random.default_rng(0).uniform(10, 54, (16, 2))
    scores = [{"on": "487 people, drawn", "figures": {"PCKh@0.5": 73.2}}]
    card = {"licence": "Apache-2.0", "notice": "Not for people.", "model": "m"}
    folder = constant_network.write(out, joints, scores=scores, **card)
    web.copy_page(folder)
    with pages.Server(folder) as server:
        page = pages.Page(chromium, server.url, SAID, viewport=PHONE)
        page.show(photo)
        names = ("model.onnx", "card.json", "skeleton.json")
        page.change(lambda: page.give(*[folder / name for name in names]))
        page.change(lambda: page.page.click("#add"))
        for summary in page.page.locator("summary").all():
            summary.click()
        yield page
        assert page.errors == []


def test_progress_is_said_while_the_page_loads(opened):
    said = opened.page.evaluate("window.said")
    shares = [int(each.split()[-2]) for each in said if each.endswith("%")]
    assert len(shares) > 1 and shares == sorted(shares)
    assert "Starting the engine" in said
    assert not opened.page.is_visible("#progress")


def say_what_is_wrong(page, path):
    """Gives a file that is no picture, whose name has no place to break."""
    path = path / ("x" * 100 + ".jpg")
    path.write_bytes(b"no picture")
    page.give(path)
    page.wait("no picture", "error")


# The narrowest width of WCAG 2.2 (criterion 1.4.10), a phone's, a desktop's.
@pytest.mark.parametrize("width", [320, 360, 1280])
def test_nothing_is_cut_or_wider_than_the_window(opened, tmp_path, width):
    opened.page.set_viewport_size({**PHONE, "width": width})
    say_what_is_wrong(opened, tmp_path)
    across = "document.documentElement.scrollWidth"
    assert opened.page.evaluate(across) <= width
    rows = opened.page.evaluate(EDGES)
    assert len(rows) > 100
    wrong = [
        row for row in rows if row[1] < 0 or row[2] > width + 0.5 or row[3]
    ]
    assert not wrong
    # The slider's number is beside the slider.
    slider, number = [
        opened.page.locator(f"#{name}").bounding_box()
        for name in ("least", "least-shown")
    ]
    middle = number["y"] + number["height"] / 2
    assert slider["y"] <= middle <= slider["y"] + slider["height"]


def test_a_finger_reaches_every_control(opened):
    opened.page.set_viewport_size(PHONE)
    for name in CONTROLS:
        control = opened.page.locator(f"#{name}")
        control.scroll_into_view_if_needed()
        box = control.bounding_box()
        at = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]
        hit = opened.page.evaluate(
            "([x, y]) => document.elementFromPoint(x, y).id", at
        )
        assert hit == name
        if name != "ellipses":
            assert control.evaluate("each => each.offsetHeight") >= 16, name


def rgb(colour):
    """`(4,)` red, green, blue and opacity in 0..1 of a computed colour."""
    numbers = re.findall(r"[\d.]+", colour)
    red, green, blue, *alpha = [float(each) for each in numbers]
    return np.array([red / 255, green / 255, blue / 255, *(alpha or [1.0])])


def over(front, back):
    """A colour over an opaque one."""
    mixed = front[3] * front[:3] + (1 - front[3]) * back[:3]
    return np.append(mixed, 1.0)


def contrast(first, second):
    """WCAG 2.2's contrast ratio of two opaque colours."""
    luminances = []
    for colour in (first[:3], second[:3]):
        linear = np.where(
            colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4
        )
        luminances.append(linear @ [0.2126, 0.7152, 0.0722])
    low, high = sorted(luminances)
    return (high + 0.05) / (low + 0.05)


def test_the_contrast_of_two_colours():
    black, grey, white = (
        rgb("rgb(0, 0, 0)"),
        rgb("rgb(119, 119, 119)"),
        np.ones(4),
    )
    assert contrast(black, white) == pytest.approx(21)
    # The lightest grey that fails on white, by WCAG's own examples.
    assert 4.4 < contrast(grey, white) < 4.5
    assert over(rgb("rgb(0 0 0 / 0.5)"), white).tolist() == [0.5, 0.5, 0.5, 1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_read_in_light_and_dark(opened, tmp_path, scheme):
    opened.page.emulate_media(color_scheme=scheme)
    say_what_is_wrong(opened, tmp_path)
    rows = opened.page.evaluate(COLOURS)
    assert len(rows) > 100
    for text, colour, grounds in rows:
        # Over the picture a ground may be clear; black and white count.
        canvas = np.ones(4) if scheme == "light" else rgb("rgb(0, 0, 0)")
        for ground in reversed(grounds):
            canvas = over(rgb(ground), canvas)
        ratio = contrast(over(rgb(colour), canvas), canvas)
        assert ratio >= 4.5, (text, colour, grounds)
    ground = rgb(grounds[-2])  # of the body
    assert (ground[:3].mean() > 0.5) == (scheme == "light")
    shown = Image.open(io.BytesIO(opened.page.screenshot())).convert("RGB")
    assert shown.getpixel((2, 2)) == tuple((255 * ground[:3]).round())


def test_the_page_works_by_keyboard_alone(opened, photo):
    page, press = opened.page, opened.page.keyboard.press
    # Asked for early: a key is faster than Playwright's listening for choosers.
    page.on("filechooser", lambda _: None)
    page.locator("h1").click()  # Tab begins behind it
    reached = []
    for _ in range(len(CONTROLS) + 4):
        press("Tab")
        name, outline = page.evaluate(
            "(each => [each.id || each.className || each.localName,"
            " getComputedStyle(each).outlineStyle])(document.activeElement)"
        )
        reached.append(name)
        assert outline == "solid", f"nobody sees that {name} has the keyboard"
    # The box and its button lie on the picture, the people in the list.
    boxed = [*CONTROLS[:4], "box", "button", *CONTROLS[4:]]
    assert reached == [*boxed[:-2], "summary", "summary", *boxed[-2:]]

    page.locator("#choose").focus()
    with page.expect_file_chooser() as chooser:
        press("Enter")
    opened.change(lambda: chooser.value.set_files(photo))
    page.locator("#ellipses").focus()
    press("Space")
    assert page.is_checked("#ellipses")
    for name in ("least", "split"):
        before = page.input_value(f"#{name}")
        page.locator(f"#{name}").focus()
        press("ArrowRight")
        assert float(page.input_value(f"#{name}")) > float(before)
    assert opened.text("least-shown") == "0.05"
    page.locator("#joint").focus()
    opened.change(lambda: press("ArrowDown"))
    assert page.input_value("#joint") == "0"
    for name, ending in (("save-picture", "png"), ("save-joints", "json")):
        page.locator(f"#{name}").focus()
        with page.expect_download() as download:
            press("Enter")
        assert download.value.suggested_filename.endswith(ending)
        if ending == "png":
            with Image.open(download.value.path()) as saved:
                # As the photograph is.
                assert saved.size == (235, 187)
    with page.expect_file_chooser():
        page.locator("#choose-files").focus()
        press("Enter")
    page.locator("#remove").focus()
    press("Enter")
    page.wait_for_selector("#split", state="hidden")
