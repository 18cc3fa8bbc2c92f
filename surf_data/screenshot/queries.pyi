"""The queries of surf_data.screenshot.queries, as PostgreSQL sees them. Written by surf-data stubs; not to be edited."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Any, Generic, TypeVar
from uuid import UUID

from psycopg.types.json import Jsonb
from surf_data.kernel.postgres import CopyWriter, Executor, Json, Stream
from surf_data.kernel.sealing import Seal
from surf_data.screenshot.audit_log import AuditLog
from surf_data.screenshot.generated_code import CodeSummary, CodeUsage, GeneratedCode
from surf_data.screenshot.generated_image import GeneratedImage
from surf_data.screenshot.project import Project
from surf_data.screenshot.rows import ProjectWithCode, StorageUsage, StoredObject
from surf_data.screenshot.session import Session
from surf_data.screenshot.user import User

_Row = TypeVar("_Row")

class _Rows(Stream, Generic[_Row]):
    def __iter__(self) -> Iterator[_Row]: ...

class _ScreenshotQueries:
    def audit_by_correlation_id(
        self,
        executor: Executor,
        /,
        *,
        correlation_id: str,
        row_limit: int | None,
    ) -> list[AuditLog]:
        """What happened in one request, in order."""

    def audit_by_correlation_id_cursor(
        self,
        executor: Executor,
        /,
        *,
        correlation_id: str,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[AuditLog]]:
        """What happened in one request, in order."""

    def audit_copy(self, executor: Executor, /) -> AbstractContextManager[CopyWriter]:
        """Takes many entries at once, in COPY's binary format."""

    def audit_history(
        self,
        executor: Executor,
        /,
        *,
        user_id: UUID,
        after_created_at: datetime | None,
        after_id: UUID | None,
        row_limit: int | None,
    ) -> list[AuditLog]:
        """What a user did, the newest first, from behind a known entry on."""

    def audit_history_cursor(
        self,
        executor: Executor,
        /,
        *,
        user_id: UUID,
        after_created_at: datetime | None,
        after_id: UUID | None,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[AuditLog]]:
        """What a user did, the newest first, from behind a known entry on."""

    def audit_insert(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
        action: str,
        level: str,
        category: str,
        description: str,
        details: str | None,
        resource_type: str | None,
        resource_id: str | None,
        old_values: Json | Jsonb | None,
        new_values: Json | Jsonb | None,
        context: Json | Jsonb | None,
        metadata: Json | Jsonb | None,
        ip_address: IPv4Address | IPv6Address | IPv4Interface | IPv6Interface | None,
        user_agent: str | None,
        session_id: str | None,
        correlation_id: str | None,
        source: str | None,
        is_success: bool,
        error_message: str | None,
        duration: int | None,
        user_id: UUID | None,
        user_digest: bytes | None,
    ) -> datetime:
        """Adds an entry of now; its time."""

    def audit_insert_many(
        self,
        executor: Executor,
        /,
        *,
        ids: list[UUID] | list[UUID | None] | None,
        actions: list[str] | list[str | None] | None,
        levels: list[str] | list[str | None] | None,
        categories: list[str] | list[str | None] | None,
        descriptions: list[str] | list[str | None] | None,
        details_list: list[str] | list[str | None] | None,
        resource_types: list[str] | list[str | None] | None,
        resource_ids: list[str] | list[str | None] | None,
        old_values_list: list[Json | Jsonb] | list[Json | Jsonb | None] | None,
        new_values_list: list[Json | Jsonb] | list[Json | Jsonb | None] | None,
        contexts: list[Json | Jsonb] | list[Json | Jsonb | None] | None,
        metadatas: list[Json | Jsonb] | list[Json | Jsonb | None] | None,
        ip_addresses: list[IPv4Address | IPv6Address | IPv4Interface | IPv6Interface] | list[IPv4Address | IPv6Address | IPv4Interface | IPv6Interface | None] | None,
        user_agents: list[str] | list[str | None] | None,
        session_ids: list[str] | list[str | None] | None,
        correlation_ids: list[str] | list[str | None] | None,
        sources: list[str] | list[str | None] | None,
        successes: list[bool] | list[bool | None] | None,
        error_messages: list[str] | list[str | None] | None,
        durations: list[int] | list[int | None] | None,
        user_ids: list[UUID] | list[UUID | None] | None,
        user_digests: list[bytes] | list[bytes | None] | None,
        created_ats: list[datetime] | list[datetime | None] | None,
    ) -> int:
        """Adds entries of moments, except those that are there already; an array for each column."""

    def audit_insert_once(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
        action: str,
        level: str,
        category: str,
        description: str,
        details: str | None,
        resource_type: str | None,
        resource_id: str | None,
        old_values: Json | Jsonb | None,
        new_values: Json | Jsonb | None,
        context: Json | Jsonb | None,
        metadata: Json | Jsonb | None,
        ip_address: IPv4Address | IPv6Address | IPv4Interface | IPv6Interface | None,
        user_agent: str | None,
        session_id: str | None,
        correlation_id: str | None,
        source: str | None,
        is_success: bool,
        error_message: str | None,
        duration: int | None,
        user_id: UUID | None,
        user_digest: bytes | None,
        created_at: datetime,
    ) -> int:
        """Adds an entry of a moment, unless it is there already."""

    def audit_manifest(
        self,
        executor: Executor,
        /,
        *,
        sealed_hour: datetime,
    ) -> bytes | None:
        """For each entry of an hour 32 bytes, in order: its id, and half of the SHA-256 of what it says. A user that was deleted
        since makes no difference; one that was replaced does. Nothing in the text of the row depends on a session's settings,
        as a time and bytes would."""

    def audit_protect_partitions(self, executor: Executor, /) -> int | None:
        """Puts the trigger against TRUNCATE on partitions that lack it; how many they were."""

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

    def audit_search(
        self,
        executor: Executor,
        /,
        *,
        action: str | None,
        level: str | None,
        category: str | None,
        resource_type: str | None,
        resource_id: str | None,
        since: datetime,
        until: datetime,
        after_created_at: datetime | None,
        after_id: UUID | None,
        row_limit: int | None,
    ) -> list[AuditLog]:
        """Entries of a time, the newest first, from behind a known one on; what is null does not count."""

    def audit_search_cursor(
        self,
        executor: Executor,
        /,
        *,
        action: str | None,
        level: str | None,
        category: str | None,
        resource_type: str | None,
        resource_id: str | None,
        since: datetime,
        until: datetime,
        after_created_at: datetime | None,
        after_id: UUID | None,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[AuditLog]]:
        """Entries of a time, the newest first, from behind a known one on; what is null does not count."""

    def code_by_id(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
    ) -> GeneratedCode | None:
        """Code."""

    def code_by_version(
        self,
        executor: Executor,
        /,
        *,
        project_id: UUID,
        version: int,
    ) -> GeneratedCode | None:
        """A version of a project's code."""

    def code_cancel(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
    ) -> int:
        """Cancels what is pending or under way."""

    def code_claim(
        self,
        executor: Executor,
        /,
        *,
        lease_token: UUID | None,
        seconds: int | None,
        row_limit: int | None,
    ) -> list[GeneratedCode]:
        """Takes code to work on, the oldest first: what is pending, and what a worker has not finished in its time.
        Rows that another worker is taking are left to it."""

    def code_claim_cursor(
        self,
        executor: Executor,
        /,
        *,
        lease_token: UUID | None,
        seconds: int | None,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[GeneratedCode]]:
        """Takes code to work on, the oldest first: what is pending, and what a worker has not finished in its time.
        Rows that another worker is taking are left to it."""

    def code_complete(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
        lease_token: UUID | None,
        code: str,
        prompt_tokens: int | None,
        completion_tokens: int | None,
        generation_time_seconds: float | None,
    ) -> int:
        """Completes what is under way; with a lease, only for the worker that holds it."""

    def code_copy(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
    ) -> int:
        """Counts a copy."""

    def code_delete(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
    ) -> int:
        """Removes code. Its version number is not used again."""

    def code_download(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
    ) -> int:
        """Counts a download."""

    def code_fail(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
        lease_token: UUID | None,
        error_message: str | None,
        error_details: Json | Jsonb,
    ) -> int:
        """Gives up what is pending or under way; with a lease, only for the worker that holds it."""

    def code_feedback_merge(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
        changes: Json | Jsonb | None,
    ) -> Any:
        """Merges top-level keys into the feedback; a key whose value is null is removed."""

    def code_history(
        self,
        executor: Executor,
        /,
        *,
        project_id: UUID,
        before_version: int | None,
        row_limit: int | None,
    ) -> list[CodeSummary]:
        """The versions of a project's code without the code, the newest first, from before a version on."""

    def code_history_cursor(
        self,
        executor: Executor,
        /,
        *,
        project_id: UUID,
        before_version: int | None,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[CodeSummary]]:
        """The versions of a project's code without the code, the newest first, from before a version on."""

    def code_insert(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
        name: str | None,
        code: str,
        code_stack: str,
        provider: str,
        model: str,
        status: str,
        generation_type: str,
        original_prompt: str | None,
        revised_prompt: str | None,
        additional_instructions: str | None,
        input_image_url: str | None,
        result_image_url: str | None,
        generation_params: Json | Jsonb,
        temperature: float | None,
        max_tokens: int | None,
        prompt_tokens: int | None,
        completion_tokens: int | None,
        total_tokens: int | None,
        generation_time_seconds: float | None,
        error_message: str | None,
        error_details: Json | Jsonb,
        correlation_id: str | None,
        parent_id: UUID | None,
        is_favorite: bool,
        rating: float | None,
        feedback: Json | Jsonb,
        metrics: Json | Jsonb,
        metadata: Json | Jsonb,
        project_id: UUID,
    ) -> GeneratedCode | None:
        """Stores new code as the next version of its project; no row when there is no such project."""

    def code_latest(
        self,
        executor: Executor,
        /,
        *,
        project_id: UUID,
    ) -> GeneratedCode | None:
        """The newest version of a project's code."""

    def code_metadata_merge(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
        changes: Json | Jsonb | None,
    ) -> Any:
        """Merges top-level keys into the metadata; a key whose value is null is removed."""

    def code_metrics_merge(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
        changes: Json | Jsonb | None,
    ) -> Any:
        """Merges top-level keys into the metrics; a key whose value is null is removed."""

    def code_rate(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
        rating: float | None,
    ) -> int:
        """Rates from 1 to 5."""

    def code_renew(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
        lease_token: UUID,
        seconds: int | None,
    ) -> int:
        """Prolongs the lease of a worker that still holds it."""

    def code_start(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
    ) -> int:
        """Begins without a lease what is pending."""

    def code_toggle_favorite(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
    ) -> bool | None:
        """Turns is_favorite over; what it is now."""

    def code_update(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
        name: str | None,
        code: str,
        code_stack: str,
        provider: str,
        model: str,
        status: str,
        generation_type: str,
        original_prompt: str | None,
        revised_prompt: str | None,
        additional_instructions: str | None,
        input_image_url: str | None,
        result_image_url: str | None,
        generation_params: Json | Jsonb,
        temperature: float | None,
        max_tokens: int | None,
        prompt_tokens: int | None,
        completion_tokens: int | None,
        total_tokens: int | None,
        generation_time_seconds: float | None,
        error_message: str | None,
        error_details: Json | Jsonb,
        correlation_id: str | None,
        parent_id: UUID | None,
        is_favorite: bool,
        rating: float | None,
        feedback: Json | Jsonb,
        metrics: Json | Jsonb,
        metadata: Json | Jsonb,
        seen_at: datetime,
    ) -> GeneratedCode | None:
        """Changes code that has not been changed since it was read; no row otherwise. It stays in its project."""

    def code_usage(
        self,
        executor: Executor,
        /,
        *,
        user_id: UUID,
        since: datetime,
    ) -> CodeUsage:
        """What a user's code has taken since a moment: how many codes, how many tokens, how many seconds."""

    def code_view(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
    ) -> int:
        """Counts a view."""

    def image_by_id(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
    ) -> GeneratedImage | None:
        """An image."""

    def image_cancel(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
    ) -> int:
        """Cancels what is pending or under way."""

    def image_claim(
        self,
        executor: Executor,
        /,
        *,
        lease_token: UUID | None,
        seconds: int | None,
        row_limit: int | None,
    ) -> list[GeneratedImage]:
        """Takes images to work on, the oldest first: what is pending, and what a worker has not finished in its time.
        Rows that another worker is taking are left to it."""

    def image_claim_cursor(
        self,
        executor: Executor,
        /,
        *,
        lease_token: UUID | None,
        seconds: int | None,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[GeneratedImage]]:
        """Takes images to work on, the oldest first: what is pending, and what a worker has not finished in its time.
        Rows that another worker is taking are left to it."""

    def image_complete(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
        lease_token: UUID | None,
        image_url: str | None,
        storage_id: str | None,
        storage_url: str | None,
        mime_type: str | None,
        file_size: int | None,
        width: int | None,
        height: int | None,
    ) -> int:
        """Completes what is under way; with a lease, only for the worker that holds it."""

    def image_delete(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
    ) -> int:
        """Removes an image. What is stored of it in object storage is deleted by its path."""

    def image_download(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
    ) -> int:
        """Counts a download."""

    def image_fail(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
        lease_token: UUID | None,
        error_message: str | None,
        error_details: Json | Jsonb,
    ) -> int:
        """Gives up what is pending or under way; with a lease, only for the worker that holds it."""

    def image_feedback_merge(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
        changes: Json | Jsonb | None,
    ) -> Any:
        """Merges top-level keys into the feedback; a key whose value is null is removed."""

    def image_insert(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
        name: str | None,
        prompt: str,
        revised_prompt: str | None,
        provider: str,
        model: str,
        status: str,
        size: str,
        quality: str | None,
        style: str | None,
        seed: int | None,
        image_url: str | None,
        image_base64: str | None,
        thumbnail_url: str | None,
        storage_url: str | None,
        storage_id: str | None,
        mime_type: str | None,
        file_size: int | None,
        width: int | None,
        height: int | None,
        generation_params: Json | Jsonb,
        generation_time_seconds: float | None,
        error_message: str | None,
        error_details: Json | Jsonb,
        correlation_id: str | None,
        is_favorite: bool,
        rating: float | None,
        feedback: Json | Jsonb,
        image_metadata: Json | Jsonb,
        metadata: Json | Jsonb,
        project_id: UUID,
    ) -> GeneratedImage:
        """Stores a new image."""

    def image_list(
        self,
        executor: Executor,
        /,
        *,
        project_id: UUID,
        after_created_at: datetime | None,
        after_id: UUID | None,
        row_limit: int | None,
    ) -> list[GeneratedImage]:
        """The images of a project, the newest first, from behind a known one on."""

    def image_list_cursor(
        self,
        executor: Executor,
        /,
        *,
        project_id: UUID,
        after_created_at: datetime | None,
        after_id: UUID | None,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[GeneratedImage]]:
        """The images of a project, the newest first, from behind a known one on."""

    def image_metadata_merge(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
        changes: Json | Jsonb | None,
    ) -> Any:
        """Merges top-level keys into the metadata; a key whose value is null is removed."""

    def image_rate(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
        rating: float | None,
    ) -> int:
        """Rates from 1 to 5."""

    def image_renew(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
        lease_token: UUID,
        seconds: int | None,
    ) -> int:
        """Prolongs the lease of a worker that still holds it."""

    def image_start(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
    ) -> int:
        """Begins without a lease what is pending."""

    def image_toggle_favorite(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
    ) -> bool | None:
        """Turns is_favorite over; what it is now."""

    def image_update(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
        name: str | None,
        prompt: str,
        revised_prompt: str | None,
        provider: str,
        model: str,
        status: str,
        size: str,
        quality: str | None,
        style: str | None,
        seed: int | None,
        image_url: str | None,
        image_base64: str | None,
        thumbnail_url: str | None,
        storage_url: str | None,
        storage_id: str | None,
        mime_type: str | None,
        file_size: int | None,
        width: int | None,
        height: int | None,
        generation_params: Json | Jsonb,
        generation_time_seconds: float | None,
        error_message: str | None,
        error_details: Json | Jsonb,
        correlation_id: str | None,
        is_favorite: bool,
        rating: float | None,
        feedback: Json | Jsonb,
        image_metadata: Json | Jsonb,
        metadata: Json | Jsonb,
        seen_at: datetime,
    ) -> GeneratedImage | None:
        """Changes an image that has not been changed since it was read; no row otherwise. It stays in its project."""

    def image_view(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
    ) -> int:
        """Counts a view."""

    def object_adopt(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
        object_key: str,
        content_type: str,
        size_bytes: int,
        etag: str | None,
    ) -> int:
        """Notes an object that is there, under its key as its path, unless it is known or the path is taken."""

    def object_begin(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
        path: str,
        object_key: str,
        content_type: str,
        metadata: Json | Jsonb,
        user_id: UUID | None,
        project_id: UUID | None,
        expires_in: int | None,
    ) -> int:
        """Notes that an object is about to be stored; committed before it is."""

    def object_by_id(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
    ) -> StoredObject | None:
        """A stored object."""

    def object_by_key(
        self,
        executor: Executor,
        /,
        *,
        object_key: str,
    ) -> StoredObject | None:
        """The stored object of a key."""

    def object_by_path(
        self,
        executor: Executor,
        /,
        *,
        path: str,
    ) -> StoredObject | None:
        """The object of a path."""

    def object_exists(
        self,
        executor: Executor,
        /,
        *,
        path: str | None,
    ) -> bool:
        """Whether there is an object of a path."""

    def object_expire(
        self,
        executor: Executor,
        /,
        *,
        row_limit: int | None,
    ) -> list[tuple[UUID, str]]:
        """Takes objects whose time is over, to be removed. Rows that another clean-up is taking are left to it."""

    def object_expire_cursor(
        self,
        executor: Executor,
        /,
        *,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[tuple[UUID, str]]]:
        """Takes objects whose time is over, to be removed. Rows that another clean-up is taking are left to it."""

    def object_finish(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
        size_bytes: int,
        stored_bytes: int,
        content_encoding: str | None,
        sha256: bytes | None,
        etag: str | None,
        width: int | None,
        height: int | None,
    ) -> StoredObject | None:
        """Makes an object the one of its path, whose former one was released before; no row if clean-up has taken it."""

    def object_forget(
        self,
        executor: Executor,
        /,
        *,
        ids: list[UUID] | list[UUID | None],
    ) -> int:
        """Removes the rows of objects that are gone."""

    def object_known(
        self,
        executor: Executor,
        /,
        *,
        object_keys: list[str] | list[str | None],
    ) -> list[tuple[str]]:
        """Those of some keys that a row has."""

    def object_known_cursor(
        self,
        executor: Executor,
        /,
        *,
        object_keys: list[str] | list[str | None],
    ) -> AbstractContextManager[_Rows[tuple[str]]]:
        """Those of some keys that a row has."""

    def object_list(
        self,
        executor: Executor,
        /,
        *,
        prefix: str,
        after_path: str,
        row_limit: int | None,
    ) -> list[StoredObject]:
        """Objects whose path begins with a text, in the order of their paths, from behind a known one on."""

    def object_list_cursor(
        self,
        executor: Executor,
        /,
        *,
        prefix: str,
        after_path: str,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[StoredObject]]:
        """Objects whose path begins with a text, in the order of their paths, from behind a known one on."""

    def object_metadata(
        self,
        executor: Executor,
        /,
        *,
        path: str,
        metadata: Json | Jsonb,
    ) -> int:
        """Replaces what is noted about an object."""

    def object_path_lock(
        self,
        executor: Executor,
        /,
        *,
        path: str | None,
    ) -> str | None:
        """Waits for others that finish an object of the same path, until the end of the transaction.
        By itself: a lock that is part of the statement would come after its snapshot."""

    def object_release(
        self,
        executor: Executor,
        /,
        *,
        path: str,
    ) -> list[tuple[UUID, str]]:
        """Lets the object of a path go; its id and key, and how many bytes it has."""

    def object_release_cursor(
        self,
        executor: Executor,
        /,
        *,
        path: str,
    ) -> AbstractContextManager[_Rows[tuple[UUID, str]]]:
        """Lets the object of a path go; its id and key, and how many bytes it has."""

    def object_unfinished(
        self,
        executor: Executor,
        /,
        *,
        pending_seconds: int | None,
        row_limit: int | None,
    ) -> list[tuple[UUID, str]]:
        """Takes what is to be removed: what is released, and what was begun so many seconds ago and not finished. Rows that
        another clean-up is taking are left to it."""

    def object_unfinished_cursor(
        self,
        executor: Executor,
        /,
        *,
        pending_seconds: int | None,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[tuple[UUID, str]]]:
        """Takes what is to be removed: what is released, and what was begun so many seconds ago and not finished. Rows that
        another clean-up is taking are left to it."""

    def object_usage(self, executor: Executor, /) -> StorageUsage:
        """How many objects are stored, of how many bytes, and how many rows wait for clean-up."""

    def project_by_id(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
    ) -> Project | None:
        """A project, deleted ones too."""

    def project_generation(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
    ) -> int:
        """Counts a generation."""

    def project_insert(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
        name: str,
        description: str | None,
        status: str,
        type: str,
        original_image: str | None,
        original_image_filename: str | None,
        original_image_size: int | None,
        original_image_mime_type: str | None,
        thumbnail_image: str | None,
        image_metadata: Json | Jsonb,
        settings: Json | Jsonb,
        tags: list[str] | list[str | None],
        metadata: Json | Jsonb,
        instructions: str | None,
        is_public: bool,
        is_favorite: bool,
        user_id: UUID,
    ) -> Project:
        """Stores a new project."""

    def project_list(
        self,
        executor: Executor,
        /,
        *,
        user_id: UUID,
        status: str | None,
        after_updated_at: datetime | None,
        after_id: UUID | None,
        row_limit: int | None,
    ) -> list[Project]:
        """The projects of a user, the last changed first, from behind a known one on; of one status, or all that are not deleted."""

    def project_list_cursor(
        self,
        executor: Executor,
        /,
        *,
        user_id: UUID,
        status: str | None,
        after_updated_at: datetime | None,
        after_id: UUID | None,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[Project]]:
        """The projects of a user, the last changed first, from behind a known one on; of one status, or all that are not deleted."""

    def project_list_by_settings(
        self,
        executor: Executor,
        /,
        *,
        settings: Json | Jsonb,
        user_id: UUID,
        row_limit: int | None,
    ) -> list[Project]:
        """Projects of a user that are not deleted and whose settings contain a document."""

    def project_list_by_settings_cursor(
        self,
        executor: Executor,
        /,
        *,
        settings: Json | Jsonb,
        user_id: UUID,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[Project]]:
        """Projects of a user that are not deleted and whose settings contain a document."""

    def project_list_by_tag(
        self,
        executor: Executor,
        /,
        *,
        tag: str | None,
        user_id: UUID | None,
        row_limit: int | None,
    ) -> list[Project]:
        """Projects with a tag that are not deleted: of a user, or the public ones when user_id is null."""

    def project_list_by_tag_cursor(
        self,
        executor: Executor,
        /,
        *,
        tag: str | None,
        user_id: UUID | None,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[Project]]:
        """Projects with a tag that are not deleted: of a user, or the public ones when user_id is null."""

    def project_list_with_code(
        self,
        executor: Executor,
        /,
        *,
        user_id: UUID,
        row_limit: int | None,
    ) -> list[ProjectWithCode]:
        """The projects of a user that are not deleted, the last changed first, each with its newest code, if there is one."""

    def project_list_with_code_cursor(
        self,
        executor: Executor,
        /,
        *,
        user_id: UUID,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[ProjectWithCode]]:
        """The projects of a user that are not deleted, the last changed first, each with its newest code, if there is one."""

    def project_purge(
        self,
        executor: Executor,
        /,
        *,
        days: int | None,
        row_limit: int | None,
    ) -> int:
        """Removes projects that were deleted so many days ago, with their codes and images; their objects wait for clean-up."""

    def project_restore(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
    ) -> int:
        """Makes a deleted project a draft again."""

    def project_search(
        self,
        executor: Executor,
        /,
        *,
        words: str,
        user_id: UUID | None,
        row_limit: int | None,
    ) -> list[Project]:
        """Projects whose name or description has all words, the best first: of a user, or the public ones when user_id is null.
        Words are as in a search engine, with quotes, OR and a minus; nothing is a syntax error."""

    def project_search_cursor(
        self,
        executor: Executor,
        /,
        *,
        words: str,
        user_id: UUID | None,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[Project]]:
        """Projects whose name or description has all words, the best first: of a user, or the public ones when user_id is null.
        Words are as in a search engine, with quotes, OR and a minus; nothing is a syntax error."""

    def project_settings_merge(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
        changes: Json | Jsonb | None,
    ) -> Any:
        """Merges top-level keys into the settings; a key whose value is null is removed."""

    def project_status(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
        status: str,
    ) -> int:
        """Gives a project another status; deleted is one."""

    def project_tag_add(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
        tag: str | None,
    ) -> int:
        """Gives a project a tag unless it has it."""

    def project_tag_remove(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
        tag: str | None,
    ) -> int:
        """Takes a tag from a project if it has it."""

    def project_toggle_favorite(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
    ) -> bool | None:
        """Turns is_favorite over; what it is now."""

    def project_toggle_public(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
    ) -> bool | None:
        """Turns is_public over; what it is now."""

    def project_update(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
        name: str,
        description: str | None,
        status: str,
        type: str,
        original_image: str | None,
        original_image_filename: str | None,
        original_image_size: int | None,
        original_image_mime_type: str | None,
        thumbnail_image: str | None,
        image_metadata: Json | Jsonb,
        settings: Json | Jsonb,
        tags: list[str] | list[str | None],
        metadata: Json | Jsonb,
        instructions: str | None,
        is_public: bool,
        is_favorite: bool,
        user_id: UUID,
        seen_at: datetime,
    ) -> Project | None:
        """Changes a project that has not been changed since it was read; no row otherwise."""

    def project_view(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
    ) -> int:
        """Counts a view. Not renewing updated_at, it moves no project in its list."""

    def session_by_id(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
    ) -> Session | None:
        """A session, whatever its state."""

    def session_by_session_id(
        self,
        executor: Executor,
        /,
        *,
        session_id: str,
    ) -> Session | None:
        """The session of an active user for a token, unless it has ended."""

    def session_data(
        self,
        executor: Executor,
        /,
        *,
        session_id: str,
        session_data: Json | Jsonb | None,
        expected: Json | Jsonb | None,
    ) -> bool | None:
        """Replaces what a session holds if it is what was read before; null expects nothing. Whether it was replaced; no row
        when there is no such session."""

    def session_expire(
        self,
        executor: Executor,
        /,
        *,
        row_limit: int | None,
    ) -> int:
        """Marks sessions whose time is up as expired."""

    def session_extend(
        self,
        executor: Executor,
        /,
        *,
        session_id: str,
        seconds: int | None,
    ) -> datetime | None:
        """Lets a session that has not ended go on for so many seconds from now; when it ends."""

    def session_insert(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
        seconds: int | None,
        session_id: str,
        type: str,
        ip_address: IPv4Address | IPv6Address | IPv4Interface | IPv6Interface | None,
        user_agent: str | None,
        device_id: str | None,
        device_type: str | None,
        browser: str | None,
        browser_version: str | None,
        operating_system: str | None,
        os_version: str | None,
        country: str | None,
        city: str | None,
        timezone: str | None,
        session_data: Json | Jsonb,
        metadata: Json | Jsonb,
        user_id: UUID | None,
    ) -> Session | None:
        """Begins a session that ends by itself, for an active user; no row for another one."""

    def session_list_active(
        self,
        executor: Executor,
        /,
        *,
        user_id: UUID,
        row_limit: int | None,
    ) -> list[Session]:
        """The sessions of a user that have not ended, the one that ends last first."""

    def session_list_active_cursor(
        self,
        executor: Executor,
        /,
        *,
        user_id: UUID,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[Session]]:
        """The sessions of a user that have not ended, the one that ends last first."""

    def session_purge(
        self,
        executor: Executor,
        /,
        *,
        days: int | None,
        row_limit: int | None,
    ) -> int:
        """Deletes sessions that ended so many days ago."""

    def session_revoke(
        self,
        executor: Executor,
        /,
        *,
        session_id: str,
        reason: str | None,
    ) -> int:
        """Ends a session for good."""

    def session_revoke_all(
        self,
        executor: Executor,
        /,
        *,
        user_id: UUID,
        keep: str | None,
        reason: str | None,
    ) -> list[tuple[str]]:
        """Ends all sessions of a user for good, but for one that is to be kept; the hashes of those that were ended."""

    def session_revoke_all_cursor(
        self,
        executor: Executor,
        /,
        *,
        user_id: UUID,
        keep: str | None,
        reason: str | None,
    ) -> AbstractContextManager[_Rows[tuple[str]]]:
        """Ends all sessions of a user for good, but for one that is to be kept; the hashes of those that were ended."""

    def session_rotate(
        self,
        executor: Executor,
        /,
        *,
        session_id: str,
        new_session_id: str,
    ) -> int:
        """Gives a session that has not ended another token."""

    def session_touch(
        self,
        executor: Executor,
        /,
        *,
        session_id: str,
        requests: int | None,
        every: int,
    ) -> int:
        """Notes that a session is in use, at most once in so many seconds, and counts the requests meanwhile."""

    def statistics_tables(self, executor: Executor, /) -> list[tuple[str, int | None, int | None]]:
        """The tables of the schema, in the order of their names: how many rows the server believes them to have, and their bytes
        with indexes. A table in partitions is the sum of them."""

    def statistics_tables_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[tuple[str, int | None, int | None]]]:
        """The tables of the schema, in the order of their names: how many rows the server believes them to have, and their bytes
        with indexes. A table in partitions is the sum of them."""

    def user_by_azure_id(
        self,
        executor: Executor,
        /,
        *,
        azure_id: str,
    ) -> User | None:
        """The user with an account at Azure."""

    def user_by_email(
        self,
        executor: Executor,
        /,
        *,
        email_key: str,
    ) -> User | None:
        """The user with an e-mail address, in the spelling under which it is found."""

    def user_by_github_id(
        self,
        executor: Executor,
        /,
        *,
        github_id: str,
    ) -> User | None:
        """The user with an account at GitHub."""

    def user_by_google_id(
        self,
        executor: Executor,
        /,
        *,
        google_id: str,
    ) -> User | None:
        """The user with an account at Google."""

    def user_by_id(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
    ) -> User | None:
        """A user."""

    def user_by_preference(
        self,
        executor: Executor,
        /,
        *,
        preference: Json | Jsonb,
        row_limit: int | None,
    ) -> list[User]:
        """Users whose preferences contain a document, in no order."""

    def user_by_preference_cursor(
        self,
        executor: Executor,
        /,
        *,
        preference: Json | Jsonb,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[User]]:
        """Users whose preferences contain a document, in no order."""

    def user_delete(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
    ) -> int:
        """Deletes a user with all projects, codes, images and sessions. Stored objects and audit entries stay without it."""

    def user_insert(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
        email: str,
        email_key: str,
        first_name: str,
        last_name: str,
        display_name: str | None,
        avatar: str | None,
        password_hash: str | None,
        status: str,
        role: str,
        auth_provider: str,
        azure_id: str | None,
        google_id: str | None,
        github_id: str | None,
        email_verified: bool,
        preferences: Json | Jsonb,
        metadata: Json | Jsonb,
    ) -> User:
        """Stores a new user."""

    def user_list(
        self,
        executor: Executor,
        /,
        *,
        status: str | None,
        after_created_at: datetime | None,
        after_id: UUID | None,
        row_limit: int | None,
    ) -> list[User]:
        """Users, the oldest first, from behind a known one on; of one status, or all when status is null."""

    def user_list_cursor(
        self,
        executor: Executor,
        /,
        *,
        status: str | None,
        after_created_at: datetime | None,
        after_id: UUID | None,
        row_limit: int | None,
    ) -> AbstractContextManager[_Rows[User]]:
        """Users, the oldest first, from behind a known one on; of one status, or all when status is null."""

    def user_login(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
        ip_address: IPv4Address | IPv6Address | IPv4Interface | IPv6Interface | None,
        user_agent: str | None,
    ) -> int:
        """Counts a login. Not renewing updated_at, it is no change that a save could lose."""

    def user_metadata_merge(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
        changes: Json | Jsonb | None,
    ) -> Any:
        """Merges top-level keys into the metadata; a key whose value is null is removed."""

    def user_password_hash(
        self,
        executor: Executor,
        /,
        *,
        email_key: str,
    ) -> str | None:
        """What the password of an active user with an e-mail address is compared with."""

    def user_preferences_merge(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
        changes: Json | Jsonb | None,
    ) -> Any:
        """Merges top-level keys into the preferences; a key whose value is null is removed."""

    def user_reset_begin(
        self,
        executor: Executor,
        /,
        *,
        email_key: str,
        token: str | None,
        seconds: int | None,
    ) -> int:
        """Stores the hash of a token with which an active user may choose another password."""

    def user_reset_finish(
        self,
        executor: Executor,
        /,
        *,
        token: str,
        password_hash: str | None,
    ) -> UUID | None:
        """Replaces the password hash for a token that has not expired, once; the id of the user."""

    def user_status(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
        status: str,
    ) -> int:
        """Gives a user another status."""

    def user_update(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
        email: str,
        email_key: str,
        first_name: str,
        last_name: str,
        display_name: str | None,
        avatar: str | None,
        password_hash: str | None,
        status: str,
        role: str,
        auth_provider: str,
        azure_id: str | None,
        google_id: str | None,
        github_id: str | None,
        email_verified: bool,
        preferences: Json | Jsonb,
        metadata: Json | Jsonb,
        seen_at: datetime,
    ) -> User | None:
        """Changes a user that has not been changed since it was read; no row otherwise. Without a password hash the
        stored one stays."""

    def user_verification_begin(
        self,
        executor: Executor,
        /,
        *,
        id: UUID,
        token: str | None,
        seconds: int | None,
    ) -> int:
        """Stores the hash of a token that shows that an e-mail address is the user's."""

    def user_verification_finish(
        self,
        executor: Executor,
        /,
        *,
        token: str,
    ) -> UUID | None:
        """Marks the e-mail address as verified for a token that has not expired, once; the id of the user."""

def screenshot_queries() -> _ScreenshotQueries: ...
