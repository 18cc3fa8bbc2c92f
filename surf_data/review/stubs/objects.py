"""Finds the query objects that a program has: modules with the result of `surf_data.load_queries`."""

import ast
import importlib
import inspect
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import attrs
from aiosql.queries import Queries

from surf_data.errors import QueryFileError
from surf_data.kernel.postgres.adapter import Adapter
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
    queries: tuple[Loaded, ...]


def find_queries(references: Iterable[str]) -> list[QueryObject]:
    """Return the query objects that references name.

    Arguments:
        references: ``package.module:name`` each, where ``name`` is the query object, or a function without arguments
            that returns it.

    Raises:
        QueryFileError: there is no such object, it does not come from `surf_data.load_queries`, or its module holds
            more than such objects, which type checkers would not see any more beside a stub.
    """
    found = [_found(reference) for reference in references]
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


def _found(reference: str) -> QueryObject:
    module_name, _, name = reference.partition(":")
    try:
        module = importlib.import_module(module_name)
        found = getattr(module, name)
    except Exception as error:  # noqa: BLE001 -- a module may raise anything
        problem = QueryFileError(f"{reference} cannot be imported ({type(error).__name__}); write package.module:name")
    else:
        is_function = inspect.isroutine(found) or hasattr(found, "cache_info")
        queries: Any = found() if is_function else found
        if isinstance(queries, Queries) and isinstance(queries.driver_adapter, Adapter):
            return QueryObject(
                module=module_name,
                file=Path(inspect.getfile(module)),
                name=name,
                is_function=is_function,
                queries=tuple(_loaded(queries, queries.driver_adapter, ())),
            )
        problem = QueryFileError(f"{reference} is not what load_queries returns")
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


def _public_names(file: Path) -> set[str]:
    names: set[str] = set()
    for statement in ast.parse(file.read_text("utf-8")).body:
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            names.add(statement.name)
        elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            names.update(target.id for target in targets if isinstance(target, ast.Name))
    return {name for name in names if not name.startswith("_")}
