"""The screenshot domain's part of ``surf-data demo``: a picture that is stored, fetched, generated from, cleaned up."""

import struct
import tempfile
import zlib
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text

from surf_data import screenshot
from surf_data.cli import tables
from surf_data.errors import SignedUrlInvalid, ValidationError
from surf_data.kernel.correlation import correlation
from surf_data.screenshot import (
    AuditLog,
    GeneratedCode,
    GenerationProvider,
    Project,
    ScreenshotDataLayer,
    User,
)

# Of the demo alone; a real one comes from the environment.
_SIGNING_KEY = "signing-key-of-the-demo-0123456789"
_PAGE = "<!doctype html><title>Surf shop</title>" + "<p class='text-blue-500'>boards</p>" * 200


def story(data: ScreenshotDataLayer, console: Console) -> None:
    """Show a screenshot on its way to code, on a migrated database with the sample user.

    Arguments:
        data: the data layer, on servers that may be written to.
        console: where it is shown.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="surf_data-demo-"))
        stored = stack.enter_context(
            screenshot.open(on=data, local_storage_path=folder, storage_signing_keys=_SIGNING_KEY)
        )
        stored.storage.initialize()
        user = stored.users.find_by_email("sample@example.com") or stored.users.save(User(email="sample@example.com"))
        project = stored.projects.save(Project(name="Surf shop", user_id=user.id))
        _picture(stored, console, user, project, Path(folder))
        _code(stored, console, project)
        _session(stored, console, user)
        _audit(stored, console, user)
        _refusals(stored, console)


def _picture(data: ScreenshotDataLayer, console: Console, user: User, project: Project, folder: Path) -> None:
    picture = _png(120, 80)
    info = data.storage.store(picture, "screenshots/shop.png", user_id=user.id, project_id=project.id)
    opened = data.storage.open_signed(data.storage.signed_url("screenshots/shop.png", 60))
    with opened.body as body:
        same = body.read() == picture
    page = data.storage.store(_PAGE.encode(), "results/shop.html")
    data.storage.store(picture, "screenshots/shop.png")
    left = data.storage.cleanup().released
    files = sum(path.is_file() for path in folder.rglob("*.*"))
    _show(
        console,
        "A screenshot is stored, read by its signed URL, and replaced",
        [
            f"{info.path}: {info.size_bytes} bytes, {info.width} x {info.height} pixels",
            f"read by its signed URL: {'the same' if same else 'something else'}",
            f"{page.path}: {page.size_bytes:,} bytes, {page.stored_bytes:,} of them stored ({page.content_encoding})",
            f"cleaned up: {left} left, {files} files for {data.storage.usage().objects} objects",
        ],
    )


def _code(data: ScreenshotDataLayer, console: Console, project: Project) -> None:
    for _ in range(2):
        data.codes.save(GeneratedCode(provider=GenerationProvider.CLAUDE, project_id=project.id))
    [job] = data.codes.claim()
    data.codes.complete(job, _PAGE, prompt_tokens=1_200, completion_tokens=3_400)
    rows = [(f"{each.version}", each.status, f"{each.code_size:,}") for each in data.codes.history(project.id or "")]
    table = tables.table("version", "status", "characters", rows=rows, right={"characters"})
    _show(console, "Two versions are asked for; a worker claims the older one", [table])


def _session(data: ScreenshotDataLayer, console: Console, user: User) -> None:
    new = data.sessions.create(user.id or "", user_agent="demo")
    before = data.sessions.get(new.token) is not None
    data.sessions.revoke(new.token, "logout")
    after = data.sessions.get(new.token) is not None
    _show(console, "A session that is revoked is gone", [f"before: {before}, after: {after}"])


def _audit(data: ScreenshotDataLayer, console: Console, user: User) -> None:
    with correlation("demo-request"):
        data.audit.record(AuditLog.create_user_action("user_login", user.id or "", "Signed in"))
        data.audit.record(AuditLog.create_security_event("security_login_failed", "Wrong password"))
    found = data.audit.by_correlation_id("demo-request")
    lines = [f"{each.action}: {each.description} ({each.level})" for each in found]
    _show(console, "What happened in one request is found by its id", lines)


def _refusals(data: ScreenshotDataLayer, console: Console) -> None:
    lines = []
    for content, path in ((b"<html>", "x.png"), (_png(60_000, 60_000), "huge.png"), (_png(1, 1), "../x.png")):
        try:
            data.storage.upload(content, path)
        except ValidationError as error:
            lines.append(str(error))
    try:
        data.storage.open_signed(data.storage.signed_url("results/shop.html").replace("e=", "e=9"))
    except SignedUrlInvalid as error:
        lines.append(str(error))
    _show(console, "What is not what it seems is refused", lines)


def _show(console: Console, title: str, lines: Sequence[RenderableType]) -> None:
    console.print()
    console.print(Rule(Text(title, style="bold"), align="left", style="dim"))
    for line in lines:
        console.print(Padding(line, (0, 0, 0, 2), expand=False))


def _png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pixels = zlib.compress(b"".join(b"\0" + b"\x20\x40\x80" * width for _ in range(min(height, 100))))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
