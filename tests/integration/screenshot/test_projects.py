"""Projects: saved, listed, searched, counted."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from surf_data.errors import ConstraintViolation, TransactionConflict
from surf_data.screenshot import GeneratedCode, Project, ProjectStatus, ProjectType, ScreenshotDataLayer, User


def test_save_and_find(data: ScreenshotDataLayer, user: User, project: Project) -> None:
    """A saved project has an id and times, and comes back as it was."""
    project.type, project.tags = "component", ["a", "b", "a"]  # type: ignore[assignment]
    project.set_setting("framework", {"name": "vue"})
    data.projects.save(project)
    found = data.projects.get(project.id or "")
    assert found == project
    assert found is not None
    assert (found.type, found.tags, found.get_setting("framework")) == (
        ProjectType.COMPONENT,
        ["a", "b"],
        {"name": "vue"},
    )
    assert data.projects.get(uuid4()) is None


def test_a_project_needs_its_user(data: ScreenshotDataLayer, refused: Callable[..., Any]) -> None:
    """Without a user, or for one that is not there, nothing is stored."""
    assert refused(lambda: data.projects.save(Project(name="x"))).field == "user_id"
    assert refused(lambda: data.projects.save(Project(name="x", user_id=uuid4()))).field == "user_id"
    assert refused(lambda: data.projects.save("x")).field == "entity"  # type: ignore[arg-type]


def test_another_constraint(data: ScreenshotDataLayer, user: User, admin: psycopg.Connection[Any]) -> None:
    """What a constraint of one's own refuses is not taken for a missing user."""
    admin.execute("ALTER TABLE screenshot.projects ADD CONSTRAINT own CHECK (name <> 'Bad')")
    with pytest.raises(ConstraintViolation):
        data.projects.save(Project(name="Bad", user_id=user.id))


def test_lost_updates(data: ScreenshotDataLayer, project: Project) -> None:
    """A project that another has changed since cannot be overwritten; a view does not count as a change."""
    data.projects.record_view(project.id or "")
    data.projects.save(project)
    assert project.view_count == 1
    data.projects.set_settings(project.id or "", {"a": 1})
    with pytest.raises(TransactionConflict):
        data.projects.save(project)


def test_counters_lose_nothing(data: ScreenshotDataLayer, project: Project) -> None:
    """Views and generations of eight threads are all counted."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: data.projects.record_view(project.id or ""), range(80)))
        list(pool.map(lambda _: data.projects.record_generation(project.id or ""), range(40)))
    found = data.projects.get(project.id or "")
    assert found is not None
    assert (found.view_count, found.generation_count) == (80, 40)
    assert found.last_viewed_at is not None
    assert found.last_generated_at is not None
    assert data.projects.record_view(uuid4()) is False


def test_tags(data: ScreenshotDataLayer, user: User, project: Project) -> None:
    """A tag is there once, however often it is added, and projects are found by it."""
    with ThreadPoolExecutor(8) as pool:
        added = list(pool.map(lambda number: data.projects.add_tag(project.id or "", f"t{number % 4}"), range(16)))
    assert sum(added) == 4
    assert data.projects.remove_tag(project.id or "", "t0") is True
    assert data.projects.remove_tag(project.id or "", "t0") is False
    assert [each.id for each in data.projects.find_by_tag("t1", user.id)] == [project.id]
    assert data.projects.find_by_tag("t0", user.id) == []
    assert data.projects.find_by_tag("t1") == []
    assert data.projects.toggle_public(project.id or "") is True
    assert [each.id for each in data.projects.find_by_tag("t1")] == [project.id]


def test_settings(data: ScreenshotDataLayer, user: User, project: Project) -> None:
    """Settings are merged in the row, and projects are found by them."""
    assert data.projects.set_settings(project.id or "", {"a": {"b": 1}, "c": 2}) == {"a": {"b": 1}, "c": 2}
    assert data.projects.set_settings(project.id or "", {"c": None}) == {"a": {"b": 1}}
    assert [each.id for each in data.projects.find_by_settings(user.id or "", {"a": {"b": 1}})] == [project.id]
    assert data.projects.find_by_settings(user.id or "", {"a": 1}) == []


def test_lists(data: ScreenshotDataLayer, user: User) -> None:
    """A user's projects come page by page, the last changed first, without deleted ones."""
    projects = [data.projects.save(Project(name=f"p{number}", user_id=user.id)) for number in range(6)]
    data.projects.delete(projects[2].id or "")
    data.projects.set_status(projects[0].id or "", "active")
    expected = [projects[place].id for place in (0, 5, 4, 3, 1)]
    seen: list[Project] = []
    while page := data.projects.list_for_user(user.id or "", after=seen[-1] if seen else None, limit=2):
        seen += page
    assert [each.id for each in seen] == expected
    assert [each.id for each in data.projects.list_for_user(user.id or "", "deleted")] == [projects[2].id]
    assert data.projects.list_for_user(uuid4()) == []


def test_search(data: ScreenshotDataLayer, user: User) -> None:
    """Words are found in names and descriptions, names first; nothing that is typed is an error."""
    shop = data.projects.save(Project(name="Surf shop", description="boards", user_id=user.id))
    blog = data.projects.save(Project(name="Blog", description="about a surf shop", user_id=user.id, is_public=True))
    assert [each.id for each in data.projects.search("shop", user.id)] == [shop.id, blog.id]
    assert [each.id for each in data.projects.search('"surf shop" -blog', user.id)] == [shop.id]
    assert [each.id for each in data.projects.search("shop")] == [blog.id]
    for odd in ("'", '"', "(", "& | !", "z:*", "--", "\\"):
        assert data.projects.search(odd, user.id) == []


def test_deletion(data: ScreenshotDataLayer, user: User, project: Project, admin: psycopg.Connection[Any]) -> None:
    """A deleted project is kept, can be restored, and is removed with its code when it is old."""
    code = data.codes.save(GeneratedCode(provider="claude", project_id=project.id))
    project_id = project.id or ""
    assert data.projects.delete(project_id) is True
    found = data.projects.get(project_id)
    assert found is not None
    assert found.is_deleted
    assert found.deleted_at is not None
    assert data.projects.restore(project_id) is True
    assert data.projects.restore(project_id) is False
    data.projects.delete(project_id)
    assert data.projects.purge_deleted() == 0
    admin.execute("UPDATE screenshot.projects SET deleted_at = now() - interval '31 days'")
    assert data.projects.purge_deleted() == 1
    assert data.projects.get(project_id) is None
    assert data.codes.get(code.id or "") is None


def test_with_latest_code(data: ScreenshotDataLayer, user: User, project: Project) -> None:
    """Projects come with their newest code in one statement; one without code comes, too."""
    empty = data.projects.save(Project(name="empty", user_id=user.id))
    for text in ("old", "new"):
        data.codes.save(GeneratedCode(code=text, provider="gemini", project_id=project.id))
    found = data.projects.list_with_latest_code(user.id or "")
    assert [(each.id, each.code, each.version) for each in found] == [(empty.id, None, None), (project.id, "new", 2)]


def test_entity_methods(user: User) -> None:
    """Methods of a project change the object alone."""
    project = Project(name="x", user_id=user.id, original_image="images/a.png", thumbnail_image="t")
    assert (project.has_original_image, project.has_thumbnail) == (True, True)
    project.update_view()
    project.update_generation()
    assert (project.view_count, project.generation_count) == (1, 1)
    project.add_tag("a")
    project.add_tag("a")
    assert project.has_tag("a")
    project.remove_tag("a")
    assert not project.has_tag("a")
    project.toggle_favorite()
    project.toggle_public()
    assert (project.is_favorite, project.is_public) == (True, True)
    assert project.is_draft
    for mark, status in (
        (project.mark_as_active, ProjectStatus.ACTIVE),
        (project.mark_as_completed, ProjectStatus.COMPLETED),
        (project.mark_as_archived, ProjectStatus.ARCHIVED),
        (project.mark_as_deleted, ProjectStatus.DELETED),
    ):
        mark()
        assert project.status is status
        assert (project.is_active, project.is_completed, project.is_archived, project.is_deleted) == tuple(
            status is each for each in list(ProjectStatus)[1:]
        )
    assert list(project.to_public()) == [
        "id", "name", "description", "type", "thumbnailImage", "tags", "viewCount", "createdAt", "updatedAt"
    ]  # fmt: skip


def test_toggle(data: ScreenshotDataLayer, project: Project) -> None:
    """A switch is turned over in the row."""
    assert data.projects.toggle_favorite(project.id or "") is True
    assert data.projects.toggle_favorite(project.id or "") is False
    assert data.projects.toggle_favorite(uuid4()) is None
