"""Rows of the source, a portion at a time: converted while they are stored."""

import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from surf_data.daylight.sqlite.layouts import Table
from surf_data.daylight.sqlite.report import OUTCOMES
from surf_data.daylight.sqlite.rows import Expired
from surf_data.daylight.sqlite.values import Refused
from surf_data.errors import ConstraintViolation
from surf_data.kernel.postgres import Executor, bulk


class Portion:
    """What rows of the source became, as far as they are converted."""

    def __init__(self) -> None:
        #: By id: the rowid, the values and the checksum.
        self.rows: dict[str, tuple[int, tuple[Any, ...], int]] = {}
        #: Rowid, column and reason.
        self.refused: list[tuple[str, str, str]] = []
        self.expired: int = 0

    def convert(
        self, table: Table, rows: Sequence[Sequence[Any]], oldest: datetime | None
    ) -> Iterator[tuple[Any, ...]]:
        """Yield the values of each row that can be stored."""
        known = self.rows
        for row in rows:
            try:
                key, values, text = table.convert(row, oldest)
                if key in known:
                    raise Refused(table.columns[0], "is there twice")  # noqa: TRY301 - as what the conversion raises
            except Expired:
                self.expired += 1
            except Refused as reason:
                self.refused.append((str(row[0]), reason.column, str(reason)))
            else:
                known[key] = row[0], values, _hash(text)
                yield values


def stored(
    executor: Executor, table: Table, portion: Portion, converted: Iterator[tuple[Any, ...]], *, is_new: bool
) -> dict[str, list[str]]:
    """Store rows, and return which ids had which outcome.

    Arguments:
        executor: runs the statements.
        table: whose rows they are.
        portion: what they become.
        converted: what its `Portion.convert` returned.
        is_new: whether none of them can be there yet.

    Raises:
        DatabaseError: they could not be stored.
    """
    outcomes: dict[str, list[str]] = {outcome: [] for outcome in (*OUTCOMES, "refused")}
    if is_new and table.copy is not None:
        try:
            # The server stores what has been converted while the rest is.
            bulk.copy_in(executor, converted, types=table.types, copy=table.copy)
        except ConstraintViolation:
            # Stored by another process since; the other way finds out which.
            pass
        else:
            outcomes["inserted"] = list(portion.rows)
            return outcomes
    # Those that are not converted yet.
    deque(converted, maxlen=0)
    arrays = [list(array) for array in zip(*(values for _, values, _ in portion.rows.values()), strict=True)]
    if arrays:
        for key, outcome in table.merge(executor, **dict(zip(table.arrays, arrays, strict=True))):
            outcomes[outcome].append(key)
    return outcomes


def _hash(text: str) -> int:
    """Return the first 60 bits of a text's MD5."""
    return int.from_bytes(hashlib.md5(text.encode(), usedforsecurity=False).digest()[:8]) >> 4
