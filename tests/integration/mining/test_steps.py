"""A step of the cycle service: read in one round trip, written in one transaction, whatever happens meanwhile."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from rig import Relay
from surf_data import QueryEvent, SurfDataError, mining
from surf_data.mining import (
    CycleRecord,
    DataAccessError,
    MiningDataLayer,
    PgsqlActionDAO,
    ProcessInfoRecord,
    StatementFailed,
)
from surf_data.mining.steps import StepOutcome

Admin = psycopg.Connection[Any]
Cycle = Callable[..., CycleRecord]
Checkpoint = Callable[..., ProcessInfoRecord]
Refused = Callable[..., SurfDataError]

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)

#: What a step sends, each by what is in it, in order.
MESSAGES = (
    b"BEGIN",
    b"mining.cycle_close",
    b"mining.cycle_insert",
    b"mining.checkpoint_advance",
    b"COMMIT",
)


def content(admin: Admin) -> dict[str, Any]:
    """Return what is stored, as others see it."""

    def rows(query: bytes) -> list[Any]:
        return admin.execute(query).fetchall()

    return {
        "work": rows(
            b"SELECT cycle_number, cycle_status, finalized_date IS NOT NULL FROM mining.asset_cycles ORDER BY 1"
        ),
        "final": rows(b"SELECT cycle_number FROM mining.final_cycles ORDER BY 1"),
        "checkpoint": rows(b"SELECT process_date FROM mining.process_checkpoints"),
    }


BEFORE = {"work": [(1, "INPROGRESS", False)], "final": [], "checkpoint": [(NOON - timedelta(hours=1),)]}
AFTER = {"work": [(1, "COMPLETE", True), (2, "INPROGRESS", False)], "final": [(1,)], "checkpoint": [(NOON,)]}


@pytest.fixture
def last(data: MiningDataLayer, cycle: Cycle, checkpoint: Checkpoint) -> CycleRecord:
    """Store an open cycle and its checkpoint, and return the cycle."""
    stored = cycle()
    data.cycles.insert(stored)
    data.checkpoints.insert(checkpoint(process_date=NOON - timedelta(hours=1)))
    return stored


@pytest.fixture
def parts(last: CycleRecord, cycle: Cycle, checkpoint: Checkpoint) -> dict[str, Any]:
    """Return what a step decides: the last cycle is over, the next one begins."""
    last.cycle_status, last.cycle_end_utc, last.updated_date = "COMPLETE", NOON, NOON
    return {"updated": last, "new": cycle(cycle_number=2), "checkpoint": checkpoint(process_date=NOON)}


def test_state(
    dao: PgsqlActionDAO, data: MiningDataLayer, admin: Admin, last: CycleRecord, checkpoint: Checkpoint
) -> None:
    """The state has the asset, its checkpoint, its last open cycle and the loaders of its site, in one statement."""
    admin.execute("INSERT INTO mining.asset_master VALUES ('truck-1', 'site-1', 'truck', 'client')")
    data.cycles.insert(CycleRecord(**{**last.to_dict(), "asset_cycle_vlx_id": None, "cycle_number": 3}))
    for loader in ("l1", "l2"):
        data.checkpoints.insert(
            checkpoint(
                asset_guid=loader,
                process_name="asset_idle_vlx",
                asset_type_guid="loader",
                current_latitude=1.5,
                current_longitude=2.5,
            )
        )
    before = data.database.get_pool_status()["queries_count"]
    state = dao.cycle_state("truck-1", "site-1")
    assert data.database.get_pool_status()["queries_count"] == before + 1
    assert state.asset == {
        "asset_guid": "truck-1",
        "site_guid": "site-1",
        "asset_type_guid": "truck",
        "client_guid": "client",
    }
    assert state.cycle is not None
    assert (state.cycle.cycle_number, state.cycle.is_new_record()) == (3, False)
    assert state.checkpoint is not None
    assert state.checkpoint.process_date == NOON - timedelta(hours=1)
    assert state.loaders == [
        {"asset_guid": loader, "site_guid": "site-1", "latitude": 1.5, "longitude": 2.5} for loader in ("l1", "l2")
    ]


def test_state_of_nothing(dao: PgsqlActionDAO, refused: Refused) -> None:
    """What there is not is None, and arguments are checked."""
    state = dao.cycle_state("truck-1", "site-1")
    assert (state.asset, state.cycle, state.checkpoint, state.loaders) == (None, None, None, [])
    wrong: Any = ({"asset_guid": ""}, {"site_guid": 5}, {"process_name": None}, {"service_type": "x" * 51})
    for argument in wrong:
        arguments = {"asset_guid": "truck-1", "site_guid": "site-1", **argument}
        assert getattr(refused(lambda arguments=arguments: dao.cycle_state(**arguments)), "field", None) in argument


def test_save(dao: PgsqlActionDAO, admin: Admin, parts: dict[str, Any]) -> None:
    """A step updates and archives the last cycle, opens the next one and advances the checkpoint."""
    assert dao.save_cycle_step(**parts) == StepOutcome(archived=True, advanced=True)
    assert content(admin) == AFTER
    assert parts["new"].id == parts["updated"].id + 1


def test_save_parts(dao: PgsqlActionDAO, admin: Admin, cycle: Cycle, checkpoint: Checkpoint) -> None:
    """Each part may be left out; a checkpoint that is not later is left as it is."""
    first = cycle()
    assert dao.save_cycle_step(initial=first, checkpoint=checkpoint(process_date=NOON)).advanced
    assert dao.save_cycle_step(updated=first, checkpoint=checkpoint(process_date=NOON)) == StepOutcome()
    assert dao.save_cycle_step() == StepOutcome()
    assert content(admin) == {"work": [(1, "INPROGRESS", False)], "final": [], "checkpoint": [(NOON,)]}


def test_save_within_a_transaction(dao: PgsqlActionDAO, admin: Admin, parts: dict[str, Any]) -> None:
    """Inside with, a step is a part of the block's transaction."""
    with dao:
        dao.save_cycle_step(**parts)
        assert content(admin) == BEFORE
        dao.rollback()
        assert parts["new"].id is None
        dao.save_cycle_step(**parts)
    assert content(admin) == AFTER


def test_a_step_that_another_consumer_has_made(
    dao: PgsqlActionDAO, admin: Admin, parts: dict[str, Any], cycle: Cycle
) -> None:
    """When the next cycle is open already, nothing of the step is stored, and the constraint says why."""
    dao.insert_new_data(cycle(cycle_number=2))
    with pytest.raises(StatementFailed) as caught:
        dao.save_cycle_step(**parts)
    assert caught.value.constraint == "asset_cycles_open"
    assert parts["new"].id is None
    assert content(admin) == {**BEFORE, "work": [(1, "INPROGRESS", False), (2, "INPROGRESS", False)]}


def test_the_same_step_twice(dao: PgsqlActionDAO, admin: Admin, parts: dict[str, Any], cycle: Cycle) -> None:
    """A step that is made again, as after a crash of its consumer, is refused and changes nothing."""
    dao.save_cycle_step(**parts)
    with pytest.raises(DataAccessError, match="archived"):
        dao.save_cycle_step(**{**parts, "new": cycle(cycle_number=2)})
    assert content(admin) == AFTER


@pytest.fixture
def relay(admin: Admin) -> Iterator[Relay]:
    """Stand between the service and its server."""
    with Relay(f"{admin.info.host}/.s.PGSQL.{admin.info.port}") as started:
        yield started


def through(relay: Relay, admin: Admin, **settings: Any) -> MiningDataLayer:
    """Open a data layer whose connections lead through a relay."""
    return mining.open(
        f"postgresql://mining_service@127.0.0.1:{relay.port}/{admin.info.dbname}", pool_min_size=0, **settings
    )


@pytest.mark.parametrize("loss", ["request", "reply"])
def test_a_connection_lost_at_any_message(
    relay: Relay,
    admin: Admin,
    data: MiningDataLayer,
    last: CycleRecord,
    cycle: Cycle,
    checkpoint: Checkpoint,
    loss: str,
) -> None:
    """Whichever message of a step or reply to it is lost, in the end the step is stored once."""
    for position, message in enumerate(MESSAGES):
        truck = f"truck {position}"
        opened = cycle(asset_guid=truck)
        data.cycles.insert(opened)
        opened.cycle_status, opened.updated_date = "COMPLETE", NOON
        with through(relay, admin) as lossy:
            dao = PgsqlActionDAO(lossy)
            dao.pull_data_from_table(single_query={"table": "asset"})
            (relay.lose_request if loss == "request" else relay.lose_replies)(message)
            outcome = dao.save_cycle_step(
                updated=opened,
                new=cycle(asset_guid=truck, cycle_number=2),
                checkpoint=checkpoint(asset_guid=truck, process_date=NOON),
            )
        found = [
            admin.execute(query, (truck,)).fetchall()
            for query in (
                b"SELECT cycle_number, cycle_status FROM mining.asset_cycles WHERE asset_guid = %s ORDER BY 1",
                b"SELECT cycle_number FROM mining.final_cycles WHERE asset_guid = %s",
                b"SELECT process_date FROM mining.process_checkpoints WHERE asset_guid = %s",
            )
        ]
        assert found == [[(1, "COMPLETE"), (2, "INPROGRESS")], [(1,)], [(NOON,)]], message
        # Of a COMMIT that was looked up, the outcome is that of the transaction which was committed.
        assert outcome == StepOutcome(archived=True, advanced=True)


def test_a_backend_killed_behind_any_statement(
    mining_url: str, admin: Admin, data: MiningDataLayer, cycle: Cycle, checkpoint: Checkpoint
) -> None:
    """Behind whichever statement of a step the server's backend is killed, in the end the step is stored once."""
    for query in ("cycle_update", "cycle_close", "cycle_insert", "checkpoint_advance"):
        opened = cycle(asset_guid=query)
        data.cycles.insert(opened)
        # One that stays open is updated and not archived.
        opened.cycle_status = "INPROGRESS" if query == "cycle_update" else "COMPLETE"
        opened.updated_date = NOON
        waiting = [query]

        def kill(event: QueryEvent, waiting: list[str] = waiting) -> None:
            if waiting and event.query == f"mining.{waiting[0]}":
                waiting.clear()
                admin.execute(
                    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'doomed'"
                )

        with mining.open(mining_url, observer=kill, pool_min_size=0, application_name="doomed") as doomed:
            PgsqlActionDAO(doomed).save_cycle_step(
                updated=opened,
                new=cycle(asset_guid=query, cycle_number=2),
                checkpoint=checkpoint(asset_guid=query, process_date=NOON),
            )
        assert not waiting
    counts = admin.execute(
        "SELECT (SELECT count(*) FROM mining.asset_cycles), (SELECT count(*) FROM mining.final_cycles),"
        " (SELECT count(*) FROM mining.process_checkpoints)"
    ).fetchone()
    assert counts == (8, 3, 4)


@pytest.mark.parametrize("loss", ["request", "reply"])
@pytest.mark.parametrize(
    "message",
    # The last one comes with the values, when the statement has been prepared: the server runs it then.
    [b"mining.cycle_reserve", b"mining.cycle_insert", b"mining.cycle_copy", b"truck-1"],
)
def test_inserts_by_themselves(relay: Relay, admin: Admin, cycle: Cycle, message: bytes, loss: str) -> None:
    """A cycle, and a batch, that are inserted by themselves are stored once, whichever message or reply is lost."""
    records = [cycle(), *(cycle(cycle_number=2 + number) for number in range(2))]
    with through(relay, admin) as lossy:
        dao = PgsqlActionDAO(lossy)
        dao.pull_data_from_table(single_query={"table": "asset"})
        (relay.lose_request if loss == "request" else relay.lose_replies)(message)
        keys = [dao.insert_new_data(records[0]), *dao.insert_many(records[1:])]
    assert content(admin)["work"] == [(number, "INPROGRESS", False) for number in (1, 2, 3)]
    assert [record.id for record in records] == keys


def test_a_checkpoint_by_itself(relay: Relay, admin: Admin, checkpoint: Checkpoint) -> None:
    """A checkpoint is stored once, too."""
    with through(relay, admin) as lossy:
        dao = PgsqlActionDAO(lossy)
        dao.pull_data_from_table(single_query={"table": "asset"})
        # This comes with the values, when the statement has been prepared: the server runs it then.
        relay.lose_replies(b"truck-1")
        dao.insert_new_data(checkpoint(process_date=NOON))
    assert content(admin)["checkpoint"] == [(NOON,)]


@pytest.mark.parametrize("inside", [True, False])
def test_a_commit_whose_outcome_cannot_be_known(relay: Relay, admin: Admin, cycle: Cycle, *, inside: bool) -> None:
    """So it is with a COMMIT, of a block and of a call: what was inserted keeps its key."""
    record = cycle()
    with through(relay, admin, pool_timeout=0.2) as lossy:
        dao = PgsqlActionDAO(lossy)
        dao.pull_data_from_table(single_query={"table": "asset"})
        relay.lose_replies(b"COMMIT")
        with pytest.raises(mining.PgsqlConnectionError) as caught:
            if inside:
                with dao:
                    dao.insert_new_data(record)
                    relay.redirect(("127.0.0.1", 1))
            else:
                relay.redirect(("127.0.0.1", 1))
                dao.save_cycle_step(initial=record)
    assert caught.value.outcome_unknown is True
    assert record.id is not None


def test_another_consumer_meanwhile(relay: Relay, admin: Admin, data: MiningDataLayer, cycle: Cycle) -> None:
    """An insert that was lost, and whose cycle another consumer has opened before it is sent again, is a conflict."""
    record = cycle()

    def open_it(event: QueryEvent) -> None:
        if event.query == "mining.cycle_insert" and not content(admin)["work"]:
            data.cycles.insert(cycle())

    with through(relay, admin, observer=open_it) as lossy:
        dao = PgsqlActionDAO(lossy)
        dao.pull_data_from_table(single_query={"table": "asset"})
        relay.lose_request(b"mining.cycle_insert")
        with pytest.raises(StatementFailed) as caught:
            dao.insert_new_data(record)
    assert (caught.value.constraint, caught.value.outcome_unknown) == ("asset_cycles_open", False)
    assert record.id is None
    assert len(content(admin)["work"]) == 1


def test_an_outcome_that_cannot_be_known(relay: Relay, admin: Admin, cycle: Cycle) -> None:
    """When the server does not come back to be asked, the error says that the outcome is unknown; the key stays."""
    record = cycle()
    with through(relay, admin, pool_timeout=0.2) as lossy:
        dao = PgsqlActionDAO(lossy)
        dao.pull_data_from_table(single_query={"table": "asset"})
        relay.lose_replies(b"mining.cycle_insert")
        relay.redirect(("127.0.0.1", 1))
        with pytest.raises(mining.PgsqlConnectionError) as caught:
            dao.insert_new_data(record)
    assert caught.value.outcome_unknown is True
    assert record.id is not None


@pytest.mark.parametrize("loss", ["request", "reply"])
def test_an_unanswered_commit(relay: Relay, admin: Admin, cycle: Cycle, loss: str) -> None:
    """A COMMIT of a with block that got no answer is looked up: committed, or an error after which nothing is there."""
    record = cycle()
    with through(relay, admin) as lossy:
        dao = PgsqlActionDAO(lossy)
        with suppress(mining.PgsqlConnectionError), dao:
            dao.insert_new_data(record)
            (relay.lose_request if loss == "request" else relay.lose_replies)(b"COMMIT")
    committed = loss == "reply"
    assert (len(content(admin)["work"]) == 1, record.id is not None) == (committed, committed)
