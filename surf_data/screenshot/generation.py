"""What generated code and images have in common."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from surf_data.errors import ValidationError
from surf_data.kernel import validation
from surf_data.screenshot.entities import Entity, stored
from surf_data.screenshot.enums import GenerationStatus


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
