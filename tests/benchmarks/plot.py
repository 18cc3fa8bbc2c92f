"""Draws curves as SVG, both axes logarithmic."""

import math
from collections.abc import Iterator, Mapping, Sequence
from xml.sax.saxutils import escape

_WIDTH, _HEIGHT, _MARGIN = 640, 360, 60
_FONT = 'font-family="sans-serif" font-size="12"'
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")

#: Pairs of x and y, all above 0.
Curve = Sequence[tuple[float, float]]


def svg(title: str, across: str, up: str, curves: Mapping[str, Curve]) -> str:
    """Return a drawing of curves.

    Arguments:
        title: what it shows.
        across: what x is, with its unit.
        up: what y is, with its unit.
        curves: by name.
    """
    points = [point for curve in curves.values() for point in curve]
    x_axis = _Axis([x for x, _ in points], _MARGIN, _WIDTH - _MARGIN)
    y_axis = _Axis([y for _, y in points], _HEIGHT - _MARGIN, _MARGIN)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" {_FONT}>',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        *(_line(x, _MARGIN, x, _HEIGHT - _MARGIN) + _text(x, _HEIGHT - 42, label) for x, label in x_axis.marks()),
        *(
            _line(_MARGIN, y, _WIDTH - _MARGIN, y) + _text(_MARGIN - 6, y + 4, label, "end")
            for y, label in y_axis.marks()
        ),
        _text(_WIDTH / 2, _HEIGHT - 16, across),
        _text(_MARGIN, 24, up, "start"),
    ]
    for (name, curve), colour in zip(curves.items(), _COLOURS, strict=False):
        path = " ".join(f"{x_axis.place(x):.1f},{y_axis.place(y):.1f}" for x, y in curve)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        last_x, last_y = curve[-1]
        end = (x_axis.place(last_x), y_axis.place(last_y) - 6)
        parts.append(_text(*end, name, "end", colour))
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


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#cccccc"/>'


def _text(x: float, y: float, text: str, anchor: str = "middle", colour: str = "black") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'
