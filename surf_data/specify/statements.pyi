"""The queries of surf_data.specify.statements, as PostgreSQL sees them. Written by surf-data stubs; not to be edited."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Any, Generic, TypeVar
from uuid import UUID

from psycopg.types.json import Jsonb
from surf_data.kernel.postgres import CopyWriter, Executor, Json, Stream
from surf_data.specify.models import AuditLog, CacheEntry, Command, Configuration, PerformanceMetric, Project, RDFSpecification, TelemetryEvent

_Row = TypeVar("_Row")

class _Rows(Stream, Generic[_Row]):
    def __iter__(self) -> Iterator[_Row]: ...

class _SpecifyQueries:
    def audit_all(
        self,
        executor: Executor,
        /,
        *,
        row_limit: int | None,
        row_offset: int | None,
    ) -> list[AuditLog]:
        """All audit rows by id, a stretch of them."""

    def audit_all_cursor(
        self,
        executor: Executor,
        /,
        *,
        row_limit: int | None,
        row_offset: int | None,
    ) -> AbstractContextManager[_Rows[AuditLog]]:
        """All audit rows by id, a stretch of them."""

    def audit_anonymise(
        self,
        executor: Executor,
        /,
        *,
        user_id: int,
    ) -> int:
        """Takes out of a user's audit rows what tells who it is. For the owner of the tables: services cannot change them."""

    def audit_by_id(
        self,
        executor: Executor,
        /,
        *,
        row_id: int,
    ) -> AuditLog | None:
        """An audit row by its id."""

    def audit_copy(self, executor: Executor, /) -> AbstractContextManager[CopyWriter]:
        """Takes many audit rows at once, each under an id of its own, in COPY's binary format."""

    def audit_count(self, executor: Executor, /) -> int:
        """How many audit rows there are."""

    def audit_filtered(
        self,
        executor: Executor,
        /,
        *,
        action: str | None,
        resource_type: str | None,
        resource_id: str | None,
        user_id: int | None,
        success: bool | None,
        ip_address: IPv4Address | IPv6Address | IPv4Interface | IPv6Interface | None,
        since: datetime | None,
        until: datetime | None,
        hours: int | None,
        cap: int | None,
        row_limit: int | None,
        row_offset: int | None,
    ) -> list[tuple[int, int, UUID, str, str, str | None, int | None, str | None, IPv4Address | IPv6Address | IPv4Interface | IPv6Interface | None, str | None, datetime, bool, Any, Any]]:
        """A page of audit rows, newest first, each row behind the number of all that match, counted up to cap if there is one. Of up
        to 1,000 matches one scan is enough for both; more are counted by themselves, which beats a window over all of them.
        One statement, so page and number are of one moment; beyond the end there is no row."""

    def audit_filtered_cursor(
        self,
        executor: Executor,
        /,
        *,
        action: str | None,
        resource_type: str | None,
        resource_id: str | None,
        user_id: int | None,
        success: bool | None,
        ip_address: IPv4Address | IPv6Address | IPv4Interface | IPv6Interface | None,
        since: datetime | None,
        until: datetime | None,
        hours: int | None,
        cap: int | None,
        row_limit: int | None,
        row_offset: int | None,
    ) -> AbstractContextManager[_Rows[tuple[int, int, UUID, str, str, str | None, int | None, str | None, IPv4Address | IPv6Address | IPv4Interface | IPv6Interface | None, str | None, datetime, bool, Any, Any]]]:
        """A page of audit rows, newest first, each row behind the number of all that match, counted up to cap if there is one. Of up
        to 1,000 matches one scan is enough for both; more are counted by themselves, which beats a window over all of them.
        One statement, so page and number are of one moment; beyond the end there is no row."""

    def audit_ids(
        self,
        executor: Executor,
        /,
        *,
        number: int | None,
    ) -> tuple[list[int | None] | None, datetime]:
        """Reserves ids for audit rows to come, in ascending order; with them the time that those have which bring none."""

    def audit_insert(
        self,
        executor: Executor,
        /,
        *,
        log_id: UUID | None,
        action: str,
        resource_type: str,
        resource_id: str | None,
        user_id: int | None,
        user_name: str | None,
        ip_address: IPv4Address | IPv6Address | IPv4Interface | IPv6Interface | None,
        user_agent: str | None,
        recorded_at: datetime | None,
        success: bool,
        details: Json | Jsonb,
        meta: Json | Jsonb,
    ) -> AuditLog:
        """Records one action, with the name that its user has now."""

    def audit_list(
        self,
        executor: Executor,
        /,
        *,
        action: str | None,
        resource_type: str | None,
        resource_id: str | None,
        user_id: int | None,
        success: bool | None,
        ip_address: IPv4Address | IPv6Address | IPv4Interface | IPv6Interface | None,
        since: datetime | None,
        until: datetime | None,
        hours: int | None,
        before_time: datetime | None,
        before_id: int | None,
        row_limit: int | None,
    ) -> list[AuditLog]:
        """Audit rows that match, newest first, from before a known one or from the newest."""

    def audit_list_cursor(
        self,
        executor: Executor,
        /,
        *,
        action: str | None,
        resource_type: str | None,
        resource_id: str | None,
        user_id: int | None,
        success: bool | None,
        ip_address: IPv4Address | IPv6Address | IPv4Interface | IPv6Interface | None,
        since: datetime | None,
        until: datetime | None,
        hours: int | None,
        before_time: datetime | None,
        before_id: int | None,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[AuditLog]]:
        """Audit rows that match, newest first, from before a known one or from the newest."""

    def cache_all(
        self,
        executor: Executor,
        /,
        *,
        row_limit: int | None,
        row_offset: int | None,
    ) -> list[CacheEntry]:
        """All cache entries by id, a stretch of them."""

    def cache_all_cursor(
        self,
        executor: Executor,
        /,
        *,
        row_limit: int | None,
        row_offset: int | None,
    ) -> AbstractContextManager[_Rows[CacheEntry]]:
        """All cache entries by id, a stretch of them."""

    def cache_by_id(
        self,
        executor: Executor,
        /,
        *,
        row_id: int,
    ) -> CacheEntry | None:
        """A cache entry by its id."""

    def cache_by_key(
        self,
        executor: Executor,
        /,
        *,
        key: str,
    ) -> CacheEntry | None:
        """An entry by its key, also an expired one."""

    def cache_clean(
        self,
        executor: Executor,
        /,
        *,
        batch: int | None,
    ) -> int:
        """Deletes expired entries, so many at a time. Several may do this at once; each takes others."""

    def cache_count(self, executor: Executor, /) -> int:
        """How many cache entries there are."""

    def cache_delete(
        self,
        executor: Executor,
        /,
        *,
        row_id: int,
    ) -> int:
        """Deletes a cache entry."""

    def cache_expired(
        self,
        executor: Executor,
        /,
        *,
        row_limit: int | None,
    ) -> list[CacheEntry]:
        """The entries that have expired."""

    def cache_expired_cursor(
        self,
        executor: Executor,
        /,
        *,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[CacheEntry]]:
        """The entries that have expired."""

    def cache_insert(
        self,
        executor: Executor,
        /,
        *,
        documents: Json | Jsonb | None,
    ) -> list[CacheEntry]:
        """Inserts cache entries, given as a JSON array of objects; leaves out those whose unique keys are taken."""

    def cache_insert_cursor(
        self,
        executor: Executor,
        /,
        *,
        documents: Json | Jsonb | None,
    ) -> AbstractContextManager[_Rows[CacheEntry]]:
        """Inserts cache entries, given as a JSON array of objects; leaves out those whose unique keys are taken."""

    def cache_page(
        self,
        executor: Executor,
        /,
        *,
        row_order: str | None,
        row_limit: int | None,
        row_offset: int | None,
    ) -> list[tuple[int, int | None, str | None, str | None, str | None, int | None, datetime | None, datetime | None, int | None, datetime | None, Any]]:
        """A page of cache entries in one of several orders, each row behind the number of all; beyond the end a row without cache entry."""

    def cache_page_cursor(
        self,
        executor: Executor,
        /,
        *,
        row_order: str | None,
        row_limit: int | None,
        row_offset: int | None,
    ) -> AbstractContextManager[_Rows[tuple[int, int | None, str | None, str | None, str | None, int | None, datetime | None, datetime | None, int | None, datetime | None, Any]]]:
        """A page of cache entries in one of several orders, each row behind the number of all; beyond the end a row without cache entry."""

    def cache_read(
        self,
        executor: Executor,
        /,
        *,
        key: str,
    ) -> str | None:
        """The value of an entry that has not expired; the read is not counted."""

    def cache_remove(
        self,
        executor: Executor,
        /,
        *,
        key: str,
    ) -> int:
        """Deletes an entry by its key."""

    def cache_set(
        self,
        executor: Executor,
        /,
        *,
        key: str,
        value: str,
        value_hash: str,
        size_bytes: int,
        ttl_seconds: float | None,
    ) -> CacheEntry:
        """Sets a value, new or not, for so many seconds, or until it is deleted when they are null. The count of reads stays."""

    def cache_statistics(self, executor: Executor, /) -> tuple[int, int, int, int]:
        """How many entries there are, how many of them have expired, their bytes, and how often they were read."""

    def cache_take(
        self,
        executor: Executor,
        /,
        *,
        key: str,
    ) -> tuple[str] | None:
        """The value of an entry that has not expired, and counts that it was read, in one statement, so that none is lost."""

    def cache_update(
        self,
        executor: Executor,
        /,
        *,
        documents: Json | Jsonb | None,
    ) -> list[tuple[int, str, str, str, int, datetime, datetime | None, int, datetime | None, Any]]:
        """Updates cache entries by id, each by a JSON object of an array; a key that it lacks is a column that stays.
        By ascending id, so that two such updates wait for each other and do not deadlock."""

    def cache_update_cursor(
        self,
        executor: Executor,
        /,
        *,
        documents: Json | Jsonb | None,
    ) -> AbstractContextManager[_Rows[tuple[int, str, str, str, int, datetime, datetime | None, int, datetime | None, Any]]]:
        """Updates cache entries by id, each by a JSON object of an array; a key that it lacks is a column that stays.
        By ascending id, so that two such updates wait for each other and do not deadlock."""

    def command_all(
        self,
        executor: Executor,
        /,
        *,
        row_limit: int | None,
        row_offset: int | None,
    ) -> list[Command]:
        """All commands by id, a stretch of them."""

    def command_all_cursor(
        self,
        executor: Executor,
        /,
        *,
        row_limit: int | None,
        row_offset: int | None,
    ) -> AbstractContextManager[_Rows[Command]]:
        """All commands by id, a stretch of them."""

    def command_anonymise(
        self,
        executor: Executor,
        /,
        *,
        user_id: int,
    ) -> int:
        """Takes out of a user's commands what may tell who it is; that they ran, and how, stays."""

    def command_by_id(
        self,
        executor: Executor,
        /,
        *,
        row_id: int,
    ) -> Command | None:
        """A command by its id."""

    def command_by_uuid(
        self,
        executor: Executor,
        /,
        *,
        command_id: UUID,
    ) -> Command | None:
        """A command by its UUID."""

    def command_copy(self, executor: Executor, /) -> AbstractContextManager[CopyWriter]:
        """Takes many commands at once, each under an id of its own, in COPY's binary format."""

    def command_count(self, executor: Executor, /) -> int:
        """How many commands there are."""

    def command_days(
        self,
        executor: Executor,
        /,
        *,
        since: datetime | None,
        until: datetime | None,
        time_zone: str | None,
    ) -> list[tuple[date, int, int, float | None, float | None]]:
        """Commands of each day of a time zone, also of days without any: how many, how many went wrong, how long they took.
        Local midnights: see metric_series_days."""

    def command_days_cursor(
        self,
        executor: Executor,
        /,
        *,
        since: datetime | None,
        until: datetime | None,
        time_zone: str | None,
    ) -> AbstractContextManager[_Rows[tuple[date, int, int, float | None, float | None]]]:
        """Commands of each day of a time zone, also of days without any: how many, how many went wrong, how long they took.
        Local midnights: see metric_series_days."""

    def command_delete(
        self,
        executor: Executor,
        /,
        *,
        row_id: int,
    ) -> int:
        """Deletes a command, and what belongs to it."""

    def command_end(
        self,
        executor: Executor,
        /,
        *,
        row_id: int,
        status: str,
        exit_code: int | None,
        stdout: str | None,
        stderr: str | None,
        keeps_output: bool | None,
        force: bool | None,
    ) -> Command | None:
        """Ends a command, once: one that has ended is left alone, unless it was taken for dead or the caller insists."""

    def command_expire(
        self,
        executor: Executor,
        /,
        *,
        days: int | None,
        batch: int | None,
    ) -> int:
        """Deletes commands that began longer ago, so many at a time, with their metrics and spans."""

    def command_filtered(
        self,
        executor: Executor,
        /,
        *,
        user_id: int | None,
        project_id: int | None,
        command_name: str | None,
        name_prefix: str | None,
        statuses: list[str] | list[str | None] | None,
        exit_code: int | None,
        parent_id: int | None,
        min_duration_ms: float | None,
        pattern: str | None,
        since: datetime | None,
        until: datetime | None,
        hours: int | None,
        cap: int | None,
        row_limit: int | None,
        row_offset: int | None,
    ) -> list[tuple[int, int, UUID, str, str | None, int | None, int | None, str, datetime, datetime | None, float | None, int | None, str | None, str | None, Any, Any, int | None, str | None, int | None, datetime | None, datetime | None]]:
        """A page of commands, newest first, each row behind the number of all that match, counted up to cap if there is one. Of up
        to 1,000 matches one scan is enough for both; more are counted by themselves, which beats a window over all of them.
        One statement, so page and number are of one moment; beyond the end there is no row."""

    def command_filtered_cursor(
        self,
        executor: Executor,
        /,
        *,
        user_id: int | None,
        project_id: int | None,
        command_name: str | None,
        name_prefix: str | None,
        statuses: list[str] | list[str | None] | None,
        exit_code: int | None,
        parent_id: int | None,
        min_duration_ms: float | None,
        pattern: str | None,
        since: datetime | None,
        until: datetime | None,
        hours: int | None,
        cap: int | None,
        row_limit: int | None,
        row_offset: int | None,
    ) -> AbstractContextManager[_Rows[tuple[int, int, UUID, str, str | None, int | None, int | None, str, datetime, datetime | None, float | None, int | None, str | None, str | None, Any, Any, int | None, str | None, int | None, datetime | None, datetime | None]]]:
        """A page of commands, newest first, each row behind the number of all that match, counted up to cap if there is one. Of up
        to 1,000 matches one scan is enough for both; more are counted by themselves, which beats a window over all of them.
        One statement, so page and number are of one moment; beyond the end there is no row."""

    def command_heartbeat(
        self,
        executor: Executor,
        /,
        *,
        row_id: int,
        lease_seconds: float | None,
    ) -> int:
        """Says that a command is alive, and for how long that may be believed; no row when it runs no more."""

    def command_ids(
        self,
        executor: Executor,
        /,
        *,
        number: int | None,
    ) -> tuple[list[int | None] | None, datetime]:
        """Reserves ids for commands to come, in ascending order; with them the time that those have which bring none."""

    def command_insert(
        self,
        executor: Executor,
        /,
        *,
        documents: Json | Jsonb | None,
    ) -> list[Command]:
        """Inserts commands, given as a JSON array of objects; leaves out those whose unique keys are taken."""

    def command_insert_cursor(
        self,
        executor: Executor,
        /,
        *,
        documents: Json | Jsonb | None,
    ) -> AbstractContextManager[_Rows[Command]]:
        """Inserts commands, given as a JSON array of objects; leaves out those whose unique keys are taken."""

    def command_list(
        self,
        executor: Executor,
        /,
        *,
        user_id: int | None,
        project_id: int | None,
        command_name: str | None,
        name_prefix: str | None,
        statuses: list[str] | list[str | None] | None,
        exit_code: int | None,
        parent_id: int | None,
        min_duration_ms: float | None,
        pattern: str | None,
        since: datetime | None,
        until: datetime | None,
        hours: int | None,
        before_time: datetime | None,
        before_id: int | None,
        row_limit: int | None,
    ) -> list[Command]:
        """Commands that match, newest first, from before a known one or from the newest."""

    def command_list_cursor(
        self,
        executor: Executor,
        /,
        *,
        user_id: int | None,
        project_id: int | None,
        command_name: str | None,
        name_prefix: str | None,
        statuses: list[str] | list[str | None] | None,
        exit_code: int | None,
        parent_id: int | None,
        min_duration_ms: float | None,
        pattern: str | None,
        since: datetime | None,
        until: datetime | None,
        hours: int | None,
        before_time: datetime | None,
        before_id: int | None,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[Command]]:
        """Commands that match, newest first, from before a known one or from the newest."""

    def command_of_project(
        self,
        executor: Executor,
        /,
        *,
        project_id: int | None,
        batch: int | None,
    ) -> int:
        """Deletes commands of a project, so many at a time, with their metrics and spans."""

    def command_page(
        self,
        executor: Executor,
        /,
        *,
        row_order: str | None,
        row_limit: int | None,
        row_offset: int | None,
    ) -> list[tuple[int, int | None, UUID | None, str | None, str | None, int | None, int | None, str | None, datetime | None, datetime | None, float | None, int | None, str | None, str | None, Any, Any, int | None, str | None, int | None, datetime | None, datetime | None]]:
        """A page of commands in one of several orders, each row behind the number of all; beyond the end a row without command."""

    def command_page_cursor(
        self,
        executor: Executor,
        /,
        *,
        row_order: str | None,
        row_limit: int | None,
        row_offset: int | None,
    ) -> AbstractContextManager[_Rows[tuple[int, int | None, UUID | None, str | None, str | None, int | None, int | None, str | None, datetime | None, datetime | None, float | None, int | None, str | None, str | None, Any, Any, int | None, str | None, int | None, datetime | None, datetime | None]]]:
        """A page of commands in one of several orders, each row behind the number of all; beyond the end a row without command."""

    def command_reap(
        self,
        executor: Executor,
        /,
        *,
        older_than_hours: int | None,
        row_limit: int | None,
    ) -> list[Command]:
        """Ends commands whose process has died: running, with a lease that has passed, or without one and begun long ago.
        They ended when they were last heard of. Several may do this at once; each takes others."""

    def command_reap_cursor(
        self,
        executor: Executor,
        /,
        *,
        older_than_hours: int | None,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[Command]]:
        """Ends commands whose process has died: running, with a lease that has passed, or without one and begun long ago.
        They ended when they were last heard of. Several may do this at once; each takes others."""

    def command_start(
        self,
        executor: Executor,
        /,
        *,
        command_name: str,
        args: str | None,
        user_id: int | None,
        project_id: int | None,
        environment: Json | Jsonb,
        meta: Json | Jsonb,
        parent_id: int | None,
        host: str | None,
        pid: int | None,
        lease_seconds: float | None,
    ) -> Command:
        """Inserts a command that runs from now on. Now is the clock's, so that one transaction may hold all of its life."""

    def command_statistics(
        self,
        executor: Executor,
        /,
        *,
        since: datetime | None,
        until: datetime | None,
        user_id: int | None,
        project_id: int | None,
        command_name: str | None,
    ) -> list[tuple[str | None, str | None, int, int, int, float | None, float | None, float | None, float | None, float | None]]:
        """How many commands there were, all together, by status and by name, and how long they took.
        The groups of one scan: a row of all, a row for each status, a row for each name."""

    def command_statistics_cursor(
        self,
        executor: Executor,
        /,
        *,
        since: datetime | None,
        until: datetime | None,
        user_id: int | None,
        project_id: int | None,
        command_name: str | None,
    ) -> AbstractContextManager[_Rows[tuple[str | None, str | None, int, int, int, float | None, float | None, float | None, float | None, float | None]]]:
        """How many commands there were, all together, by status and by name, and how long they took.
        The groups of one scan: a row of all, a row for each status, a row for each name."""

    def command_tree(
        self,
        executor: Executor,
        /,
        *,
        row_id: int | None,
    ) -> list[Command]:
        """A command and all that it has started, directly or not, the oldest first; 16 levels at most."""

    def command_tree_cursor(
        self,
        executor: Executor,
        /,
        *,
        row_id: int | None,
    ) -> AbstractContextManager[_Rows[Command]]:
        """A command and all that it has started, directly or not, the oldest first; 16 levels at most."""

    def command_update(
        self,
        executor: Executor,
        /,
        *,
        documents: Json | Jsonb | None,
    ) -> list[Command]:
        """Updates commands by id, each by a JSON object of an array; a key that it lacks is a column that stays.
        By ascending id, so that two such updates wait for each other and do not deadlock."""

    def command_update_cursor(
        self,
        executor: Executor,
        /,
        *,
        documents: Json | Jsonb | None,
    ) -> AbstractContextManager[_Rows[Command]]:
        """Updates commands by id, each by a JSON object of an array; a key that it lacks is a column that stays.
        By ascending id, so that two such updates wait for each other and do not deadlock."""

    def configuration_all(
        self,
        executor: Executor,
        /,
        *,
        row_limit: int | None,
        row_offset: int | None,
    ) -> list[Configuration]:
        """All configuration entries by id, a stretch of them."""

    def configuration_all_cursor(
        self,
        executor: Executor,
        /,
        *,
        row_limit: int | None,
        row_offset: int | None,
    ) -> AbstractContextManager[_Rows[Configuration]]:
        """All configuration entries by id, a stretch of them."""

    def configuration_by_id(
        self,
        executor: Executor,
        /,
        *,
        row_id: int,
    ) -> Configuration | None:
        """A configuration entry by its id."""

    def configuration_compare_set(
        self,
        executor: Executor,
        /,
        *,
        project_id: int,
        key: str,
        expected_value: str,
        expected_type: str,
        value: str,
        value_type: str,
    ) -> int:
        """Sets a value if it is still the expected one, and in the clear."""

    def configuration_count(self, executor: Executor, /) -> int:
        """How many configuration entries there are."""

    def configuration_delete(
        self,
        executor: Executor,
        /,
        *,
        row_id: int,
    ) -> int:
        """Deletes a configuration entry."""

    def configuration_get(
        self,
        executor: Executor,
        /,
        *,
        project_id: int,
        key: str,
    ) -> Configuration | None:
        """A configuration entry by its key."""

    def configuration_insert(
        self,
        executor: Executor,
        /,
        *,
        documents: Json | Jsonb | None,
    ) -> list[Configuration]:
        """Inserts configuration entries, given as a JSON array of objects; leaves out those whose unique keys are taken."""

    def configuration_insert_cursor(
        self,
        executor: Executor,
        /,
        *,
        documents: Json | Jsonb | None,
    ) -> AbstractContextManager[_Rows[Configuration]]:
        """Inserts configuration entries, given as a JSON array of objects; leaves out those whose unique keys are taken."""

    def configuration_of_project(
        self,
        executor: Executor,
        /,
        *,
        project_id: int,
    ) -> list[Configuration]:
        """The configuration entries of a project, by key."""

    def configuration_of_project_cursor(
        self,
        executor: Executor,
        /,
        *,
        project_id: int,
    ) -> AbstractContextManager[_Rows[Configuration]]:
        """The configuration entries of a project, by key."""

    def configuration_page(
        self,
        executor: Executor,
        /,
        *,
        row_order: str | None,
        row_limit: int | None,
        row_offset: int | None,
    ) -> list[tuple[int, int | None, UUID | None, int | None, str | None, str | None, str | None, bool | None, str | None, datetime | None, datetime | None, Any]]:
        """A page of configuration entries in one of several orders, each row behind the number of all; beyond the end a row without configuration entry."""

    def configuration_page_cursor(
        self,
        executor: Executor,
        /,
        *,
        row_order: str | None,
        row_limit: int | None,
        row_offset: int | None,
    ) -> AbstractContextManager[_Rows[tuple[int, int | None, UUID | None, int | None, str | None, str | None, str | None, bool | None, str | None, datetime | None, datetime | None, Any]]]:
        """A page of configuration entries in one of several orders, each row behind the number of all; beyond the end a row without configuration entry."""

    def configuration_remove(
        self,
        executor: Executor,
        /,
        *,
        project_id: int,
        key: str,
    ) -> int:
        """Deletes a configuration entry by its key."""

    def configuration_set(
        self,
        executor: Executor,
        /,
        *,
        project_id: int,
        key: str,
        value: str,
        value_type: str,
        encrypted: bool,
        description: str | None,
        meta: Json | Jsonb | None,
    ) -> Configuration:
        """Sets a value, new or not; description and meta stay where null is given. Of two writers the last one wins."""

    def configuration_update(
        self,
        executor: Executor,
        /,
        *,
        documents: Json | Jsonb | None,
    ) -> list[Configuration]:
        """Updates configuration entries by id, each by a JSON object of an array; a key that it lacks is a column that stays.
        By ascending id, so that two such updates wait for each other and do not deadlock."""

    def configuration_update_cursor(
        self,
        executor: Executor,
        /,
        *,
        documents: Json | Jsonb | None,
    ) -> AbstractContextManager[_Rows[Configuration]]:
        """Updates configuration entries by id, each by a JSON object of an array; a key that it lacks is a column that stays.
        By ascending id, so that two such updates wait for each other and do not deadlock."""

    def metric_aggregate(
        self,
        executor: Executor,
        /,
        *,
        metric_name: str,
        since: datetime | None,
        until: datetime | None,
        project_id: int | None,
        labels: Json | Jsonb | None,
        percentiles: bool | None,
    ) -> tuple[int, float | None, float | None, float | None, float | None, float | None, float | None, float | None, float | None]:
        """What the values of a metric come to; percentiles, which cost a sort, only where they are asked for."""

    def metric_all(
        self,
        executor: Executor,
        /,
        *,
        row_limit: int | None,
        row_offset: int | None,
    ) -> list[PerformanceMetric]:
        """All metrics by id, a stretch of them."""

    def metric_all_cursor(
        self,
        executor: Executor,
        /,
        *,
        row_limit: int | None,
        row_offset: int | None,
    ) -> AbstractContextManager[_Rows[PerformanceMetric]]:
        """All metrics by id, a stretch of them."""

    def metric_by_id(
        self,
        executor: Executor,
        /,
        *,
        row_id: int,
    ) -> PerformanceMetric | None:
        """A metric by its id."""

    def metric_copy(self, executor: Executor, /) -> AbstractContextManager[CopyWriter]:
        """Takes many metrics at once, each under an id of its own, in COPY's binary format."""

    def metric_count(self, executor: Executor, /) -> int:
        """How many metrics there are."""

    def metric_filtered(
        self,
        executor: Executor,
        /,
        *,
        metric_name: str | None,
        metric_type: str | None,
        command_id: int | None,
        project_id: int | None,
        labels: Json | Jsonb | None,
        since: datetime | None,
        until: datetime | None,
        cap: int | None,
        row_limit: int | None,
        row_offset: int | None,
    ) -> list[tuple[int, int, UUID, str, str, float, str | None, int | None, int | None, datetime, Any, Any]]:
        """A page of metrics, newest first, each row behind the number of all that match, counted up to cap if there is one. Of up
        to 1,000 matches one scan is enough for both; more are counted by themselves, which beats a window over all of them.
        One statement, so page and number are of one moment; beyond the end there is no row."""

    def metric_filtered_cursor(
        self,
        executor: Executor,
        /,
        *,
        metric_name: str | None,
        metric_type: str | None,
        command_id: int | None,
        project_id: int | None,
        labels: Json | Jsonb | None,
        since: datetime | None,
        until: datetime | None,
        cap: int | None,
        row_limit: int | None,
        row_offset: int | None,
    ) -> AbstractContextManager[_Rows[tuple[int, int, UUID, str, str, float, str | None, int | None, int | None, datetime, Any, Any]]]:
        """A page of metrics, newest first, each row behind the number of all that match, counted up to cap if there is one. Of up
        to 1,000 matches one scan is enough for both; more are counted by themselves, which beats a window over all of them.
        One statement, so page and number are of one moment; beyond the end there is no row."""

    def metric_ids(
        self,
        executor: Executor,
        /,
        *,
        number: int | None,
    ) -> tuple[list[int | None] | None, datetime]:
        """Reserves ids for metrics to come, in ascending order; with them the time that those have which bring none."""

    def metric_insert(
        self,
        executor: Executor,
        /,
        *,
        metric_id: UUID | None,
        metric_name: str,
        metric_type: str,
        value: float,
        unit: str | None,
        command_id: int | None,
        project_id: int | None,
        recorded_at: datetime | None,
        labels: Json | Jsonb,
        meta: Json | Jsonb,
    ) -> PerformanceMetric:
        """Records one value."""

    def metric_list(
        self,
        executor: Executor,
        /,
        *,
        metric_name: str | None,
        metric_type: str | None,
        command_id: int | None,
        project_id: int | None,
        labels: Json | Jsonb | None,
        since: datetime | None,
        until: datetime | None,
        before_time: datetime | None,
        before_id: int | None,
        row_limit: int | None,
    ) -> list[PerformanceMetric]:
        """Metrics that match, newest first, from before a known one or from the newest."""

    def metric_list_cursor(
        self,
        executor: Executor,
        /,
        *,
        metric_name: str | None,
        metric_type: str | None,
        command_id: int | None,
        project_id: int | None,
        labels: Json | Jsonb | None,
        since: datetime | None,
        until: datetime | None,
        before_time: datetime | None,
        before_id: int | None,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[PerformanceMetric]]:
        """Metrics that match, newest first, from before a known one or from the newest."""

    def metric_recent_series(
        self,
        executor: Executor,
        /,
        *,
        metric_name: str,
        hours: int,
        width: timedelta | None,
    ) -> list[tuple[datetime | None, float, float, float, int]]:
        """A metric of the last hours in intervals that begin at multiples of their width since 2000, empty ones left out."""

    def metric_recent_series_cursor(
        self,
        executor: Executor,
        /,
        *,
        metric_name: str,
        hours: int,
        width: timedelta | None,
    ) -> AbstractContextManager[_Rows[tuple[datetime | None, float, float, float, int]]]:
        """A metric of the last hours in intervals that begin at multiples of their width since 2000, empty ones left out."""

    def metric_series(
        self,
        executor: Executor,
        /,
        *,
        metric_name: str | None,
        project_id: int | None,
        since: datetime | None,
        until: datetime | None,
        width: timedelta | None,
        time_zone: str | None,
    ) -> list[tuple[datetime, datetime | None, int, float | None, float | None, float | None, float | None]]:
        """A metric in intervals of equal length from the local midnight before since on, empty ones, too. A night in which the
        clock changes has as many of them as it has hours."""

    def metric_series_cursor(
        self,
        executor: Executor,
        /,
        *,
        metric_name: str | None,
        project_id: int | None,
        since: datetime | None,
        until: datetime | None,
        width: timedelta | None,
        time_zone: str | None,
    ) -> AbstractContextManager[_Rows[tuple[datetime, datetime | None, int, float | None, float | None, float | None, float | None]]]:
        """A metric in intervals of equal length from the local midnight before since on, empty ones, too. A night in which the
        clock changes has as many of them as it has hours."""

    def metric_series_days(
        self,
        executor: Executor,
        /,
        *,
        metric_name: str | None,
        project_id: int | None,
        since: datetime,
        until: datetime,
        unit: str | None,
        time_zone: str | None,
    ) -> list[tuple[datetime, datetime, int, float | None, float | None, float | None, float | None]]:
        """A metric by days, weeks or months of a time zone, empty ones, too. Local midnights are made as local times and then
        become moments: any other way is an hour off after the clock has changed. Of a midnight that occurs twice the first
        counts, and a day that the zone has left out has no row."""

    def metric_series_days_cursor(
        self,
        executor: Executor,
        /,
        *,
        metric_name: str | None,
        project_id: int | None,
        since: datetime,
        until: datetime,
        unit: str | None,
        time_zone: str | None,
    ) -> AbstractContextManager[_Rows[tuple[datetime, datetime, int, float | None, float | None, float | None, float | None]]]:
        """A metric by days, weeks or months of a time zone, empty ones, too. Local midnights are made as local times and then
        become moments: any other way is an hour off after the clock has changed. Of a midnight that occurs twice the first
        counts, and a day that the zone has left out has no row."""

    def project_by_id(
        self,
        executor: Executor,
        /,
        *,
        row_id: int,
    ) -> Project | None:
        """A project by its id."""

    def project_by_slug(
        self,
        executor: Executor,
        /,
        *,
        slug: str,
    ) -> Project | None:
        """A project by its slug."""

    def project_count(self, executor: Executor, /) -> int:
        """How many projects there are."""

    def project_delete(
        self,
        executor: Executor,
        /,
        *,
        row_id: int,
    ) -> int:
        """Deletes a project, and what belongs to it."""

    def project_find(
        self,
        executor: Executor,
        /,
        *,
        query: str | None,
        row_limit: int | None,
    ) -> list[Project]:
        """Projects by words in name and description, the best match first. Of the 2,000 newest that match, so that a word which
        most of them have costs no more than that."""

    def project_find_cursor(
        self,
        executor: Executor,
        /,
        *,
        query: str | None,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[Project]]:
        """Projects by words in name and description, the best match first. Of the 2,000 newest that match, so that a word which
        most of them have costs no more than that."""

    def project_insert(
        self,
        executor: Executor,
        /,
        *,
        documents: Json | Jsonb | None,
    ) -> list[Project]:
        """Inserts projects, given as a JSON array of objects; leaves out those whose unique keys are taken."""

    def project_insert_cursor(
        self,
        executor: Executor,
        /,
        *,
        documents: Json | Jsonb | None,
    ) -> AbstractContextManager[_Rows[Project]]:
        """Inserts projects, given as a JSON array of objects; leaves out those whose unique keys are taken."""

    def project_list(
        self,
        executor: Executor,
        /,
        *,
        owner_id: int | None,
        is_active: bool | None,
        row_limit: int | None,
        row_offset: int | None,
    ) -> list[Project]:
        """Projects by id, of one owner or of all, in use or not."""

    def project_list_cursor(
        self,
        executor: Executor,
        /,
        *,
        owner_id: int | None,
        is_active: bool | None,
        row_limit: int | None,
        row_offset: int | None,
    ) -> AbstractContextManager[_Rows[Project]]:
        """Projects by id, of one owner or of all, in use or not."""

    def project_page(
        self,
        executor: Executor,
        /,
        *,
        row_order: str | None,
        row_limit: int | None,
        row_offset: int | None,
    ) -> list[tuple[int, int | None, str | None, str | None, str | None, int | None, str | None, str | None, bool | None, datetime | None, datetime | None, Any, Any]]:
        """A page of projects in one of several orders, each row behind the number of all; beyond the end a row without project."""

    def project_page_cursor(
        self,
        executor: Executor,
        /,
        *,
        row_order: str | None,
        row_limit: int | None,
        row_offset: int | None,
    ) -> AbstractContextManager[_Rows[tuple[int, int | None, str | None, str | None, str | None, int | None, str | None, str | None, bool | None, datetime | None, datetime | None, Any, Any]]]:
        """A page of projects in one of several orders, each row behind the number of all; beyond the end a row without project."""

    def project_recent(
        self,
        executor: Executor,
        /,
        *,
        days: int,
        row_limit: int | None,
    ) -> list[Project]:
        """The projects that were changed within so many days, the latest first."""

    def project_recent_cursor(
        self,
        executor: Executor,
        /,
        *,
        days: int,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[Project]]:
        """The projects that were changed within so many days, the latest first."""

    def project_search(
        self,
        executor: Executor,
        /,
        *,
        query: str | None,
        pattern: str,
        owner_id: int | None,
        row_limit: int | None,
    ) -> list[Project]:
        """Projects with a text in their name or description: the name itself first, then names that begin so."""

    def project_search_cursor(
        self,
        executor: Executor,
        /,
        *,
        query: str | None,
        pattern: str,
        owner_id: int | None,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[Project]]:
        """Projects with a text in their name or description: the name itself first, then names that begin so."""

    def project_update(
        self,
        executor: Executor,
        /,
        *,
        documents: Json | Jsonb | None,
    ) -> list[Project]:
        """Updates projects by id, each by a JSON object of an array; a key that it lacks is a column that stays.
        By ascending id, so that two such updates wait for each other and do not deadlock."""

    def project_update_cursor(
        self,
        executor: Executor,
        /,
        *,
        documents: Json | Jsonb | None,
    ) -> AbstractContextManager[_Rows[Project]]:
        """Updates projects by id, each by a JSON object of an array; a key that it lacks is a column that stays.
        By ascending id, so that two such updates wait for each other and do not deadlock."""

    def schema_columns(self, executor: Executor, /) -> list[tuple[str, str]]:
        """The tables of the schema specify, without their partitions, and their columns."""

    def schema_columns_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[tuple[str, str]]]:
        """The tables of the schema specify, without their partitions, and their columns."""

    def specification_all(
        self,
        executor: Executor,
        /,
        *,
        row_limit: int | None,
        row_offset: int | None,
    ) -> list[RDFSpecification]:
        """All specifications by id, a stretch of them."""

    def specification_all_cursor(
        self,
        executor: Executor,
        /,
        *,
        row_limit: int | None,
        row_offset: int | None,
    ) -> AbstractContextManager[_Rows[RDFSpecification]]:
        """All specifications by id, a stretch of them."""

    def specification_by_hash(
        self,
        executor: Executor,
        /,
        *,
        content_hash: str,
    ) -> list[RDFSpecification]:
        """The specifications that have this content."""

    def specification_by_hash_cursor(
        self,
        executor: Executor,
        /,
        *,
        content_hash: str,
    ) -> AbstractContextManager[_Rows[RDFSpecification]]:
        """The specifications that have this content."""

    def specification_by_id(
        self,
        executor: Executor,
        /,
        *,
        row_id: int,
    ) -> RDFSpecification | None:
        """A specification by its id."""

    def specification_content(
        self,
        executor: Executor,
        /,
        *,
        row_id: int,
    ) -> tuple[str, str | None] | None:
        """The hash that a specification has, and its content where that is stored."""

    def specification_content_store(
        self,
        executor: Executor,
        /,
        *,
        content_hash: str,
        content: str,
    ) -> int:
        """Stores a content, once. One that is there already is marked as stored just now; see specification_contents_clean."""

    def specification_contents_clean(
        self,
        executor: Executor,
        /,
        *,
        hours: int | None,
        batch: int | None,
    ) -> int:
        """Deletes contents that no specification has, unless they were stored just now, by one that is about to have them."""

    def specification_count(self, executor: Executor, /) -> int:
        """How many specifications there are."""

    def specification_delete(
        self,
        executor: Executor,
        /,
        *,
        row_id: int,
    ) -> int:
        """Deletes a specification."""

    def specification_find(
        self,
        executor: Executor,
        /,
        *,
        query: str | None,
        project_id: int | None,
        row_limit: int | None,
    ) -> list[RDFSpecification]:
        """Specifications by words in their stored content, the best match first, of the 2,000 newest that match."""

    def specification_find_cursor(
        self,
        executor: Executor,
        /,
        *,
        query: str | None,
        project_id: int | None,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[RDFSpecification]]:
        """Specifications by words in their stored content, the best match first, of the 2,000 newest that match."""

    def specification_insert(
        self,
        executor: Executor,
        /,
        *,
        documents: Json | Jsonb | None,
    ) -> list[RDFSpecification]:
        """Inserts specifications, given as a JSON array of objects; leaves out those whose unique keys are taken."""

    def specification_insert_cursor(
        self,
        executor: Executor,
        /,
        *,
        documents: Json | Jsonb | None,
    ) -> AbstractContextManager[_Rows[RDFSpecification]]:
        """Inserts specifications, given as a JSON array of objects; leaves out those whose unique keys are taken."""

    def specification_invalid(
        self,
        executor: Executor,
        /,
        *,
        row_limit: int | None,
    ) -> list[RDFSpecification]:
        """The specifications that are not valid."""

    def specification_invalid_cursor(
        self,
        executor: Executor,
        /,
        *,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[RDFSpecification]]:
        """The specifications that are not valid."""

    def specification_of_project(
        self,
        executor: Executor,
        /,
        *,
        project_id: int,
        row_limit: int | None,
    ) -> list[RDFSpecification]:
        """The specifications of a project, the latest first."""

    def specification_of_project_cursor(
        self,
        executor: Executor,
        /,
        *,
        project_id: int,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[RDFSpecification]]:
        """The specifications of a project, the latest first."""

    def specification_page(
        self,
        executor: Executor,
        /,
        *,
        row_order: str | None,
        row_limit: int | None,
        row_offset: int | None,
    ) -> list[tuple[int, int | None, UUID | None, int | None, str | None, str | None, str | None, int | None, bool | None, str | None, datetime | None, datetime | None, Any]]:
        """A page of specifications in one of several orders, each row behind the number of all; beyond the end a row without specification."""

    def specification_page_cursor(
        self,
        executor: Executor,
        /,
        *,
        row_order: str | None,
        row_limit: int | None,
        row_offset: int | None,
    ) -> AbstractContextManager[_Rows[tuple[int, int | None, UUID | None, int | None, str | None, str | None, str | None, int | None, bool | None, str | None, datetime | None, datetime | None, Any]]]:
        """A page of specifications in one of several orders, each row behind the number of all; beyond the end a row without specification."""

    def specification_update(
        self,
        executor: Executor,
        /,
        *,
        documents: Json | Jsonb | None,
    ) -> list[RDFSpecification]:
        """Updates specifications by id, each by a JSON object of an array; a key that it lacks is a column that stays.
        By ascending id, so that two such updates wait for each other and do not deadlock."""

    def specification_update_cursor(
        self,
        executor: Executor,
        /,
        *,
        documents: Json | Jsonb | None,
    ) -> AbstractContextManager[_Rows[RDFSpecification]]:
        """Updates specifications by id, each by a JSON object of an array; a key that it lacks is a column that stays.
        By ascending id, so that two such updates wait for each other and do not deadlock."""

    def telemetry_all(
        self,
        executor: Executor,
        /,
        *,
        row_limit: int | None,
        row_offset: int | None,
    ) -> list[TelemetryEvent]:
        """All spans by id, a stretch of them."""

    def telemetry_all_cursor(
        self,
        executor: Executor,
        /,
        *,
        row_limit: int | None,
        row_offset: int | None,
    ) -> AbstractContextManager[_Rows[TelemetryEvent]]:
        """All spans by id, a stretch of them."""

    def telemetry_by_id(
        self,
        executor: Executor,
        /,
        *,
        row_id: int,
    ) -> TelemetryEvent | None:
        """A span by its id."""

    def telemetry_count(self, executor: Executor, /) -> int:
        """How many spans there are."""

    def telemetry_errors(
        self,
        executor: Executor,
        /,
        *,
        hours: int,
    ) -> list[tuple[str, int, int, float | None]]:
        """The spans of the last hours by name: how many there were, and how many ended with an error."""

    def telemetry_errors_cursor(
        self,
        executor: Executor,
        /,
        *,
        hours: int,
    ) -> AbstractContextManager[_Rows[tuple[str, int, int, float | None]]]:
        """The spans of the last hours by name: how many there were, and how many ended with an error."""

    def telemetry_filtered(
        self,
        executor: Executor,
        /,
        *,
        event_name: str | None,
        command_id: int | None,
        status_code: str | None,
        min_duration_ns: int | None,
        since: datetime | None,
        until: datetime | None,
        cap: int | None,
        row_limit: int | None,
        row_offset: int | None,
    ) -> list[tuple[int, int, UUID, str, str, str | None, int | None, str, str | None, str | None, datetime, datetime | None, int | None, Any, Any]]:
        """A page of spans, newest first, each row behind the number of all that match, counted up to cap if there is one. Of up
        to 1,000 matches one scan is enough for both; more are counted by themselves, which beats a window over all of them.
        One statement, so page and number are of one moment; beyond the end there is no row."""

    def telemetry_filtered_cursor(
        self,
        executor: Executor,
        /,
        *,
        event_name: str | None,
        command_id: int | None,
        status_code: str | None,
        min_duration_ns: int | None,
        since: datetime | None,
        until: datetime | None,
        cap: int | None,
        row_limit: int | None,
        row_offset: int | None,
    ) -> AbstractContextManager[_Rows[tuple[int, int, UUID, str, str, str | None, int | None, str, str | None, str | None, datetime, datetime | None, int | None, Any, Any]]]:
        """A page of spans, newest first, each row behind the number of all that match, counted up to cap if there is one. Of up
        to 1,000 matches one scan is enough for both; more are counted by themselves, which beats a window over all of them.
        One statement, so page and number are of one moment; beyond the end there is no row."""

    def telemetry_insert(
        self,
        executor: Executor,
        /,
        *,
        documents: Json | Jsonb | None,
    ) -> list[TelemetryEvent]:
        """Records spans, given as a JSON array of objects; leaves out those that are there already. A command that is named by
        its UUID is looked up; one that is not there leaves the span without."""

    def telemetry_insert_cursor(
        self,
        executor: Executor,
        /,
        *,
        documents: Json | Jsonb | None,
    ) -> AbstractContextManager[_Rows[TelemetryEvent]]:
        """Records spans, given as a JSON array of objects; leaves out those that are there already. A command that is named by
        its UUID is looked up; one that is not there leaves the span without."""

    def telemetry_list(
        self,
        executor: Executor,
        /,
        *,
        event_name: str | None,
        command_id: int | None,
        status_code: str | None,
        min_duration_ns: int | None,
        since: datetime | None,
        until: datetime | None,
        before_time: datetime | None,
        before_id: int | None,
        row_limit: int | None,
    ) -> list[TelemetryEvent]:
        """Spans that match, newest first, from before a known one or from the newest."""

    def telemetry_list_cursor(
        self,
        executor: Executor,
        /,
        *,
        event_name: str | None,
        command_id: int | None,
        status_code: str | None,
        min_duration_ns: int | None,
        since: datetime | None,
        until: datetime | None,
        before_time: datetime | None,
        before_id: int | None,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[TelemetryEvent]]:
        """Spans that match, newest first, from before a known one or from the newest."""

    def telemetry_of_command(
        self,
        executor: Executor,
        /,
        *,
        command_id: int,
        row_limit: int | None,
    ) -> list[TelemetryEvent]:
        """The spans of a command, the earliest first."""

    def telemetry_of_command_cursor(
        self,
        executor: Executor,
        /,
        *,
        command_id: int,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[TelemetryEvent]]:
        """The spans of a command, the earliest first."""

    def telemetry_slowest(
        self,
        executor: Executor,
        /,
        *,
        event_name: str,
        hours: int,
        row_limit: int | None,
    ) -> list[TelemetryEvent]:
        """The slowest spans of a name in the last hours."""

    def telemetry_slowest_cursor(
        self,
        executor: Executor,
        /,
        *,
        event_name: str,
        hours: int,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[TelemetryEvent]]:
        """The slowest spans of a name in the last hours."""

    def telemetry_trace(
        self,
        executor: Executor,
        /,
        *,
        trace_id: str,
        row_limit: int | None,
    ) -> list[TelemetryEvent]:
        """The spans of a trace, the earliest first."""

    def telemetry_trace_cursor(
        self,
        executor: Executor,
        /,
        *,
        trace_id: str,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[TelemetryEvent]]:
        """The spans of a trace, the earliest first."""

    def token_all(
        self,
        executor: Executor,
        /,
        *,
        row_limit: int | None,
        row_offset: int | None,
    ) -> list[tuple[int, int, datetime, datetime, datetime | None, IPv4Address | IPv6Address | IPv4Interface | IPv6Interface | None, str | None, bool, Any]]:
        """All session tokens by id, a stretch of them."""

    def token_all_cursor(
        self,
        executor: Executor,
        /,
        *,
        row_limit: int | None,
        row_offset: int | None,
    ) -> AbstractContextManager[_Rows[tuple[int, int, datetime, datetime, datetime | None, IPv4Address | IPv6Address | IPv4Interface | IPv6Interface | None, str | None, bool, Any]]]:
        """All session tokens by id, a stretch of them."""

    def token_begin(
        self,
        executor: Executor,
        /,
        *,
        token_hash: str,
        user_id: int,
        ttl_seconds: float | None,
        ip_address: IPv4Address | IPv6Address | IPv4Interface | IPv6Interface | None,
        user_agent: str | None,
        meta: Json | Jsonb,
    ) -> tuple[int, int, datetime, datetime, datetime | None, IPv4Address | IPv6Address | IPv4Interface | IPv6Interface | None, str | None, bool, Any]:
        """Begins a session that ends by itself."""

    def token_by_id(
        self,
        executor: Executor,
        /,
        *,
        row_id: int,
    ) -> tuple[int, int, datetime, datetime, datetime | None, IPv4Address | IPv6Address | IPv4Interface | IPv6Interface | None, str | None, bool, Any] | None:
        """A session token by its id."""

    def token_clean(
        self,
        executor: Executor,
        /,
        *,
        batch: int | None,
    ) -> int:
        """Deletes expired tokens, so many at a time. Several may do this at once; each takes others."""

    def token_count(self, executor: Executor, /) -> int:
        """How many session tokens there are."""

    def token_delete(
        self,
        executor: Executor,
        /,
        *,
        row_id: int,
    ) -> int:
        """Deletes a session token."""

    def token_end_all(
        self,
        executor: Executor,
        /,
        *,
        user_id: int,
    ) -> int:
        """Ends all sessions of a user."""

    def token_forget(
        self,
        executor: Executor,
        /,
        *,
        user_id: int,
    ) -> int:
        """Deletes all sessions of a user."""

    def token_insert(
        self,
        executor: Executor,
        /,
        *,
        documents: Json | Jsonb | None,
    ) -> list[tuple[int, int, datetime, datetime, datetime | None, IPv4Address | IPv6Address | IPv4Interface | IPv6Interface | None, str | None, bool, Any]]:
        """Inserts session tokens, given as a JSON array of objects; leaves out those whose unique keys are taken."""

    def token_insert_cursor(
        self,
        executor: Executor,
        /,
        *,
        documents: Json | Jsonb | None,
    ) -> AbstractContextManager[_Rows[tuple[int, int, datetime, datetime, datetime | None, IPv4Address | IPv6Address | IPv4Interface | IPv6Interface | None, str | None, bool, Any]]]:
        """Inserts session tokens, given as a JSON array of objects; leaves out those whose unique keys are taken."""

    def token_page(
        self,
        executor: Executor,
        /,
        *,
        row_order: str | None,
        row_limit: int | None,
        row_offset: int | None,
    ) -> list[tuple[int, int | None, int | None, datetime | None, datetime | None, datetime | None, IPv4Address | IPv6Address | IPv4Interface | IPv6Interface | None, str | None, bool | None, Any]]:
        """A page of session tokens in one of several orders, each row behind the number of all; beyond the end a row without session token."""

    def token_page_cursor(
        self,
        executor: Executor,
        /,
        *,
        row_order: str | None,
        row_limit: int | None,
        row_offset: int | None,
    ) -> AbstractContextManager[_Rows[tuple[int, int | None, int | None, datetime | None, datetime | None, datetime | None, IPv4Address | IPv6Address | IPv4Interface | IPv6Interface | None, str | None, bool | None, Any]]]:
        """A page of session tokens in one of several orders, each row behind the number of all; beyond the end a row without session token."""

    def token_revoke(
        self,
        executor: Executor,
        /,
        *,
        token_hash: str,
    ) -> int:
        """Ends a session; one that has ended counts, too."""

    def token_touch(
        self,
        executor: Executor,
        /,
        *,
        row_id: int,
    ) -> int:
        """Records that a token was used, at most once a minute, so that most validations write nothing."""

    def token_update(
        self,
        executor: Executor,
        /,
        *,
        documents: Json | Jsonb | None,
    ) -> list[tuple[int, int, datetime, datetime, datetime | None, IPv4Address | IPv6Address | IPv4Interface | IPv6Interface | None, str | None, bool, Any]]:
        """Updates session tokens by id, each by a JSON object of an array; a key that it lacks is a column that stays.
        By ascending id, so that two such updates wait for each other and do not deadlock."""

    def token_update_cursor(
        self,
        executor: Executor,
        /,
        *,
        documents: Json | Jsonb | None,
    ) -> AbstractContextManager[_Rows[tuple[int, int, datetime, datetime, datetime | None, IPv4Address | IPv6Address | IPv4Interface | IPv6Interface | None, str | None, bool, Any]]]:
        """Updates session tokens by id, each by a JSON object of an array; a key that it lacks is a column that stays.
        By ascending id, so that two such updates wait for each other and do not deadlock."""

    def token_validate(
        self,
        executor: Executor,
        /,
        *,
        token_hash: str,
    ) -> tuple[int, int, datetime, datetime, datetime | None, IPv4Address | IPv6Address | IPv4Interface | IPv6Interface | None, str | None, bool, Any, bool] | None:
        """The session of a token, if it is active, has not expired, and its user is active; and whether token_touch is due."""

    def user_anonymise(
        self,
        executor: Executor,
        /,
        *,
        row_id: int,
    ) -> int:
        """Takes out of a user all that tells who it is; the row stays, so that counts stay.
        Run together with audit_anonymise and command_anonymise."""

    def user_by_api_key(
        self,
        executor: Executor,
        /,
        *,
        api_key_hash: str,
    ) -> tuple[int, str, str, str | None, bytes, str | None, bool, bool, datetime, datetime, datetime | None, Any, int] | None:
        """The user whose API key has this hash."""

    def user_by_email(
        self,
        executor: Executor,
        /,
        *,
        email: str,
        email_key: str,
    ) -> tuple[int, str, str, str | None, bytes, str | None, bool, bool, datetime, datetime, datetime | None, Any, int] | None:
        """The user with this address, spelled so; the key is what the index knows."""

    def user_by_id(
        self,
        executor: Executor,
        /,
        *,
        row_id: int,
    ) -> tuple[int, str, str, str | None, bytes, str | None, bool, bool, datetime, datetime, datetime | None, Any, int] | None:
        """A user by its id."""

    def user_by_username(
        self,
        executor: Executor,
        /,
        *,
        username: str,
        username_key: str,
    ) -> tuple[int, str, str, str | None, bytes, str | None, bool, bool, datetime, datetime, datetime | None, Any, int] | None:
        """The user with this name, spelled so; the key is what the index knows."""

    def user_count(self, executor: Executor, /) -> int:
        """How many users there are."""

    def user_delete(
        self,
        executor: Executor,
        /,
        *,
        row_id: int,
    ) -> int:
        """Deletes a user, and what belongs to it."""

    def user_insert(
        self,
        executor: Executor,
        /,
        *,
        documents: Json | Jsonb | None,
    ) -> list[tuple[int, str, str, str | None, bytes, str | None, bool, bool, datetime, datetime, datetime | None, Any, int]]:
        """Inserts users, given as a JSON array of objects; leaves out those whose unique keys are taken."""

    def user_insert_cursor(
        self,
        executor: Executor,
        /,
        *,
        documents: Json | Jsonb | None,
    ) -> AbstractContextManager[_Rows[tuple[int, str, str, str | None, bytes, str | None, bool, bool, datetime, datetime, datetime | None, Any, int]]]:
        """Inserts users, given as a JSON array of objects; leaves out those whose unique keys are taken."""

    def user_list(
        self,
        executor: Executor,
        /,
        *,
        is_active: bool | None,
        is_admin: bool | None,
        row_limit: int | None,
        row_offset: int | None,
    ) -> list[tuple[int, str, str, str | None, bytes, str | None, bool, bool, datetime, datetime, datetime | None, Any, int]]:
        """Users by id, of one kind or of any."""

    def user_list_cursor(
        self,
        executor: Executor,
        /,
        *,
        is_active: bool | None,
        is_admin: bool | None,
        row_limit: int | None,
        row_offset: int | None,
    ) -> AbstractContextManager[_Rows[tuple[int, str, str, str | None, bytes, str | None, bool, bool, datetime, datetime, datetime | None, Any, int]]]:
        """Users by id, of one kind or of any."""

    def user_login(
        self,
        executor: Executor,
        /,
        *,
        row_id: int,
    ) -> tuple[int, str, str, str | None, bytes, str | None, bool, bool, datetime, datetime, datetime | None, Any, int] | None:
        """Records that a user has logged in."""

    def user_names(
        self,
        executor: Executor,
        /,
        *,
        ids: list[int] | list[int | None],
    ) -> list[tuple[int, str]]:
        """The names of users."""

    def user_names_cursor(
        self,
        executor: Executor,
        /,
        *,
        ids: list[int] | list[int | None],
    ) -> AbstractContextManager[_Rows[tuple[int, str]]]:
        """The names of users."""

    def user_page(
        self,
        executor: Executor,
        /,
        *,
        row_order: str | None,
        row_limit: int | None,
        row_offset: int | None,
    ) -> list[tuple[int, int | None, str | None, str | None, str | None, bytes | None, str | None, bool | None, bool | None, datetime | None, datetime | None, datetime | None, Any, int]]:
        """A page of users in one of several orders, each row behind the number of all; beyond the end a row without user."""

    def user_page_cursor(
        self,
        executor: Executor,
        /,
        *,
        row_order: str | None,
        row_limit: int | None,
        row_offset: int | None,
    ) -> AbstractContextManager[_Rows[tuple[int, int | None, str | None, str | None, str | None, bytes | None, str | None, bool | None, bool | None, datetime | None, datetime | None, datetime | None, Any, int]]]:
        """A page of users in one of several orders, each row behind the number of all; beyond the end a row without user."""

    def user_rotate_api_key(
        self,
        executor: Executor,
        /,
        *,
        row_id: int,
        api_key_hash: str | None,
        api_key_preview: str | None,
    ) -> int:
        """Gives a user another API key in place of the one before."""

    def user_search(
        self,
        executor: Executor,
        /,
        *,
        query: str | None,
        pattern: str,
        row_limit: int | None,
    ) -> list[tuple[int, str, str, str | None, bytes, str | None, bool, bool, datetime, datetime, datetime | None, Any, int]]:
        """Users with a text in their name, address or full name: the name itself first, then names that begin so."""

    def user_search_cursor(
        self,
        executor: Executor,
        /,
        *,
        query: str | None,
        pattern: str,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[tuple[int, str, str, str | None, bytes, str | None, bool, bool, datetime, datetime, datetime | None, Any, int]]]:
        """Users with a text in their name, address or full name: the name itself first, then names that begin so."""

    def user_taken(
        self,
        executor: Executor,
        /,
        *,
        username_keys: list[str] | list[str | None] | None,
        email_keys: list[str] | list[str | None] | None,
    ) -> list[tuple[str, str]]:
        """The keys of users that are there already."""

    def user_taken_cursor(
        self,
        executor: Executor,
        /,
        *,
        username_keys: list[str] | list[str | None] | None,
        email_keys: list[str] | list[str | None] | None,
    ) -> AbstractContextManager[_Rows[tuple[str, str]]]:
        """The keys of users that are there already."""

    def user_update(
        self,
        executor: Executor,
        /,
        *,
        documents: Json | Jsonb | None,
    ) -> list[tuple[int, str, str, str | None, bytes, str | None, bool, bool, datetime, datetime, datetime | None, Any, int]]:
        """Updates users by id, each by a JSON object of an array; a key that it lacks is a column that stays.
        By ascending id, so that two such updates wait for each other and do not deadlock."""

    def user_update_cursor(
        self,
        executor: Executor,
        /,
        *,
        documents: Json | Jsonb | None,
    ) -> AbstractContextManager[_Rows[tuple[int, str, str, str | None, bytes, str | None, bool, bool, datetime, datetime, datetime | None, Any, int]]]:
        """Updates users by id, each by a JSON object of an array; a key that it lacks is a column that stays.
        By ascending id, so that two such updates wait for each other and do not deadlock."""

def specify_queries() -> _SpecifyQueries: ...
