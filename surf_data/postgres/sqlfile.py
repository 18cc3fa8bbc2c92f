"""Reads a .sql file as PostgreSQL would, and refuses what aiosql would silently misread.

aiosql finds parameters and comments with regular expressions that know plain quotes only. It takes ``:x`` in a
trailing comment, a ``$$`` body or an ``E''`` string for a parameter, ``a[1:2]`` too, and lets a second query of the same
name win. Each of these is an error here, with file and line.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import attrs

from surf_data.errors import QueryFileError

# One token of SQL; what none of these takes is code, a character at a time. Source: PostgreSQL's manual, 4.1.
_TOKEN = re.compile(
    r"""
      (?P<comment>--[^\n]*)
    | (?P<block>/\*)
    | (?P<escape>\b[eE]'(?:[^'\\]|\\.|'')*')
    | (?P<string>'(?:[^']|'')*')
    | (?P<identifier>"(?:[^"]|"")*")
    | (?P<dollar>\$(?P<tag>[A-Za-z_\x80-\uffff][\w\x80-\uffff]*|)\$.*?\$(?P=tag)\$)
    | (?P<word>\w+)
    | (?P<cast>::)
    | (?P<parameter>:\w+)
    | (?P<code>.)
    """,
    re.VERBOSE | re.DOTALL,
)

# aiosql's own idea of a parameter (its documentation, "Parameters"): quotes are skipped, a colon after a colon is not.
_AIOSQL_PARAMETER = re.compile(r""""(?:""|[^"])+"|'(?:''|[^'])*'|[^:](?P<parameter>:\w+)""")

_NAME = re.compile(r"--\s*name\s*:\s*(?P<definition>.*?)\s*$")
_DEFINITION = re.compile(r"(?P<name>[a-z][a-z0-9_]*)\s*(?:\((?P<parameters>[\w\s,]*)\))?\s*(?P<operator>\^|\$|!|<!|\*!|#|)")

_SPOKEN = {
    "block": "a block comment",
    "comment": "a trailing comment",
    "dollar": "a dollar-quoted body",
    "escape": "an E'' string",
}


@attrs.frozen
class Token:
    """A piece of SQL."""

    #: The name of its group in the scanner: comment, block, escape, string, identifier, dollar, word, ...
    kind: str
    #: The text.
    text: str
    #: Where it begins in the file, in characters.
    start: int


@attrs.frozen(kw_only=True)
class QueryHeader:
    """What a file says of one query before its SQL."""

    #: The query's name, without namespace.
    name: str
    #: Its declared parameters, in order.
    parameters: tuple[str, ...]
    #: aiosql's operator: ``^`` one row, ``$`` one value, ``!`` a row count, ``#`` a script, empty for rows.
    operator: str
    #: The comment lines between the name and the SQL.
    description: tuple[str, ...]
    #: The file.
    file: Path
    #: The line of the name, counted from 1.
    line: int


def tokens(sql: str) -> Iterator[Token]:
    """Yield the tokens of ``sql``; an unterminated comment or quote comes as code."""
    position = 0
    while match := _TOKEN.match(sql, position):
        position = match.end()
        kind = match.lastgroup or "code"
        if kind == "tag":
            kind = "dollar"
        if kind == "block":
            position = _end_of_block(sql, match.start())
        yield Token(kind, sql[match.start() : position], match.start())


def _end_of_block(sql: str, start: int) -> int:
    # PostgreSQL's block comments nest.
    depth, position = 0, start
    for edge in re.finditer(r"/\*|\*/", sql[start:]):
        depth += 1 if edge.group() == "/*" else -1
        position = start + edge.end()
        if depth == 0:
            return position
    return len(sql)


def _code(body: list[Token]) -> list[Token]:
    return [token for token in body if token.kind not in {"comment", "block"} and token.text.strip()]


class SqlFile:
    """One file of queries, checked.

    Arguments:
        path: the file.

    Raises:
        QueryFileError: the file cannot be read, or holds something that would be misread; with file and line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise QueryFileError(f"cannot be read: {type(error).__name__}", file=str(path)) from None
        self._tokens = list(tokens(self.text))
        starts = [position for position, token in enumerate(self._tokens) if self._is_name(token)]
        ends = [*starts[1:], len(self._tokens)]
        self._refuse_orphans(starts)
        #: The queries in the order of the file.
        self.queries = [self._query(self._tokens[start:end]) for start, end in zip(starts, ends, strict=True)]

    def _is_name(self, token: Token) -> bool:
        return token.kind == "comment" and bool(_NAME.match(token.text)) and self._begins_line(token)

    def _begins_line(self, token: Token) -> bool:
        return not self.text[self.text.rfind("\n", 0, token.start) + 1 : token.start].strip()

    def _refuse_orphans(self, starts: list[int]) -> None:
        for token in self._tokens[: starts[0] if starts else None]:
            if token.kind not in {"comment", "block"} and token.text.strip():
                raise self._error("SQL before the first '-- name:' belongs to no query", token.start)
        names = {self._tokens[start].start for start in starts}
        for match in re.finditer(r"--\s*name\s*:", self.text):
            if match.start() not in names:
                raise self._error("'-- name:' must begin a line of its own", match.start())

    def _query(self, query: list[Token]) -> QueryHeader:
        start = query[0].start
        matched = _NAME.match(query[0].text)
        definition = _DEFINITION.fullmatch(matched["definition"] if matched else "")
        if not definition:
            raise self._error("write '-- name: noun_verb(parameters)' and one of ^ $ ! <! *! # or nothing", start)
        if definition["parameters"] is None:
            raise self._error("the parameter list is missing; write () where there is none", start)
        declared = tuple(name.strip() for name in definition["parameters"].split(",") if name.strip())
        comments, body = self._description(query[1:])
        if not comments:
            raise self._error("a line of description must follow the name", start)
        self._check_end(body, definition["operator"])
        self._check_comments(body)
        self._check_slices(body)
        self._check_declaration(declared, self._parameters(body), start)
        return QueryHeader(
            name=definition["name"],
            parameters=declared,
            operator=definition["operator"],
            description=tuple(comments),
            file=self.path,
            line=self._line(start),
        )

    def _description(self, rest: list[Token]) -> tuple[list[str], list[Token]]:
        comments: list[str] = []
        for position, token in enumerate(rest):
            if token.kind == "comment":
                comments.append(token.text.lstrip("-").strip())
            elif token.text.strip():
                return [line for line in comments if line], rest[position:]
        raise self._error("the query has no SQL", rest[0].start if rest else len(self.text) - 1)

    def _check_end(self, body: list[Token], operator: str) -> None:
        code = _code(body)
        ends = [token for token in code if token.text == ";"]
        # A second statement behind a semicolon would run unseen; only scripts may have several.
        if not ends or code[-1] is not (ends[-1] if operator == "#" else ends[0]):
            raise self._error("a query is one statement that ends in ';'", (ends or code)[0].start)

    def _check_declaration(self, declared: tuple[str, ...], used: dict[str, int], start: int) -> None:
        for name, position in used.items():
            if name not in declared:
                raise self._error(f"parameter :{name} is not declared", position)
        for name in declared:
            if declared.count(name) > 1:
                raise self._error(f"parameter {name} is declared twice", start)
            if name not in used:
                raise self._error(f"parameter {name} is declared and not used", start)

    def _check_comments(self, body: list[Token]) -> None:
        for token in body:
            if token.kind == "block" and token.text.startswith("/*+"):
                raise self._error("a hint comment would be sent as it stands", token.start)
            if token.kind == "block" and "/*" in token.text[2:]:
                raise self._error("a nested block comment would be cut at its first end", token.start)
            if token.kind in {"string", "escape", "dollar"} and re.search(r"\n\s*--", token.text):
                raise self._error(f"a line that begins with -- would be cut out of {token.kind} text", token.start)
            if token.kind == "escape" and "\\'" in token.text:
                raise self._error("write '' instead of \\' in an E'' string", token.start)

    def _check_slices(self, body: list[Token]) -> None:
        subscript: list[bool] = []
        before = ""
        for token in _code(body):
            if token.text == "[":
                subscript.append(before.upper() not in {"ARRAY", "[", ","} or bool(subscript and subscript[-1]))
            elif token.text == "]" and subscript:
                subscript.pop()
            elif token.kind == "parameter" and subscript and subscript[-1] and re.search(r"[\w\])'\"]$", before):
                raise self._error("an array slice would be read as a parameter; write it as [1 : 2]", token.start)
            before = token.text

    def _parameters(self, body: list[Token]) -> dict[str, int]:
        """Return the parameters with the place of each, if aiosql would find the same ones."""
        ours: dict[int, str] = {}
        seen = []
        for token in body:
            whole_line = token.kind == "comment" and self._begins_line(token)
            # aiosql takes out block comments and lines that are only a comment; keep the places of everything else.
            hidden = whole_line or token.kind == "block"
            seen.append(re.sub(r"[^\n]", " ", token.text) if hidden else token.text)
            if token.kind == "parameter":
                ours[token.start] = token.text[1:]
        first = body[0].start
        theirs = {
            first + match.start("parameter"): match["parameter"][1:]
            for match in _AIOSQL_PARAMETER.finditer("".join(seen))
            if match["parameter"]
        }
        for position in sorted(theirs.keys() ^ ours.keys()):
            token = next(token for token in body if token.start <= position < token.start + len(token.text))
            place = _SPOKEN.get(token.kind, "this place")
            raise self._error(f"a colon in {place} would be read as a parameter", position)
        return {name: position for position, name in reversed(ours.items())}

    def _line(self, position: int) -> int:
        return self.text.count("\n", 0, position) + 1

    def _error(self, problem: str, position: int) -> QueryFileError:
        return QueryFileError(problem, file=str(self.path), line=self._line(position))
