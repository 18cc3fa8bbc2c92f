"""What running a statement can change, as far as its text tells."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib import resources
from itertools import accumulate, pairwise, takewhile
from operator import itemgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from surf_data.kernel.postgres.scanner import Token

_READING = frozenset({"SELECT", "TABLE", "VALUES", "WITH"})
# FOR UPDATE is among them: a transaction that locks will write.
_CHANGING = frozenset({"DELETE", "INSERT", "INTO", "MERGE", "UPDATE"})


# What stands for the client's end of a COPY; PostgreSQL takes either for both.
_CLIENT = frozenset({"STDIN", "STDOUT"})


def copies(code: "Sequence[Token]") -> str | None:
    """Return which way a COPY goes between a table and the client: ``FROM`` or ``TO``.

    Arguments:
        code: its tokens without spaces and comments.

    Returns:
        ``None`` for anything else, a COPY from or to a file of the server's among them.
    """
    if not code or code[0].text.upper() != "COPY":
        return None
    depth = 0
    for token, after in pairwise(code):
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if not depth and token.kind == "word" and (way := token.text.upper()) in {"FROM", "TO"}:
            return way if after.text.upper() in _CLIENT else None
    return None


def is_read_only(code: "Sequence[Token]") -> bool:
    """Whether the statement itself changes nothing; the functions that it calls still may.

    Arguments:
        code: its tokens without spaces and comments.
    """
    words = [token.text.upper() for token in code if token.kind == "word"]
    begins = bool(words) and (words[0] in _READING or copies(code) == "TO")
    return begins and _CHANGING.isdisjoint(words)


# PostgreSQL 16's keywords that cannot be the name of a function; what it has in their place changes nothing. Those of
# later versions are looked up like names.
_KEYWORDS = frozenset(
    """
    all analyse analyze and any array as asc asymmetric between bigint bit boolean both case cast char character check
    coalesce collate column constraint create current_catalog current_date current_role current_time current_timestamp
    current_user dec decimal default deferrable desc distinct do else end except exists extract false fetch float for
    foreign from grant greatest group grouping having in initially inout int integer intersect interval into
    json_array json_arrayagg json_object json_objectagg lateral leading least limit localtime localtimestamp national
    nchar none normalize not null nullif numeric offset on only or order out overlay placing position precision
    primary real references returning row select session_user setof smallint some substring symmetric system_user table
    then time timestamp to trailing treat trim true union unique user using values varchar variadic when where window
    with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize
    xmltable
    """.split()  # noqa: SIM905 - a list of words reads as a text
)
# Other words that are none, by what stands before them: ``count(*) FILTER (``, ``PARTITION BY (``.
_CLAUSES = {
    "by": frozenset({"group", "order", "partition"}),
    "filter": frozenset({")"}),
    "materialized": frozenset({"not"}),
    "over": frozenset({")"}),
    "sets": frozenset({"grouping"}),
}
# What comes before the name of a table or a type, and not of a function: ``AS t (a)``, ``WITH t (a)``, ``::bit (3)``.
_BEFORE_NAMES = frozenset({"::", "as", "recursive", "with"})


# What a writer of rows would have to heed; in binary none of them may be said.
_COPY_OPTIONS = frozenset(
    {"CSV", "DEFAULT", "DELIMITER", "DELIMITERS", "ENCODING", "ESCAPE", "HEADER", "NULL", "QUOTE"}
)


def copy_option(code: "Sequence[Token]") -> str | None:
    """Return the option of a COPY ... FROM STDIN that decides how a row is written; ``None`` without one.

    Arguments:
        code: its tokens without spaces and comments.
    """
    if copies(code) != "FROM":
        return None
    words = [token.text.strip("'\"").upper() for token in code]
    start = max(words.index(word) for word in _CLIENT if word in words)
    options = takewhile(lambda word: word != "WHERE", words[start:])
    return next((word for word in options if word in _COPY_OPTIONS), None)


def functions(code: "Sequence[Token]") -> tuple[str, ...]:
    """Return the names of the functions that the statement may call, as the catalogue has them.

    Arguments:
        code: its tokens without spaces and comments.
    """
    if copies(code) == "TO":
        # Only a query can call something, and that stands in parentheses.
        code = [*_query(code)]
    names: set[str] = set()
    for position, (token, after) in enumerate(pairwise(code)):
        if after.text != "(" or not position:
            continue
        before = code[position - 1].text.lower()
        if token.kind == "identifier":
            names.add(token.text[1:-1].replace('""', '"'))
        elif token.kind == "word" and not _is_clause(token.text.lower(), before):
            names.add(token.text.lower())
    return tuple(sorted(names))


def _is_clause(word: str, before: str) -> bool:
    return word in _KEYWORDS or before in _BEFORE_NAMES or before in _CLAUSES.get(word, ())


def _query(copy: "Sequence[Token]") -> "Iterator[Token]":
    """Return the query of a COPY, without the last parenthesis; nothing for a table."""
    depths = accumulate({"(": 1, ")": -1}.get(token.text, 0) for token in copy[1:])
    return (token for token, _ in takewhile(itemgetter(1), zip(copy[1:], depths, strict=True)))


def may_write(names: Iterable[str]) -> bool:
    """Whether one of the functions with these names may change something, as far as one knows without a server.

    Only of PostgreSQL's own functions is it known that they do not.
    """
    return not _harmless().issuperset(names)


@cache
def _harmless() -> frozenset[str]:
    # Written by tests/rig/harmless_functions.py.
    return frozenset(
        resources.files("surf_data.kernel.postgres").joinpath("harmless_functions.txt").read_text("ascii").split()
    )
