"""Tests for the page, by what Debian's Chromium shows and saves.

The page that is tested is the built one in the package; Node is not needed.
"""

import base64
import functools
import io
import os

import numpy as np
import pytest
from PIL import Image

import integral_tf
from integral_tf import config
from integral_tf import detection
from integral_tf.export import publish
from integral_tf.inference import estimator
from integral_tf.records import photographs
from integral_tf.records import synthetic
from tests.detection import graphs
from tests.export import constant_network
from tests.export import pages

# The colour of a left limb.
LEFT = np.array([40.0, 160, 255])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The starter model's page, as the command exports it without a run."""
    out = tmp_path_factory.mktemp("web")
    with pytest.warns(UserWarning, match="no model was named"):
        (version,) = publish.export(
            config.ExportConfig(out=str(out), formats="web", compare_people=2)
        )
    return version


@pytest.fixture(scope="module")
def estimate(folder):
    return estimator.PoseEstimator(folder)


@pytest.fixture(scope="module")
def server(chromium, folder):
    with pages.Server(folder) as started:
        yield started


@pytest.fixture(scope="module")
def opened(chromium, server):
    """One page for the tests that leave it as it was, but for the picture."""
    page = pages.Page(chromium, server.url)
    yield page
    assert page.errors == []


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """The file of a drawn person who fills a part of the picture."""
    path = tmp_path_factory.mktemp("drawn") / "000000000042.png"
    picture = Image.new("RGB", (420, 300), (90, 120, 90))
    picture.paste(Image.fromarray(synthetic.person(0, 5).image), (150, 30))
    picture.save(path)
    return path


def compare(rows, poses):
    """Requires the joints of the page and of the estimator to be the same."""
    assert len(rows) == len(poses)
    for row, pose in zip(rows, poses):
        keypoints = np.reshape(row["keypoints"], (-1, 3))
        np.testing.assert_allclose(keypoints[:, :2], pose.joints, atol=0.05)
        np.testing.assert_allclose(keypoints[:, 2], pose.scores, atol=0.002)
        np.testing.assert_allclose(row["bbox"], pose.box, atol=0.01)
        assert row["sure"] == pose.sure


def test_a_drawn_person_is_found_where_the_estimator_finds_it(
    opened, estimate, drawn
):
    opened.show(drawn)
    rows = opened.joints()
    compare(rows, estimate(str(drawn)))
    # The refinement took a part of the picture.
    assert rows[0]["bbox"] != [0, 0, 420, 300]
    # What is seen has the left limbs' colour; the photograph has not.
    shown = io.BytesIO(opened.page.locator("#canvas").screenshot())
    left = [
        (np.abs(np.asarray(each.convert("RGB")) - LEFT).max(-1) < 9).mean()
        for each in (Image.open(shown), Image.open(drawn))
    ]
    assert left[0] > left[1] == 0
    named = {"image_id": 42, "file_name": "000000000042.png", "category_id": 1}
    assert rows[0] | named == rows[0]


@pytest.mark.parametrize(
    "event",
    [
        'DragEvent("drop", {dataTransfer',
        'ClipboardEvent("paste", {clipboardData',
    ],
)
def test_a_photograph_may_be_dropped_or_pasted(opened, drawn, event):
    data = base64.b64encode(drawn.read_bytes()).decode()
    opened.change(
        lambda: opened.page.evaluate(
            "data => { const files = new DataTransfer();"
            " const bytes = Uint8Array.from(atob(data), c => c.charCodeAt(0));"
            " files.items.add(new File([bytes], '7.png'));"
            f" document.dispatchEvent(new {event}: files}})); }}",
            data,
        )
    )
    (row,) = opened.joints()
    assert row["image_id"] == 7


def test_photographs_of_coco(opened, estimate):
    found = pages.photographs()
    if not found:
        pytest.skip(f"no {pages.COCO} in or above the checkout")
    for path in found:
        opened.show(path)
        compare(opened.joints(), estimate(str(path)))


def test_nothing_is_asked_of_elsewhere(opened, server, drawn):
    count = len(server.asked)
    opened.show(drawn)
    asked = {each.removeprefix("blob:") for each in opened.requests}
    assert all(each.startswith(server.url) for each in asked), asked
    # Once everything is loaded, not even the page's own server is reached: not
    # by the page, nor by the worker that has the photograph's pixels.
    (worker,) = opened.page.workers
    for place in (opened.page, worker):
        for address in (server.url, "http://127.0.0.2/"):
            code = f"fetch('{address}').then(() => 'sent', () => 'refused')"
            assert place.evaluate(code) == "refused"
    loaded = opened.page.evaluate(
        "new Promise(say => { const image = new Image();"
        " image.onload = image.onerror = event => say(event.type);"
        f" image.src = '{server.url}?photograph'; }})"
    )
    assert loaded == "error"
    assert server.asked[count:] == []
    policy = opened.page.get_attribute(
        "meta[http-equiv=Content-Security-Policy] >> nth=0", "content"
    )
    assert "default-src 'none'" in policy and "http" not in policy


@pytest.mark.parametrize("kind", ["turned", "other colours", "clear"])
def test_pixels_are_read_as_pillow_reads_them(
    opened, estimate, drawn, tmp_path, kind
):
    path, picture = tmp_path / "picture.jpg", Image.open(drawn)
    if kind == "turned":
        exif = Image.Exif()
        exif[0x0112] = 6
        picture.rotate(90, expand=True).save(path, exif=exif, quality=95)
        assert photographs.read(path).shape == (300, 420, 3)
    elif kind == "other colours":
        # A profile whose red and blue are exchanged would show at once.
        picture.save(path, icc_profile=swapped_profile(), quality=95)
    else:
        path = tmp_path / "picture.png"
        # Colours of clear pixels count, too: transparency is ignored.
        alpha = np.tile(np.uint8([0, 1, 130]), (300, 140))
        picture.putalpha(Image.fromarray(alpha))
        picture.save(path)
    opened.show(path)
    compare(opened.joints(), estimate(str(path)))


def swapped_profile():
    """An ICC profile of sRGB with red's and blue's primaries exchanged."""
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    data = profile.tobytes()
    return (
        data.replace(b"rXYZ", b"tXYZ")
        .replace(b"bXYZ", b"rXYZ")
        .replace(b"tXYZ", b"bXYZ")
    )


def test_boxes_by_mouse_and_by_keys(opened, estimate, drawn):
    opened.show(drawn)
    opened.page.locator("#boxes").scroll_into_view_if_needed()
    layer = opened.page.locator("#boxes").bounding_box()
    scale = layer["width"] / 420

    def drag():
        mouse = opened.page.mouse
        mouse.move(layer["x"] + 150 * scale, layer["y"] + 30 * scale)
        mouse.down()
        mouse.move(layer["x"] + 280 * scale, layer["y"] + 160 * scale)
        mouse.move(layer["x"] + 290 * scale, layer["y"] + 170 * scale)
        mouse.up()

    opened.change(drag)
    opened.change(lambda: opened.page.click("#add"))
    opened.change(lambda: opened.page.keyboard.press("ArrowRight"))
    rows = opened.change(lambda: opened.page.keyboard.press("Shift+ArrowDown"))
    assert rows.startswith("2 people")
    rows = opened.joints()
    boxes = [row["bbox"] for row in rows]
    np.testing.assert_allclose(boxes[0], [150, 30, 140, 140], atol=2)
    # The second is 9/8 of a quarter and of an eighth in; a key is a hundredth
    # of 420.
    assert boxes[1] == [118 + 4, 42, 210, 225 + 4]
    compare(rows, estimate(str(drawn), boxes))
    opened.page.locator(".box").nth(1).focus()
    opened.change(lambda: opened.page.keyboard.press("Delete"))
    assert [row["bbox"] for row in opened.joints()] == boxes[:1]
    opened.change(lambda: opened.page.click("#whole"))
    compare(opened.joints(), estimate(str(drawn)))


def canvas(page):
    """`(H, W, 3)` uint8 RGB, the picture as the page draws it."""
    data = page.page.evaluate("document.getElementById('canvas').toDataURL()")
    png = io.BytesIO(base64.b64decode(data.split(",")[1]))
    return np.asarray(Image.open(png).convert("RGB"))


def test_heat_maps_and_ellipses_are_drawn(opened, folder, drawn):
    def pixels():
        return canvas(opened).astype(float)

    opened.show(drawn)
    plain = pixels()
    assert plain.shape == (300, 420, 3)
    opened.page.check("#ellipses")
    ringed = pixels()
    assert (ringed != plain).any()
    opened.page.uncheck("#ellipses")
    head = integral_tf.skeletons.MPII.joints.index("head_top")
    opened.change(lambda: opened.page.select_option("#joint", str(head)))
    warm = np.abs(pixels() - plain).sum(axis=-1)
    # What the map changes lies around the joint.
    row = opened.joints()[0]
    y, x = np.unravel_index(np.argmax(warm), warm.shape)
    joint = row["keypoints"][3 * head : 3 * head + 2]
    assert np.hypot(x - joint[0], y - joint[1]) < 0.15 * row["bbox"][3]
    opened.page.select_option("#joint", "-1")


def test_the_card_is_on_the_page(opened):
    card = opened.text("card")
    for part in ("drawn people only", "PCKh@0.5 30.5", "Apache-2.0", "WASM"):
        assert part in card


@pytest.mark.parametrize(
    "name, content, sentence",
    [
        ("a.jpg", b"no picture", "no picture that this browser reads"),
        ("a.jpg", b"", "The file is empty"),
        ("a.onnx", b"no network", "a.onnx is no ONNX file that the page reads"),
        ("a.json", b"[]", "A JSON file is the card.json or the skeleton.json"),
    ],
)
def test_what_is_wrong_is_said(opened, tmp_path, name, content, sentence):
    path = tmp_path / name
    path.write_bytes(content)
    opened.give(path)
    assert name in opened.wait(sentence, "error")


def test_a_file_or_picture_that_is_too_large(opened, tmp_path):
    path = tmp_path / "large.jpg"
    with open(path, "wb") as file:
        file.truncate(2**28 + 1)
    opened.give(path)
    opened.wait("A photograph has at most 268 MB", "error")
    # More than 2 ** 26 pixels; a side that no canvas of Chromium holds.
    for size in ((8200, 8200), (66000, 20)):
        path = tmp_path / f"{size[0]}.png"
        Image.new("1", size).save(path)
        opened.give(path)
        text = opened.wait("at most 67 million pixels", "error")
        assert f"{path.name}, {size[0]} x {size[1]}" in text


def test_two_models_beside_each_other(opened, drawn, tmp_path):
    # Its crop of a wide picture is 5/4 of the width; its joints 0, 1, 2, ...
    # lie on the crop's diagonal, 4 of its 64 pixels apart.
    other = constant_network.write(
        tmp_path / "other",
        np.repeat(4 * np.arange(16)[:, None], 2, 1),
        method="H1",
        cells="first",
    )
    opened.show(drawn)
    left = opened.joints()
    opened.change(lambda: opened.give(*sorted(other.iterdir())))
    assert "H1" in opened.text("right-name") and "I1" in opened.text(
        "left-name"
    )
    # The slider moves by keys; the first model's joints are the saved ones.
    opened.page.locator("#split").press("End")
    assert opened.joints() == left
    opened.page.click("#people summary >> nth=1")
    rows = opened.page.locator(
        "#people details >> nth=1 >> tr"
    ).all_inner_texts()
    got = [[float(v) for v in row.split()[-3:-1]] for row in rows[1:]]
    scale = 420 * 1.25 / 64
    want = np.array([420, 300]) / 2 + scale * (4 * np.arange(16)[:, None] - 32)
    np.testing.assert_allclose(got, want, atol=0.051)  # of one decimal
    opened.page.click("#remove")
    assert not opened.page.is_visible("#split")


def test_the_camera(opened, server, drawn, estimate, film):
    jpeg = io.BytesIO()
    Image.open(drawn).save(jpeg, "JPEG", quality=95)
    film.write_bytes(10 * jpeg.getvalue())
    opened.page.click("#camera")
    opened.wait("frames a second")
    opened.change(lambda: opened.page.click("#camera"))
    (row,) = rows = opened.joints()
    assert row["file_name"] == "frame.png"
    # No joint has so high a score: the frame alone is drawn.
    opened.page.locator("#least").press("End")
    frame = canvas(opened)
    opened.page.locator("#least").press("Home")
    # A film halves the resolution of colours.
    assert np.abs(frame - photographs.read(drawn).astype(float)).mean() < 8
    compare(rows, estimate(frame))
    assert all(
        each.startswith((server.url, "blob:")) for each in opened.requests
    )


# From here on, the page has a detector.
FORMS = {
    "yolox": lambda path: graphs.yolox(
        path, {19: [0.5, 0.25, 0.7, 1.4], 82: [0.5, 0, -0.7, 0]}
    ),
    "rtmdet": lambda path: graphs.mmdeploy(
        path, [[8, 4, 24, 20], [0, 16, 40, 32]], [0, 0]
    ),
    "dfine": lambda path: graphs.detr(
        path, [[0.125, 0.25, 0.5, 0.75], [0, 0, 1, 1]], [16, 0]
    ),
    "rf_detr": lambda path: graphs.rf_detr(
        path, [[0.25, 0.5, 0.25, 0.5], [0.5, 0.5, 1, 1]]
    ),
}


def test_detectors_of_the_four_forms(opened, tmp_path):
    photo = np.full((64, 128, 3), (200, 180, 220), np.uint8)
    photo[5:50, 40:60] = 30, 60, 90
    Image.fromarray(photo).save(tmp_path / "photo.png")
    opened.show(tmp_path / "photo.png")
    for name, make in FORMS.items():
        path = make(tmp_path / f"{name}.onnx")
        detector = detection.get(path)
        opened.change(functools.partial(opened.give, path))
        assert str(detector) in opened.text("detector")
        want = detector(photo)[:, :4]
        assert len(want)
        got = [row["bbox"] for row in opened.joints()]
        np.testing.assert_allclose(got, want, atol=0.006)


def test_threads_where_the_server_isolates_the_page(
    chromium, folder, drawn, estimate
):
    with pages.Server(folder, isolated=True) as isolated:
        page = pages.Page(chromium, isolated.url)
        page.show(drawn)
        compare(page.joints(), estimate(str(drawn)))
        if os.cpu_count() > 1:
            assert "threads" in page.text("card")
        page.page.close()
