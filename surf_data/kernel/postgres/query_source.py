"""One query of a .sql file: what its header says of it, and its SQL. Read as aiosql reads it, with nothing refused."""

import re
import string
from collections.abc import Collection, Iterator
from functools import cached_property
from pathlib import Path

import attrs

from surf_data.errors import QueryFileError
from surf_data.kernel.postgres.scanner import Token, significant_tokens, tokens

#: To PostgreSQL a keyword or a name without quotes is the same in any case; of letters beyond ASCII it is not.
LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
#: The options that are for `surf_data.kernel.postgres.load_queries`, each with the only value that it can have.
OPTIONS = {"plan": "custom", "replica": "ok", "retry": "idempotent", "session": "keeps"}

# aiosql finds a name behind more dashes than two as well.
_HEADER = re.compile(r"-{2,}\s*name\s*:\s*(?P<definition>.*?)\s*$")
_DEFINITION = re.compile(r"(?P<name>[\w-]*)\s*(?:\((?P<parameters>[^)]*)\))?\s*(?P<operator>\*!|<!|[$^!#]|)")
_PARAMETER = re.compile(r":[A-Za-z_]\w*")
# Beside `OPTIONS`, which are one word, what is for `surf-data review`, and aiosql's own.
_OPTION = re.compile(
    rf"(?P<key>{'|'.join(OPTIONS)})\s*:\s*(?P<value>\S+)|(?P<long>accept|example|record_class)\s*:\s*(?P<text>.*)"
)


@attrs.frozen(kw_only=True)
class QuerySource:
    """One query of a file."""

    #: The query's name, without namespace; in `surf_data.review.read_queries` with the folders below the first:
    #: ``shop.lamp_insert``.
    name: str
    #: What stands behind ``-- name:``.
    definition: str = attrs.field(eq=False)
    #: aiosql's operator: ``^`` one row, ``$`` one value, ``!`` a row count, ``<!`` the row of a RETURNING clause,
    #: ``*!`` a statement for each row, ``#`` a status or COPY, empty for all rows.
    operator: str
    #: The parameters that the header declares, in order; ``None`` without a list.
    declared: tuple[str, ...] | None
    #: All of it, from the line of the name on.
    pieces: tuple[Token, ...]
    #: The file.
    file: Path
    #: The line of the name, counted from 1.
    line: int

    @property
    def rest(self) -> str:
        """What stands behind the operator, where nothing should."""
        return _DEFINITION.sub("", self.definition, count=1).strip()

    @property
    def source(self) -> str:
        """All of it, unchanged, the line of the name included."""
        return "".join(token.text for token in self.pieces)

    @property
    def last_line(self) -> int:
        """The last line of the file that belongs to it."""
        return self.line + self.source.removesuffix("\n").count("\n")

    @cached_property
    def code(self) -> tuple[Token, ...]:
        """What of it PostgreSQL heeds; empty for a header without SQL."""
        return significant_tokens(self.pieces)

    @cached_property
    def comments(self) -> tuple[tuple[str, int], ...]:
        """The comment lines between the name and the SQL, without their dashes, each with its line."""
        end = self.code[0].start if self.code else self.pieces[-1].start + 1
        comments = (token for token in self.pieces[1:] if token.kind == "comment" and token.start < end)
        return tuple((token.text.lstrip("-").strip(), token.line) for token in comments)

    @cached_property
    def description(self) -> tuple[str, ...]:
        """The comment lines between the name and the SQL, but for the options."""
        return tuple(text for text, _ in self.comments if text and not _OPTION.fullmatch(text))

    @cached_property
    def declarations(self) -> tuple[tuple[str, str, int], ...]:
        """What else these lines say, each with its line: ``("replica", "ok", 3)``."""
        found = ((_OPTION.fullmatch(text), line) for text, line in self.comments)
        return tuple(
            (option["key"] or option["long"], option["value"] or option["text"] or "", line)
            for option, line in found
            if option
        )

    @cached_property
    def options(self) -> tuple[tuple[str, str], ...]:
        """The `declarations` without their lines: ``("replica", "ok")``."""
        return tuple((key, value) for key, value, _ in self.declarations)

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """Its parameters: as declared, then in the order in which they come."""
        return tuple(dict.fromkeys([*(self.declared or ()), *self.order]))

    @cached_property
    def order(self) -> tuple[str, ...]:
        """The parameters in the order in which they come, which is that of their numbers in `wire`."""
        return tuple(dict.fromkeys(token.text[1:] for token in self._body if _is_parameter(token)))

    @cached_property
    def sql(self) -> str:
        """The SQL, verbatim, without what follows the last semicolon."""
        return "".join(token.text for token in self._body)

    @cached_property
    def wire(self) -> str:
        """The same as PostgreSQL is asked to prepare it: a number for each parameter."""
        numbers = {name: f"${number}" for number, name in enumerate(self.order, 1)}
        return "".join(numbers[token.text[1:]] if _is_parameter(token) else token.text for token in self._body)

    @cached_property
    def statements(self) -> int:
        """How many statements it is."""
        return len([token for token in self.code[:-1] if token.text == ";"]) + 1

    @cached_property
    def verb(self) -> str:
        """Its first word, in upper case."""
        return next((token.text.upper() for token in self.code if token.kind == "word"), "")

    @property
    def sql_line(self) -> int:
        """The line on which `sql` begins."""
        return self.code[0].line

    @cached_property
    def _body(self) -> tuple[Token, ...]:
        first, last = self.code[0], self.code[-1]
        if last.text == ";" and last is not first:
            last = self.code[-2]
        return tuple(token for token in self.pieces if first.start <= token.start <= last.start)

    def error(self, problem: str, line: int | None = None) -> QueryFileError:
        """Return the error that this query has ``problem``, on ``line`` or where it begins."""
        return QueryFileError(problem, file=str(self.file), line=line or self.line)

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
        """Return what PostgreSQL heeds of `sql`, with what it takes for the same in any case in lower case."""
        code = significant_tokens(self._body)
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


def parse(text: str, file: Path, below: tuple[str, ...] = ()) -> Iterator[QuerySource]:
    """Yield the queries of a text, whatever is wrong with them: a name may be empty, and SQL missing.

    Arguments:
        text: the text.
        file: the file that it is of, or would be.
        below: what the names begin with.
    """
    pieces: list[Token] = []
    for token in tokens(text):
        if token.kind == "comment" and _HEADER.match(token.text):
            yield from _query(pieces, file, below)
            pieces = []
        pieces.append(token)
    yield from _query(pieces, file, below)


def _query(pieces: list[Token], file: Path, below: tuple[str, ...]) -> Iterator[QuerySource]:
    header = _HEADER.match(pieces[0].text) if pieces and pieces[0].kind == "comment" else None
    matched = header and _DEFINITION.match(header["definition"])
    if header is None or not matched:
        return
    parameters = matched["parameters"]
    yield QuerySource(
        name=".".join([*below, matched["name"].replace("-", "_")]),
        definition=header["definition"],
        operator=matched["operator"],
        declared=None if parameters is None else tuple(filter(None, map(str.strip, parameters.split(",")))),
        pieces=tuple(pieces),
        file=file,
        line=pieces[0].line,
    )


def _is_parameter(token: Token) -> bool:
    return token.kind == "parameter" and _PARAMETER.fullmatch(token.text) is not None
