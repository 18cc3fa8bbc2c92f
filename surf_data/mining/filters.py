"""Reads ``target_filter``: a condition in a small part of SQL becomes placeholders and typed values.

Not a character of the filter is passed on. Columns come from the catalogue, literals are bound, and whatever is not in
this grammar is refused with its position, never with what stands there::

    filter    = and { OR and }        and = not { AND not }        not = NOT not | "(" filter ")" | predicate
    predicate = column ( operator value | [NOT] IN "(" value {"," value} ")" | IS [NOT] NULL
                       | [NOT] BETWEEN value AND value | [NOT] LIKE string | [NOT] ILIKE string )
    operator  = "=" | "<>" | "!=" | "<" | "<=" | ">" | ">="
    value     = string | number | TRUE | FALSE | "%s"
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from surf_data.errors import ValidationError
from surf_data.kernel import validation
from surf_data.mining.literals import Kind, Literal, kind_of

#: What a filter may have at the most.
MAX_CHARACTERS, MAX_TOKENS, MAX_DEPTH = 10_000, 2_000, 16

_FIELD = "target_filter"
# PostgreSQL reads != with a minus behind it as one operator, which there is not; and a number with a letter behind it
# as a mistake. A backslash or a NUL in text, where servers differ, is not in the grammar.
_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\r\n]+)
    | (?P<string>'(?:[^'\\\x00]|'')*')
    | (?P<number>-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?(?![A-Za-z0-9_.]))
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<operator><>|!=(?!-)|<=|>=|=|<|>)
    | (?P<mark>[(),]|%s)
    """,
    re.VERBOSE,
)
_PATTERNS = frozenset({"LIKE", "ILIKE"})


class Token(NamedTuple):
    """A piece of a filter."""

    #: ``string``, ``number``, ``word``, ``operator``, ``mark`` or ``end``.
    kind: str
    #: Its text; a word in upper case.
    text: str
    #: Where it begins, counted from 1.
    position: int


class Condition(NamedTuple):
    """A filter, ready to be sent."""

    #: The condition, with placeholders ``%(p0)s``, ``%(p1)s``, ...
    sql: str
    #: Their values.
    values: dict[str, Any]


def read_filter(text: str, columns: Mapping[str, str], given: Sequence[object] = ()) -> Condition | None:
    """Return the condition that ``text`` writes; ``None`` when it is empty.

    Arguments:
        text: the filter.
        columns: the types of the columns that there are, by name.
        given: the values for ``%s``, in order.

    Raises:
        ValidationError: it is not in the grammar, a column is unknown, or a value does not fit its column.
    """
    return _Parser(text, columns, given).read()


class _Parser:
    def __init__(self, text: str, columns: Mapping[str, str], given: Sequence[object]) -> None:
        self._tokens = _tokens(text)
        self._next = 0
        self._columns = columns
        self._given = list(given)
        self._used = 0
        self._depth = 0
        self._values: dict[str, Any] = {}

    def read(self) -> Condition | None:
        sql = None if self._peek().kind == "end" else self._either()
        if self._peek().kind != "end":
            raise _refusal("the filter should end, or go on with AND or OR", self._peek())
        if self._used != len(self._given):
            raise validation.invalid("target_params", "must have one value for each %s")
        return None if sql is None else Condition(sql, self._values)

    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        token = self._tokens[self._next]
        self._next += token.kind != "end"
        return token

    def _accept(self, *texts: str) -> Token | None:
        token = self._peek()
        return self._take() if token.kind in {"word", "mark"} and token.text in texts else None

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            raise _refusal(f"{text} is missing", self._peek())

    def _either(self) -> str:
        parts = [self._both()]
        while self._accept("OR"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else f"({' OR '.join(parts)})"

    def _both(self) -> str:
        parts = [self._one()]
        while self._accept("AND"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else f"({' AND '.join(parts)})"

    def _one(self) -> str:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _refusal("the filter is nested too deeply", self._peek())
        if self._accept("NOT"):
            sql = f"NOT ({self._one()})"
        elif self._accept("("):
            sql = self._either()
            self._expect(")")
        else:
            sql = self._predicate()
        self._depth -= 1
        return sql

    def _predicate(self) -> str:
        token = self._take()
        name = token.text.lower()
        if token.kind != "word" or name not in self._columns:
            raise _refusal("there should be a column of the table", token)
        column = f't."{name}"'
        if self._accept("IS"):
            negation = "NOT " if self._accept("NOT") else ""
            self._expect("NULL")
            return f"{column} IS {negation}NULL"
        kind = kind_of(f"{_FIELD}.{name}", self._columns[name])
        if self._peek().kind == "operator":
            return f"{column} {self._take().text} {self._value(name, kind)}"
        negation = "NOT " if self._accept("NOT") else ""
        if self._accept("BETWEEN"):
            low = self._value(name, kind)
            self._expect("AND")
            return f"{column} {negation}BETWEEN {low} AND {self._value(name, kind)}"
        if self._accept("IN"):
            return self._among(name, column, kind, negation=bool(negation))
        if kind.is_text and (pattern := self._accept(*_PATTERNS)):
            return f"{column} {negation}{pattern.text} {self._value(name, kind)}"
        raise _refusal("there should be a comparison that the column's type has", self._peek())

    def _among(self, name: str, column: str, kind: Kind, *, negation: bool) -> str:
        # One array, so that lists of any length are one prepared statement.
        self._expect("(")
        members = [self._bare_value(name, kind)]
        while self._accept(","):
            members.append(self._bare_value(name, kind))
        self._expect(")")
        return f"{column} {'<> ALL' if negation else '= ANY'}({self._bind(members, f'{kind.cast}[]')})"

    def _value(self, name: str, kind: Kind) -> str:
        return self._bind(self._bare_value(name, kind), kind.cast)

    def _bind(self, value: Any, cast: str) -> str:
        placeholder = f"p{len(self._values)}"
        self._values[placeholder] = value
        return f"%({placeholder})s::{cast}"

    def _bare_value(self, name: str, kind: Kind) -> Any:
        token = self._take()
        if token.kind == "string":
            literal = Literal("string", token.text[1:-1].replace("''", "'"))
        elif token.kind == "number":
            literal = Literal("number", token.text)
        elif token.kind == "word" and token.text in {"TRUE", "FALSE"}:
            literal = Literal("boolean", token.text == "TRUE")
        elif token.text == "%s":
            literal = Literal("value", self._next_given())
        elif token.text == "NULL":
            raise _refusal("nothing is equal to NULL: write IS NULL", token)
        else:
            raise _refusal("there should be a value", token)
        return kind.read(f"{_FIELD}.{name} (character {token.position})", literal)

    def _next_given(self) -> object:
        self._used += 1
        if self._used > len(self._given):
            raise validation.invalid("target_params", "must have one value for each %s")
        return self._given[self._used - 1]


def _tokens(text: str) -> list[Token]:
    if not isinstance(text, str):
        raise validation.invalid(_FIELD, "must be text")
    if len(text) > MAX_CHARACTERS:
        raise validation.invalid(_FIELD, f"must have at most {MAX_CHARACTERS} characters")
    found: list[Token] = []
    position = 0
    while position < len(text):
        matched = _TOKEN.match(text, position)
        if matched is None:
            raise _refusal("this is not part of a filter", Token("end", "", position + 1))
        if matched.lastgroup != "space":
            word = matched.group().upper() if matched.lastgroup == "word" else matched.group()
            found.append(Token(str(matched.lastgroup), word, position + 1))
        position = matched.end()
    if len(found) > MAX_TOKENS:
        raise validation.invalid(_FIELD, f"must have at most {MAX_TOKENS} words and values")
    return [*found, Token("end", "", len(text) + 1)]


def _refusal(problem: str, token: Token) -> ValidationError:
    return ValidationError(f"{_FIELD}: at character {token.position}: {problem}", field=_FIELD)
