"""Findings as values: where they are, and which of two revisions has them."""

from pathlib import Path

import attrs
import pytest

from surf_data.review import Finding, compare

SCAN = Finding(
    code="SEQ-SCAN",
    subject="shop_list",
    about="public.shop",
    message="reads all of shop",
    file=Path("sql/shop.sql"),
    line=3,
)


@pytest.mark.parametrize(
    ("finding", "place"),
    [
        (SCAN, "sql/shop.sql:3: shop_list"),
        (attrs.evolve(SCAN, line=None), "sql/shop.sql: shop_list"),
        (attrs.evolve(SCAN, file=None, line=None, subject="shop_name_idx"), "shop_name_idx"),
        (attrs.evolve(SCAN, file=Path("m/0001_shop.sql"), subject="0001_shop.sql"), "m/0001_shop.sql:3"),
    ],
)
def test_place(finding: Finding, place: str) -> None:
    """A finding says where it is, and a file's name once."""
    assert finding.place() == place
    assert str(finding) == f"{place}: SEQ-SCAN: reads all of shop"


def test_comparison() -> None:
    """Findings are the same in two revisions whatever their lines and words; one whose reason is gone is new again."""
    named = {name: attrs.evolve(SCAN, subject=name) for name in ("gone", "kept", "moved", "reasoned", "unreasoned")}
    before = [*list(named.values())[:4], attrs.evolve(named["unreasoned"], accepted="nightly")]
    now = [
        named["kept"],
        attrs.evolve(named["moved"], line=9, message="other words"),
        attrs.evolve(named["reasoned"], accepted="nightly"),
        named["unreasoned"],
        attrs.evolve(named["kept"], about="public.board"),
    ]
    found = compare(before, now)
    assert found.new == (now[3], now[4])
    assert found.old == (now[0], now[1])
    assert found.accepted == (now[2],)
    assert found.fixed == (named["gone"],)
