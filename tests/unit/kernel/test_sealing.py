"""Sealing, whatever log it is: what the mechanism does with what its statements say."""

from datetime import UTC, datetime, timedelta
from typing import Any

from surf_data.errors import ConstraintViolation
from surf_data.kernel.sealing import SealedLog, SealStatements

HOUR = datetime(2026, 11, 29, 12, tzinfo=UTC)


def test_an_hour_that_was_sealed_meanwhile() -> None:
    """An hour whose entries another process has sealed since it was listed gets no empty seal."""
    entry = bytes(32)
    stored: list[Any] = []
    statements = SealStatements(
        hours=lambda _, **__: [(HOUR, 1, 0)],
        manifest=lambda _, **__: entry,
        manifests=lambda _, **__: [(entry,)],
        last=lambda _: None,
        insert=lambda _, **values: stored.append(values) or 1,
        seals=lambda _, **__: [],
    )
    log = SealedLog(None, statements)  # type: ignore[arg-type]
    assert log.seal(HOUR, HOUR) == 0
    assert stored == []
    assert log.verify().anchor is None


def test_a_seal_that_another_process_has_stored() -> None:
    """Of two that seal an hour at the same time, the second leaves it, and what comes after it, to the first."""
    tried: list[datetime] = []

    def insert(_: object, *, sealed_hour: datetime, **_others: object) -> int:
        tried.append(sealed_hour)
        raise ConstraintViolation

    statements = SealStatements(
        hours=lambda _, **__: [(HOUR, 1, 0), (HOUR + timedelta(hours=1), 1, 0)],
        manifest=lambda _, **__: bytes(32),
        manifests=lambda _, **__: [],
        last=lambda _: None,
        insert=insert,
        seals=lambda _, **__: [],
    )
    assert SealedLog(None, statements).seal(HOUR, HOUR) == 0  # type: ignore[arg-type]
    assert tried == [HOUR]
