"""Tests for epochs in which every value of a field is drawn alike."""

import collections

import numpy as np
import pytest
import tensorflow as tf

from integral_tf import skeletons
from integral_tf.pipeline import balance
from integral_tf.pipeline import batches
from integral_tf.records import schema
from integral_tf.records import shards
from integral_tf.records.folder import Records

BATCH = 4
SITES = {"barn": 17, "field": 5, "": 2}  # 24 people


def person(key):
    number, site = key
    joints = np.full((16, 2), 20.0) + number
    return schema.Person(
        image=np.full((80, 80, 3), number, np.uint8),
        image_id=number,
        source_id=f"{number:02d}",
        joints=joints,
        visible=np.full(16, 2),
        box=np.array([10.0, 10, 50, 50]),
        category=1 + number % 2,
        fields={"site": site},
    )


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """24 people of three sites in three shards; 8 to validate on."""
    out = tmp_path_factory.mktemp("records") / "sites"
    sites = [site for site, count in SITES.items() for _ in range(count)]
    people = [(f"{n:02d}", (n, site)) for n, site in enumerate(sites)]
    shards.write(
        [*people, *[(f"val{n}", (n, "barn")) for n in range(8)]],
        person,
        out,
        skeletons.MPII,
        16,
        split=lambda name: "val" if name.startswith("val") else "train",
        source="",
        shards=3,
        fields=("site",),
    )
    return Records.open(out)


def train(records, epoch=0, skip=0, by="site", seed=0):
    return list(
        batches.train_batches(
            records, BATCH, seed, epoch, skip, by
        ).as_numpy_iterator()
    )


def drawn(some):
    return np.concatenate([batch["image_id"] for batch in some])


def site_of(numbers):
    sites = [site for site, count in SITES.items() for _ in range(count)]
    return collections.Counter(sites[n] for n in numbers)


def test_every_value_is_drawn_equally_often(records):
    # As many steps as without: 24 people, 4 in a batch; 3 values, 8 each.
    epoch = train(records)
    assert len(epoch) == len(train(records, by="")) == 6
    assert site_of(drawn(epoch)) == dict.fromkeys(SITES, 8)
    everyone = np.concatenate([drawn(train(records, e)) for e in range(17)])
    count = collections.Counter(everyone.tolist())
    assert site_of(everyone) == dict.fromkeys(SITES, 8 * 17)
    # 136 draws of 17, of 5 and of 2 people take turns.
    assert {count[n] for n in range(17)} == {8}
    assert {count[n] for n in range(17, 22)} == {27, 28}
    assert {count[n] for n in (22, 23)} == {68}


def test_pictures_and_labels_are_the_drawn_peoples(records):
    for batch in train(records):
        colours = batch["windows"].mean(axis=(1, 2, 3))
        # The window is larger than the photograph, and black outside.
        inside = batch["windows"][:, 20, 12].mean(axis=-1)
        np.testing.assert_allclose(inside, batch["image_id"], atol=2)
        assert (colours <= batch["image_id"] + 2).all()
        names = [int(name) for name in batch["source_id"]]
        assert names == batch["image_id"].tolist()


@pytest.mark.parametrize("skip", [0, 1, 5, 6])
def test_an_epoch_resumes_at_any_step(records, skip):
    whole, rest = train(records, epoch=3), train(records, epoch=3, skip=skip)
    assert len(rest) == 6 - skip
    for one, other in zip(whole[skip:], rest):
        for key in one:
            np.testing.assert_array_equal(one[key], other[key])


def test_seed_and_epoch_decide_the_order(records):
    first = drawn(train(records)).tolist()
    assert first == drawn(train(records)).tolist()
    assert first != drawn(train(records, epoch=1)).tolist()
    assert first != drawn(train(records, seed=1)).tolist()


def test_two_devices_part_each_batch(records):
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    people = batches.train_batches(records, BATCH, 0, 0, 0, "site")
    seen = [
        tf.concat(strategy.experimental_local_results(each), axis=0).numpy()
        for each in strategy.experimental_distribute_dataset(
            people.map(lambda batch: batch["image_id"])
        )
    ]
    assert np.concatenate(seen).tolist() == drawn(train(records)).tolist()


def test_by_category_any_records_are_balanced(records):
    numbers = drawn(train(records, by="category"))
    assert (numbers % 2).sum() == len(numbers) / 2


def test_counts_are_told(records):
    assert balance.described(records, "site") == (
        "each value of site is drawn equally often; records with it: barn: "
        "17, field: 5, none: 2"
    )


def test_many_values_are_told_shortly(records, monkeypatch):
    monkeypatch.setattr(balance, "_NAMED", 2)
    said = balance.described(records, "site")
    assert said.endswith("barn: 17, 2 more, the least none: 2")


def test_a_field_that_is_not_there(records):
    balance.check(records, "site")
    balance.check(records, "category")
    with pytest.raises(ValueError, match="site, category. .*--balance=sight"):
        balance.check(records, "sight")


def test_one_value_gives_everyone_once_each_epoch():
    values = np.array([b"a"] * 5, object)
    order = balance.order(values, 5, 0, 3)
    assert sorted(order) == [0, 1, 2, 3, 4]


def test_more_values_than_draws_take_turns():
    values = np.arange(10)
    order = balance.order(values, 4, 0, 0)
    assert len(set(order.tolist())) == 4
