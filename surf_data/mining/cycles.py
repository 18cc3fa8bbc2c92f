"""Cycles in PostgreSQL: the work table, and the final one."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from surf_data.errors import ValidationError
from surf_data.kernel import validation
from surf_data.kernel.postgres import Executor, bulk
from surf_data.mining.errors import DataAccessError
from surf_data.mining.queries import mining_queries
from surf_data.mining.records import CYCLES_FOR_FINAL_TABLE, CycleRecord, Record, column_types

#: Records of one batch.
MAX_BATCH = 1_000_000
#: Cycles that one call archives of those that wait.
MAX_WAITING = 100_000

_COLUMNS = CycleRecord.get_column_names()
_TYPES = column_types(CycleRecord)


class CycleRepository:
    """Inserts, changes and archives cycles.

    Arguments:
        executor: runs the statements.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def insert(self, cycle: CycleRecord) -> int:
        """Insert a cycle and set its key.

        Returns:
            The key.

        Raises:
            ValidationError: it has a key.
            ConstraintViolation: the asset has an open cycle with this number.
            DatabaseError: it could not be stored.
        """
        refuse_key(cycle)
        cycle.set_key(self._insert(cycle, None))
        return key_of(cycle)

    def insert_many(self, cycles: Sequence[CycleRecord]) -> list[int]:
        """Insert several cycles, all or none, and set their keys.

        Arguments:
            cycles: up to 1,000,000.

        Returns:
            The keys, in order.

        Raises:
            ValidationError: one has a key, or there are too many.
            ConstraintViolation: an asset has an open cycle with the number of one of them.
            DatabaseError: they could not be stored.
        """
        for cycle in cycles:
            refuse_key(cycle)
        keys = self.reserve(len(cycles))
        self.store(cycles, keys)
        for key, cycle in zip(keys, cycles, strict=True):
            cycle.set_key(key)
        return keys

    def reserve(self, number: int) -> list[int]:
        """Return keys for so many new cycles.

        Raises:
            DatabaseError: there are none to be had.
        """
        reserved: Any = mining_queries().cycle_reserve(self._executor, number=number)
        return list(reserved or ())

    def store(self, cycles: Sequence[CycleRecord], keys: Sequence[int]) -> None:
        """Insert cycles under keys that `reserve` has returned, all or none; from two on by COPY.

        Raises:
            ConstraintViolation: as `insert_many`; or a cycle was stored under its key before.
            DatabaseError: they could not be stored.
        """
        if len(cycles) == 1:
            self._insert(cycles[0], keys[0])
            return
        rows = (
            (key, *cycle.data_to_insert_tuple()[0], cycle.SERVICE_TYPE) for key, cycle in zip(keys, cycles, strict=True)
        )
        bulk.copy_in(self._executor, rows, types=("int8", *_TYPES, "text"), copy=mining_queries().cycle_copy)

    def exists(self, cycle: CycleRecord, key: int) -> bool:
        """Return whether a cycle of this asset is stored under a key.

        Raises:
            DatabaseError: it could not be read.
        """
        return bool(mining_queries().cycle_exists(self._executor, cycle_id=key, asset_guid=cycle.asset_guid))

    def _insert(self, cycle: CycleRecord, key: int | None) -> int:
        stored: int = mining_queries().cycle_insert(
            self._executor, cycle_id=key, **_columns(cycle), service_type=cycle.SERVICE_TYPE
        )
        return stored

    def update(
        self, cycle: CycleRecord, *, expected_updated_date: datetime | None = None, missing_ok: bool = False
    ) -> bool:
        """Store all columns of a cycle.

        Arguments:
            cycle: with its key. Asset and service type cannot change: they are part of what it is found by.
            expected_updated_date: aware; store it only if the stored cycle was changed last at this time.
            missing_ok: whether it is no error that there is no such cycle.

        Returns:
            Whether there was such a cycle.

        Raises:
            ValidationError: it has no key.
            DataAccessError: there is no such cycle, it is archived, or it was changed at another time.
            DatabaseError: it could not be stored.
        """
        changed = mining_queries().cycle_update(
            self._executor,
            cycle_id=key_of(cycle),
            **_columns(cycle),
            service_type=cycle.SERVICE_TYPE,
            expected_updated_date=expected_updated_date,
        )
        return bool(changed) or self._refused(cycle, missing_ok=missing_ok)

    def close(self, cycle: CycleRecord) -> None:
        """Store all columns of a cycle that has a final status by now, and archive it.

        Raises:
            ValidationError: it has no key.
            DataAccessError: there is no such cycle, or it is archived.
            DatabaseError: it could not be stored.
        """
        changed = mining_queries().cycle_close(
            self._executor, cycle_id=key_of(cycle), **_columns(cycle), service_type=cycle.SERVICE_TYPE
        )
        if not changed:
            self._refused(cycle, missing_ok=False)

    def _refused(self, cycle: CycleRecord, *, missing_ok: bool) -> bool:
        """Raise why a cycle was not changed, or return ``False``."""
        standing = mining_queries().cycle_standing(
            self._executor, cycle_id=key_of(cycle), asset_guid=cycle.asset_guid, service_type=cycle.SERVICE_TYPE
        )
        if standing is None:
            if missing_ok:
                return False
            raise DataAccessError("there is no cycle with this key, asset and service type")
        if standing[1]:
            raise DataAccessError("the cycle is archived, and cannot change any more")
        raise DataAccessError("the cycle was changed meanwhile")

    def delete(self, cycle: CycleRecord) -> bool:
        """Delete a cycle that is not archived; return whether there was one.

        Raises:
            ValidationError: it has no key.
            DatabaseError: it could not be deleted.
        """
        changed: int = mining_queries().cycle_delete(
            self._executor, cycle_id=key_of(cycle), asset_guid=cycle.asset_guid, service_type=cycle.SERVICE_TYPE
        )
        return changed == 1

    def archive(self, cycles: Sequence[CycleRecord]) -> int:
        """Copy closed cycles, as they are stored, into the final table: each once, however often this is called.

        Arguments:
            cycles: with their keys, stored with a final status.

        Returns:
            How many were copied by this call.

        Raises:
            ValidationError: one has no key, or no final status.
            DataAccessError: one is not stored, or stored with another status.
            DatabaseError: they could not be copied; then none is.
        """
        for cycle in cycles:
            key_of(cycle)
            if cycle.cycle_status not in CYCLES_FOR_FINAL_TABLE:
                raise validation.invalid("cycle_status", f"must be one of {', '.join(CYCLES_FOR_FINAL_TABLE)}")
        wanted = _by_asset((key_of(cycle), cycle.asset_guid) for cycle in cycles)
        queries = mining_queries()
        copied = 0
        with self._executor.transaction() as transaction:
            for asset, keys in wanted:
                done = queries.cycle_archive(transaction, asset_guid=asset, cycle_ids=keys)
                if len(done) < len(set(keys)) and queries.cycle_archive_refused(
                    transaction, asset_guid=asset, cycle_ids=keys
                ):
                    raise DataAccessError("a cycle is not stored, or its stored status is not a final one")
                copied += len(done)
        return copied

    def archive_waiting(self, max_rows: int = 10_000) -> int:
        """Archive closed cycles that are not archived yet, the oldest first, without those that another call archives.

        Arguments:
            max_rows: cycles at the most, 1 to 100,000.

        Returns:
            How many this call has copied; 0 also while another call copies those that are the oldest.

        Raises:
            ValidationError: ``max_rows`` is out of range.
            DatabaseError: they could not be copied; then none is.
        """
        max_rows = validation.integer("limit", max_rows, minimum=1, maximum=MAX_WAITING)
        queries = mining_queries()
        copied = 0
        with self._executor.transaction() as transaction:
            for asset, keys in _by_asset(queries.cycle_archive_waiting(transaction, max_rows=max_rows)):
                own = [key for (key,) in queries.cycle_archive_lock(transaction, asset_guid=asset, cycle_ids=keys)]
                if own:
                    copied += len(queries.cycle_archive(transaction, asset_guid=asset, cycle_ids=own))
        return copied


def refuse_key(record: Record) -> None:
    """Refuse a record that has a key.

    Raises:
        ValidationError: it has one.
    """
    if record.id is not None:
        raise ValidationError(
            f"{record.DB_PRIMARY_KEY_FIELD} must not be set: use update_data", field=record.DB_PRIMARY_KEY_FIELD
        )


def key_of(record: Record) -> int:
    """Return the key of a record.

    Raises:
        ValidationError: it has none.
    """
    if record.id is None:
        raise validation.invalid(record.DB_PRIMARY_KEY_FIELD, "must be set: the record was never inserted")
    return record.id


def _by_asset(cycles: Iterable[tuple[int, str]]) -> list[tuple[str, list[int]]]:
    """Return the keys of each asset, assets in one order: so batches that share some do not deadlock."""
    found: dict[str, list[int]] = {}
    for key, asset in cycles:
        found.setdefault(asset, []).append(key)
    return sorted(found.items())


def _columns(cycle: CycleRecord) -> dict[str, Any]:
    return dict(zip(_COLUMNS, cycle.data_to_insert_tuple()[0], strict=True))
