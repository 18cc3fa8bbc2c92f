"""Whatever a caller hands to a public method, what comes out is a result or an error of ours, without the value."""

import inspect
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from rig.awkward import SECRET, attempts, methods
from rig.object_storage import SIGNING_KEY
from surf_data import screenshot
from surf_data.errors import (
    ConstraintViolation,
    ObjectExists,
    ObjectNotFound,
    SignedUrlInvalid,
    SurfDataError,
    ValidationError,
)
from surf_data.screenshot import (
    AuditLog,
    GeneratedCode,
    GeneratedImage,
    Project,
    ScreenshotDataLayer,
    User,
)
from surf_data.screenshot.sessions import SessionFacts

PARTS = ("audit", "cache", "codes", "images", "projects", "sessions", "storage", "users")
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0"
#: Arguments that are good, by the names of parameters.
GOOD: dict[str, Any] = {
    "key": "k",
    "keys": ["k"],
    "pattern": "k*",
    "session_id": "s",
    "session_data": {"user_id": "u", "a": 1},
    "token": "x",
    "limit": 5,
    "tag": "x",
    "words": "website",
    "since": datetime(2025, 1, 1, tzinfo=UTC),
    "until": datetime(2100, 1, 1, tzinfo=UTC),
    "path": "images/x.png",
    "data": PNG,
    "url": "http://localhost:3000/objects/x",
    "metadata": {"a": 1},
    "changes": {"a": 1},
    "feedback": {"a": 1},
    "settings": {"theme": "dark"},
    "preference": {"theme": "dark"},
    "details": {"a": 1},
    "values": {"k": 1},
    "value": {"a": 1},
    "email": "john@example.com",
    "password_hash": "x",
    "rating": 4,
    "code": "<html></html>",
    "message": "x",
    "version": 1,
    "status": "active",
    "identifier_": "c",
    "facts": dict.fromkeys(SessionFacts.__annotations__),
    "options": {
        "metadata": {},
        "user_id": None,
        "project_id": None,
        "expires_in": 60,
        "compress": True,
        "if_exists": "refuse",
    },
}
DOCUMENTED = (ValidationError, ConstraintViolation, ObjectExists, ObjectNotFound, SignedUrlInvalid)
#: It needs the owner's role.
LEFT_OUT = {"audit.seal"}
ENTITIES: dict[type, dict[str, Any]] = {
    AuditLog: {"action": "user_login", "description": "x"},
    GeneratedCode: {"code": "x", "provider": "openai", "project_id": UUID(int=1)},
    GeneratedImage: {"prompt": "x", "provider": "dalle3", "project_id": UUID(int=1)},
    Project: {"name": "x", "user_id": UUID(int=1)},
    User: {"email": "john@example.com", "first_name": "John", "last_name": "Doe"},
}


def good(data: ScreenshotDataLayer) -> dict[str, Any]:
    """Return arguments that are good, with what is stored."""
    user = data.users.save(User(email="john@example.com", first_name="John", last_name="Doe"))
    project = data.projects.save(Project(name="My Website", user_id=user.id))
    code = data.codes.save(GeneratedCode(code="<html></html>", provider="openai", project_id=project.id))
    image = data.images.save(GeneratedImage(prompt="x", provider="dalle3", project_id=project.id))
    entry = AuditLog(action="user_login", description="x", user_id=user.id)
    return {
        **GOOD,
        "user": user,
        "project": project,
        "code": code,
        "image": image,
        "entry": entry,
        "entries": [entry],
        "user_id": user.id,
        "project_id": project.id,
        "code_id": code.id,
        "image_id": image.id,
        "item_id": code.id,
    }


@pytest.fixture(autouse=True)
def silent(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Look for the planted value in all that was logged."""
    caplog.set_level(logging.DEBUG)
    yield
    told = [record.getMessage() + repr(vars(record)) for record in caplog.get_records("call")]
    assert [text for text in told if SECRET in text] == []


@pytest.fixture
def signing(app_url: str, redis_url: str, tmp_path: Path) -> Iterator[ScreenshotDataLayer]:
    """Open the data layer with local storage that signs its URLs."""
    folder = str(tmp_path / "uploads")
    with screenshot.open(
        *(app_url, redis_url), local_storage_path=folder, storage_signing_keys=SIGNING_KEY, pool_min_size=1
    ) as opened:
        yield opened


@pytest.mark.hypothesis
@pytest.mark.parametrize("part", PARTS)
def test_no_other_error_escapes(signing: ScreenshotDataLayer, admin: psycopg.Connection[Any], part: str) -> None:
    """Every public method returns or raises a documented error, short and without what was handed in."""
    signing.storage.initialize()
    arguments = good(signing)
    for name, method in methods({part: getattr(signing, part)}, LEFT_OUT).items():
        try:
            attempts(method, arguments, DOCUMENTED)()
        except SurfDataError as error:
            raise AssertionError(f"{name}: {error!r}") from error
    assert admin.execute("SELECT count(*) FROM screenshot.users").fetchone() is not None


@pytest.mark.hypothesis
@pytest.mark.parametrize("kind", ENTITIES)
def test_entities(kind: type) -> None:
    """An entity is made, or a field refused by its name: also when it is assigned, and then it stays as it was."""
    attempts(kind, ENTITIES[kind], (ValidationError,))()
    entity = kind(**ENTITIES[kind])
    before = repr(entity)

    def assign(**changes: Any) -> None:
        for name, value in changes.items():
            former = getattr(entity, name)
            try:
                setattr(entity, name, value)
            except ValidationError as error:
                assert error.field  # noqa: PT017 - it is raised again
                assert getattr(entity, name) is former
                raise
            setattr(entity, name, former)

    assign.__signature__ = inspect.signature(kind)  # type: ignore[attr-defined]
    attempts(assign, ENTITIES[kind], (ValidationError,))()
    assert repr(entity) == before
