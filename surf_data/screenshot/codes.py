"""Where generated code is kept."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from surf_data.kernel import validation
from surf_data.kernel.postgres import Executor
from surf_data.screenshot.entities import identifier
from surf_data.screenshot.generated_code import CodeSummary, CodeUsage, GeneratedCode
from surf_data.screenshot.jobs import SHARED_COLUMNS, Generations, Job, Statements, count, target, with_project
from surf_data.screenshot.queries import screenshot_queries
from surf_data.screenshot.saving import checked, columns
from surf_data.screenshot.users import checked_limit

_CODE = (
    *SHARED_COLUMNS, "code", "code_stack", "generation_type", "original_prompt", "additional_instructions",
    "input_image_url", "result_image_url", "temperature", "max_tokens", "prompt_tokens", "completion_tokens",
    "total_tokens", "parent_id", "metrics",
)  # fmt: skip


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
        insert = with_project(queries.code_insert, code.project_id)
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
        return screenshot_queries().code_usage(self._executor, user_id=identifier("user_id", user_id), since=moment)

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
        item_id, token = target(item)
        seconds = None
        if generation_time_seconds is not None:
            seconds = float(validation.number("generation_time_seconds", generation_time_seconds))
        changed = screenshot_queries().code_complete(
            self._executor,
            id=item_id,
            lease_token=token,
            code=validation.text("code", code, maximum=4_000_000),
            prompt_tokens=count("prompt_tokens", prompt_tokens),
            completion_tokens=count("completion_tokens", completion_tokens),
            generation_time_seconds=seconds,
        )
        return bool(changed)

    def record_copy(self, code_id: UUID | str) -> bool:
        """Count a copy in the row; return whether there is such code."""
        return bool(screenshot_queries().code_copy(self._executor, id=identifier("id", code_id)))

    def set_metrics(self, code_id: UUID | str, changes: Mapping[str, Any]) -> dict[str, Any] | None:
        """Merge keys into the metrics in the row; return them, ``None`` if there is no such code."""
        return self._merged(screenshot_queries().code_metrics_merge, code_id, "changes", changes)
