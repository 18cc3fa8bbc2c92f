"""Commands: their life, lists and pages, statistics, orphans, many at once."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import psycopg
import pytest

from surf_data import ConstraintViolation, specify
from surf_data.specify import Command, CommandFilter, ExecutionStatus, Project, SpecifyDataLayer, User
from surf_data.specify.heartbeat import heartbeats

Refused = Callable[..., Any]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_final_status_stays(data: SpecifyDataLayer, command: Command) -> None:
    """Whichever end comes first counts, so that an end may be repeated; a caller may insist."""
    failed = data.commands.complete_command(command.id, 2, stdout="out", stderr="err")
    assert failed is not None
    assert (failed.status, failed.exit_code, failed.stdout) == (ExecutionStatus.FAILED, 2, "out")
    assert failed.duration_ms is not None
    assert data.commands.complete_command(command.id, 0) == failed
    assert data.commands.cancel_command(command.id) == failed
    forced = data.commands.complete_command(command.id, 0, force=True)
    assert forced is not None
    assert (forced.status, forced.stdout, forced.is_success) == (ExecutionStatus.SUCCESS, None, True)
    assert data.commands.complete_command(9999, 0) is None


def test_other_ends(data: SpecifyDataLayer) -> None:
    """A command fails with a message, is cancelled, or takes too long; none of them has an exit code."""
    made = [data.commands.start_command("build").id for _ in range(3)]
    ended = [
        data.commands.fail_command(made[0], "boom"),
        data.commands.cancel_command(made[1]),
        data.commands.time_out_command(made[2]),
    ]
    assert [(each.status.value, each.stderr, each.exit_code) for each in ended if each] == [
        ("failed", "boom", None),
        ("cancelled", None, None),
        ("timeout", None, None),
    ]


def test_secrets_are_not_stored(data: SpecifyDataLayer) -> None:
    """What gives itself away in arguments and environment is replaced."""
    command = data.commands.start_command("curl", "--password hunter2", environment={"API_TOKEN": "x", "HOME": "/"})
    assert command.args == "--password ***"
    assert command.environment == {"API_TOKEN": "***", "HOME": "/"}
    updated = data.commands.update(command.id, {"environment": {"SECRET": "x"}, "args": "--token y"})
    assert updated is not None
    assert (updated.environment, updated.args) == ({"SECRET": "***"}, "--token ***")


def test_a_block_that_is_a_command(data: SpecifyDataLayer) -> None:
    """It completes at the end of the block, fails if that raises, and is cancelled by an interruption."""
    with data.commands.running("good") as good:
        pass
    with pytest.raises(KeyError), data.commands.running("bad") as bad:
        raise KeyError("hunter2")
    with pytest.raises(KeyboardInterrupt), data.commands.running("stopped", lease_seconds=60) as stopped:
        raise KeyboardInterrupt
    ended = [data.commands.get(each.id) for each in (good, bad, stopped)]
    assert [(each.status.value, each.stderr) for each in ended if each] == [
        ("success", None),
        ("failed", "KeyError"),
        ("cancelled", None),
    ]


def test_heartbeats(data: SpecifyDataLayer, app_url: str) -> None:
    """They go on while the block runs, through errors, and end when the command does."""
    command = data.commands.start_command("long", lease_seconds=0.3)
    beats: list[bool] = []
    enough = Barrier(2)

    def beat(command_id: int, lease_seconds: float) -> bool:
        beats.append(data.commands.heartbeat(command_id, lease_seconds))
        if len(beats) == 1:
            raise specify_error()
        if len(beats) == 2:
            data.commands.complete_command(command_id, 0)
        if len(beats) == 3:
            enough.wait()
        return beats[-1]

    with heartbeats(beat, command.id, 0.03):
        enough.wait(timeout=30)
    assert beats == [True, True, False]


def specify_error() -> Exception:
    """Return what the server may raise."""
    return ConstraintViolation("no")


def test_orphans(data: SpecifyDataLayer, admin: psycopg.Connection[Any]) -> None:
    """Whose lease has passed, or who began long ago without one, has died; each is found once, and may come back."""
    leased, old, fresh, alive = (
        data.commands.start_command("a", lease_seconds=60),
        data.commands.start_command("b"),
        data.commands.start_command("c"),
        data.commands.start_command("d", lease_seconds=60),
    )
    assert data.commands.heartbeat(leased.id, 60)
    admin.execute("UPDATE specify.commands SET lease_until = now() - interval '1 s' WHERE id = %s", [leased.id])
    admin.execute("UPDATE specify.commands SET started_at = now() - interval '2 days' WHERE id = %s", [old.id])
    reaped: list[Command] = []
    barrier = Barrier(4)

    def reap() -> None:
        barrier.wait()
        reaped.extend(data.commands.reap_orphans())

    threads = [Thread(target=reap) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sorted(each.id for each in reaped) == [leased.id, old.id]
    assert {each.status for each in reaped} == {ExecutionStatus.TIMEOUT}
    assert [each.completed_at == each.started_at for each in sorted(reaped, key=lambda each: each.id)] == [False, True]
    assert not data.commands.heartbeat(leased.id, 60)
    late = data.commands.complete_command(leased.id, 0)
    assert late is not None
    assert (late.status, late.meta) == (ExecutionStatus.SUCCESS, {})
    assert {each.id for each in data.commands.queries.find_by_status("running")} == {fresh.id, alive.id}


def test_two_ends_at_once(data: SpecifyDataLayer, command: Command) -> None:
    """The first one decides, and all get what it has decided."""
    barrier = Barrier(8)
    ends: list[Command | None] = []

    def end(code: int) -> None:
        barrier.wait()
        ends.append(data.commands.complete_command(command.id, code))

    threads = [Thread(target=end, args=(code,)) for code in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(ends) == 8
    assert len({end.exit_code for end in ends if end}) == 1


@pytest.fixture
def many(data: SpecifyDataLayer, user: User, project: Project) -> list[Command]:
    """Return 25 commands, a minute apart, the oldest first."""
    return data.commands.bulk_create(
        {
            "name": "specify check" if number % 5 else "specify init",
            "args": f"file{number}.ttl",
            "user_id": user.id if number % 2 else None,
            "project_id": project.id,
            "status": "failed" if number % 5 == 4 else ExecutionStatus.SUCCESS,
            "exit_code": 2 if number % 5 == 4 else 0,
            "started_at": NOON + timedelta(minutes=number),
            "completed_at": NOON + timedelta(minutes=number, milliseconds=100 * number),
        }
        for number in range(25)
    )


def test_many_at_once(data: SpecifyDataLayer, many: list[Command], refused: Refused) -> None:
    """They are returned as the server has them; all are stored or none."""
    assert many == [data.commands.get(each.id) for each in many]
    assert len({each.command_id for each in many}) == 25
    known = {"name": "a", "command_id": many[0].command_id}
    refused(lambda: data.commands.bulk_create([{"name": "b"}, known]), ConstraintViolation)
    refused(lambda: data.commands.bulk_create([{"name": "b"}, {"name": "c", "user_id": 9999}]), ConstraintViolation)
    assert refused(lambda: data.commands.create(known)).field == "command_id"
    assert data.commands.queries.count() == 25


def test_lists(data: SpecifyDataLayer, many: list[Command], user: User, project: Project) -> None:
    """Newest first, of a user, a project, a status, the last hours; by its UUID."""
    queries = data.commands.queries
    latest = [many[23].id, many[21].id]
    assert [each.id for each in queries.find_by_user(user.id, limit=2)] == latest
    assert len(queries.find_by_project(project.id)) == 25
    assert [each.id for each in queries.find_by_status(ExecutionStatus.FAILED, limit=1)] == [many[24].id]
    assert queries.get_recent_commands(hours=1) == queries.get_failed_commands() == []
    assert queries.find_by_command_id(many[3].command_id) == many[3]
    assert queries.find_by_command_id("00000000-0000-4000-8000-000000000000") is None
    assert [each.id for each in queries.get_all(limit=2, offset=1)] == [many[1].id, many[2].id]
    assert [each.id for each in queries.paginate(order_by="-started_at", per_page=1).items] == [many[24].id]
    assert [each.id for each in queries.paginate(order_by="-id", per_page=1).items] == [many[24].id]


@pytest.mark.parametrize(
    ("conditions", "number"),
    [
        ({}, 25),
        ({"name": "specify init"}, 5),
        ({"name_prefix": "specify"}, 25),
        ({"name_prefix": "spec%"}, 0),
        ({"status": "failed"}, 5),
        ({"status": [ExecutionStatus.FAILED, "success"]}, 25),
        ({"status": []}, 0),
        ({"exit_code": 2}, 5),
        ({"min_duration_ms": 2000}, 5),
        ({"parent_id": 1}, 0),
        ({"text": "FILE1"}, 11),
        ({"text": "_"}, 0),
        ({"since": NOON + timedelta(minutes=20)}, 5),
        ({"until": NOON + timedelta(minutes=5)}, 5),
        ({"hours": 1}, 0),
        ({"user_id": 1, "status": "success", "name": "specify check", "since": NOON, "project_id": 1}, 8),
    ],
)
def test_filters(data: SpecifyDataLayer, many: list[Command], conditions: dict[str, Any], number: int) -> None:
    """All conditions that are given hold; page, total and keyset agree."""
    matching = CommandFilter(**conditions)
    page = data.commands.queries.list_commands(matching, per_page=100)
    assert (len(page.items), page.total) == (number, number)
    assert data.commands.queries.list_commands_after(matching) == page.items


def test_pages_and_keyset(data: SpecifyDataLayer, many: list[Command]) -> None:
    """Numbered pages know how many there are; going on after the last one walks through all, each once."""
    queries = data.commands.queries
    page = queries.list_commands(page=3, per_page=10)
    assert ([each.id for each in page.items], page.total) == ([each.id for each in reversed(many[:5])], 25)
    assert queries.list_commands(page=4, per_page=10, capped=True).total == 25
    walked: list[Command] = []
    after: Command | None = None
    while portion := queries.list_commands_after(after=after, limit=7):
        walked += portion
        after = portion[-1]
    assert walked == many[::-1]


def test_a_total_beyond_what_one_scan_counts(data: SpecifyDataLayer) -> None:
    """More than 1,000 matches are counted by themselves: the total is as exact, on every page and beyond the last."""
    data.commands.bulk_create([{"name": "specify init", "status": "pending"} for _ in range(1_003)])
    pages = [data.commands.queries.list_commands(page=number, per_page=500) for number in (1, 3, 4)]
    assert [(page.total, len(page.items)) for page in pages] == [(1_003, 500), (1_003, 3), (1_003, 0)]


def test_statistics(data: SpecifyDataLayer, many: list[Command], user: User, project: Project) -> None:
    """Counts by status and name, durations and their percentiles, of all or of some."""
    queries = data.commands.queries
    found = queries.get_command_statistics()
    assert found["total"] == 25
    assert found["by_status"] == {"success": 20, "failed": 5}
    assert found["by_name"] == {"specify check": 20, "specify init": 5}
    assert found["success_rate"] == 0.8
    assert found["duration"] == {
        "avg_ms": 1200,
        "min_ms": 0,
        "max_ms": 2400,
        "p50_ms": 1200,
        "p95_ms": pytest.approx(2280),
    }
    some = queries.get_command_statistics(NOON, NOON + timedelta(minutes=9), user_id=user.id, name="specify check")
    assert some["total"] == 4
    empty = queries.get_command_statistics(end_date=NOON - timedelta(days=1), project_id=project.id)
    assert empty == {
        "total": 0,
        "by_status": {},
        "duration": dict.fromkeys(("avg_ms", "min_ms", "max_ms", "p50_ms", "p95_ms")),
        "success_rate": None,
        "by_name": {},
    }


def test_days(data: SpecifyDataLayer, many: list[Command]) -> None:
    """Each day of a time zone has a row, also one without commands."""
    days = data.commands.queries.get_days(NOON - timedelta(days=1), NOON + timedelta(hours=1), "Asia/Kolkata")
    assert [(f"{day['day']}", day["total"], day["failures"]) for day in days] == [
        ("2026-02-28", 0, 0),
        ("2026-03-01", 25, 5),
    ]
    assert days[1]["avg_ms"] == 1200


def test_trees(data: SpecifyDataLayer, command: Command) -> None:
    """A command has what it has started, and what that has started; with it goes all of it."""
    child = data.commands.start_command("child", parent_id=command.id)
    grandchild = data.commands.start_command("grandchild", parent_id=child.id)
    assert [each.id for each in data.commands.queries.get_command_tree(command.id)] == [
        command.id,
        child.id,
        grandchild.id,
    ]
    assert data.commands.queries.get_command_tree(9999) == []
    data.metrics.record_metric("m", 1, command_id=grandchild.id)
    assert data.commands.delete(command.id)
    assert (data.commands.queries.count(), data.metrics.queries.count()) == (0, 0)


def test_old_commands_go(data: SpecifyDataLayer, many: list[Command]) -> None:
    """In portions, and young ones stay."""
    young = data.commands.start_command("young")
    age = (datetime.now(UTC) - NOON).days
    if age > 0:
        assert data.commands.expire(age, batch=10) == 25
    assert data.commands.expire(36_500) == 0
    assert data.commands.exists(young.id)


def test_its_handle(app_url: str) -> None:
    """Another domain's handle serves, too, and both are in one transaction."""
    with specify.open(app_url, pool_max_size=2) as data, specify.open(on=data) as other:
        with data.transaction() as transaction, transaction.transaction():
            other.within(transaction).commands.start_command("a")
        assert other.commands.queries.count() == 1
