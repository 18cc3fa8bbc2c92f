"""Draws commands and their durations by day, as SVG."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 800, 360, 56, 64, 48, 56
_COUNT, _FAILED, _MEAN = "#56b4e9", "#d55e00", "#333333"
_LABELS = 8
_FONT = 'font-family="sans-serif" font-size="12"'


def svg(title: str, days: Sequence[Mapping[str, Any]]) -> str:
    """Return a drawing: a bar for each day, with what failed in another colour, and a line for the mean duration.

    Arguments:
        title: what it shows.
        days: as `CommandQueries.get_days` returns them, one or more.
    """
    most = max(day["total"] for day in days) or 1
    longest = max((day["avg_ms"] or 0 for day in days), default=0) or 1
    step = (_WIDTH - _LEFT - _RIGHT) / len(days)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" {_FONT}>',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        _text(_WIDTH / 2, 20, title),
        *_axes(most, longest),
    ]
    for position, day in enumerate(days):
        left = _LEFT + position * step
        good = day["total"] - day["failures"]
        parts.append(_bar(left, step, (0, good / most), _COUNT, f"{day['day']}: {day['total']} commands"))
        parts.append(_bar(left, step, (good / most, day["total"] / most), _FAILED, f"{day['failures']} failed"))
    points = [
        f"{_LEFT + (position + 0.5) * step:.1f},{_y(day['avg_ms'] / longest):.1f}"
        for position, day in enumerate(days)
        if day["avg_ms"] is not None
    ]
    parts.append(f'<polyline points="{" ".join(points)}" fill="none" stroke="{_MEAN}" stroke-width="2"/>')
    every = -(-len(days) // _LABELS)
    parts += [
        _text(_LEFT + (position + 0.5) * step, _HEIGHT - _BOTTOM + 18, f"{days[position]['day']}")
        for position in range(0, len(days), every)
    ]
    return "\n".join([*parts, "</svg>", ""])


def _axes(most: float, longest: float) -> Iterator[str]:
    for part in (0, 0.25, 0.5, 0.75, 1):
        y = _y(part)
        yield f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}" stroke="#dddddd"/>'
        yield _text(_LEFT - 6, y + 4, f"{most * part:,.4g}", "end")
        yield _text(_WIDTH - _RIGHT + 6, y + 4, f"{longest * part:,.4g}", "start", _MEAN)
    yield _text(_LEFT - 6, _TOP - 12, "commands", "start", _COUNT)
    yield _text(_LEFT + 80, _TOP - 12, "failed", "start", _FAILED)
    yield _text(_WIDTH - 6, _TOP - 12, "mean, ms", "end", _MEAN)


def _y(part: float) -> float:
    return _HEIGHT - _BOTTOM - part * (_HEIGHT - _TOP - _BOTTOM)


def _bar(left: float, step: float, parts: tuple[float, float], colour: str, label: str) -> str:
    low, high = parts
    top, bottom = _y(high), _y(low)
    return (
        f'<rect x="{left + step * 0.1:.1f}" y="{top:.1f}" width="{step * 0.8:.1f}" height="{bottom - top:.1f}"'
        f' fill="{colour}"><title>{escape(label)}</title></rect>'
    )


def _text(x: float, y: float, text: str, anchor: str = "middle", colour: str = "black") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'
