"""Generated code and images: what a model was asked for and what it gave."""

from collections.abc import Mapping
from datetime import datetime
from math import gcd
from typing import Any, ClassVar
from uuid import UUID

import attrs

from surf_data.errors import ValidationError
from surf_data.kernel import validation
from surf_data.screenshot import fields
from surf_data.screenshot.entities import Entity, Style, stored
from surf_data.screenshot.enums import (
    CodeStack,
    GenerationProvider,
    GenerationStatus,
    GenerationType,
    ImageProvider,
    ImageQuality,
    ImageSize,
    ImageStyle,
)

_SUMMARY = ("provider", "model", "status")
_CODE_SUMMARY = (
    "id", "name", "code_stack", *_SUMMARY, "generation_type", "version", "is_favorite", "rating", "view_count",
    "code_size", "generation_time_seconds", "created_at", "updated_at",
)  # fmt: skip
_IMAGE_SUMMARY = (
    "id", "name", *_SUMMARY, "size", "quality", "style", "width", "height", "file_size", "is_favorite", "rating",
    "view_count", "generation_time_seconds", "created_at", "updated_at",
)  # fmt: skip
_IMAGE_PUBLIC = (
    "id", "name", "provider", "size", "image_url", "thumbnail_url", "width", "height", "view_count", "rating",
    "created_at",
)  # fmt: skip
_KIBI = 1024


def rating(value: object) -> float:
    """Return ``value`` if it is a rating: a number from 1 to 5."""
    checked = float(validation.number("rating", value))
    if not 1 <= checked <= 5:  # noqa: PLR2004 - stars
        raise ValidationError("rating must be from 1 to 5", field="rating")
    return checked


class Generated(Entity):
    """What generated code and images have in common. It is no class of attrs: each has fields of its own."""

    status: GenerationStatus
    rating: float | None
    error_message: str | None
    error_details: dict[str, Any]
    feedback: dict[str, Any]
    metadata: dict[str, Any]
    generation_time_seconds: float | None
    view_count: int
    download_count: int
    is_favorite: bool
    started_at: datetime | None
    completed_at: datetime | None

    @property
    def is_pending(self) -> bool:
        """Whether it waits for a worker."""
        return self.status is GenerationStatus.PENDING

    @property
    def is_processing(self) -> bool:
        """Whether a worker is at it."""
        return self.status is GenerationStatus.PROCESSING

    @property
    def is_completed(self) -> bool:
        """Whether it is there."""
        return self.status is GenerationStatus.COMPLETED

    @property
    def is_failed(self) -> bool:
        """Whether it was given up."""
        return self.status is GenerationStatus.FAILED

    @property
    def is_cancelled(self) -> bool:
        """Whether it is no longer wanted."""
        return self.status is GenerationStatus.CANCELLED

    @property
    def has_error(self) -> bool:
        """Whether something went wrong."""
        return self.is_failed or bool(self.error_message)

    def update_view(self) -> None:
        """Count a view in this object; a repository's ``record_view`` does it in the row."""
        self.view_count += 1

    def update_download(self) -> None:
        """Count a download in this object; a repository's ``record_download`` does it in the row."""
        self.download_count += 1

    def set_rating(self, value: float) -> None:
        """Rate from 1 to 5.

        Raises:
            ValidationError: it is no such number; the original ignored it.
        """
        self.rating = rating(value)

    def add_feedback(self, feedback: Mapping[str, Any]) -> None:
        """Merge the keys of a mapping into the feedback of this object."""
        self.feedback = {**self.feedback, **validation.mapping("feedback", feedback)}

    def get_metadata(self, key: str, default: Any = None) -> Any:
        """Return what is noted under a key; the default where there is nothing, or null."""
        return stored(self.metadata, key, default)

    def set_metadata(self, key: str, value: Any) -> None:
        """Note something in this object."""
        self.metadata = {**self.metadata, key: value}

    def set_generation_time(self, seconds: float) -> None:
        """Note how many seconds it took."""
        self.generation_time_seconds = seconds

    def toggle_favorite(self) -> None:
        """Turn `is_favorite` over in this object."""
        self.is_favorite = not self.is_favorite

    def mark_as_processing(self) -> None:
        """Mark it as being worked on."""
        self.status = GenerationStatus.PROCESSING

    def mark_as_completed(self) -> None:
        """Mark it as done."""
        self.status = GenerationStatus.COMPLETED

    def mark_as_failed(self, message: str, details: Mapping[str, Any] | None = None) -> None:
        """Mark it as given up, and say why."""
        self.status = GenerationStatus.FAILED
        self.error_message = message
        self.error_details = dict(details or {})

    def mark_as_cancelled(self) -> None:
        """Mark it as no longer wanted."""
        self.status = GenerationStatus.CANCELLED


@attrs.define
class GeneratedCode(Generated):
    """A version of a project's code. The number of the version is given when it is saved."""

    id: UUID | None = fields.uuid()
    name: str | None = fields.text(255)
    code: str = fields.text(4_000_000, "", shown=False)
    code_stack: CodeStack = fields.choice(CodeStack, CodeStack.HTML_TAILWIND)
    provider: GenerationProvider | None = fields.choice(GenerationProvider, None, required=True)
    model: str = fields.text(100, "")
    status: GenerationStatus = fields.choice(GenerationStatus, GenerationStatus.PENDING)
    generation_type: GenerationType = fields.choice(GenerationType, GenerationType.CREATE)
    original_prompt: str | None = fields.text(100_000)
    revised_prompt: str | None = fields.text(100_000)
    additional_instructions: str | None = fields.text(100_000)
    input_image_url: str | None = fields.text(10_000, shown=False)
    result_image_url: str | None = fields.text(10_000, shown=False)
    generation_params: dict[str, Any] = fields.document()
    temperature: float | None = fields.number()
    max_tokens: int | None = fields.integer()
    prompt_tokens: int | None = fields.integer()
    completion_tokens: int | None = fields.integer()
    total_tokens: int | None = fields.integer()
    generation_time_seconds: float | None = fields.number(0)
    error_message: str | None = fields.text(10_000)
    error_details: dict[str, Any] = fields.document()
    correlation_id: str | None = fields.text(255)
    version: int = fields.integer(0)
    #: What an update or a refinement began with.
    parent_id: UUID | None = fields.uuid()
    is_favorite: bool = fields.flag()
    rating: float | None = fields.number(1, 5)
    feedback: dict[str, Any] = fields.document()
    view_count: int = fields.integer(0)
    copy_count: int = fields.integer(0)
    download_count: int = fields.integer(0)
    metrics: dict[str, Any] = fields.document()
    metadata: dict[str, Any] = fields.document()
    project_id: UUID | None = fields.uuid(required=True)
    started_at: datetime | None = fields.moment()
    completed_at: datetime | None = fields.moment()
    created_at: datetime | None = fields.moment()
    updated_at: datetime | None = fields.moment()

    @property
    def code_size(self) -> int:
        """How many characters the code has."""
        return len(self.code)

    @property
    def lines(self) -> int:
        """How many lines the code has."""
        return len(self.code.split("\n")) if self.code else 0

    @property
    def words(self) -> int:
        """How many words the code has, as spaces separate them."""
        return len(self.code.split())

    @property
    def is_create(self) -> bool:
        """Whether it was made from a screenshot."""
        return self.generation_type is GenerationType.CREATE

    @property
    def is_update(self) -> bool:
        """Whether it was made of other code."""
        return self.generation_type is GenerationType.UPDATE

    @property
    def is_refine(self) -> bool:
        """Whether it improves other code."""
        return self.generation_type is GenerationType.REFINE

    def update_copy(self) -> None:
        """Count a copy in this object; `CodeRepository.record_copy` does it in the row."""
        self.copy_count += 1

    def set_token_usage(self, prompt_tokens: int, completion_tokens: int) -> None:
        """Note how many tokens it took; the total is their sum."""
        self.prompt_tokens, self.completion_tokens = prompt_tokens, completion_tokens
        self.total_tokens = prompt_tokens + completion_tokens

    def get_metric(self, key: str, default: Any = None) -> Any:
        """Return a metric; the default where there is none, or null."""
        return stored(self.metrics, key, default)

    def set_metric(self, key: str, value: Any) -> None:
        """Set a metric in this object."""
        self.metrics = {**self.metrics, key: value}

    def to_summary(self, style: Style = "camel") -> dict[str, Any]:
        """Return for JSON what a list shows: not the code."""
        return self.selected(_CODE_SUMMARY, style)


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


@attrs.frozen
class CodeSummary:
    """A version of a project's code without the code."""

    id: UUID
    name: str | None
    code_stack: str
    provider: str
    model: str
    status: str
    generation_type: str
    version: int
    is_favorite: bool
    rating: float | None
    view_count: int
    generation_time_seconds: float | None
    created_at: datetime
    updated_at: datetime
    #: Characters.
    code_size: int


@attrs.frozen
class CodeUsage:
    """What a user's code has taken."""

    codes: int
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    seconds: float
