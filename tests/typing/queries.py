"""What type checkers make of query functions that have a stub. Checked by mypy and pyright, never run."""

from datetime import date, datetime
from typing import Any, assert_type
from uuid import UUID

from surf_data.kernel.postgres import Executor, Json
from surf_data.lamps.queries import lamp_queries
from surf_data.lamps.rows import ActivityRow, LampOfManyRow, LampRow, ReferenceRow

queries = lamp_queries()


def correct(executor: Executor, lamp_id: UUID, moment: datetime) -> None:
    """Parameters are keywords with types; rows are classes or tuples, and None where there may be no row or value."""
    assert_type(queries.lamp_configuration(executor, lamp_id=lamp_id), LampRow | None)
    assert_type(queries.lamp_configurations(executor, lamp_ids=[lamp_id], known_version=lamp_id), list[LampOfManyRow])
    assert_type(queries.reference_data(executor), ReferenceRow)
    assert_type(queries.user_password_hash(executor, email_key="a@b"), str | None)
    assert_type(queries.lamp_status_update(executor, lamp_id=lamp_id, is_active=True), int)
    with queries.lamp_active_stream_cursor(executor) as rows:
        rows.batch_size = 10
        assert_type(list(rows), list[LampRow])
    with queries.activity_copy(executor) as copy:
        copy.write_row((lamp_id, "a", "b", None, None, None))
    page = queries.activity_history(executor, lamp_id=lamp_id, before_created_at=moment, before_id=None, row_limit=10)
    assert_type(page, list[ActivityRow])
    queries.activity_insert(
        executor,
        lamp_id=None,
        activity_type="a",
        status="b",
        details=Json("{}"),
        ip_address=None,
        user_agent=None,
    )


def mistakes(executor: Executor, lamp_id: UUID, moment: datetime, day: date) -> None:
    """Each line holds one mistake; a checker that does not see it complains of the comment that silences it."""
    queries.lamp_configuration(executor, lamp_id=str(lamp_id))  # type: ignore[arg-type]  # pyright: ignore
    queries.lamp_configuration(executor, lamp_id=None)  # type: ignore[arg-type]  # pyright: ignore
    queries.lamp_configuration(executor, lamp_id)  # type: ignore[call-arg]  # pyright: ignore
    queries.lamp_configuration(executor, id=lamp_id)  # type: ignore[call-arg]  # pyright: ignore
    queries.lamp_configuration(executor)  # type: ignore[call-arg]  # pyright: ignore
    queries.lamp_configuration(lamp_id=lamp_id)  # type: ignore[call-arg]  # pyright: ignore
    queries.lamp_config(executor, lamp_id=lamp_id)  # type: ignore[attr-defined]  # pyright: ignore
    queries.lamp_configuration(executor, lamp_id=lamp_id).is_active  # type: ignore[union-attr]  # pyright: ignore
    queries.reference_data(executor).configs  # type: ignore[attr-defined]  # pyright: ignore
    queries.reference_data(executor).version.hex  # type: ignore[union-attr]  # pyright: ignore
    queries.lamp_active_list(executor, known_version=lamp_id).lamp_id  # type: ignore[attr-defined]  # pyright: ignore
    queries.lamp_configurations(executor, lamp_ids=(lamp_id,), known_version=lamp_id)  # type: ignore[arg-type]  # pyright: ignore
    queries.lamp_configurations(executor, lamp_ids=[str(lamp_id)], known_version=lamp_id)  # type: ignore[arg-type]  # pyright: ignore
    queries.user_password_hash(executor, email_key="a@b").encode()  # type: ignore[union-attr]  # pyright: ignore
    queries.lamp_status_update(executor, lamp_id=lamp_id, is_active="active")  # type: ignore[arg-type]  # pyright: ignore
    queries.lamp_status_update(executor, lamp_id=lamp_id, is_active=None)  # type: ignore[arg-type]  # pyright: ignore
    changed: bool = queries.lamp_status_update(executor, lamp_id=lamp_id, is_active=True)  # type: ignore[assignment]  # pyright: ignore
    queries.lamp_configuration(queries, lamp_id=lamp_id)  # type: ignore[arg-type]  # pyright: ignore
    row = queries.lamp_active_list(executor, known_version=lamp_id)[0]
    _, _, brightness, _, last_seen, _ = row
    brightness + 1  # type: ignore[operator]  # pyright: ignore
    last_seen.year  # type: ignore[union-attr]  # pyright: ignore
    row.name  # type: ignore[attr-defined]  # pyright: ignore
    before: dict[str, Any] = {"lamp_id": lamp_id, "before_id": None, "row_limit": 10}
    queries.activity_history(executor, before_created_at=day, **before)  # type: ignore[arg-type]  # pyright: ignore
    queries.activity_history(executor, before_created_at=moment.isoformat(), **before)  # type: ignore[arg-type]  # pyright: ignore
    with queries.activity_copy(executor) as copy:
        copy.write({"a": 1})  # type: ignore[arg-type]  # pyright: ignore
    for each in queries.lamp_active_stream_cursor(executor):  # type: ignore[attr-defined]  # pyright: ignore
        assert_type((each, changed), Any)  # type: ignore[assert-type]  # pyright: ignore
