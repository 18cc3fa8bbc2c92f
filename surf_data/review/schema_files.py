"""Reads the files that a schema is built from: this library's migrations, other tools' folders, dumps."""

import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import attrs

from surf_data.errors import MigrationError
from surf_data.kernel import sql_folders
from surf_data.kernel.postgres.query_source import QuerySource
from surf_data.migrate import Migration, Part, Section, read_folder
from surf_data.migrate.statements import Statement, split
from surf_data.review.source import read_file

# Where other tools' files begin and end what brings the schema forward: dbmate, goose, sql-migrate.
_UP = re.compile(r"--\s*(?:migrate\s*:|\+goose\s+|\+migrate\s+)up\b.*", re.IGNORECASE)
_DOWN = re.compile(r"--\s*(?:migrate\s*:|\+goose\s+|\+migrate\s+)down\b", re.IGNORECASE)
# Files that undo: golang-migrate's, Diesel's, yoyo's, Flyway's.
_UNDOING = re.compile(r"(?:^|[._])down\.sql$|\.rollback\.sql$|^U[0-9][0-9_.]*__", re.IGNORECASE)
_VERSION = re.compile(r"V?[0-9]+(?:[._][0-9]+)*(?![0-9a-z])", re.IGNORECASE)
# What a dump has for psql: its commands, and the data of COPY.
_FOR_PSQL = re.compile(r"^\\[a-z].*$|^COPY [^;]*\bFROM stdin;\n(?:.*\n)*?\\\.$", re.IGNORECASE | re.MULTILINE)


def read_migrations(source: Path, stubs: Collection[str] = ()) -> list[Migration]:
    """Return the migrations of a folder in any format; none of one file, which is a schema and no change of one.

    Of a foreign format a file runs in one transaction, unless it holds what cannot.

    Arguments:
        source: the folder or the file.
        stubs: extensions that something else stands in for, so that nothing creates them.

    Raises:
        MigrationError: a file cannot be read.
    """
    if source.is_file():
        return []
    if is_own(source):
        return [_without(migration, stubs) for migration in read_folder(source)]
    # Where queries are, too, nothing says what is new in the schema.
    paths = [path for path in files(source) if not read_file(path)]
    return [_without(_foreign(number, path), stubs) for number, path in enumerate(paths, 1)]


def extension(statement: Statement) -> str | None:
    """Return the extension that a statement creates; ``None`` if it does something else."""
    if statement.words[:2] != ("CREATE", "EXTENSION"):
        return None
    named = statement.tokens[5 if statement.words[2:5] == ("IF", "NOT", "EXISTS") else 2 :][:1]
    return "".join(token.text.strip('"') if token.kind == "identifier" else token.text.lower() for token in named)


def _without(migration: Migration, stubs: Collection[str]) -> Migration:
    """Return a migration that does not create some extensions; every other statement stays on its line."""
    parts = [attrs.evolve(part, sql=_cut(part.sql, stubs)) for part in migration.up.parts]
    kept = tuple(part for part in parts if migration.up.transactional or any(split(part.sql)))
    return attrs.evolve(migration, up=attrs.evolve(migration.up, parts=kept))


def _cut(sql: str, stubs: Collection[str]) -> str:
    for statement in split(sql):
        if extension(statement) in stubs:
            blank = "".join("\n" if letter == "\n" else " " for letter in statement.sql)
            sql = sql[: statement.start] + blank + sql[statement.start + len(statement.sql) :]
    return sql


def _foreign(number: int, path: Path) -> Migration:
    found = [
        (statement, line) for statement, line in statements(path) if statement.words[0] not in _TRANSACTION_CONTROL
    ]
    transactional = not any({"CONCURRENTLY", "VACUUM"} & set(statement.words) for statement, _ in found)
    parts = [Part(sql=statement.sql, line=line) for statement, line in found]
    if transactional and found:
        # Every statement on its line.
        sql, first = "", found[0][1]
        for statement, line in found:
            sql += "\n" * (line - first - sql.count("\n")) + statement.sql + ";"
        parts = [Part(sql=sql, line=first)]
    section = Section(
        sql="\n".join(part.sql for part in parts),
        line=parts[0].line if parts else 1,
        transactional=transactional,
        parts=tuple(parts),
    )
    return Migration(number=number, name=path.stem, path=path, up=section, down=None, checksum="")


def statements(path: Path) -> Iterator[tuple[Statement, int]]:
    """Yield the statements of a file that bring the schema forward, each with its line."""
    text = read_text(path)
    if queries := read_file(path):
        yield from _defining(queries)
        return
    forward = _forward(text)
    # As many lines as before, so that errors name the right one.
    body = _FOR_PSQL.sub(lambda found: "\n" * found[0].count("\n"), forward)
    first = text.count("\n", 0, text.index(forward)) + 1
    for statement in split(body):
        # A dump creates it where it is not as PostgreSQL has made it; there it is in any case.
        is_known = statement.words == ("CREATE", "SCHEMA", "PUBLIC")
        known = attrs.evolve(statement, sql="CREATE SCHEMA IF NOT EXISTS public") if is_known else statement
        yield known, first + body.count("\n", 0, statement.start)


def _defining(queries: Iterable[QuerySource]) -> Iterator[tuple[Statement, int]]:
    """Yield the statements of those queries that make a schema: some programs keep it among their queries."""
    for query in queries:
        statements = list(split(query.sql))
        if any(_DEFINING & set(statement.words[:1]) for statement in statements):
            for statement in statements:
                yield statement, query.sql_line + query.sql.count("\n", 0, statement.start)


_DEFINING = frozenset({"ALTER", "CREATE"})
# A foreign file may begin and end its transaction itself.
_TRANSACTION_CONTROL = frozenset({"BEGIN", "COMMIT", "END", "START"})


def is_own(folder: Path) -> bool:
    """Return whether a folder holds migrations in this library's own format."""
    try:
        read_folder(folder)
    except MigrationError:
        return False
    return True


def files(source: Path) -> list[Path]:
    """Return the files of a folder that bring a schema forward, in their order; or the one file.

    Raises:
        MigrationError: there are none, or the folder cannot be read.
    """
    if source.is_file():
        return [source]
    try:
        paths = [path for path in sql_folders.files(source) if not _UNDOING.search(path.name)]
    except OSError as error:
        problem = MigrationError(f"cannot be read: {type(error).__name__}", file=str(source))
    else:
        if paths:
            return sorted(paths, key=_order)
        problem = MigrationError(f"there are no .sql files here{_instead(source)}", file=str(source))
    # Outside the handler, so that it carries no other error.
    raise problem


def _instead(source: Path) -> str:
    """Return what to write the schema with, in words, where the tool of a folder's migrations is known."""
    for pattern, words, tool, command in _TOOLS:
        if any(words in _start(path) for path in source.rglob(pattern)):
            return f". These are {tool}'s: write the schema by {command}, and name that file"
    return ""


def _start(path: Path) -> str:
    # Enough of a file to see whose it is; what cannot be read is of no known tool.
    with suppress(OSError), path.open(encoding="utf-8", errors="replace") as file:
        return file.read(10_000)
    return ""


# Files of tools whose migrations are no SQL: their names, words in them, the tool, and what writes the schema.
_TOOLS = (
    ("*.py", "down_revision", "Alembic", "alembic upgrade head --sql > schema.sql"),
    ("*.py", "alembic", "Alembic", "alembic upgrade head --sql > schema.sql"),
    ("*.py", "migrations.Migration", "Django", "pg_dump --schema-only > schema.sql of a migrated database"),
    ("*.py", "yoyo", "yoyo", "pg_dump --schema-only > schema.sql of a migrated database"),
    ("*.rb", "ActiveRecord", "Rails", "rails db:schema:dump with schema_format = :sql (db/structure.sql)"),
    ("*.xml", "databaseChangeLog", "Liquibase", "liquibase update-sql > schema.sql"),
    ("*.yaml", "databaseChangeLog", "Liquibase", "liquibase update-sql > schema.sql"),
    ("*.js", "exports.up", "a JavaScript tool", "pg_dump --schema-only > schema.sql of a migrated database"),
    ("*.ts", "async up(", "a TypeScript tool", "pg_dump --schema-only > schema.sql of a migrated database"),
)


def _order(path: Path) -> tuple[bool, tuple[int, ...], str]:
    # By the values of the numbers at the beginning, Flyway's V1_2__ included, and its repeatable migrations last.
    version = _VERSION.match(path.name)
    numbers = tuple(int(number) for number in re.findall("[0-9]+", version[0] if version else ""))
    return path.name.startswith("R__"), numbers, path.name


def read_text(path: Path) -> str:
    """Return the text of a file, with one kind of line end.

    Raises:
        MigrationError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError) as error:
        problem = MigrationError(f"cannot be read: {type(error).__name__}", file=str(path))
    raise problem


def up_to_undoing(text: str) -> str:
    """Return a file's text up to where it begins to undo."""
    return text[: text.index(_forward(text)) + len(_forward(text))]


def _forward(text: str) -> str:
    up, down = _UP.search(text), _DOWN.search(text)
    start = up.end() if up else 0
    return text[start : down.start() if down and down.start() >= start else None]
