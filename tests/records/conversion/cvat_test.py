"""Tests for reading CVAT's XML."""

import pytest

from tests.records.conversion import conversions

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
        ("<annotations/>", "CVAT's XML for images has"),
        ("<!DOCTYPE a><annotations/>", "CVAT's XML for images has"),
        ("<annotations><track/></annotations>", "CVAT's XML for images has"),
        ('<annotations><image name="a"/></annotations>', "Nobody is labelled"),
    ],
)
def test_other_files_are_refused(tmp_path, text, message):
    path = tmp_path / "a.xml"
    path.write_text(text)
    assert conversions.refuses(path, tmp_path, message)
