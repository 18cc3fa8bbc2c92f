"""Where generated code and images are kept, and the jobs that make them."""

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar
from uuid import UUID

import attrs

from surf_data.errors import ConstraintViolation, ValidationError
from surf_data.kernel import validation
from surf_data.kernel.identifiers import new_id
from surf_data.kernel.paging import uuid_keyset
from surf_data.kernel.postgres import Executor, Json
from surf_data.screenshot.entities import identifier
from surf_data.screenshot.generation import (
    CodeSummary,
    CodeUsage,
    Generated,
    GeneratedCode,
    GeneratedImage,
)
from surf_data.screenshot.generation import (
    rating as checked_rating,
)
from surf_data.screenshot.queries import screenshot_queries
from surf_data.screenshot.saving import checked, columns, save
from surf_data.screenshot.users import checked_limit

T = TypeVar("T", bound=Generated)

_SHARED = (
    "name", "provider", "model", "status", "revised_prompt", "generation_params", "generation_time_seconds",
    "error_message", "error_details", "correlation_id", "is_favorite", "rating", "feedback", "metadata",
)  # fmt: skip
_CODE = (
    *_SHARED, "code", "code_stack", "generation_type", "original_prompt", "additional_instructions", "input_image_url",
    "result_image_url", "temperature", "max_tokens", "prompt_tokens", "completion_tokens", "total_tokens", "parent_id",
    "metrics",
)  # fmt: skip
_IMAGE = (
    *_SHARED, "prompt", "size", "quality", "style", "seed", "image_url", "image_base64", "thumbnail_url", "storage_url",
    "storage_id", "mime_type", "file_size", "width", "height", "image_metadata",
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
        changed = self._statements.renew(
            self._executor, id=_item(job), lease_token=job.lease_token, seconds=_lease(lease_seconds)
        )
        return bool(changed)

    def start(self, item_id: UUID | str) -> bool:
        """Begin without a lease what is pending; return whether it was."""
        return bool(self._statements.start(self._executor, id=identifier("id", item_id)))

    def fail(self, item: "Job[T] | UUID | str", message: str, details: Mapping[str, Any] | None = None) -> bool:
        """Give up what is pending or under way, a job only while its lease is held; return whether it was."""
        item_id, token = _target(item)
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


class CodeRepository(Generations[GeneratedCode]):
    """Keeps generated code.

    Arguments:
        executor: runs the statements.
    """

    def __init__(self, executor: Executor) -> None:
        queries = screenshot_queries()
        statements = Statements(
            claim=queries.code_claim,
            renew=queries.code_renew,
            start=queries.code_start,
            fail=queries.code_fail,
            cancel=queries.code_cancel,
            view=queries.code_view,
            download=queries.code_download,
            rate=queries.code_rate,
            toggle_favorite=queries.code_toggle_favorite,
            feedback=queries.code_feedback_merge,
            metadata=queries.code_metadata_merge,
            delete=queries.code_delete,
        )
        super().__init__(executor, statements)

    def save(self, code: GeneratedCode) -> GeneratedCode:
        """Store new code as the next version of its project, or the changes to a known one.

        Returns:
            The same code, with its id, version and times.

        Raises:
            ValidationError: a field is refused, or there is no such project.
            TransactionConflict: it was changed since it was read.
            DatabaseError: it could not be stored.
        """
        queries = screenshot_queries()
        parameters = columns(checked(code, GeneratedCode), _CODE)
        insert = _with_project(queries.code_insert, code.project_id)
        return self._save(code, parameters, insert, queries.code_update)

    def get(self, code_id: UUID | str) -> GeneratedCode | None:
        """Return code by id; ``None`` if there is none."""
        return screenshot_queries().code_by_id(self._executor, id=identifier("code_id", code_id))

    def get_version(self, project_id: UUID | str, version: int) -> GeneratedCode | None:
        """Return a version of a project's code; ``None`` if there is none."""
        number = validation.integer("version", version, minimum=1)
        return screenshot_queries().code_by_version(
            self._executor, project_id=identifier("project_id", project_id), version=number
        )

    def latest(self, project_id: UUID | str) -> GeneratedCode | None:
        """Return the newest version of a project's code; ``None`` if there is none."""
        return screenshot_queries().code_latest(self._executor, project_id=identifier("project_id", project_id))

    def history(
        self, project_id: UUID | str, *, before_version: int | None = None, limit: int = 50
    ) -> list[CodeSummary]:
        """Return the versions of a project's code without the code, the newest first.

        Arguments:
            project_id: the project.
            before_version: the last version of the page before.
            limit: how many at the most, 1 to 1,000.
        """
        version = None if before_version is None else validation.integer("before_version", before_version, minimum=1)
        return screenshot_queries().code_history(
            self._executor,
            project_id=identifier("project_id", project_id),
            before_version=version,
            row_limit=checked_limit(limit),
        )

    def usage(self, user_id: UUID | str, since: Any) -> CodeUsage:
        """Return what a user's code has taken since a moment, an aware datetime."""
        moment = validation.aware_datetime("since", since)
        used: CodeUsage | None = screenshot_queries().code_usage(
            self._executor, user_id=identifier("user_id", user_id), since=moment
        )
        assert used is not None, "an aggregate has a row"  # noqa: S101 - for type checkers
        return used

    def complete(
        self,
        item: Job[GeneratedCode] | UUID | str,
        code: str,
        *,
        prompt_tokens: int | None = None,
        completion_tokens: int | None = None,
        generation_time_seconds: float | None = None,
    ) -> bool:
        """Complete what is pending or under way; a job only while its lease was not taken over.

        Arguments:
            item: the job, or the id of the code.
            code: what was generated, 1 to 4,000,000 characters.
            prompt_tokens: what the prompt took.
            completion_tokens: what the answer took; the total is the sum.
            generation_time_seconds: how long it took; not given, the time since it was begun.

        Returns:
            Whether it was.
        """
        item_id, token = _target(item)
        seconds = None
        if generation_time_seconds is not None:
            seconds = float(validation.number("generation_time_seconds", generation_time_seconds))
        changed = screenshot_queries().code_complete(
            self._executor,
            id=item_id,
            lease_token=token,
            code=validation.text("code", code, maximum=4_000_000),
            prompt_tokens=_count("prompt_tokens", prompt_tokens),
            completion_tokens=_count("completion_tokens", completion_tokens),
            generation_time_seconds=seconds,
        )
        return bool(changed)

    def record_copy(self, code_id: UUID | str) -> bool:
        """Count a copy in the row; return whether there is such code."""
        return bool(screenshot_queries().code_copy(self._executor, id=identifier("id", code_id)))

    def set_metrics(self, code_id: UUID | str, changes: Mapping[str, Any]) -> dict[str, Any] | None:
        """Merge keys into the metrics in the row; return them, ``None`` if there is no such code."""
        return self._merged(screenshot_queries().code_metrics_merge, code_id, "changes", changes)


class ImageRepository(Generations[GeneratedImage]):
    """Keeps generated images: what they are, and where in storage they are.

    Arguments:
        executor: runs the statements.
    """

    def __init__(self, executor: Executor) -> None:
        queries = screenshot_queries()
        statements = Statements(
            claim=queries.image_claim,
            renew=queries.image_renew,
            start=queries.image_start,
            fail=queries.image_fail,
            cancel=queries.image_cancel,
            view=queries.image_view,
            download=queries.image_download,
            rate=queries.image_rate,
            toggle_favorite=queries.image_toggle_favorite,
            feedback=queries.image_feedback_merge,
            metadata=queries.image_metadata_merge,
            delete=queries.image_delete,
        )
        super().__init__(executor, statements)

    def save(self, image: GeneratedImage) -> GeneratedImage:
        """Store a new image, or the changes to a known one.

        Returns:
            The same image, with its id and times.

        Raises:
            ValidationError: a field is refused, or there is no such project.
            TransactionConflict: it was changed since it was read.
            DatabaseError: it could not be stored.
        """
        queries = screenshot_queries()
        parameters = columns(checked(image, GeneratedImage), _IMAGE)
        insert = _with_project(queries.image_insert, image.project_id)
        return self._save(image, parameters, insert, queries.image_update)

    def get(self, image_id: UUID | str) -> GeneratedImage | None:
        """Return an image by id; ``None`` if there is none."""
        return screenshot_queries().image_by_id(self._executor, id=identifier("image_id", image_id))

    def list_for_project(
        self,
        project_id: UUID | str,
        *,
        after: GeneratedImage | Mapping[str, Any] | None = None,
        limit: int = 50,
    ) -> list[GeneratedImage]:
        """Return the images of a project, the newest first.

        Arguments:
            project_id: the project.
            after: the last image of the page before.
            limit: how many at the most, 1 to 1,000.
        """
        moment, last = uuid_keyset("after", after)
        return screenshot_queries().image_list(
            self._executor,
            project_id=identifier("project_id", project_id),
            after_created_at=moment,
            after_id=last,
            row_limit=checked_limit(limit),
        )

    def complete(
        self,
        item: Job[GeneratedImage] | UUID | str,
        *,
        image_url: str | None = None,
        storage_id: str | None = None,
        storage_url: str | None = None,
        mime_type: str | None = None,
        file_size: int | None = None,
        width: int | None = None,
        height: int | None = None,
    ) -> bool:
        """Complete what is pending or under way; a job only while its lease was not taken over.

        Arguments:
            item: the job, or the id of the image.
            image_url: where it is, if not in storage.
            storage_id: its path in storage.
            storage_url: its URL in storage.
            mime_type: what it is.
            file_size: bytes.
            width: pixels.
            height: pixels.

        Returns:
            Whether it was.
        """
        item_id, token = _target(item)
        changed = screenshot_queries().image_complete(
            self._executor,
            id=item_id,
            lease_token=token,
            image_url=_text("image_url", image_url, 10_000),
            storage_id=_text("storage_id", storage_id, 255),
            storage_url=_text("storage_url", storage_url, 10_000),
            mime_type=_text("mime_type", mime_type, 50),
            file_size=_count("file_size", file_size),
            width=_count("width", width, 1),
            height=_count("height", height, 1),
        )
        return bool(changed)


def _with_project(insert: Callable[..., Any], project_id: UUID | None) -> Callable[..., Any]:
    # An update leaves code and images in their project.
    return lambda executor, **parameters: insert(executor, project_id=project_id, **parameters)


def _target(item: "Job[Any] | UUID | str") -> tuple[UUID, UUID | None]:
    return (_item(item), item.lease_token) if isinstance(item, Job) else (identifier("id", item), None)


def _item(job: "Job[Any]") -> UUID:
    return identifier("id", job.item)


def _lease(seconds: object) -> int:
    return validation.integer("lease_seconds", seconds, minimum=1, maximum=_MAX_LEASE)


def _count(field: str, value: object, minimum: int = 0) -> int | None:
    return None if value is None else validation.integer(field, value, minimum=minimum)


def _text(field: str, value: object, maximum: int) -> str | None:
    return None if value is None else validation.text(field, value, maximum=maximum)
