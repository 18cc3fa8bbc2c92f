"""Projects."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import attrs

from surf_data.kernel.validation import text
from surf_data.screenshot import fields
from surf_data.screenshot.entities import Entity, Style, stored
from surf_data.screenshot.enums import ProjectStatus, ProjectType

_PUBLIC = (
    "id", "name", "description", "type", "thumbnail_image", "tags", "view_count", "created_at", "updated_at"
)  # fmt: skip


@attrs.define
class Project(Entity):
    """A project: what a user makes of a screenshot."""

    id: UUID | None = fields.uuid()
    name: str = fields.text(255, "", required=True)
    description: str | None = fields.text(10_000)
    status: ProjectStatus = fields.choice(ProjectStatus, ProjectStatus.DRAFT)
    type: ProjectType = fields.choice(ProjectType, ProjectType.WEBSITE)
    #: A path in storage, a URL, or base64 of up to 1,000,000 characters; what is larger belongs into storage.
    original_image: str | None = fields.text(1_000_000)
    original_image_filename: str | None = fields.text(255)
    #: Bytes.
    original_image_size: int | None = fields.integer()
    original_image_mime_type: str | None = fields.text(50)
    thumbnail_image: str | None = fields.text(1_000_000)
    image_metadata: dict[str, Any] = fields.document()
    settings: dict[str, Any] = fields.document()
    tags: list[str] = fields.tags()
    metadata: dict[str, Any] = fields.document()
    instructions: str | None = fields.text(100_000)
    is_public: bool = fields.flag()
    is_favorite: bool = fields.flag()
    view_count: int = fields.integer(0)
    generation_count: int = fields.integer(0)
    last_generated_at: datetime | None = fields.moment()
    last_viewed_at: datetime | None = fields.moment()
    user_id: UUID | None = fields.uuid(required=True)
    deleted_at: datetime | None = fields.moment()
    created_at: datetime | None = fields.moment()
    updated_at: datetime | None = fields.moment()

    @property
    def is_active(self) -> bool:
        """Whether it is being worked on."""
        return self.status is ProjectStatus.ACTIVE

    @property
    def is_draft(self) -> bool:
        """Whether it has only begun."""
        return self.status is ProjectStatus.DRAFT

    @property
    def is_completed(self) -> bool:
        """Whether it is done."""
        return self.status is ProjectStatus.COMPLETED

    @property
    def is_archived(self) -> bool:
        """Whether it is put away."""
        return self.status is ProjectStatus.ARCHIVED

    @property
    def is_deleted(self) -> bool:
        """Whether it was deleted, and is kept for a while."""
        return self.status is ProjectStatus.DELETED

    @property
    def has_original_image(self) -> bool:
        """Whether there is a screenshot."""
        return bool(self.original_image)

    @property
    def has_thumbnail(self) -> bool:
        """Whether there is a small picture of it."""
        return bool(self.thumbnail_image)

    def update_view(self) -> None:
        """Count a view in this object; `ProjectRepository.record_view` does it in the row."""
        self.view_count += 1
        self.last_viewed_at = datetime.now(UTC)

    def update_generation(self) -> None:
        """Count a generation in this object; `ProjectRepository.record_generation` does it in the row."""
        self.generation_count += 1
        self.last_generated_at = datetime.now(UTC)

    def add_tag(self, tag: str) -> None:
        """Add a tag unless it is there."""
        self.tags = [*self.tags, tag]

    def remove_tag(self, tag: str) -> None:
        """Remove a tag if it is there."""
        self.tags = [each for each in self.tags if each != tag]

    def has_tag(self, tag: str) -> bool:
        """Return whether there is a tag."""
        return text("tag", tag, maximum=100) in self.tags

    def get_setting(self, key: str, default: Any = None) -> Any:
        """Return a setting; the default where there is none, or null."""
        return stored(self.settings, key, default)

    def set_setting(self, key: str, value: Any) -> None:
        """Set a setting in this object."""
        self.settings = {**self.settings, key: value}

    def mark_as_active(self) -> None:
        """Mark it as being worked on."""
        self.status = ProjectStatus.ACTIVE

    def mark_as_completed(self) -> None:
        """Mark it as done."""
        self.status = ProjectStatus.COMPLETED

    def mark_as_archived(self) -> None:
        """Mark it as put away."""
        self.status = ProjectStatus.ARCHIVED

    def mark_as_deleted(self) -> None:
        """Mark it as deleted."""
        self.status = ProjectStatus.DELETED

    def toggle_favorite(self) -> None:
        """Turn `is_favorite` over in this object."""
        self.is_favorite = not self.is_favorite

    def toggle_public(self) -> None:
        """Turn `is_public` over in this object."""
        self.is_public = not self.is_public

    def to_public(self, style: Style = "camel") -> dict[str, Any]:
        """Return for JSON what anybody may see."""
        return self.selected(_PUBLIC, style)
