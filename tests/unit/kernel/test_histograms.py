"""Histograms that are added up over processes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surf_data.errors import ValidationError
from surf_data.kernel.histograms import NOTHING, QueryHistogram, merged
from surf_data.kernel.observation import Observation

Durations = st.lists(st.integers(min_value=0, max_value=10**13), max_size=50)


def observed(durations: list[int]) -> QueryHistogram:
    """Return the histogram of one process in which a query took so many nanoseconds each time."""
    observation = Observation()
    for duration in durations:
        observation.record("q", duration, 2, ValueError() if duration % 2 else None)
    return observation.histograms().get("q", NOTHING)


@given(first=Durations, second=Durations)
def test_two_processes_together(first: list[int], second: list[int]) -> None:
    """What two processes have counted is what one would have that ran all; and one can be taken away again."""
    both = observed(first) + observed(second)
    assert both == observed(first + second)
    assert both.statistics() == observed(second + first).statistics()
    assert both - observed(first) == observed(second)


@given(durations=Durations)
def test_it_travels_as_json(durations: list[int]) -> None:
    """Nothing is lost on the way to another process."""
    histogram = observed(durations)
    assert QueryHistogram.from_dict(json.loads(json.dumps(histogram.to_dict()))) == histogram


def test_merging_is_by_query() -> None:
    """Each query of any process is there, in the order of the alphabet."""
    one, two = observed([1_000_000]), observed([2_000_000, 4_000_000])
    assert merged([{"b": one}, {"b": two, "a": two}]) == {"a": two, "b": one + two}
    assert merged([]) == {}
    assert NOTHING.statistics() == {"count": 0, "errors": 0, "rows": 0, "p50_ms": 0.0, "p95_ms": 0.0, "p99_ms": 0.0}


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (None, "histogram"),
        ({"errors": 0, "rows": 0}, "durations"),
        ({"errors": -1, "rows": 0, "durations": []}, "errors"),
        ({"errors": 0, "rows": "1", "durations": []}, "rows"),
        ({"errors": 0, "rows": 0, "durations": "1"}, "durations"),
        ({"errors": 0, "rows": 0, "durations": [[1.5]]}, "durations"),
        ({"errors": 0, "rows": 0, "durations": [[1.5, 0]]}, "durations"),
        ({"errors": 0, "rows": 0, "durations": [["1", 1]]}, "durations"),
    ],
)
def test_another_document_is_refused(document: Any, field: str) -> None:
    """What is no histogram is refused by the name of the member."""
    with pytest.raises(ValidationError) as caught:
        QueryHistogram.from_dict(document)
    assert (caught.value.field or "").removeprefix("histogram.") == field
