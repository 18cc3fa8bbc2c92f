"""The rows of the domain's statements that are no entities: a field for each column, in the order of the columns."""

from datetime import datetime
from typing import Any
from uuid import UUID

import attrs


@attrs.frozen
class ProjectWithCode:
    """A project and its newest code, if there is one."""

    id: UUID
    name: str
    status: str
    type: str
    updated_at: datetime
    code_id: UUID | None
    version: int | None
    code_status: str | None
    code_stack: str | None
    provider: str | None
    code: str | None


@attrs.frozen
class StoredObject:
    """An object in storage."""

    id: UUID
    #: What callers call it.
    path: str
    #: What the store calls it: made of its id, and used once.
    object_key: str
    #: ``stored``.
    status: str
    content_type: str
    #: ``gzip`` if the store has it compressed.
    content_encoding: str | None
    #: Bytes of the content.
    size_bytes: int
    #: Bytes of what is stored.
    stored_bytes: int
    #: Of the content; ``None`` for an object that was adopted.
    sha256: bytes | None
    etag: str | None
    #: Pixels, of an image.
    width: int | None
    height: int | None
    metadata: dict[str, Any]
    user_id: UUID | None
    project_id: UUID | None
    created_at: datetime
    stored_at: datetime | None
    #: When clean-up removes it.
    delete_after: datetime | None


@attrs.frozen
class StorageUsage:
    """What is in storage."""

    objects: int
    bytes: int
    #: Rows that wait for clean-up.
    unfinished: int
