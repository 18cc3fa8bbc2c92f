"""The usage blocks of the requirement, in Python: the names of the original do what they did."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rig.pictures import png
from surf_data.errors import ConfigurationError, DatabaseError, SurfDataError
from surf_data.screenshot import (
    AuditAction,
    AuditLog,
    CodeStack,
    GeneratedCode,
    GeneratedImage,
    GenerationProvider,
    Project,
    ScreenshotDataLayer,
    Session,
    User,
    app_data_source,
    cache_manager,
    check_data_layer_health,
    get_data_layer_stats,
    initialize_data_layer,
    shutdown_data_layer,
    storage_manager,
)


@pytest.fixture
def services(app_url: str, redis_url: str, tmp_path: Path) -> Iterator[ScreenshotDataLayer]:
    """Initialize all services."""
    yield initialize_data_layer(app_url, redis_url, local_storage_path=str(tmp_path / "uploads"))
    shutdown_data_layer()


def test_basic_usage(services: ScreenshotDataLayer, tmp_path: Path) -> None:
    """Basic usage: database, cache and storage, from one initialization to the shutdown."""
    user_repository = app_data_source.get_repository(User)
    assert user_repository.find_one(where={"email": "user@example.com"}) is None

    services.cache.set("user:123", {"name": "John"}, 3600)
    user_data = services.cache.get("user:123")
    assert user_data == {"name": "John"}

    image_buffer = png()
    url = services.storage.upload(image_buffer, "images/photo.jpg.png", "image/png")
    assert url.startswith("file:///")
    assert storage_manager.download("images/photo.jpg.png") == image_buffer

    shutdown_data_layer()
    shutdown_data_layer()


def test_entity_usage(services: ScreenshotDataLayer) -> None:
    """Entity usage: entities are made piece by piece and saved, and saving gives them their ids."""
    user = User()
    user.email = "user@example.com"
    user.first_name = "John"
    user.last_name = "Doe"
    app_data_source.get_repository(User).save(user)

    project = Project()
    project.name = "My Website"
    project.description = "A beautiful website"
    project.user_id = user.id
    app_data_source.get_repository(Project).save(project)

    code = GeneratedCode()
    code.code = "<html>...</html>"
    code.code_stack = CodeStack.HTML_TAILWIND
    code.provider = GenerationProvider.OPENAI
    code.project_id = project.id
    app_data_source.get_repository(GeneratedCode).save(code)

    assert app_data_source.get_repository(User).find_one({"email": "USER@example.com"}) == user
    assert app_data_source.get_repository(User).find_one({"id": user.id}) == user
    assert app_data_source.get_repository(Project).find_one({"id": str(project.id)}) == project
    found = app_data_source.get_repository(GeneratedCode).find_one({"project_id": project.id, "version": 1})
    assert found == code == app_data_source.get_repository(GeneratedCode).find_one({"id": code.id})
    for key in ("azure_id", "google_id", "github_id"):
        assert app_data_source.get_repository(User).find_one({key: "none"}) is None
    assert app_data_source.get_repository(GeneratedImage).find_one({"id": user.id}) is None
    assert app_data_source.get_repository(Session).find_one({"id": user.id}) is None


def test_session_management(services: ScreenshotDataLayer) -> None:
    """Session management: set, get, extend, delete."""
    session_data = {"userId": "user-123", "role": "user", "permissions": ["read", "write"]}
    cache_manager.set_session("session-456", session_data, 3600)
    assert cache_manager.get_session("session-456") == session_data
    assert cache_manager.extend_session("session-456", 7200) is True
    assert cache_manager.delete_session("session-456") is True
    assert cache_manager.get_session("session-456") is None


def test_audit_logging(services: ScreenshotDataLayer) -> None:
    """Audit logging: an entry is made by its factory, and saved."""
    user = services.users.save(User(email="user@example.com"))
    audit_log = AuditLog.create_user_action(
        AuditAction.USER_LOGIN,
        user.id or "",
        "User logged in successfully",
        {"ipAddress": "192.168.1.1", "userAgent": "Mozilla/5.0...", "correlationId": "abc-123"},
    )
    app_data_source.get_repository(AuditLog).save(audit_log)
    assert services.audit.by_correlation_id("abc-123") == [audit_log]


def test_health_checks(services: ScreenshotDataLayer) -> None:
    """Health and statistics have the keys of the original."""
    assert check_data_layer_health() == {"database": True, "cache": True, "overall": True}
    services.users.find_by_email("user@example.com")
    stats = get_data_layer_stats()
    assert set(stats) == {"database", "cache", "storage"}
    assert set(stats["database"]["tables"]["users"]) == {"rows", "bytes"}
    assert stats["database"]["queries"]["screenshot.user_by_email"]["count"] == 1
    assert {"info", "memory", "stats", "hit_rate"} <= set(stats["cache"])
    assert (stats["storage"]["backend"], stats["storage"]["initialized"]) == ("local", True)


def test_health_when_something_is_away(app_url: str, tmp_path: Path) -> None:
    """Health never raises: not before the initialization, and not without Redis."""
    assert check_data_layer_health() == {"database": False, "cache": False, "overall": False}
    initialize_data_layer(app_url, local_storage_path=str(tmp_path))
    assert check_data_layer_health() == {"database": True, "cache": False, "overall": False}
    shutdown_data_layer()


def test_one_for_the_process(services: ScreenshotDataLayer, app_url: str, redis_url: str, tmp_path: Path) -> None:
    """A second initialization gives the same; with other settings it is refused."""
    assert initialize_data_layer(app_url, redis_url, local_storage_path=str(tmp_path / "uploads")) is services
    with pytest.raises(ConfigurationError, match="other settings"):
        initialize_data_layer(app_url)


def test_what_fails_leaves_nothing_open(tmp_path: Path) -> None:
    """When a part does not work, nothing is initialized."""
    with pytest.raises(DatabaseError):
        initialize_data_layer("postgresql://nobody@127.0.0.1:1/none", pool_timeout=0.1, pool_min_size=0)
    for use in (get_data_layer_stats, lambda: cache_manager.get("a"), lambda: app_data_source.get_repository(User)):
        with pytest.raises(ConfigurationError, match="not initialized"):
            use()


def test_bad_input(services: ScreenshotDataLayer, refused: Callable[..., Any]) -> None:
    """A key without a reviewed statement is refused, and the error lists those that there are."""
    error = refused(lambda: app_data_source.get_repository(User).find_one({"first_name": "x"}))
    assert error.field == "where"
    assert "email" in str(error)
    assert refused(lambda: app_data_source.get_repository(AuditLog).find_one({"id": "x"})).field == "where"
    assert refused(lambda: app_data_source.get_repository(int)).field == "kind"  # type: ignore[type-var]
    assert refused(lambda: app_data_source.get_repository(Session).save(Session())).field == "entity"


def test_settings_of_the_original(
    app_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variables of the original say where everything is; passwords of any characters are no problem."""
    host = app_url.partition("host=")[2].partition("&")[0].replace("%2F", "/")
    variables = {
        "DB_HOST": host,
        "DB_PORT": "5432",
        "DB_NAME": app_url.partition("@/")[2].partition("?")[0],
        "DB_USERNAME": "screenshot_service",
        "DB_PASSWORD": "p@ss:w/ord?#%",
        "DB_SSL": "false",
        "DB_MAX_CONNECTIONS": "7",
        "DB_MIN_CONNECTIONS": "1",
        "REDIS_URL": redis_url,
        "REDIS_KEY_PREFIX": "other",
        "STORAGE_BACKEND": "local",
        "LOCAL_STORAGE_PATH": str(tmp_path / "files"),
        "MAX_FILE_SIZE": "100",
        "ALLOWED_FILE_TYPES": "text/plain,image/png",
    }
    for name in [name for name in os.environ if name.startswith(("DB_", "REDIS_", "AWS_", "AZURE_STORAGE"))]:
        monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    services = initialize_data_layer()
    try:
        assert check_data_layer_health()["overall"]
        assert (services.settings.pool_max_size, services.settings.pool_min_size) == (7, 1)
        assert services.storage.upload(b"x", "a.txt").startswith(f"file://{tmp_path}/files/")
        with pytest.raises(SurfDataError):
            services.storage.upload(b"x" * 101, "b.txt")
        services.cache.set("a", 1)
        assert services.cache.keys("aa*") == []
        assert "p@ss" not in repr(services.settings)
    finally:
        shutdown_data_layer()
