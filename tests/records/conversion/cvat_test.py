"""Tests for reading CVAT's XML for images."""

import json

import pytest

from integral_tf.commands import convert as command
from integral_tf.records.conversion import convert
from integral_tf.records.conversion import cvat
from integral_tf.records.conversion import pictures
from tests import in_process
from tests.records.conversion import conversions
from tests.records.conversion import films

META = """<meta><task><labels>
 <label><name>cat</name><type>skeleton</type>
  <svg>&lt;line data-type="edge" data-node-from="1" data-node-to="2"&gt;
  &lt;/line&gt;&lt;circle data-node-id="1" data-label-name="nose"&gt;
  &lt;/circle&gt;&lt;circle data-node-id="2" data-label-name="tail"&gt;
  &lt;/circle&gt;</svg></label>
 <label><name>nose</name><type>points</type><parent>cat</parent></label>
 <label><name>paw</name><type>points</type><parent>cat</parent></label>
 <label><name>tail</name><type>points</type><parent>cat</parent></label>
</labels></task></meta>"""


@pytest.fixture
def written(tmp_path):
    conversions.picture(tmp_path / "images" / "a.png")

    def write(images, meta=META):
        path = tmp_path / "annotations.xml"
        path.write_text(f"<annotations>{meta}{images}</annotations>")
        return path

    return write


def image(shapes, name="a.png", more=""):
    sides = 'width="60" height="50"'
    return f'<image id="0" name="{name}" {sides} {more}>{shapes}</image>'


def joint(label, place, more='occluded="0" outside="0"'):
    return f'<points label="{label}" points="{place}" {more}></points>'


def test_skeletons(written, tmp_path):
    joints = (
        joint("tail", "30.50,21.50", 'occluded="1" outside="0"')
        + joint("nose", "10.50,20.50")
        + joint("paw", "0,0", 'occluded="0" outside="1"')
    )
    shapes = f'<skeleton label="cat">{joints}</skeleton><box label="cat"/>'
    done = conversions.run(
        written(image(shapes) + image("", "b.png")), tmp_path
    )
    (category,) = done.content["categories"]
    assert category["keypoints"] == ["nose", "paw", "tail"]
    assert category["skeleton"] == [[1, 3]]
    # The centre of pixel (10, 20) is at 10.5, 20.5 from the edges.
    (person,) = done.people
    assert conversions.points(person) == [[10, 20, 2], [0, 0, 0], [30, 21, 1]]
    assert done.content["images"][0] == {
        "id": 1, "file_name": "images/a.png", "width": 60, "height": 50,
    }  # fmt: skip
    assert conversions.counts(done.found) == {
        "shape of another type": 1,
        "picture without labels": 1,
    }


def test_single_points_are_joints_of_their_group(written, tmp_path):
    shapes = (
        joint("nose", "1.5,2.5", 'occluded="0" group_id="1"')
        + joint("tail", "3.5,4.5", 'occluded="1" group_id="1"')
        + joint("nose", "5.5,6.5", 'occluded="0" group_id="2"')
        + joint("nose", "9,9", 'occluded="0" group_id="2"')
        + joint("nose", "x", 'occluded="0"')
    )
    done = conversions.run(written(image(shapes)), tmp_path)
    first, second = done.people
    assert conversions.points(first) == [[1, 2, 2], [3, 4, 1]]
    assert conversions.points(second) == [[5, 6, 2], [0, 0, 0]]
    assert conversions.counts(done.found) == {
        "second point of the same label in one person": 1,
        "points that are no pairs of numbers": 1,
    }


def test_points_of_several_are_a_person_without_names(written, tmp_path):
    shapes = (
        joint("fish", "1.5,2.5;3.5,4.5") * 2
        + joint("fish", "1,1;2,2;3,3")
    )  # fmt: skip
    done = conversions.run(written(image(shapes), ""), tmp_path)
    assert conversions.points(done.people[0]) == [[1, 2, 2], [3, 4, 2]]
    (category,) = done.truth["categories"]
    assert (category["name"], category["keypoints"]) == ("fish", ["1", "2"])
    assert conversions.counts(done.found) == {
        "points other than the 2 of their label": 1
    }


def test_a_label_of_named_and_unnamed_joints(written, tmp_path):
    shapes = joint("nose", "1.5,2.5") + joint("person", "1.5,2.5;3.5,4.5")
    source = written(image(shapes))
    found = cvat.read(source, pictures.Pictures(tmp_path))
    assert [(p.category, len(p.points)) for p in found.people] == [
        ("person", 1),
        ("person, joints without names", 2),
    ]


def test_one_subset_on_request(written, tmp_path, capsys):
    conversions.picture(tmp_path / "images" / "b.png")
    shapes = joint("nose", "1.5,2.5")
    source = written(
        image(shapes, more='subset="Train"')
        + image(shapes, "b.png", 'subset="Val"')
    )
    done = conversions.run(source, tmp_path, split="val")
    assert [i["file_name"] for i in done.content["images"]] == ["images/b.png"]
    assert len(conversions.run(source, tmp_path).people) == 2
    assert "pictures of several splits, train, val" in capsys.readouterr().out
    message = "The source has the splits train, val."
    with pytest.raises(ValueError, match=message):
        conversions.run(source, tmp_path, split="test")


@pytest.mark.parametrize(
    "text, message",
    [
        ("<annotations>", "This is no XML (no element found"),
        ("", "This is no XML (no element found"),
        ("<annotations/>", "CVAT's XML has `annotations` with"),
        ("<!DOCTYPE a><annotations/>", "This is no XML (a document type"),
        ("<a><image/></a>", "CVAT's XML has `annotations` with"),
        ("<annotations><track/></annotations>", "Nobody is labelled"),
        ('<annotations><image name="a"/></annotations>', "Nobody is labelled"),
    ],
)
def test_other_files_are_refused(tmp_path, text, message):
    path = tmp_path / "a.xml"
    path.write_text(text)
    assert conversions.refuses(path, tmp_path, message)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_do_not_fill_the_memory(tmp_path, encoding):
    path = tmp_path / "a.xml"
    laughs = ["<!ENTITY a0 'ha'>"]
    laughs += [f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 12)]
    text = f"<!DOCTYPE a [{''.join(laughs)}]><annotations>&a11;</annotations>"
    path.write_bytes(text.encode(encoding))
    message = "This is no XML (a document type, which CVAT has not)"
    assert conversions.refuses(path, tmp_path, message)


# As CVAT writes it, of a task of a video: step 2, and one shape that was added
# to a single frame. Without the rows between frame 0 and frame 6.
VIDEO_META = (
    META.removesuffix("</task></meta>")
    + "<mode>interpolation</mode><frame_filter>step=2</frame_filter>"
    + "<original_size><width>64</width><height>48</height></original_size>"
    + "</task><source>clip.avi</source></meta>"
)


def in_frame(number, nose, tail, keyframe=1, outside=(0, 0)):
    joints = "".join(
        f'<points label="{label}" keyframe="{keyframe}" outside="{gone}" '
        f'occluded="0" points="{place}"></points>'
        for label, place, gone in zip(("nose", "tail"), (nose, tail), outside)
    )
    row = f'frame="{number}" keyframe="{keyframe}" z_order="0"'
    return f"<skeleton {row}>{joints}</skeleton>"


TRACKS = (
    '<track id="0" label="cat" source="manual">'
    + in_frame(0, "1.50,2.50", "9.50,9.50", outside=(0, 1))
    + in_frame(6, "7.50,8.50", "9.50,9.50")
    + in_frame(8, "7.50,8.50", "9.50,9.50", 0)
    + in_frame(10, "7.50,8.50", "9.50,9.50", outside=(1, 1))
    + '</track><track id="1" label="cat" source="manual">'
    + in_frame(6, "3.50,3.50", "4.50,4.50")
    + in_frame(8, "3.50,3.50", "4.50,4.50", outside=(1, 1))
    + '</track><track id="2" label="box" source="manual"><box frame="0"/>'
    + '<points frame="x"/></track>'
)


def test_tracks_of_a_video(written, tmp_path):
    films.film(tmp_path / "clip.avi", 12)
    source = written(TRACKS, VIDEO_META)
    out = tmp_path / "new" / "train.json"
    done = in_process.run("convert", source, f"--out={out}")
    assert done.returncode == 0, done.stderr
    names = [f"clip_{n:06d}.png" for n in (0, 2, 4, 6, 8)]
    folder = out.with_name("train_frames")
    assert films.numbers(folder) == dict(zip(names, (0, 2, 4, 6, 8)))
    content = json.loads(out.read_text())
    assert content["images"][0] == {
        "id": 1, "file_name": names[0], "width": 64, "height": 48,
    }  # fmt: skip
    rows = [
        (row["image_id"], row["keypoints"]) for row in content["annotations"]
    ]
    # A third and two thirds of the way from 1, 2 to 7, 8. The tail comes at 6.
    # The skeleton has a paw, too, which has no place.
    gone = [0, 0, 0]
    assert rows == [
        (1, [1, 2, 2, *gone, *gone]),
        (2, [3, 4, 2, *gone, *gone]),
        (3, [5, 6, 2, *gone, *gone]),
        (4, [7, 8, 2, *gone, 9, 9, 2]),
        (5, [7, 8, 2, *gone, 9, 9, 2]),
        (4, [3, 3, 2, *gone, 4, 4, 2]),
    ]
    assert "2 left out: shape of another type" in done.stdout
    assert f"pictures: {folder}" in done.stdout


def test_a_track_pauses_while_it_is_outside(written, tmp_path):
    films.film(tmp_path / "annotations.avi")
    places = "1.5,2.5", "3.5,4.5"
    shapes = [
        in_frame(0, *places),
        in_frame(1, *places, outside=(1, 1)),
        in_frame(4, *places),
    ]
    track = f'<track id="0" label="cat">{"".join(shapes)}</track>'
    done = conversions.run(written(track), tmp_path)
    numbers = [picture.frame.number for picture in done.found.pictures]
    assert numbers == [0, 4]


def test_keyframes_only(written, tmp_path):
    films.film(tmp_path / "clip.avi", 12)
    source = written(TRACKS, VIDEO_META)
    found = convert.convert(
        command.ConvertConfig(
            source=str(source), out=str(tmp_path / "a.json"), keyframes=True
        )
    )
    assert films.numbers(tmp_path / "a_frames") == {
        "clip_000000.png": 0,
        "clip_000006.png": 6,
    }
    assert [person.picture for person in found.people] == [
        "clip_000000.png",
        *["clip_000006.png"] * 2,
    ]
    assert conversions.counts(found)["frame between keyframes"] == 3


def test_frames_that_cvat_exported(written, tmp_path):
    for number in (0, 2, 4, 6, 8):
        conversions.picture(tmp_path / "images" / f"frame_{number:06d}.PNG")
    done = conversions.run(written(TRACKS, VIDEO_META), tmp_path)
    names = [image["file_name"] for image in done.content["images"]]
    assert names[1] == "images/frame_000002.PNG"


def test_single_points_of_a_video(written, tmp_path):
    points = [
        f'<track id="0" label="{label}" group_id="3"><points frame="0" '
        f'outside="0" occluded="1" points="{place}"/></track>'
        for label, place in (("nose", "1.5,2.5"), ("tail", "3.5,4.5"))
    ]
    films.film(tmp_path / "annotations.avi", 1)
    done = conversions.run(written("".join(points), ""), tmp_path)
    assert conversions.points(done.people[0]) == [[1, 2, 1], [3, 4, 1]]


def test_videos_of_several_tasks(written, tmp_path):
    tasks = "".join(
        f"<task><id>{n}</id><source>{n}/cam.avi</source></task>" for n in (5, 6)
    )
    shapes = "".join(
        f'<track id="0" label="cat" task_id="{n}" subset="Train">'
        + in_frame(1, f"{n}.5,2.5", "3.5,4.5")
        + "</track>"
        for n in (6, 5)
    )
    films.film(tmp_path / "5" / "cam.avi")
    films.film(tmp_path / "6" / "cam.avi")
    meta = f"<meta><project><tasks>{tasks}</tasks></project></meta>"
    done = conversions.run(written(shapes, meta), tmp_path, split="train")
    assert [image["file_name"] for image in done.content["images"]] == [
        "6_cam_000001.png",
        "5_cam_000001.png",
    ]
    assert conversions.points(done.people[0])[0] == [6, 2, 2]


def test_images_of_a_video(written, tmp_path):
    """CVAT's form for images, of a task of a video, without the pictures."""
    films.film(tmp_path / "clip.avi")
    shapes = image(joint("nose", "1.5,2.5"), "frame_000004")
    conversions.run(written(shapes, VIDEO_META), tmp_path)
    assert films.numbers(tmp_path / "out-0_frames") == {"clip_000004.png": 4}
