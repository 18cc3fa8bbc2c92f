"""Draws charts as SVG that are read on light and on dark pages: bars of ratios, and curves on logarithmic axes."""

import math
from collections.abc import Iterator, Mapping, Sequence
from xml.sax.saxutils import escape

import attrs

_STYLE = """<style>
:root { --paper: #ffffff; --ink: #1f2328; --faint: #d0d7de; --good: #0a67a3; --bad: #b4530a; --mark: #1f2328 }
@media (prefers-color-scheme: dark) {
:root { --paper: #161b22; --ink: #e6edf3; --faint: #3d444d; --good: #58a6ff; --bad: #f0883e; --mark: #e6edf3 }
}
text { font: 13px system-ui, sans-serif; fill: var(--ink) }
</style>"""
_WIDTH, _HEIGHT, _MARGIN = 640, 360, 60
_COLOURS = ("var(--good)", "var(--bad)", "#2e9e6b", "#b669a4")
# Of a chart of bars: its width, the room around, the height of a bar with its label, and of the bar alone.
_BARS, _EDGE, _STEP, _BAR = 560, 16, 38, 12

#: Pairs of x and y, all above 0.
Curve = Sequence[tuple[float, float]]


@attrs.frozen
class Bar:
    """One bar."""

    #: What it is about.
    label: str
    #: How long it is.
    value: float
    #: The same for a reader.
    text: str
    #: Where it should end.
    goal: float | None
    #: Whether it does; ``None`` without a goal.
    reached: bool | None


def bars(title: str, scale: str, drawn: Sequence[Bar], *, shares: bool) -> str:
    """Return bars below one another, each with its goal as a mark.

    Arguments:
        title: what they show.
        scale: what their length is, in words.
        drawn: the bars; with ``shares``, of values from 0 to 1 or a little above.
        shares: whether bars begin at 0; else they begin at 1, and go to the right for what is above it.
    """
    known = [value for bar in drawn for value in (bar.value, bar.goal) if value]
    low, high = (0.0, max(1.0, *known)) if shares else (min(0.5, *known), max(2.0, *known))

    def place(value: float) -> float:
        part = value / high if shares else math.log(value / low) / math.log(high / low)
        return _EDGE + part * (_BARS - 2 * _EDGE)

    begin = place(0.0 if shares else 1.0)
    height = 30 + _STEP * len(drawn) + 26
    end = 1.0 if shares else None
    parts = [_head(title, _BARS, height), _text(_EDGE, 20, scale, "start")]
    parts += [_line(at, 30, at, height - 20) for at in (begin, *([place(end)] if end else []))]
    parts.append(_text(begin, height - 6, "0" if shares else "1 ×", "start" if shares else "middle"))
    if end:
        parts.append(_text(place(end), height - 6, "100 %", "end"))
    for number, bar in enumerate(drawn):
        top = 30 + _STEP * number
        left, right = sorted((begin, place(bar.value)))
        colour = "var(--bad)" if bar.reached is False else "var(--good)"
        parts += [
            _text(_EDGE, top + 14, bar.label, "start"),
            _text(_BARS - _EDGE, top + 14, bar.text, "end"),
            f'<rect x="{left:.1f}" y="{top + 19}" width="{max(right - left, 1):.1f}" height="{_BAR}" fill="{colour}"/>',
        ]
        if bar.goal:
            at = place(bar.goal)
            parts.append(
                f'<line x1="{at:.1f}" y1="{top + 16}" x2="{at:.1f}" y2="{top + 22 + _BAR}" '
                'stroke="var(--mark)" stroke-width="2"/>'
            )
    return "\n".join([*parts, "</svg>", ""])


def curves(title: str, across: str, up: str, drawn: Mapping[str, Curve]) -> str:
    """Return a drawing of curves, both axes logarithmic.

    Arguments:
        title: what it shows.
        across: what x is, with its unit.
        up: what y is, with its unit.
        drawn: the curves, by name.
    """
    points = [point for curve in drawn.values() for point in curve]
    x_axis = _Axis([x for x, _ in points], _MARGIN, _WIDTH - _MARGIN)
    y_axis = _Axis([y for _, y in points], _HEIGHT - _MARGIN, _MARGIN)
    parts = [
        _head(title, _WIDTH, _HEIGHT),
        *(_line(x, _MARGIN, x, _HEIGHT - _MARGIN) + _text(x, _HEIGHT - 42, label) for x, label in x_axis.marks()),
        *(
            _line(_MARGIN, y, _WIDTH - _MARGIN, y) + _text(_MARGIN - 6, y + 4, label, "end")
            for y, label in y_axis.marks()
        ),
        _text(_WIDTH / 2, _HEIGHT - 16, across),
        _text(_MARGIN, 24, up, "start"),
    ]
    for (name, curve), colour in zip(drawn.items(), _COLOURS, strict=False):
        path = " ".join(f"{x_axis.place(x):.1f},{y_axis.place(y):.1f}" for x, y in curve)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        last_x, last_y = curve[-1]
        parts.append(_text(x_axis.place(last_x), y_axis.place(last_y) - 6, name, "end"))
    return "\n".join([*parts, "</svg>", ""])


class _Axis:
    """Powers of ten between two places of the drawing that take in all values."""

    def __init__(self, values: Sequence[float], begin: float, end: float) -> None:
        self._low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
        self._high = max(high, self._low + 1)
        self._begin, self._end = begin, end

    def place(self, value: float) -> float:
        """Return where a value is."""
        return self._begin + (self._end - self._begin) * (math.log10(value) - self._low) / (self._high - self._low)

    def marks(self) -> Iterator[tuple[float, str]]:
        """Yield the powers of ten and where they are."""
        for power in range(self._low, self._high + 1):
            yield self.place(10.0**power), f"{10.0**power:,.10g}"


def _head(title: str, width: int, height: int) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">\n'
        f"<title>{escape(title)}</title>\n{_STYLE}\n"
        f'<rect width="{width}" height="{height}" rx="6" fill="var(--paper)"/>'
    )


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="var(--faint)"/>'


def _text(x: float, y: float, text: str, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
