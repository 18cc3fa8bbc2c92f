"""Messages of the log: a fixed text, and for handlers without a formatter of their own its facts."""

import copy
import io
import json
import logging
import pickle

import pytest

from surf_data.errors import DatabaseUnavailable
from surf_data.kernel.log_messages import Message, error_facts, get_logger
from surf_data.kernel.logs import JsonFormatter


def lines(formatter: logging.Formatter | None = None) -> tuple[io.StringIO, logging.Handler]:
    """Return a stream, and a handler that writes to it."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(formatter)
    return written, handler


def test_a_plain_handler_shows_the_reason() -> None:
    """Python's own formatter writes the facts after the text, and ours the text alone, with the facts beside it."""
    plain, first = lines()
    structured, second = lines(JsonFormatter())
    logger = logging.getLogger("surf_data.test_log_messages")
    logger.handlers = [first, second]
    facts = {"table": "log", **error_facts(DatabaseUnavailable("cannot connect: timed out", sqlstate="08006"))}
    get_logger(logger.name).warning("entries kept", extra={**facts, "entries": 3, "seconds": 0.25})
    get_logger(logger.name).warning("connection replaced")
    assert plain.getvalue() == (
        "entries kept: table=log, error=DatabaseUnavailable, reason=cannot connect: timed out, sqlstate=08006,"
        " entries=3, seconds=0.25\n"
        "connection replaced\n"
    )
    document = json.loads(structured.getvalue().splitlines()[0])
    assert (document["message"], document["entries"], document["sqlstate"]) == ("entries kept", 3, "08006")


@pytest.mark.parametrize(
    ("value", "shown"),
    [(1203.20004, "1203.2"), (0.0, "0"), (7, "7"), ("a b", "a b"), ("a\nb", r"'a\nb'"), (["x"], "['x']")],
)
def test_how_a_fact_is_shown(value: object, shown: str) -> None:
    """Numbers are rounded to thousandths; what could begin another line of the log is escaped."""
    assert str(Message("text", {"fact": value, "nothing": None})) == f"text: fact={shown}"


def test_a_message_is_its_text() -> None:
    """It is compared and grouped by its text, and survives being copied and sent to another process."""
    message = Message("slow query", {"rows": 1})
    assert (message, hash(message), message.text) == ("slow query", hash("slow query"), "slow query")
    for other in (copy.deepcopy(message), pickle.loads(pickle.dumps(message))):  # noqa: S301 - our own
        assert str(other) == "slow query: rows=1"
    assert str(Message("slow query")) == str(Message("slow query", {"rows": None})) == "slow query"


def test_what_is_said_of_an_error() -> None:
    """Of a foreign error only its class is known to be harmless; of a file, what the system says, without its name."""
    assert error_facts(ValueError("planted-7f3a")) == {"error": "ValueError", "reason": None, "sqlstate": None}
    assert error_facts(OSError(28, "No space left on device", "/secret")) == {
        "error": "OSError",
        "reason": "No space left on device",
        "sqlstate": None,
    }
