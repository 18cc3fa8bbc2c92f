"""What a domain says of itself, once; and how it is found by its name."""

import difflib
import re
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Literal, cast

import attrs

from surf_data.errors import ConfigurationError

#: The domains of this package, each a package ``surf_data.<name>`` with a ``DOMAIN``.
NAMES = ("lamps", "specify", "daylight", "mining", "screenshot")
#: The entry points by which domains outside this package are found: each names a `Domain`.
ENTRY_POINTS = "surf_data.domains"

# A hundred years.
_MAX_DAYS = 36_500
_NAME = re.compile(r"[a-z][a-z0-9_]{0,38}")


def _check_table(_retention: object, _attribute: object, value: str) -> None:
    if value.count(".") != 1:
        raise ConfigurationError(f"retention: {value} must be schema.table", setting="retention")


def _check_days(retention: "Retention", _attribute: object, value: int | None) -> None:
    if value is not None and (isinstance(value, bool) or not 0 <= value <= _MAX_DAYS):
        problem = f"keep_days must be 0 to {_MAX_DAYS:,}"
        raise ConfigurationError(f"retention: {retention.table}: {problem}", setting="retention")


def _check_partition(retention: "Retention", _attribute: object, value: str | None) -> None:
    if value not in {None, "day", "week", "month"}:
        problem = "partition must be day, week, month or None"
        raise ConfigurationError(f"retention: {retention.table}: {problem}", setting="retention")


@attrs.frozen(kw_only=True)
class Retention:
    """For how long the rows of a table are kept."""

    #: The table, with its schema.
    table: str = attrs.field(validator=_check_table)
    #: The column that says how old a row is, or until when it is valid: a ``timestamptz``.
    by: str = attrs.field()
    #: Days after ``by`` until a row may be deleted, 0 to 36,500; ``None``: rows are kept until an operator says
    #: otherwise.
    keep_days: int | None = attrs.field(default=None, validator=_check_days)
    #: The time that each partition covers; ``None`` for a table without partitions, whose rows are deleted in batches.
    partition: Literal["day", "week", "month"] | None = attrs.field(default=None, validator=_check_partition)
    #: A function of the database, with its schema, that is called before a partition goes, in the same transaction,
    #: with the end of its time: a timestamptz. Triggers do not fire for what is dropped.
    on_drop: str | None = None
    #: Whether the domain archives rows before they go: then none go in a maintenance that does not archive them.
    archive: bool = False


def _check_name(_domain: object, _attribute: object, value: Any) -> None:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ConfigurationError(f"a domain's name must be {_NAME.pattern}", setting="domain")


@attrs.frozen(kw_only=True)
class Domain:
    """An application on the kernel: what its tools need to know of it.

    Nothing is imported before it is needed: what is Python is named as ``module:name``.
    """

    #: Its package, its folders below ``sql/`` and ``migrations/``, its history of migrations, the tag of its statements
    #: and its group of commands.
    name: str = attrs.field(validator=_check_name)
    #: What it is, in a few words.
    title: str
    #: The PostgreSQL schemas that it owns.
    schemas: tuple[str, ...]
    #: The class of its settings, a `surf_data.Settings`.
    settings: type[Any]
    #: The function that returns its query functions.
    queries: str
    #: The function that opens its data layer, as `surf_data.open` does.
    opener: str = attrs.Factory(
        lambda self: f"{self.queries.partition(':')[0].rpartition('.')[0]}:open", takes_self=True
    )
    #: What is kept for how long.
    retention: tuple[Retention, ...] = ()
    #: What the names of its roles begin with: ``<roles>_owner``, ``<roles>_app`` and ``<roles>_read``.
    roles: str = attrs.Factory(lambda self: f"surf_{self.name}", takes_self=True)
    #: What the server's views and logs call its clients, where no setting says otherwise.
    application_name: str = attrs.Factory(lambda self: f"surf_data.{self.name}", takes_self=True)
    #: What the keys of its cached values begin with, after ``cache_prefix``; none may begin with another one.
    cache_prefixes: tuple[str, ...] = ()
    #: Environment variables that count for a setting when its own is not set, by the setting's name.
    variables: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    #: The folder with its ``sql/<name>`` and ``migrations/<name>``; ``None`` for a domain of this package.
    root: Path | None = None

    def query_functions(self) -> Any:
        """Return what ``queries`` names returns: an object with a function for each query."""
        return _named(self.queries)()

    def open(self, *arguments: Any, **keywords: Any) -> Any:
        """Return the data layer that ``opener`` opens with these arguments."""
        return _named(self.opener)(*arguments, **keywords)


def names() -> tuple[str, ...]:
    """Return the names of all domains that are installed: those of this package first, then others in order."""
    return (*NAMES, *sorted(set(_foreign()) - set(NAMES)))


def find(name: str) -> Domain:
    """Return a domain by its name.

    Raises:
        ConfigurationError: there is none; the error names the nearest.
    """
    if not isinstance(name, str):
        raise ConfigurationError("a domain is found by its name, a text", setting="domain")
    if name in NAMES:
        return cast("Domain", import_module(f"surf_data.{name}").DOMAIN)
    foreign = _foreign()
    if name in foreign:
        return cast("Domain", foreign[name].load())
    known = names()
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
    raise ConfigurationError(f"unknown domain {name[:40]!r}: {hint}", setting="domain")


def _foreign() -> dict[str, EntryPoint]:
    return {found.name: found for found in entry_points(group=ENTRY_POINTS)}


def _named(reference: str) -> Any:
    module, _, name = reference.partition(":")
    return getattr(import_module(module), name)
