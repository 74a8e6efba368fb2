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

_STYLE = """
body { font: 15px/1.4 sans-serif; margin: 2em; color: #222; }
table { border-collapse: collapse; margin: .6em 0; }
th, td { border: 1px solid #bbb; padding: .3em .7em; text-align: left; }
.numbers :is(th, td) { text-align: right; font-variant-numeric: tabular-nums; }
.numbers :is(th, td):first-child { text-align: left; }
.people, .charts { display: flex; flex-wrap: wrap; gap: .6em; }
.charts { gap: 2em; }
figure { margin: 0; width: 240px; position: relative; }
figure.chart { width: 460px; }
figcaption { font-size: 12px; overflow-wrap: anywhere; }
figcaption span, .legend span { display: inline-block; margin-right: 1em; }
i { display: inline-block; width: .8em; height: .8em; margin-right: .4em; }
svg text { font: 11px sans-serif; fill: #444; }
svg .middle { text-anchor: middle; }
svg .end { text-anchor: end; }
svg .grid { stroke: #ddd; fill: none; }
svg .ideal { stroke: #888; stroke-dasharray: 2 4; fill: none; }
svg .line { stroke-width: 2; fill: none; }
.bar { display: flex; width: 220px; height: 1em; background: #eee; }
.bar i { height: 1em; margin: 0; border-radius: 0; }
.bar b { background: #0072b2; height: 1em; }
.filter { position: sticky; top: 0; background: #fff; padding: .6em 0;
  border-bottom: 1px solid #bbb; z-index: 1; }
.over { position: absolute; left: 0; top: 0; width: 240px; height: 240px; }
.over line { stroke: #fff; stroke-width: 2; stroke-dasharray: 3 2; }
.over circle { fill: none; stroke: #ff2ad4; stroke-width: 3; }
.over circle.truth { stroke: #fff; }
.only { display: none; }
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
            f'<html lang="en"><head><meta charset="utf-8"><title>{title}'
            f"</title><style>{_STYLE}</style></head><body><h1>{title}</h1>",
            *parts,
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
    """A table of texts.

    Args:
        head: The columns' names.
        rows: Cells, texts or numbers.
        classes: A class of the style sheet for each row; none by default.
        kind: The table's class: "numbers" aligns all but the first column to
            the right.
    """
    names = "".join(f"<th>{html.escape(name)}</th>" for name in head)
    lines = []
    for i, row in enumerate(rows):
        of = f' class="{classes[i]}"' if classes else ""
        lines.append(f"<tr{of}>{''.join(map(_cell, row))}</tr>")
    start = f'<table class="{kind}">' if kind else "<table>"
    return f"{start}<tr>{names}</tr>{''.join(lines)}</table>"


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
    _, data = cv2.imencode(".jpg", picture[..., ::-1])
    return uri("jpeg", data.tobytes())


def _cell(value):
    if isinstance(value, Html):
        return f"<td>{value}</td>"
    return f"<td>{html.escape(str(value))}</td>"
