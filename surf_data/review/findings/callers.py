"""Where Python calls a query: found in the code as it is written, without importing any of it."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import attrs

from surf_data.kernel.postgres.query_source import QuerySource

#: Folders that hold other people's code: environments and caches also begin with a dot.
_FOREIGN = frozenset({"site-packages", "node_modules", "__pycache__"})
#: What aiosql calls the form of a query that returns a cursor.
_CURSOR = "_cursor"


@attrs.frozen(kw_only=True, order=True)
class Caller:
    """A place that names a query."""

    file: Path
    #: Counted from 1.
    line: int
    #: The function or method around it, with its class: ``Lamps.register``; empty at the top of the module.
    function: str


@attrs.frozen
class _Use:
    """A name in the code."""

    name: str
    #: What stands before its dot: ``shop`` in ``queries.shop.find``.
    owner: str
    caller: Caller


def find_callers(wanted: Sequence[QuerySource], sources: Iterable[Path]) -> dict[str, tuple[Caller, ...]]:
    """Return where each query is called, by its full name.

    A query counts as called wherever its name is taken from an object, ``queries.find_shop``, or is a text by itself,
    ``getattr(queries, "find_shop")``; ``getattr(queries, f"find_{what}")`` calls all that it may lead to. Where queries
    of several folders share a name, the folder before the dot decides.

    Arguments:
        wanted: the queries.
        sources: Python files, and folders of them; what Python itself could not read is left out.
    """
    by_name: dict[str, list[QuerySource]] = {}
    for query in wanted:
        name = query.name.rpartition(".")[2]
        for form in (name, f"{name}{_CURSOR}"):
            by_name.setdefault(form, []).append(query)
    found: dict[str, dict[Caller, None]] = {query.name: {} for query in wanted}
    for use in _uses(_files(sources), by_name):
        for query in _meant(use, by_name[use.name]):
            found[query.name][use.caller] = None
    return {name: tuple(sorted(callers)) for name, callers in found.items()}


def _meant(use: _Use, queries: Sequence[QuerySource]) -> Sequence[QuerySource]:
    folder = [query for query in queries if query.name.split(".")[-2:-1] == [use.owner]]
    return folder or queries


def _files(sources: Iterable[Path]) -> Iterator[Path]:
    for source in sources:
        if source.is_file():
            yield source
            continue
        for path in sorted(source.rglob("*.py")):
            folders = path.relative_to(source).parts[:-1]
            if not any(folder.startswith(".") or folder in _FOREIGN for folder in folders):
                yield path


def _uses(files: Iterable[Path], names: Mapping[str, object]) -> Iterator[_Use]:
    # Most files name no query, and reading one as Python takes far longer than looking for a word in it.
    any_name = re.compile("|".join(["getattr", *map(re.escape, names)]).encode())
    for file in dict.fromkeys(files):
        try:
            code = file.read_bytes()
            tree = ast.parse(code) if any_name.search(code) else None
        except (OSError, SyntaxError, ValueError):
            continue
        if tree is not None:
            yield from _within(tree, names, file, ())


def _within(node: ast.AST, names: Mapping[str, object], file: Path, around: tuple[str, ...]) -> Iterator[_Use]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield from _within(child, names, file, (*around, child.name))
            continue
        if isinstance(child, ast.Attribute) and child.attr in names:
            # A chain over several lines has its name on the last of them.
            caller = Caller(file=file, line=child.end_lineno or child.lineno, function=".".join(around))
            yield _Use(child.attr, _name(child.value), caller)
        elif isinstance(child, ast.Constant) and isinstance(child.value, str):
            owner, _, name = child.value.rpartition(".")
            if name in names:
                caller = Caller(file=file, line=child.lineno, function=".".join(around))
                yield _Use(name, owner.rpartition(".")[2], caller)
        elif isinstance(child, ast.Call):
            for name in _composed(child, names):
                yield _Use(name, "", Caller(file=file, line=child.lineno, function=".".join(around)))
        yield from _within(child, names, file, around)


def _composed(call: ast.Call, names: Iterable[str]) -> Iterator[str]:
    """Yield the names that ``getattr`` may be asked for, where it is by a text with something in it."""
    wanted = call.args[1] if _name(call.func) == "getattr" and len(call.args) > 1 else None
    if isinstance(wanted, ast.JoinedStr):
        pieces = [str(each.value) if isinstance(each, ast.Constant) else None for each in wanted.values]
        pattern = re.compile("".join(r"\w+" if piece is None else re.escape(piece) for piece in pieces))
        yield from (name for name in names if any(pieces) and pattern.fullmatch(name))


def _name(value: ast.expr) -> str:
    if isinstance(value, ast.Call):
        return _name(value.func)
    return value.attr if isinstance(value, ast.Attribute) else value.id if isinstance(value, ast.Name) else ""
