"""Projects: what commands, specifications and configuration belong to."""

import re
from typing import Any

from surf_data.kernel import validation
from surf_data.kernel.postgres import Executor, bulk
from surf_data.specify import fields
from surf_data.specify.base import BaseQueries, BaseRepository
from surf_data.specify.models import Project
from surf_data.specify.statements import specify_queries
from surf_data.specify.table import Table

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,199}")
# Commands that are deleted in one transaction: their metrics and spans go with them.
_BATCH = 1000


def _slug(field: str, value: object) -> str:
    slug = validation.text(field, value, maximum=200)
    if not _SLUG.fullmatch(slug):
        raise validation.invalid(field, "must be of the characters a to z, 0 to 9 and -, and not begin with -")
    return slug


TABLE: Table[Project] = Table(
    noun="a project",
    stem="project",
    row=Project,
    checks={
        "name": fields.text(200),
        "slug": _slug,
        "owner_id": fields.row_id,
        "description": fields.optional(fields.text(100_000, 0)),
        "path": fields.optional(fields.text(500, 0)),
        "repository_url": fields.optional(fields.text(500, 0)),
        "is_active": fields.boolean,
        "meta": fields.document,
        "settings": fields.document,
    },
    required=("name", "slug", "owner_id"),
    defaults={
        "description": None,
        "path": None,
        "repository_url": None,
        "is_active": True,
        "meta": {},
        "settings": {},
    },
    orders=("id", "-id", "-updated_at"),
    identity=("slug",),
    unique={"projects_slug_key": "slug"},
)


class ProjectQueries(BaseQueries[Project]):
    """Reads projects."""

    table = TABLE

    def find_by_slug(self, slug: str) -> Project | None:
        """Return the project with this slug; ``None`` when there is none.

        Raises:
            ValidationError: ``slug`` cannot be a slug.
            DatabaseError: it cannot be read.
        """
        found: Project | None = specify_queries().project_by_slug(self._executor, slug=_slug("slug", slug))
        return found

    def get_all(self, limit: int | None = None, offset: int = 0) -> list[Project]:
        """Return projects by ascending id; see `BaseQueries.get_all`."""
        skipped = validation.integer("offset", offset, minimum=0, maximum=validation.INT8_MAX)
        return self._listed(
            "list", owner_id=None, is_active=None, row_limit=fields.limit("limit", limit), row_offset=skipped
        )

    def find_by_owner(self, owner_id: int, active_only: bool = True) -> list[Project]:  # noqa: FBT001, FBT002 - as callers know it
        """Return the projects of a user by ascending id, 10,000 at the most.

        Arguments:
            owner_id: the user.
            active_only: whether to leave out those that are archived.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: they cannot be read.
        """
        return self._listed(
            "list",
            owner_id=fields.row_id("owner_id", owner_id),
            is_active=True if fields.boolean("active_only", active_only) else None,
            row_limit=fields.MAX_ROWS,
            row_offset=0,
        )

    def get_active_projects(self, limit: int | None = None) -> list[Project]:
        """Return the projects that are in use, by ascending id.

        Arguments:
            limit: how many, 1 to 10,000; ``None`` means 10,000.

        Raises:
            ValidationError: ``limit`` is refused.
            DatabaseError: they cannot be read.
        """
        return self._listed("list", owner_id=None, is_active=True, row_limit=fields.limit("limit", limit), row_offset=0)

    def search_projects(self, query_str: str, owner_id: int | None = None, limit: int = 10) -> list[Project]:
        """Return projects with a text in their name or description, in any case, also archived ones.

        The one whose name it is comes first, then those whose names begin so, then the others by id. It reads all
        projects, or all of the owner's, unless ``migrations/specify_trgm`` is applied; `find_projects` has an index.

        Arguments:
            query_str: the text, 1 to 200 characters; none of them is a wildcard.
            owner_id: the user whose projects they are; ``None``: of all.
            limit: how many, 1 to 10,000.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: they cannot be read.
        """
        query = validation.text("query_str", query_str, maximum=200)
        return self._listed(
            "search",
            query=query,
            pattern=fields.like(query),
            owner_id=fields.optional(fields.row_id)("owner_id", owner_id),
            row_limit=fields.limit("limit", limit),
        )

    def find_projects(self, text: str, limit: int = 20) -> list[Project]:
        """Return projects by the words of their name and description, the best match first.

        Of a word that more than 2,000 projects have, the newest 2,000 are ranked.

        Arguments:
            text: words as for a web search, in English: ``surf -lamp``, ``"surf lamp" or beach``; 1 to 200 characters.
            limit: how many, 1 to 10,000.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: they cannot be read.
        """
        return self._listed(
            "find", query=validation.text("text", text, maximum=200), row_limit=fields.limit("limit", limit)
        )

    def get_recent_projects(self, days: int = 7, limit: int = 10) -> list[Project]:
        """Return the projects that were changed within so many days, the latest first.

        Arguments:
            days: 1 to 3,660.
            limit: how many, 1 to 10,000.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: they cannot be read.
        """
        return self._listed(
            "recent",
            days=validation.integer("days", days, minimum=1, maximum=3660),
            row_limit=fields.limit("limit", limit),
        )


class ProjectRepository(BaseRepository[Project]):
    """Creates projects and changes them.

    Arguments:
        executor: runs the statements: a session, or a `DatabaseManager`.
    """

    def __init__(self, executor: Executor) -> None:
        #: Reads projects.
        self.queries: ProjectQueries = ProjectQueries(executor)
        super().__init__(executor, self.queries)

    def create_project(self, name: str, slug: str, owner_id: int, **more: Any) -> Project:
        """Create a project.

        Arguments:
            name: 1 to 200 characters.
            slug: 1 to 200 of the characters a to z, 0 to 9 and -, unique.
            owner_id: the user whose project it is.
            more: ``description``, ``path``, ``repository_url``, ``is_active``, ``meta``, ``settings``.

        Raises:
            ValidationError: an argument is refused, or ``slug is taken``.
            ConstraintViolation: there is no such user.
            DatabaseError: it could not be stored.
        """
        return self.create({"name": name, "slug": slug, "owner_id": owner_id, **more})

    def get_by_slug(self, slug: str) -> Project | None:
        """Return the project with this slug; see `ProjectQueries.find_by_slug`."""
        return self.queries.find_by_slug(slug)

    def get_user_projects(self, user_id: int) -> list[Project]:
        """Return the projects of a user that are in use; see `ProjectQueries.find_by_owner`."""
        return self.queries.find_by_owner(fields.row_id("user_id", user_id))

    def archive(self, project_id: int) -> Project | None:
        """Take a project out of use; ``None`` when there is none."""
        return self.update(project_id, {"is_active": False})

    def unarchive(self, project_id: int) -> Project | None:
        """Put a project into use again; ``None`` when there is none."""
        return self.update(project_id, {"is_active": True})

    def delete_project(self, project_id: int) -> bool:
        """Delete a project that has many commands: in portions, so that no transaction takes minutes.

        It may be interrupted and called again: the project itself goes last. On a session all is one transaction.

        Returns:
            ``False`` when there is no such project.

        Raises:
            ValidationError: ``project_id`` cannot be an id.
            DatabaseError: it could not be deleted, or not all of it.
        """
        row_id = fields.row_id("project_id", project_id)
        bulk.in_batches(
            lambda rows: specify_queries().command_of_project(self._executor, project_id=row_id, batch=rows), _BATCH
        )
        return self.delete(row_id)
