"""Reads any folder of aiosql files: this library's own, and those that its stricter rules would refuse."""

import re
import string
from collections.abc import Collection, Iterator
from pathlib import Path

import attrs

from surf_data.errors import QueryFileError
from surf_data.kernel.postgres.scanner import Token, meaning, tokens

#: To PostgreSQL a keyword or a name without quotes is the same in any case; of letters beyond ASCII it is not.
LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)

_NAME = re.compile(r"--\s*name\s*:\s*(?P<name>[\w-]+)\s*(?:\((?P<parameters>[^)]*)\))?\s*(?P<operator>\*!|<!|[$^!#]|)")
_PARAMETER = re.compile(r":[A-Za-z_]\w*")
# Lines of a header that are for programs: this library's, and aiosql's own.
_OPTION = re.compile(r"--\s*(?P<key>accept|example|plan|record_class|replica|retry)\s*:\s*(?P<value>.*?)\s*$")


@attrs.frozen(kw_only=True)
class Query:
    """One query of a file."""

    #: Its name, with those of the folders below the first: ``shop.lamp_insert``.
    name: str
    #: aiosql's operator: ``^`` one row, ``$`` one value, ``!`` a row count, ``<!`` the row of a RETURNING clause,
    #: ``*!`` a statement for each row, ``#`` a status or COPY, empty for all rows.
    operator: str
    #: Its parameters: as declared, or else in the order in which they come.
    parameters: tuple[str, ...]
    #: The comment lines between the name and the SQL, but for the options.
    description: tuple[str, ...]
    #: What else these lines say: ``("replica", "ok")``.
    options: tuple[tuple[str, str], ...]
    #: The line of the file that each of `options` is on.
    option_lines: tuple[int, ...]
    #: The SQL as it stands in the file, without what follows the last semicolon.
    sql: str
    #: The same as PostgreSQL is asked to prepare it: a number for each parameter.
    wire: str
    #: The parameters in the order of these numbers.
    order: tuple[str, ...]
    #: How many statements it is.
    statements: int
    #: Its first word, in upper case.
    verb: str
    #: The file.
    file: Path
    #: The line of its name, counted from 1.
    line: int
    #: The line on which `sql` begins.
    sql_line: int

    def place(self, line: int | None = None) -> str:
        """Return where the query is, for a message: file, line, name.

        Arguments:
            line: another line than that of its name.
        """
        return f"{self.file}:{line or self.line}: {self.name}"

    def at(self, position: int) -> int:
        """Return the line of the file for a place in `wire`.

        Arguments:
            position: characters, counted from 1, as the server counts them.
        """
        return self.sql_line + self.wire.count("\n", 0, position - 1)

    def words(self) -> list[str]:
        """Return what PostgreSQL heeds of the SQL, with what it takes for the same in any case in lower case."""
        code = meaning(tokens(self.sql))
        return [token.text.translate(LOWER) if token.kind == "word" else token.text for token in code]

    def header(self) -> tuple[object, ...]:
        """Return what is said of the query beside its name and its SQL."""
        return self.operator, self.parameters, self.description, self.options

    def named(self, said: str, kept: Collection[str] = ()) -> str:
        """Return what the server says of the query with names in the place of the numbers of parameters.

        Arguments:
            said: a message, or an expression.
            kept: numbers that stand for something else: ``$1``.
        """
        names = {f"${number}": f":{name}" for number, name in enumerate(self.order, 1) if f"${number}" not in kept}
        # A text in quotes may have such a number, too.
        return "".join(
            names.get(token.text, token.text) if token.kind == "positional" else token.text for token in tokens(said)
        )


def read_queries(folder: Path) -> list[Query]:
    """Return the queries of every ``.sql`` file below a folder, or of one file, in the order of their places.

    Where several files of a folder have a query of the same name, because they are loaded one by one, the file is part
    of the name: ``shop.create_schema`` is that of ``shop.sql``.

    Raises:
        QueryFileError: a file cannot be read, or a name is taken twice.
    """
    queries = read_file(folder) if folder.is_file() else _apart(list(_below(folder, ())))
    seen: dict[str, Query] = {}
    for query in queries:
        other = seen.setdefault(query.name, query)
        if other is not query:
            problem = f"the name {query.name} is taken by {other.file.name}:{other.line}"
            raise QueryFileError(problem, file=str(query.file), line=query.line)
    return queries


def read_file(path: Path) -> list[Query]:
    """Return the queries of one file, named as they are in it.

    Raises:
        QueryFileError: the file cannot be read.
    """
    return list(_of_file(path, ()))


def read_text(text: str, path: Path) -> list[Query]:
    """Return the queries of a text, named as they are in it.

    Arguments:
        text: the text.
        path: the file that it is of, or would be.
    """
    return list(_of_text(text, path, ()))


def _apart(queries: list[Query]) -> list[Query]:
    files: dict[str, set[Path]] = {}
    for query in queries:
        files.setdefault(query.name, set()).add(query.file)
    return [query if len(files[query.name]) == 1 else _with_file(query) for query in queries]


def _with_file(query: Query) -> Query:
    *folders, name = query.name.split(".")
    return attrs.evolve(query, name=".".join([*folders, query.file.stem, name]))


def _below(folder: Path, names: tuple[str, ...]) -> Iterator[Query]:
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        problem = QueryFileError(f"cannot be read: {type(error).__name__}", file=str(folder))
    else:
        for path in paths:
            if path.is_dir():
                yield from _below(path, (*names, path.name))
            elif path.suffix == ".sql":
                yield from _of_file(path, names)
        return
    # Outside the handler, so that it carries no other error.
    raise problem


def _of_file(path: Path, names: tuple[str, ...]) -> Iterator[Query]:
    return _of_text(_text(path), path, names)


def _of_text(text: str, path: Path, names: tuple[str, ...]) -> Iterator[Query]:
    pieces: list[Token] = []
    header: Token | None = None
    for token in tokens(text):
        if token.kind == "comment" and _NAME.match(token.text):
            yield from _query(path, names, header, pieces)
            header, pieces = token, []
        else:
            pieces.append(token)
    yield from _query(path, names, header, pieces)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        problem = QueryFileError(f"cannot be read: {type(error).__name__}", file=str(path))
    raise problem


def _query(path: Path, names: tuple[str, ...], header: Token | None, pieces: list[Token]) -> Iterator[Query]:
    matched = None if header is None else _NAME.match(header.text)
    code = meaning(pieces)
    if header is None or matched is None or not code:
        return
    declared = [name.strip() for name in (matched["parameters"] or "").split(",") if name.strip()]
    first = code[0]
    comments = [token for token in pieces if token.kind == "comment" and token.start < first.start]
    options = [(token.line, option) for token in comments if (option := _OPTION.match(token.text))]
    semicolons = [place for place, token in enumerate(code) if token.text == ";"]
    last = code[-1] if not semicolons else code[semicolons[-1] - 1] if semicolons[-1] == len(code) - 1 else code[-1]
    body = [token for token in pieces if first.start <= token.start <= last.start]
    order = list(dict.fromkeys(token.text[1:] for token in body if _is_parameter(token)))
    yield Query(
        name=".".join([*names, matched["name"].replace("-", "_")]),
        operator=matched["operator"],
        parameters=tuple(dict.fromkeys([*declared, *order])),
        description=tuple(
            text
            for comment in comments
            if not _OPTION.match(comment.text) and (text := comment.text.lstrip("-").strip())
        ),
        options=tuple((option["key"], option["value"]) for _, option in options),
        option_lines=tuple(line for line, _ in options),
        sql="".join(token.text for token in body),
        wire="".join(f"${order.index(token.text[1:]) + 1}" if _is_parameter(token) else token.text for token in body),
        order=tuple(order),
        statements=len([place for place in semicolons if place != len(code) - 1]) + 1,
        verb=next((token.text.upper() for token in code if token.kind == "word"), ""),
        file=path,
        line=header.line,
        sql_line=first.line,
    )


def _is_parameter(token: Token) -> bool:
    return token.kind == "parameter" and _PARAMETER.fullmatch(token.text) is not None
