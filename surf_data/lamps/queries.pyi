"""The queries of surf_data.lamps.queries, as PostgreSQL sees them. Written by surf-data stubs; not to be edited."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Generic, TypeVar
from uuid import UUID

from psycopg.types.json import Jsonb
from surf_data.kernel.postgres import CopyWriter, Executor, Json, Stream
from surf_data.lamps.rows import ActivityRow, ReferenceRow, StatisticsRow

_Row = TypeVar("_Row")

class _Rows(Stream, Generic[_Row]):
    def __iter__(self) -> Iterator[_Row]: ...

class _LampQueries:
    def activity_anonymise(
        self,
        executor: Executor,
        /,
        *,
        lamp_id: UUID,
    ) -> int:
        """Leaves of the entries of a lamp what happened and when: no address, no agent, no details. For the owner of the log;
        the application may not rewrite it."""

    def activity_copy(self, executor: Executor, /) -> AbstractContextManager[CopyWriter]:
        """Takes many entries at once, in COPY's binary format; the server fills in id and created_at.
        The format is quoted because sqruff takes the word alone for a type, and does not read on."""

    def activity_copy_many(self, executor: Executor, /) -> AbstractContextManager[CopyWriter]:
        """Takes many entries at once as activity_copy does, each under an id and with a time of its own."""

    def activity_has_default_rows(self, executor: Executor, /) -> bool:
        """Whether entries are in the default partition of the log, because theirs was not created in time. No role may read a
        partition, so this reads the log, for the times for which there is no other partition; PostgreSQL then reads no other
        one. A log without partitions has none. The order makes PostgreSQL stop at the first entry that it finds in the
        index; in EXISTS it would disregard it."""

    def activity_history(
        self,
        executor: Executor,
        /,
        *,
        lamp_id: UUID,
        before_created_at: datetime | None,
        before_id: int | None,
        row_limit: int | None,
    ) -> list[ActivityRow]:
        """The latest entries of a lamp, newest first, from before a known entry or from the newest.
        COALESCE instead of OR keeps the comparison usable by the index on (lamp_id, created_at)."""

    def activity_history_cursor(
        self,
        executor: Executor,
        /,
        *,
        lamp_id: UUID,
        before_created_at: datetime | None,
        before_id: int | None,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[ActivityRow]]:
        """The latest entries of a lamp, newest first, from before a known entry or from the newest.
        COALESCE instead of OR keeps the comparison usable by the index on (lamp_id, created_at)."""

    def activity_ids(
        self,
        executor: Executor,
        /,
        *,
        number: int | None,
    ) -> list[int | None] | None:
        """Reserves ids for entries to come, in ascending order; null for none. Those that are not used in the end are gaps."""

    def activity_insert(
        self,
        executor: Executor,
        /,
        *,
        lamp_id: UUID | None,
        activity_type: str,
        status: str,
        details: Json | Jsonb | None,
        ip_address: IPv4Address | IPv6Address | IPv4Interface | IPv6Interface | None,
        user_agent: str | None,
    ) -> int:
        """Records one entry, now."""

    def activity_insert_many(
        self,
        executor: Executor,
        /,
        *,
        ids: list[int] | list[int | None] | None,
        lamp_ids: list[UUID] | list[UUID | None] | None,
        activity_types: list[str] | list[str | None] | None,
        statuses: list[str] | list[str | None] | None,
        documents: list[Json | Jsonb] | list[Json | Jsonb | None] | None,
        ip_addresses: list[IPv4Address | IPv6Address | IPv4Interface | IPv6Interface] | list[IPv4Address | IPv6Address | IPv4Interface | IPv6Interface | None] | None,
        user_agents: list[str] | list[str | None] | None,
        times: list[datetime] | list[datetime | None] | None,
    ) -> int:
        """Records many entries, each under an id of its own; no row for those that are there already. For what
        activity_copy_many could not take: it is slower, but it can be repeated, with the same times.
        ON CONFLICT names no key, because that of a log in partitions has the time as well."""

    def activity_insert_once(
        self,
        executor: Executor,
        /,
        *,
        id: int,
        lamp_id: UUID | None,
        activity_type: str,
        status: str,
        details: Json | Jsonb | None,
        ip_address: IPv4Address | IPv6Address | IPv4Interface | IPv6Interface | None,
        user_agent: str | None,
        created_at: datetime,
    ) -> int:
        """Records one entry under an id of its own; no row if it is there already, with the same time.
        ON CONFLICT names no key, because that of a log in partitions has the time as well."""

    def activity_roll_up(
        self,
        executor: Executor,
        /,
        *,
        hours: int | None,
        portion: int | None,
    ) -> bool | None:
        """Counts a portion of the entries that are over, as far back as these hours or, without a number, as there are any.
        Returns whether there is more to do now. A transaction by itself: migration 0014 says why."""

    def activity_statistics(
        self,
        executor: Executor,
        /,
        *,
        hours: int | None,
        allow_unrolled: bool | None,
    ) -> list[StatisticsRow]:
        """Entries of the last hours: in all, by type, by status, by hour (UTC); active_lamps is of all of them in each row.
        A row belongs to the grouping whose column is not null; the total has none. No row at all if not allow_unrolled, and
        so much is not rolled up that it should be before this is asked for again.
        What is counted is a whole number of minutes up to rolled_until, taken from as few rows as cover it: from the minutes
        up to the first ten, the tens up to the first hour, the hours up to the first six, the sixes. Statuses are taken from
        all hours, because their sums are the entries of the hour. The rest is read. A lamp is counted where its latest entry
        is, so what the rest adds are lamps without a later one that is counted.
        MATERIALIZED, and bounds that the planner cannot see: else it would take the rest for a third of the log. The clock
        says them once more, so that partitions which are too old are left out before anything else is done with them."""

    def activity_statistics_cursor(
        self,
        executor: Executor,
        /,
        *,
        hours: int | None,
        allow_unrolled: bool | None,
    ) -> AbstractContextManager[_Rows[StatisticsRow]]:
        """Entries of the last hours: in all, by type, by status, by hour (UTC); active_lamps is of all of them in each row.
        A row belongs to the grouping whose column is not null; the total has none. No row at all if not allow_unrolled, and
        so much is not rolled up that it should be before this is asked for again.
        What is counted is a whole number of minutes up to rolled_until, taken from as few rows as cover it: from the minutes
        up to the first ten, the tens up to the first hour, the hours up to the first six, the sixes. Statuses are taken from
        all hours, because their sums are the entries of the hour. The rest is read. A lamp is counted where its latest entry
        is, so what the rest adds are lamps without a later one that is counted.
        MATERIALIZED, and bounds that the planner cannot see: else it would take the rest for a third of the log. The clock
        says them once more, so that partitions which are too old are left out before anything else is done with them."""

    def api_key_list(self, executor: Executor, /) -> list[tuple[int, str]]:
        """All stored keys with their rows, which are kept from others until the transaction ends."""

    def api_key_list_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[tuple[int, str]]]:
        """All stored keys with their rows, which are kept from others until the transaction ends."""

    def api_key_update(
        self,
        executor: Executor,
        /,
        *,
        id: int,
        api_key: str | None,
    ) -> int:
        """Stores a key of one source."""

    def lamp_active_list(
        self,
        executor: Executor,
        /,
        *,
        known_version: UUID | None,
    ) -> list[tuple[UUID, int, int | None, bool, datetime | None, bool | None]]:
        """All active lamps, the ones heard of last first, for background processing."""

    def lamp_active_list_cursor(
        self,
        executor: Executor,
        /,
        *,
        known_version: UUID | None,
    ) -> AbstractContextManager[_Rows[tuple[UUID, int, int | None, bool, datetime | None, bool | None]]]:
        """All active lamps, the ones heard of last first, for background processing."""

    def lamp_active_stream(self, executor: Executor, /) -> list[tuple[UUID, int, int | None, bool, datetime | None, UUID | None]]:
        """All active lamps in the order of their ids, which the primary key gives without sorting a million rows."""

    def lamp_active_stream_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[tuple[UUID, int, int | None, bool, datetime | None, UUID | None]]]:
        """All active lamps in the order of their ids, which the primary key gives without sorting a million rows."""

    def lamp_configuration(
        self,
        executor: Executor,
        /,
        *,
        lamp_id: UUID,
    ) -> tuple[UUID, int, int | None, bool, datetime | None, UUID | None] | None:
        """What one active lamp is configured to do."""

    def lamp_configurations(
        self,
        executor: Executor,
        /,
        *,
        lamp_ids: list[UUID] | list[UUID | None],
        known_version: UUID | None,
    ) -> list[tuple[UUID, int, int | None, bool, datetime | None, bool | None]]:
        """What several active lamps are configured to do, in no particular order."""

    def lamp_configurations_cursor(
        self,
        executor: Executor,
        /,
        *,
        lamp_ids: list[UUID] | list[UUID | None],
        known_version: UUID | None,
    ) -> AbstractContextManager[_Rows[tuple[UUID, int, int | None, bool, datetime | None, bool | None]]]:
        """What several active lamps are configured to do, in no particular order."""

    def lamp_insert(
        self,
        executor: Executor,
        /,
        *,
        lamp_id: UUID,
        email: str,
        email_key: str,
        name: str,
        password_hash: str,
        location_index: int,
        brightness: int | None,
    ) -> int:
        """Registers a lamp and its user; no row when that e-mail address is taken, however spelt.
        The unique key decides, not an earlier look: of concurrent registrations one wins."""

    def lamp_status_update(
        self,
        executor: Executor,
        /,
        *,
        lamp_id: UUID,
        is_active: bool,
    ) -> int:
        """Sets whether a lamp is in use, and that it was heard of now."""

    def reference_data(self, executor: Executor, /) -> ReferenceRow:
        """The supported locations, and the active API configurations in priority order, with the version they are of."""

    def session_delete(
        self,
        executor: Executor,
        /,
        *,
        session_token: str,
    ) -> int:
        """Ends a session."""

    def session_insert(
        self,
        executor: Executor,
        /,
        *,
        session_id: UUID,
        lamp_id: UUID,
        session_token: str,
        seconds: int | None,
    ) -> int:
        """Begins a session that ends by itself."""

    def session_lamp(
        self,
        executor: Executor,
        /,
        *,
        session_token: str,
    ) -> UUID | None:
        """The lamp of the active user whose session this is, unless it has expired."""

    def user_delete(
        self,
        executor: Executor,
        /,
        *,
        lamp_id: UUID,
    ) -> int:
        """Deletes a user with the lamp and its sessions; the entries of the activity log stay, without the lamp."""

    def user_lamp(
        self,
        executor: Executor,
        /,
        *,
        email_key: str,
    ) -> UUID | None:
        """The lamp of a user, active or not, locked until the transaction ends: no entry of the log is added for it meanwhile."""

    def user_password_hash(
        self,
        executor: Executor,
        /,
        *,
        email_key: str,
    ) -> str | None:
        """The password hash of an active user, to be compared in constant time by the caller.
        The hash is not compared here, where an index lookup or a plan could tell how much of it was right."""

def lamp_queries() -> _LampQueries: ...
