"""People on a page: their drawings, which open large, and the page's controls.

What belongs to joint k has the class `jk`; with the class `only`, too, it is
hidden until the joint is chosen.
"""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np

from integral_tf import skeletons
from integral_tf.evaluation import page
from integral_tf.evaluation import report
from integral_tf.evaluation.predictions import Predictions
from integral_tf.inference import draw

SIDE = 480  # pixels of a drawing's side; the page shows half as many
_SWATCHES = {
    "left": "#28a0ff",
    "right": "#ff7828",
    "middle": "#5adc5a",
    "truth": "#fff",
    "box": "#ffe63c",
}
# Keys to sort the people by, from data attributes; "-" is the largest first.
ORDERS = {
    "place": "as in the records",
    "-size": "largest person first",
    "size": "smallest person first",
    "joints": "fewest labelled joints first",
    "-error": "largest error first",
}
SCRIPT = """
const byId = (name) => document.getElementById(name);
const style = document.head.appendChild(document.createElement("style"));
byId("joint")?.addEventListener("change", (event) => {
  const k = event.target.value;
  style.textContent = k === "" ? "" :
    `.j:not(.j${k}) { display: none; } .only.j${k} { display: revert; }
    .people .person:not(:has(.j${k})) { display: none; }`;
});
byId("split")?.addEventListener("change", (event) => {
  for (const part of document.querySelectorAll("[data-split]"))
    part.hidden = ![ "", part.dataset.split ].includes(event.target.value);
});
byId("order")?.addEventListener("change", (event) => {
  const sign = event.target.value.startsWith("-") ? -1 : 1;
  const key = event.target.value.replace("-", "");
  for (const group of document.querySelectorAll(".people"))
    group.append(...[...group.children].sort((a, b) =>
      sign * (a.dataset[key] - b.dataset[key])));
});
const large = byId("large");
let at = null;
const show = (step) => {
  const shown = [...document.querySelectorAll(".people .person")].filter(
    (each) => each.offsetParent);
  const place = shown.indexOf(at) + step;
  at = shown[(place + shown.length) % shown.length];
  byId("here").replaceChildren(at.cloneNode(true));
  byId("count").textContent = `${shown.indexOf(at) + 1} of ${shown.length}`;
};
document.addEventListener("click", (event) => {
  const open = event.target.closest(".open");
  if (event.target === large || (open && large.contains(open))) large.close();
  else if (open) { at = open.parentElement; show(0); large.showModal(); }
});
byId("before")?.addEventListener("click", () => show(-1));
byId("after")?.addEventListener("click", () => show(1));
large?.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (step) { event.preventDefault(); show(step); }
});
"""
# The large view; Esc closes a `dialog`.
LARGE = (
    '<dialog id="large" class="large" aria-label="A person, large">'
    '<form method="dialog"><button type="button" id="before">previous</button> '
    '<button type="button" id="after">next</button> '
    '<button type="submit">close</button> <span id="count"></span></form>'
    '<div id="here"></div></dialog>'
)


def controls(
    skeleton: skeletons.Skeleton,
    joints: Sequence[int],
    *,
    splits: Sequence[str] = (),
    orders: Sequence[str] = (),
) -> str:
    """The line of selections that stays at the page's top.

    Args:
        skeleton: The `skeletons.Skeleton`.
        joints: Numbers of the joints to choose from.
        splits: Names of the splits to choose from; none for one split.
        orders: Keys of `ORDERS` to choose from; none for one order.
    """
    names = {str(k): skeleton.joints[k] for k in joints}
    found = [_select("joint", {"": "all", **names})]
    if splits:
        found.append(_select("split", {"": "all"} | {s: s for s in splits}))
    if orders:
        found.append(_select("order", {key: ORDERS[key] for key in orders}))
    return f'<div class="filter">{"".join(found)}</div>'


def legend(*, predicted: bool, box: bool = False) -> str:
    """A line that says what the drawings show, and how they open."""
    named = {side: side for side in ("left", "right", "middle")}
    if predicted:
        named = {"truth": "truth"} | {
            side: f"prediction, {side}" for side in named
        }
    if box:
        named["box"] = "box"
    swatches = "".join(
        f'<span><i style="background:{_SWATCHES[name]}"></i>{text}</span>'
        for name, text in named.items()
    )
    rings = "A chosen joint has a ring"
    if predicted:
        rings += ": white at the truth, pink at the prediction"
    return (
        f'<p class="legend">{swatches}</p><p class="note">{rings}. A picture '
        "opens large; the arrow keys go to the next one, Esc closes.</p>"
    )


def drawing(
    picture: tuple[np.ndarray, np.ndarray],
    predicted: Predictions,
    i: int,
    skeleton: skeletons.Skeleton,
    *,
    colour: tuple[int, int, int] | None = draw.TRUTH,
    box: bool = False,
) -> str:
    """A person's picture with rings for the filter, as a button.

    Args:
        picture: The window and its `to_image`.
        predicted: `predictions.Predictions`.
        i: The person's position in `predicted`.
        skeleton: The `skeletons.Skeleton`.
        colour, box: As `report.tile` takes them.
    """
    points = report.on_tile(predicted.joints[i], picture)
    truth = report.on_tile(predicted.truth[i], picture)
    rings = []
    for k in np.flatnonzero(predicted.visible[i] > 0):
        (a, b), (c, d) = truth[k], points[k]
        ring = f'<circle class="truth" cx="{a:.1f}" cy="{b:.1f}" r="7"/>'
        if np.isfinite(points[k]).all():
            ring = (
                f'<line x1="{a:.1f}" y1="{b:.1f}" x2="{c:.1f}" y2="{d:.1f}"/>'
                f'<circle cx="{c:.1f}" cy="{d:.1f}" r="7"/>{ring}'
            )
        rings.append(f'<g class="{of_joint(k, "only")}">{ring}</g>')
    tile = report.tile(
        picture, predicted, i, skeleton, SIDE, colour=colour, box=box
    )
    name = html.escape(predicted.source_id[i].decode(errors="replace"))
    return (
        f'<button type="button" class="open"><img alt="Person {name}" '
        f'width="{SIDE}" height="{SIDE}" src="{page.jpeg(tile)}">'
        f'<svg class="over" viewBox="0 0 {report.TILE} {report.TILE}" '
        f'aria-hidden="true">{"".join(rings)}</svg></button>'
    )


def figure(
    drawn: str,
    predicted: Predictions,
    i: int,
    skeleton: skeletons.Skeleton,
    errors: np.ndarray,
    words: str,
) -> str:
    """The figure of one person.

    Args:
        drawn: HTML, from `drawing`.
        predicted: `predictions.Predictions`.
        i: The person's position in `predicted`.
        skeleton: The `skeletons.Skeleton`.
        errors: `(K,)` errors of the joints; NaN is not counted.
        words: What the caption says of the whole person.
    """
    name = predicted.source_id[i].decode(errors="replace")
    whole = html.escape(f"{name}, image {predicted.image_id[i]}: {words}")
    caption = [f'<span class="who">{whole}</span>']
    labelled = np.flatnonzero(predicted.visible[i] > 0)
    answered = np.isfinite(predicted.joints[i]).all(axis=-1)
    for k in labelled:
        text = skeleton.joints[k]
        if answered[k] and not np.isnan(errors[k]):
            text += f" {errors[k]:.{predicted.unit.digits}f}"
            text += f", score {predicted.scores[i, k]:.2f}"
        caption.append(
            f'<span class="{of_joint(k, "only")}">{html.escape(text)}</span>'
        )
    known = errors[~np.isnan(errors)]
    mean = known.mean() if known.size else 0
    return (
        f'<figure class="person" data-place="{i}" '
        f'data-size="{max(predicted.box[i][2:]):.1f}" '
        f'data-joints="{len(labelled)}" data-error="{mean:.4f}">{drawn}'
        f"<figcaption>{' '.join(caption)}</figcaption></figure>"
    )


def of_joint(k: int, *more: str) -> str:
    """Classes of an element that belongs to joint k."""
    return " ".join((*more, "j", f"j{k}"))


def _select(name, options):
    """A selection with a label."""
    rows = "".join(
        f'<option value="{html.escape(value)}">{html.escape(text)}</option>'
        for value, text in options.items()
    )
    return (
        f'<label>{name.capitalize()}: <select id="{name}">{rows}</select>'
        "</label>"
    )
