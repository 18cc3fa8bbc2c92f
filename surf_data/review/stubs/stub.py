"""Writes what type checkers read of a query object: a ``.pyi`` file beside its module."""

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Generic, TypeVar

from surf_data.kernel.postgres import CopyReader, CopyWriter, Executor, Stream, effects
from surf_data.kernel.postgres.query_source import QuerySource
from surf_data.review.analysis import python_types
from surf_data.review.analysis.facts import ColumnType, Facts, Outcome, ResultColumn
from surf_data.review.stubs.annotations import Imports
from surf_data.review.stubs.objects import Loaded, QueryObject

_HEAD = '"""The queries of {module}, as PostgreSQL sees them. Written by surf-data stubs; not to be edited."""'
_ROWS = """
_Row = {type_var}("_Row")

class _Rows({stream}, {generic}[_Row]):
    def __iter__(self) -> {iterator}[_Row]: ...
"""

# What a COPY yields, by its direction.
_COPIES = {"FROM": AbstractContextManager[CopyWriter], "TO": AbstractContextManager[CopyReader]}


def stub(objects: Sequence[QueryObject], outcomes: Mapping[QuerySource, Outcome]) -> str:
    """Return the stub of a module.

    Arguments:
        objects: its query objects.
        outcomes: what is known of each query. One that could not be analysed takes and returns anything.
    """
    names = frozenset(name for each in objects for loaded in each.queries for name in loaded.path)
    imports = Imports(names)
    own, foreign = _Writer(imports, outcomes), _AiosqlWriter(imports, outcomes)
    body = [line for each in objects for line in (foreign if each.is_foreign else own).object(each)]
    rows = own.rows()
    return "\n".join([_HEAD.format(module=objects[0].module), "", *imports.lines(), *rows, *body]) + "\n"


class _Writer:
    """Writes the classes of a stub.

    Arguments:
        imports: remembers what has to be imported.
        outcomes: what is known of each query.
    """

    def __init__(self, imports: Imports, outcomes: Mapping[QuerySource, Outcome]) -> None:
        self.imports = imports
        self._outcomes = outcomes
        self._streams = False

    def object(self, queries: QueryObject) -> Iterator[str]:
        name = "_" + "".join(part.title() for part in queries.name.split("_"))
        yield from self._class(name, queries.queries, 0)
        yield f"def {queries.name}() -> {name}: ..." if queries.is_function else f"{queries.name}: {name}"

    def rows(self) -> list[str]:
        """Return what a stream of typed rows needs, if there is one."""
        if not self._streams:
            return []
        written = {
            "type_var": self.imports.name(TypeVar),
            "stream": self.imports.name(Stream),
            "generic": self.imports.name(Generic),
            "iterator": self.imports.name(Iterator),
        }
        return _ROWS.format(**written).rstrip("\n").split("\n")

    def _class(self, name: str, queries: Sequence[Loaded], depth: int) -> Iterator[str]:
        yield ""
        yield f"class {name}:"
        children: dict[str, list[Loaded]] = {}
        for loaded in queries:
            if len(loaded.path) > depth + 1:
                children.setdefault(loaded.path[depth], []).append(loaded)
        for child, below in children.items():
            inner = list(self._class(f"_{child.title()}", below, depth + 1))
            yield from (f"    {line}" if line else "" for line in inner[1:])
            yield from (f"    {child}: _{child.title()}", "")
        for loaded in queries:
            if len(loaded.path) == depth + 1:
                yield from (f"    {line}" if line else "" for line in self._methods(loaded))

    def _methods(self, loaded: Loaded) -> Iterator[str]:
        yield from self._method(loaded, loaded.path[-1], self._result(loaded))
        if not loaded.query.operator:
            self._streams = True
            rows = f"{self.imports.name(AbstractContextManager)}[_Rows[{self._row(loaded)}]]"
            yield from self._method(loaded, f"{loaded.path[-1]}_cursor", rows)

    def _executor(self) -> str:
        return f"executor: {self.imports.written(Executor)}"

    def _given(self, parameter: ColumnType) -> Any:
        return python_types.given(parameter)

    def _read(self, column: ColumnType) -> Any:
        return python_types.read(column)

    def _method(self, loaded: Loaded, name: str, result: str) -> Iterator[str]:
        executor = self._executor()
        parameters = list(self._parameters(loaded.query))
        if parameters:
            yield f"def {name}("
            yield from (f"    {each}," for each in ("self", executor, "/", "*", *parameters))
            yield f") -> {result}:"
        else:
            yield f"def {name}(self, {executor}, /) -> {result}:"
        text = "\n".join(loaded.query.description).replace("\\", "\\\\").replace('"""', '\\"""')
        yield from textwrap.indent(f'"""{text}"""' if text else "...", "    ").split("\n")
        yield ""

    def _parameters(self, query: QuerySource) -> Iterator[str]:
        outcome = self._outcomes[query]
        known = {each.name: each for each in outcome.parameters} if isinstance(outcome, Facts) else {}
        for name in query.parameters:
            found = known.get(name)
            written = self.imports.written(Any if found is None else self._given(found.type))
            yield f"{name}: {written}{' | None' if found is not None and found.nullable else ''}"

    def _row(self, loaded: Loaded) -> str:
        if loaded.row is not None:
            return self.imports.written(loaded.row)
        outcome = self._outcomes[loaded.query]
        if not isinstance(outcome, Facts) or outcome.columns is None:
            return self.imports.written(Any)
        columns = [self._column(column) for column in outcome.columns]
        return f"{self.imports.name(tuple)}[{', '.join(columns) or '()'}]"

    def _column(self, column: ResultColumn, *, missing: bool = False) -> str:
        # With `missing` there may be no row.
        kind = self._read(column.type)
        return self.imports.written(kind | None if (column.nullable or missing) and kind is not Any else kind)

    def _result(self, loaded: Loaded) -> str:
        query, outcome = loaded.query, self._outcomes[loaded.query]
        if query.operator == "!":
            return self.imports.written(int)
        if query.operator == "#":
            way = effects.copies(query.code)
            return self.imports.written(str | None if way is None else _COPIES[way])
        if not isinstance(outcome, Facts) or outcome.columns is None:
            return self.imports.written(Any)
        if not query.operator:
            return f"{self.imports.name(list)}[{self._row(loaded)}]"
        missing = not outcome.rows.at_least_one
        if query.operator == "$":
            return self._column(outcome.columns[0], missing=missing)
        return f"{self._row(loaded)}{' | None' if missing else ''}"


class _AiosqlWriter(_Writer):
    """The same of an object that aiosql itself made: its functions take a connection of psycopg."""

    def _executor(self) -> str:
        return f"conn: {self.imports.written(Any)}"

    def _given(self, parameter: ColumnType) -> Any:
        # psycopg wants documents wrapped, and says in what.
        return Any if parameter.name in {"json", "jsonb"} else python_types.given(parameter)

    def _read(self, column: ColumnType) -> Any:
        # psycopg reads as text what it does not know.
        return python_types.read(column) if python_types.is_known(column) else str

    def _methods(self, loaded: Loaded) -> Iterator[str]:
        name = loaded.path[-1]
        if loaded.query.operator == "*!":
            rows = self.imports.written(Iterable[Mapping[str, Any]])
            yield f"def {name}(self, {self._executor()}, parameters: {rows}, /) -> int: ..."
            yield ""
            return
        yield from self._method(loaded, name, self._result(loaded))
        if not loaded.query.operator:
            yield from self._method(loaded, f"{name}_cursor", self.imports.written(AbstractContextManager[Any]))

    def _result(self, loaded: Loaded) -> str:
        query, outcome = loaded.query, self._outcomes[loaded.query]
        if query.operator == "!":
            return self.imports.written(int)
        if query.operator == "#" or "record_class" in dict(query.options):
            return self.imports.written(Any)
        if not isinstance(outcome, Facts) or outcome.columns is None:
            return self.imports.written(Any)
        if not query.operator:
            return f"{self.imports.name(Iterator)}[{self._row(loaded)}]"
        if query.operator == "<!" and len(outcome.columns) == 1:
            # Of one column aiosql returns the value.
            return self._column(outcome.columns[0], missing=not outcome.rows.at_least_one)
        return super()._result(loaded)
