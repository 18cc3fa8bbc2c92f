"""Entries as JSON has them, and as an array of texts can: what PostgreSQL's casts read."""

from datetime import date
from decimal import Decimal
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from typing import Any
from uuid import UUID

from surf_data.kernel.journal.table import Entry
from surf_data.kernel.postgres import Json

_TEXT = (UUID, Decimal, IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network)


def encode(entry: Entry) -> Entry:
    """Return an entry with each value that JSON does not know as the text that PostgreSQL reads."""
    return {column: _encoded(value) for column, value in entry.items()}


def _encoded(value: Any) -> Any:
    if isinstance(value, Json):
        return value.text
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    return str(value) if isinstance(value, _TEXT) else value
