"""Records as JSON: every fact, one line, nothing that could be a secret."""

import json
import logging
import sys
from datetime import UTC, datetime
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import UUID

import pytest

from surf_data.kernel.correlation import correlation
from surf_data.kernel.logs import MAX_BYTES, JsonFormatter
from surf_data.kernel.secret import Secret

SECRET = "planted-7f3a"


def record(message: str = "slow query", *arguments: object, **facts: Any) -> logging.LogRecord:
    """Return a record as a logger makes it."""
    made = logging.getLogger("surf_data.test").makeRecord(
        "surf_data.test", logging.WARNING, __file__, 7, message, arguments, facts.pop("exc_info", None), extra=facts
    )
    made.created = datetime(2026, 7, 1, 12, 0, 0, 250_000, UTC).timestamp()
    return made


def document(formatter: JsonFormatter, made: logging.LogRecord) -> dict[str, Any]:
    """Return what a record is as JSON."""
    line = formatter.format(made)
    assert "\n" not in line
    assert len(line.encode()) <= MAX_BYTES
    parsed: dict[str, Any] = json.loads(line)
    return parsed


def test_a_record_has_its_facts() -> None:
    """What is fixed comes first, then the facts; the correlation id is there within a block."""
    formatter = JsonFormatter(service="shop", static={"version": "1.4", "level": "mine"})
    expected = {
        "timestamp": "2026-07-01T12:00:00.250Z",
        "level": "WARNING",
        "logger": "surf_data.test",
        "message": "slow query of 3",
        "service": "shop",
        "version": "1.4",
        "query": "lamps.lamp",
        "duration_ms": 1.5,
    }
    assert document(formatter, record("slow query of %d", 3, query="lamps.lamp", duration_ms=1.5)) == expected
    with correlation("request-7"):
        made = document(formatter, record("slow query of %d", 3, query="lamps.lamp", duration_ms=1.5))
    assert made == {**expected, "correlation_id": "request-7"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (datetime(2026, 7, 1, tzinfo=UTC), "2026-07-01 00:00:00+00:00"),
        (Decimal("1.50"), "1.50"),
        (ip_address("::1"), "::1"),
        (Path("/var/spool"), "/var/spool"),
        pytest.param({"b", "a"}, ["a", "b"], id="a set"),
        ({"deep": [UUID(int=0)], ("a", "b"): 1}, {"deep": ["00000000-0000-0000-0000-000000000000"]}),
        (float("nan"), "float"),
        ([float("inf")], "list"),
        ("two\nlines\u2028 \ud800", "two\nlines\u2028 \ud800"),
        (ValueError(SECRET), "ValueError"),
        (SECRET.encode(), "bytes"),
        (Secret(SECRET), "***"),
        (None, None),
    ],
    ids=str,
)
def test_a_fact_is_json_or_a_text_for_it(value: object, expected: object) -> None:
    """What could hold anything is named by its class."""
    assert document(JsonFormatter(), record(fact=value))["fact"] == expected


def test_a_fact_that_holds_itself_does_no_harm() -> None:
    """It is named by its class, too."""
    endless: list[object] = []
    endless.append(endless)
    assert document(JsonFormatter(), record(fact=endless))["fact"] == "list"


@pytest.mark.parametrize("name", ["password", "smtp_password", "API_KEY", "access_token", "client_secret"])
def test_a_fact_named_like_a_secret_is_not_shown(name: str) -> None:
    """Its name is there, its value is not."""
    assert document(JsonFormatter(), record(**{name: SECRET}))[name] == "***"


def test_of_an_exception_there_is_no_text() -> None:
    """Its class and where it came from are there; its text, which may hold a value, is not."""

    def fail() -> None:
        raise ValueError(SECRET)

    information: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    try:
        fail()
    except ValueError:
        information = sys.exc_info()
    made = document(JsonFormatter(), record(exc_info=information))
    assert made["exception"] == "ValueError"
    assert [place.rpartition(" ")[2] for place in made["traceback"]] == [
        "test_of_an_exception_there_is_no_text",
        "fail",
    ]
    assert SECRET not in json.dumps(made)
    assert "exception" not in document(JsonFormatter(), record(exc_info=(None, None, None)))


def test_a_record_that_is_too_long_is_cut() -> None:
    """What it is remains, with the beginning of its message, and it says that it was cut."""
    with correlation("request-7"):
        made = document(JsonFormatter(), record("\U0001f30a" * 5000, fact="x" * MAX_BYTES))
    assert made == {
        "timestamp": "2026-07-01T12:00:00.250Z",
        "level": "WARNING",
        "logger": "surf_data.test",
        "correlation_id": "request-7",
        "message": "\U0001f30a" * 1000,
        "is_cut": True,
    }


def test_a_handler_writes_one_line_for_each_record(capsys: pytest.CaptureFixture[str]) -> None:
    """As a program sets it up."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("surf_data.test_of_logs")
    logger.addHandler(handler)
    try:
        for query in ("a", "b"):
            logger.warning("slow\nquery", extra={"query": query})
    finally:
        logger.removeHandler(handler)
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["query"] for line in lines] == ["a", "b"]
