"""How large tables are in production: declared in a file, without a value from their data.

``scale.toml`` is for people: rows, how many values are distinct, how many are null. Every mistake in it is refused with
the place, because a figure that is overlooked makes a plan that no server will ever choose.
"""

import math
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, cast

import attrs

from surf_data.errors import ConfigurationError
from surf_data.kernel import validation
from surf_data.migrate import Placement
from surf_data.review.rules import Suppression, mistake

#: What the file is called where it is found without being named: in a folder of migrations.
FILE_NAME = "scale.toml"
#: More than any table of PostgreSQL holds.
MOST_ROWS = 10**13
#: Pages of 8 KiB that the planner's catalog can count.
MOST_PAGES = 2**31 - 1
#: Bytes that a value can have.
MOST_BYTES = 2**30

#: An end of a range: a number, a moment, or how far from the moment of the review.
Bound = int | float | date | datetime | timedelta

# What says where the rows of a table are; a table has one of them.
_PLACES = ("distribute", "reference", "local")
_RELATIVE = re.compile(r"now(?:\s*(?P<sign>[+-])\s*(?P<days>[0-9]{1,5}) days?)?")


@attrs.frozen(kw_only=True)
class ColumnScale:
    """What is declared of a column; ``None`` for what is not."""

    #: How many different values there are, null aside.
    distinct: int | None = None
    #: Which share of the rows has null, 0 to 1.
    nulls: float | None = None
    #: Bytes of a value as it is stored, on average; what is stored out of line counts 18.
    width: float | None = None
    #: How far the order of the values is that of the rows on disk, -1 to 1.
    correlation: float | None = None
    #: Of a boolean, which share of the values is true, 0 to 1; half of them, when that is not declared.
    true: float | None = None
    #: Between which values they lie, evenly; for numbers and times.
    range: tuple[Bound, Bound] | None = None


@attrs.frozen(kw_only=True)
class TableScale:
    """What is declared of a table."""

    rows: int
    #: Its size in pages; ``None`` to reckon it from rows and widths.
    pages: int | None = None
    #: Which share of the pages needs no look by VACUUM, 0 to 1, which is what index-only scans live on.
    visible: float = 1.0
    #: Where its rows are on a cluster; ``None`` where that is not declared.
    placement: Placement | None = None
    columns: Mapping[str, ColumnScale] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Scale:
    """What is declared of a database."""

    #: Tables by name, with their schema where they need it.
    tables: Mapping[str, TableScale] = attrs.field(factory=dict)
    #: Settings of the planner that production has, by name.
    settings: Mapping[str, str] = attrs.field(factory=dict)
    #: Findings that may stay, of what is neither a query nor in a migration that may still change.
    accepted: tuple[Suppression, ...] = ()
    #: Where it stands, for messages.
    file: str = FILE_NAME

    def placements(self) -> dict[str, Placement]:
        """Return where the rows of tables are on a cluster, by table, in the order of the file."""
        return {name: table.placement for name, table in self.tables.items() if table.placement is not None}

    def error(self, place: Iterable[str], problem: str) -> ConfigurationError:
        """Return what is to be said of a mistake.

        Arguments:
            place: the keys that lead to it.
            problem: what is wrong.
        """
        key = ".".join(place)
        return ConfigurationError(f"{self.file}: {key}: {problem}", setting=key)


def read_scale(path: Path) -> Scale:
    """Return what a file declares.

    Raises:
        ConfigurationError: it cannot be read, or there is a mistake in it; with table, column and key.
    """
    path = validation.path("path", path)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        problem = f"cannot be read: {type(error).__name__}"
    except tomllib.TOMLDecodeError as error:
        problem = str(error)
    else:
        return _Reader(Scale(file=str(path))).scale(document)
    # Outside the handler, so that it carries no other error.
    raise ConfigurationError(f"{path}: {problem}", setting=str(path))


@attrs.frozen
class _Reader:
    """Reads a file's values, and refuses what they cannot be."""

    origin: Scale

    def scale(self, document: Mapping[str, Any]) -> Scale:
        self._known((), document, {"accept", "settings", "tables"})
        tables = self._table((), document, "tables")
        settings = self._table((), document, "settings")
        declared = {name: self._of_table(("tables", name), tables) for name in tables}
        for name, table in declared.items():
            self._check_beside(("tables", name, "with"), name, table, declared)
        return attrs.evolve(
            self.origin,
            tables=declared,
            settings={name: self._setting(("settings", name), value) for name, value in settings.items()},
            accepted=tuple(self._accepted(document.get("accept", []))),
        )

    def _accepted(self, declared: Any) -> Iterator[Suppression]:
        if not isinstance(declared, list) or not all(isinstance(each, dict) for each in declared):
            raise self.origin.error(("accept",), "must be tables of TOML, each under [[accept]]")
        for number, each in enumerate(declared, 1):
            place = (f"accept {number}",)
            self._known(place, each, {"code", "subject", "reason"})
            said = {key: str(each.get(key, "")).strip() for key in ("code", "subject", "reason")}
            wrong = mistake(said["code"], said["reason"])
            if wrong or not said["subject"]:
                raise self.origin.error(place, wrong or "the subject is missing: the name that the finding has")
            yield Suppression(**said, file=Path(self.origin.file), line=None)

    def _of_table(self, place: tuple[str, ...], tables: Mapping[str, Any]) -> TableScale:
        declared = self._table(place[:-1], tables, place[-1])
        self._known(place, declared, {"rows", "pages", "visible", "columns", *_PLACES, "with"})
        rows = self._integer(place, declared, "rows", MOST_ROWS)
        if rows is None:
            raise self.origin.error((*place, "rows"), "is missing")
        share = self._number(place, declared, "visible", 0)
        columns = self._table(place, declared, "columns")
        return TableScale(
            rows=rows,
            pages=self._integer(place, declared, "pages", MOST_PAGES),
            visible=1.0 if share is None else share,
            placement=self._placement(place, declared),
            columns={name: self._of_column((*place, "columns", name), columns, rows) for name in columns},
        )

    def _placement(self, place: tuple[str, ...], declared: Mapping[str, Any]) -> Placement | None:
        said = [key for key in _PLACES if key in declared]
        if len(said) > 1:
            raise self.origin.error((*place, said[1]), f"does not go with {said[0]}: its rows are in one place")
        if "with" in declared and said != ["distribute"]:
            raise self.origin.error((*place, "with"), "is for a table that is distributed: add distribute")
        for key in said:
            if key == "distribute":
                return Placement(
                    column=self._name((*place, key), declared[key]),
                    beside=self._name((*place, "with"), declared["with"]) if "with" in declared else None,
                )
            if declared[key] is not True:
                raise self.origin.error((*place, key), "must be true, or left out")
            return Placement(is_reference=key == "reference")
        return None

    def _check_beside(
        self, place: tuple[str, ...], name: str, table: TableScale, declared: Mapping[str, TableScale]
    ) -> None:
        beside = None if table.placement is None else table.placement.beside
        if beside is None:
            return
        other = declared[beside].placement if beside in declared and beside != name else None
        if other is None or other.column is None:
            raise self.origin.error(place, "must be the name of another table here that is distributed")
        if other.beside is not None:
            raise self.origin.error(place, f"names a table that is itself with another: write {other.beside}")

    def _name(self, place: tuple[str, ...], value: Any) -> str:
        if isinstance(value, str) and value:
            return value
        raise self.origin.error(place, "must be a name")

    def _of_column(self, place: tuple[str, ...], columns: Mapping[str, Any], rows: int) -> ColumnScale:
        declared = self._table(place[:-1], columns, place[-1])
        self._known(place, declared, {field.name for field in attrs.fields(ColumnScale)})
        return ColumnScale(
            distinct=self._integer(place, declared, "distinct", rows),
            nulls=self._number(place, declared, "nulls", 0),
            width=self._number(place, declared, "width", 1, MOST_BYTES),
            correlation=self._number(place, declared, "correlation", -1),
            true=self._number(place, declared, "true", 0),
            range=self._range((*place, "range"), declared["range"]) if "range" in declared else None,
        )

    def _known(self, place: tuple[str, ...], declared: Mapping[str, Any], known: set[str]) -> None:
        for key in declared:
            if key not in known:
                raise self.origin.error((*place, key), f"is unknown; there are {', '.join(sorted(known))}")

    def _table(self, place: tuple[str, ...], declared: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        value = declared.get(key, {})
        if not isinstance(value, dict):
            raise self.origin.error((*place, key), "must be a table of TOML")
        return value

    def _setting(self, place: tuple[str, ...], value: Any) -> str:
        if isinstance(value, (bool, int, float, str)):
            return str(value).lower() if isinstance(value, bool) else str(value)
        raise self.origin.error(place, "must be a text, a number, true or false")

    def _integer(self, place: tuple[str, ...], declared: Mapping[str, Any], key: str, most: int) -> int | None:
        value = declared.get(key)
        if value is None or (type(value) is int and 0 <= value <= most):
            return value
        raise self.origin.error((*place, key), f"must be a whole number from 0 to {most:,}")

    def _number(
        self, place: tuple[str, ...], declared: Mapping[str, Any], key: str, least: int, most: int = 1
    ) -> float | None:
        value = declared.get(key)
        if value is None or (type(value) in {int, float} and least <= value <= most):
            return value
        raise self.origin.error((*place, key), f"must be a number from {least:,} to {most:,}")

    def _range(self, place: tuple[str, ...], value: Any) -> tuple[Bound, Bound]:
        try:
            low, high = map(_bound, value)
        except (TypeError, ValueError):
            low = high = None
        if low is None or high is None:
            raise self.origin.error(place, 'must be two numbers, or two times such as 2024-01-31 or "now - 90 days"')
        now = datetime.now(UTC)
        first, last = at(low, now), at(high, now)
        if isinstance(first, datetime) != isinstance(last, datetime):
            raise self.origin.error(place, "must be two numbers or two times, not one of each")
        if first >= last:
            raise self.origin.error(place, "must begin with the smaller one")
        return low, high


def at(bound: Bound, now: datetime) -> Any:
    """Return an end of a range as a number or a moment.

    Arguments:
        bound: the end; a time that names no zone is UTC.
        now: the moment of the review.
    """
    if isinstance(bound, timedelta):
        return now + bound
    if isinstance(bound, datetime):
        return bound if bound.tzinfo else bound.replace(tzinfo=UTC)
    if isinstance(bound, date):
        return datetime.combine(bound, time(), UTC)
    return bound


def _bound(value: Any) -> Bound | None:
    if isinstance(value, str):
        found = _RELATIVE.fullmatch(value)
        return timedelta(days=int(f"{found['sign'] or ''}{found['days'] or 0}")) if found else None
    if type(value) in {int, date, datetime} or (type(value) is float and math.isfinite(value)):
        return cast("Bound", value)
    return None
