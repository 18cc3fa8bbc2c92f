"""Cuts SQL into tokens where PostgreSQL's own scanner does (its manual, 4.1)."""

import re
from collections.abc import Iterable, Iterator

import attrs

# Possessive where a text may be long, since what can be taken back costs memory. What none of these takes is code, a
# character at a time. To PostgreSQL every character beyond ASCII is a letter.
_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\n\r\f\v]+)
    | (?P<comment>--[^\n]*)
    | (?P<block>/\*)
    | (?P<escape>[eE]'(?:[^'\\]++|\\.|'')*+')
    | (?P<string>'(?:[^']++|'')*+')
    | (?P<identifier>"(?:[^"]++|"")*+")
    | (?P<dollar>\$(?P<tag>(?:[A-Za-z_]|[^\x00-\x7f])(?:[A-Za-z_0-9]|[^\x00-\x7f])*|)\$.*?\$(?P=tag)\$)
    | (?P<word>(?:[A-Za-z_]|[^\x00-\x7f])(?:[A-Za-z_0-9$]|[^\x00-\x7f])*)
    | (?P<number>[0-9]\w*)
    | (?P<positional>\$[0-9]+)
    | (?P<cast>::)
    | (?P<parameter>:\w+)
    | (?P<variable>:(?=['"{]))
    | (?P<code>.)
    """,
    re.VERBOSE | re.DOTALL,
)

#: The kinds of tokens that mean nothing to PostgreSQL.
TRIVIA = frozenset({"space", "comment", "block"})


@attrs.frozen
class Token:
    """A piece of SQL."""

    #: ``space``, ``comment`` (to the end of its line), ``block`` (a comment too), ``escape`` (an ``E''`` string),
    #: ``string``, ``identifier`` (quoted), ``dollar`` (a dollar-quoted string), ``word`` (a keyword or identifier),
    #: ``number``, ``positional`` (``$1``), ``cast`` (``::``), ``parameter`` (``:name``), ``variable`` (the colon of
    #: psql's ``:'name'``) or ``code`` (one other character).
    kind: str
    #: The text.
    text: str
    #: Where it begins, in characters.
    start: int
    #: The line on which it begins, counted from 1.
    line: int


def tokens(sql: str) -> Iterator[Token]:
    """Yield the tokens of ``sql``: together they are all of it. An unterminated quote comes as code."""
    position, line = 0, 1
    while match := _TOKEN.match(sql, position):
        start, position = match.span()
        kind = str(match.lastgroup)
        if kind == "block":
            position = _end_of_block(sql, start)
        text = sql[start:position]
        yield Token(kind, text, start, line)
        line += text.count("\n")


def significant_tokens(pieces: Iterable[Token]) -> tuple[Token, ...]:
    """Return the tokens that PostgreSQL parses: ``pieces`` without spaces and comments."""
    return tuple(token for token in pieces if token.kind not in TRIVIA)


def _end_of_block(sql: str, start: int) -> int:
    # PostgreSQL's block comments nest.
    depth = 0
    for edge in re.compile(r"/\*|\*/").finditer(sql, start):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(sql)
