"""What was measured beside what should be reached."""

from collections.abc import Mapping, Sequence

import attrs

from benchmarks.measuring import Measurement, Quantity, Ratio
from benchmarks.plot import Curve


@attrs.frozen
class AtLeast:
    """So many times as fast as the other side."""

    times: float

    def __str__(self) -> str:
        return f"≥ {self.times:g} ×"

    def reached(self, ratio: Ratio) -> bool:
        """Whether it is."""
        return ratio.value >= self.times


@attrs.frozen
class AtMost:
    """So many times what the other side takes."""

    times: float
    unit: str = "×"

    def __str__(self) -> str:
        return f"≤ {self.times:g} {self.unit}"

    def reached(self, ratio: Ratio) -> bool:
        """Whether it is."""
        return ratio.value <= self.times


Target = AtLeast | AtMost


@attrs.frozen
class Result:
    """One line of the table."""

    #: What was compared with what.
    work: str
    #: What is compared.
    quantity: str
    #: What was wanted; ``None`` for what is only there to be known.
    target: Target | None = None
    #: What it is; ``None`` if it was not measured.
    ratio: Ratio | None = None
    #: Why it was not measured.
    why_not: str = ""

    @property
    def verdict(self) -> str:
        """What the document says of it."""
        if self.ratio is None:
            return "not measured"
        if self.target is None:
            return ""
        return "yes" if self.target.reached(self.ratio) else "**no**"

    @property
    def value(self) -> str:
        """What was measured, with the middle half of the rounds; or why nothing was."""
        if self.ratio is None:
            return self.why_not
        unit = self.target.unit if isinstance(self.target, AtMost) else "×"
        value, low, high = (number(part) for part in (self.ratio.value, self.ratio.low, self.ratio.high))
        return f"{value} {unit}" + (f" ({low} to {high})" if low != high else "")


@attrs.frozen
class Row:
    """One row of the benchmark, which may have several results."""

    number: int
    #: What it is about.
    title: str
    results: Sequence[Result]
    #: What the sides took, by what one call is.
    measurements: Sequence[tuple[str, Measurement]] = ()
    #: What one has to know to read it.
    note: str = ""
    #: What became of sides that were measured at several sizes: microseconds by size.
    growth: Mapping[str, Curve] = attrs.field(factory=dict)


def compare(
    measurement: Measurement, work: str, ours: str, theirs: str, target: Target | None, *, quantity: Quantity = "time"
) -> Result:
    """Compare two sides of a measurement: how much more we take than they, or how many times as fast we are."""
    if isinstance(target, AtMost) or (target is None and quantity == "CPU time"):
        return Result(work, f"{quantity}, ours / theirs", target, measurement.ratio(ours, theirs, quantity))
    return Result(work, f"{quantity}, theirs / ours", target, measurement.ratio(theirs, ours, quantity))


def number(value: float) -> str:
    """Return a number with three digits that count, or all before the point."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
