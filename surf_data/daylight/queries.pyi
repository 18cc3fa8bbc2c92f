"""The queries of surf_data.daylight.queries, as PostgreSQL sees them. Written by surf-data stubs; not to be edited."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Generic, TypeVar

from psycopg.types.json import Jsonb
from surf_data.daylight.records import HistoryDay, HistoryEntry, Plan, User, UserProfile
from surf_data.kernel.postgres import CopyWriter, Executor, Json, Stream

_Row = TypeVar("_Row")

class _Rows(Stream, Generic[_Row]):
    def __iter__(self) -> Iterator[_Row]: ...

class _DaylightQueries:
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
        """Deletes an entry of a user, unless it is under a legal hold."""

    def history_delete_range(
        self,
        executor: Executor,
        /,
        *,
        user_id: str | None,
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
    ) -> HistoryEntry | None:
        """Stores an entry; no row when there is one with this id and time."""

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
        """Stores those of many entries that are not there yet, for an upload that is repeated; returns how many."""

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

    def plan_delete_all(
        self,
        executor: Executor,
        /,
        *,
        user_id: str,
    ) -> int:
        """Deletes the plans of a user, for erasure."""

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

    def user_delete(
        self,
        executor: Executor,
        /,
        *,
        user_id: str,
    ) -> int:
        """Deletes a user with sessions, roles and keys; what else is the user's is deleted before."""

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
        such user, or it was changed since the expected moment. Whoever is activated or logs in was active now."""

def daylight_queries() -> _DaylightQueries: ...
