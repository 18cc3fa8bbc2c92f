"""Findings that may stay: where that is said, and what is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from surf_data.errors import QueryFileError, SurfDataError
from surf_data.migrate import Migration, read_folder
from surf_data.review import Finding, read_queries
from surf_data.review.findings.suppressions import of_migrations, of_queries, settled
from surf_data.review.rules import Suppression

SqlFolder = Callable[..., Path]
Refused = Callable[[Callable[[], Any], type[SurfDataError]], SurfDataError]

ACCEPTED = """\
-- name: shop_sum$
-- The sum.
-- replica: ok
-- accept: SEQ-SCAN once a night, on a replica
-- accept:  BIG-SORT   nothing else runs then
SELECT sum(x) FROM shop;
"""


@pytest.fixture
def migrations(tmp_path: Path) -> Callable[[str], list[Migration]]:
    """Return a function that returns a folder of one migration."""

    def of(text: str) -> list[Migration]:
        (tmp_path / "0001_shop.sql").write_text(text, "utf-8")
        return read_folder(tmp_path)

    return of


def test_queries(sql_folder: SqlFolder) -> None:
    """A query's header accepts findings by their codes, each with a reason, and it is known on which line."""
    folder = sql_folder(shop=ACCEPTED)
    scan = Suppression(
        code="SEQ-SCAN", subject="shop_sum", reason="once a night, on a replica", file=folder / "shop.sql", line=4
    )
    sort = attrs.evolve(scan, code="BIG-SORT", reason="nothing else runs then", line=5)
    assert list(of_queries(read_queries(folder))) == [scan, sort]


def test_migrations(migrations: Callable[[str], list[Migration]]) -> None:
    """A migration's comments accept its findings; what looks like a comment within a text does not."""
    text = "-- Why: it must be.\n-- migrate:up\n-- accept: REWRITE no rows yet\nSELECT '\n-- accept: LOCK x';\n"
    [migration] = migrations(text)
    [found] = of_migrations([migration])
    assert found == Suppression(
        code="REWRITE", subject="0001_shop.sql", reason="no rows yet", file=migration.path, line=3
    )


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("SEQSCAN nightly", "there is no finding SEQSCAN; there are ALL-SHARDS, BIG-SORT, "),
        ("STALE-ACCEPT never mind", "there is no finding STALE-ACCEPT; there are "),
        ("", "there is no finding without a code; there are "),
        ("SEQ-SCAN", "say why SEQ-SCAN may stay"),
    ],
)
def test_refused(sql_folder: SqlFolder, refused: Refused, said: str, problem: str) -> None:
    """A code that there is not, and an acceptance without a reason, are refused with file and line."""
    queries = read_queries(sql_folder(shop=f"-- name: a\n-- accept: {said}\nSELECT 1;"))
    error = refused(lambda: list(of_queries(queries)), QueryFileError)
    assert f"shop.sql:2: {problem}" in str(error)


def test_settled(sql_folder: SqlFolder) -> None:
    """What is accepted stays with its reason; what is accepted and was looked for in vain is a finding itself."""
    queries = read_queries(sql_folder(shop=ACCEPTED))
    scan = Finding(code="SEQ-SCAN", subject="shop_sum", about="shop", message="reads all of shop")
    other = attrs.evolve(scan, subject="shop_list")
    found = list(settled([scan, attrs.evolve(scan, about="board"), other], of_queries(queries), {"BIG-SORT"}))
    assert [finding.accepted for finding in found[:3]] == ["once a night, on a replica"] * 2 + [None]
    [stale] = found[3:]
    assert (stale.identity, stale.line) == (("STALE-ACCEPT", "shop_sum", "BIG-SORT"), 5)
    assert list(settled([scan], of_queries(queries), {"SEQ-SCAN"}))[1:] == []
