"""Draw evaluations as PNG bytes: a radar chart, bars with intervals, a scatter plot of two systems by prompt.

The caller passes only metrics that one scorer computed for every system. Writes no files.
"""

import io
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from evals.evaluations.statistics import Figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Okabe and Ito's palette, safe for colour-blind readers."""
LEAST_AXES: Final = 3
"""Of a radar chart: fewer axes enclose no area."""
UPRIGHT: Final = 0.2
"""Below this absolute cosine of its axis, a radar label is centred above or below the axis instead of beside it."""
DPI: Final = 110
COLUMNS: Final = 3
Systems = Mapping[str, Sequence[Figure]]
"""The figures of each system by name; every system has the same metrics in the same order."""


def radar(systems: Systems) -> bytes | None:
    """Draw means from 0 (centre) to 1 (rim), intervals shaded; None for fewer than three metrics on that scale."""
    first = next(iter(systems.values()))
    axes = [place for place, _ in enumerate(first) if all(_on_scale(found[place]) for found in systems.values())]
    if len(axes) < LEAST_AXES:
        return None
    canvas = _canvas(7.5, 6.5)
    plot: Any = canvas.add_subplot(projection="polar")
    angles = [2 * math.pi * place / len(axes) for place in range(len(axes))]
    for (name, found), colour in zip(systems.items(), _colours(len(systems)), strict=True):
        means = [found[place].mean for place in axes]
        values, lows, highs = zip(*(_bounds(mean.value, mean.low, mean.high) for mean in means), strict=True)
        around = [*angles, angles[0]]
        plot.plot(around, [*values, values[0]], color=colour, marker="o", markersize=4, label=name)
        plot.fill_between(around, [*lows, lows[0]], [*highs, highs[0]], color=colour, alpha=0.2, linewidth=0)
    plot.set_xticks(angles, [_in_lines(first[place].title) for place in axes])
    plot.tick_params(axis="x", pad=8)
    for angle, label in zip(angles, plot.get_xticklabels(), strict=True):
        across = math.cos(angle)
        label.set_horizontalalignment("center" if abs(across) < UPRIGHT else "left" if across > 0 else "right")
    plot.set_ylim(0, 1)
    plot.set_yticks([0.25, 0.5, 0.75, 1.0])
    plot.set_title("Means over videos, shaded: 95 % intervals", pad=28)
    if len(systems) > 1:
        canvas.legend(loc="outside lower center", frameon=False)
    return _png(canvas)


def bars(systems: Systems) -> bytes:
    """Draw a panel for each metric with its own scale, and in it a bar with a 95 % interval for each system."""
    titles = [figure.title for figure in next(iter(systems.values()))]
    columns = min(COLUMNS, len(titles))
    rows = -(-len(titles) // columns)
    canvas = _canvas(4.2 * columns, (1.0 + 0.35 * len(systems)) * rows + 0.2)
    names = list(systems)
    for place, title in enumerate(titles):
        panel = canvas.add_subplot(rows, columns, place + 1)
        for row, (name, colour) in enumerate(zip(names, _colours(len(names)), strict=True)):
            mean = systems[name][place].mean
            if mean.value is None:
                panel.text(0, row, " no number", va="center", fontsize=8)
                continue
            value, low, high = _bounds(mean.value, mean.low, mean.high)
            error = [[max(0.0, value - low)], [max(0.0, high - value)]]
            panel.barh(row, value, color=colour, height=0.6, xerr=error, error_kw={"capsize": 3, "linewidth": 1.2})
        panel.set_yticks(range(len(names)), [_short(name) for name in names] if place % columns == 0 else [])
        panel.invert_yaxis()
        panel.set_title(title, fontsize=10)
        panel.tick_params(labelsize=8)
        panel.spines[["top", "right"]].set_visible(False)
    return _png(canvas)


def scatter(names: tuple[str, str], pairs: Mapping[str, Sequence[tuple[str, float, float]]]) -> bytes:
    """Draw a panel for each metric (by title) and a point for each prompt: x is the first system, y the second.

    Points above the diagonal are prompts on which the second system scores higher.
    """
    columns = min(COLUMNS, len(pairs))
    rows = -(-len(pairs) // columns)
    canvas = _canvas(3.9 * columns, 3.7 * rows)
    for place, (title, points) in enumerate(pairs.items()):
        panel = canvas.add_subplot(rows, columns, place + 1)
        first, second = [a for _, a, _ in points], [b for _, _, b in points]
        low, high = min(first + second), max(first + second)
        margin = 0.05 * (high - low) or 0.05 * abs(high) or 0.05
        span = low - margin, high + margin
        panel.plot(span, span, color="#999999", linewidth=1)
        panel.scatter(first, second, s=18, color=COLOURS[0], alpha=0.7, linewidths=0)
        panel.set(xlim=span, ylim=span, aspect="equal")
        panel.set_title(title, fontsize=10)
        panel.set_xlabel(_short(names[0]), fontsize=8)
        panel.set_ylabel(_short(names[1]), fontsize=8)
        panel.tick_params(labelsize=7)
        panel.locator_params(nbins=4)
    return _png(canvas)


def _on_scale(figure: Figure) -> bool:
    return figure.better == "higher" and figure.mean.value is not None and 0 <= figure.mean.value <= 1


def _bounds(value: float | None, low: float | None, high: float | None) -> tuple[float, float, float]:
    assert value is not None, "only figures with a value are drawn"
    return value, value if low is None else low, value if high is None else high


def _colours(count: int) -> list[str]:
    return [COLOURS[place % len(COLOURS)] for place in range(count)]


def _in_lines(title: str) -> str:
    return title.replace(" ", "\n", 1)


def _short(name: str) -> str:
    return name if len(name) <= 24 else f"…{name[-23:]}"


def _canvas(width: float, height: float) -> "Canvas":
    from matplotlib.figure import Figure as Canvas  # half a second; only reports need it
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    return Canvas(figsize=(width, height), layout=ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.1))


def _png(canvas: "Canvas") -> bytes:
    file = io.BytesIO()
    # No library version in the metadata, so that equal figures give equal bytes.
    canvas.savefig(file, format="png", dpi=DPI, metadata={"Software": None})
    return file.getvalue()
