"""Log messages that show their facts, for handlers whose formatter writes the message alone."""

import logging
from collections.abc import Mapping, MutableMapping
from types import MappingProxyType
from typing import Any, Self

from surf_data.errors import SurfDataError

_NONE: Mapping[str, Any] = MappingProxyType({})


class Message(str):
    """A fixed text that is compared and grouped as itself, and shown with the facts of its record."""

    __slots__ = ("_facts",)

    _facts: Mapping[str, Any]

    def __new__(cls, text: str, facts: Mapping[str, Any] = _NONE) -> Self:
        """Return the text with facts, by name."""
        made = super().__new__(cls, text)
        made._facts = facts
        return made

    def __str__(self) -> str:
        shown = ", ".join(f"{name}={_shown(value)}" for name, value in self._facts.items() if value is not None)
        return f"{self.text}: {shown}" if shown else self.text

    @property
    def text(self) -> str:
        """The fixed text alone."""
        return str.__str__(self)


class Logger(logging.LoggerAdapter[logging.Logger]):
    """A logger whose messages show what is in ``extra``, which the record has as attributes all the same."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Return what is logged."""
        facts = kwargs.get("extra")
        return (Message(msg, facts) if facts else msg), kwargs


def get_logger(name: str) -> Logger:
    """Return the logger of this name."""
    return Logger(logging.getLogger(name))  # noqa: TID251 - here alone


def error_facts(error: BaseException) -> dict[str, Any]:
    """Return what a record says of an error: ``error``, its class; ``reason``; ``sqlstate``, ``None`` if it has none.

    The reason is the text of an error of ours, which holds no value, or what the system says of a file, without the
    file; ``None`` for any other error, whose text may be anything.
    """
    reason = str(error) if isinstance(error, SurfDataError) else getattr(error, "strerror", None)
    return {"error": type(error).__name__, "reason": reason, "sqlstate": getattr(error, "sqlstate", None)}


def _shown(value: object) -> str:
    text = f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    # A line break in a key, for example, would begin another line of the log.
    return text if text.isprintable() else ascii(text)
