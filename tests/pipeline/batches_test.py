"""Tests for the input pipeline, on drawn people."""

import collections
import functools
import itertools
import json
import os
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from integral_tf import coordinates
from integral_tf import skeletons
from integral_tf.pipeline import batches
from integral_tf.records import schema
from integral_tf.records import shards
from integral_tf.records import synthetic
from integral_tf.records.folder import Records

BATCH = 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """40 people in 5 training shards and some in validation."""
    out = tmp_path_factory.mktemp("records") / "synthetic"
    shards.write(
        [(f"{index:08d}", index) for index in range(40)],
        functools.partial(synthetic.person, 7),
        out,
        skeletons.MPII,
        image_size=32,
        split=0.25,
        source="drawn",
        shards=5,
    )
    return out


def train(folder, seed=1, epoch=0, skip_steps=0):
    people = batches.train_batches(
        Records.open(folder), BATCH, seed, epoch, skip_steps
    )
    return list(people.as_numpy_iterator())


def names(people):
    return np.concatenate([batch["source_id"] for batch in people]).tolist()


def assert_same(some, others):
    assert len(some) == len(others)
    for one, other in zip(some, others):
        assert one.keys() == other.keys()
        for key in one:
            np.testing.assert_array_equal(one[key], other[key], err_msg=key)


def people_in(folder, split):
    return Records.open(folder).manifest["splits"][split]["people"]


def test_an_epoch_has_everyone_once_in_batches_of_nearly_one_size(folder):
    people = people_in(folder, "train")
    for epoch in range(3):
        listed = names(train(folder, epoch=epoch))
        assert len(listed) == len(set(listed)) == people
    sizes = [len(batch["share"]) for batch in train(folder)]
    assert len(sizes) == -(-people // BATCH) >= 5 and sum(sizes) == people
    assert max(sizes) <= BATCH and max(sizes) - min(sizes) == 1
    for batch, size in zip(train(folder), sizes):
        np.testing.assert_allclose(batch["share"], [1 / size] * size)


@pytest.mark.parametrize(
    "people, batch_size, parts, bounds",
    [
        (8, 4, 1, [[0, 4], [4, 8]]),
        (9, 4, 1, [[0, 3], [3, 6], [6, 9]]),
        (10, 4, 2, [[0, 1, 3], [3, 4, 6], [6, 8, 10]]),
        (7, 7, 3, [[0, 2, 4, 7]]),
    ],
)
def test_people_are_divided_by_hand(people, batch_size, parts, bounds):
    divided = batches.division(people, batch_size, parts)
    assert divided.tolist() == bounds


@pytest.mark.parametrize("balance_by", ["", "category"])
def test_the_parts_of_two_devices_make_the_batches_of_one(folder, balance_by):
    def of(**division):
        people = batches.train_batches(
            folder, BATCH, 1, 2, 1, balance_by, **division
        )
        return list(people.as_numpy_iterator())

    whole, both = of(), of(parts=2)
    left, right = (of(parts=2, own=range(i, i + 1)) for i in range(2))
    assert_same(both[0::2], left)
    assert_same(both[1::2], right)
    # Of 28 people in 5 steps, the others have 5 or 6, and one is of 3 and 2.
    assert {len(batch["share"]) for batch in both} == {2, 3}
    for batch, one, other in zip(whole, left, right):
        for key in batch:
            joined = np.concatenate([one[key], other[key]])
            np.testing.assert_array_equal(joined, batch[key], err_msg=key)


def test_batches_have_these_shapes(folder):
    first = next(each for each in train(folder) if len(each["share"]) == 6)
    assert {key: (v.shape, v.dtype.name) for key, v in first.items()} == {
        "windows": ((6, 56, 56, 3), "uint8"),  # 32 * 1.7125 = 54.8
        "joints": ((6, 16, 2), "float32"),
        "boxes": ((6, 4), "float32"),
        "visible": ((6, 16), "float32"),
        "head_size": ((6,), "float32"),
        "area": ((6,), "float32"),
        "image_boxes": ((6, 4), "float32"),
        "box_score": ((6,), "float32"),
        "to_image": ((6, 2, 3), "float32"),
        "image_id": ((6,), "int64"),
        "image_extent": ((6, 2), "int64"),
        "source_id": ((6,), "object"),
        "category": ((6,), "int64"),
        "negative": ((6,), "float32"),
        "draws": ((6, 3), "float32"),
        "halves": ((6, 2), "float32"),
        "shades": ((6, 16), "float32"),
        "share": ((6,), "float32"),
    }


def test_seed_and_epoch_decide_everything(folder):
    first = train(folder, seed=1, epoch=3)
    assert_same(first, train(folder, seed=1, epoch=3))
    for seed, epoch in ((1, 4), (2, 3), (3, 1)):
        other = train(folder, seed=seed, epoch=epoch)
        assert names(other) != names(first)
        assert not np.array_equal(other[0]["draws"], first[0]["draws"])


def test_one_shard_is_shuffled_too(folder, tmp_path):
    # Its people, not only the order of the shards, are another epoch's.
    manifest = Records.open(folder).manifest
    shard = manifest["splits"]["train"]["shards"][:1]
    alone = {"shards": shard, "people": shard[0]["people"]}
    manifest["splits"]["train"] |= alone
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    shutil.copy(folder / shard[0]["file"], tmp_path)
    orders = {tuple(names(train(tmp_path, epoch=epoch))) for epoch in range(4)}
    assert len(orders) == 4


def test_an_iterated_epoch_is_the_same_when_iterated_again(folder):
    people = batches.train_batches(Records.open(folder), BATCH, seed=1, epoch=0)
    once = list(people.as_numpy_iterator())
    assert_same(once, list(people.as_numpy_iterator()))


def test_a_new_process_sees_the_same_order(folder):
    # What the trainer does first; other random operations come and go.
    keras.utils.set_random_seed(5)
    first = train(folder)
    keras.utils.set_random_seed(5)
    tf.random.uniform([3])
    np.random.uniform()
    assert_same(first, train(folder))


def test_few_bytes_are_shuffled_at_a_time(folder, monkeypatch):
    records = Records.open(folder)
    paths = records.paths("train")
    mean = sum(map(os.path.getsize, paths)) / records.people("train")
    # One shard is read at a time, so that the order before is known.
    monkeypatch.setattr(batches, "_CYCLE", 1)
    monkeypatch.setattr(batches, "_SHUFFLE_BYTES", 1)
    order = names(train(folder, epoch=2))
    monkeypatch.setattr(batches, "_SHUFFLE_BYTES", int(3.5 * mean))
    some = names(train(folder, epoch=2))
    # The n-th person is drawn of the first n + 3 - 1.
    places = [order.index(name) for name in some if name in order]
    assert some != order and len(set(some)) == len(some)
    assert all(place < n + 3 for n, place in enumerate(places))
    assert_same(
        train(folder, epoch=2, skip_steps=2), train(folder, epoch=2)[2:]
    )
    # Small people are not more than their number.
    monkeypatch.setattr(batches, "_SHUFFLE_BYTES", 2**40)
    monkeypatch.setattr(batches, "_SHUFFLE_PEOPLE", 1)
    assert names(train(folder, epoch=2)) == order


@pytest.mark.parametrize("skip_steps", [1, 3])
def test_skipping_resumes_exactly(folder, skip_steps):
    whole = train(folder, epoch=2)
    rest = train(folder, epoch=2, skip_steps=skip_steps)
    assert_same(rest, whole[skip_steps:])


def test_skipping_everything_leaves_nothing(folder):
    assert train(folder, skip_steps=len(train(folder))) == []


def test_draws_are_uniform_and_never_repeat(folder):
    draws = np.concatenate(
        [b["draws"] for e in range(8) for b in train(folder, epoch=e)]
    )
    assert draws.min() >= 0 and draws.max() < 1
    assert len(np.unique(draws)) > 0.99 * draws.size
    # 8 * 24 draws or more: the mean has a standard deviation of 0.021.
    np.testing.assert_allclose(draws.mean(axis=0), 0.5, atol=0.1)


@pytest.mark.parametrize("name", ["shades", "halves"])
def test_others_are_other_numbers_than_draws_and_resume(folder, name):
    whole, rest = train(folder), train(folder, skip_steps=1)
    others = np.concatenate([batch[name] for batch in whole])
    draws = np.concatenate([batch["draws"] for batch in whole])
    assert 0 <= others.min() and others.max() < 1
    assert not np.isin(others, draws).any()
    assert len(np.unique(others)) > 0.99 * others.size
    np.testing.assert_array_equal(rest[0][name], whole[1][name])


def test_neighbours_in_a_shard_are_parted(folder):
    in_order = [
        schema.parse(record, 16)["source_id"].numpy()
        for path in Records.open(folder).paths("train")
        for record in tf.data.TFRecordDataset(path)
    ]
    follows = dict(itertools.pairwise(in_order))
    pairs = collections.Counter(
        follows.get(one) == other
        for epoch in range(4)
        for one, other in itertools.pairwise(names(train(folder, epoch=epoch)))
    )
    assert pairs[True] < 0.15 * pairs.total()


@pytest.mark.parametrize("split", ["train", "val"])
def test_evaluation_has_everyone_once_in_order(folder, split):
    people = list(
        batches.eval_batches(
            Records.open(folder), split, BATCH
        ).as_numpy_iterator()
    )
    in_order = [
        schema.parse(record, 16)["source_id"].numpy()
        for path in Records.open(folder).paths(split)
        for record in tf.data.TFRecordDataset(path)
    ]
    assert names(people) == in_order
    full, rest = divmod(len(in_order), BATCH)
    sizes = [len(batch["windows"]) for batch in people]
    assert sizes == [BATCH] * full + [rest] * (rest > 0)
    assert "draws" not in people[0]


@pytest.mark.parametrize("limit, count", [(1, 1), (8, 8), (0, None)])
def test_evaluation_stops_at_the_limit(folder, limit, count):
    people = batches.eval_batches(Records.open(folder), "train", BATCH, limit)
    count = count or people_in(folder, "train")
    assert len(names(people.as_numpy_iterator())) == count


@pytest.mark.parametrize(
    "most, share", [(3, (0, 0.5, 1)), (1, (0,)), (1000, None)]
)
def test_people_are_spread_over_a_split(folder, most, share):
    records = Records.open(folder)
    _, everyone = batches.ids(records, "train")
    places, people = batches.spread(records, "train", most)
    last = len(everyone) - 1
    wanted = range(last + 1) if share is None else [last * s for s in share]
    np.testing.assert_allclose(places, wanted, atol=0.5)
    found = [person["source_id"] for person in people.as_numpy_iterator()]
    assert found == [everyone[place] for place in places]


def test_everything_is_where_the_person_is(folder):
    """Against the drawn person and float64, record by record."""
    for batch in batches.eval_batches(
        Records.open(folder), "val", 4
    ).as_numpy_iterator():
        for i, image_id in enumerate(batch["image_id"]):
            person = synthetic.person(7, int(image_id))
            labelled = person.visible > 0
            np.testing.assert_array_equal(batch["visible"][i], labelled)
            joints = coordinates.apply(batch["to_image"][i], batch["joints"][i])
            np.testing.assert_allclose(
                joints[labelled], person.joints[labelled], atol=1e-3
            )
            # A box's corner is an edge, half a pixel before a point.
            x, y, w, h = batch["boxes"][i]
            corners = np.array([(x - 0.5, y - 0.5), (x + w - 0.5, y + h - 0.5)])
            low, high = coordinates.apply(batch["to_image"][i], corners) + 0.5
            np.testing.assert_allclose(low, person.box[:2], atol=1e-3)
            np.testing.assert_allclose(high - low, person.box[2:], atol=1e-3)
            np.testing.assert_array_equal(
                batch["image_boxes"][i], np.float32(person.box)
            )
            assert batch["head_size"][i] == np.float32(person.head_size)
            # By hand: the window is 56 pixels of the box's longer side times
            # 1.25 * 1.25 * 1.37 = 2.140625, and the box is in its middle.
            longer = max(batch["boxes"][i][2:])
            np.testing.assert_allclose(longer, 56 / 2.140625, rtol=1e-5)
            np.testing.assert_allclose(
                batch["boxes"][i][:2] + batch["boxes"][i][2:] / 2, 28, rtol=1e-5
            )


def test_windows_show_the_person(folder):
    # The window's pixels, looked up in the photograph it was cut from.
    (batch,) = batches.eval_batches(
        Records.open(folder), "val", 1, 1
    ).as_numpy_iterator()
    person = synthetic.person(7, int(batch["image_id"][0]))
    window = batch["windows"][0].astype(float)
    row, column = np.mgrid[8:48, 8:48].reshape(2, -1)
    at = coordinates.apply(
        batch["to_image"][0], np.stack([column, row], axis=-1).astype(float)
    )
    height, width = person.image.shape[:2]
    x, y = np.rint(at).astype(int).T
    inside = (x > 2) & (x < width - 3) & (y > 2) & (y < height - 3)
    smooth = np.array(
        [
            person.image[v - 2 : v + 3, u - 2 : u + 3].mean(axis=(0, 1))
            for u, v in zip(x[inside], y[inside])
        ]
    )
    shown = window[row[inside], column[inside]]
    assert inside.sum() > 200
    assert np.corrcoef(shown.ravel(), smooth.ravel())[0, 1] > 0.9


def test_refuses_windows_of_another_size(folder, tmp_path):
    record = next(
        iter(tf.data.TFRecordDataset(Records.open(folder).paths("val")))
    )
    (tmp_path / "manifest.json").write_text(
        (folder / "manifest.json").read_text().replace(": 56,", ": 64,")
    )
    with pytest.raises((tf.errors.InvalidArgumentError, ValueError)):
        batches.decoder(Records.open(tmp_path))(record)


def test_labels_are_read_without_pictures(folder):
    whole = batches.eval_batches(folder, "val", 4).as_numpy_iterator()
    labels = batches.eval_batches(folder, "val", 4, windows=False)
    for some, others in itertools.zip_longest(
        whole, labels.as_numpy_iterator()
    ):
        del some["windows"]
        assert_same([some], [others])
