"""Lays files of queries out by sqruff, and takes of that only what changes nothing but the layout.

A formatter also mends what it dislikes: ``label = NULL`` becomes ``label IS NULL``, ``USING`` becomes ``ON``. Where
only spaces, line ends and the case of words are others, a query is what it was. Of any other PostgreSQL is asked,
whether it makes the same tree of it.
"""

import codecs
import re
import subprocess
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import attrs

from surf_data.errors import ConfigurationError
from surf_data.kernel.postgres.query_faults import faults
from surf_data.kernel.postgres.query_source import LOWER, QuerySource, parse
from surf_data.kernel.postgres.scanner import TRIVIA, Token, tokens
from surf_data.review.analysis.analyse import Analyst
from surf_data.review.analysis.facts import Facts
from surf_data.review.report.changes import is_same
from surf_data.review.writing import read_bytes, replace_file

# What is so of all files of queries, whatever else is set for sqruff.
_SETTINGS = Path(__file__).with_name("sqruff.cfg")
# 0: nothing is left to be mended; 1: something is.
_ENDS = frozenset({0, 1})
# A line for each thing that it says; and of what it cannot read.
_FORMAT = "github-annotation-native"
_UNREADABLE = re.compile(r"\bline=(?P<line>[0-9]+),col=[0-9]+::\?{4}:")
# Characters that stand for themselves, and those that together may be one operator.
_APART = frozenset("(),;[]")
_OPERATORS = frozenset("+-*/<>=~!@#%^|`?")


@attrs.frozen(kw_only=True)
class Layout:
    """How sqruff lays a file out that is laid out otherwise."""

    #: The file.
    path: Path
    #: What would be in it.
    content: bytes
    #: Why it is not to be taken, if PostgreSQL need not be asked for that.
    problems: tuple[str, ...]
    #: The queries of which it has to be asked: as they are, and as they would be.
    doubtful: tuple[tuple[QuerySource, QuerySource], ...]

    def write(self) -> None:
        """Put the content into the file, all at once, with the owner and the permissions that it has.

        Raises:
            QueryFileError: it cannot be written.
        """
        replace_file(self.path, self.content)


@attrs.frozen(kw_only=True)
class Unreadable:
    """A file that sqruff cannot read, and so leaves as it is."""

    #: The file.
    path: Path
    #: The line at fault, counted from 1.
    line: int
    #: The query at fault.
    query: str
    #: What is wrong with it, where that is known; else empty.
    reason: str

    def __str__(self) -> str:
        """Return it as a message, with file, line and query."""
        reason = f", because {self.reason}" if self.reason else ""
        return f"{self.path}:{self.line}: {self.query}: sqruff cannot read it{reason}, and the file stays as it is"


def laid_out(program: Path, path: Path) -> Layout | Unreadable | None:
    """Return how sqruff lays a file out; ``None`` if it is laid out so, or there are no queries in it.

    Its settings are those that it finds for the file, but for the dialect and the form of parameters.

    Arguments:
        program: sqruff.
        path: the file.

    Raises:
        ConfigurationError: sqruff fails, as it does over its settings.
        QueryFileError: the file cannot be read.
    """
    raw = read_bytes(path)
    text = raw.decode("utf-8-sig").replace("\r\n", "\n")
    before = _queries(text, path)
    laid, line = _read_by(program, path, text) if before else (text, None)
    if line is not None:
        return _unreadable(path, before, line)
    if laid == text:
        return None
    now = _queries(laid, path)
    problems = tuple(_changes(path, (text, before), (laid, now)))
    pairs = () if problems else zip(before, now, strict=True)
    ends = "\r\n" if b"\r\n" in raw else "\n"
    mark = codecs.BOM_UTF8 if raw.startswith(codecs.BOM_UTF8) else b""
    return Layout(
        path=path,
        content=mark + laid.replace("\n", ends).encode(),
        problems=problems,
        doubtful=tuple((was, is_now) for was, is_now in pairs if _lexed(was.sql) != _lexed(is_now.sql)),
    )


def unproven(analyst: Analyst, layout: Layout) -> Iterator[str]:
    """Yield which of the doubtful queries would not be proven to be what they are.

    Arguments:
        analyst: of a database with the schema that the queries are for.
        layout: the layout.

    Raises:
        DatabaseUnavailable: the connection was lost.
    """
    for was, is_now in layout.doubtful:
        outcome = analyst.outcome(is_now)
        if not isinstance(outcome, Facts):
            more = "sqruff would change more than the layout, and whether it means the same cannot be known"
            yield f"{was.place()}: {more}: {outcome.reason}"
        elif not is_same(analyst, was, outcome):
            yield f"{was.place()}: sqruff would make a query of it that means something else"


def _read_by(program: Path, path: Path, text: str) -> tuple[str, int | None]:
    """Return a text as sqruff lays it out, and the line that it cannot read."""
    laid, said = _laid_out(program, path, text)
    if not _UNREADABLE.search(said):
        return laid, None
    # To sqruff a parameter is its bare name, which may be a keyword: LIMIT :limit.
    names = _stand_ins({token.text for token in tokens(text) if token.kind == "parameter"})
    laid, said = _laid_out(program, path, _renamed(text, names))
    found = _UNREADABLE.search(said)
    return _renamed(laid, {name: own for own, name in names.items()}), int(found["line"]) if found else None


def _stand_ins(parameters: Collection[str]) -> dict[str, str]:
    """Return another name for each parameter, which is as long and no keyword, so that the layout is the same."""
    names: dict[str, str] = {}
    for own in sorted(parameters):
        other = (own[:-1] + last for last in "_0123456789" if len(own) > len(":x"))
        names[own] = next((name for name in other if name not in {*parameters, *names.values()}), own)
    return names


def _renamed(text: str, names: Mapping[str, str]) -> str:
    return "".join(
        names.get(token.text, token.text) if token.kind == "parameter" else token.text for token in tokens(text)
    )


def _unreadable(path: Path, queries: Sequence[QuerySource], line: int) -> Unreadable:
    """Return which query is at fault where sqruff cannot read a line: it may be one above that has no end."""
    above = [query for query in queries if query.line <= line] or queries[:1]
    endless = (query for query in above if query.code[-1].text != ";" and query is not queries[-1])
    found = next(endless, None)
    if found is None:
        return Unreadable(path=path, line=line, query=above[-1].name, reason="")
    reason = "it does not end in a semicolon"
    return Unreadable(path=path, line=found.code[-1].line, query=found.name, reason=reason)


def _laid_out(program: Path, path: Path, text: str) -> tuple[str, str]:
    """Return a text as sqruff lays it out, and what it says of it."""
    # Its input has no file, so that it writes to none.
    options = ["--parsing-errors", "--config", str(_SETTINGS), "--stdin-filename", str(path), "--format", _FORMAT]
    done = subprocess.run([program, "fix", "-", *options], input=text.encode(), capture_output=True, check=False)
    said = done.stderr.decode(errors="replace").strip()
    if done.returncode not in _ENDS or not done.stdout:
        raise ConfigurationError(f"sqruff fails over {path}: {said.partition(chr(10))[0]}")
    return done.stdout.decode(), said


def _changes(
    path: Path, was: tuple[str, Sequence[QuerySource]], is_now: tuple[str, Sequence[QuerySource]]
) -> Iterator[str]:
    """Yield what else would not be as it was."""
    (before, queries), (now, others) = was, is_now
    if [(each.name, *each.header()) for each in queries] != [(each.name, *each.header()) for each in others]:
        yield f"{path}: sqruff would change the header of a query"
    elif _comments(before) != _comments(now):
        yield f"{path}: sqruff would change or drop a comment"
    elif _is_loaded(before, path) and not _is_loaded(now, path):
        yield f"{path}: sqruff would make a file of it that load_queries refuses"


def _comments(text: str) -> Counter[str]:
    return Counter(token.text.rstrip() for token in tokens(text) if token.kind in {"comment", "block"})


def _queries(text: str, path: Path) -> list[QuerySource]:
    return [query for query in parse(text, path) if query.code]


def _is_loaded(text: str, path: Path) -> bool:
    return not any(faults(text, path, list(parse(text, path))))


def _lexed(sql: str) -> list[tuple[str, str]]:
    """Return each token that PostgreSQL heeds, after what it heeds of the space before it."""
    lexed: list[tuple[str, str]] = []
    before: Token | None = None
    space = ""
    for token in tokens(sql):
        if token.kind in TRIVIA:
            space += token.text
            continue
        text = token.text.translate(LOWER) if token.kind == "word" else token.text
        lexed.append((_heeded(before, space, token), text))
        before, space = token, ""
    return lexed


def _heeded(before: Token | None, space: str, token: Token) -> str:
    if before is None or _APART & {before.text, token.text} or _is_operator(before) != _is_operator(token):
        return ""
    if {before.kind, token.kind} == {"string"}:
        # On another line a text in quotes goes on.
        return "line" if "\n" in space else "space"
    return "space" if space else "nothing"


def _is_operator(token: Token) -> bool:
    return token.kind == "cast" or token.text in _OPERATORS
