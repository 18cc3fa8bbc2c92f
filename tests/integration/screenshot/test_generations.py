"""Generated code and images: versions, jobs with a lease, counts and ratings."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from surf_data.errors import ConstraintViolation, TransactionConflict, ValidationError
from surf_data.screenshot import (
    CodeStack,
    GeneratedCode,
    GeneratedImage,
    GenerationStatus,
    ImageSize,
    Project,
    ScreenshotDataLayer,
    User,
)


@pytest.fixture
def image(data: ScreenshotDataLayer, project: Project) -> GeneratedImage:
    """Return a new image of the project."""
    return data.images.save(GeneratedImage(prompt="a beach", provider="dalle3", project_id=project.id))  # type: ignore[arg-type]


@pytest.fixture(params=["codes", "images"])
def kind(request: pytest.FixtureRequest, data: ScreenshotDataLayer) -> tuple[Any, Callable[[], Any]]:
    """Return the repository of codes, and of images, and a function that returns a new one of the project."""
    project = request.getfixturevalue("project")
    if request.param == "codes":
        return data.codes, lambda: data.codes.save(GeneratedCode(provider="claude", project_id=project.id))  # type: ignore[arg-type]
    return data.images, lambda: data.images.save(
        GeneratedImage(prompt="x", provider="dalle3", project_id=project.id)  # type: ignore[arg-type]
    )


def test_versions(data: ScreenshotDataLayer, project: Project) -> None:
    """Each code of a project has a number of its own, without gaps, however many are stored at a time."""

    def save(number: int) -> int:
        code = GeneratedCode(code=f"v{number}", provider="openai", project_id=project.id)  # type: ignore[arg-type]
        return data.codes.save(code).version

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(save, range(80))) == list(range(1, 81))
    latest = data.codes.latest(project.id or "")
    assert latest is not None
    assert latest.version == 80
    assert data.codes.get_version(project.id or "", 80) == latest
    assert data.codes.get_version(project.id or "", 81) is None
    seen: list[int] = []
    while page := data.codes.history(project.id or "", before_version=seen[-1] if seen else None, limit=30):
        seen += [each.version for each in page]
    assert seen == list(range(80, 0, -1))
    assert data.codes.latest(uuid4()) is None


def test_code(data: ScreenshotDataLayer, project: Project, code: GeneratedCode) -> None:
    """Code comes back as it was saved, and changes are saved as they are; it stays in its project."""
    found = data.codes.get(code.id or "")
    assert found == code
    assert (code.code_stack, code.model, code.status) == (CodeStack.HTML_TAILWIND, "", GenerationStatus.PENDING)
    code.code_stack, code.temperature, code.feedback = "svg", 0.7, {"good": True}  # type: ignore[assignment]
    code.set_token_usage(10, 20)
    data.codes.save(code)
    assert data.codes.get(code.id or "") == code
    assert found is not None
    with pytest.raises(TransactionConflict):
        data.codes.save(found)
    child = GeneratedCode(provider="claude", generation_type="refine", parent_id=code.id, project_id=project.id)  # type: ignore[arg-type]
    data.codes.save(child)
    assert data.codes.delete(code.id or "")
    again = data.codes.get(child.id or "")
    assert again is not None
    assert (again.parent_id, again.is_refine, again.version) == (None, True, 2)


def test_images(data: ScreenshotDataLayer, project: Project, image: GeneratedImage) -> None:
    """An image comes back as it was saved; a project's images come page by page, the newest first."""
    assert data.images.get(image.id or "") == image
    image.size, image.quality, image.style, image.seed = "512x512", "hd", "vivid", -7  # type: ignore[assignment]
    data.images.save(image)
    assert data.images.get(image.id or "") == image
    others = [
        data.images.save(GeneratedImage(prompt=f"{number}", provider="flux_schnell", project_id=project.id))  # type: ignore[arg-type]
        for number in range(4)
    ]
    seen: list[GeneratedImage] = []
    while page := data.images.list_for_project(project.id or "", after=seen[-1] if seen else None, limit=2):
        seen += page
    assert [each.id for each in seen] == [*(each.id for each in reversed(others)), image.id]


def test_missing_rows(data: ScreenshotDataLayer, code: GeneratedCode, refused: Callable[..., Any]) -> None:
    """Code and images need a project that is there, and code a parent that is."""
    nowhere = uuid4()
    bad: list[tuple[str, Callable[[], Any]]] = [
        ("project_id", lambda: data.codes.save(GeneratedCode(provider="claude", project_id=nowhere))),  # type: ignore[arg-type]
        ("project_id", lambda: data.images.save(GeneratedImage(prompt="x", provider="dalle3", project_id=nowhere))),  # type: ignore[arg-type]
        (
            "parent_id",
            lambda: data.codes.save(
                GeneratedCode(provider="claude", parent_id=nowhere, project_id=code.project_id)  # type: ignore[arg-type]
            ),
        ),
        ("project_id", lambda: data.codes.save(GeneratedCode(provider="claude"))),  # type: ignore[arg-type]
        ("provider", lambda: data.codes.save(GeneratedCode(project_id=code.project_id))),
        ("prompt", lambda: data.images.save(GeneratedImage(provider="dalle3", project_id=code.project_id))),  # type: ignore[arg-type]
        ("entity", lambda: data.codes.save(GeneratedImage())),  # type: ignore[arg-type]
    ]
    for field, call in bad:
        assert refused(call).field == field


def test_another_constraint(data: ScreenshotDataLayer, project: Project, admin: psycopg.Connection[Any]) -> None:
    """What a constraint of one's own refuses is not taken for a missing row."""
    admin.execute("ALTER TABLE screenshot.generated_codes ADD CONSTRAINT own CHECK (model <> 'Bad')")
    with pytest.raises(ConstraintViolation):
        data.codes.save(GeneratedCode(provider="claude", model="Bad", project_id=project.id))  # type: ignore[arg-type]


def test_claims(kind: tuple[Any, Callable[[], Any]]) -> None:
    """Each job has one worker, the oldest comes first, and all are done once."""
    repository, new = kind
    items = [new().id for _ in range(24)]
    [first] = repository.claim()
    assert (first.item.id, first.item.status) == (items[0], GenerationStatus.PROCESSING)

    def work(_: int) -> list[Any]:
        return [job.item.id for job in repository.claim(limit=5)]

    with ThreadPoolExecutor(8) as pool:
        claimed = [each for some in pool.map(work, range(8)) for each in some]
    assert sorted(claimed) == sorted(items[1:])
    assert repository.claim() == []


def test_a_dead_worker(kind: tuple[Any, Callable[[], Any]], admin: psycopg.Connection[Any]) -> None:
    """What a worker has not finished in its time is taken over, and what it still sends is refused."""
    repository, new = kind
    item = new()
    [dead] = repository.claim(lease_seconds=60)
    assert repository.renew(dead, 60) is True
    assert repository.claim() == []
    table = "generated_codes" if isinstance(item, GeneratedCode) else "generated_images"
    admin.execute(f"UPDATE screenshot.{table} SET lease_until = now() - interval '1 second'".encode())
    [alive] = repository.claim()
    assert alive.item.id == dead.item.id
    assert repository.renew(dead) is False
    assert repository.fail(dead, "late") is False
    assert complete(repository, dead) is False
    assert complete(repository, alive) is True
    assert complete(repository, alive) is False
    found = repository.get(item.id)
    assert (found.status, found.has_error) == (GenerationStatus.COMPLETED, False)
    assert found.generation_time_seconds is not None


def complete(repository: Any, job: Any) -> bool:
    """Complete a job of either kind."""
    if isinstance(job.item, GeneratedCode):
        return bool(repository.complete(job, "<html>", prompt_tokens=1, completion_tokens=2))
    return bool(repository.complete(job, storage_id="a.png", mime_type="image/png", file_size=10, width=4, height=4))


def test_transitions(kind: tuple[Any, Callable[[], Any]]) -> None:
    """Only what is pending or under way can be started, failed, cancelled or completed."""
    repository, new = kind
    item = new()
    assert repository.start(item.id) is True
    assert repository.start(item.id) is False
    assert repository.fail(item.id, "out of tokens", {"code": 429}) is True
    assert repository.fail(item.id, "again") is False
    assert repository.cancel(item.id) is False
    found = repository.get(item.id)
    assert (found.is_failed, found.error_message, found.error_details) == (True, "out of tokens", {"code": 429})
    other = new()
    assert repository.cancel(other.id) is True
    assert repository.get(other.id).is_cancelled
    assert complete_by_id(repository, other) is False
    third = new()
    assert complete_by_id(repository, third) is True
    assert repository.get(third.id).is_completed


def complete_by_id(repository: Any, item: Any) -> bool:
    """Complete what no worker has claimed."""
    if isinstance(item, GeneratedCode):
        return bool(repository.complete(item.id, "<html>", generation_time_seconds=1.5))
    return bool(repository.complete(item.id, image_url="https://example.org/a.png", storage_url="file:///a.png"))


def test_counters_lose_nothing(kind: tuple[Any, Callable[[], Any]]) -> None:
    """Views, downloads and copies of eight threads are all counted."""
    repository, new = kind
    item = new()
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda _: repository.record_view(item.id), range(40)))
        assert all(pool.map(lambda _: repository.record_download(item.id), range(40)))
    found = repository.get(item.id)
    assert (found.view_count, found.download_count) == (40, 40)
    assert repository.record_view(uuid4()) is False
    if isinstance(item, GeneratedCode):
        assert repository.record_copy(item.id) is True
        assert repository.get(item.id).copy_count == 1


def test_ratings_and_documents(kind: tuple[Any, Callable[[], Any]], refused: Callable[..., Any]) -> None:
    """A rating is from 1 to 5; feedback, metadata and metrics are merged in the row."""
    repository, new = kind
    item = new()
    assert repository.rate(item.id, 4.5) is True
    for wrong in (0, 6, -1, True, "5", float("nan")):
        assert refused(lambda wrong=wrong: repository.rate(item.id, wrong)).field == "rating"
    assert repository.get(item.id).rating == 4.5
    assert repository.toggle_favorite(item.id) is True
    assert repository.toggle_favorite(uuid4()) is None
    assert repository.add_feedback(item.id, {"a": 1}) == {"a": 1}
    assert repository.add_feedback(item.id, {"b": 2}) == {"a": 1, "b": 2}
    assert repository.set_metadata(item.id, {"c": 3}) == {"c": 3}
    assert repository.set_metadata(uuid4(), {"c": 3}) is None
    if isinstance(item, GeneratedCode):
        assert repository.set_metrics(item.id, {"lines": 10}) == {"lines": 10}
    assert repository.delete(item.id) is True
    assert repository.delete(item.id) is False


def test_usage(data: ScreenshotDataLayer, user: User, project: Project) -> None:
    """What a user's code has taken is summed up by the server."""
    for number in range(3):
        code = data.codes.save(GeneratedCode(provider="claude", project_id=project.id))  # type: ignore[arg-type]
        data.codes.complete(
            code.id or "", "x", prompt_tokens=10 * number, completion_tokens=1, generation_time_seconds=0.5
        )
    past = datetime.now(UTC) - timedelta(days=1)
    used = data.codes.usage(user.id or "", past)
    assert (used.codes, used.prompt_tokens, used.completion_tokens, used.total_tokens, used.seconds) == (
        3,
        30,
        3,
        33,
        1.5,
    )
    assert data.codes.usage(uuid4(), past).codes == 0


def test_methods_of_code() -> None:
    """Methods of code change the object alone."""
    code = GeneratedCode(code="<p>\nhello world", metrics={"a": 1})
    assert (code.code_size, code.lines, code.words) == (15, 2, 3)
    assert GeneratedCode().lines == 0
    assert (code.is_create, code.is_update, code.is_refine, code.is_pending) == (True, False, False, True)
    code.update_view()
    code.update_copy()
    code.update_download()
    assert (code.view_count, code.copy_count, code.download_count) == (1, 1, 1)
    code.set_rating(5)
    with pytest.raises(ValidationError):
        code.set_rating(6)
    assert code.rating == 5
    code.add_feedback({"x": 1})
    code.set_metric("b", 2)
    code.set_metadata("m", 3)
    code.set_generation_time(1.5)
    assert (code.get_metric("b"), code.get_metric("c", 0), code.get_metadata("m"), code.feedback) == (2, 0, 3, {"x": 1})
    code.toggle_favorite()
    assert code.is_favorite
    code.mark_as_processing()
    assert code.is_processing
    code.mark_as_completed()
    assert code.is_completed
    code.mark_as_failed("broken", {"why": 1})
    assert (code.has_error, code.error_details) == (True, {"why": 1})
    code.mark_as_failed("broken")
    code.mark_as_cancelled()
    assert code.is_cancelled
    assert code.to_summary()["codeSize"] == 15
    assert "code" not in code.to_summary()


def test_methods_of_images() -> None:
    """Methods of an image change the object alone."""
    image = GeneratedImage(prompt="x")
    assert (image.aspect_ratio, image.is_square, image.is_landscape, image.is_portrait) == (None, False, False, False)
    assert (image.has_image, image.formatted_file_size) == (False, None)
    image.set_dimensions(1920, 1080)
    assert (image.aspect_ratio, image.is_landscape, image.is_portrait) == ("16:9", True, False)
    image.set_dimensions(5, 5)
    assert image.is_square
    image.set_storage_info("a.png", "file:///a.png")
    image.set_file_info("image/png", 1536)
    assert (image.has_image, image.formatted_file_size) == (True, "1.5 KB")
    for size, text in ((0, "0 B"), (1024**2, "1 MB"), (3 * 1024**3 // 2, "1.5 GB")):
        image.file_size = size
        assert image.formatted_file_size == text
    image.image_base64 = "AAAA"
    assert "imageBase64" not in image.to_dict()
    assert image.to_summary()["size"] == ImageSize.SQUARE_1024
    assert list(image.to_public())[:3] == ["id", "name", "provider"]


BAD_FIELDS: list[tuple[type[Any], str, Any]] = [
    (GeneratedCode, "code", 7),
    (GeneratedCode, "code", "x" * 4_000_001),
    (GeneratedCode, "code_stack", "cobol"),
    (GeneratedCode, "code_stack", "HTML_TAILWIND"),
    (GeneratedCode, "provider", 7),
    (GeneratedCode, "temperature", "hot"),
    (GeneratedCode, "temperature", float("inf")),
    (GeneratedCode, "max_tokens", -1),
    (GeneratedCode, "prompt_tokens", 2**31),
    (GeneratedCode, "version", True),
    (GeneratedCode, "rating", 6),
    (GeneratedCode, "generation_time_seconds", -1),
    (GeneratedCode, "parent_id", "x"),
    (GeneratedCode, "metrics", [1]),
    (GeneratedCode, "is_favorite", 1),
    (GeneratedCode, "created_at", "now"),
    (GeneratedCode, "created_at", datetime(2026, 1, 1)),  # noqa: DTZ001 - that is what is refused
    (GeneratedImage, "size", "1x1"),
    (GeneratedImage, "width", 0),
    (User, "email", "x" * 256),
    (User, "first_name", "a\0b"),
    (User, "last_login_ip", "nowhere"),
    (User, "role", None.__class__),
    (Project, "tags", "abc"),
    (Project, "tags", ["x" * 101]),
    (Project, "tags", [7]),
    (Project, "tags", [str(number) for number in range(101)]),
]


@pytest.mark.parametrize(("entity", "field", "value"), BAD_FIELDS, ids=range(len(BAD_FIELDS)))
def test_bad_fields(refused: Callable[..., Any], entity: type[Any], field: str, value: Any) -> None:
    """A field is checked when an entity is made, and when it is assigned."""
    assert refused(lambda: entity(**{field: value})).field.partition("[")[0] == field
    assert refused(lambda: setattr(entity(), field, value)).field.partition("[")[0] == field


@pytest.mark.parametrize("email", ["", "no address", "@x", "a@", "a b@c"])
def test_bad_addresses(data: ScreenshotDataLayer, refused: Callable[..., Any], email: str) -> None:
    """An address is checked when it is saved and when it is looked for."""
    assert refused(lambda: data.users.save(User(email=email))).field == "email"
    assert refused(lambda: data.users.find_by_email(email)).field == "email"


def test_documents_are_checked_when_they_are_saved(data: ScreenshotDataLayer, refused: Callable[..., Any]) -> None:
    """What was put into a document in place is found before it is sent."""
    user = User(email="a@example.com", preferences={"a": {1}})
    assert refused(lambda: data.users.save(user)).field == "preferences.a"
    user.preferences = {"a": float("nan")}
    assert refused(lambda: data.users.save(user)).field == "preferences.a"


def test_bad_arguments(data: ScreenshotDataLayer, refused: Callable[..., Any]) -> None:
    """Arguments of methods are checked before anything is sent."""
    some = uuid4()
    bad: list[tuple[str, Callable[[], Any]]] = [
        ("limit", lambda: data.codes.claim(0)),
        ("lease_seconds", lambda: data.codes.claim(lease_seconds=0)),
        ("id", lambda: data.codes.record_view("x")),
        ("message", lambda: data.codes.fail(some, "")),
        ("details", lambda: data.codes.fail(some, "x", [])),  # type: ignore[arg-type]
        ("code", lambda: data.codes.complete(some, "")),
        ("prompt_tokens", lambda: data.codes.complete(some, "x", prompt_tokens=-1)),
        ("generation_time_seconds", lambda: data.codes.complete(some, "x", generation_time_seconds="x")),  # type: ignore[arg-type]
        ("width", lambda: data.images.complete(some, width=0)),
        ("mime_type", lambda: data.images.complete(some, mime_type=7)),  # type: ignore[arg-type]
        ("version", lambda: data.codes.get_version(some, 0)),
        ("before_version", lambda: data.codes.history(some, before_version=0)),
        ("since", lambda: data.codes.usage(some, "yesterday")),
        ("status", lambda: data.users.set_status(some, "asleep")),
        ("status", lambda: data.projects.set_status(some, 7)),  # type: ignore[arg-type]
        ("changes", lambda: data.users.set_preferences(some, [])),  # type: ignore[arg-type]
        ("feedback", lambda: data.codes.add_feedback(some, "good")),  # type: ignore[arg-type]
        ("words", lambda: data.projects.search("")),
        ("tag", lambda: data.projects.add_tag(some, "")),
        ("days", lambda: data.projects.purge_deleted(-1)),
        ("after.updated_at", lambda: data.projects.list_for_user(some, after={"id": some})),
        ("after.id", lambda: data.users.list_users(after={"created_at": datetime.now(UTC)})),
        ("password_hash", lambda: data.users.finish_password_reset("t", "")),
        ("password_hash", lambda: data.users.save(User(email="a@b", password_hash=""))),
        ("seconds", lambda: data.users.begin_password_reset("a@b", 0)),
        ("azure_id", lambda: data.users.find_by_azure_id("")),
        ("user_agent", lambda: data.users.record_login(some, user_agent="x" * 1_001)),
    ]
    for field, call in bad:
        assert refused(call).field == field, field
