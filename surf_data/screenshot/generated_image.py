"""Generated images: what a model was asked for and what it gave."""

from datetime import datetime
from math import gcd
from typing import Any, ClassVar
from uuid import UUID

import attrs

from surf_data.screenshot import fields
from surf_data.screenshot.entities import Style
from surf_data.screenshot.enums import GenerationStatus, ImageProvider, ImageQuality, ImageSize, ImageStyle
from surf_data.screenshot.generation import Generated

_IMAGE_SUMMARY = (
    "id", "name", "provider", "model", "status", "size", "quality", "style", "width", "height", "file_size",
    "is_favorite", "rating", "view_count", "generation_time_seconds", "created_at", "updated_at",
)  # fmt: skip
_IMAGE_PUBLIC = (
    "id", "name", "provider", "size", "image_url", "thumbnail_url", "width", "height", "view_count", "rating",
    "created_at",
)  # fmt: skip
_KIBI = 1024


@attrs.define
class GeneratedImage(Generated):
    """An image that a model generated for a project."""

    hidden: ClassVar[frozenset[str]] = frozenset({"image_base64"})

    id: UUID | None = fields.uuid()
    name: str | None = fields.text(255)
    prompt: str = fields.text(100_000, "", required=True)
    revised_prompt: str | None = fields.text(100_000)
    provider: ImageProvider | None = fields.choice(ImageProvider, None, required=True)
    model: str = fields.text(100, "")
    status: GenerationStatus = fields.choice(GenerationStatus, GenerationStatus.PENDING)
    size: ImageSize = fields.choice(ImageSize, ImageSize.SQUARE_1024)
    quality: ImageQuality | None = fields.choice(ImageQuality, None)
    style: ImageStyle | None = fields.choice(ImageStyle, None)
    seed: int | None = fields.integer(None, -(2**31))
    image_url: str | None = fields.text(10_000, shown=False)
    image_base64: str | None = fields.text(1_000_000, shown=False)
    thumbnail_url: str | None = fields.text(10_000, shown=False)
    storage_url: str | None = fields.text(10_000, shown=False)
    #: Its path in storage.
    storage_id: str | None = fields.text(255)
    mime_type: str | None = fields.text(50)
    #: Bytes.
    file_size: int | None = fields.integer()
    width: int | None = fields.integer(None, 1)
    height: int | None = fields.integer(None, 1)
    generation_params: dict[str, Any] = fields.document()
    generation_time_seconds: float | None = fields.number(0)
    error_message: str | None = fields.text(10_000)
    error_details: dict[str, Any] = fields.document()
    correlation_id: str | None = fields.text(255)
    is_favorite: bool = fields.flag()
    rating: float | None = fields.number(1, 5)
    feedback: dict[str, Any] = fields.document()
    view_count: int = fields.integer(0)
    download_count: int = fields.integer(0)
    image_metadata: dict[str, Any] = fields.document()
    metadata: dict[str, Any] = fields.document()
    project_id: UUID | None = fields.uuid(required=True)
    started_at: datetime | None = fields.moment()
    completed_at: datetime | None = fields.moment()
    created_at: datetime | None = fields.moment()
    updated_at: datetime | None = fields.moment()

    @property
    def has_image(self) -> bool:
        """Whether there is an image: at a URL, in storage or in the row."""
        return bool(self.image_url or self.image_base64 or self.storage_url)

    @property
    def aspect_ratio(self) -> str | None:
        """Width to height in whole numbers, ``16:9``; ``None`` if they are unknown."""
        if self.width is None or self.height is None:
            return None
        common = gcd(self.width, self.height)
        return f"{self.width // common}:{self.height // common}"

    @property
    def is_square(self) -> bool:
        """Whether it is as wide as it is high."""
        return self.width is not None and self.width == self.height

    @property
    def is_landscape(self) -> bool:
        """Whether it is wider than it is high."""
        return self.width is not None and self.height is not None and self.width > self.height

    @property
    def is_portrait(self) -> bool:
        """Whether it is higher than it is wide."""
        return self.width is not None and self.height is not None and self.width < self.height

    @property
    def formatted_file_size(self) -> str | None:
        """The size of the file for people: ``1.5 KB``; ``None`` if it is unknown."""
        if self.file_size is None:
            return None
        size, unit = float(self.file_size), "B"
        for larger in ("KB", "MB", "GB"):
            if size < _KIBI:
                break
            size, unit = size / _KIBI, larger
        return f"{size:.1f}".removesuffix(".0") + f" {unit}"

    def set_dimensions(self, width: int, height: int) -> None:
        """Note its size in pixels."""
        self.width, self.height = width, height

    def set_storage_info(self, storage_id: str, storage_url: str) -> None:
        """Note where it is stored."""
        self.storage_id, self.storage_url = storage_id, storage_url

    def set_file_info(self, mime_type: str, file_size: int) -> None:
        """Note what kind of file it is, and of how many bytes."""
        self.mime_type, self.file_size = mime_type, file_size

    def to_summary(self, style: Style = "camel") -> dict[str, Any]:
        """Return for JSON what a list shows."""
        return self.selected(_IMAGE_SUMMARY, style)

    def to_public(self, style: Style = "camel") -> dict[str, Any]:
        """Return for JSON what anybody may see."""
        return self.selected(_IMAGE_PUBLIC, style)
