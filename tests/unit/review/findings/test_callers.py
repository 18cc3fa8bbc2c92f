"""Who calls a query, by the Python code as it is written."""

from collections.abc import Callable
from pathlib import Path

import pytest

from surf_data.review import Caller, QuerySource, find_callers, read_queries
from surf_data.review.findings.query_rules import uncalled


@pytest.fixture
def queries(tmp_path: Path) -> list[QuerySource]:
    """Return queries in two folders, which share a name."""
    for folder, names in {"shop": ("find", "close"), "board": ("find", "list_all")}.items():
        (tmp_path / "sql" / folder).mkdir(parents=True)
        text = "".join(f"-- name: {name}\nSELECT 1;\n" for name in names)
        (tmp_path / "sql" / folder / "queries.sql").write_text(text, "utf-8")
    return read_queries(tmp_path / "sql")


@pytest.fixture
def called(tmp_path: Path, queries: list[QuerySource]) -> Callable[[str], dict[str, list[tuple[int, str]]]]:
    """Return a function that returns who calls each query in a piece of code: line and function."""

    def in_code(code: str) -> dict[str, list[tuple[int, str]]]:
        file = tmp_path / "code.py"
        file.write_text(code, "utf-8")
        found = find_callers(queries, [file])
        return {name: [(each.line, each.function) for each in callers] for name, callers in found.items() if callers}

    return in_code


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("queries.shop.close(c)", {"shop.close": [(1, "")]}),
        (
            "class Shops:\n    def end(self):\n        with q().list_all_cursor(\n            c) as rows: pass",
            {"board.list_all": [(3, "Shops.end")]},
        ),
        ("async def f():\n    g = lambda: (\n        shops\n        .close)", {"shop.close": [(4, "f")]}),
        ("def f(shop):\n    shop.find()\n    board().find()", {"shop.find": [(2, "f")], "board.find": [(3, "f")]}),
        ("q = boards\nq.find()", {"shop.find": [(2, "")], "board.find": [(2, "")]}),
        ("f()[0].close\nf().close", {"shop.close": [(1, ""), (2, "")]}),
        ("getattr(q, 'close')", {"shop.close": [(1, "")]}),
        ("run('shop.find', b'close', 1)", {"shop.find": [(1, "")]}),
        ("close = find\n'we close at six'\ndef list_all(): ...", {}),
        ("getattr(q, f'cl{what}')", {"shop.close": [(1, "")]}),
        ("getattr(q, f'{what}'), getattr(q), print(q, f'cl{what}'), getattr(q, what)", {}),
        ("def close(:", {}),
        ("print(1)", {}),
    ],
)
def test_calls(
    called: Callable[[str], dict[str, list[tuple[int, str]]]], code: str, expected: dict[str, list[tuple[int, str]]]
) -> None:
    """A query is called where its name is taken from an object or is a whole text; what is no code is left out."""
    assert called(code) == expected


def test_folders(tmp_path: Path, queries: list[QuerySource]) -> None:
    """In a folder all code is looked at but other people's; a file that is named twice counts once."""
    for name in ("app/shop.py", "app/.venv/shop.py", "app/lib/site-packages/shop.py", "app/deep/er/shop.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("q.close()", "utf-8")
    found = find_callers(queries, [tmp_path / "app", tmp_path / "app" / "shop.py"])
    assert found["shop.close"] == (
        Caller(file=tmp_path / "app" / "deep" / "er" / "shop.py", line=1, function=""),
        Caller(file=tmp_path / "app" / "shop.py", line=1, function=""),
    )
    assert [finding.subject for finding in uncalled(queries, found)] == ["board.find", "board.list_all", "shop.find"]
    assert {finding.code for finding in uncalled(queries, found)} == {"UNCALLED"}
