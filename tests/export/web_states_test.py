"""The page in use: what comes late, twice, in the middle, or is refused.

Its models are `constant_network`s; nothing is trained or exported.
"""

import base64
import functools
import io

import numpy as np
import onnx
import pytest
from PIL import Image

from integral_tf.export import web
from tests.detection import graphs
from tests.export import constant_network
from tests.export import pages

SIZE = (420, 300)

# While `hold()` lasts, the worker is asked nothing, and a picture whose name
# begins with "late" is not decoded. Cameras that were given are remembered.
# A model is dropped before the page has loaded its own.
SCRIPT = """
  let held = Promise.resolve();
  window.hold = () => {
    held = new Promise((go) => (window.release = go));
  };
  window.Worker = class extends Worker {
    postMessage(...given) {
      held.then(() => super.postMessage(...given));
    }
  };
  const decode = window.createImageBitmap;
  window.createImageBitmap = async (source, ...options) => {
    if (source.name?.startsWith("late")) await held;
    return decode(source, ...options);
  };
  window.cameras = [];
  const media = navigator.mediaDevices;
  const camera = media?.getUserMedia.bind(media);
  if (media) media.getUserMedia = async (asked) => {
    const stream = await camera(asked);
    window.cameras.push(...stream.getTracks());
    return stream;
  };
  addEventListener("DOMContentLoaded", () => {
    const bytes = Uint8Array.from(atob("%s"), (c) => c.charCodeAt(0));
    const files = new DataTransfer();
    files.items.add(new File([bytes], "early.onnx"));
    window.before = document.getElementById("status").textContent;
    document.dispatchEvent(new DragEvent("drop", { dataTransfer: files }));
  });
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A page, whose model's joints lie in the middle third of each crop."""
    out = tmp_path_factory.mktemp("states") / "page"
    joints = np.random.default_rng(0).uniform(22, 42, (16, 2))
    constant_network.write(out, joints)
    web.copy_page(out)
    return out


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    return picture(tmp_path_factory.mktemp("photo") / "photo.png")


@pytest.fixture(scope="module")
def opened(chromium, folder, photo, film):
    """The page with two models: the second was given while it loaded."""
    jpeg = io.BytesIO()
    Image.open(photo).save(jpeg, "JPEG")
    film.write_bytes(10 * jpeg.getvalue())
    early = base64.b64encode((folder / "model.onnx").read_bytes()).decode()
    with pages.Server(folder) as server:
        page = pages.Page(chromium, server.url, SCRIPT % early)
        yield page
        assert page.errors == []


def picture(path, size=SIZE):
    """Writes a plain picture, in which no detector here sees anybody."""
    Image.new("RGB", size, (90, 120, 90)).save(path)
    return path


def settled(page):
    """Waits until the page has estimated, whatever it says is wrong."""
    page.until("document.getElementById('status').textContent.includes(' ms.')")


def boxes(page):
    """x, y, width, height of the boxes, as they are said."""
    labels = page.page.locator(".box").evaluate_all(
        "all => all.map(each => each.ariaLabel)"
    )
    said = [each.split("height ")[1].split(". ")[0] for each in labels]
    return [[int(number) for number in each.split(", ")] for each in said]


def test_a_page_opened_as_a_file_says_how_to_serve_it(chromium, folder):
    page = chromium.new_page()
    page.goto((folder / "index.html").as_uri())
    assert "python -m http.server" in page.inner_text("#status")
    page.close()


def test_a_model_given_while_the_page_loads_is_the_second(opened):
    assert opened.page.evaluate("window.before") == "Loading the model"
    opened.page.wait_for_selector("#split", state="visible")
    assert "early.onnx" in opened.text("right-name")
    assert "I1" in opened.text("left-name")


def five_joints(path):
    """A pose network with five joints: the starter's names do not fit."""
    joints = np.full((5, 2), 20.0)
    return constant_network.write(path, joints) / "model.onnx"


def of_bytes(path):
    """A detector that is fed with uint8."""
    model = onnx.load(graphs.mmdeploy(path, [[0, 0, 9, 9]] * 2, [0, 0]))
    (image,) = model.graph.input
    cast = onnx.helper.make_node("Cast", ["bytes"], [image.name], to=1)
    model.graph.node.insert(0, cast)
    image.name = "bytes"
    image.type.tensor_type.elem_type = onnx.TensorProto.UINT8
    onnx.save(model, path)
    return path


@pytest.mark.parametrize(
    "make, name, sentence",
    [
        (five_joints, "five", "A model with other joints needs its skeleton"),
        (of_bytes, "bytes.onnx", "feeds detectors with float32 pictures"),
    ],
)
def test_what_is_refused_takes_no_place(
    opened, photo, tmp_path, make, name, sentence
):
    opened.give(make(tmp_path / name))
    opened.wait(sentence, "error")
    opened.show(photo)
    assert opened.page.is_visible("#split")
    assert not opened.page.is_visible("#detect")
    assert opened.text("people").count("Person 1") == 2


def test_nothing_is_saved_while_people_are_awaited(opened, photo):
    opened.show(photo)
    opened.page.evaluate("hold()")
    opened.give(photo)
    opened.wait("Estimating")
    for name in ("save-picture", "save-joints"):
        assert opened.page.is_disabled(f"#{name}")
    assert opened.text("people") == "None yet."
    opened.page.evaluate("release()")
    settled(opened)
    assert opened.page.is_enabled("#save-joints")


@pytest.mark.parametrize("content", ["a picture", "nothing of use"])
def test_an_older_photograph_never_wins(opened, photo, tmp_path, content):
    late = picture(tmp_path / "late.png", (60, 60))
    if content != "a picture":
        late.write_bytes(b"no picture")
    opened.page.evaluate("hold()")
    opened.give(late)
    opened.wait("Reading late.png")
    opened.give(photo)
    opened.page.evaluate("release(); new Promise((go) => setTimeout(go, 100))")
    settled(opened)
    assert opened.text("error") == ""
    assert opened.joints()[0]["file_name"] == photo.name


def test_files_that_are_left_out_are_named(opened, photo, tmp_path):
    notes, other = tmp_path / "notes.txt", picture(tmp_path / "other.png")
    notes.write_text("Left out.")
    opened.give(notes, photo, other)
    assert "Left out: notes.txt, other.png" in opened.wait(":", "error")
    settled(opened)
    assert opened.joints()[0]["file_name"] == photo.name


def test_boxes_stay_in_the_picture(opened, photo):
    opened.show(photo)
    opened.change(lambda: opened.page.click("#add"))
    opened.change(lambda: opened.page.click("#add"))
    first, second = boxes(opened)
    assert first != second
    for key in (
        "{ key: 'ArrowRight' }",
        "{ key: 'ArrowDown', shiftKey: true }",
    ):
        opened.page.locator(".box >> nth=1").evaluate(
            "each => { for (let i = 0; i < 60; i++)"
            f" each.dispatchEvent(new KeyboardEvent('keydown', {key})); }}"
        )
    settled(opened)
    # 210 wide, a half of the picture; higher, as far as its lower edge.
    assert boxes(opened)[1] == [210, second[1], 210, 300 - second[1]]
    opened.change(lambda: opened.page.click("#whole"))


@pytest.mark.parametrize("what", ["Escape", "a photograph"])
def test_a_drag_is_ended(opened, photo, what):
    opened.show(photo)
    layer = opened.page.locator("#boxes")
    layer.scroll_into_view_if_needed()
    left, top = (layer.bounding_box()[name] for name in "xy")
    mouse = opened.page.mouse
    mouse.move(left + 20, top + 20)
    mouse.down()
    mouse.move(left + 90, top + 90)
    assert len(boxes(opened)) == 1
    if what == "Escape":
        opened.page.keyboard.press("Escape")
    else:
        opened.show(photo)
    mouse.move(left + 120, top + 120)
    mouse.up()
    assert boxes(opened) == []


def test_a_detector_that_finds_nobody_or_is_removed(opened, photo, tmp_path):
    find = functools.partial(graphs.mmdeploy, labels=[0, 0], scale=0)
    corners = [[10, 10, 50, 50], [-40, -40, -20, -20]]
    some, none = tmp_path / "some.onnx", tmp_path / "none.onnx"
    find(some, corners, offset=0.9)
    find(none, corners, offset=0.1)
    opened.show(photo)
    opened.change(lambda: opened.give(some))
    assert len(boxes(opened)) == 1  # the other box is not in the picture
    said = opened.change(lambda: opened.give(none))
    assert "finds nobody" in said
    assert opened.text("people") == "None yet."
    assert opened.page.is_disabled("#save-joints")
    opened.page.click("#remove-detector")
    opened.page.wait_for_selector("#detect", state="hidden")
    assert "finds nobody" not in opened.show(photo)


def test_the_camera_is_let_go(opened, photo):
    opened.page.dblclick("#camera")
    opened.until("window.cameras.length")
    states = "cameras.every(({ readyState }) => readyState === 'ended')"
    opened.until(states)
    opened.page.click("#camera")
    opened.wait("frames a second")
    # What another program's taking of the camera looks like.
    opened.page.evaluate("cameras.forEach((each) => each.stop())")
    opened.wait("gives no pictures any more", "error")
    assert opened.text("camera") == "Camera"
    opened.page.click("#camera")
    opened.wait("frames a second")
    opened.show(photo)
    assert opened.text("camera") == "Camera"
    assert opened.page.evaluate(states)
    assert opened.joints()[0]["file_name"] == photo.name


def test_the_camera_looks_at_the_whole_picture_again(opened):
    # Each crop's joints lie in its middle third, so that each box would be
    # smaller than the last, and the eighth smaller than a pixel.
    opened.page.evaluate("for (const each of cameras.splice(0)) each.stop()")
    opened.page.click("#camera")
    opened.wait("frames a second")
    sizes = [max(opened.joints()[0]["bbox"][2:]) for _ in range(5)]
    opened.change(lambda: opened.page.click("#camera"))
    assert min(sizes) >= max(SIZE) / 16


def test_the_second_model_is_removed_with_its_people(opened, photo):
    opened.show(photo)
    assert opened.text("people").count("Person 1") == 2
    opened.page.click("#remove")
    opened.page.wait_for_selector("#split", state="hidden")
    assert opened.text("people").count("Person 1") == 1
