"""What type checkers make of the public API. Checked by mypy and pyright, never run."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, assert_type
from uuid import UUID

import surf_data
from surf_data import (
    Health,
    IActivityLogger,
    ICacheManager,
    ILampRepository,
    IUserRepository,
    LampConfig,
    LampsDataLayer,
    LampsTransaction,
    QueryEvent,
    RedisError,
    RedisManager,
    SurfData,
)


def lamps(data: LampsDataLayer, lamp_id: UUID) -> None:
    """Ids are text or UUID; a configuration may be missing."""
    assert_type(data.lamps.get_lamp_configuration(lamp_id), LampConfig | None)
    assert_type(data.lamps.get_lamp_configurations([lamp_id, str(lamp_id)]), list[LampConfig])
    assert_type(data.lamps.get_all_active_lamps(), list[LampConfig])
    assert_type(data.lamps.iter_active_lamps(batch_size=10), Iterator[LampConfig])
    assert_type(data.lamps.update_lamp_status(str(lamp_id), "active"), bool)
    data.lamps.get_lamp_configuration(lamp_id).brightness  # type: ignore[union-attr]  # pyright: ignore
    data.lamps.update_lamp_status(lamp_id, True)  # type: ignore[arg-type]  # pyright: ignore


def activity(data: LampsDataLayer, lamp_id: UUID, moment: datetime) -> None:
    """History pages by entry or by moment."""
    assert_type(data.activity.log_activities([{"activity_type": "a", "status": "b"}]), int)
    page = assert_type(data.activity.get_lamp_activity_history(lamp_id, before=moment), list[dict[str, Any]])
    data.activity.get_lamp_activity_history(lamp_id, 10, page[-1])
    data.activity.log_activity(None, "a", "b", None, "::1")  # type: ignore[call-arg]  # pyright: ignore


def cache(data: LampsDataLayer) -> None:
    """The cache takes and gives surf data."""
    assert_type(data.cache.get_surf_data_cache(0), SurfData | None)
    assert_type(data.cache.get_surf_data_many([0, 1]), dict[int, SurfData])
    assert_type(data.cache.warm_surf_data({0: SurfData(), 1: {"wave_height_m": 1}}), int)
    data.cache.get_surf_data_cache("0")  # type: ignore[arg-type]  # pyright: ignore
    data.cache.get_or_load_system_stats(dict, refresh_seconds=5, across_processes=True, ttl_jitter=0.1)
    data.cache.get_or_load_system_stats(dict, refresh_second=5)  # type: ignore[call-arg]  # pyright: ignore
    data.cache.get_or_load_system_stats(dict, across_processes="no")  # type: ignore[arg-type]  # pyright: ignore


def redis(manager: RedisManager) -> None:
    """A cache has an answer of its own for a Redis that cannot say, a source has none."""
    assert_type(manager.call(lambda client: client.ping() is True, read=True, otherwise=None), bool | None)
    assert_type(manager.demand(lambda client: client.ping() is True, read=True), bool)
    assert_type(manager.outcome(lambda client: client.ping() is True, read=True), tuple[bool] | RedisError)
    manager.demand(lambda client: client.ping())  # type: ignore[call-arg]  # pyright: ignore


def transactions(data: LampsDataLayer) -> None:
    """A transaction has the same repositories."""
    with data.transaction() as tx:
        assert_type(tx, LampsTransaction)
        with tx.transaction() as inner:
            assert_type(inner, LampsTransaction)


def faults(data: LampsDataLayer, lamp_id: UUID) -> None:
    """A unit of work returns what its function returns; a deadline is a context that yields nothing."""

    def switch_off(tx: LampsTransaction) -> bool:
        return tx.lamps.update_lamp_status(lamp_id, "inactive")

    assert_type(data.run(switch_off), bool)
    assert_type(data.run(lambda tx: tx.lamps.get_all_active_lamps()), list[LampConfig])
    with data.deadline(2.5) as nothing:
        assert_type(nothing, None)
    data.run(data.lamps.get_all_active_lamps)  # type: ignore[arg-type]  # pyright: ignore
    data.deadline("1")  # type: ignore[arg-type]  # pyright: ignore


def interfaces(data: LampsDataLayer, tx: LampsTransaction) -> tuple[object, ...]:
    """The implementations fit the interfaces, in and out of transactions."""
    lamps: tuple[ILampRepository, ILampRepository] = (data.lamps, tx.lamps)
    users: tuple[IUserRepository, IUserRepository] = (data.users, tx.users)
    activity: tuple[IActivityLogger, IActivityLogger] = (data.activity, tx.activity)
    cache: ICacheManager = data.cache
    return lamps, users, activity, cache


def opening() -> None:
    """Settings are keywords with types."""

    def observer(event: QueryEvent) -> None:
        assert_type(event.duration_ms, float)

    with surf_data.open("embedded:", observer=observer, pool_max_size=3) as data:
        assert_type(data.health(), Health)
    surf_data.open(pool_max_size="3")  # type: ignore[arg-type]  # pyright: ignore
    surf_data.open(pool_maximum=3)  # type: ignore[call-arg]  # pyright: ignore
    surf_data.open(prepared_statements="perhaps")  # type: ignore[arg-type]  # pyright: ignore
