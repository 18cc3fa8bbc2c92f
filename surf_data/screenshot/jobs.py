"""What the repositories of generated code and images have in common: jobs with a lease, counts, ratings."""

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar
from uuid import UUID

import attrs

from surf_data.errors import ConstraintViolation, ValidationError
from surf_data.kernel import validation
from surf_data.kernel.identifiers import new_id
from surf_data.kernel.postgres import Executor, Json
from surf_data.screenshot.entities import identifier
from surf_data.screenshot.generation import Generated
from surf_data.screenshot.generation import rating as checked_rating
from surf_data.screenshot.saving import save
from surf_data.screenshot.users import checked_limit

T = TypeVar("T", bound=Generated)

#: Columns of both.
SHARED_COLUMNS = (
    "name", "provider", "model", "status", "revised_prompt", "generation_params", "generation_time_seconds",
    "error_message", "error_details", "correlation_id", "is_favorite", "rating", "feedback", "metadata",
)  # fmt: skip
_MISSING = {
    "generated_codes_project": ("project_id", "project_id is not a project's"),
    "generated_images_project": ("project_id", "project_id is not a project's"),
    "generated_codes_parent": ("parent_id", "parent_id is not the id of generated code"),
}
_MAX_LEASE = 86_400


@attrs.frozen(kw_only=True)
class Job(Generic[T]):
    """What a worker has claimed."""

    #: The code or image to generate.
    item: T
    #: What shows that the worker still holds it.
    lease_token: UUID


@attrs.frozen(kw_only=True)
class Statements:
    """The statements of one kind of generation."""

    claim: Callable[..., Any]
    renew: Callable[..., int]
    start: Callable[..., int]
    fail: Callable[..., int]
    cancel: Callable[..., int]
    view: Callable[..., int]
    download: Callable[..., int]
    rate: Callable[..., int]
    toggle_favorite: Callable[..., bool | None]
    feedback: Callable[..., Any]
    metadata: Callable[..., Any]
    delete: Callable[..., int]


class Generations(Generic[T]):
    """What the repositories of codes and images have in common.

    Arguments:
        executor: runs the statements.
        statements: those of the kind.
    """

    def __init__(self, executor: Executor, statements: Statements) -> None:
        self._executor = executor
        self._statements = statements

    def claim(self, limit: int = 1, lease_seconds: int = 300) -> list[Job[T]]:
        """Take work: what is pending, and what another worker has not finished within its lease. The oldest first.

        Two workers never hold the same. One that needs longer renews its lease.

        Arguments:
            limit: how many at the most, 1 to 1,000.
            lease_seconds: for how long, 1 to 86,400.
        """
        token = new_id()
        rows: list[T] = self._statements.claim(
            self._executor, lease_token=token, seconds=_lease(lease_seconds), row_limit=checked_limit(limit)
        )
        return [Job(item=row, lease_token=token) for row in rows]

    def renew(self, job: Job[T], lease_seconds: int = 300) -> bool:
        """Prolong a lease from now; ``False`` if another worker has taken the job over, or it was cancelled."""
        if not isinstance(job, Job):
            raise validation.invalid("job", "must be what claim returned")
        changed = self._statements.renew(
            self._executor, id=_item(job), lease_token=job.lease_token, seconds=_lease(lease_seconds)
        )
        return bool(changed)

    def start(self, item_id: UUID | str) -> bool:
        """Begin without a lease what is pending; return whether it was."""
        return bool(self._statements.start(self._executor, id=identifier("id", item_id)))

    def fail(self, item: "Job[T] | UUID | str", message: str, details: Mapping[str, Any] | None = None) -> bool:
        """Give up what is pending or under way, a job only while its lease is held; return whether it was."""
        item_id, token = target(item)
        changed = self._statements.fail(
            self._executor,
            id=item_id,
            lease_token=token,
            error_message=validation.text("message", message, maximum=10_000),
            error_details=Json(validation.jsonb_object("details", {} if details is None else details)),
        )
        return bool(changed)

    def cancel(self, item_id: UUID | str) -> bool:
        """Cancel what is pending or under way; return whether it was."""
        return bool(self._statements.cancel(self._executor, id=identifier("id", item_id)))

    def record_view(self, item_id: UUID | str) -> bool:
        """Count a view in the row; return whether there is such a row."""
        return bool(self._statements.view(self._executor, id=identifier("id", item_id)))

    def record_download(self, item_id: UUID | str) -> bool:
        """Count a download in the row; return whether there is such a row."""
        return bool(self._statements.download(self._executor, id=identifier("id", item_id)))

    def rate(self, item_id: UUID | str, rating: float) -> bool:
        """Rate from 1 to 5 in the row; return whether there is such a row.

        Raises:
            ValidationError: it is no such number; the original ignored it.
        """
        return bool(self._statements.rate(self._executor, id=identifier("id", item_id), rating=checked_rating(rating)))

    def toggle_favorite(self, item_id: UUID | str) -> bool | None:
        """Turn ``is_favorite`` over in the row; return what it is now, ``None`` if there is no such row."""
        return self._statements.toggle_favorite(self._executor, id=identifier("id", item_id))

    def add_feedback(self, item_id: UUID | str, feedback: Mapping[str, Any]) -> dict[str, Any] | None:
        """Merge keys into the feedback in the row; return it, ``None`` if there is no such row."""
        return self._merged(self._statements.feedback, item_id, "feedback", feedback)

    def set_metadata(self, item_id: UUID | str, changes: Mapping[str, Any]) -> dict[str, Any] | None:
        """Merge keys into the metadata in the row; ``None`` as a value removes a key. Return it, or ``None``."""
        return self._merged(self._statements.metadata, item_id, "changes", changes)

    def delete(self, item_id: UUID | str) -> bool:
        """Remove a row; return whether there was one."""
        return bool(self._statements.delete(self._executor, id=identifier("id", item_id)))

    def _merged(
        self, statement: Callable[..., Any], item_id: UUID | str, field: str, changes: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        document = Json(validation.jsonb_object(field, changes))
        merged: dict[str, Any] | None = statement(self._executor, id=identifier("id", item_id), changes=document)
        return merged

    def _save(self, item: T, parameters: dict[str, Any], insert: Any, update: Any) -> T:
        missing: str | None = None
        stored: T | None = None
        try:
            stored = save(self._executor, item, parameters, insert=insert, update=update)
        except ConstraintViolation as error:
            missing = error.constraint
            if missing not in _MISSING:
                raise
        if stored is None:
            field, problem = _MISSING[missing or "generated_codes_project"]
            raise ValidationError(problem, field=field)
        return stored


def with_project(insert: Callable[..., Any], project_id: UUID | None) -> Callable[..., Any]:
    """Return an insert that also says the project, which an update leaves alone."""
    return lambda executor, **parameters: insert(executor, project_id=project_id, **parameters)


def target(item: "Job[Any] | UUID | str") -> tuple[UUID, UUID | None]:
    """Return the id that is meant, and the lease if it is a job."""
    return (_item(item), item.lease_token) if isinstance(item, Job) else (identifier("id", item), None)


def _item(job: "Job[Any]") -> UUID:
    return identifier("id", job.item)


def _lease(seconds: object) -> int:
    return validation.integer("lease_seconds", seconds, minimum=1, maximum=_MAX_LEASE)


def count(field: str, value: object, minimum: int = 0) -> int | None:
    """Return ``value`` if it is a whole number, or ``None``."""
    return None if value is None else validation.integer(field, value, minimum=minimum)


def text(field: str, value: object, maximum: int) -> str | None:
    """Return ``value`` if it is text, or ``None``."""
    return None if value is None else validation.text(field, value, maximum=maximum)
