"""Pieces of the document: what is put into words and figures."""

import attrs
import pytest

from surf_data.review.planning.plans import Plan, PlanNode
from surf_data.review.report.contents import Report, counted, figure, shown
from surf_data.review.report.document import diff, html

PLAN = Plan(
    query="q",
    example={},
    root=PlanNode(
        kind="Seq Scan",
        relation="public.shop",
        index=None,
        startup_cost=0,
        total_cost=1,
        rows=1,
        width=1,
        details={},
        children=(),
    ),
)


def test_diff() -> None:
    """Two texts are one, in which every line says what it is."""
    assert diff("a\nb\nc", "a\nd\nc") == [(" ", "a"), ("-", "b"), ("+", "d"), (" ", "c")]


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.0, "0"), (0.125, "0.12"), (8.0, "8"), (99.99, "99.99"), (100.4, "100"), (1e9, "1,000,000,000")],
)
def test_figure(number: float, text: str) -> None:
    """Decimals are there as long as they matter."""
    assert figure(number) == text


def test_counted() -> None:
    """One of a thing is not several."""
    assert [counted(number, noun) for number in (1, 2) for noun in ("query", "finding")] == [
        *("1 query", "1 finding"),
        *("2 queries", "2 findings"),
    ]


def test_shown() -> None:
    """What would steer a screen, or turn the reading round, is seen."""
    assert shown("a\tb\n\x1b[1m\u202eä\u00a0\U0001f3c4\U000e0001") == "a\tb\n\\x1b[1m\\u202eä\\xa0\U0001f3c4\\ue0001"


def test_nothing() -> None:
    """Where there are no queries, there is a document all the same."""
    assert "the 0 queries below <code>sql</code>" in html(Report(folder="sql"))


def test_costs_of_the_same_values_are_compared() -> None:
    """Where an example is new, the costs for any values are shown; else those of the dearest example."""

    def priced(cost: float, **example: str) -> Plan:
        return attrs.evolve(PLAN, example=example, root=attrs.evolve(PLAN.root, total_cost=cost))

    def costs(before: list[Plan], now: list[Plan]) -> list[float | None]:
        report = Report(folder="sql", plans_before={"q": before}, plans={"q": now})
        return [None if each is None else each.cost for each in report.dearest("q")]

    assert costs([priced(1)], [priced(2), priced(3, a="1")]) == [1, 2]
    assert costs([priced(9), priced(1, a="1"), priced(2, a="2")], [priced(9), priced(3, a="1"), priced(4, a="2")]) == [
        2,
        4,
    ]
    assert costs([], [priced(2), priced(3, a="1")]) == [None, 3]
