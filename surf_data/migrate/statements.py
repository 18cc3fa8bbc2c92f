"""The statements of a section, told apart as PostgreSQL's own parser would.

Only for looking: what a transactional section holds is sent whole, and one without a transaction separates its
statements itself.
"""

from collections.abc import Iterator

import attrs

from surf_data.kernel.postgres.scanner import Token, significant_tokens, tokens


@attrs.frozen
class Statement:
    """One statement of a piece of SQL."""

    #: Its text, from its first word to its last, without the semicolon.
    sql: str
    #: Where it begins, in characters from the beginning of the piece.
    start: int
    #: Its tokens without spaces and comments.
    tokens: tuple[Token, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """The tokens in upper case, for comparison with keywords; what is quoted stays as it is."""
        return tuple(token.text.upper() if token.kind == "word" else token.text for token in self.tokens)


def split(sql: str) -> Iterator[Statement]:
    """Yield the statements of ``sql`` that hold anything."""
    current: list[Token] = []
    parentheses = 0  # a rule's statements stand in parentheses
    body = 0  # of a function: BEGIN ATOMIC and its END, with every CASE and END between them
    for token in significant_tokens(tokens(sql)):
        word = token.text.upper() if token.kind == "word" else token.text
        if word == ";" and not parentheses and not body:
            yield from _statement(sql, current)
            current = []
            continue
        parentheses += (word == "(") - (word == ")")
        if body:
            body += (word == "CASE") - (word == "END")
        elif word == "ATOMIC" and current and current[-1].text.upper() == "BEGIN":
            body = 1
        current.append(token)
    yield from _statement(sql, current)


def _statement(sql: str, current: list[Token]) -> Iterator[Statement]:
    if current:
        start, last = current[0].start, current[-1]
        yield Statement(sql[start : last.start + len(last.text)], start, tuple(current))
