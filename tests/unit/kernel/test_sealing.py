"""Sealing, whatever log it is: what the mechanism does with what its statements say."""

from datetime import UTC, datetime
from typing import Any

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
