"""What a statement would leave behind: a transaction that has ended, or a session that is another one than before.

A connection of the pool serves another caller next, and ``transaction()`` promises to keep or roll back all of its
block. What breaks either is refused when the file is read. What a function does shows only when the connection is given
back.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from surf_data.kernel.postgres import effects

if TYPE_CHECKING:
    # Reading SQL is for when queries are loaded.
    from surf_data.kernel.postgres.scanner import Token

_TRANSACTION = frozenset({"ABORT", "BEGIN", "COMMIT", "END", "RELEASE", "ROLLBACK", "SAVEPOINT", "START"})
# What the session remembers after the transaction; SET has forms that it does not.
_SESSION = frozenset({"DEALLOCATE", "DISCARD", "LISTEN", "LOAD", "PREPARE", "RESET", "UNLISTEN"})
_LOCAL = frozenset({"CONSTRAINTS", "LOCAL", "TRANSACTION"})
_TEMPORARY = frozenset({"TEMP", "TEMPORARY"})
# Between CREATE or INTO and TEMPORARY.
_BEFORE_TEMPORARY = frozenset({"CREATE", "GLOBAL", "INTO", "LOCAL", "REPLACE"})
_SESSION_LOCK = re.compile(r"pg_(try_)?advisory_(lock|unlock)(_shared|_all)?")
_FALSE = frozenset({"FALSE", "'f'", "'false'", "'n'", "'no'", "'off'", "'0'"})

# A DO block without one of these words in its text leaves its session as it is. The query kernel.session_changes has
# the same for functions.
_RISK = re.compile(
    r"\b(set|set_config|reset|discard|u?n?listen|load|temp|temporary|pg_temp|execute|\w*advisory\w*)\b", re.IGNORECASE
)
# What may call a function of an application; of other commands only triggers on them can.
_CALLING = frozenset(
    {"(", "CALL", "COPY", "DELETE", "EXPLAIN", "INSERT", "MERGE", "SELECT", "UPDATE", "VALUES", "WITH"}
)
# Functions of PostgreSQL's own that do change something, but not the session.
_OWN = frozenset(
    """
    clock_timestamp currval gen_random_uuid lastval nextval random random_normal setseed setval timeofday
    txid_current uuidv4 uuidv7
    """.split()  # noqa: SIM905 - a list of words reads as a text
)


def lasting(code: "Sequence[Token]", *, keeps: bool = False) -> "Iterator[tuple[str, Token]]":
    """Yield what a statement would leave behind, in words for its author, each with its place; mostly nothing.

    Arguments:
        code: its tokens without spaces and comments.
        keeps: whether what the session keeps is meant to stay; a transaction is not to be ended in any case.
    """
    words = [token.text.upper() for token in code if token.text not in {"(", ";"}][:3]
    first = code[0] if code else None
    if first is None or not words:
        return
    verb, after = words[0], (words[1:] or [""])[0]
    if (verb in _TRANSACTION and after != "PREPARED") or (verb, after) == ("PREPARE", "TRANSACTION"):
        name = "PREPARE TRANSACTION" if verb == "PREPARE" else verb
        yield f"{name} would begin or end a transaction under its caller; that is what transaction() is for", first
        return
    if keeps:
        return
    if verb in _SESSION or (verb == "SET" and after not in _LOCAL):
        hint = "; write SET LOCAL" if verb == "SET" else ""
        yield f"{verb} would outlast the transaction, and the next caller of this connection would feel it{hint}", first
        return
    if verb == "DECLARE" and any((a.text + b.text).upper() == "WITHHOLD" for a, b in pairwise(code)):
        yield "a cursor WITH HOLD would outlast the transaction", first
    if verb == "UPDATE" and "pg_settings" in {token.text.strip('"').lower() for token in code[1:5]}:
        yield "UPDATE pg_settings would outlast the transaction; write SET LOCAL", first
    yield from _temporary(code)
    yield from _calls(code)


def _temporary(code: "Sequence[Token]") -> "Iterator[tuple[str, Token]]":
    words = [token.text.upper() for token in code]
    if "ON COMMIT DROP" in " ".join(word for word in words if word not in {"(", ")"}):
        return
    for before, token in pairwise(code):
        temporary = token.text.upper() in _TEMPORARY and before.text.upper() in _BEFORE_TEMPORARY
        if temporary and words[0] in {"CREATE", "SELECT", "WITH", "("}:
            yield "a temporary table would outlast the transaction; write ON COMMIT DROP", token
        elif before.text.lower() == "pg_temp" and token.text == "." and words[0] == "CREATE":
            yield "what is in pg_temp would outlast the transaction", before


def _calls(code: "Sequence[Token]") -> "Iterator[tuple[str, Token]]":
    for place, (token, after) in enumerate(pairwise(code)):
        name = token.text.strip('"').lower()
        if after.text != "(":
            continue
        if _SESSION_LOCK.fullmatch(name):
            instead = name.replace("advisory_lock", "advisory_xact_lock")
            hint = f"; write {instead}" if instead != name else ""
            yield f"{name} is for locks that outlast the transaction{hint}", token
        elif name == "set_config" and _last_argument(code[place + 2 :]) in _FALSE:
            yield "set_config(..., false) would outlast the transaction; write true", token


def _last_argument(code: "Sequence[Token]") -> str:
    """Return the first word of the third argument of a call, whose arguments begin here."""
    depth, commas = 0, 2
    for token in code:
        if not commas and not depth:
            return token.text.upper() if token.kind == "word" else token.text.lower()
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token.text, 0)
        commas -= token.text == "," and not depth
    return ""


def suspects(code: "Sequence[Token]") -> tuple[str, ...]:
    """Return what may change the session without the statement's text saying so.

    Arguments:
        code: its tokens without spaces and comments.

    Returns:
        The functions that are not PostgreSQL's own, by name; empty text for a DO block, and for a call of set_config()
        that does not say for how long; mostly nothing.
    """
    if code[0].text.upper() == "DO":
        return ("",) if any(_RISK.search(token.text) for token in code[1:]) else ()
    if code[0].text.upper() not in _CALLING or effects.copies(code) == "FROM":
        return ()
    tables = _tables(code)
    names = {name for name in effects.functions(code) if name not in tables and effects.may_write([name])}
    found = {"" if name == "set_config" else name for name in names - _OWN if not name.startswith("pg_")}
    if "" in found and all(_last_argument(code[place + 2 :]) == "TRUE" for place in _places(code, "set_config")):
        found.discard("")
    return tuple(sorted(found))


def _places(code: "Sequence[Token]", name: str) -> list[int]:
    return [
        place for place, (token, after) in enumerate(pairwise(code)) if token.text.lower() == name and after.text == "("
    ]


def _tables(code: "Sequence[Token]") -> set[str]:
    """Return what looks like a function and is none: INSERT INTO t (, ON CONFLICT (."""
    found = {"conflict", "join"}
    for place, token in enumerate(code):
        if token.text.upper() == "INTO":
            # Of a qualified name the last part.
            end = place + 3 if place + 2 < len(code) and code[place + 2].text == "." else place + 1
            if end < len(code):
                found.add(code[end].text.strip('"').lower())
    return found
