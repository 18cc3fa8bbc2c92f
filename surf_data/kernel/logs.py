"""Log records as JSON, one a line, for whatever collects them."""

import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address
from pathlib import PurePath
from types import MappingProxyType
from typing import Any
from uuid import UUID

from surf_data.kernel.correlation import correlation_id
from surf_data.kernel.log_messages import Message
from surf_data.kernel.secret import Secret

#: The longest line, in bytes: what many collectors take without cutting it.
MAX_BYTES = 16_384
# How much of a message is left in a line that would be longer, in characters; each may take twelve bytes.
_MAX_MESSAGE = 1000
# What every record has; the rest are facts.
_STANDARD = frozenset({*vars(logging.makeLogRecord({})), "asctime", "message", "taskName"})
# Facts whose values are never shown, by what their names end with.
_SECRET = ("authorization", "credential", "password", "password_hash", "secret", "token", "api_key")
_SCALARS = frozenset({str, int, bool, type(None)})
# What is left of a record that would be too long, beside the beginning of its message.
_KEPT = ("timestamp", "level", "logger", "correlation_id", "exception")
# Values that say the same as text; of any other the text could hold anything.
_AS_TEXT = (date, Decimal, IPv4Address, IPv6Address, PurePath, Secret, UUID)


class JsonFormatter(logging.Formatter):
    """Writes a record as one line of JSON: what is fixed first, then each fact of ``extra`` under its own name.

    There are ``timestamp`` (UTC), ``level``, ``logger``, ``message`` and, within a `correlation` block,
    ``correlation_id``. Of an exception there are ``exception``, the name of its class, and ``traceback``, places in the
    code; its text is left out, as it may hold a value. So is the value of a fact that is named like a secret.

    Arguments:
        service: what runs here; a fact of every record.
        static: more facts of every record: ``{"version": "1.4"}``.
    """

    def __init__(self, service: str | None = None, static: Mapping[str, Any] = MappingProxyType({})) -> None:
        super().__init__()
        self._static = {**({} if service is None else {"service": service}), **static}

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end; it has at most 16 KiB."""
        document: dict[str, Any] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
            "level": record.levelname,
            "logger": record.name,
            # Its facts stand beside it.
            "message": record.msg.text if isinstance(record.msg, Message) else record.getMessage(),
        }
        if (correlation := correlation_id()) is not None:
            document["correlation_id"] = correlation
        if record.exc_info and record.exc_info[0] is not None:
            document |= _exception(record.exc_info)
        facts = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        for name, value in (self._static | facts).items():
            if name not in document:
                document[name] = "***" if name.lower().endswith(_SECRET) else _plain(value)
        line = _JSON.encode(document)
        if len(line) > MAX_BYTES:
            kept = {name: document[name] for name in _KEPT if name in document}
            line = _JSON.encode({**kept, "message": document["message"][:_MAX_MESSAGE], "is_cut": True})
        return line


def _plain(value: object) -> object:
    """Return a fact if it can be written, and else what class it is of."""
    # Most facts are one of these.
    if type(value) in _SCALARS:
        return value
    with suppress(RecursionError, TypeError, ValueError):
        _JSON.encode(value)
        return value
    return type(value).__name__


def _text(value: object) -> object:
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=str)
    return str(value) if isinstance(value, _AS_TEXT) else type(value).__name__


# Only ASCII, so that a line's length is that of its bytes, and no newline of any alphabet is in it.
_JSON = json.JSONEncoder(separators=(",", ":"), default=_text, skipkeys=True, allow_nan=False)


def _exception(information: Any) -> dict[str, Any]:
    kind, _, traceback = information
    places: list[str] = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        places.append(f"{code.co_filename}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return {"exception": kind.__name__, "traceback": places}
