"""How long something took how often: figures that can be added up over processes, which percentiles cannot."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any, Self

import attrs

from surf_data.kernel import validation

# A duration is filed under its leading five bits, so a bucket is at most 1/16 of its duration wide.
_SIGNIFICANT_BITS = 5


@attrs.frozen(kw_only=True)
class QueryHistogram:
    """How long one query took, and what it did, over the life of a process, or of several: they can be added."""

    errors: int
    rows: int
    #: Milliseconds, exact to 1/32, and how often it took so long; in ascending order.
    durations: tuple[tuple[float, int], ...]

    @property
    def count(self) -> int:
        """How often the query was run."""
        return sum(number for _, number in self.durations)

    @property
    def total_ms(self) -> float:
        """Milliseconds that it took in all."""
        return sum(milliseconds * number for milliseconds, number in self.durations)

    def percentile(self, percent: int) -> float:
        """Return the milliseconds within which ``percent`` of the runs lie, 1 to 100; 0 when there were none."""
        if not self.durations:
            return 0.0
        # Of the sum in hundredths, so that the arithmetic is exact.
        reached = list(accumulate(100 * number for _, number in self.durations))
        milliseconds, _ = self.durations[bisect_left(reached, percent * reached[-1] // 100)]
        return milliseconds

    def statistics(self) -> dict[str, Any]:
        """Return ``count``, ``errors``, ``rows``, ``p50_ms``, ``p95_ms``, ``p99_ms``."""
        percentiles = {f"p{percent}_ms": self.percentile(percent) for percent in (50, 95, 99)}
        return {"count": self.count, "errors": self.errors, "rows": self.rows, **percentiles}

    def __add__(self, other: Self) -> "QueryHistogram":
        """Return what both say together: of two processes, for example."""
        return self._with(other, 1)

    def __sub__(self, earlier: Self) -> "QueryHistogram":
        """Return what has happened since ``earlier``, a histogram of the same process."""
        return self._with(earlier, -1)

    def _with(self, other: Self, sign: int) -> "QueryHistogram":
        counts = Counter(dict(self.durations))
        for milliseconds, number in other.durations:
            counts[milliseconds] += sign * number
        return QueryHistogram(
            errors=self.errors + sign * other.errors,
            rows=self.rows + sign * other.rows,
            durations=tuple((milliseconds, number) for milliseconds, number in sorted(counts.items()) if number > 0),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can say it, for another process."""
        return {"errors": self.errors, "rows": self.rows, "durations": [list(pair) for pair in self.durations]}

    @classmethod
    def from_dict(cls, document: object) -> "QueryHistogram":
        """Return what `to_dict` was called on.

        Raises:
            ValidationError: it is not what `to_dict` returns; the error names the member.
        """
        members = validation.mapping("histogram", document)
        validation.check_keys("histogram", members, required=("errors", "rows", "durations"))
        return cls(
            errors=validation.integer("errors", members["errors"], minimum=0, maximum=validation.INT8_MAX),
            rows=validation.integer("rows", members["rows"], minimum=0, maximum=validation.INT8_MAX),
            durations=tuple(sorted(map(_duration, _list("durations", members["durations"])))),
        )


#: What nothing has happened to.
NOTHING = QueryHistogram(errors=0, rows=0, durations=())


def merged(processes: Iterable[Mapping[str, QueryHistogram]]) -> dict[str, QueryHistogram]:
    """Return the histograms of several processes as one, by query.

    Arguments:
        processes: of each what `surf_data.kernel.postgres.DatabaseManager.histograms` returned there.
    """
    found: dict[str, QueryHistogram] = {}
    for each in processes:
        for name, histogram in each.items():
            found[name] = found[name] + histogram if name in found else histogram
    return dict(sorted(found.items()))


def _duration(pair: object) -> tuple[float, int]:
    milliseconds, number, *_ = [*_list("durations", pair), None, None]
    return (
        validation.number("durations", milliseconds),
        validation.integer("durations", number, minimum=1, maximum=validation.INT8_MAX),
    )


def _list(field: str, value: object) -> Sequence[Any]:
    if not isinstance(value, (list, tuple)):
        raise validation.invalid(field, "must be a list")
    return value


def bucket_of(duration: int) -> int:
    """Return the bucket under which a duration in nanoseconds is filed: a logarithm without its cost."""
    shift = duration.bit_length() - _SIGNIFICANT_BITS
    return (shift << _SIGNIFICANT_BITS) + (duration >> shift) if shift > 0 else duration


def middle(bucket: int) -> float:
    """Return the milliseconds in the middle of a bucket."""
    shift, leading = divmod(bucket, 1 << _SIGNIFICANT_BITS)
    # Durations are whole nanoseconds, so the last one in the bucket is one less than the first of the next.
    return ((leading << shift) + ((1 << shift) - 1) / 2) / 1e6
