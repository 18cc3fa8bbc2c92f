"""What PostgreSQL says of a query in two revisions, compared: in words, and without the numbers of either database."""

from collections.abc import Iterable, Iterator, Mapping

from surf_data.review.analysis.facts import Access, Facts, Parameter, ResultColumn

_OPERATORS: Mapping[str, str] = {
    "": "all rows",
    "^": "one row",
    "$": "one value",
    "!": "a row count",
    "<!": "the row of RETURNING",
    "*!": "a statement for each row",
    "#": "a status",
}


def types(before: Facts, now: Facts) -> Iterator[str]:
    """Yield what is different for a caller: parameters, columns, rows."""
    if before.query.operator != now.query.operator:
        was, becomes = (_OPERATORS[facts.query.operator] for facts in (before, now))
        yield f"a call gives {becomes}, no longer {was}"
    yield from _named("parameter", before.parameters, now.parameters)
    yield from _named("column", before.columns or (), now.columns or ())
    names = [[column.name for column in facts.columns or ()] for facts in (before, now)]
    if names[0] != names[1] and sorted(names[0]) == sorted(names[1]):
        yield f"the columns come in another order: {', '.join(names[1])}"
    if str(before.rows) != str(now.rows):
        yield f"rows: {now.rows}, no longer {before.rows}"


def effects(before: Facts, now: Facts) -> Iterator[str]:
    """Yield what is different for the database: tables, locks, triggers, cascades."""
    earlier, later = ({_reached(access): access for access in facts.tables} for facts in (before, now))
    for name in dict.fromkeys([*later, *earlier]):
        was, becomes = (_done(accesses.get(name)) for accesses in (earlier, later))
        for label in was:
            yield from _listed(f"{name}: {label} ", was[label], becomes[label])
    yield from _listed("trigger: ", before.triggers, now.triggers)
    yield from _listed("cascade: ", before.cascades, now.cascades)
    yield from _listed("volatile function: ", before.volatile_functions, now.volatile_functions)
    if before.read_only != now.read_only:
        yield "it is read-only now" if now.read_only else f"it is no longer read-only: {', '.join(now.writes)}"


def _named(
    what: str, before: Iterable[Parameter] | Iterable[ResultColumn], now: Iterable[Parameter] | Iterable[ResultColumn]
) -> Iterator[str]:
    earlier, later = ({each.name: each for each in all_of} for all_of in (before, now))
    for name in dict.fromkeys([*later, *earlier]):
        was, becomes = earlier.get(name), later.get(name)
        if was is None or becomes is None:
            yield f"{what} {name} is {'new' if was is None else 'gone'}"
            continue
        if was.type.name != becomes.type.name:
            yield f"{what} {name}: {becomes.type.name}, no longer {was.type.name}"
        if was.nullable != becomes.nullable:
            reason = f": {becomes.reason}" if becomes.reason else ""
            yield f"{what} {name} {'may be null now' if becomes.nullable else 'is never null now'}{reason}"


def _reached(access: Access) -> str:
    return access.table if access.through is None else f"{access.table} (through {access.through})"


def _done(access: Access | None) -> dict[str, tuple[str, ...]]:
    if access is None:
        return {"lock": (), "row lock": (), "reads": (), "writes": ()}
    return {
        "lock": (access.lock,),
        "row lock": (access.row_lock,) if access.row_lock else (),
        "reads": access.columns_read,
        "writes": access.columns_written,
    }


def _listed(label: str, before: Iterable[str], now: Iterable[str]) -> Iterator[str]:
    earlier, later = list(before), list(now)
    added = [each for each in later if each not in earlier]
    gone = [each for each in earlier if each not in later]
    said = [*([", ".join(added)] if added else []), *([f"no longer {', '.join(gone)}"] if gone else [])]
    if said:
        yield f"{label}{', '.join(said)}"
