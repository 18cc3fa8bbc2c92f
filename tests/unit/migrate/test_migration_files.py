"""A folder of migrations is read, or refused with file and line, before anything runs."""

import hashlib
import re
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from surf_data.errors import MigrationError
from surf_data.kernel import resources
from surf_data.migrate import Migration, read_folder

Write = Callable[..., Path]

UP = "-- migrate:up\nSELECT 1;\n"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes files, given as text or bytes by whole name, and returns their folder."""

    def write(files: dict[str, str | bytes]) -> Path:
        for name, text in files.items():
            (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return tmp_path

    return write


@pytest.fixture
def read(write: Write) -> Callable[[str | bytes], Migration]:
    """Return a function that reads one migration from its text."""

    def read(text: str | bytes) -> Migration:
        [migration] = read_folder(write({"0001_first.sql": text}))
        return migration

    return read


def refusal(call: Callable[[], object]) -> MigrationError:
    """Return the error that ``call`` raises, after checking that no other one hangs on it."""
    with pytest.raises(MigrationError) as caught:
        call()
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value


def test_migrations_come_in_the_order_of_their_numbers(write: Write) -> None:
    """Whatever order the file system gives, number decides; files that are not SQL are left alone."""
    folder = write({"0002_b.sql": UP, "0001_a_1.sql": UP, "0003_c.sql": UP, "README.md": "", "0004_d.sql~": UP})
    migrations = read_folder(folder)
    assert [(migration.number, migration.name, migration.label) for migration in migrations] == [
        (1, "a_1", "0001_a_1"),
        (2, "b", "0002_b"),
        (3, "c", "0003_c"),
    ]
    assert migrations[0].path == folder / "0001_a_1.sql"


def test_sections_are_what_stands_between_the_markers(read: Callable[[str], Migration]) -> None:
    """Each section has its SQL untouched and the line on which it begins; comments may come first."""
    migration = read("-- Why: because.\n/* And\nso on. */\n\n-- migrate:up\nA;\nB;\n\n-- migrate:down\nC;")
    assert (migration.up.sql, migration.up.line, migration.up.transactional) == ("A;\nB;\n\n", 6, True)
    assert migration.down is not None
    assert (migration.down.sql, migration.down.line, migration.down.transactional) == ("C;", 10, True)


def test_a_migration_need_not_say_how_to_undo_it(read: Callable[[str], Migration]) -> None:
    """Without a down section there is none, not an empty one."""
    assert read(UP).down is None


@pytest.mark.parametrize(
    ("option", "transactional"), [("", True), (" transaction:true", True), (" transaction:false", False)]
)
def test_a_section_says_whether_it_is_transactional(
    read: Callable[[str], Migration], option: str, *, transactional: bool
) -> None:
    """The option of the up marker is read; without one a section is transactional."""
    assert read(f"-- migrate:up{option}\nSELECT 1;\n").up.transactional is transactional


def test_a_section_without_transaction_is_sent_a_statement_at_a_time(read: Callable[[str], Migration]) -> None:
    """What stands between two markers is one statement, with the line on which it begins."""
    migration = read(
        "-- migrate:up transaction:false\nVACUUM a;\n\n-- migrate:next\n-- Why.\nDO $$ BEGIN NULL; COMMIT; END $$;\n"
        "-- migrate:down transaction:false\nCREATE INDEX CONCURRENTLY i ON a (b);\n-- migrate:next\nVACUUM a"
    )
    assert [(part.sql, part.line) for part in migration.up.parts] == [
        ("VACUUM a;\n\n", 2),
        ("-- Why.\nDO $$ BEGIN NULL; COMMIT; END $$;\n", 5),
    ]
    assert migration.up.sql.startswith("VACUUM a;\n\n-- migrate:next\n-- Why.")
    assert migration.down is not None
    assert [part.line for part in migration.down.parts] == [8, 10]


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("VACUUM a;\nVACUUM b;\n", 3, "a second statement: write '-- migrate:next' on a line between them"),
        ("VACUUM a;\n-- migrate:next\n-- nothing\n", 3, "there is no statement here"),
        ("-- migrate:next\nVACUUM a;\n", 1, "there is no statement here"),
        ("VACUUM a;\n-- migrate:next\n\nBEGIN;\n", 5, "BEGIN has no place where every statement runs by itself"),
        ("SET search_path = b;\n", 2, "SET has no place where every statement runs by itself"),
        ("DISCARD ALL;\n", 2, "DISCARD has no place where every statement runs by itself"),
        ("CREATE UNIQUE INDEX CONCURRENTLY ON a (b);\n", 2, "name the index, so that a run that was interrupted"),
        ("COPY a FROM STDIN;\n", 2, "COPY from or to the client"),
    ],
)
def test_what_cannot_be_taken_up_again_is_refused(
    read: Callable[[str], Migration], text: str, line: int, problem: str
) -> None:
    """Without a transaction, a statement must be one, and need nothing that an interrupted session would have known."""
    error = refusal(lambda: read(f"-- migrate:up transaction:false\n{text}"))
    assert error.line == line
    assert problem in str(error)


def test_statements_are_separated_only_where_there_is_no_transaction(read: Callable[[str], Migration]) -> None:
    """A transactional section is sent whole; a separator in it is a misunderstanding."""
    error = refusal(lambda: read(f"{UP}-- migrate:next\nSELECT 2;\n"))
    assert error.line == 3
    assert str(error).endswith("'-- migrate:next' is for sections that are marked 'transaction:false'")


@pytest.mark.parametrize(
    "statement",
    [
        "VACUUM a",
        "create index concurrently i on a (b)",
        "CREATE UNIQUE INDEX CONCURRENTLY i ON a (b)",
        "DROP INDEX CONCURRENTLY i",
        "REINDEX INDEX CONCURRENTLY i",
        "REINDEX (VERBOSE) TABLE CONCURRENTLY a",
    ],
)
def test_what_cannot_run_in_a_transaction_is_refused_in_one(read: Callable[[str], Migration], statement: str) -> None:
    """The server would refuse it only after the statements before it have taken their locks."""
    error = refusal(lambda: read(f"-- migrate:up\nSELECT 1;\n{statement};\n"))
    assert error.line == 3
    assert str(error).endswith(": cannot run in a transaction: mark the section 'transaction:false'")


def test_a_materialized_view_is_refreshed_concurrently_in_a_transaction(read: Callable[[str], Migration]) -> None:
    """Not everything that is called concurrent needs to be outside."""
    assert read("-- migrate:up\nREFRESH MATERIALIZED VIEW CONCURRENTLY v;\n").up.transactional


@pytest.mark.parametrize(
    "raw",
    [
        b"-- migrate:up\nSELECT '\xc3\xa9';\n",
        b"-- migrate:up\r\nSELECT '\xc3\xa9';\r\n",
        b"-- migrate:up\rSELECT '\xc3\xa9';\r",
        b"\xef\xbb\xbf-- migrate:up\r\nSELECT '\xc3\xa9';\n",
    ],
    ids=["LF", "CRLF", "CR", "byte order mark"],
)
def test_the_checksum_does_not_depend_on_the_line_ends(read: Callable[[bytes], Migration], raw: bytes) -> None:
    """A checkout with other line ends, or an editor's byte order mark, is the same migration."""
    migration = read(raw)
    assert migration.checksum == hashlib.sha256("-- migrate:up\nSELECT 'é';\n".encode()).hexdigest()
    assert migration.up.sql == "SELECT 'é';\n"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("1_first.sql", "the name must be"),
        ("0001-first.sql", "the name must be"),
        ("0001_First.sql", "the name must be"),
        ("0001_first.SQL", "the name must be"),
        ("0001_.sql", "the name must be"),
        ("0001.sql", "the name must be"),
        ("٠٠٠١_first.sql", "the name must be"),
        ("0000_first.sql", "the numbers run from 0001 without gaps, and 0001 is missing"),
        ("0002_first.sql", "the numbers run from 0001 without gaps, and 0001 is missing"),
    ],
)
def test_a_bad_name_is_refused(write: Write, name: str, problem: str) -> None:
    """A name that says nothing of the order, or leaves a gap at the beginning, names the file."""
    folder = write({name: UP})
    error = refusal(lambda: read_folder(folder))
    assert error.file == str(folder / name)
    assert str(error).startswith(f"{folder / name}: {problem}")


def test_a_number_that_is_there_twice_is_refused(write: Write) -> None:
    """The error names both files."""
    folder = write({"0001_a.sql": UP, "0002_b.sql": UP, "0002_c.sql": UP})
    error = refusal(lambda: read_folder(folder))
    assert str(error) == f"{folder / '0002_c.sql'}: the number 0002 is taken by 0002_b.sql"


def test_a_missing_number_is_refused(write: Write) -> None:
    """The error names the number and the file after the gap."""
    folder = write({"0001_a.sql": UP, "0003_c.sql": UP})
    error = refusal(lambda: read_folder(folder))
    assert str(error) == f"{folder / '0003_c.sql'}: the numbers run from 0001 without gaps, and 0002 is missing"


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    """A folder without migrations is most likely the wrong folder."""
    assert str(refusal(lambda: read_folder(tmp_path))) == f"{tmp_path}: there are no migrations here"


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """The error names the folder."""
    missing = tmp_path / "nowhere"
    assert str(refusal(lambda: read_folder(missing))) == f"{missing}: cannot be read: FileNotFoundError"


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """The error names the file."""
    path = tmp_path / "0001_first.sql"
    path.mkdir()
    assert str(refusal(lambda: read_folder(tmp_path))) == f"{path}: cannot be read: IsADirectoryError"


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("", 1, "the file must begin with '-- migrate:up', after comments"),
        ("SELECT 1;\n", 1, "the file must begin with"),
        ("-- migrate:down\nSELECT 1;\n", 1, "the file must begin with"),
        ("-- migrate:down\nSELECT 1;\n-- migrate:up\nSELECT 1;\n", 1, "the file must begin with"),
        ("SELECT 1;\n-- migrate:up\nSELECT 1;\n", 1, "SQL before '-- migrate:up' would never run"),
        ("-- why\n-- migrate:up\n", 2, "the up section is empty"),
        ("-- migrate:up\n-- nothing\n/* at all */ ;\n", 1, "the up section is empty"),
        (UP + UP, 3, "a second '-- migrate:up'"),
        (UP + "-- migrate:down\nSELECT 1;\n-- migrate:down\nSELECT 1;\n", 5, "a second '-- migrate:down'"),
        (UP + " -- migrate:down\nDROP TABLE a;\n", 3, "write '-- migrate:up', '"),
        ("-- migrate:up\nSELECT 1; -- migrate:down\nDROP TABLE a;\n", 2, "write '-- migrate:up', '"),
        (UP + "-- Migrate: Down\nDROP TABLE a;\n", 3, "write '-- migrate:up', '"),
        (UP + "-- migrate:dwon\nDROP TABLE a;\n", 3, "write '-- migrate:up', '"),
        (UP + "-- migrate down\nDROP TABLE a;\n", 3, "write '-- migrate:up', '"),
        (UP + "-- migrate-next --\nDROP TABLE a;\n", 3, "write '-- migrate:up', '"),
        (UP + "/* migrate:down */\nDROP TABLE a;\n", 3, "write '-- migrate:up', '"),
        ("-- migrate:up transaction:maybe\nSELECT 1;\n", 1, "write '-- migrate:up', '"),
        ("-- migrate:up\nSELECT 1;\n\0;\n", 3, "a NUL character would end the SQL here"),
        (b"-- migrate:up\nSELECT '\xff';\n", 2, "is not UTF-8"),
    ],
)
def test_a_malformed_file_is_refused(
    write: Write, read: Callable[[str | bytes], Migration], tmp_path: Path, text: str | bytes, line: int, problem: str
) -> None:
    """Whatever would be left out or run in the wrong direction is refused, with file and line."""
    error = refusal(lambda: read(text))
    file = tmp_path / "0001_first.sql"
    assert (error.file, error.line) == (str(file), line)
    assert str(error).startswith(f"{file}:{line}: {problem}")


@pytest.mark.parametrize(
    "statement",
    [
        "BEGIN;",
        "begin transaction;",
        "START TRANSACTION;",
        "COMMIT;",
        "COMMIT AND CHAIN;",
        "END;",
        "ROLLBACK;",
        "ABORT;",
        "PREPARE TRANSACTION 'x';",
        "/* so */ COMMIT -- and so\n;",
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; END; COMMIT;",
        "COPY a FROM STDIN;",
        "COPY (SELECT 1) TO STDOUT;",
    ],
)
@pytest.mark.parametrize("section", ["up", "down"])
def test_transaction_control_is_refused(
    read: Callable[[str], Migration], tmp_path: Path, section: str, statement: str
) -> None:
    """Nothing in a transactional section may end its transaction or wait for the client, in either direction."""
    before = "" if section == "up" else UP
    error = refusal(lambda: read(f"{before}-- migrate:{section}\nCREATE TABLE a ();\n\n{statement}\n"))
    assert (error.file, error.line) == (str(tmp_path / "0001_first.sql"), (6 if section == "down" else 4))


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 'COMMIT;'; SELECT E'\\'; COMMIT;';",
        "-- COMMIT;\n/* COMMIT; /* COMMIT; */ COMMIT; */ SELECT 1;",
        "DO $$ BEGIN PERFORM 1; END $$; DO $body$ BEGIN NULL; END; $body$;",
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END;",
        "CREATE RULE r AS ON INSERT TO a DO ALSO (INSERT INTO b SELECT 1; DELETE FROM c);",
        'CREATE TABLE "COMMIT" ("BEGIN" int); SELECT a.commit, b AS end FROM a;',
        "SAVEPOINT s; RELEASE s;",
        "PREPARE p AS SELECT 1; COPY a FROM '/file'; COPY a TO PROGRAM 'stdin';",
        "SELECT '%', 1 % 2, ':name';",
    ],
)
def test_words_that_only_look_like_transaction_control_are_kept(
    read: Callable[[str], Migration], statement: str
) -> None:
    """Strings, comments, function bodies, rules and names may hold any word, and are sent verbatim."""
    assert read(f"-- migrate:up\n{statement}\n").up.sql == f"{statement}\n"


def test_the_projects_own_migrations_can_be_read() -> None:
    """Every file of this project passes the checks, says how to undo it, and begins with its reason and its locks."""
    migrations = read_folder(resources.directory("migrations") / "lamps")
    assert [migration.label for migration in migrations if migration.down is None] == []
    for migration in migrations:
        introduction = migration.path.read_text(encoding="utf-8").partition("-- migrate:up")[0]
        assert introduction.startswith("-- Why: ")
        assert "\n-- Locks: " in introduction


EMPTY_DOWNS = [
    "",
    "\n\n",
    "-- nothing to undo\n",
    "/* later */ ;\n",
    "\r\n",
    "\ufeff".encode().decode("utf-8-sig") + ";;",
]


@pytest.mark.parametrize("rest", EMPTY_DOWNS)
@pytest.mark.parametrize("marker", ["-- migrate:down\n", "-- migrate:down transaction:false\n"])
def test_a_down_section_may_be_empty(tmp_path: Path, marker: str, rest: str) -> None:
    """What dbmate writes has both markers, and an empty second section is as good as none."""
    (tmp_path / "0001_first.sql").write_text(f"{UP}{marker}{rest}", "utf-8")
    [migration] = read_folder(tmp_path)
    assert migration.down is None
    assert len(migration.up.parts) == 1


LEFTOVERS = [".#0001_a.sql", "._0001_a.sql", ".0001_a.sql.swp", ".git/0001_a.sql", "0001_a.sql~", "0001_a.SQL.bak"]


@pytest.mark.parametrize("name", LEFTOVERS)
def test_what_editors_leave_is_passed_over(tmp_path: Path, name: str) -> None:
    """Hidden files and folders, and files with other suffixes, are no migrations, whatever is in them."""
    (tmp_path / "0001_first.sql").write_text(f"{UP}", "utf-8")
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b"\x00\x05\x16\x07\xff")
    assert [migration.label for migration in read_folder(tmp_path)] == ["0001_first"]


@pytest.mark.parametrize("name", ["0001_FIRST.SQL", "0001_first.Sql", "first.sql", "1_first.sql", "0001_first.up.SQL"])
def test_what_looks_meant_is_named(tmp_path: Path, name: str) -> None:
    """A file that looks like a migration and has another name is an error, and not passed over."""
    (tmp_path / name).write_text(UP, "utf-8")
    with pytest.raises(MigrationError, match=re.escape(name)):
        read_folder(tmp_path)


@pytest.mark.parametrize("mode", ["", " transaction:false"])
@pytest.mark.parametrize(
    "literal", ["'{}'", "E'{}\\\\'", '"{}"', "$${}$$", "$a${}$a$", "/* {} */ 1", "1 -- {}\n", "'a''{}'", "'\u00e4{}'"]
)
def test_a_large_literal_takes_little_memory(tmp_path: Path, literal: str, mode: str) -> None:
    """A file is read in a small multiple of its characters, whatever they are part of."""
    sql = f"SELECT {literal.format('a b;' * 100_000)};\n"
    (tmp_path / "0001_large.sql").write_text(f"-- migrate:up{mode}\n{sql}", "utf-8")
    tracemalloc.start()
    [migration] = read_folder(tmp_path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert migration.up.sql == sql
    assert peak < 5 * sys.getsizeof(sql)
