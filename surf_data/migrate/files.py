"""A folder of migration files, read and checked before anything runs.

The format is dbmate's: ``NNNN_name.sql``, numbered from 0001 without gaps, with the markers ``-- migrate:up`` and
``-- migrate:down`` on lines of their own. A section is sent as it stands, so nothing here splits it into statements.
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import attrs

from surf_data.errors import MigrationError
from surf_data.postgres.scanner import tokens

_FILE_NAME = re.compile(r"(?P<number>[0-9]{4})_(?P<name>[a-z0-9]+(?:_[a-z0-9]+)*)\.sql")
_MARKER = re.compile(r"--\s*migrate:(?P<section>up|down)(?:\s+transaction:(?P<transaction>true|false))?\s*")
# Whatever somebody may have meant as a marker; one that is not read as such would join two sections.
_MARKER_LIKE = re.compile(r"--\s*migrate\s*:.*", re.IGNORECASE)

# What begins or ends a transaction, as the first word of a statement.
_TRANSACTION_CONTROL = frozenset({"ABORT", "BEGIN", "COMMIT", "END", "ROLLBACK", "START"})


@attrs.frozen(kw_only=True)
class Section:
    """What a file does in one direction."""

    #: The SQL between the markers, with ``\n`` for every line end.
    sql: str
    #: The line of the file on which `sql` begins, counted from 1.
    line: int
    #: Whether it runs in one transaction together with its record.
    transactional: bool


@attrs.frozen(kw_only=True)
class Migration:
    """One file."""

    #: From 1.
    number: int
    #: What stands between the number and ``.sql``.
    name: str
    #: The file.
    path: Path
    #: What it does.
    up: Section
    #: What undoes it; ``None`` when the file does not say.
    down: Section | None
    #: SHA-256 of the file with normalised line ends, in hexadecimal.
    checksum: str

    @property
    def label(self) -> str:
        """Number and name as in the file's name: ``0001_initial_schema``."""
        return self.path.stem


def read_folder(folder: Path) -> list[Migration]:
    """Return the migrations of a folder in the order of their numbers. Files with other suffixes are left alone.

    Raises:
        MigrationError: the folder cannot be read or holds no migration, a file has a bad name, a number is missing or
            there twice, or a file cannot be applied as it stands; with file and line.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".sql")
    except OSError as error:
        problem = MigrationError(f"cannot be read: {type(error).__name__}", file=str(folder))
    else:
        problem = MigrationError("there are no migrations here", file=str(folder))
        if paths:
            return list(_numbered(paths))
    # Raised outside the handler, so that it carries no other error.
    raise problem


def _numbered(paths: list[Path]) -> Iterator[Migration]:
    previous: Path | None = None
    for expected, path in enumerate(paths, start=1):
        named = _FILE_NAME.fullmatch(path.name)
        if named is None:
            raise MigrationError("the name must be four digits, _, a-z, 0-9 and _, .sql", file=str(path))
        number = int(named["number"])
        if previous is not None and number < expected:
            raise MigrationError(f"the number {number:04d} is taken by {previous.name}", file=str(path))
        if number != expected:
            problem = f"the numbers run from 0001 without gaps, and {expected:04d} is missing"
            raise MigrationError(problem, file=str(path))
        previous = path
        yield _read(path, number, named["name"])


def _read(path: Path, number: int, name: str) -> Migration:
    text = _text(path)
    if "\0" in text:
        raise _error("a NUL character would end the SQL here", path, text, text.index("\0"))
    up, down = _sections(path, text)
    checksum = hashlib.sha256(text.encode()).hexdigest()
    return Migration(number=number, name=name, path=path, up=up, down=down, checksum=checksum)


def _text(path: Path) -> str:
    try:
        # One kind of line end, so that a checkout with another is the same migration; and no byte order mark.
        return path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except OSError as error:
        problem = MigrationError(f"cannot be read: {type(error).__name__}", file=str(path))
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        problem = MigrationError("is not UTF-8", file=str(path), line=line)
    # Outside the handler, so that it carries no other error.
    raise problem


def _sections(path: Path, text: str) -> tuple[Section, Section | None]:
    markers: dict[str, re.Match[str]] = {}
    for like in _MARKER_LIKE.finditer(text):
        marker = _MARKER.fullmatch(text, like.start(), like.end())
        if marker is None or text[: like.start()][-1:] not in {"", "\n"}:
            raise _error("write '-- migrate:up' or '-- migrate:down' on a line of its own", path, text, like.start())
        if marker["section"] in markers:
            raise _error(f"a second '-- migrate:{marker['section']}'", path, text, marker.start())
        markers[marker["section"]] = marker
    up, down = markers.get("up"), markers.get("down")
    if up is None or (down is not None and down.start() < up.start()):
        raise _error("the file must begin with '-- migrate:up', after comments", path, text, 0)
    if _has_code(text[: up.start()]):
        raise _error("SQL before '-- migrate:up' would never run", path, text, 0)
    end = len(text) if down is None else down.start()
    return _section(path, text, up, end), down and _section(path, text, down, len(text))


def _section(path: Path, text: str, marker: re.Match[str], end: int) -> Section:
    sql = text[marker.end() : end].removeprefix("\n")
    start = end - len(sql)
    if not _has_code(sql):
        raise _error(f"the {marker['section']} section is empty", path, text, marker.start())
    transactional = marker["transaction"] != "false"
    if transactional:
        for problem, offset in _not_transactional(sql):
            raise _error(problem, path, text, start + offset)
    return Section(sql=sql, line=_line(text, start), transactional=transactional)


def _has_code(sql: str) -> bool:
    return any(token.kind not in {"comment", "block"} and token.text.strip(" \t\n;") for token in tokens(sql))


def _not_transactional(sql: str) -> Iterator[tuple[str, int]]:
    """Yield what would end the transaction or stall it, with its place in ``sql``."""
    words: list[str] = []  # of the statement so far
    parentheses = 0  # a rule's statements stand in parentheses
    body = 0  # of a function: BEGIN ATOMIC and its END, with every CASE and END between them
    for token in tokens(sql):
        word = token.text.upper()
        if token.kind != "word":
            parentheses += (word == "(") - (word == ")")
            if word == ";" and not parentheses and not body:
                words = []
            continue
        if body:
            body += (word == "CASE") - (word == "END")
        elif word == "ATOMIC" and words[-1:] == ["BEGIN"]:
            body = 1
        elif (not words and word in _TRANSACTION_CONTROL) or (words == ["PREPARE"] and word == "TRANSACTION"):
            yield f"{word} must not stand in a section that runs in one transaction", token.start
        elif words[:1] == ["COPY"] and word in {"STDIN", "STDOUT"}:
            yield "COPY from or to the client needs a client that sends or takes the data", token.start
        words.append(word)


def _error(problem: str, path: Path, text: str, offset: int) -> MigrationError:
    return MigrationError(problem, file=str(path), line=_line(text, offset))


def _line(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1
