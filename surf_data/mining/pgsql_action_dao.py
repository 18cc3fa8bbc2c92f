"""`PgsqlActionDAO`: reads tables, stores records."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from surf_data.errors import ConfigurationError, ValidationError
from surf_data.kernel import validation
from surf_data.kernel.postgres import Executor
from surf_data.mining import custom_query as custom
from surf_data.mining import values
from surf_data.mining.custom_query import CustomQueryParams
from surf_data.mining.cycles import MAX_BATCH, key_of, refuse_key
from surf_data.mining.errors import DataAccessError, NoFinalTable, PgsqlConnectionError
from surf_data.mining.insertion import insert_once
from surf_data.mining.layer import Repositories
from surf_data.mining.named_query import NamedQuery
from surf_data.mining.pgsql_base_dao import PgsqlBaseDAO
from surf_data.mining.records import CycleRecord, ProcessInfoRecord, Record
from surf_data.mining.steps import CycleState, StepOutcome, check_step
from surf_data.mining.table_query import QueryParams

__all__ = ["CustomQueryParams", "DataAccessError", "PgsqlActionDAO", "PgsqlConnectionError", "QueryParams"]

_Rows = list[dict[str, Any]] | None


class PgsqlActionDAO(PgsqlBaseDAO):
    """Reads the views of ``dx`` and stores cycles and checkpoints; `PgsqlBaseDAO` says when it commits."""

    def pull_data_from_table(
        self,
        custom_query: Mapping[str, Any] | CustomQueryParams | None = None,
        single_query: Mapping[str, Any] | QueryParams | None = None,
        *,
        replica_ok: bool = False,
    ) -> _Rows:
        """Return the rows of a query as dictionaries, in the order of the columns; ``None`` when there are none.

        Arguments:
            custom_query: ``query``, composed with `psycopg.sql` or a `NamedQuery`, and ``params``; it counts if both
                are given. One that has ``table`` is a ``single_query``.
            single_query: ``table``; and if wanted ``target_columns`` (``name`` or ``name AS alias``),
                ``target_filter`` with a value of ``target_params`` for each ``%s`` in it, ``target_order``, and
                ``target_limit`` (0 and ``None``: none).
            replica_ok: whether rows of a ``single_query`` that are a little old will do.

        Raises:
            TableAccessDenied: the table is not one that may be read.
            ValidationError: something else is refused. Nothing was sent, and the error does not repeat it.
            DataAccessError: there are more than 100,000 rows, and no limit was given.
            PgsqlConnectionError: PostgreSQL cannot be reached, or failed the statement.
        """
        custom_given = _mapping("custom_query", custom_query)
        single_given = _mapping("single_query", single_query)
        if custom_given and "table" in custom_given and not single_given:
            custom_given, single_given = {}, custom_given
        if custom_given:
            return self._pull_custom(custom_given)
        if single_given:
            return self._read(
                "pull_data_from_table", lambda on: self._on(on).tables.pull(single_given, replica_ok=replica_ok)
            )
        raise ValidationError("give a custom_query or a single_query", field="single_query")

    def _pull_custom(self, given: Mapping[str, Any]) -> _Rows:
        validation.check_keys("custom_query", given, required=("query",), optional=("params",))
        query, params = given["query"], given.get("params")
        if isinstance(query, NamedQuery):
            query.bound(params)
            return self._read("pull_data_from_table", lambda on: self._on(on).tables.named(query, params))
        if self._data.mining.custom_queries == "off":
            raise ConfigurationError("custom queries are switched off: use a named query", setting="custom_queries")
        composed = custom.checked(query, params)
        return self._read("pull_data_from_table", lambda on: self._on(on).tables.custom(composed))

    def iterate_table(self, single_query: Mapping[str, Any], batch_size: int = 1000) -> Iterator[dict[str, Any]]:
        """Yield the rows of a ``single_query``, in constant memory; a connection is held until the end.

        Arguments:
            single_query: as in `pull_data_from_table`.
            batch_size: rows fetched per round trip, 1 to 100,000.

        Raises:
            ValidationError: and others, as in `pull_data_from_table`; those of the server come while it is iterated.
        """
        given = _mapping("single_query", single_query)
        size = validation.integer("batch_size", batch_size, minimum=1, maximum=100_000)
        return self._iterate(given, size)

    def _iterate(self, given: Mapping[str, Any], size: int) -> Iterator[dict[str, Any]]:
        with self._observed("iterate_table"):
            yield from self._on(self._session or self._data.database).tables.iterate(given, size)

    def insert_new_data(self, record: Record | Iterable[Record]) -> int | list[int]:
        """Insert a record, or several of them, all or none, and set their keys.

        Arguments:
            record: a `CycleRecord` or a `ProcessInfoRecord`, or up to 1,000,000 of both.

        Returns:
            The key, or the keys in order.

        Raises:
            ValidationError: it is no record, or has a key.
            PgsqlConnectionError: it could not be stored; ``constraint`` names what it violates, and ``row`` is its
                position among the records of its class.
        """
        if isinstance(record, Record):
            refuse_key(_known(record, "record"))
            return self._insert("insert_new_data", [record])[0]
        return self.insert_many(record)

    def insert_many(self, records: Iterable[Record]) -> list[int]:
        """Insert several records, all or none, and set their keys; see `insert_new_data`."""
        if isinstance(records, (str, bytes, Mapping)) or not isinstance(records, Iterable):
            raise validation.invalid("records", "must be records")
        given: list[Record] = []
        for position, record in enumerate(records):
            if position == MAX_BATCH:
                raise validation.invalid("records", f"must not be more than {MAX_BATCH}")
            refuse_key(_known(record, f"records[{position}]"))
            given.append(record)
        if len(set(map(id, given))) < len(given):
            raise validation.invalid("records", "must not have the same record twice")
        if not given:
            return []
        return self._insert("insert_many", given)

    def _insert(self, operation: str, records: list[Record]) -> list[int]:
        if self._inside or len(set(map(type, records))) > 1:
            self._write(operation, lambda on: _insert_all(self._on(on), records), *records)
            return [key_of(record) for record in records]
        with self._observed(operation), self._within_deadline():
            return insert_once(self._data.of(records[0]), records)

    def update_data(
        self, record: Record, *, expected_updated_date: datetime | None = None, missing_ok: bool = False
    ) -> bool:
        """Store all columns of a record.

        Arguments:
            record: with its key; its asset cannot change.
            expected_updated_date: for a cycle: store it only if it was changed last at this time.
            missing_ok: whether it is no error that there is no such record.

        Returns:
            Whether there was such a record.

        Raises:
            ValidationError: it is no record, or has no key.
            DataAccessError: there is no such record, or the cycle is archived or was changed meanwhile.
            PgsqlConnectionError: it could not be stored.
        """
        key_of(_known(record, "record"))
        keywords: dict[str, Any] = {"missing_ok": missing_ok}
        if expected_updated_date is not None:
            if not isinstance(record, CycleRecord):
                raise validation.invalid("expected_updated_date", "is for cycles")
            keywords["expected_updated_date"] = values.moment("expected_updated_date", expected_updated_date)
        return self._write("update_data", lambda on: bool(self._on(on).of(record).update(record, **keywords)))

    def delete_data(self, record: Record) -> bool:
        """Delete a record; an archived cycle stays. Return whether it was deleted.

        Raises:
            ValidationError: it is no record, or has no key.
            PgsqlConnectionError: it could not be deleted.
        """
        key_of(_known(record, "record"))
        return self._write("delete_data", lambda on: bool(self._on(on).of(record).delete(record)))

    def insert_new_final_cycle_data(self, cycle: CycleRecord | Iterable[CycleRecord]) -> int:
        """Copy closed cycles, as they are stored, into the final table: each once, however often this is called.

        Arguments:
            cycle: one, or several, with keys and a final status: COMPLETE, INVALID or OUTLIER.

        Returns:
            How many were copied by this call; 0 when they were there already.

        Raises:
            ValidationError: it is no cycle, has no key or no final status.
            DataAccessError: it is not stored, or stored with another status.
            PgsqlConnectionError: it could not be copied.
        """
        cycles = [cycle] if isinstance(cycle, Record) else cycle
        if isinstance(cycles, (str, bytes, Mapping)) or not isinstance(cycles, Iterable):
            raise validation.invalid("cycle", "must be a CycleRecord")
        given = [self._closed(each) for each in cycles]
        return self._write("insert_new_final_cycle_data", lambda on: self._on(on).cycles.archive(given)) if given else 0

    def finalize_completed(self, limit: int = 10_000) -> int:
        """Archive closed cycles that are not archived yet, the oldest first.

        Of several calls at once each takes those of the ``limit`` oldest that no other has, and waits for none of them.

        Arguments:
            limit: cycles at the most, 1 to 100,000.

        Returns:
            How many this call has copied. 0 means that none is left which no other call is copying: where all must
            be archived, call again when the others have returned.

        Raises:
            ValidationError: ``limit`` is out of range.
            PgsqlConnectionError: they could not be copied.
        """
        return self._write("finalize_completed", lambda on: self._on(on).cycles.archive_waiting(limit))

    def advance_checkpoint(self, record: ProcessInfoRecord) -> bool:
        """Store a checkpoint for its asset and process, unless the stored one is as late; set its key.

        Returns:
            Whether it was stored.

        Raises:
            ValidationError: it is no checkpoint.
            PgsqlConnectionError: it could not be stored.
        """
        if not isinstance(record, ProcessInfoRecord):
            raise validation.invalid("record", "must be a ProcessInfoRecord")
        return self._write("advance_checkpoint", lambda on: self._on(on).checkpoints.advance(record))

    def cycle_state(
        self, asset_guid: str, site_guid: str, process_name: str = "asset_cycle_vlx", service_type: str = "realtime"
    ) -> CycleState:
        """Return an asset, its checkpoint, its last open cycle and the site's loaders, in one round trip.

        Raises:
            ValidationError: an argument is refused.
            PgsqlConnectionError: it could not be read.
        """
        return self._read(
            "cycle_state", lambda on: self._on(on).steps.state(asset_guid, site_guid, process_name, service_type)
        )

    def save_cycle_step(
        self,
        *,
        initial: CycleRecord | None = None,
        updated: CycleRecord | None = None,
        new: CycleRecord | None = None,
        checkpoint: ProcessInfoRecord | None = None,
    ) -> StepOutcome:
        """Store what a step has decided, in one transaction: all of it or nothing.

        Outside ``with`` it is run again as a whole after a conflict or a lost server; a COMMIT without an answer is
        looked up, so that nothing is stored twice.

        Arguments:
            initial: the first cycle of an asset, to be inserted.
            updated: the last cycle, to be updated; with a final status it is archived, too.
            new: the next cycle, to be inserted.
            checkpoint: how far the process has come; it never goes back.

        Raises:
            ValidationError: a record is refused.
            DataAccessError: the updated cycle is not there, or archived.
            PgsqlConnectionError: it could not be stored; ``constraint`` is ``asset_cycles_open`` when another consumer
                has opened the cycle.
        """
        check_step(initial, updated, new, checkpoint)
        return self._write(
            "save_cycle_step",
            lambda on: self._on(on).steps.save(initial=initial, updated=updated, new=new, checkpoint=checkpoint),
            *(record for record in (initial, new) if record is not None),
        )

    def _on(self, executor: Executor) -> Repositories:
        data = self._data
        return data if executor is data.database else data.bind(executor)

    @staticmethod
    def _closed(cycle: object) -> CycleRecord:
        if not isinstance(cycle, CycleRecord):
            raise NoFinalTable("cycle must be a CycleRecord: nothing else has a final table", field="cycle")
        key_of(cycle)
        return cycle


def _insert_all(repositories: Repositories, records: list[Record]) -> None:
    """Insert records of both kinds; the caller holds a transaction, or a savepoint."""
    for kind in (CycleRecord, ProcessInfoRecord):
        if chosen := [record for record in records if isinstance(record, kind)]:
            repositories.of(chosen[0]).insert_many(chosen)


def _known(record: object, field: str) -> Record:
    if isinstance(record, (CycleRecord, ProcessInfoRecord)):
        return record
    raise validation.invalid(field, "must be a CycleRecord or a ProcessInfoRecord")


def _mapping(field: str, given: object) -> Mapping[str, Any]:
    if given is None:
        return {}
    return validation.mapping(field, given.to_dict() if isinstance(given, (QueryParams, CustomQueryParams)) else given)
