"""One step of the cycle service: what it reads in one round trip, and what it writes in one transaction."""

from typing import Any

import attrs

from surf_data.kernel import validation
from surf_data.kernel.postgres import Executor
from surf_data.mining import values
from surf_data.mining.checkpoints import CheckpointRepository
from surf_data.mining.cycles import CycleRepository, key_of, refuse_key
from surf_data.mining.named_query import loader_type
from surf_data.mining.queries import mining_queries
from surf_data.mining.records import CYCLES_FOR_FINAL_TABLE, CycleRecord, ProcessInfoRecord

_CYCLE = ("asset_cycle_vlx_id", *CycleRecord.get_column_names())
_CYCLE_FROM = 15


@attrs.frozen(kw_only=True)
class CycleState:
    """What a step starts from."""

    #: ``asset_guid``, ``site_guid``, ``asset_type_guid`` and ``client_guid``; ``None`` when the asset is unknown.
    asset: dict[str, str | None] | None
    #: The last open cycle at the site; ``None`` without one.
    cycle: CycleRecord | None
    #: ``asset_guid``, ``site_guid``, ``latitude`` and ``longitude`` of each loader of the site.
    loaders: list[dict[str, Any]]
    #: The process's checkpoint for the asset; ``None`` without one.
    checkpoint: ProcessInfoRecord | None


@attrs.frozen(kw_only=True)
class StepOutcome:
    """What a step has done."""

    #: Whether the updated cycle was archived by this step.
    archived: bool = False
    #: Whether the checkpoint was stored; ``False`` also when there was none.
    advanced: bool = False


class StepRepository:
    """Reads and writes what one step of the cycle service needs.

    Arguments:
        executor: runs the statements.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def state(
        self, asset_guid: str, site_guid: str, process_name: str = "asset_cycle_vlx", service_type: str = "realtime"
    ) -> CycleState:
        """Return what a step starts from, in one round trip.

        Arguments:
            asset_guid: the truck.
            site_guid: the site.
            process_name: whose checkpoint.
            service_type: ``realtime`` or ``reprocess``.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: it could not be read.
        """
        row = mining_queries().cycle_state(
            self._executor,
            asset_guid=values.guid("asset_guid", asset_guid),
            site_guid=values.guid("site_guid", site_guid),
            process_name=validation.text("process_name", process_name, maximum=values.MAX_WORD),
            loader_type_guid=loader_type(),
            service_type=validation.text("service_type", service_type, maximum=values.MAX_WORD),
        )
        known: dict[str, str | None] = dict(
            zip(("asset_guid", "site_guid", "asset_type_guid", "client_guid"), row[:4], strict=True)
        )
        loaders = zip(*(column or () for column in row[12:_CYCLE_FROM]), strict=True)
        return CycleState(
            asset=None if row[0] is None else known,
            checkpoint=None if row[4] is None else _checkpoint(asset_guid, process_name, row),
            loaders=[
                {"asset_guid": loader, "site_guid": site_guid, "latitude": latitude, "longitude": longitude}
                for loader, latitude, longitude in loaders
            ],
            cycle=_cycle(row, service_type),
        )

    def save(
        self,
        *,
        initial: CycleRecord | None = None,
        updated: CycleRecord | None = None,
        new: CycleRecord | None = None,
        checkpoint: ProcessInfoRecord | None = None,
    ) -> StepOutcome:
        """Store what a step has decided; the caller holds the transaction.

        Arguments:
            initial: the first cycle of an asset, to be inserted.
            updated: the last cycle, to be updated; with a final status it is archived, too.
            new: the next cycle, to be inserted.
            checkpoint: how far the process has come; it never goes back.

        Raises:
            ValidationError: a record is refused.
            ConstraintViolation: another consumer has opened the cycle.
            DataAccessError: the updated cycle is not there, or archived.
            DatabaseError: it could not be stored.
        """
        cycles = CycleRepository(self._executor)
        archived = updated is not None and updated.cycle_status in CYCLES_FOR_FINAL_TABLE
        if updated is not None:
            (cycles.close if archived else cycles.update)(updated)
        for cycle in (initial, new):
            if cycle is not None:
                cycles.insert(cycle)
        advanced = checkpoint is not None and CheckpointRepository(self._executor).advance(checkpoint)
        return StepOutcome(archived=archived, advanced=advanced)


def check_step(initial: object, updated: object, new: object, checkpoint: object) -> None:
    """Refuse what is no part of a step.

    Raises:
        ValidationError: a record is of another class; one to be inserted has a key, or one to be updated has none.
    """
    for field, value in (("initial", initial), ("updated", updated), ("new", new)):
        if value is not None and not isinstance(value, CycleRecord):
            raise validation.invalid(field, "must be a CycleRecord")
        if isinstance(value, CycleRecord):
            (key_of if field == "updated" else refuse_key)(value)
    if checkpoint is not None and not isinstance(checkpoint, ProcessInfoRecord):
        raise validation.invalid("checkpoint", "must be a ProcessInfoRecord")


def _cycle(row: tuple[Any, ...], service_type: str) -> CycleRecord | None:
    known: dict[str, Any] = dict(zip(_CYCLE, row[_CYCLE_FROM:], strict=True))
    known["SERVICE_TYPE"] = service_type
    return None if known["asset_cycle_vlx_id"] is None else CycleRecord(**known)


def _checkpoint(asset_guid: str, process_name: str, row: tuple[Any, ...]) -> ProcessInfoRecord:
    return ProcessInfoRecord(
        tx_process_info_id=row[4],
        asset_guid=asset_guid,
        site_guid=row[5],
        process_name=process_name,
        process_date=row[6],
        created_date=row[7],
        updated_date=row[8],
        asset_type_guid=row[9],
        current_latitude=row[10],
        current_longitude=row[11],
    )
