"""The optional folder: a tenant sees and writes what is its user's, and the service goes on as before."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from psycopg.errors import InsufficientPrivilege, UniqueViolation

from surf_data import migrate
from surf_data.cli.commands import surf_data_command
from surf_data.kernel import resources
from surf_data.specify import Project, SpecifyDataLayer, User

Connection = psycopg.Connection[Any]


@pytest.fixture
def tenant(owner_url: str, admin: Connection) -> Iterator[Connection]:
    """Apply the folder, and return a tenant's connection."""

    def connect() -> Connection:
        return psycopg.connect(owner_url, autocommit=True)

    folder = resources.directory("migrations") / "specify_rls"
    runner = migrate.Runner(connect, folder, "specify_rls")
    runner.up()
    try:
        with connect() as connection:
            connection.execute("SET SESSION AUTHORIZATION surf_specify_tenant")
            yield connection
    finally:
        runner.down(to=0)
        admin.execute("DROP ROLE surf_specify_tenant")


def test_a_tenant(data: SpecifyDataLayer, user: User, project: Project, tenant: Connection) -> None:
    """It sees nothing without a user, what is the user's with one, and cannot write what is another's."""
    other = data.users.create_user("bob", "bob@example.com", b"x")
    foreign = data.projects.create_project("Foreign", "foreign", other.id)
    for each in (project, foreign):
        command = data.commands.start_command("a", project_id=each.id)
        data.commands.bulk_create([{"name": "b", "project_id": each.id}] * 2)
        data.metrics.record_metrics([{"name": "n", "value": 2, "project_id": each.id}] * 2)
        data.metrics.record_metric("m", 1, project_id=each.id)
        data.configuration.set_config(each.id, "k", each.id)
        trace = {"trace_id": f"{each.id:032x}", "name": "s", "start_time": each.created_at}
        data.telemetry.record_event(span_id=f"{each.id:016x}", command_id=command.id, **trace)

    def seen() -> list[list[Any]]:
        columns = ("projects", "id"), ("commands", "project_id"), ("performance_metrics", "project_id")
        more = ("configurations", "project_id"), ("telemetry_events", "trace_id")
        return [
            tenant.execute(f"SELECT DISTINCT {column} FROM specify.{table}".encode()).fetchall()
            for table, column in (*columns, *more)
        ]

    assert seen() == [[]] * 5
    with tenant.transaction():
        tenant.execute("SELECT set_config('surf_data.user_id', %s, true)", [str(user.id)])
        mine = [(project.id,)]
        assert seen() == [mine, mine, mine, mine, [(f"{project.id:032x}",)]]
        changed = tenant.execute("UPDATE specify.commands SET args = 'x'").rowcount
        assert changed == 3
        for refusal, statement in (
            (InsufficientPrivilege, f"INSERT INTO specify.commands (name, project_id) VALUES ('x', {foreign.id})"),
            (InsufficientPrivilege, f"UPDATE specify.projects SET owner_id = {other.id}"),
            (InsufficientPrivilege, "SELECT * FROM specify.users"),
            (
                UniqueViolation,
                "INSERT INTO specify.projects (name, slug, owner_id) VALUES ('x', 'foreign', 1)",
            ),
        ):
            with pytest.raises(refusal), tenant.transaction():
                tenant.execute(statement.encode())
    assert seen() == [[]] * 5
    assert data.commands.queries.count() == 6


def test_the_schema_is_verified_with_it(owner_url: str, tenant: Connection) -> None:
    """What an optional folder has added is no drift of the domain."""
    arguments = ["--database-url", owner_url, "migrate", "--domain", "specify", "verify", "--scratch", owner_url]
    result = CliRunner().invoke(surf_data_command, arguments)
    assert "The database is what the migrations make." in result.output
