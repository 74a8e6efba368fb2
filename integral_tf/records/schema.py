"""The TFRecord format: one person per example, written and read here only.

Keeping both directions side by side means a field cannot be added to one and
forgotten in the other. Bump `VERSION` on any change; readers refuse the rest.

Keys are those of the TF Object Detection API, if it has one. Coordinates are
pixels of the original image, not fractions of its size. K joints:

    image/encoded                     JPEG of the window, `window_size` square
    image/height, image/width         size of the original image
    image/key/id                      dataset's own image id (COCO scores by it)
    image/source_id                   the person's name in its dataset
    image/object/keypoint/x, y        (K,) image frame; 0 where unlabelled
    image/object/keypoint/visibility  (K,) COCO's: 0 unlabelled 1 hidden 2 seen
    image/object/bbox/xywh            (4,) the person's box, image frame
    image/object/head_size            length of the head segment, or the one
                                      that the manifest's normalise_by names;
                                      0 unknown
    image/object/area                 area of the person, for OKS; 0 unknown
    image/object/score                a detector's score of the box, else 1
    image/object/category             COCO's category; 0 if there is none
    image/object/field/NAME           text of a field that the builder was
                                      asked to carry; older records lack these
    image/object/negative             1 if nobody is in the picture; else the
                                      key is not there
    window/to_image                   (6,) affine window -> image, row by row
"""

import dataclasses

import numpy as np

VERSION = 2
CATEGORY = "category"  # a field that all records have
NOBODY = "a picture without anybody"
_FIELD = "image/object/field/"


@dataclasses.dataclass
class Person:
    """One annotated person of a dataset.

    Attributes:
        image: `(H, W, 3)` uint8 RGB, the entire photograph.
        image_id: The dataset's number for the photograph.
        source_id: The dataset's name for the person; decides the split.
        joints: `(K, 2)` x, y in the image frame.
        visible: `(K,)` 0 unlabelled, 1 labelled but hidden, 2 seen.
        box: `(4,)` x, y, width, height in the image frame.
        head_size: Length of the head segment in image pixels, or the length
            that the records' `normalise_by` names; 0 if unknown.
        area: Area for OKS in square image pixels; 0 if unknown.
        score: The detector's score of the box; 1 for an annotated box.
        outside: Number of labelled joints outside the image, now unlabelled.
        category: COCO's number of the person's category; 0 if there is none.
        notes: Texts on guesses for this person, which are counted.
        fields: Texts by name, to be carried along.
        negative: Whether this is no person, but a picture without anybody.
    """

    image: np.ndarray
    image_id: int
    source_id: str
    joints: np.ndarray
    visible: np.ndarray
    box: np.ndarray
    head_size: float = 0.0
    area: float = 0.0
    score: float = 1.0
    outside: int = 0
    category: int = 0
    notes: tuple[str, ...] = ()
    fields: dict[str, str] = dataclasses.field(default_factory=dict)
    negative: bool = False


class Dropped(Exception):
    """A person cannot become a record. The text is the reason.

    Args:
        reason: The text; people are counted by reason.
        example: The person or the file, and what is wrong with it.
    """

    def __init__(self, reason, example=""):
        super().__init__(reason)
        self.example = str(example)


def serialise(person, window, window_to_image):
    """Packs a person and the JPEG bytes of the window into one record."""
    height, width = person.image.shape[:2]
    visible = np.asarray(person.visible, np.int64)
    joints = np.where(visible[:, None] > 0, person.joints, 0.0)
    values = {
        "image/encoded": window,
        "image/height": height,
        "image/width": width,
        "image/key/id": person.image_id,
        "image/source_id": person.source_id.encode(),
        "image/object/keypoint/x": joints[:, 0],
        "image/object/keypoint/y": joints[:, 1],
        "image/object/keypoint/visibility": visible,
        # Integers would be stored as int64 and could not be parsed as floats.
        "image/object/bbox/xywh": np.asarray(person.box, np.float64),
        "image/object/head_size": float(person.head_size),
        "image/object/area": float(person.area),
        "image/object/score": float(person.score),
        "image/object/category": int(person.category),
        "window/to_image": window_to_image,
    }
    for name, text in person.fields.items():
        values[_FIELD + name] = text.encode()
    if person.negative:
        values["image/object/negative"] = 1
    tf = _tensorflow()
    features = {key: _feature(value) for key, value in values.items()}
    example = tf.train.Example(features=tf.train.Features(feature=features))
    # Protobuf maps are unordered; with this, the same input gives the same
    # bytes.
    return example.SerializeToString(deterministic=True)


def parse(record, joints):
    """Unpacks one serialised record with this many joints.

    Returns:
        Dict of `encoded` (JPEG bytes of the window), `image_id`, `source_id`,
        `image_extent` (2,) width and height, `joints` (K, 2) and `box` (4,) in
        the image frame, `visible` (K,), `head_size`, `area`, `score`,
        `category`, `negative`, 1.0 for a picture without anybody, and
        `window_to_image` (2, 3).

    Raises:
        InvalidArgumentError: TensorFlow's, if the record lacks a value, has
            more or fewer, has a number that is not finite, or a box without
            size.
    """
    tf = _tensorflow()
    scalar, per_joint = [], [joints]
    raw = tf.io.parse_single_example(
        record,
        {
            "image/encoded": tf.io.FixedLenFeature(scalar, tf.string),
            "image/height": tf.io.FixedLenFeature(scalar, tf.int64),
            "image/width": tf.io.FixedLenFeature(scalar, tf.int64),
            "image/key/id": tf.io.FixedLenFeature(scalar, tf.int64),
            "image/source_id": tf.io.FixedLenFeature(scalar, tf.string),
            "image/object/keypoint/x": tf.io.FixedLenFeature(
                per_joint, tf.float32
            ),
            "image/object/keypoint/y": tf.io.FixedLenFeature(
                per_joint, tf.float32
            ),
            "image/object/keypoint/visibility": tf.io.FixedLenFeature(
                per_joint, tf.int64
            ),
            "image/object/bbox/xywh": tf.io.FixedLenFeature([4], tf.float32),
            "image/object/head_size": tf.io.FixedLenFeature(scalar, tf.float32),
            "image/object/area": tf.io.FixedLenFeature(scalar, tf.float32),
            "image/object/score": tf.io.FixedLenFeature(scalar, tf.float32),
            # Older records lack it.
            "image/object/category": tf.io.FixedLenFeature(scalar, tf.int64, 0),
            "image/object/negative": tf.io.FixedLenFeature(scalar, tf.int64, 0),
            "window/to_image": tf.io.FixedLenFeature([6], tf.float32),
        },
    )
    raw = _checked(raw)
    return {
        "encoded": raw["image/encoded"],
        "image_id": raw["image/key/id"],
        "source_id": raw["image/source_id"],
        "image_extent": tf.stack([raw["image/width"], raw["image/height"]]),
        "joints": tf.stack(
            [raw["image/object/keypoint/x"], raw["image/object/keypoint/y"]],
            axis=-1,
        ),
        "visible": raw["image/object/keypoint/visibility"],
        "box": raw["image/object/bbox/xywh"],
        "head_size": raw["image/object/head_size"],
        "area": raw["image/object/area"],
        "score": raw["image/object/score"],
        "category": raw["image/object/category"],
        "negative": tf.cast(raw["image/object/negative"], tf.float32),
        "window_to_image": tf.reshape(raw["window/to_image"], [2, 3]),
    }


def field(record, name):
    """The text of a field of one serialised record; empty if there is none.

    Args:
        record: The record.
        name: Name of the field, or "category".
    """
    tf = _tensorflow()
    if name == CATEGORY:
        key, default = "image/object/category", tf.constant(0, tf.int64)
    else:
        key, default = _FIELD + name, tf.constant("")
    feature = tf.io.FixedLenFeature([], default.dtype, default)
    value = tf.io.parse_single_example(record, {key: feature})[key]
    return value if value.dtype == tf.string else tf.strings.as_string(value)


def _checked(raw):
    """A record's values; TensorFlow raises if they cannot be right."""
    tf = _tensorflow()
    for key, value in raw.items():
        if value.dtype == tf.float32:
            raw[key] = tf.debugging.check_numerics(value, key)
    sides = raw["image/object/bbox/xywh"][2:]
    tf.debugging.assert_positive(sides, "image/object/bbox/xywh has no size")
    return raw


def _tensorflow():
    # Late, because reading photographs does not need TensorFlow.
    import tensorflow

    return tensorflow


def _feature(value):
    tf = _tensorflow()
    if isinstance(value, bytes):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
    flat = np.ravel(value)
    if np.issubdtype(flat.dtype, np.integer):
        return tf.train.Feature(int64_list=tf.train.Int64List(value=flat))
    return tf.train.Feature(float_list=tf.train.FloatList(value=flat))
