"""HTML pages of one file: their style, tables and pictures.

A page loads nothing: pictures are data URIs, style and script are inside.
Texts that come from files are escaped here, or by the caller with
`html.escape`.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

# Of JPEG: drawn lines are sharp, and a person has about 50 kB.
_QUALITY = 85
_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #222; --soft: #555;
  --line: #bbb; --faint: #e2e2e2; --bar: #0072b2; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #16181b; --ink: #e6e6e6; --soft: #b4b8be; --line: #50565e;
    --faint: #2d3137; --bar: #56b4e9; } }
body { font: 15px/1.45 sans-serif; margin: 0; background: var(--paper);
  color: var(--ink); }
main { max-width: 1220px; margin: 0 auto; padding: 1em 1.5em 3em; }
h1 { font-size: 1.7em; overflow-wrap: anywhere; }
h2 { margin-top: 1.8em; }
p { max-width: 75ch; overflow-wrap: anywhere; }
.note { color: var(--soft); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: .6em 0; }
th, td { border: 1px solid var(--line); padding: .3em .7em; text-align: left; }
.numbers :is(th, td) { text-align: right; font-variant-numeric: tabular-nums; }
.numbers :is(th, td):first-child { text-align: left; min-width: 7em; }
.people, .charts { display: flex; flex-wrap: wrap; gap: .8em; }
.charts { gap: 2em; }
.charts > div { flex: 0 1 460px; min-width: 0; }
figure { margin: 0; }
.person { width: 240px; }
@media (max-width: 560px) { .person { width: calc(50% - .4em); } }
.chart { width: 460px; max-width: 100%; }
figcaption { font-size: 12.5px; overflow-wrap: anywhere; }
.legend span, .chart span:not(.only) { display: inline-block;
  margin-right: 1em; }
i { display: inline-block; width: .8em; height: .8em; margin-right: .4em;
  border: 1px solid var(--line); }
svg text { font: 13px sans-serif; fill: var(--ink); }
svg .middle { text-anchor: middle; }
svg .end { text-anchor: end; }
svg .grid { stroke: var(--faint); fill: none; }
svg .ideal { stroke: var(--soft); stroke-dasharray: 2 4; fill: none; }
svg .line { stroke-width: 2; fill: none; }
.bar { display: flex; width: 220px; height: 1em; background: var(--faint); }
.bar i { height: 1em; margin: 0; border: 0; }
.bar b { background: var(--bar); height: 1em; }
.filter { position: sticky; top: 0; background: var(--paper); z-index: 1;
  padding: .6em 0; border-bottom: 1px solid var(--line); }
.filter label { display: inline-block; margin-right: 1em; }
select, .large button { font: inherit; }
.open { display: block; position: relative; padding: 0; border: 0;
  background: none; cursor: zoom-in; width: 100%; }
.open img { display: block; width: 100%; height: auto; }
.open:focus-visible { outline: 3px solid var(--bar); outline-offset: 2px; }
.over { position: absolute; left: 0; top: 0; width: 100%; height: 100%; }
.over line { stroke: #fff; stroke-width: 2; stroke-dasharray: 3 2; }
.over circle { fill: none; stroke: #ff2ad4; stroke-width: 3; }
.over circle.truth { stroke: #fff; }
.only, [hidden] { display: none; }
.large { background: var(--paper); color: var(--ink); padding: 1em;
  border: 1px solid var(--line); width: min(90vw, 76vh, 960px);
  max-width: none; }
.large::backdrop { background: #000c; }
.large .person { width: 100%; margin-top: .6em; }
.large .who { display: block; }
.large .open { cursor: zoom-out; }
.large figcaption { font-size: 14px; margin-top: .4em; }
.large figcaption .only { display: inline-block; margin-right: 1em; }
"""


def document(title: str, parts: Iterable[str], script: str = "") -> str:
    """A page.

    Args:
        title: Its title and heading, a text.
        parts: HTML of the body.
        script: JavaScript to run at the end.
    """
    title = html.escape(title)
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
            'content="width=device-width, initial-scale=1">',
            f"<title>{title}</title><style>{_STYLE}</style></head><body>",
            f"<main><h1>{title}</h1>",
            *parts,
            "</main>",
            f"<script>{script}</script>" if script else "",
            "</body></html>",
            "",
        ]
    )


def table(
    head: Sequence[str],
    rows: Iterable[Sequence[Any]],
    classes: Sequence[str] = (),
    *,
    kind: str = "",
) -> str:
    """A table of texts, which scrolls sideways where the page is narrow.

    Args:
        head: The columns' names.
        rows: Cells, texts or numbers.
        classes: A class of the style sheet for each row; none by default.
        kind: The table's class: "numbers" aligns all but the first column to
            the right.
    """
    names = "".join(
        f'<th scope="col">{html.escape(name)}</th>' if name else "<td></td>"
        for name in head
    )
    lines = []
    for i, row in enumerate(rows):
        of = f' class="{classes[i]}"' if classes else ""
        lines.append(f"<tr{of}>{''.join(map(_cell, row))}</tr>")
    of = f' class="{kind}"' if kind else ""
    return (
        f'<div class="scroll" tabindex="0"><table{of}><thead><tr>{names}</tr>'
        f"</thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


class Html(str):
    """Text of a table's cell that is HTML, not to be escaped."""


def markdown(text: str) -> str:
    """HTML of a Markdown table with lines of text before it."""
    lines = [line for line in text.splitlines() if line]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines
        if line.startswith("|") and not line.startswith("|---")
    ]
    words = " ".join(line for line in lines if not line.startswith("|"))
    cells = table(rows[0], rows[1:], kind="numbers")
    return f"<p>{html.escape(words)}</p>{cells}"


def uri(kind: str, data: bytes) -> str:
    """A picture file's bytes as a data URI, such as of `"png"`."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def jpeg(picture: np.ndarray) -> str:
    """`(H, W, 3)` uint8 RGB as a data URI."""
    quality = (cv2.IMWRITE_JPEG_QUALITY, _QUALITY)
    _, data = cv2.imencode(".jpg", picture[..., ::-1], quality)
    return uri("jpeg", data.tobytes())


def _cell(value):
    if isinstance(value, Html):
        return f"<td>{value}</td>"
    return f"<td>{html.escape(str(value))}</td>"
