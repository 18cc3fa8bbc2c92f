"""What of a .sql file aiosql would silently misread, or PostgreSQL would see otherwise.

aiosql finds parameters and comments with regular expressions that know plain quotes only. It takes ``:x`` in a
trailing comment, a ``$$`` body or an ``E''`` string for a parameter, ``a[1:2]`` too, and lets a second query of the
same name win. Each of these is an error here, with file and line.
"""

import keyword
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from surf_data.errors import QueryFileError
from surf_data.kernel.postgres import aftereffects
from surf_data.kernel.postgres.query_source import OPTIONS, QuerySource
from surf_data.kernel.postgres.scanner import Token, significant_tokens, tokens

# What aiosql splits a file at, wherever it stands.
_NAME_ANYWHERE = re.compile(r"--\s*name\s*:")
_DEFINITION = re.compile(r"(?P<name>[a-z][a-z0-9_]*)\s*(?:\([\w\s,]*\))?\s*(?:\^|\$|!|<!|\*!|#|)")
_PARAMETER = re.compile(r"[a-z_][a-z0-9_]*")
# aiosql's functions have these themselves.
_TAKEN_PARAMETERS = frozenset({"self", "conn"})

_HIDING = {"comment": "a trailing comment", "dollar": "a dollar-quoted text"}
_REFUSED = {
    "positional": "a positional parameter would be mixed up with the named ones",
    "variable": "psql's quoted variable is no parameter here; write :name",
}
_CHANGES = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE"})


def faults(text: str, file: Path, queries: Sequence[QuerySource]) -> Iterator[QueryFileError]:
    """Yield what is wrong with a file, in the order of its lines.

    Arguments:
        text: what is in the file.
        file: the file.
        queries: what was read from it.
    """
    found = sorted(_found(text, queries), key=lambda each: each[1])
    return (QueryFileError(problem, file=str(file), line=line) for problem, line in found)


def _found(text: str, queries: Sequence[QuerySource]) -> Iterator[tuple[str, int]]:
    if "\0" in text:
        yield "a NUL character would end the SQL here", _line(text, text.index("\0"))
        return
    before = text[: queries[0].pieces[0].start] if queries else text
    for token in significant_tokens(tokens(before))[:1]:
        yield "SQL before the first '-- name:' belongs to no query", token.line
    named = [query for query in queries if _is_named(text, query.pieces[0])]
    starts = {query.pieces[0].start for query in named}
    for match in _NAME_ANYWHERE.finditer(text):
        if match.start() not in starts:
            yield "'-- name:' must begin a line of its own", _line(text, match.start())
    for query in named:
        yield from _of_query(text, query)


def _is_named(text: str, token: Token) -> bool:
    return bool(_NAME_ANYWHERE.match(token.text)) and _begins_line(text, token)


def _begins_line(text: str, token: Token) -> bool:
    return not text[text.rfind("\n", 0, token.start) + 1 : token.start].strip()


def _of_query(text: str, query: QuerySource) -> Iterator[tuple[str, int]]:
    definition = _DEFINITION.fullmatch(query.definition)
    if not definition or keyword.iskeyword(definition["name"]):
        yield "write '-- name: noun_verb(parameters)' and one of ^ $ ! <! # or nothing", query.line
        return
    if query.operator == "*!":
        yield "*! would send a statement for each row; use COPY, or unnest() over arrays", query.line
        return
    if query.declared is None:
        names = f"({', '.join(query.order)})" if query.code else "()"
        yield f"the parameter list is missing; write {definition['name']}{names}{query.operator}", query.line
    if not query.description:
        yield "a line of description must follow the name", query.line
    for key, value, line in query.declarations:
        if value != OPTIONS.get(key, value):
            yield f"{key} can only be {OPTIONS[key]}", line
    yield from _in_statement(query)
    for token in query.pieces[1:]:
        yield from _in_token(token)
        if token.kind in _HIDING and not (token.kind == "comment" and _begins_line(text, token)):
            # The same idea of a parameter as aiosql's: a word after a single colon.
            for match in re.finditer(r"(?<!:):\w", token.text):
                line = token.line + _line(token.text, match.start()) - 1
                yield f"a colon in {_HIDING[token.kind]} would be read as a parameter", line
    yield from _in_sequence(query.code)
    for problem, token in aftereffects.lasting(query.code, keeps=("session", "keeps") in query.options):
        yield problem, token.line
    if query.declared is not None:
        yield from _in_parameters(query, query.declared)


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _in_statement(query: QuerySource) -> Iterator[tuple[str, int]]:
    code = query.code
    words = {token.text.upper() for token in code if token.kind == "word"}
    semicolons = [token for token in code if token.text == ";"]
    first = next((token for token in code if token.text not in {"(", ";"}), None)
    if first is None:
        yield "the query has no SQL", query.line
    elif first.kind != "word":
        yield "a query begins with a keyword", first.line
    elif not semicolons or code[-1] is not semicolons[0]:
        # A second statement behind a semicolon would run unseen.
        yield "a query is one statement that ends in ';'", (semicolons or code)[0].line
    elif first.text.upper() in _CHANGES and "RETURNING" not in words and query.operator not in {"!", "#"}:
        yield f"without RETURNING, {first.text.upper()} has no rows to return; its operator is !", query.line


def _in_token(token: Token) -> Iterator[tuple[str, int]]:
    kind, text = token.kind, token.text
    if kind in _REFUSED:
        yield _REFUSED[kind], token.line
    elif kind == "code" and text in "'\"$":
        yield f"the quote {text} has no end", token.line
    elif kind == "block" and (not text[2:].endswith("*/") or "/*" in text[2:]):
        yield "a block comment must have an end, and must not hold another", token.line
    elif kind == "block" and text.startswith("/*+"):
        yield "a hint comment would be sent verbatim", token.line
    elif kind == "escape" and any(pair[0] == "\\'" for pair in re.finditer(r"\\.", text, re.DOTALL)):
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


def _in_parameters(query: QuerySource, declared: Sequence[str]) -> Iterator[tuple[str, int]]:
    used = {token.text[1:]: token for token in reversed(query.code) if token.kind == "parameter"}
    for name, token in sorted(used.items(), key=lambda item: item[1].start):
        if name not in declared:
            yield f"parameter :{name} is not declared", token.line
    for name in declared:
        if not _PARAMETER.fullmatch(name) or keyword.iskeyword(name) or name in _TAKEN_PARAMETERS:
            yield f"{name} cannot be the name of a parameter", query.line
        if declared.count(name) > 1:
            yield f"parameter {name} is declared twice", query.line
        if name not in used:
            yield f"parameter {name} is declared and not used", query.line
    if any(key == "plan" for key, _ in query.options) and not declared:
        yield "a query without parameters has no values to be planned with", query.line
    if declared and query.operator == "#":
        yield "a # query takes no parameters", query.line
