"""Tests for the record format."""

import numpy as np
import pytest
import tensorflow as tf

from integral_tf.records import schema

TO_IMAGE = np.array([[0.5, 0.0, -3.25], [0.0, 0.5, 7.75]])
JPEG = b"\xff\xd8 any bytes, zero \x00 among them"


@pytest.fixture
def person():
    return schema.Person(
        image=np.zeros((480, 640, 3), np.uint8),
        image_id=2**40 + 1,  # more than 32 bits
        source_id="père-0001",
        joints=np.array([[1.5, 2.25], [-7.0, 9.0], [639.5, 0.125]]),
        visible=np.array([2, 0, 1]),
        box=np.array([10.5, -20.25, 100.0, 200.0]),
        head_size=31.5,
        area=12345.5,
        score=0.625,
        category=7,
        outside=1,
    )


def test_every_field_comes_back(person):
    record = schema.serialise(person, JPEG, TO_IMAGE)
    got = {key: value.numpy() for key, value in schema.parse(record, 3).items()}
    # Every number above is exact in float32.
    expected = {
        "encoded": JPEG,
        "image_id": 2**40 + 1,
        "source_id": "père-0001".encode(),
        "image_extent": [640, 480],
        "joints": [[1.5, 2.25], [0, 0], [639.5, 0.125]],  # 0 where unlabelled
        "visible": [2, 0, 1],
        "box": [10.5, -20.25, 100, 200],
        "head_size": 31.5,
        "area": 12345.5,
        "score": 0.625,
        "category": 7,
        "negative": 0,
        "window_to_image": TO_IMAGE,
    }
    assert got.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_array_equal(got[key], value, err_msg=key)


def test_fields_and_the_mark_of_nobody_are_there_if_wanted(person):
    plain = schema.serialise(person, JPEG, TO_IMAGE)
    person.fields, person.negative = {"species": "Löwe", "site": ""}, True
    more = schema.serialise(person, JPEG, TO_IMAGE)
    keys = [
        set(tf.train.Example.FromString(record).features.feature)
        for record in (plain, more)
    ]
    assert keys[1] - keys[0] == {
        "image/object/field/species",
        "image/object/field/site",
        "image/object/negative",
    }
    assert schema.parse(more, 3)["negative"] == 1
    got = [schema.field(more, name).numpy() for name in person.fields]
    assert got == ["Löwe".encode(), b""]
    assert schema.field(plain, "species").numpy() == b""
    assert schema.field(plain, "category").numpy() == b"7"


def test_a_record_of_before_has_no_category(person):
    record = schema.serialise(person, JPEG, TO_IMAGE)
    example = tf.train.Example.FromString(record)
    del example.features.feature["image/object/category"]
    assert schema.parse(example.SerializeToString(), 3)["category"] == 0


def test_an_annotated_box_is_sure():
    assert schema.Person(None, 1, "1", None, None, None).score == 1


def test_an_unlabelled_joint_may_be_anything(person):
    person.joints[1] = np.nan
    record = schema.serialise(person, JPEG, TO_IMAGE)
    np.testing.assert_array_equal(schema.parse(record, 3)["joints"][1], [0, 0])


def test_whole_numbers_come_back_too(person):
    person.box, person.area, person.score = np.array([1, 2, 30, 40]), 50, 1
    person.joints = np.array([[1, 2], [0, 0], [3, 4]])
    got = schema.parse(schema.serialise(person, JPEG, TO_IMAGE), 3)
    np.testing.assert_array_equal(got["box"], [1, 2, 30, 40])
    np.testing.assert_array_equal(got["joints"], [[1, 2], [0, 0], [3, 4]])
    assert (got["area"], got["score"]) == (50, 1)


def test_keys_are_those_of_the_header(person):
    record = schema.serialise(person, JPEG, TO_IMAGE)
    features = tf.train.Example.FromString(record).features.feature
    kinds = {key: value.WhichOneof("kind") for key, value in features.items()}
    assert kinds == {
        "image/encoded": "bytes_list",
        "image/height": "int64_list",
        "image/width": "int64_list",
        "image/key/id": "int64_list",
        "image/source_id": "bytes_list",
        "image/object/keypoint/x": "float_list",
        "image/object/keypoint/y": "float_list",
        "image/object/keypoint/visibility": "int64_list",
        "image/object/bbox/xywh": "float_list",
        "image/object/head_size": "float_list",
        "image/object/area": "float_list",
        "image/object/score": "float_list",
        "image/object/category": "int64_list",
        "window/to_image": "float_list",
    }
    for key in kinds:
        assert key.rpartition("/")[0] in schema.__doc__


def test_same_person_same_bytes(person):
    first = schema.serialise(person, JPEG, TO_IMAGE)
    assert schema.serialise(person, JPEG, TO_IMAGE) == first
    person.visible[2] = 2
    assert schema.serialise(person, JPEG, TO_IMAGE) != first


def test_another_number_of_joints_is_an_error(person):
    record = schema.serialise(person, JPEG, TO_IMAGE)
    with pytest.raises(tf.errors.InvalidArgumentError, match="keypoint"):
        schema.parse(record, 4)
