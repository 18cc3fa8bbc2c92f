"""A folder of migration files, read and checked before anything runs.

The format is dbmate's: ``NNNN_name.sql``, numbered from 0001 without gaps, with the markers ``-- migrate:up`` and
``-- migrate:down`` on lines of their own. A section is sent unchanged, in one transaction. One that is marked
``transaction:false`` is sent one statement after another, with ``-- migrate:next`` on a line of its own between them.
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import attrs

from surf_data.errors import MigrationError
from surf_data.kernel import sql_folders, validation
from surf_data.migrate.statements import Statement, split

#: The highest that four digits hold.
LAST_NUMBER = 9999
#: What a migration may be called.
NAME = "[a-z0-9]+(?:_[a-z0-9]+)*"
_FILE_NAME = re.compile(rf"(?P<number>[0-9]{{4}})_(?P<name>{NAME})\.sql")
_MARKER = re.compile(r"--\s*migrate:(?P<kind>up|down|next)(?:(?<!next)\s+transaction:(?P<transaction>true|false))?\s*")
# Whatever may be meant as a marker; one that is not read as such would join two sections.
_MARKER_LIKE = re.compile(
    r"(?:--|/\*)\s*migrate(?:\s*:.*|[^\w\n]*(?:up|down|next)[^\w\n]*$)", re.IGNORECASE | re.MULTILINE
)

# What begins or ends a transaction, as the first word of a statement.
_TRANSACTION_CONTROL = frozenset({"ABORT", "BEGIN", "COMMIT", "END", "ROLLBACK", "START"})
# What the session would have forgotten when a run goes on after an interruption.
_SESSION_STATE = frozenset({"DISCARD", "RELEASE", "RESET", "SAVEPOINT", "SET"})
# What the server refuses in a transaction, as far as it can be told from the first words.
_OUTSIDE_TRANSACTION = (
    re.compile(r"VACUUM\b"),
    re.compile(r"CREATE (UNIQUE )?INDEX CONCURRENTLY\b"),
    re.compile(r"DROP INDEX CONCURRENTLY\b"),
    re.compile(r"REINDEX (\( .* \) )?(INDEX|TABLE|SCHEMA) CONCURRENTLY\b"),
)
_UNNAMED_INDEX = re.compile(r"CREATE (UNIQUE )?INDEX CONCURRENTLY ON\b")


@attrs.frozen(kw_only=True)
class Part:
    """What is sent at once: a whole section, or one statement of a section without a transaction."""

    #: The SQL, with ``\n`` for every line end.
    sql: str
    #: The line of the file on which `sql` begins, counted from 1.
    line: int


@attrs.frozen(kw_only=True)
class Section:
    """What a file does in one direction."""

    #: The SQL between the markers, with ``\n`` for every line end.
    sql: str
    #: The line of the file on which `sql` begins, counted from 1.
    line: int
    #: Whether it runs in one transaction together with its record.
    transactional: bool
    #: What is sent, in order; of a transactional section there is one.
    parts: tuple[Part, ...]


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
    #: SHA-256 of the file with normalized line ends, in hexadecimal.
    checksum: str

    @property
    def label(self) -> str:
        """Number and name as in the file's name: ``0001_initial_schema``."""
        return self.path.stem

    def section(self, direction: str) -> Section:
        """Return the section ``up`` or ``down``.

        Raises:
            MigrationError: there is none.
        """
        if direction == "up":
            return self.up
        if self.down is None:
            raise MigrationError("has no '-- migrate:down' section", file=str(self.path))
        return self.down


def read_folder(folder: Path) -> list[Migration]:
    """Return the migrations of a folder in the order of their numbers. Hidden files and other suffixes are passed over.

    Raises:
        ValidationError: ``folder`` is no path.
        MigrationError: the folder cannot be read or holds no migration, a file has a bad name, a number is missing or
            there twice, or a file cannot be applied; with file and line.
    """
    folder = validation.path("folder", folder)
    try:
        paths = [path for path in sql_folders.entries(folder) if sql_folders.is_sql(path)]
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
    markers = list(_markers(path, text))
    kinds = [marker["kind"] for marker in markers]
    if kinds[:1] != ["up"]:
        raise _error("the file must begin with '-- migrate:up', after comments", path, text, 0)
    if any(split(text[: markers[0].start()])):
        raise _error("SQL before '-- migrate:up' would never run", path, text, 0)
    if "down" not in kinds:
        return _section(path, text, markers, len(text)), None
    down = kinds.index("down")
    up = _section(path, text, markers[:down], markers[down].start())
    # "dbmate new" writes both markers, and many projects leave the second one empty.
    says_nothing = len(markers) == down + 1 and not any(split(text[markers[down].end() :]))
    return up, None if says_nothing else _section(path, text, markers[down:], len(text))


def _markers(path: Path, text: str) -> Iterator[re.Match[str]]:
    seen: set[str] = set()
    for like in _MARKER_LIKE.finditer(text):
        marker = _MARKER.fullmatch(text, like.start(), like.end())
        if marker is None or text[: like.start()][-1:] not in {"", "\n"}:
            problem = "write '-- migrate:up', '-- migrate:next' or '-- migrate:down' on a line of its own"
            raise _error(problem, path, text, like.start())
        if marker["kind"] in seen:
            raise _error(f"a second '-- migrate:{marker['kind']}'", path, text, marker.start())
        seen |= {marker["kind"]} - {"next"}
        yield marker


def _section(path: Path, text: str, markers: list[re.Match[str]], end: int) -> Section:
    first, *separators = markers
    transactional = first["transaction"] != "false"
    if transactional and separators:
        problem = "'-- migrate:next' is for sections that are marked 'transaction:false'"
        raise _error(problem, path, text, separators[0].start())
    check = _not_transactional if transactional else _not_by_itself
    parts: list[Part] = []
    for marker, stop in zip(markers, [*(marker.start() for marker in separators), end], strict=True):
        start = marker.end() + text.startswith("\n", marker.end())
        sql = text[start:stop]
        statements = list(split(sql))
        if not statements:
            problem = "there is no statement here" if separators else f"the {first['kind']} section is empty"
            raise _error(problem, path, text, marker.start())
        for problem, offset in check(*statements):
            raise _error(problem, path, text, start + offset)
        parts.append(Part(sql=sql, line=_line(text, start)))
    # A file may be large, and is not copied more often than needed.
    sql = text[first.end() : end].removeprefix("\n") if separators else parts[0].sql
    return Section(sql=sql, line=parts[0].line, transactional=transactional, parts=tuple(parts))


def _not_transactional(*statements: Statement) -> Iterator[tuple[str, int]]:
    """Yield what would end the transaction or stall it, with its place."""
    for statement in statements:
        words = statement.words
        if words[0] in _TRANSACTION_CONTROL or words[:2] == ("PREPARE", "TRANSACTION"):
            word = "TRANSACTION" if words[0] == "PREPARE" else words[0]
            yield f"{word} must not stand in a section that runs in one transaction", statement.start
        else:
            text = _outline(words)
            if any(pattern.match(text) for pattern in _OUTSIDE_TRANSACTION):
                yield "cannot run in a transaction: mark the section 'transaction:false'", statement.start
        yield from _client_copy(words, statement.start)


def _not_by_itself(statement: Statement, *others: Statement) -> Iterator[tuple[str, int]]:
    """Yield what is more than one statement, or depends on what the session remembers, with its place."""
    words = statement.words
    if others:
        yield "a second statement: write '-- migrate:next' on a line between them", others[0].start
    elif words[0] in _TRANSACTION_CONTROL | _SESSION_STATE:
        yield f"{words[0]} has no place where every statement runs by itself", statement.start
    elif _UNNAMED_INDEX.match(_outline(words)):
        yield "name the index, so that a run that was interrupted finds it", statement.start
    yield from _client_copy(words, statement.start)


def _outline(words: tuple[str, ...]) -> str:
    # Keywords and names: no name is as long, and a literal may be a large part of its file.
    return " ".join(word[:300] for word in words)


def _client_copy(words: tuple[str, ...], start: int) -> Iterator[tuple[str, int]]:
    if words[0] == "COPY" and {"STDIN", "STDOUT"} & set(words):
        yield "COPY from or to the client needs a client that sends or takes the data", start


def _error(problem: str, path: Path, text: str, offset: int) -> MigrationError:
    return MigrationError(problem, file=str(path), line=_line(text, offset))


def _line(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1
