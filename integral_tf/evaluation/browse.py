"""Writes an HTML page that shows a folder of records."""

import collections
import html
import io
import math

import cv2
import matplotlib.figure
import numpy as np
import tensorflow as tf

from integral_tf import progress
from integral_tf import whole
from integral_tf.evaluation import page
from integral_tf.inference import draw
from integral_tf.pipeline import batches
from integral_tf.records import schema
from integral_tf.records.folder import Records

_TILE = 240
_BOX = (255, 230, 60)


def write(data: str, out: str, people: int = 48) -> None:
    """Writes the page of a folder of records, whole or not at all.

    Args:
        data: Folder of records.
        out: HTML file to write; an earlier one is replaced.
        people: How many people of each split to draw.

    Raises:
        FileNotFoundError: there are no records.
        ValueError: the records are damaged.
    """
    text = _page(Records.open(data), people)
    with whole.file(out) as partial:
        partial.write_text(text, encoding="utf-8")


def _page(records, most):
    manifest, skeleton = records.manifest, records.skeleton
    splits = [n for n, s in manifest["splits"].items() if s["people"]]
    counts = {name: _measure(records, name) for name in splits}
    parts = [
        f"<p>{html.escape(manifest['source'])}. Skeleton "
        f"{html.escape(skeleton.name)} with {len(skeleton)} joints: "
        f"{html.escape(', '.join(skeleton.joints))}. Windows of "
        f"{records.window_size} pixels, for crops "
        f"{records.aspect:g} times as wide as high.</p>",
        _table(manifest),
        f'<p><img alt="histograms" src="{_histograms(counts, skeleton)}"></p>',
    ]
    for name in splits:
        parts.append(
            f"<h2>{name}</h2><p>The box is yellow, left joints are blue, right "
            'ones orange. An unlabelled joint is not drawn.</p><div class="'
            f'people">{"".join(_figures(records, name, most))}</div>'
        )
    return page.document(f"Records in {records.folder.resolve().name}", parts)


def _table(manifest):
    """A table of the people kept, and of those dropped by reason."""
    rows = []
    for name, split in manifest["splits"].items():
        negatives = split.get("negatives", 0)
        rows.append((name, split["people"] - negatives, "people kept"))
        if negatives:
            rows.append((name, negatives, f"kept: {schema.NOBODY}"))
        for reason, count in sorted(split["dropped"].items()):
            rows.append((name, count, f"dropped: {reason}"))
        for note, count in sorted(split.get("notes", {}).items()):
            rows.append((name, count, f"kept: {note}"))
        if split["joints_outside"]:
            text = "joints outside the image, taken as unlabelled"
            rows.append((name, split["joints_outside"], text))
    return page.table(("split", "", ""), rows)


def _measure(records, split):
    """Longer sides of the boxes, and people by number of labelled joints."""
    sides, labelled = [], collections.Counter()
    examples = tf.data.TFRecordDataset(records.paths(split))
    joints = len(records.skeleton)
    # This reads every record, so it does not decode the pictures.
    people = examples.map(lambda record: _numbers(record, joints))
    with (
        progress.bar(split, records.people(split), unit="people") as bar,
        records.reading(split),
    ):
        for side, count in people.as_numpy_iterator():
            sides.append(float(side))
            labelled[int(count)] += 1
            bar.update()
    return sides, labelled


def _numbers(record, joints):
    person = schema.parse(record, joints)
    labelled = tf.math.count_nonzero(person["visible"])
    return tf.reduce_max(person["box"][2:]), labelled


def _histograms(counts, skeleton):
    """Both histograms of all splits, as a data URI."""
    figure = matplotlib.figure.Figure(figsize=(11, 3.6), dpi=100)
    sizes, joints = figure.subplots(1, 2)
    every = [side for sides, _ in counts.values() for side in sides]
    edges = np.geomspace(min(every), max(max(every), min(every) * 1.01), 31)
    for name, (sides, labelled) in counts.items():
        # Percentages, so that a small validation split is visible beside a
        # large training split.
        share = 100 / len(sides)
        sizes.hist(
            sides, edges, weights=[share] * len(sides), alpha=0.6, label=name
        )
        heights = [share * labelled[k] for k in range(len(skeleton) + 1)]
        joints.bar(range(len(heights)), heights, alpha=0.6, label=name)
    sizes.set_xscale("log", base=2)
    sizes.xaxis.set_major_formatter("{x:g}")
    sizes.set_xlabel("longer side of the person's box, image pixels")
    joints.set_xlabel("labelled joints of a person")
    for axes in (sizes, joints):
        axes.set_ylabel("people, % of the split")
        axes.legend()
    figure.tight_layout()
    png = io.BytesIO()
    figure.savefig(png, format="png")
    return page.uri("png", png.getvalue())


def _figures(records, split, most):
    """Yields HTML figures of people, evenly spread over a split."""
    skeleton = records.skeleton
    step = max(1, math.ceil(records.people(split) / max(most, 1)))
    examples = tf.data.TFRecordDataset(records.paths(split))
    people = examples.shard(step, 0).take(most)
    for person in people.map(batches.decoder(records)).as_numpy_iterator():
        picture = draw.pose(
            _with_box(person["windows"], person["boxes"]),
            person["joints"],
            person["visible"],
            skeleton,
        )
        picture = cv2.resize(
            picture, (_TILE, _TILE), interpolation=cv2.INTER_AREA
        )
        caption = (
            f"{person['source_id'].decode()}, image {person['image_id']}: "
            f"{person['visible'].sum():.0f} of {len(skeleton)} joints"
        )
        if person["negative"]:
            caption += ", nobody"
        if person["box_score"] < 1:
            caption += f", box {person['box_score']:.2f}"
        yield (
            f'<figure><img alt="" src="{page.jpeg(picture)}">'
            f"<figcaption>{html.escape(caption)}</figcaption></figure>"
        )


def _with_box(window, box):
    x, y, width, height = np.rint(box).astype(int)
    corners = (int(x), int(y)), (int(x + width) - 1, int(y + height) - 1)
    return cv2.rectangle(window.copy(), *corners, _BOX, len(window) // 200 + 1)
