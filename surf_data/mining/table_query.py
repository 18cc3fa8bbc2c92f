"""What ``single_query`` asks for: checked, and composed of names from the catalogue and of placeholders."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple

import attrs

from surf_data.kernel import validation
from surf_data.kernel.postgres import Statement
from surf_data.mining.filters import Condition, read_filter
from surf_data.mining.postgresql_config import ALLOWED_TABLES, SYNONYMS

#: Rows that come at the most where no limit is given; more is an error, never a silent cut.
MAX_ROWS = 100_000
#: The largest limit.
MAX_LIMIT = 1_000_000

_MAX_ORDER = 8
_KEYS = ("target_columns", "target_filter", "target_limit", "target_order", "target_params")
_COLUMN = re.compile(r"\s*(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?:\s+AS\s+(?P<alias>[A-Za-z0-9_]{1,63}))?\s*", re.IGNORECASE)
_ORDER = re.compile(
    r"\s*(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?:\s+(?P<way>ASC|DESC))?(?:\s+NULLS\s+(?P<nulls>FIRST|LAST))?\s*",
    re.IGNORECASE | re.ASCII,
)
_COLUMN_WANTED = "must be a column of the table, or a column AS an alias"
_ORDER_WANTED = "must be a column of the table, ASC or DESC, NULLS FIRST or LAST"
_DIGITS = re.compile(r"\s*[0-9]{1,10}\s*")

#: The columns of a view and the names of their types, in order.
Columns = Mapping[str, str]


@attrs.frozen(eq=False)
class View:
    """What may be read of a view of ``dx``. Read again from the catalogue, it is another one."""

    #: Its name.
    name: str
    #: Its columns.
    columns: Columns


class TableQuery(NamedTuple):
    """A composed statement with its values."""

    #: The statement.
    statement: Statement
    #: Its values by placeholder.
    parameters: dict[str, Any]
    #: What the columns of the result are called.
    names: tuple[str, ...]
    #: Those of them that are times.
    times: tuple[str, ...]
    #: The rows that it may give; ``None``: the limit was the caller's own.
    max_rows: int | None


@attrs.frozen
class QueryParams:
    """A ``single_query`` as an object."""

    #: The table.
    table: str
    #: The columns, each ``name`` or ``name AS alias``; all when ``None``.
    columns: Sequence[str] | str | None = None
    #: The condition.
    where_clause: str | None = None
    #: Rows at the most.
    limit: int | str | None = None
    #: The order.
    order_by: str | Sequence[str] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as a mapping."""
        return {
            "table": self.table,
            "target_columns": self.columns,
            "target_filter": self.where_clause,
            "target_limit": self.limit,
            "target_order": self.order_by,
        }


def table_of(query: Mapping[str, Any]) -> str:
    """Return the view that a ``single_query`` names.

    Raises:
        ValidationError: it has unknown keys, or no table.
    """
    validation.mapping("single_query", query)
    validation.check_keys("single_query", query, required=("table",), optional=_KEYS)
    table = validation.text("table", query["table"], maximum=200).strip().lower()
    return table.removeprefix("dx.")


def is_allowed(table: str) -> bool:
    """Return whether a view is one of `ALLOWED_TABLES`, which are compared without case."""
    return any(table == allowed.lower() for allowed in ALLOWED_TABLES)


def compose(view: View, query: Mapping[str, Any], *, replica_ok: bool) -> TableQuery:
    """Return the statement for a ``single_query``.

    Arguments:
        view: the view.
        query: the ``single_query``.
        replica_ok: whether rows that are a little old will do.

    Raises:
        ValidationError: something in it is refused.
    """
    given = [query.get(name) for name in ("target_columns", "target_filter", "target_order", "target_limit")]
    parts = (*(tuple(each) if isinstance(each, list) else each for each in given), bool(replica_ok))
    if query.get("target_params") is None:
        # What nothing can be looked up by is refused below, with its name.
        with suppress(TypeError):
            return _known(view, parts, tuple(map(type, parts)))
    return _composed(view, parts, query.get("target_params"))


@lru_cache(maxsize=256)
def _known(view: View, parts: tuple[Any, ...], _types: tuple[type, ...]) -> TableQuery:
    # A service asks the same again and again, and to read a filter takes as long as to send the statement. The types
    # are looked up, too: True is equal to 1, and no limit.
    return _composed(view, parts, None)


def _composed(view: View, parts: tuple[Any, ...], given: object) -> TableQuery:
    wanted, text, ordered, limited, replica_ok = parts
    table, columns = view.name, view.columns
    pairs = _selection(table, columns, wanted)
    condition = _condition(columns, text, given)
    order = _order(columns, ordered)
    limit = _limit(limited)
    parameters = {} if condition is None else condition.values
    parameters["row_limit"] = limit or MAX_ROWS + 1
    where = "" if condition is None else f" WHERE {condition.sql}"
    # The name of a view is a constant of the catalogue by now.
    sql = (
        f"SELECT /* surf_data:mining.pull_{table} */ {_selected(pairs)} "  # noqa: S608 - names of the catalogue, placeholders
        f"FROM dx.{table} AS t{where}{order} LIMIT %(row_limit)s"
    )
    return TableQuery(
        statement=_statement(table, sql, replica_ok),
        parameters=parameters,
        names=tuple(pairs),
        times=tuple(alias for alias, name in pairs.items() if columns[name] == "timestamptz"),
        max_rows=None if limit else MAX_ROWS,
    )


@lru_cache(maxsize=256)
def _statement(table: str, sql: str, replica_ok: bool) -> Statement:  # noqa: FBT001 - lru_cache takes positions
    # The same object for the same text: a connection keeps a cursor for each, which knows the types of its columns.
    return Statement(name=f"mining.pull_{table}", sql=sql.encode(), reads=True, replica=replica_ok)


def _selection(table: str, columns: Columns, wanted: object) -> dict[str, str]:
    """Return the columns that are wanted, by what they are to be called."""
    if wanted is None or wanted in ("*", ["*"], ("*",)):
        return {name: name for name in columns if name not in SYNONYMS.get(table, ())}
    pairs: dict[str, str] = {}
    for position, given in enumerate(_listed("target_columns", wanted)):
        matched = _COLUMN.fullmatch(given)
        name = matched["name"].lower() if matched else ""
        if matched is None or name not in columns:
            raise validation.invalid(
                f"target_columns[{position}]", "must be a column of the table, or a column AS an alias"
            )
        alias = matched["alias"] or name
        if alias in pairs:
            raise validation.invalid(f"target_columns[{position}]", "gives a name that another column has")
        pairs[alias] = name
    return pairs


def _selected(pairs: Mapping[str, str]) -> str:
    return ", ".join(f't."{name}"' if alias == name else f't."{name}" AS "{alias}"' for alias, name in pairs.items())


def _condition(columns: Columns, text: Any, given: object) -> Condition | None:
    if given is not None and not isinstance(given, (list, tuple)):
        raise validation.invalid("target_params", "must be a list")
    return read_filter("" if text is None else text, columns, given or ())


def _order(columns: Columns, wanted: object) -> str:
    if wanted is None or wanted == "":
        return ""
    parts: list[str] = []
    for position, given in enumerate(_listed("target_order", wanted)):
        matched = _ORDER.fullmatch(given)
        if matched is None or matched["name"].lower() not in columns:
            raise validation.invalid(
                f"target_order[{position}]", "must be a column of the table, ASC or DESC, NULLS FIRST or LAST"
            )
        nulls = f" NULLS {matched['nulls'].upper()}" if matched["nulls"] else ""
        parts.append(f't."{matched["name"].lower()}" {(matched["way"] or "ASC").upper()}{nulls}')
    if len(parts) > _MAX_ORDER:
        raise validation.invalid("target_order", f"must have at most {_MAX_ORDER} columns")
    return f" ORDER BY {', '.join(parts)}"


def _listed(field: str, wanted: object) -> list[str]:
    listed = wanted.split(",") if isinstance(wanted, str) else wanted
    if not isinstance(listed, (list, tuple)) or not listed or not all(isinstance(each, str) for each in listed):
        raise validation.invalid(field, "must be text, or a list of texts")
    return list(listed)


def _limit(wanted: object) -> int | None:
    """Return the limit; ``None`` and 0 mean none."""
    if isinstance(wanted, str) and _DIGITS.fullmatch(wanted):
        wanted = int(wanted)
    return None if wanted is None else validation.integer("target_limit", wanted, minimum=0, maximum=MAX_LIMIT) or None
