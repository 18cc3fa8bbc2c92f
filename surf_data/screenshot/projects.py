"""Where projects are kept."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from surf_data.errors import ConstraintViolation, ValidationError
from surf_data.kernel import validation
from surf_data.kernel.paging import uuid_keyset
from surf_data.kernel.postgres import Executor, Json
from surf_data.screenshot.entities import identifier
from surf_data.screenshot.enums import ProjectStatus
from surf_data.screenshot.fields import member
from surf_data.screenshot.project import Project
from surf_data.screenshot.queries import screenshot_queries
from surf_data.screenshot.rows import ProjectWithCode
from surf_data.screenshot.saving import checked, columns, save
from surf_data.screenshot.users import checked_limit

_COLUMNS = (
    "name", "description", "status", "type", "original_image", "original_image_filename", "original_image_size",
    "original_image_mime_type", "thumbnail_image", "image_metadata", "settings", "tags", "metadata", "instructions",
    "is_public", "is_favorite", "user_id",
)  # fmt: skip
_MAX_DAYS = 36_500


class ProjectRepository:
    """Keeps projects.

    Arguments:
        executor: runs the statements.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def save(self, project: Project) -> Project:
        """Store a new project, or the changes to a known one. Counts are not saved: `record_view` counts in the row.

        Returns:
            The same project, with its id and times.

        Raises:
            ValidationError: a field is refused, or there is no such user.
            TransactionConflict: it was changed since it was read.
            DatabaseError: it could not be stored.
        """
        checked(project, Project)
        queries, missing = screenshot_queries(), False
        try:
            save(
                self._executor,
                project,
                columns(project, _COLUMNS),
                insert=queries.project_insert,
                update=queries.project_update,
            )
        except ConstraintViolation as error:
            if error.constraint != "projects_user":
                raise
            missing = True
        if missing:
            raise ValidationError("user_id is not a user's", field="user_id")
        return project

    def get(self, project_id: UUID | str) -> Project | None:
        """Return a project by id, deleted ones too; ``None`` if there is none."""
        return screenshot_queries().project_by_id(self._executor, id=identifier("project_id", project_id))

    def list_for_user(
        self,
        user_id: UUID | str,
        status: ProjectStatus | str | None = None,
        *,
        after: Project | Mapping[str, Any] | None = None,
        limit: int = 50,
    ) -> list[Project]:
        """Return the projects of a user, the last changed first.

        Arguments:
            user_id: the user.
            status: of this status only; all but deleted ones when ``None``.
            after: the last project of the page before.
            limit: how many at the most, 1 to 1,000.
        """
        moment, last = uuid_keyset("after", after, by="updated_at")
        return screenshot_queries().project_list(
            self._executor,
            user_id=identifier("user_id", user_id),
            status=None if status is None else str(member("status", status, ProjectStatus)),
            after_updated_at=moment,
            after_id=last,
            row_limit=checked_limit(limit),
        )

    def list_with_latest_code(self, user_id: UUID | str, limit: int = 50) -> list[ProjectWithCode]:
        """Return the projects of a user that are not deleted, each with its newest code, in one statement."""
        return screenshot_queries().project_list_with_code(
            self._executor, user_id=identifier("user_id", user_id), row_limit=checked_limit(limit)
        )

    def search(self, words: str, user_id: UUID | str | None = None, limit: int = 20) -> list[Project]:
        """Return projects whose name or description has all words, the best first.

        Arguments:
            words: as in a search engine: quotes, ``or`` and a minus count; 1 to 500 characters.
            user_id: whose; public ones of all users when ``None``.
            limit: how many at the most, 1 to 1,000.
        """
        return screenshot_queries().project_search(
            self._executor,
            words=validation.text("words", words, maximum=500),
            user_id=None if user_id is None else identifier("user_id", user_id),
            row_limit=checked_limit(limit),
        )

    def find_by_tag(self, tag: str, user_id: UUID | str | None = None, limit: int = 50) -> list[Project]:
        """Return projects with a tag that are not deleted, of a user or public ones, the last changed first."""
        return screenshot_queries().project_list_by_tag(
            self._executor,
            tag=_tag(tag),
            user_id=None if user_id is None else identifier("user_id", user_id),
            row_limit=checked_limit(limit),
        )

    def find_by_settings(self, user_id: UUID | str, settings: Mapping[str, Any], limit: int = 50) -> list[Project]:
        """Return projects of a user that are not deleted and whose settings contain a document."""
        return screenshot_queries().project_list_by_settings(
            self._executor,
            settings=Json(validation.jsonb_object("settings", settings)),
            user_id=identifier("user_id", user_id),
            row_limit=checked_limit(limit),
        )

    def record_view(self, project_id: UUID | str) -> bool:
        """Count a view in the row; return whether there is such a project."""
        return bool(screenshot_queries().project_view(self._executor, id=identifier("project_id", project_id)))

    def record_generation(self, project_id: UUID | str) -> bool:
        """Count a generation in the row; return whether there is such a project."""
        return bool(screenshot_queries().project_generation(self._executor, id=identifier("project_id", project_id)))

    def add_tag(self, project_id: UUID | str, tag: str) -> bool:
        """Add a tag in the row; return whether it was not there before."""
        changed = screenshot_queries().project_tag_add(
            self._executor, id=identifier("project_id", project_id), tag=_tag(tag)
        )
        return bool(changed)

    def remove_tag(self, project_id: UUID | str, tag: str) -> bool:
        """Remove a tag in the row; return whether it was there."""
        changed = screenshot_queries().project_tag_remove(
            self._executor, id=identifier("project_id", project_id), tag=_tag(tag)
        )
        return bool(changed)

    def set_settings(self, project_id: UUID | str, changes: Mapping[str, Any]) -> dict[str, Any] | None:
        """Merge keys into the settings in the row; ``None`` as a value removes a key.

        Returns:
            The settings now; ``None`` if there is no such project.
        """
        document = Json(validation.jsonb_object("changes", changes))
        merged: dict[str, Any] | None = screenshot_queries().project_settings_merge(
            self._executor, id=identifier("project_id", project_id), changes=document
        )
        return merged

    def set_status(self, project_id: UUID | str, status: ProjectStatus | str) -> bool:
        """Give a project another status; return whether there is such a project."""
        changed = screenshot_queries().project_status(
            self._executor,
            id=identifier("project_id", project_id),
            status=str(member("status", status, ProjectStatus)),
        )
        return bool(changed)

    def toggle_favorite(self, project_id: UUID | str) -> bool | None:
        """Turn ``is_favorite`` over in the row; return what it is now, ``None`` if there is no such project."""
        return screenshot_queries().project_toggle_favorite(self._executor, id=identifier("project_id", project_id))

    def toggle_public(self, project_id: UUID | str) -> bool | None:
        """Turn ``is_public`` over in the row; return what it is now, ``None`` if there is no such project."""
        return screenshot_queries().project_toggle_public(self._executor, id=identifier("project_id", project_id))

    def delete(self, project_id: UUID | str) -> bool:
        """Mark a project as deleted; `purge_deleted` removes it later. Return whether there is such a project."""
        return self.set_status(project_id, ProjectStatus.DELETED)

    def restore(self, project_id: UUID | str) -> bool:
        """Make a deleted project a draft again; return whether it was deleted."""
        return bool(screenshot_queries().project_restore(self._executor, id=identifier("project_id", project_id)))

    def purge_deleted(self, days: int = 30, limit: int = 1_000) -> int:
        """Remove projects that were deleted so many days ago, with their codes and images.

        Their objects are released, and removed by the clean-up of storage.

        Arguments:
            days: 0 to 36,500.
            limit: how many at the most, 1 to 1,000.

        Returns:
            How many were removed.
        """
        days = validation.integer("days", days, minimum=0, maximum=_MAX_DAYS)
        return screenshot_queries().project_purge(self._executor, days=days, row_limit=checked_limit(limit))


def _tag(tag: object) -> str:
    return validation.text("tag", tag, maximum=100)
