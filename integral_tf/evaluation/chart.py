"""Line charts as inline SVG, for pages that load nothing."""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Sequence

import numpy as np

from integral_tf.signatures import ArrayLike

# The colours of Okabe and Ito, which colour-blind readers can distinguish.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
_WIDTH, _HEIGHT = 460, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 10, 44


@dataclasses.dataclass(frozen=True)
class Line:
    """A line of a chart.

    Attributes:
        label: Text of the legend.
        x, y: `(M,)` points; those that are not finite are left out.
        dots: Draw the points, too.
        group: A class of the page's style sheet, for line and legend; "" for
            none. Lines of one group share a colour.
    """

    label: str
    x: ArrayLike
    y: ArrayLike
    dots: bool = False
    group: str = ""


def lines(
    drawn: Sequence[Line],
    *,
    x_label: str,
    y_label: str,
    x_max: float = 1.0,
    y_max: float = 1.0,
    diagonal: bool = False,
) -> str:
    """A chart of lines from (0, 0) to (x_max, y_max), with a legend below.

    Args:
        drawn: The lines.
        x_label, y_label: Texts of the axes.
        x_max, y_max: Ends of the axes.
        diagonal: Draw a dotted line from corner to corner.

    Returns:
        HTML of a `figure`.
    """

    def place(x, y):
        across = np.asarray(x, np.float64) / x_max
        up = np.asarray(y, np.float64) / y_max
        return (
            _LEFT + across * (_WIDTH - _LEFT - _RIGHT),
            _HEIGHT - _BOTTOM - up * (_HEIGHT - _TOP - _BOTTOM),
        )

    parts = [*_axes(place, x_max, y_max), _names(x_label, y_label)]
    if diagonal:
        ends = _points(*place([0, x_max], [0, y_max]))
        parts.append(f'<polyline class="ideal" points="{ends}"/>')
    legend = []
    plain = 0
    for line in drawn:
        colour = _COLOURS[3] if line.group else _COLOURS[plain % 6]
        plain += not line.group
        parts.append(_drawn(line, colour, place))
        legend.append(
            f'<span class="{line.group}"><i style="background:{colour}"></i>'
            f"{html.escape(line.label)}</span>"
        )
    return (
        f'<figure class="chart"><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'role="img" aria-label="{html.escape(y_label)} over '
        f'{html.escape(x_label)}">{"".join(parts)}</svg>'
        f"<figcaption>{' '.join(legend)}</figcaption></figure>"
    )


def round_up(value: float) -> float:
    """The next end of an axis whose fifths are short numbers."""
    power = 10.0 ** np.floor(np.log10(value)) if value > 0 else 1.0
    steps = np.array([1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10])
    return float(power * steps[np.searchsorted(steps, value / power - 1e-9)])


def _axes(place, x_max, y_max):
    """Yields grid lines with their numbers."""
    for value in np.linspace(0, 1, 6):
        for along in (0, 1):
            ends = ([value, value], [0, 1]) if along else ([0, 1], [value] * 2)
            x, y = place(
                np.multiply(ends[0], x_max), np.multiply(ends[1], y_max)
            )
            yield f'<polyline class="grid" points="{_points(x, y)}"/>'
            number = f"{value * (x_max if along else y_max):.3g}"
            if along:
                at = f'x="{x[0]:.1f}" y="{y[0] + 16:.1f}" class="middle"'
            else:
                at = f'x="{x[0] - 6:.1f}" y="{y[0] + 4:.1f}" class="end"'
            yield f"<text {at}>{number}</text>"


def _names(x_label, y_label):
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    height = (_TOP + _HEIGHT - _BOTTOM) / 2
    return (
        f'<text x="{middle}" y="{_HEIGHT - 8}" class="middle">'
        f"{html.escape(x_label)}</text>"
        f'<text transform="translate(13 {height}) rotate(-90)" '
        f'class="middle">{html.escape(y_label)}</text>'
    )


def _drawn(line, colour, place):
    x, y = np.asarray(line.x, float), np.asarray(line.y, float)
    kept = np.isfinite(x) & np.isfinite(y)
    x, y = place(x[kept], y[kept])
    dots = ""
    if line.dots:
        dots = "".join(
            f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"/>'
            for a, b in zip(x, y)
        )
    return (
        f'<g class="{line.group}"><polyline class="line" stroke="{colour}" '
        f'points="{_points(x, y)}"/>{dots}</g>'
    )


def _points(x, y):
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y))
