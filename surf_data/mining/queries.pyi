"""The queries of surf_data.mining.queries, as PostgreSQL sees them. Written by surf-data stubs; not to be edited."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Generic, TypeVar

from surf_data.kernel.postgres import CopyWriter, Executor, Stream

_Row = TypeVar("_Row")

class _Rows(Stream, Generic[_Row]):
    def __iter__(self) -> Iterator[_Row]: ...

class _MiningQueries:
    def checkpoint_advance(
        self,
        executor: Executor,
        /,
        *,
        asset_guid: str,
        site_guid: str,
        process_name: str,
        process_date: datetime,
        created_date: datetime,
        updated_date: datetime | None,
        asset_type_guid: str | None,
        current_latitude: float | None,
        current_longitude: float | None,
    ) -> int | None:
        """Stores a checkpoint, unless the stored one is as late: then there is no id to return. What is not known stays."""

    def checkpoint_copy(self, executor: Executor, /) -> AbstractContextManager[CopyWriter]:
        """Takes many new checkpoints whose ids checkpoint_reserve has given."""

    def checkpoint_delete(
        self,
        executor: Executor,
        /,
        *,
        checkpoint_id: int,
        asset_guid: str,
    ) -> int:
        """Deletes a checkpoint."""

    def checkpoint_exists(
        self,
        executor: Executor,
        /,
        *,
        checkpoint_id: int,
        asset_guid: str,
    ) -> bool:
        """Whether there is a checkpoint with this id."""

    def checkpoint_insert(
        self,
        executor: Executor,
        /,
        *,
        checkpoint_id: int | None,
        asset_guid: str,
        site_guid: str,
        process_name: str,
        process_date: datetime,
        created_date: datetime,
        updated_date: datetime | None,
        asset_type_guid: str | None,
        current_latitude: float | None,
        current_longitude: float | None,
    ) -> int:
        """Inserts the checkpoint of a process that has none for the asset, under an id of checkpoint_reserve, or else under a new
        one; returns it."""

    def checkpoint_reserve(
        self,
        executor: Executor,
        /,
        *,
        number: int | None,
    ) -> list[int | None] | None:
        """Ids for so many new checkpoints, as an array; those that are not used are lost, and that is all."""

    def checkpoint_update(
        self,
        executor: Executor,
        /,
        *,
        checkpoint_id: int,
        asset_guid: str,
        site_guid: str,
        process_name: str,
        process_date: datetime,
        created_date: datetime,
        updated_date: datetime | None,
        asset_type_guid: str | None,
        current_latitude: float | None,
        current_longitude: float | None,
    ) -> int:
        """Sets all of a checkpoint, whatever its time."""

    def cycle_archive(
        self,
        executor: Executor,
        /,
        *,
        asset_guid: str | None,
        cycle_ids: list[int] | list[int | None] | None,
    ) -> list[tuple[int]]:
        """Copies closed cycles of an asset into the final table and marks them; returns the ids of those that this call has copied.
        The lock on the work row decides who copies it, and the rows are locked in one order, so that batches do not deadlock."""

    def cycle_archive_cursor(
        self,
        executor: Executor,
        /,
        *,
        asset_guid: str | None,
        cycle_ids: list[int] | list[int | None] | None,
    ) -> AbstractContextManager[_Rows[tuple[int]]]:
        """Copies closed cycles of an asset into the final table and marks them; returns the ids of those that this call has copied.
        The lock on the work row decides who copies it, and the rows are locked in one order, so that batches do not deadlock."""

    def cycle_archive_lock(
        self,
        executor: Executor,
        /,
        *,
        asset_guid: str,
        cycle_ids: list[int] | list[int | None],
    ) -> list[tuple[int]]:
        """Which of these cycles wait to be archived, locked; those that another worker has locked are left to it.
        For cycle_archive in the same transaction."""

    def cycle_archive_lock_cursor(
        self,
        executor: Executor,
        /,
        *,
        asset_guid: str,
        cycle_ids: list[int] | list[int | None],
    ) -> AbstractContextManager[_Rows[tuple[int]]]:
        """Which of these cycles wait to be archived, locked; those that another worker has locked are left to it.
        For cycle_archive in the same transaction."""

    def cycle_archive_refused(
        self,
        executor: Executor,
        /,
        *,
        asset_guid: str | None,
        cycle_ids: list[int] | list[int | None] | None,
    ) -> list[tuple[int | None, str | None]]:
        """Which of these cycles of an asset cannot be archived: there is no such cycle (null), or its status is not a final one."""

    def cycle_archive_refused_cursor(
        self,
        executor: Executor,
        /,
        *,
        asset_guid: str | None,
        cycle_ids: list[int] | list[int | None] | None,
    ) -> AbstractContextManager[_Rows[tuple[int | None, str | None]]]:
        """Which of these cycles of an asset cannot be archived: there is no such cycle (null), or its status is not a final one."""

    def cycle_archive_waiting(
        self,
        executor: Executor,
        /,
        *,
        max_rows: int | None,
    ) -> list[tuple[int, str]]:
        """The closed cycles that wait to be archived, the oldest first."""

    def cycle_archive_waiting_cursor(
        self,
        executor: Executor,
        /,
        *,
        max_rows: int | None,
    ) -> AbstractContextManager[_Rows[tuple[int, str]]]:
        """The closed cycles that wait to be archived, the oldest first."""

    def cycle_close(
        self,
        executor: Executor,
        /,
        *,
        cycle_id: int | None,
        asset_guid: str | None,
        cycle_number: int,
        cycle_status: str,
        site_guid: str,
        current_work_state_id: int,
        created_date: datetime,
        updated_date: datetime,
        previous_work_state_id: int | None,
        current_segment: str | None,
        loader_asset_guid: str | None,
        loader_latitude: float | None,
        loader_longitude: float | None,
        previous_loader_distance: float | None,
        current_loader_distance: float | None,
        dump_region_guid: str | None,
        is_outlier: bool | None,
        outlier_position_latitude: float | None,
        outlier_position_longitude: float | None,
        load_start_utc: datetime | None,
        load_end_utc: datetime | None,
        dump_start_utc: datetime | None,
        dump_end_utc: datetime | None,
        load_travel_seconds: float | None,
        empty_travel_seconds: float | None,
        dump_seconds: float | None,
        load_seconds: float | None,
        total_cycle_seconds: float | None,
        outlier_seconds: float | None,
        current_process_date: datetime | None,
        current_area: str | None,
        current_asset_longitude: float | None,
        current_asset_latitude: float | None,
        load_region_guid: str | None,
        is_within_load_region: bool | None,
        asset_load_region_distance: float | None,
        idle_in_dump_region_guid: str | None,
        tmp_idle_near_loader: str | None,
        outlier_type_id: int | None,
        all_assets_in_same_dump_area: bool | None,
        outlier_date_utc: datetime | None,
        outlier_loader_guid: str | None,
        outlier_loader_latitude: float | None,
        outlier_loader_longitude: float | None,
        outlier_dump_region_guid: str | None,
        cycle_start_utc: datetime | None,
        cycle_end_utc: datetime | None,
        service_type: str | None,
    ) -> int:
        """Sets all of a cycle that is not archived, to a final status, and copies it into the final table: what cycle_update and
        cycle_archive do one after the other, with one version of the row and of its entries in the indexes instead of two."""

    def cycle_copy(self, executor: Executor, /) -> AbstractContextManager[CopyWriter]:
        """Takes many new cycles whose ids cycle_reserve has given.
        The format is quoted because sqruff takes the word alone for a type, and does not read on."""

    def cycle_default_partition_rows(self, executor: Executor, /) -> bool:
        """Whether there are archived cycles for which no month has a partition."""

    def cycle_delete(
        self,
        executor: Executor,
        /,
        *,
        cycle_id: int,
        asset_guid: str,
        service_type: str,
    ) -> int:
        """Deletes a cycle that is not archived."""

    def cycle_exists(
        self,
        executor: Executor,
        /,
        *,
        cycle_id: int,
        asset_guid: str,
    ) -> bool:
        """Whether there is a cycle with this id."""

    def cycle_insert(
        self,
        executor: Executor,
        /,
        *,
        cycle_id: int | None,
        asset_guid: str,
        cycle_number: int,
        cycle_status: str,
        site_guid: str,
        current_work_state_id: int,
        created_date: datetime,
        updated_date: datetime,
        previous_work_state_id: int | None,
        current_segment: str | None,
        loader_asset_guid: str | None,
        loader_latitude: float | None,
        loader_longitude: float | None,
        previous_loader_distance: float | None,
        current_loader_distance: float | None,
        dump_region_guid: str | None,
        is_outlier: bool | None,
        outlier_position_latitude: float | None,
        outlier_position_longitude: float | None,
        load_start_utc: datetime | None,
        load_end_utc: datetime | None,
        dump_start_utc: datetime | None,
        dump_end_utc: datetime | None,
        load_travel_seconds: float | None,
        empty_travel_seconds: float | None,
        dump_seconds: float | None,
        load_seconds: float | None,
        total_cycle_seconds: float | None,
        outlier_seconds: float | None,
        current_process_date: datetime | None,
        current_area: str | None,
        current_asset_longitude: float | None,
        current_asset_latitude: float | None,
        load_region_guid: str | None,
        is_within_load_region: bool | None,
        asset_load_region_distance: float | None,
        idle_in_dump_region_guid: str | None,
        tmp_idle_near_loader: str | None,
        outlier_type_id: int | None,
        all_assets_in_same_dump_area: bool | None,
        outlier_date_utc: datetime | None,
        outlier_loader_guid: str | None,
        outlier_loader_latitude: float | None,
        outlier_loader_longitude: float | None,
        outlier_dump_region_guid: str | None,
        cycle_start_utc: datetime | None,
        cycle_end_utc: datetime | None,
        service_type: str,
    ) -> int:
        """Inserts a cycle under an id of cycle_reserve, or else under a new one; returns it."""

    def cycle_reserve(
        self,
        executor: Executor,
        /,
        *,
        number: int | None,
    ) -> list[int | None] | None:
        """Ids for so many new cycles, as an array; those that are not used are lost, and that is all."""

    def cycle_standing(
        self,
        executor: Executor,
        /,
        *,
        cycle_id: int,
        asset_guid: str,
        service_type: str,
    ) -> tuple[datetime, bool] | None:
        """Why a change found no row: whether the cycle is archived, and when it was changed last; no row when there is none."""

    def cycle_state(
        self,
        executor: Executor,
        /,
        *,
        asset_guid: str | None,
        site_guid: str | None,
        process_name: str | None,
        loader_type_guid: str | None,
        service_type: str | None,
    ) -> tuple[str | None, str | None, str | None, str | None, int | None, str | None, datetime | None, datetime | None, datetime | None, str | None, float | None, float | None, list[str | None] | None, list[float | None] | None, list[float | None] | None, int | None, str | None, int | None, str | None, str | None, int | None, datetime | None, datetime | None, int | None, str | None, str | None, float | None, float | None, float | None, float | None, str | None, bool | None, float | None, float | None, datetime | None, datetime | None, datetime | None, datetime | None, float | None, float | None, float | None, float | None, float | None, float | None, datetime | None, str | None, float | None, float | None, str | None, bool | None, float | None, str | None, str | None, int | None, bool | None, datetime | None, str | None, float | None, float | None, str | None, datetime | None, datetime | None]:
        """An asset, its checkpoint, its last open cycle at the site and the site's loaders: four reads in one round trip.
        Always one row; what there is not is null."""

    def cycle_update(
        self,
        executor: Executor,
        /,
        *,
        cycle_id: int,
        asset_guid: str,
        cycle_number: int,
        cycle_status: str,
        site_guid: str,
        current_work_state_id: int,
        created_date: datetime,
        updated_date: datetime,
        previous_work_state_id: int | None,
        current_segment: str | None,
        loader_asset_guid: str | None,
        loader_latitude: float | None,
        loader_longitude: float | None,
        previous_loader_distance: float | None,
        current_loader_distance: float | None,
        dump_region_guid: str | None,
        is_outlier: bool | None,
        outlier_position_latitude: float | None,
        outlier_position_longitude: float | None,
        load_start_utc: datetime | None,
        load_end_utc: datetime | None,
        dump_start_utc: datetime | None,
        dump_end_utc: datetime | None,
        load_travel_seconds: float | None,
        empty_travel_seconds: float | None,
        dump_seconds: float | None,
        load_seconds: float | None,
        total_cycle_seconds: float | None,
        outlier_seconds: float | None,
        current_process_date: datetime | None,
        current_area: str | None,
        current_asset_longitude: float | None,
        current_asset_latitude: float | None,
        load_region_guid: str | None,
        is_within_load_region: bool | None,
        asset_load_region_distance: float | None,
        idle_in_dump_region_guid: str | None,
        tmp_idle_near_loader: str | None,
        outlier_type_id: int | None,
        all_assets_in_same_dump_area: bool | None,
        outlier_date_utc: datetime | None,
        outlier_loader_guid: str | None,
        outlier_loader_latitude: float | None,
        outlier_loader_longitude: float | None,
        outlier_dump_region_guid: str | None,
        cycle_start_utc: datetime | None,
        cycle_end_utc: datetime | None,
        service_type: str,
        expected_updated_date: datetime | None,
    ) -> int:
        """Sets all of a cycle that is not archived; only if it was changed last at a given time, when one is given."""

    def last_cycle_number(
        self,
        executor: Executor,
        /,
        *,
        asset_guid: str | None,
        until: datetime | None,
    ) -> list[tuple[int | None]]:
        """The number of the last archived cycle of an asset that ended at or before a time: one row, with null if there is none."""

    def last_cycle_number_cursor(
        self,
        executor: Executor,
        /,
        *,
        asset_guid: str | None,
        until: datetime | None,
    ) -> AbstractContextManager[_Rows[tuple[int | None]]]:
        """The number of the last archived cycle of an asset that ended at or before a time: one row, with null if there is none."""

    def loaders_from_asset_idle(
        self,
        executor: Executor,
        /,
        *,
        site_guid: str,
        asset_type_guid: str,
        until: datetime | None,
    ) -> list[tuple[str, str, float, float]]:
        """The loaders of a site with the place where each stood idle last, at or before a time."""

    def loaders_from_asset_idle_cursor(
        self,
        executor: Executor,
        /,
        *,
        site_guid: str,
        asset_type_guid: str,
        until: datetime | None,
    ) -> AbstractContextManager[_Rows[tuple[str, str, float, float]]]:
        """The loaders of a site with the place where each stood idle last, at or before a time."""

    def loaders_from_process_info(
        self,
        executor: Executor,
        /,
        *,
        site_guid: str,
        asset_type_guid: str,
    ) -> list[tuple[str, str, float, float]]:
        """The loaders of a site with the place that the idle service has noted for each."""

    def loaders_from_process_info_cursor(
        self,
        executor: Executor,
        /,
        *,
        site_guid: str,
        asset_type_guid: str,
    ) -> AbstractContextManager[_Rows[tuple[str, str, float, float]]]:
        """The loaders of a site with the place that the idle service has noted for each."""

    def pull_columns(self, executor: Executor, /) -> list[tuple[str, str, str]]:
        """The columns of the views that this role may read, by view, with PostgreSQL's names for their types."""

    def pull_columns_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[tuple[str, str, str]]]:
        """The columns of the views that this role may read, by view, with PostgreSQL's names for their types."""

    def pull_guard(
        self,
        executor: Executor,
        /,
        *,
        statement_timeout: str | None,
    ) -> tuple[str, str, str, str]:
        """Until the end of the transaction or savepoint, makes it read-only, with the rights of surf_mining_pull, on the views
        of dx, for so many milliseconds. The one who ends it must roll back: a released savepoint would leave all of this on."""

    def regions_of_asset(
        self,
        executor: Executor,
        /,
        *,
        asset_guid: str | None,
    ) -> list[tuple[str, str]]:
        """The regions of the asset's site, the newest version of each, unless that is deleted or has no points; the smallest
        area first."""

    def regions_of_asset_cursor(
        self,
        executor: Executor,
        /,
        *,
        asset_guid: str | None,
    ) -> AbstractContextManager[_Rows[tuple[str, str]]]:
        """The regions of the asset's site, the newest version of each, unless that is deleted or has no points; the smallest
        area first."""

def mining_queries() -> _MiningQueries: ...
