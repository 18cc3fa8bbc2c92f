"""Finds the query objects that a program has: modules with the result of `surf_data.load_queries`."""

import ast
import importlib
import inspect
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import attrs
from aiosql.queries import Queries

from surf_data.errors import QueryFileError, SurfDataError
from surf_data.kernel.postgres.adapter import Adapter
from surf_data.kernel.postgres.query_files import read_file
from surf_data.kernel.postgres.query_source import QuerySource


@attrs.frozen(kw_only=True)
class Loaded:
    """One query of a query object."""

    #: Where it is below the object: ``("shop", "lamp_insert")``.
    path: tuple[str, ...]
    query: QuerySource
    #: The class of its rows, if it has one.
    row: type[attrs.AttrsInstance] | None


@attrs.frozen(kw_only=True)
class QueryObject:
    """A query object, and where a program finds it."""

    #: The module.
    module: str
    #: The module's file.
    file: Path
    #: The name within the module.
    name: str
    #: Whether the name is that of a function which returns it.
    is_function: bool
    #: Whether aiosql itself made it, so that calls take a connection and return what a driver does.
    is_foreign: bool
    queries: tuple[Loaded, ...]


def find_queries(references: Iterable[str], *, lenient: bool = False) -> list[QueryObject]:
    """Return the query objects that references name.

    Arguments:
        references: ``package.module:name`` each, where ``name`` is the query object, or a function without arguments
            that returns it.
        lenient: whether what ``aiosql.from_path`` returns will do as well.

    Raises:
        QueryFileError: there is no such object, it does not come from `surf_data.load_queries`, or its module holds
            more than such objects, which type checkers would not see any more beside a stub.
    """
    found = [_found(reference, lenient=lenient) for reference in references]
    for file in {each.file for each in found}:
        others = _public_names(file) - {each.name for each in found if each.file == file}
        if others:
            # A stub stands for its whole module.
            raise QueryFileError(
                f"type checkers would not see {', '.join(sorted(others))} beside a stub: keep query objects in modules "
                "of their own, and name all that are in one",
                file=str(file),
            )
    return found


def _found(reference: str, *, lenient: bool) -> QueryObject:
    module_name, _, name = reference.partition(":")
    try:
        module = importlib.import_module(module_name)
        found = getattr(module, name)
        is_function = inspect.isroutine(found) or hasattr(found, "cache_info")
        queries: Any = found() if is_function else found
    except SurfDataError:
        raise
    except (Exception, KeyboardInterrupt, SystemExit) as error:  # noqa: BLE001 - a module may raise anything
        problem = QueryFileError(f"{reference} cannot be imported ({type(error).__name__}); write package.module:name")
    else:
        is_aio = isinstance(queries, Queries) and queries.is_aio
        adapter = queries.driver_adapter if isinstance(queries, Queries) and not is_aio else None
        is_foreign = adapter is not None and not isinstance(adapter, Adapter)
        if isinstance(adapter, Adapter) or (is_foreign and lenient):
            loaded = _loaded(queries, adapter, ()) if isinstance(adapter, Adapter) else _of_aiosql(queries, ())
            return QueryObject(
                module=module_name,
                file=Path(inspect.getfile(module)),
                name=name,
                is_function=is_function,
                is_foreign=is_foreign,
                queries=tuple(loaded),
            )
        hint = "; --lenient takes what aiosql.from_path returns" if is_foreign or is_aio else ""
        hint += " with a synchronous driver" if is_aio else ""
        problem = QueryFileError(f"{reference} is not what load_queries returns{hint}")
    # Outside the handler, so that it carries no other error.
    raise problem


def _loaded(queries: Any, adapter: Adapter, below: tuple[str, ...]) -> Iterator[Loaded]:
    for name in dict.fromkeys(each.partition(".")[0] for each in queries.available_queries):
        member = getattr(queries, name)
        if isinstance(member, Queries):
            yield from _loaded(member, adapter, (*below, name))
        elif member.__name__ in adapter.sources:
            query, row = adapter.sources[member.__name__]
            path = (*below, name)
            yield Loaded(path=path, query=attrs.evolve(query, name=".".join(path)), row=row)


def _of_aiosql(queries: Any, below: tuple[str, ...]) -> Iterator[Loaded]:
    """Yield the queries that aiosql itself loaded: from the files that its functions say that they are from."""
    for name in dict.fromkeys(each.partition(".")[0] for each in queries.available_queries):
        member = getattr(queries, name)
        path = (*below, name)
        if isinstance(member, Queries):
            yield from _of_aiosql(member, path)
        # The form that returns a cursor is of no file.
        elif not name.endswith("_cursor"):
            file = Path(member.__func__.__code__.co_filename)
            known = {each.name: each for each in read_file(file)} if file.is_file() else {}
            if name not in known:
                raise QueryFileError(f"{'.'.join(path)} was not loaded from a file that is there", file=str(file))
            yield Loaded(path=path, query=attrs.evolve(known[name], name=".".join(path)), row=None)


def _public_names(file: Path) -> set[str]:
    names: set[str] = set()
    for statement in ast.parse(file.read_text("utf-8")).body:
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            names.add(statement.name)
        elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            names.update(target.id for target in targets if isinstance(target, ast.Name))
    return {name for name in names if not name.startswith("_")}
