"""What an import did."""

from typing import Any

import attrs

from surf_data.daylight.records import Record

#: What can become of a row of the source.
OUTCOMES = ("inserted", "unchanged", "conflicting", "quarantined", "expired")


@attrs.define
class TableReport:
    """What became of the rows of a table."""

    source: int = 0
    inserted: int = 0
    unchanged: int = 0
    #: There with other values, which stayed.
    conflicting: int = 0
    quarantined: int = 0
    expired: int = 0
    #: The rowid up to which it was read; ``None`` before the first, which may be negative.
    last_key: int | None = None
    #: Whether no row of the source was there when the run began, and none has the id of another.
    is_new: bool = False

    @property
    def read(self) -> int:
        """How many rows of the source became something."""
        return sum(getattr(self, outcome) for outcome in OUTCOMES)

    @property
    def adds_up(self) -> bool:
        """Whether each row of the source became something."""
        return self.source == self.read


@attrs.frozen(kw_only=True)
class ImportReport(Record):
    """What a run did, by table of the source."""

    #: The run; ``None`` of a dry run.
    run_id: int | None
    file: str
    #: ``completed``, ``failed``, ``skipped`` or ``dry run``.
    status: str
    tables: dict[str, TableReport]
    #: Tables and columns that are not known, and were left alone.
    unknown: list[str]
    #: Refused rows, at most 1,000: table, key, column and reason.
    quarantine: list[tuple[str, str, str, str]]
    #: What verification found to differ; nothing when all is as in the source.
    differences: list[str]

    def to_dict(self) -> dict[str, Any]:
        """Return the report for JSON."""
        return {
            "runId": self.run_id,
            "file": self.file,
            "status": self.status,
            "tables": {
                name: {each: getattr(table, each) for each in ("source", *OUTCOMES)}
                for name, table in self.tables.items()
            },
            "unknown": self.unknown,
            "quarantine": [
                {"table": table, "key": key, "column": column, "reason": reason}
                for table, key, column, reason in self.quarantine
            ],
            "differences": self.differences,
        }
