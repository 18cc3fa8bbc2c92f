"""``nox -s rolling`` finds the deploys that break running code, and lets the others pass."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

import surf_data
from surf_data.lamps.queries import lamp_queries

CHECK = Path(__file__).parents[1] / "rolling" / "check.py"

# Without git the other tests run all the same.
pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")

BOARDS = "-- migrate:up\nCREATE TABLE boards (id int PRIMARY KEY, name text);\n"
QUERIES = """\
-- name: board_insert(id)!
-- Adds one.
INSERT INTO boards AS b (id) VALUES (:id::int);

-- name: board_list()
-- All of them.
SELECT b.id, b.name FROM boards AS b WHERE b.name LIKE '%';

-- name: board_load()#
-- Many at once.
COPY boards (id) FROM STDIN;
"""


class Change(NamedTuple):
    """One migration of a deploy, and a query of the code that runs before it; each has a table of its own."""

    #: What is there.
    table: str
    #: The query, without its name.
    query: str
    #: The migration, as it runs before the new code.
    migration: str
    #: What the query meets after it; ``None`` when all is well.
    problem: str | None
    #: What stands behind the query's name.
    definition: str = "()"


CHANGES = {
    "table_renamed": Change(
        "CREATE TABLE a1 (id int)", "SELECT id FROM a1", "ALTER TABLE a1 RENAME TO a2", 'relation "a1" does not exist'
    ),
    "column_dropped": Change(
        "CREATE TABLE b (id int, n int)", "SELECT n FROM b", "ALTER TABLE b DROP COLUMN n", 'column "n" does not exist'
    ),
    "column_renamed": Change(
        "CREATE TABLE c (id int)",
        "COPY c (id) FROM STDIN",
        "ALTER TABLE c RENAME id TO n",
        'column "id" of relation "c" does not exist',
        "()#",
    ),
    "type_changed": Change(
        "CREATE TABLE d (id int)",
        "SELECT id FROM d",
        "ALTER TABLE d ALTER id TYPE bigint",
        "it gives (id bigint), not (id integer)",
    ),
    "type_widened": Change(
        "CREATE TABLE e (n varchar(5))",
        "SELECT n FROM e",
        "ALTER TABLE e ALTER n TYPE varchar(9)",
        "it gives (n character varying(9)), not (n character varying(5))",
    ),
    "type_taken": Change(
        "CREATE TABLE f (id int)",
        'COPY f (id) FROM STDIN (FORMAT "binary")',
        "ALTER TABLE f ALTER id TYPE bigint",
        "it takes (bigint), not (integer)",
        "()#",
    ),
    "column_required": Change(
        "CREATE TABLE g (id int)",
        "INSERT INTO g (id) SELECT unnest(:ids::int[])",
        "ALTER TABLE g ADD n int NOT NULL",
        'null value in column "n" of relation "g" violates not-null constraint',
        "(ids)!",
    ),
    "column_now_required": Change(
        "CREATE TABLE h (id int, n int)",
        "COPY h (id) FROM STDIN",
        "ALTER TABLE h ALTER n SET NOT NULL",
        'null value in column "n" of relation "h" violates not-null constraint',
        "()#",
    ),
    "function_dropped": Change(
        "CREATE FUNCTION i() RETURNS int RETURN 1",
        "SELECT i() AS n",
        "DROP FUNCTION i",
        "function i() does not exist",
    ),
    "key_dropped": Change(
        "CREATE TABLE j (id int CONSTRAINT j_key UNIQUE)",
        "INSERT INTO j (id) VALUES (:id::int) ON CONFLICT (id) DO NOTHING",
        "ALTER TABLE j DROP CONSTRAINT j_key",
        "there is no unique or exclusion constraint matching the ON CONFLICT specification",
        "(id)!",
    ),
    "grant_revoked": Change(
        'CREATE TABLE k (id int); CREATE ROLE "The Surfer"; GRANT SELECT ON k TO "The Surfer"',
        "SELECT id FROM k",
        'REVOKE ALL ON k FROM "The Surfer"',
        'permission denied for table k, as "The Surfer"',
    ),
    "trigger_added": Change(
        "CREATE TABLE l (id int)",
        "INSERT INTO l (id) VALUES (:id::int)",
        "CREATE FUNCTION l_add() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO m VALUES (1); END$$;"
        " CREATE TRIGGER l_add BEFORE INSERT ON l FOR EACH ROW EXECUTE FUNCTION l_add()",
        'relation "m" does not exist',
        "(id)!",
    ),
    "column_added": Change(
        "CREATE TABLE n (id int, mood text)",
        "INSERT INTO n (id, mood) VALUES (:id::int, :mood::text)",
        "ALTER TABLE n ADD fins int NOT NULL DEFAULT 3",
        None,
        "(id, mood)!",
    ),
    "column_filled": Change(
        "CREATE TABLE o (id int, n int)",
        "INSERT INTO o (id) VALUES (:id::int)",
        "CREATE FUNCTION o_fill() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.n = 1; RETURN NEW; END$$;"
        " CREATE TRIGGER o_fill BEFORE INSERT ON o FOR EACH ROW EXECUTE FUNCTION o_fill();"
        " ALTER TABLE o ALTER n SET NOT NULL",
        None,
        "(id)!",
    ),
    "values_made_up": Change(
        "CREATE TYPE mood AS ENUM ('calm'); CREATE TABLE p (m mood[], j jsonb, t timestamptz, g point NOT NULL)",
        "INSERT INTO p (m, j, t, g) VALUES (:m::mood[], :j::jsonb, :t::timestamptz, :g::point)",
        "ALTER TABLE p ADD CHECK (t > now())",
        None,
        "(m, j, t, g)!",
    ),
}


class Verdict(NamedTuple):
    """What the check has said."""

    code: int
    out: str


Commit = Callable[..., None]
Check = Callable[..., Verdict]


def commits(root: Path) -> Commit:
    """Return a function that commits files, given by path and text, in a new repository; ``None`` deletes one."""

    def commit(**files: str | None) -> None:
        for name, text in files.items():
            path = root / name.replace("__", "/")
            path = path.with_suffix(".py") if name.startswith("tests") else path.with_suffix(".sql")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink() if text is None else path.write_text(text)
        git(root, "add", "--all")
        git(root, "commit", "--quiet", "--allow-empty", "--message", "step")

    git(root, "init", "--quiet")
    return commit


def git(root: Path, *arguments: str) -> None:
    """Run git without settings of the user."""
    person = {"NAME": "a", "EMAIL": "a@example.org"}
    names = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in person.items()}
    nothing = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    environment = {**os.environ, **names, **nothing}
    subprocess.run(["git", *arguments], cwd=root, env=environment, check=True, capture_output=True)  # noqa: S607 - its own git


def run(root: Path, *arguments: str, **variables: str) -> Verdict:
    """Run the check in a folder."""
    command = [sys.executable, str(CHECK), "--postgres", "18", *arguments]
    environment = {**os.environ, "COLUMNS": "120", **variables}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    return Verdict(done.returncode, done.stdout + done.stderr)


@pytest.fixture
def repository(tmp_path: Path) -> Commit:
    """Return a function that commits files in a repository, given by path and text; ``None`` deletes one."""
    return commits(tmp_path)


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Return a function that runs the check in the repository."""
    return partial(run, tmp_path)


@pytest.fixture
def deploy(repository: Commit, check: Check) -> Check:
    """Return a function that commits a second revision and checks the deploy of it over the first."""
    repository(migrations__shop__0001_boards=BOARDS, sql__shop__board=QUERIES)

    def second(**files: str | None) -> Verdict:
        repository(**files)
        return check()

    return second


def up(sql: str) -> str:
    """Return a migration."""
    return f"-- migrate:up\n{sql};\n"


def test_what_only_adds_breaks_nothing(deploy: Check) -> None:
    """Both revisions work with the new column, and the old one is asked after the migration."""
    verdict = deploy(
        migrations__shop__0002_fins=up("ALTER TABLE boards ADD COLUMN fins int NOT NULL DEFAULT 3"),
        sql__shop__board=QUERIES.replace("b.id, b.name", "b.id, b.fins, b.name"),
    )
    assert verdict.code == 0, verdict.out
    rows = [line.replace("│", " ").split() for line in verdict.out.splitlines() if "works" in line]
    assert rows == [["shop", "0002_fins", "HEAD~1", "works"], ["shop", "0002_fins", "this", "works"]]


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Verdict:
    """Check one deploy that makes all changes, one migration after another, and takes all queries out of the code."""
    root = tmp_path_factory.mktemp("changes")
    commit = commits(root)
    tables = up(";\n".join(change.table for change in CHANGES.values()))
    queries = {
        f"sql__shop__{name}": f"-- name: q{change.definition}\n-- What runs.\n{change.query};\n"
        for name, change in CHANGES.items()
    }
    commit(migrations__shop__0001_tables=tables, **queries)
    migrations = {
        f"migrations__shop__{number:04d}_pre_{name}": up(change.migration)
        for number, (name, change) in enumerate(CHANGES.items(), start=2)
    }
    commit(**migrations, **dict.fromkeys(queries))
    return run(root)


@pytest.mark.parametrize("name", CHANGES)
def test_what_breaks_running_code_is_found(changed: Verdict, name: str) -> None:
    """A migration before the new code must leave the old code's queries as they are; what it breaks is said of it."""
    place = f"code of HEAD~1: sql/shop/{name}.sql:1 q: "
    told = [line for line in changed.out.splitlines() if place in line]
    state = f"{list(CHANGES).index(name) + 2:04d}_pre_{name}"
    problem = CHANGES[name].problem
    assert told[:1] == ([f"after {state}, {place}{problem}"] if problem else []), changed.out


def test_what_breaks_fails(changed: Verdict) -> None:
    """A deploy that breaks something is no success, and nothing is left out of the comparison."""
    assert changed.code == 1
    assert "not compared" not in changed.out


def test_a_running_statement_fails_when_a_type_is_widened(
    data: surf_data.LampsDataLayer, admin: psycopg.Connection[Any]
) -> None:
    """That is why it counts as a break: what a connection has prepared does not work any more."""
    # The pool might lend another connection, which has prepared nothing.
    with data.database.connection() as session:
        ask = partial(lamp_queries().user_password_hash, session, email_key="kai@example.org")
        assert ask() is None
        admin.execute("ALTER TABLE lamp_registry ALTER password_hash TYPE varchar(300)")
        with pytest.raises(surf_data.DatabaseError) as caught:
            ask()
    assert caught.value.sqlstate == "0A000"


def test_a_right_that_only_the_contraction_grants_is_missed(deploy: Check) -> None:
    """New code runs before the migration that is called post, with the rights of its role at that time."""
    verdict = deploy(
        migrations__shop__0002_pre_fins=up(
            "CREATE ROLE surfer; GRANT SELECT ON boards TO surfer; CREATE TABLE fins (id int)"
        ),
        migrations__shop__0003_post_grant=up("GRANT SELECT ON fins TO surfer"),
        sql__shop__fin="-- name: fin_list()\n-- All of them.\nSELECT id FROM fins;\n",
    )
    assert verdict.code == 1
    assert [line for line in verdict.out.splitlines() if line.startswith("after")] == [
        "after 0002_pre_fins, code of this: sql/shop/fin.sql:1 fin_list: permission denied for table fins, as surfer"
    ]


def test_what_did_not_work_before_is_left_out_and_said(repository: Commit, deploy: Check) -> None:
    """A deploy is not to blame for queries that its predecessor could not run or read, nor for its scenario."""
    repository(
        sql__shop__wave="-- name: wave_list()\n-- Of no table.\nSELECT id FROM waves;\n",
        sql__shop__tide="-- name: tide_list()\nSELECT id FROM boards;\n",
        tests__rolling__scenarios__shop="raise SystemExit('no waves')\n",
    )
    verdict = deploy(
        migrations__shop__0002_step=up("SELECT 1"),
        **dict.fromkeys(("sql__shop__wave", "sql__shop__tide", "tests__rolling__scenarios__shop")),
    )
    assert verdict.code == 0, verdict.out
    before = "not compared, because it did not work before: "
    assert [line.removeprefix(before) for line in verdict.out.splitlines() if line.startswith(before)] == [
        "sql/shop/tide.sql:1: a line of description must follow the name",
        'sql/shop/wave.sql:1 wave_list: relation "waves" does not exist',
        "tests/rolling/scenarios/shop.py: no waves",
    ]


def test_new_code_that_cannot_be_read_is_found(deploy: Check) -> None:
    """A query that the library refuses does not work, nor does one whose columns are whatever a table has."""
    verdict = deploy(
        sql__shop__tide="-- name: tide_list()\nSELECT id FROM boards;\n",
        sql__shop__wave="-- name: wave_load()#\n-- Many.\nCOPY boards FROM STDIN;\n",
    )
    assert verdict.code == 1
    assert "code of this: sql/shop/tide.sql:1: a line of description must follow the name\n" in verdict.out
    assert "code of this: sql/shop/wave.sql:1: write COPY table (columns) FROM STDIN\n" in verdict.out


def test_what_the_old_code_needs_may_go_after_it(deploy: Check) -> None:
    """A migration that is called post runs when only the new code is left, which must work before and after it."""
    verdict = deploy(
        migrations__shop__0002_post_name=up("ALTER TABLE boards DROP COLUMN name"),
        sql__shop__board=QUERIES.replace("b.id, b.name", "b.id").replace(" WHERE b.name LIKE '%'", ""),
    )
    assert verdict.code == 0, verdict.out
    assert verdict.out.count("works") == 2


def test_new_code_that_needs_the_contraction_is_found(deploy: Check) -> None:
    """It runs before the migration that is called post, and cannot do what that makes possible."""
    verdict = deploy(
        migrations__shop__0002_post_fins=up("ALTER TABLE boards ADD COLUMN fins int"),
        sql__shop__board=QUERIES.replace("b.name", "b.fins", 1),
    )
    assert verdict.code == 1
    assert "after what is there, code of this: sql/shop/board.sql:5 board_list: column b.fins does not exist" in (
        verdict.out
    )


def test_code_is_run_where_there_is_a_scenario(deploy: Check, repository: Commit) -> None:
    """What only running shows, such as a tightened condition, fails with the scenario's own last line."""
    repository(
        tests__rolling__scenarios__shop=(
            "import os, psycopg\n"
            "with psycopg.connect(os.environ['SURF_DATA_DATABASE_URL'], autocommit=True) as connection:\n"
            "    connection.execute('INSERT INTO boards SELECT count(*) - 5 FROM boards')\n"
        )
    )
    verdict = deploy(
        migrations__shop__0002_checks=up("ALTER TABLE boards ADD CHECK (id > 0) NOT VALID"),
        tests__rolling__scenarios__shop="",
    )
    assert verdict.code == 1
    assert "after 0002_checks, code of HEAD~1: tests/rolling/scenarios/shop.py: " in verdict.out


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        (
            {"0003_post_a": up("SELECT 1"), "0004_b": up("SELECT 1"), "0005_post_c": up("SELECT 1")},
            "0004_b.sql: it runs before the new code, but stands behind a 'post' migration",
        ),
        (
            {"0001_boards": BOARDS + "-- more\n"},
            "0001_boards.sql: a migration of the other revision must stay as it is",
        ),
        ({"0002_post_name": None}, "0002_post_name.sql: a migration of the other revision must stay"),
    ],
)
def test_histories_that_cannot_be_continued_are_refused(
    repository: Commit, deploy: Check, files: dict[str, str | None], problem: str
) -> None:
    """A migration that was deployed stays, and those before the new code stand before those after it."""
    repository(migrations__shop__0002_post_name=up("ALTER TABLE boards ADD CHECK (name <> '')"))
    verdict = deploy(**{f"migrations__shop__{name}": text for name, text in files.items()})
    assert verdict.code == 1
    assert problem in verdict.out


def test_the_first_commit_breaks_nothing(repository: Commit, check: Check) -> None:
    """There is nothing that it could break; a revision that is asked for must be there."""
    repository(migrations__shop__0001_boards=BOARDS)
    assert check() == (0, "There is no previous commit here, so there is nothing that could break.\n")
    assert check("--base", "elsewhere") == (1, "git archive: fatal: not a valid object name: elsewhere\n")


def test_a_folder_without_history_breaks_nothing(check: Check) -> None:
    """An unpacked archive has no previous commit."""
    assert check() == (0, "There is no previous commit here, so there is nothing that could break.\n")


def test_a_shallow_clone_is_no_first_commit(repository: Commit, tmp_path: Path) -> None:
    """The previous commit is elsewhere, so it is not known whether anything breaks."""
    repository(migrations__shop__0001_boards=BOARDS)
    repository()
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{tmp_path}", "shallow")
    problem = "this clone is too shallow for the previous commit: git fetch --deepen=1\n"
    assert run(tmp_path / "shallow") == (1, problem)


def test_without_git_nothing_is_said_to_work(repository: Commit, check: Check) -> None:
    """A checkout whose history cannot be read is not taken for one without history."""
    repository(migrations__shop__0001_boards=BOARDS)
    assert check(PATH="") == (1, "git cat-file: git is not installed\n")
