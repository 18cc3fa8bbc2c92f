"""The queries of surf_data.daylight.queries, as PostgreSQL sees them. Written by surf-data stubs; not to be edited."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from decimal import Decimal
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Any, Generic, TypeVar
from uuid import UUID

from psycopg.types.json import Jsonb
from surf_data.daylight.operation_records import AlertRule, Archive, AuditEntry, ErrorGroup, ErrorLog, LegalHold, RateLimit, RetentionPolicy, SentAlert
from surf_data.daylight.records import ApiKey, ApiKeyFound, ApiUsage, Assignment, HistoryDay, HistoryEntry, Permission, Plan, Role, SavedLocation, UsageCount, UsageEvent, User, UserProfile, UserSession
from surf_data.kernel.postgres import CopyWriter, Executor, Json, Stream
from surf_data.kernel.sealing import Seal

_Row = TypeVar("_Row")

class _Rows(Stream, Generic[_Row]):
    def __iter__(self) -> Iterator[_Row]: ...

class _DaylightQueries:
    def alert_history_insert(
        self,
        executor: Executor,
        /,
        *,
        rule_id: str,
        subject: str,
        kind: str,
        severity: str,
        value: float,
    ) -> int:
        """Notes what was sent."""

    def alert_history_list(
        self,
        executor: Executor,
        /,
        *,
        row_limit: int | None,
    ) -> list[SentAlert]:
        """What was sent, newest first."""

    def alert_history_list_cursor(
        self,
        executor: Executor,
        /,
        *,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[SentAlert]]:
        """What was sent, newest first."""

    def alert_observe(
        self,
        executor: Executor,
        /,
        *,
        rule_id: str | None,
        subject: str | None,
        is_broken: bool | None,
        hold: float | None,
        cooldown: float | None,
        recover: float | None,
    ) -> str | None:
        """Notes whether a rule is broken; 'alert' or 'recovery' for the one process that is to send it. See the function."""

    def alert_rule_list(self, executor: Executor, /) -> list[AlertRule]:
        """All rules, by id."""

    def alert_rule_list_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[AlertRule]]:
        """All rules, by id."""

    def alert_rule_upsert(
        self,
        executor: Executor,
        /,
        *,
        id: str,
        name: str,
        metric: str,
        operator: str,
        threshold: float,
        severity: str,
        enabled: bool,
        hold_seconds: float,
        cooldown_seconds: float,
        recover_seconds: float,
    ) -> int:
        """Stores a rule, also in place of the one with its id."""

    def alert_silence(
        self,
        executor: Executor,
        /,
        *,
        rule_id: str,
        subject: str,
        seconds: float | None,
    ) -> int:
        """Has nothing sent of a rule for a while."""

    def api_key_insert(
        self,
        executor: Executor,
        /,
        *,
        id: str,
        name: str,
        key_hash: str,
        key_preview: str,
        user_id: str,
        organization_id: str | None,
        scopes: list[str] | list[str | None],
        allowed_endpoints: list[str] | list[str | None],
        allowed_methods: list[str] | list[str | None],
        ip_whitelist: list[str] | list[str | None],
        environment: str,
        expires_at: datetime | None,
        description: str | None,
        tags: Json | Jsonb,
        created_by: str | None,
    ) -> ApiKey:
        """Stores a key."""

    def api_key_list(
        self,
        executor: Executor,
        /,
        *,
        user_id: str,
    ) -> list[ApiKey]:
        """Keys of a user, oldest first."""

    def api_key_list_cursor(
        self,
        executor: Executor,
        /,
        *,
        user_id: str,
    ) -> AbstractContextManager[_Rows[ApiKey]]:
        """Keys of a user, oldest first."""

    def api_key_rotate(
        self,
        executor: Executor,
        /,
        *,
        key_id: str | None,
        user_id: str,
        new_id: str,
        key_hash: str,
        key_preview: str,
        overlap_seconds: float | None,
    ) -> ApiKey | None:
        """Gives a key that is not revoked a successor with the same rights; the old one expires after an overlap."""

    def api_key_update(
        self,
        executor: Executor,
        /,
        *,
        key_id: str,
        user_id: str,
        changed: list[str] | list[str | None] | None,
        name: str | None,
        status: str | None,
        scopes: list[str] | list[str | None] | None,
        allowed_endpoints: list[str] | list[str | None] | None,
        allowed_methods: list[str] | list[str | None] | None,
        ip_whitelist: list[str] | list[str | None] | None,
        expires_at: datetime | None,
        description: str | None,
        tags: Json | Jsonb | None,
    ) -> ApiKey | None:
        """Changes the named columns of a user's key, and no other. A key that was revoked stays so: then there is no row."""

    def api_key_validate(
        self,
        executor: Executor,
        /,
        *,
        key_hash: str,
    ) -> ApiKeyFound | None:
        """The key with a hash, and whether it has expired. Its last use is noted in the same statement, once a minute at the
        most: it is read far more often than anybody looks at that."""

    def api_usage_record(
        self,
        executor: Executor,
        /,
        *,
        ids: list[str] | list[str | None] | None,
        key_ids: list[str] | list[str | None] | None,
        user_ids: list[str] | list[str | None] | None,
        endpoints: list[str] | list[str | None] | None,
        methods: list[str] | list[str | None] | None,
        status_codes: list[int] | list[int | None] | None,
        times_ms: list[float] | list[float | None] | None,
        request_sizes: list[int] | list[int | None] | None,
        response_sizes: list[int] | list[int | None] | None,
        limited: list[bool] | list[bool | None] | None,
        ip_addresses: list[IPv4Address | IPv6Address | IPv4Interface | IPv6Interface] | list[IPv4Address | IPv6Address | IPv4Interface | IPv6Interface | None] | None,
        user_agents: list[str] | list[str | None] | None,
        error_codes: list[str] | list[str | None] | None,
        moments: list[datetime] | list[datetime | None] | None,
    ) -> int:
        """Records calls of the API, and adds them to the sums of their hours; returns how many are new. A call that was recorded
        before is left out of both, so the statement can be repeated."""

    def api_usage_series(
        self,
        executor: Executor,
        /,
        *,
        key_id: str,
        since: datetime,
        until: datetime,
        bucket: timedelta | None,
    ) -> list[ApiUsage]:
        """What a key was used for between two moments, by buckets of whole hours, from the sums of the hours."""

    def api_usage_series_cursor(
        self,
        executor: Executor,
        /,
        *,
        key_id: str,
        since: datetime,
        until: datetime,
        bucket: timedelta | None,
    ) -> AbstractContextManager[_Rows[ApiUsage]]:
        """What a key was used for between two moments, by buckets of whole hours, from the sums of the hours."""

    def archive_begin(
        self,
        executor: Executor,
        /,
        *,
        table_name: str,
        relation_name: str,
        since: datetime | None,
        until: datetime,
        location: str,
    ) -> int:
        """Notes that the rows of a table that was set aside are being archived."""

    def archive_by_relation(
        self,
        executor: Executor,
        /,
        *,
        relation_name: str,
    ) -> Archive | None:
        """The archive of a table that was set aside."""

    def archive_complete(self, executor: Executor, /) -> list[tuple[str, int, str]]:
        """Archives whose rows are in no table any more: what was set aside and proved has been dropped."""

    def archive_complete_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[tuple[str, int, str]]]:
        """Archives whose rows are in no table any more: what was set aside and proved has been dropped."""

    def archive_list(
        self,
        executor: Executor,
        /,
        *,
        table_name: str | None,
        since: datetime | None,
        until: datetime | None,
    ) -> list[Archive]:
        """Proved archives with rows of a table between two moments, oldest first."""

    def archive_list_cursor(
        self,
        executor: Executor,
        /,
        *,
        table_name: str | None,
        since: datetime | None,
        until: datetime | None,
    ) -> AbstractContextManager[_Rows[Archive]]:
        """Proved archives with rows of a table between two moments, oldest first."""

    def archive_stored(
        self,
        executor: Executor,
        /,
        *,
        relation_name: str,
        row_count: int,
        checksum: str,
        raw_bytes: int,
        stored_bytes: int,
    ) -> int:
        """Notes that an archive was read back and is what was written."""

    def archive_totals(self, executor: Executor, /) -> list[tuple[str, int, int, int]]:
        """How much of each table is archived."""

    def archive_totals_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[tuple[str, int, int, int]]]:
        """How much of each table is archived."""

    def audit_insert_many(
        self,
        executor: Executor,
        /,
        *,
        ids: list[UUID] | list[UUID | None] | None,
        moments: list[datetime] | list[datetime | None] | None,
        event_types: list[str] | list[str | None] | None,
        user_ids: list[str] | list[str | None] | None,
        session_ids: list[str] | list[str | None] | None,
        resources: list[str] | list[str | None] | None,
        actions: list[str] | list[str | None] | None,
        outcomes: list[str] | list[str | None] | None,
        risk_levels: list[str] | list[str | None] | None,
        ip_addresses: list[IPv4Address | IPv6Address | IPv4Interface | IPv6Interface] | list[IPv4Address | IPv6Address | IPv4Interface | IPv6Interface | None] | None,
        user_agents: list[str] | list[str | None] | None,
        details: list[Json | Jsonb] | list[Json | Jsonb | None] | None,
        changes: list[Json | Jsonb] | list[Json | Jsonb | None] | None,
        labels: list[str] | list[str | None] | None,
        sources: list[str] | list[str | None] | None,
        correlation_ids: list[str] | list[str | None] | None,
        trace_ids: list[str] | list[str | None] | None,
    ) -> int:
        """Records entries, each under an id of its own; no row for those that are there already."""

    def audit_list(
        self,
        executor: Executor,
        /,
        *,
        user_id: str | None,
        event_type: str | None,
        since: datetime | None,
        until: datetime | None,
        before_occurred_at: datetime | None,
        before_id: UUID | None,
        row_limit: int | None,
    ) -> list[AuditEntry]:
        """Entries of the audit log, newest first; of one user, of one type, between two moments, from before a known entry."""

    def audit_list_cursor(
        self,
        executor: Executor,
        /,
        *,
        user_id: str | None,
        event_type: str | None,
        since: datetime | None,
        until: datetime | None,
        before_occurred_at: datetime | None,
        before_id: UUID | None,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[AuditEntry]]:
        """Entries of the audit log, newest first; of one user, of one type, between two moments, from before a known entry."""

    def audit_manifest(
        self,
        executor: Executor,
        /,
        *,
        sealed_hour: datetime,
    ) -> bytes | None:
        """For each entry of an hour 32 bytes, in order: its id, and half of the SHA-256 of what it says."""

    def audit_seal_hours(
        self,
        executor: Executor,
        /,
        *,
        since: datetime | None,
        until: datetime | None,
    ) -> list[tuple[datetime, int, int]]:
        """Hours within a time that hold more entries than their seals, in order."""

    def audit_seal_hours_cursor(
        self,
        executor: Executor,
        /,
        *,
        since: datetime | None,
        until: datetime | None,
    ) -> AbstractContextManager[_Rows[tuple[datetime, int, int]]]:
        """Hours within a time that hold more entries than their seals, in order."""

    def audit_seal_insert(
        self,
        executor: Executor,
        /,
        *,
        sealed_hour: datetime,
        number: int,
        entries: int,
        manifest: bytes,
        previous: bytes,
        digest: bytes,
    ) -> int:
        """Seals entries of an hour."""

    def audit_seal_last(self, executor: Executor, /) -> bytes | None:
        """The digest of the newest seal."""

    def audit_seal_list(
        self,
        executor: Executor,
        /,
        *,
        since: datetime | None,
    ) -> list[Seal]:
        """The seals, in the order in which they were made, without what they hold; all when since is null."""

    def audit_seal_list_cursor(
        self,
        executor: Executor,
        /,
        *,
        since: datetime | None,
    ) -> AbstractContextManager[_Rows[Seal]]:
        """The seals, in the order in which they were made, without what they hold; all when since is null."""

    def audit_seal_manifests(
        self,
        executor: Executor,
        /,
        *,
        sealed_hour: datetime,
    ) -> list[tuple[bytes]]:
        """What the seals of an hour hold, in order."""

    def audit_seal_manifests_cursor(
        self,
        executor: Executor,
        /,
        *,
        sealed_hour: datetime,
    ) -> AbstractContextManager[_Rows[tuple[bytes]]]:
        """What the seals of an hour hold, in order."""

    def auth_session_begin(
        self,
        executor: Executor,
        /,
        *,
        session_hash: str,
        refresh_hash: str,
        user_id: str,
        ip_address: IPv4Address | IPv6Address | IPv4Interface | IPv6Interface | None,
        user_agent: str | None,
        seconds: float | None,
        most: int | None,
    ) -> int:
        """Begins a session of a user, and ends the oldest beyond so many at once."""

    def auth_session_clean(
        self,
        executor: Executor,
        /,
        *,
        row_limit: int | None,
    ) -> int:
        """Deletes a portion of the logins that have expired; what another process is deleting is left to it."""

    def auth_session_end(
        self,
        executor: Executor,
        /,
        *,
        session_hash: str,
    ) -> int:
        """Ends a session."""

    def auth_session_refresh(
        self,
        executor: Executor,
        /,
        *,
        refresh_hash: str,
        new_session_hash: str,
        new_refresh_hash: str,
        seconds: float | None,
    ) -> str | None:
        """Exchanges both tokens of a session that has not expired, and returns its user; the old tokens are as missing then."""

    def auth_session_user(
        self,
        executor: Executor,
        /,
        *,
        session_hash: str,
    ) -> tuple[str, float] | None:
        """The active user of a session that has not expired, and the seconds it has left."""

    def authorize(
        self,
        executor: Executor,
        /,
        *,
        user_id: str | None,
        resource: str | None,
        action: str | None,
        scope: str | None,
        context: Json | Jsonb | None,
    ) -> tuple[list[str | None], list[str | None]]:
        """Whether an active user may do something: the roles that allow it, and all that the user has. Roles inherit, eight
        deep at the most; UNION makes cycles harmless. Patterns are stored: '*' stands for every resource or action."""

    def erase_api_usage(
        self,
        executor: Executor,
        /,
        *,
        user_id: str | None,
        row_limit: int | None,
    ) -> int:
        """Deletes a portion of what a user's keys were used for."""

    def erase_errors(
        self,
        executor: Executor,
        /,
        *,
        user_id: str,
    ) -> int:
        """Makes errors anonymous: the user and the context go, the error stays."""

    def erase_locations(
        self,
        executor: Executor,
        /,
        *,
        user_id: str,
    ) -> int:
        """Deletes the places of a user."""

    def erase_plans(
        self,
        executor: Executor,
        /,
        *,
        user_id: str,
    ) -> int:
        """Deletes the plans of a user."""

    def erase_profile(
        self,
        executor: Executor,
        /,
        *,
        user_id: str,
    ) -> int:
        """Deletes the profile of a user."""

    def erase_usage(
        self,
        executor: Executor,
        /,
        *,
        user_id: str,
        row_limit: int | None,
    ) -> int:
        """Deletes a portion of a user's events."""

    def erase_user(
        self,
        executor: Executor,
        /,
        *,
        user_id: str,
    ) -> int:
        """Deletes an account with its sessions, roles and keys; what else is the user's is deleted before."""

    def error_groups(
        self,
        executor: Executor,
        /,
        *,
        hours: int,
        row_limit: int | None,
    ) -> list[ErrorGroup]:
        """Errors of the last hours that have one origin, the most frequent first."""

    def error_groups_cursor(
        self,
        executor: Executor,
        /,
        *,
        hours: int,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[ErrorGroup]]:
        """Errors of the last hours that have one origin, the most frequent first."""

    def error_insert(
        self,
        executor: Executor,
        /,
        *,
        id: str,
        severity: str,
        name: str,
        message: str,
        stack: str,
        context: Json | Jsonb,
        user_id: str | None,
        fingerprint: str,
    ) -> ErrorLog:
        """Records an error, now."""

    def error_list(
        self,
        executor: Executor,
        /,
        *,
        severity: str | None,
        before_occurred_at: datetime | None,
        before_id: str | None,
        row_limit: int | None,
    ) -> list[ErrorLog]:
        """Errors, newest first, of one severity or all, from before a known one or from the newest."""

    def error_list_cursor(
        self,
        executor: Executor,
        /,
        *,
        severity: str | None,
        before_occurred_at: datetime | None,
        before_id: str | None,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[ErrorLog]]:
        """Errors, newest first, of one severity or all, from before a known one or from the newest."""

    def error_resolve(
        self,
        executor: Executor,
        /,
        *,
        error_id: str,
    ) -> int:
        """Marks an error as resolved."""

    def events_clean(
        self,
        executor: Executor,
        /,
        *,
        row_limit: int | None,
    ) -> int:
        """Deletes a portion of the expired events; what another process is deleting is left to it."""

    def events_delete(
        self,
        executor: Executor,
        /,
        *,
        cache_key: str,
    ) -> int:
        """Deletes what is known of events under a key."""

    def events_read(
        self,
        executor: Executor,
        /,
        *,
        cache_key: str,
    ) -> tuple[Any, float | None] | None:
        """The events under a key, and the seconds it is still good for."""

    def events_upsert(
        self,
        executor: Executor,
        /,
        *,
        cache_key: str,
        data: Json | Jsonb,
        seconds: float | None,
    ) -> int:
        """Stores events under a key for a while."""

    def history_by_id(
        self,
        executor: Executor,
        /,
        *,
        history_id: str,
        user_id: str,
    ) -> HistoryEntry | None:
        """An entry of a user."""

    def history_copy(self, executor: Executor, /) -> AbstractContextManager[CopyWriter]:
        """Takes many entries at once, in COPY's binary format; the server fills in created_at and updated_at."""

    def history_days(
        self,
        executor: Executor,
        /,
        *,
        user_id: str,
        since: datetime,
        until: datetime,
        time_zone: str | None,
    ) -> list[HistoryDay]:
        """What each local day of a user had: how many entries, the first and the last, and the box around them."""

    def history_days_cursor(
        self,
        executor: Executor,
        /,
        *,
        user_id: str,
        since: datetime,
        until: datetime,
        time_zone: str | None,
    ) -> AbstractContextManager[_Rows[HistoryDay]]:
        """What each local day of a user had: how many entries, the first and the last, and the box around them."""

    def history_delete(
        self,
        executor: Executor,
        /,
        *,
        history_id: str,
        user_id: str,
    ) -> int:
        """Deletes an entry of a user, unless it is under a legal hold. Holds are read first, for a cluster has them elsewhere."""

    def history_delete_range(
        self,
        executor: Executor,
        /,
        *,
        user_id: str,
        since: datetime,
        until: datetime,
        row_limit: int | None,
    ) -> int:
        """Deletes a portion of a user's entries between two moments, both included, unless they are under a legal hold."""

    def history_insert(
        self,
        executor: Executor,
        /,
        *,
        id: str,
        user_id: str,
        location: Json | Jsonb,
        lat: float | None,
        lng: float | None,
        activity: str,
        metadata: Json | Jsonb,
        recorded_at: datetime | None,
    ) -> HistoryEntry:
        """Stores an entry, or returns the one that the user has with this id and time: the update changes nothing."""

    def history_latest(
        self,
        executor: Executor,
        /,
        *,
        user_id: str,
        before_recorded_at: datetime | None,
        before_id: str | None,
        row_limit: int | None,
    ) -> list[HistoryEntry]:
        """The latest entries of a user, newest first, from before a known entry or from the newest."""

    def history_latest_cursor(
        self,
        executor: Executor,
        /,
        *,
        user_id: str,
        before_recorded_at: datetime | None,
        before_id: str | None,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[HistoryEntry]]:
        """The latest entries of a user, newest first, from before a known entry or from the newest."""

    def history_merge(
        self,
        executor: Executor,
        /,
        *,
        ids: list[str] | list[str | None] | None,
        user_ids: list[str] | list[str | None] | None,
        locations: list[Json | Jsonb] | list[Json | Jsonb | None] | None,
        lats: list[float] | list[float | None] | None,
        lngs: list[float] | list[float | None] | None,
        activities: list[str] | list[str | None] | None,
        documents: list[Json | Jsonb] | list[Json | Jsonb | None] | None,
        times: list[datetime] | list[datetime | None] | None,
    ) -> int:
        """Stores those of many entries that are not there yet, for an upload that is repeated; returns how many. They are
        counted here, because of an INSERT ... SELECT a cluster says how many rows it was given."""

    def history_range(
        self,
        executor: Executor,
        /,
        *,
        user_id: str,
        since: datetime,
        until: datetime,
        after_recorded_at: datetime | None,
        after_id: str | None,
        row_limit: int | None,
    ) -> list[HistoryEntry]:
        """Entries of a user between two moments, both included, oldest first, from behind a known entry or from the first."""

    def history_range_cursor(
        self,
        executor: Executor,
        /,
        *,
        user_id: str,
        since: datetime,
        until: datetime,
        after_recorded_at: datetime | None,
        after_id: str | None,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[HistoryEntry]]:
        """Entries of a user between two moments, both included, oldest first, from behind a known entry or from the first."""

    def hold_insert(
        self,
        executor: Executor,
        /,
        *,
        table_name: str | None,
        reason: str,
        user_id: str | None,
        since: datetime | None,
        until: datetime | None,
    ) -> LegalHold:
        """Places a hold."""

    def hold_list(self, executor: Executor, /) -> list[LegalHold]:
        """Holds that are not released, oldest first."""

    def hold_list_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[LegalHold]]:
        """Holds that are not released, oldest first."""

    def hold_of_user(
        self,
        executor: Executor,
        /,
        *,
        user_id: str | None,
    ) -> bool:
        """Whether a legal hold is about a user, or about everybody."""

    def hold_release(
        self,
        executor: Executor,
        /,
        *,
        hold_id: int,
    ) -> int:
        """Releases a hold."""

    def import_begin(
        self,
        executor: Executor,
        /,
        *,
        fingerprint: str,
        file_name: str,
        layout: str,
    ) -> tuple[int, Any] | None:
        """Begins a run, or goes on with the one of the same file that has not ended."""

    def import_completed(
        self,
        executor: Executor,
        /,
        *,
        fingerprint: str,
    ) -> int | None:
        """The newest run that has imported a file completely."""

    def import_end(
        self,
        executor: Executor,
        /,
        *,
        run_id: int,
        status: str,
    ) -> int:
        """Ends a run."""

    def import_history_checksum(
        self,
        executor: Executor,
        /,
        *,
        run_id: int | None,
        table_name: str | None,
        last_key: int | None,
        first_at: datetime,
        last_at: datetime,
    ) -> Decimal:
        """The checksum of what is there of a portion of entries of the location history, from when to when they are, which spares
        the other weeks. They are read in one pass, and IS TRUE has each id looked for in a hash: how many there are, the planner
        does not know, and as a join, by old statistics, it may read all of an index for each."""

    def import_history_copy(self, executor: Executor, /) -> AbstractContextManager[CopyWriter]:
        """Takes entries of the location history of which none is there yet."""

    def import_history_exists(
        self,
        executor: Executor,
        /,
        *,
        first_id: str | None,
        last_id: str | None,
    ) -> bool:
        """Whether there are entries with ids in a range, by the order of their texts."""

    def import_history_merge(
        self,
        executor: Executor,
        /,
        *,
        ids: list[str] | list[str | None] | None,
        user_ids: list[str] | list[str | None] | None,
        locations: list[Json | Jsonb] | list[Json | Jsonb | None] | None,
        lats: list[float] | list[float | None] | None,
        lngs: list[float] | list[float | None] | None,
        activities: list[str] | list[str | None] | None,
        documents: list[Json | Jsonb] | list[Json | Jsonb | None] | None,
        moments: list[datetime] | list[datetime | None] | None,
        created: list[datetime] | list[datetime | None] | None,
        updated: list[datetime] | list[datetime | None] | None,
    ) -> list[tuple[str | None, str]]:
        """Stores entries of the location history, and says what became of each."""

    def import_history_merge_cursor(
        self,
        executor: Executor,
        /,
        *,
        ids: list[str] | list[str | None] | None,
        user_ids: list[str] | list[str | None] | None,
        locations: list[Json | Jsonb] | list[Json | Jsonb | None] | None,
        lats: list[float] | list[float | None] | None,
        lngs: list[float] | list[float | None] | None,
        activities: list[str] | list[str | None] | None,
        documents: list[Json | Jsonb] | list[Json | Jsonb | None] | None,
        moments: list[datetime] | list[datetime | None] | None,
        created: list[datetime] | list[datetime | None] | None,
        updated: list[datetime] | list[datetime | None] | None,
    ) -> AbstractContextManager[_Rows[tuple[str | None, str]]]:
        """Stores entries of the location history, and says what became of each."""

    def import_history_undo(
        self,
        executor: Executor,
        /,
        *,
        run_id: int | None,
        table_name: str | None,
        last_key: int | None,
        first_at: datetime | None,
        last_at: datetime | None,
    ) -> int:
        """Deletes entries that a portion has inserted and nothing has changed since."""

    def import_list(
        self,
        executor: Executor,
        /,
        *,
        row_limit: int | None,
    ) -> list[tuple[int, str, str, str, datetime, datetime | None, Any]]:
        """Runs, newest first."""

    def import_list_cursor(
        self,
        executor: Executor,
        /,
        *,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[tuple[int, str, str, str, datetime, datetime | None, Any]]]:
        """Runs, newest first."""

    def import_portion(
        self,
        executor: Executor,
        /,
        *,
        run_id: int,
        table_name: str,
        last_key: int,
        inserted_ids: list[str] | list[str | None],
        unchanged_ids: list[str] | list[str | None],
        first_at: datetime | None,
        last_at: datetime | None,
        checksum: Decimal | int,
    ) -> int:
        """Notes what a portion has inserted; one that another process has noted is refused by import_progress afterwards."""

    def import_portions(
        self,
        executor: Executor,
        /,
        *,
        run_id: int,
        table_name: str,
    ) -> list[tuple[int, datetime | None, datetime | None, Decimal]]:
        """The portions of a table in their order, each by its last key."""

    def import_portions_cursor(
        self,
        executor: Executor,
        /,
        *,
        run_id: int,
        table_name: str,
    ) -> AbstractContextManager[_Rows[tuple[int, datetime | None, datetime | None, Decimal]]]:
        """The portions of a table in their order, each by its last key."""

    def import_profiles_checksum(
        self,
        executor: Executor,
        /,
        *,
        run_id: int,
        table_name: str,
        last_key: int,
    ) -> Decimal:
        """The checksum of what is there of a portion of profiles."""

    def import_profiles_merge(
        self,
        executor: Executor,
        /,
        *,
        ids: list[str] | list[str | None] | None,
        first_names: list[str] | list[str | None] | None,
        last_names: list[str] | list[str | None] | None,
        avatars: list[str] | list[str | None] | None,
        zones: list[str] | list[str | None] | None,
        documents: list[Json | Jsonb] | list[Json | Jsonb | None] | None,
        options: list[Json | Jsonb] | list[Json | Jsonb | None] | None,
        created: list[datetime] | list[datetime | None] | None,
        updated: list[datetime] | list[datetime | None] | None,
    ) -> list[tuple[str | None, str]]:
        """Stores profiles, and says what became of each: refused where there is no such user."""

    def import_profiles_merge_cursor(
        self,
        executor: Executor,
        /,
        *,
        ids: list[str] | list[str | None] | None,
        first_names: list[str] | list[str | None] | None,
        last_names: list[str] | list[str | None] | None,
        avatars: list[str] | list[str | None] | None,
        zones: list[str] | list[str | None] | None,
        documents: list[Json | Jsonb] | list[Json | Jsonb | None] | None,
        options: list[Json | Jsonb] | list[Json | Jsonb | None] | None,
        created: list[datetime] | list[datetime | None] | None,
        updated: list[datetime] | list[datetime | None] | None,
    ) -> AbstractContextManager[_Rows[tuple[str | None, str]]]:
        """Stores profiles, and says what became of each: refused where there is no such user."""

    def import_profiles_undo(
        self,
        executor: Executor,
        /,
        *,
        run_id: int,
        table_name: str,
        last_key: int,
    ) -> int:
        """Deletes profiles that a portion has inserted and nothing has changed since."""

    def import_progress(
        self,
        executor: Executor,
        /,
        *,
        run_id: int,
        expected: Json | Jsonb,
        progress: Json | Jsonb,
    ) -> int:
        """Notes how far a run came; no row when another process has gone on with it meanwhile."""

    def import_quarantine(
        self,
        executor: Executor,
        /,
        *,
        run_id: int,
        table_name: str,
        keys: list[str] | list[str | None] | None,
        columns: list[str] | list[str | None] | None,
        reasons: list[str] | list[str | None] | None,
    ) -> int:
        """Notes rows that were refused, and why; not what is in them."""

    def import_quarantined(
        self,
        executor: Executor,
        /,
        *,
        run_id: int,
        row_limit: int | None,
    ) -> list[tuple[str, str, str, str]]:
        """Rows that a run has refused."""

    def import_quarantined_cursor(
        self,
        executor: Executor,
        /,
        *,
        run_id: int,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[tuple[str, str, str, str]]]:
        """Rows that a run has refused."""

    def import_run(
        self,
        executor: Executor,
        /,
        *,
        run_id: int,
    ) -> tuple[int, str, str, str, datetime, datetime | None, Any] | None:
        """A run."""

    def import_sessions_checksum(
        self,
        executor: Executor,
        /,
        *,
        run_id: int,
        table_name: str,
        last_key: int,
    ) -> Decimal:
        """The checksum of what is there of a portion of sessions."""

    def import_sessions_merge(
        self,
        executor: Executor,
        /,
        *,
        ids: list[str] | list[str | None] | None,
        user_ids: list[str] | list[str | None] | None,
        documents: list[Json | Jsonb] | list[Json | Jsonb | None] | None,
        expiries: list[datetime] | list[datetime | None] | None,
        created: list[datetime] | list[datetime | None] | None,
    ) -> list[tuple[str | None, str]]:
        """Stores sessions, and says what became of each: refused where there is no such user."""

    def import_sessions_merge_cursor(
        self,
        executor: Executor,
        /,
        *,
        ids: list[str] | list[str | None] | None,
        user_ids: list[str] | list[str | None] | None,
        documents: list[Json | Jsonb] | list[Json | Jsonb | None] | None,
        expiries: list[datetime] | list[datetime | None] | None,
        created: list[datetime] | list[datetime | None] | None,
    ) -> AbstractContextManager[_Rows[tuple[str | None, str]]]:
        """Stores sessions, and says what became of each: refused where there is no such user."""

    def import_sessions_undo(
        self,
        executor: Executor,
        /,
        *,
        run_id: int,
        table_name: str,
        last_key: int,
    ) -> int:
        """Deletes sessions that a portion has inserted."""

    def import_users_checksum(
        self,
        executor: Executor,
        /,
        *,
        run_id: int,
        table_name: str,
        last_key: int,
    ) -> Decimal:
        """The checksum of what is there of a portion of users."""

    def import_users_merge(
        self,
        executor: Executor,
        /,
        *,
        ids: list[str] | list[str | None] | None,
        emails: list[str] | list[str | None] | None,
        email_keys: list[str] | list[str | None] | None,
        usernames: list[str] | list[str | None] | None,
        username_keys: list[str] | list[str | None] | None,
        password_hashes: list[str] | list[str | None] | None,
        active: list[bool] | list[bool | None] | None,
        verified: list[bool] | list[bool | None] | None,
        created: list[datetime] | list[datetime | None] | None,
        updated: list[datetime] | list[datetime | None] | None,
        logins: list[datetime] | list[datetime | None] | None,
    ) -> list[tuple[str | None, str]]:
        """Stores users, and says what became of each: refused where the e-mail address or the username is another's."""

    def import_users_merge_cursor(
        self,
        executor: Executor,
        /,
        *,
        ids: list[str] | list[str | None] | None,
        emails: list[str] | list[str | None] | None,
        email_keys: list[str] | list[str | None] | None,
        usernames: list[str] | list[str | None] | None,
        username_keys: list[str] | list[str | None] | None,
        password_hashes: list[str] | list[str | None] | None,
        active: list[bool] | list[bool | None] | None,
        verified: list[bool] | list[bool | None] | None,
        created: list[datetime] | list[datetime | None] | None,
        updated: list[datetime] | list[datetime | None] | None,
        logins: list[datetime] | list[datetime | None] | None,
    ) -> AbstractContextManager[_Rows[tuple[str | None, str]]]:
        """Stores users, and says what became of each: refused where the e-mail address or the username is another's."""

    def import_users_undo(
        self,
        executor: Executor,
        /,
        *,
        run_id: int,
        table_name: str,
        last_key: int,
    ) -> int:
        """Deletes users that a portion has inserted, nothing has changed since, and nothing else refers to."""

    def location_delete(
        self,
        executor: Executor,
        /,
        *,
        location_id: str,
        user_id: str,
    ) -> int:
        """Deletes a place of a user."""

    def location_insert(
        self,
        executor: Executor,
        /,
        *,
        id: str,
        user_id: str,
        name: str,
        lat: float,
        lng: float,
        address: str | None,
        type: str,
        notes: str | None,
        tags: Json | Jsonb,
        visited_at: datetime | None,
    ) -> SavedLocation | None:
        """Stores a place; no row when the id is taken."""

    def location_list(
        self,
        executor: Executor,
        /,
        *,
        user_id: str,
        type: str | None,
    ) -> list[SavedLocation]:
        """Places of a user, newest first; of one type, or all."""

    def location_list_cursor(
        self,
        executor: Executor,
        /,
        *,
        user_id: str,
        type: str | None,
    ) -> AbstractContextManager[_Rows[SavedLocation]]:
        """Places of a user, newest first; of one type, or all."""

    def location_near(
        self,
        executor: Executor,
        /,
        *,
        user_id: str,
        lat: float | None,
        lng: float | None,
        metres: float,
        row_limit: int | None,
    ) -> list[SavedLocation]:
        """Places of a user within a distance, nearest first, by the haversine formula on a sphere of 6,371,008.8 metres."""

    def location_near_cursor(
        self,
        executor: Executor,
        /,
        *,
        user_id: str,
        lat: float | None,
        lng: float | None,
        metres: float,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[SavedLocation]]:
        """Places of a user within a distance, nearest first, by the haversine formula on a sphere of 6,371,008.8 metres."""

    def location_update(
        self,
        executor: Executor,
        /,
        *,
        location_id: str,
        user_id: str,
        changed: list[str] | list[str | None] | None,
        name: str | None,
        lat: float | None,
        lng: float | None,
        address: str | None,
        type: str | None,
        notes: str | None,
        tags: Json | Jsonb | None,
        visited_at: datetime | None,
    ) -> SavedLocation | None:
        """Changes the named columns of a user's place, and no other."""

    def metric_insert_many(
        self,
        executor: Executor,
        /,
        *,
        queries: list[str] | list[str | None] | None,
        process: str,
        moment: datetime,
        calls: list[int] | list[int | None] | None,
        errors: list[int] | list[int | None] | None,
        row_counts: list[int] | list[int | None] | None,
        totals: list[float] | list[float | None] | None,
        p95s: list[float] | list[float | None] | None,
        longest: list[float] | list[float | None] | None,
    ) -> int:
        """Notes what each query of a process did in a while."""

    def metric_window(
        self,
        executor: Executor,
        /,
        *,
        since: datetime,
    ) -> list[tuple[str, int, int, float, float]]:
        """What each query did since a moment, in all processes, the one that took the longest in all first."""

    def metric_window_cursor(
        self,
        executor: Executor,
        /,
        *,
        since: datetime,
    ) -> AbstractContextManager[_Rows[tuple[str, int, int, float, float]]]:
        """What each query did since a moment, in all processes, the one that took the longest in all first."""

    def permission_insert(
        self,
        executor: Executor,
        /,
        *,
        id: str,
        name: str,
        description: str,
        resource: str,
        action: str,
        conditions: Json | Jsonb,
    ) -> Permission | None:
        """Stores a permission; no row when the id is taken."""

    def permission_list(self, executor: Executor, /) -> list[Permission]:
        """All permissions, by id."""

    def permission_list_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[Permission]]:
        """All permissions, by id."""

    def plan_by_id(
        self,
        executor: Executor,
        /,
        *,
        plan_id: str,
        user_id: str,
    ) -> Plan | None:
        """A plan of a user."""

    def plan_delete(
        self,
        executor: Executor,
        /,
        *,
        plan_id: str,
        user_id: str,
    ) -> int:
        """Deletes a plan of a user."""

    def plan_insert(
        self,
        executor: Executor,
        /,
        *,
        id: str,
        user_id: str,
        title: str,
        description: str,
        location: Json | Jsonb | None,
        start_time: datetime,
        end_time: datetime,
        activities: Json | Jsonb,
        preferences: Json | Jsonb,
    ) -> Plan | None:
        """Stores a plan; no row when the id is taken."""

    def plan_list(
        self,
        executor: Executor,
        /,
        *,
        user_id: str,
        status: str | None,
        before_created_at: datetime | None,
        before_id: str | None,
        row_limit: int | None,
    ) -> list[Plan]:
        """Plans of a user, newest first, from before a known plan or from the newest."""

    def plan_list_cursor(
        self,
        executor: Executor,
        /,
        *,
        user_id: str,
        status: str | None,
        before_created_at: datetime | None,
        before_id: str | None,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[Plan]]:
        """Plans of a user, newest first, from before a known plan or from the newest."""

    def plan_update(
        self,
        executor: Executor,
        /,
        *,
        plan_id: str,
        user_id: str,
        changed: list[str] | list[str | None] | None,
        title: str | None,
        description: str | None,
        location: Json | Jsonb | None,
        start_time: datetime | None,
        end_time: datetime | None,
        activities: Json | Jsonb | None,
        preferences: Json | Jsonb | None,
        status: str | None,
        expected_at: datetime | None,
    ) -> Plan | None:
        """Changes the named columns of a user's plan, and no other: two writers of different columns both win. No row when
        there is no such plan of the user, or it was changed since the expected moment."""

    def policy_list(self, executor: Executor, /) -> list[RetentionPolicy]:
        """How long each table is kept."""

    def policy_list_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[RetentionPolicy]]:
        """How long each table is kept."""

    def policy_update(
        self,
        executor: Executor,
        /,
        *,
        table_name: str,
        keep_days: int | None,
        archive: bool | None,
        storage_class: str | None,
        enabled: bool | None,
    ) -> RetentionPolicy | None:
        """Changes what is given of a table's policy."""

    def profile_by_user(
        self,
        executor: Executor,
        /,
        *,
        user_id: str,
    ) -> UserProfile | None:
        """The profile of a user."""

    def profile_insert(
        self,
        executor: Executor,
        /,
        *,
        user_id: str,
        first_name: str,
        last_name: str,
        avatar: str | None,
        timezone: str,
        preferences: Json | Jsonb,
        settings: Json | Jsonb,
    ) -> UserProfile:
        """Stores the profile of a new user."""

    def profile_update(
        self,
        executor: Executor,
        /,
        *,
        user_id: str,
        changed: list[str] | list[str | None] | None,
        first_name: str | None,
        last_name: str | None,
        avatar: str | None,
        timezone: str | None,
        preferences: Json | Jsonb | None,
        settings: Json | Jsonb | None,
        expected_at: datetime | None,
    ) -> UserProfile | None:
        """Changes the named columns of a profile, and no other: two writers of different columns both win. No row when there is
        no such profile, or it was changed since the expected moment."""

    def rate_limit_clean(
        self,
        executor: Executor,
        /,
        *,
        row_limit: int | None,
    ) -> int:
        """Deletes a portion of the states that have no meaning any more."""

    def rate_limit_delete(
        self,
        executor: Executor,
        /,
        *,
        limit_id: str,
    ) -> int:
        """Deletes a limit."""

    def rate_limit_hit(
        self,
        executor: Executor,
        /,
        *,
        limit_keys: list[str] | list[str | None] | None,
        algorithms: list[str] | list[str | None] | None,
        requests: list[int] | list[int | None] | None,
        windows: list[int] | list[int | None] | None,
        blocks: list[int] | list[int | None] | None,
        cost: int | None,
    ) -> list[tuple[bool | None, int | None, int | None, int | None]]:
        """Uses some of several limits, of all or of none; see the function. Microseconds."""

    def rate_limit_hit_cursor(
        self,
        executor: Executor,
        /,
        *,
        limit_keys: list[str] | list[str | None] | None,
        algorithms: list[str] | list[str | None] | None,
        requests: list[int] | list[int | None] | None,
        windows: list[int] | list[int | None] | None,
        blocks: list[int] | list[int | None] | None,
        cost: int | None,
    ) -> AbstractContextManager[_Rows[tuple[bool | None, int | None, int | None, int | None]]]:
        """Uses some of several limits, of all or of none; see the function. Microseconds."""

    def rate_limit_list(self, executor: Executor, /) -> list[RateLimit]:
        """All limits, by priority."""

    def rate_limit_list_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[RateLimit]]:
        """All limits, by priority."""

    def rate_limit_reset(
        self,
        executor: Executor,
        /,
        *,
        limit_keys: list[str] | list[str | None],
    ) -> int:
        """Forgets what was used."""

    def rate_limit_upsert(
        self,
        executor: Executor,
        /,
        *,
        id: str,
        name: str,
        algorithm: str,
        requests: int,
        window_ms: int,
        scope: str,
        endpoints: list[str] | list[str | None],
        methods: list[str] | list[str | None],
        action: str,
        block_ms: int,
        enabled: bool,
        priority: int,
        on_failure: str,
        on_failure_last: str,
    ) -> RateLimit:
        """Stores a limit, also in place of the one with its id."""

    def retention_aside(
        self,
        executor: Executor,
        /,
        *,
        table_name: str | None,
    ) -> list[tuple[str, datetime | None, datetime]]:
        """What was set aside of a table and is still there, oldest first. Its comment says so, as that of a partition which
        surf-data maintain has detached."""

    def retention_aside_cursor(
        self,
        executor: Executor,
        /,
        *,
        table_name: str | None,
    ) -> AbstractContextManager[_Rows[tuple[str, datetime | None, datetime]]]:
        """What was set aside of a table and is still there, oldest first. Its comment says so, as that of a partition which
        surf-data maintain has detached."""

    def retention_commands(
        self,
        executor: Executor,
        /,
        *,
        table_name: str | None,
        relation_name: str | None,
        time_column: str | None,
        owner_column: str | None,
        before: datetime | None,
        batch: int | None,
    ) -> tuple[list[str | None], str, list[str | None], str, str, str, str, str, str, str] | None:
        """The commands for a table and what is set aside of it. Rows are expired when they are from before a moment and
        neither a legal hold nor a row of another table refers to them, unless such rows go with them by ON DELETE CASCADE.
        Holds are read first, for a cluster has them elsewhere."""

    def retention_configure(self, executor: Executor, /) -> str:
        """Has values written as text mean the same in every session: CSV is text."""

    def retention_days_ago(
        self,
        executor: Executor,
        /,
        *,
        days: int | None,
    ) -> datetime:
        """The moment so many days of 24 hours ago by the server's clock: that of another machine, if it is wrong, would have rows
        expire early."""

    def retention_drop_lock(self, executor: Executor, /) -> str | None:
        """Waits until no table that was set aside is between its last look for holds and its end."""

    def retention_drop_unlock(self, executor: Executor, /) -> bool:
        """Lets holds be placed again."""

    def retention_drop_wait(self, executor: Executor, /) -> str | None:
        """In a transaction: waits until what is being dropped is gone."""

    def retention_last_run(self, executor: Executor, /) -> tuple[int, datetime, datetime, Any] | None:
        """The newest run."""

    def retention_lock(self, executor: Executor, /) -> bool:
        """Lets one run at a time of this database set rows aside and drop them; null when another one is under way."""

    def retention_log_insert(
        self,
        executor: Executor,
        /,
        *,
        started_at: datetime,
        summary: Json | Jsonb,
    ) -> int:
        """Notes what a run did."""

    def retention_overdue_days(self, executor: Executor, /) -> float:
        """For how many days the oldest partition of locations that should be gone is overdue, set aside or not. The catalog says
        so: no row is read."""

    def retention_restore_commands(
        self,
        executor: Executor,
        /,
        *,
        table_name: str | None,
        columns: list[str] | list[str | None] | None,
        stamp: str | None,
    ) -> tuple[str, str, str, str]:
        """The commands that restore rows of a table into a table of their own, which is never the live one."""

    def retention_unlock(self, executor: Executor, /) -> bool:
        """Lets another run begin, at once and not only when the connection is gone."""

    def role_assign(
        self,
        executor: Executor,
        /,
        *,
        user_id: str,
        role_id: str,
        scope: str,
        assigned_by: str | None,
        expires_at: datetime | None,
        conditions: Json | Jsonb,
    ) -> int:
        """Gives a user a role; again, it replaces what was given."""

    def role_by_id(
        self,
        executor: Executor,
        /,
        *,
        role_id: str,
    ) -> Role | None:
        """A role with its permissions and the roles that it inherits."""

    def role_delete(
        self,
        executor: Executor,
        /,
        *,
        role_id: str,
    ) -> int:
        """Deletes a role; refused by its foreign keys while it is assigned or inherited."""

    def role_inherits_cycle(
        self,
        executor: Executor,
        /,
        *,
        role_id: str | None,
    ) -> bool:
        """Whether a role inherits itself, by whatever way."""

    def role_insert(
        self,
        executor: Executor,
        /,
        *,
        id: str,
        name: str,
        description: str,
        scope: str,
        metadata: Json | Jsonb,
    ) -> int:
        """Stores a role; no row when the id is taken."""

    def role_lock(self, executor: Executor, /) -> str | None:
        """Lets one transaction at a time change which role inherits which."""

    def role_of_user(
        self,
        executor: Executor,
        /,
        *,
        user_id: str,
    ) -> list[Assignment]:
        """Roles that a user has now, and where."""

    def role_of_user_cursor(
        self,
        executor: Executor,
        /,
        *,
        user_id: str,
    ) -> AbstractContextManager[_Rows[Assignment]]:
        """Roles that a user has now, and where."""

    def role_revoke(
        self,
        executor: Executor,
        /,
        *,
        user_id: str,
        role_id: str,
        scope: str | None,
    ) -> int:
        """Takes a role from a user: in one scope, or in all."""

    def role_set_inherited(
        self,
        executor: Executor,
        /,
        *,
        role_id: str,
        inherited: list[str] | list[str | None] | None,
    ) -> int:
        """Makes a role inherit these roles as well."""

    def role_set_permissions(
        self,
        executor: Executor,
        /,
        *,
        role_id: str,
        permissions: list[str] | list[str | None] | None,
    ) -> int:
        """Gives a role these permissions as well."""

    def role_unset_inherited(
        self,
        executor: Executor,
        /,
        *,
        role_id: str,
        inherited: list[str] | list[str | None] | None,
    ) -> int:
        """Leaves a role these inherited roles alone."""

    def role_unset_permissions(
        self,
        executor: Executor,
        /,
        *,
        role_id: str,
        permissions: list[str] | list[str | None] | None,
    ) -> int:
        """Leaves a role these permissions alone."""

    def role_update(
        self,
        executor: Executor,
        /,
        *,
        role_id: str,
        changed: list[str] | list[str | None] | None,
        name: str | None,
        description: str | None,
        scope: str | None,
        metadata: Json | Jsonb | None,
    ) -> int:
        """Changes the named columns of a role, and no other."""

    def session_clean(
        self,
        executor: Executor,
        /,
        *,
        row_limit: int | None,
    ) -> int:
        """Deletes a portion of the sessions that have expired; what another process is deleting is left to it."""

    def session_create(
        self,
        executor: Executor,
        /,
        *,
        session_hash: str,
        user_id: str,
        data: Json | Jsonb,
        seconds: float | None,
    ) -> int:
        """Begins a session that holds data."""

    def session_destroy(
        self,
        executor: Executor,
        /,
        *,
        session_hash: str,
    ) -> int:
        """Ends a session."""

    def session_destroy_all(
        self,
        executor: Executor,
        /,
        *,
        user_id: str | None,
    ) -> int:
        """Ends all sessions of a user, of both kinds; returns how many."""

    def session_get(
        self,
        executor: Executor,
        /,
        *,
        session_hash: str,
    ) -> UserSession | None:
        """A session that has not expired."""

    def traffic_clean(
        self,
        executor: Executor,
        /,
        *,
        row_limit: int | None,
    ) -> int:
        """Deletes a portion of the expired traffic; what another process is deleting is left to it."""

    def traffic_delete(
        self,
        executor: Executor,
        /,
        *,
        cache_key: str,
    ) -> int:
        """Deletes what is known of traffic under a key."""

    def traffic_read(
        self,
        executor: Executor,
        /,
        *,
        cache_key: str,
    ) -> tuple[Any, float | None] | None:
        """The traffic under a key, and the seconds it is still good for."""

    def traffic_upsert(
        self,
        executor: Executor,
        /,
        *,
        cache_key: str,
        data: Json | Jsonb,
        seconds: float | None,
    ) -> int:
        """Stores traffic under a key for a while."""

    def usage_daily(
        self,
        executor: Executor,
        /,
        *,
        since: datetime | None,
        until: datetime | None,
    ) -> list[UsageCount]:
        """What happened between two moments, by type and hour: events, and users. First by user, which a cluster does in each
        shard."""

    def usage_daily_cursor(
        self,
        executor: Executor,
        /,
        *,
        since: datetime | None,
        until: datetime | None,
    ) -> AbstractContextManager[_Rows[UsageCount]]:
        """What happened between two moments, by type and hour: events, and users. First by user, which a cluster does in each
        shard."""

    def usage_insert(
        self,
        executor: Executor,
        /,
        *,
        id: str,
        user_id: str,
        event_type: str,
        event_data: Json | Jsonb,
        session_id: str | None,
        user_agent: str | None,
    ) -> UsageEvent:
        """Records an event, now."""

    def usage_insert_many(
        self,
        executor: Executor,
        /,
        *,
        ids: list[str] | list[str | None] | None,
        user_ids: list[str] | list[str | None] | None,
        event_types: list[str] | list[str | None] | None,
        documents: list[Json | Jsonb] | list[Json | Jsonb | None] | None,
        session_ids: list[str] | list[str | None] | None,
        user_agents: list[str] | list[str | None] | None,
    ) -> int:
        """Records many events, now."""

    def usage_of_user(
        self,
        executor: Executor,
        /,
        *,
        user_id: str,
        since: datetime,
        until: datetime,
    ) -> list[UsageEvent]:
        """Events of a user between two moments, oldest first."""

    def usage_of_user_cursor(
        self,
        executor: Executor,
        /,
        *,
        user_id: str,
        since: datetime,
        until: datetime,
    ) -> AbstractContextManager[_Rows[UsageEvent]]:
        """Events of a user between two moments, oldest first."""

    def user_by_email(
        self,
        executor: Executor,
        /,
        *,
        email_key: str,
    ) -> User | None:
        """The user with an e-mail address, in the spelling under which it is found."""

    def user_by_id(
        self,
        executor: Executor,
        /,
        *,
        user_id: str,
    ) -> User | None:
        """A user."""

    def user_insert(
        self,
        executor: Executor,
        /,
        *,
        id: str,
        email: str,
        email_key: str,
        username: str,
        username_key: str,
        password_hash: str,
    ) -> User | None:
        """Registers a user; no row when the id is taken. A taken e-mail address or username violates its constraint."""

    def user_password_hash(
        self,
        executor: Executor,
        /,
        *,
        email_key: str,
    ) -> str | None:
        """The password hash of an active user, to be compared in constant time by the caller."""

    def user_touch(
        self,
        executor: Executor,
        /,
        *,
        user_id: str,
    ) -> int:
        """Notes that a user was active, once a day at the most: retention counts in years."""

    def user_update(
        self,
        executor: Executor,
        /,
        *,
        user_id: str,
        changed: list[str] | list[str | None] | None,
        email: str | None,
        email_key: str | None,
        username: str | None,
        username_key: str | None,
        password_hash: str | None,
        is_active: bool | None,
        email_verified: bool | None,
        last_login_at: datetime | None,
        expected_at: datetime | None,
    ) -> User | None:
        """Changes the named columns of a user, and no other: two writers of different columns both win. No row when there is no
        such user, or it was changed since the expected moment. A user that is activated or logs in was active now."""

    def weather_clean(
        self,
        executor: Executor,
        /,
        *,
        row_limit: int | None,
    ) -> int:
        """Deletes a portion of the expired weather; what another process is deleting is left to it."""

    def weather_delete(
        self,
        executor: Executor,
        /,
        *,
        cache_key: str,
    ) -> int:
        """Deletes what is known of weather under a key."""

    def weather_read(
        self,
        executor: Executor,
        /,
        *,
        cache_key: str,
    ) -> tuple[Any, float | None] | None:
        """The weather under a key, and the seconds it is still good for."""

    def weather_upsert(
        self,
        executor: Executor,
        /,
        *,
        cache_key: str,
        data: Json | Jsonb,
        seconds: float | None,
    ) -> int:
        """Stores weather under a key for a while."""

def daylight_queries() -> _DaylightQueries: ...
