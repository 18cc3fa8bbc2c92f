"""Reads a .sql file as PostgreSQL would, and refuses what aiosql would silently misread.

aiosql finds parameters and comments with regular expressions that know plain quotes only. It takes ``:x`` in a
trailing comment, a ``$$`` body or an ``E''`` string for a parameter, ``a[1:2]`` too, and lets a second query of the
same name win. Each of these is an error here, with file and line.
"""

import keyword
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import attrs

from surf_data.errors import QueryFileError
from surf_data.kernel.postgres.scanner import BLANK, Token, meaning, tokens

_NAME = re.compile(r"--\s*name\s*:\s*(?P<definition>.*?)\s*$")
# What aiosql splits a file at, wherever it stands.
_NAME_ANYWHERE = re.compile(r"--\s*name\s*:")
_DEFINITION = re.compile(
    r"(?P<name>[a-z][a-z0-9_]*)\s*(?:\((?P<parameters>[\w\s,]*)\))?\s*(?P<operator>\^|\$|!|<!|\*!|#|)"
)
_OPTION = re.compile(r"(?P<name>[a-z]+):\s*(?P<value>\S+)")
# What a line of the description may declare, and the only value that this can have.
_OPTIONS = {"plan": "custom", "replica": "ok", "retry": "idempotent"}
# Lines that are for `surf-data review` alone.
_REVIEW = re.compile(r"(?:accept|example)\s*:")
_PARAMETER = re.compile(r"[a-z_][a-z0-9_]*")
# aiosql's functions have these themselves.
_TAKEN_PARAMETERS = frozenset({"self", "conn"})

_HIDING = {"comment": "a trailing comment", "dollar": "a dollar-quoted text"}
_REFUSED = {
    "positional": "a positional parameter would be mixed up with the named ones",
    "variable": "psql's quoted variable is no parameter here; write :name",
}
_CHANGES = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE"})


@attrs.frozen(kw_only=True, eq=False)
class QueryHeader:
    """One query of a file: what is said of it, and its SQL."""

    #: The query's name, without namespace.
    name: str
    #: Its declared parameters, in order.
    parameters: tuple[str, ...]
    #: aiosql's operator: ``^`` one row, ``$`` one value, ``!`` a row count, ``<!`` the row of a RETURNING clause, ``#``
    #: a status or COPY, empty for all rows.
    operator: str
    #: The comment lines between the name and the SQL, but for the options.
    description: tuple[str, ...]
    #: What else these lines say: ``plan`` for ``-- plan: custom``, ``replica`` for ``-- replica: ok``, ``retry`` for
    #: ``-- retry: idempotent``.
    options: frozenset[str]
    #: All of it as it stands in the file, the line of the name included.
    source: str
    #: What of it PostgreSQL heeds.
    code: tuple[Token, ...]
    #: The file.
    file: Path
    #: The line of the name, counted from 1.
    line: int

    def error(self, problem: str, line: int | None = None) -> QueryFileError:
        """Return the error that this query has ``problem``, on ``line`` or where it begins."""
        return QueryFileError(problem, file=str(self.file), line=line or self.line)


class SqlFile:
    """One file of queries, checked.

    Arguments:
        path: the file.

    Raises:
        QueryFileError: the file cannot be read, or holds something that would be misread; with file and line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._text = self._read()
        pieces = list(tokens(self._text))
        starts = [position for position, token in enumerate(pieces) if self._is_name(token)]
        self._refuse_orphans(pieces[: starts[0]] if starts else pieces, {pieces[start].start for start in starts})
        #: The queries in the order of the file.
        self.queries: list[QueryHeader] = [
            self._query(pieces[start:end]) for start, end in pairwise([*starts, len(pieces)])
        ]

    def _read(self) -> str:
        try:
            # An editor may have put a byte order mark before the text.
            text = self.path.read_text(encoding="utf-8-sig")
        except OSError as error:
            problem = QueryFileError(f"cannot be read: {type(error).__name__}", file=str(self.path))
        except UnicodeDecodeError as error:
            problem = self._error("is not UTF-8", error.object.count(b"\n", 0, error.start) + 1)
        else:
            if "\0" not in text:
                return text
            problem = self._error("a NUL character would end the SQL here", _line(text, text.index("\0")))
        # Outside the handler, so that it carries no other error.
        raise problem

    def _is_name(self, token: Token) -> bool:
        return token.kind == "comment" and bool(_NAME.match(token.text)) and self._begins_line(token)

    def _begins_line(self, token: Token) -> bool:
        return not self._text[self._text.rfind("\n", 0, token.start) + 1 : token.start].strip()

    def _refuse_orphans(self, before: list[Token], names: set[int]) -> None:
        for token in meaning(before):
            raise self._error("SQL before the first '-- name:' belongs to no query", token.line)
        for match in _NAME_ANYWHERE.finditer(self._text):
            if match.start() not in names:
                raise self._error("'-- name:' must begin a line of its own", _line(self._text, match.start()))

    def _query(self, query: list[Token]) -> QueryHeader:
        line = query[0].line
        matched = _NAME.match(query[0].text)
        definition = _DEFINITION.fullmatch(matched["definition"] if matched else "")
        if not definition or keyword.iskeyword(definition["name"]):
            raise self._error("write '-- name: noun_verb(parameters)' and one of ^ $ ! <! # or nothing", line)
        if definition["operator"] == "*!":
            raise self._error("*! would send a statement for each row; use COPY, or unnest() over arrays", line)
        if definition["parameters"] is None:
            raise self._error("the parameter list is missing; write () where there is none", line)
        body = next((place for place, token in enumerate(query) if token.kind not in BLANK), len(query))
        comments = [(token.text.lstrip("-").strip(), token.line) for token in query[1:body] if token.kind == "comment"]
        options = {name for text, place in comments if (name := self._option(text, place))}
        description = [text for text, _ in comments if not self._option(text, line) and not _REVIEW.match(text)]
        if not any(description):
            raise self._error("a line of description must follow the name", line)
        header = QueryHeader(
            name=definition["name"],
            parameters=tuple(name.strip() for name in definition["parameters"].split(",") if name.strip()),
            operator=definition["operator"],
            description=tuple(filter(None, description)),
            options=frozenset(options),
            source="".join(token.text for token in query),
            code=meaning(query),
            file=self.path,
            line=line,
        )
        for problem, where in self._problems(header, query[1:]):
            raise header.error(problem, where)
        return header

    def _option(self, text: str, line: int) -> str | None:
        """Return the name of the option that a line of the description declares, if it declares one."""
        declared = _OPTION.fullmatch(text)
        if not declared or declared["name"] not in _OPTIONS:
            return None
        if declared["value"] != _OPTIONS[declared["name"]]:
            raise self._error(f"{declared['name']} can only be {_OPTIONS[declared['name']]}", line)
        return declared["name"]

    def _problems(self, header: QueryHeader, body: list[Token]) -> Iterator[tuple[str, int]]:
        yield from _in_statement(header)
        for token in body:
            yield from _in_token(token)
            if token.kind in _HIDING and not (token.kind == "comment" and self._begins_line(token)):
                # The same idea of a parameter as aiosql's: a word after a single colon.
                for match in re.finditer(r"(?<!:):\w", token.text):
                    line = token.line + _line(token.text, match.start()) - 1
                    yield f"a colon in {_HIDING[token.kind]} would be read as a parameter", line
        yield from _in_sequence(header.code)
        yield from _in_parameters(header)

    def _error(self, problem: str, line: int) -> QueryFileError:
        return QueryFileError(problem, file=str(self.path), line=line)


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _in_statement(header: QueryHeader) -> Iterator[tuple[str, int]]:
    code = header.code
    words = {token.text.upper() for token in code if token.kind == "word"}
    semicolons = [token for token in code if token.text == ";"]
    first = next((token for token in code if token.text not in {"(", ";"}), None)
    if first is None:
        yield "the query has no SQL", header.line
    elif first.kind != "word":
        yield "a query begins with a keyword", first.line
    elif not semicolons or code[-1] is not semicolons[0]:
        # A second statement behind a semicolon would run unseen.
        yield "a query is one statement that ends in ';'", (semicolons or code)[0].line
    elif first.text.upper() in _CHANGES and "RETURNING" not in words and header.operator not in {"!", "#"}:
        yield f"without RETURNING, {first.text.upper()} has no rows to return; its operator is !", header.line


def _in_token(token: Token) -> Iterator[tuple[str, int]]:
    kind, text = token.kind, token.text
    if kind in _REFUSED:
        yield _REFUSED[kind], token.line
    elif kind == "code" and text in "'\"$":
        yield f"the quote {text} has no end", token.line
    elif kind == "block" and (not text[2:].endswith("*/") or "/*" in text[2:]):
        yield "a block comment must have an end, and must not hold another", token.line
    elif kind == "block" and text.startswith("/*+"):
        yield "a hint comment would be sent as it stands", token.line
    elif kind == "escape" and "\\'" in text:
        yield "write '' instead of \\' in an E'' string", token.line


def _in_sequence(code: tuple[Token, ...]) -> Iterator[tuple[str, int]]:
    subscripts: list[bool] = []
    for before, token in pairwise(code):
        if before.kind == "escape" and token.kind == "string":
            yield "an E'' string that goes on in another would be cut; write it as one", token.line
        if token.text == "[":
            constructor = before.text.upper() in {"ARRAY", "[", ","}
            subscripts.append(not constructor or (bool(subscripts) and subscripts[-1]))
        elif token.text == "]" and subscripts:
            subscripts.pop()
        elif token.kind == "parameter" and subscripts and subscripts[-1] and re.search(r"[\w\])'\"]$", before.text):
            yield "an array slice would be read as a parameter; write it as [1 : 2]", token.line


def _in_parameters(header: QueryHeader) -> Iterator[tuple[str, int]]:
    used = {token.text[1:]: token for token in reversed(header.code) if token.kind == "parameter"}
    for name, token in sorted(used.items(), key=lambda item: item[1].start):
        if name not in header.parameters:
            yield f"parameter :{name} is not declared", token.line
    for name in header.parameters:
        if not _PARAMETER.fullmatch(name) or keyword.iskeyword(name) or name in _TAKEN_PARAMETERS:
            yield f"{name} cannot be the name of a parameter", header.line
        if header.parameters.count(name) > 1:
            yield f"parameter {name} is declared twice", header.line
        if name not in used:
            yield f"parameter {name} is declared and not used", header.line
    if "plan" in header.options and not header.parameters:
        yield "a query without parameters has no values to be planned with", header.line
    if header.parameters and header.operator == "#":
        yield "a # query takes no parameters", header.line
