"""The page of a folder of records: one file that loads nothing."""

from __future__ import annotations

import collections
import dataclasses
import functools
import html

import numpy as np
import tensorflow as tf

from integral_tf import progress
from integral_tf import whole
from integral_tf.evaluation import chart
from integral_tf.evaluation import coco_results
from integral_tf.evaluation import gallery
from integral_tf.evaluation import page
from integral_tf.evaluation import predictions
from integral_tf.inference import draw
from integral_tf.pipeline import batches
from integral_tf.records import schema
from integral_tf.records.folder import Records

_BATCH = 64
_BINS = 20


def write(data: str, out: str, people: int = 48, evaluation: str = "") -> None:
    """Writes the page of a folder of records, whole or not at all.

    Args:
        data: Folder of records.
        out: HTML file to write; an earlier one is replaced.
        people: How many people of each split to draw.
        evaluation: Folder that `integral-tf evaluate` wrote of these records,
            whose predictions are drawn with the truth; empty for none.

    Raises:
        FileNotFoundError: there are no records, or no evaluation.
        ValueError: the records or the evaluation are damaged, or the evaluation
            is of other people.
    """
    records = Records.open(data)
    answers = None
    if evaluation:
        answers = coco_results.read(evaluation, len(records.skeleton))
        _check(records, answers, evaluation)
    text = _page(records, people, answers)
    with whole.file(out) as partial:
        partial.write_text(text, encoding="utf-8")


def _check(records, answers, evaluation):
    """Refuses the evaluation of other people."""
    names = []
    if records.people(answers.split):
        _, names = batches.ids(records, answers.split)
    known = {name.decode(errors="replace") for name in names}
    if not known & set(answers.people):
        raise ValueError(
            "The evaluation to draw is one of these records. Received: "
            f"--predictions={evaluation}, of {len(answers.people)} people of "
            f"the split {answers.split!r}, none of whom is among the "
            f"{len(known)} people of that split of --data={records.folder}"
        )


def _page(records, most, answers):
    manifest, skeleton = records.manifest, records.skeleton
    splits = [n for n, s in manifest["splits"].items() if s["people"]]
    counts = {name: _measure(records, name) for name in splits}
    drawn = {name: _drawn(records, name, most, answers) for name in splits}
    orders = [o for o in gallery.ORDERS if answers or o != "-error"]
    labelled = np.any([found for _, _, found in counts.values()], axis=0)
    parts = [
        f"<p>{html.escape(manifest['source'])}. Skeleton "
        f"{html.escape(skeleton.name)} with {len(skeleton)} joints: "
        f"{html.escape(', '.join(skeleton.joints))}. Windows of "
        f"{records.window_size} pixels, for crops "
        f"{records.aspect:g} times as wide as high.</p>",
        gallery.controls(
            skeleton,
            np.flatnonzero(labelled),
            splits=splits if len(splits) > 1 else (),
            orders=orders,
        ),
        "<h2>People kept and dropped</h2>",
        _table(manifest),
        "<h2>Sizes and labels</h2>",
        _charts(counts, skeleton),
        "<h2>People</h2>",
        gallery.legend(predicted=answers is not None, box=True),
        _said(answers, records.unit),
    ]
    for name in splits:
        parts.append(
            f'<section data-split="{html.escape(name)}"><h3>'
            f"{html.escape(name)}, {len(drawn[name])} of "
            f"{records.people(name)} records</h3>"
            f'<div class="people">{"".join(drawn[name])}</div></section>'
        )
    parts.append(gallery.LARGE)
    title = f"Records in {records.folder.resolve().name}"
    return page.document(title, parts, gallery.SCRIPT)


def _said(answers, unit):
    """A line on what the captions say."""
    words = "An unlabelled joint is not drawn; the box is that of the records."
    if answers:
        lengths = (
            f"{unit.words}."
            if unit
            else "heads, or in tenths of the box where the records have no "
            "heads."
        )
        words += (
            f" Predictions are {html.escape(answers.label)}, of the split "
            f"{html.escape(answers.split)} alone. Errors are "
            f"distances from the truth in {html.escape(lengths)}"
        )
    return f'<p class="note">{words}</p>'


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
    return page.table(("split", "number", "what"), rows)


def _measure(records, split):
    """Longer sides of the boxes; people by number of labelled joints; and
    which joints are labelled at all. Pictures without anybody are left out.
    """
    sides, labelled = [], collections.Counter()
    joints = len(records.skeleton)
    ever = np.zeros(joints, bool)
    examples = tf.data.TFRecordDataset(records.paths(split))
    # This reads every record, so it does not decode the pictures.
    numbers = functools.partial(_numbers, joints=joints)
    people = examples.map(tf.autograph.experimental.do_not_convert(numbers))
    with (
        progress.bar(split, records.people(split), unit="people") as bar,
        records.reading(split),
    ):
        for side, visible, negative in people.as_numpy_iterator():
            bar.update()
            if negative:
                continue
            sides.append(float(side))
            labelled[int(visible.sum())] += 1
            ever |= visible
    return sides, labelled, ever


def _numbers(record, joints):
    person = schema.parse(record, joints)
    side = tf.reduce_max(person["box"][2:])
    return side, person["visible"] > 0, person["negative"]


def _charts(counts, skeleton):
    """Charts of the people's sizes and of their labelled joints."""
    largest = max(max(sides) for sides, _, _ in counts.values())
    # A few giants would press all others into the first bins.
    end = np.quantile(np.concatenate([s for s, _, _ in counts.values()]), 0.99)
    end = chart.round_up(end)
    edges = np.linspace(0, end, _BINS + 1)
    sizes, joints = [], []
    for name, (sides, labelled, _) in counts.items():
        # Percentages, so that a small validation split is visible beside a
        # large training split.
        share = 100 / len(sides)
        heights = share * np.histogram(np.minimum(sides, end), edges)[0]
        sizes.append(chart.Line(name, (edges[1:] + edges[:-1]) / 2, heights))
        numbers = np.arange(len(skeleton) + 1)
        heights = [share * labelled[k] for k in numbers]
        joints.append(chart.Line(name, numbers, heights, dots=True))
    kinds = (
        (
            sizes,
            f"longer side of the box, px; {end / _BINS:g} px a point"
            + (f"; largest {largest:.0f}" if largest > end else ""),
            end,
        ),
        (joints, "labelled joints of a person", 5 * -(-len(skeleton) // 5)),
    )
    found = [
        "<div>"
        + chart.lines(
            drawn,
            x_label=label,
            y_label="people, % of the split",
            x_max=x_max,
            y_max=chart.round_up(max(np.max(line.y) for line in drawn)),
        )
        + "</div>"
        for drawn, label, x_max in kinds
    ]
    return f'<div class="charts">{"".join(found)}</div>'


def _drawn(records, split, most, answers):
    """HTML figures of people, evenly spread over a split."""
    skeleton = records.skeleton
    if not most:
        return []
    answered = answers is not None and answers.split == split
    _, people = batches.spread(records, split, most)
    rows, buttons = [], []
    with records.reading(split):
        for batch in people.batch(_BATCH).as_numpy_iterator():
            rows.append(_truth(batch, records.unit))
            if answered:
                rows[-1] = _with_answers(rows[-1], answers)
            for i, picture in enumerate(
                zip(batch["windows"], batch["to_image"])
            ):
                buttons.append(
                    gallery.drawing(
                        picture,
                        rows[-1],
                        i,
                        skeleton,
                        colour=draw.TRUTH if answers else None,
                        box=True,
                    )
                )
    shown = predictions.concatenate(rows)
    errors, means = shown.errors(), shown.mean_errors()
    return [
        gallery.figure(
            button,
            shown,
            i,
            skeleton,
            errors[i],
            _caption(shown, i, means[i], answered),
        )
        for i, button in enumerate(buttons)
    ]


def _truth(batch, unit):
    """The `predictions.Predictions` of people without answers."""
    nowhere = np.full(batch["joints"].shape, np.nan)
    identity = np.tile(np.eye(2, 3), (len(nowhere), 1, 1))
    return predictions.of_batch(
        batch, nowhere, nowhere[..., 0], identity, reference=unit
    )


def _with_answers(people, answers):
    """The people with the joints and scores of an evaluation."""
    joints, scores = people.joints.copy(), people.scores.copy()
    for i, name in enumerate(people.source_id):
        found = answers.people.get(name.decode(errors="replace"))
        if found is not None:
            joints[i], scores[i] = found[:, :2], found[:, 2]
    return dataclasses.replace(people, joints=joints, scores=scores)


def _caption(shown, i, error, answered):
    """What a figure says of the whole person."""
    labelled, total = (shown.visible[i] > 0).sum(), shown.visible.shape[1]
    width, height = shown.box[i][2:]
    words = [f"{labelled} of {total} joints, {width:.0f} x {height:.0f} px"]
    if shown.negative is not None and shown.negative[i]:
        words.append("nobody")
    if shown.box_score[i] < 1:
        words.append(f"box {shown.box_score[i]:.2f}")
    if answered and np.isnan(shown.scores[i]).all():
        words.append("no prediction")
    elif answered:
        if not np.isnan(error):
            words.append(f"error {error:.{shown.unit.digits}f}")
        words.append(f"score {shown.scores[i].mean():.2f}")
    return ", ".join(words)
