"""Users: saved, found, changed by single statements."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from surf_data.errors import ConstraintViolation, TransactionConflict, ValidationError
from surf_data.screenshot import ScreenshotDataLayer, User, UserRole, UserStatus


def test_save_and_find(data: ScreenshotDataLayer, user: User) -> None:
    """A saved user has an id and times, and is found by id and by its address in any spelling."""
    assert user.id is not None
    assert user.created_at is not None
    assert data.users.get(user.id) == user
    assert data.users.get(str(user.id)) == user
    assert data.users.find_by_email(" John@Example.COM ") == user
    assert data.users.find_by_email("jane@example.com") is None
    assert data.users.get(uuid4()) is None
    assert user.full_name == "John Doe"
    assert (user.is_active, user.is_admin, user.is_moderator) == (True, False, False)


def test_changes(data: ScreenshotDataLayer, user: User) -> None:
    """A changed user is saved as it is; a reader of the old one cannot overwrite that."""
    stale = data.users.get(user.id or "")
    assert stale is not None
    user.first_name, user.role = "Jack", "admin"  # type: ignore[assignment]
    user.set_preference("theme", "dark")
    data.users.save(user)
    assert data.users.get(user.id or "") == user
    assert (user.role, user.is_moderator) == (UserRole.ADMIN, True)
    stale.last_name = "Lost"
    with pytest.raises(TransactionConflict, match="read it again") as caught:
        data.users.save(stale)
    assert caught.value.__context__ is None


def test_an_address_is_taken_once(data: ScreenshotDataLayer, user: User, refused: Callable[..., Any]) -> None:
    """Of eight that register one address at a time one succeeds, in whatever spelling."""
    error = refused(lambda: data.users.save(User(email="JOHN@example.com ")))
    assert (str(error), error.field) == ("User already registered", "email")

    def register(number: int) -> bool:
        try:
            data.users.save(User(email=f"{'a' if number % 2 else 'A'}@example.com"))
        except ValidationError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(register, range(8))) == 1


@pytest.mark.parametrize("field", ["azure_id", "google_id", "github_id"])
def test_accounts_elsewhere(data: ScreenshotDataLayer, refused: Callable[..., Any], field: str) -> None:
    """An account at another provider belongs to one user, who is found by it."""
    user = data.users.save(User(email="a@example.com", **{field: "subject"}))  # type: ignore[arg-type]
    find = getattr(data.users, f"find_by_{field}")
    assert find("subject") == user
    assert find("other") is None
    assert refused(lambda: data.users.save(User(email="b@example.com", **{field: "subject"}))).field == field  # type: ignore[arg-type]


def test_password_hash(data: ScreenshotDataLayer) -> None:
    """A password hash is stored and shown nowhere; saving a user that was read leaves it as it is."""
    user = data.users.save(User(email="a@example.com", password_hash="hash-1"))
    stored = data.users.get_password_hash("A@example.com")
    assert stored is not None
    assert stored.reveal() == "hash-1"
    assert user.password_hash is None
    assert "hash-1" not in repr(user) + str(user.to_dict())
    user.first_name = "Ann"
    data.users.save(user)
    assert data.users.get_password_hash("a@example.com") == stored
    assert user.password_changed_at is None
    user.password_hash = "hash-2"
    assert "hash-2" not in repr(user) + str(user.to_dict())
    data.users.save(user)
    assert user.password_changed_at is not None
    data.users.set_status(user.id or "", UserStatus.SUSPENDED)
    assert data.users.get_password_hash("a@example.com") is None


def test_counters_lose_nothing(data: ScreenshotDataLayer, user: User) -> None:
    """Logins of eight threads are all counted, and a user that was read before can still be saved."""
    user_id = user.id or ""
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda _: data.users.record_login(user_id, "192.168.1.1", "Mozilla/5.0"), range(80)))
    data.users.save(user)
    assert user.login_count == 80
    assert (str(user.last_login_ip), user.last_login_user_agent) == ("192.168.1.1", "Mozilla/5.0")
    data.users.record_login(user_id)
    again = data.users.get(user_id)
    assert again is not None
    assert (again.last_login_ip, again.last_login_user_agent) == (None, None)
    assert data.users.record_login(uuid4()) is False


@pytest.mark.parametrize("name", ["preferences", "metadata"])
def test_documents_are_merged(data: ScreenshotDataLayer, user: User, name: str) -> None:
    """Keys that eight threads set are all there; a key is removed by None."""
    user_id = user.id or ""
    merge = getattr(data.users, f"set_{name}")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: merge(user_id, {f"key{number}": {"n": number}}), range(40)))
    assert merge(user_id, {"key0": None}) == {f"key{number}": {"n": number} for number in range(1, 40)}
    assert merge(uuid4(), {"a": 1}) is None


def test_find_by_preference(data: ScreenshotDataLayer, user: User) -> None:
    """Users are found by what their preferences contain."""
    data.users.set_preferences(user.id or "", {"theme": "dark", "editor": {"font": 12}})
    assert [each.id for each in data.users.find_by_preference({"editor": {"font": 12}})] == [user.id]
    assert data.users.find_by_preference({"theme": "light"}) == []


def test_lists(data: ScreenshotDataLayer) -> None:
    """Users come page by page, each once, the oldest first."""
    users = [data.users.save(User(email=f"{number}@example.com")) for number in range(7)]
    data.users.set_status(users[3].id or "", "suspended")
    seen: list[User] = []
    while page := data.users.list_users(after=seen[-1] if seen else None, limit=3):
        seen += page
    assert [user.id for user in seen] == [user.id for user in users]
    assert [user.id for user in data.users.list_users("suspended")] == [users[3].id]


def test_password_reset(data: ScreenshotDataLayer, user: User, admin: psycopg.Connection[Any]) -> None:
    """A token replaces the hash once, within its time, and is stored as a hash alone."""
    token = data.users.begin_password_reset("john@example.com")
    assert token is not None
    assert data.users.begin_password_reset("nobody@example.com") is None
    [stored] = admin.execute("SELECT reset_password_token FROM screenshot.users").fetchall()
    assert token.reveal() not in str(stored)
    assert data.users.finish_password_reset("another-token", "new") is None
    assert data.users.finish_password_reset(token, "new") == user.id  # type: ignore[arg-type]
    assert data.users.finish_password_reset(token.reveal(), "newer") is None
    late = data.users.begin_password_reset("john@example.com", 1)
    assert late is not None
    admin.execute("UPDATE screenshot.users SET reset_password_expires_at = now() - interval '1 second'")
    assert data.users.finish_password_reset(late.reveal(), "newer") is None


def test_email_verification(data: ScreenshotDataLayer, user: User) -> None:
    """A token verifies the address once."""
    token = data.users.begin_email_verification(user.id or "")
    assert token is not None
    assert data.users.begin_email_verification(uuid4()) is None
    assert data.users.finish_email_verification(token.reveal()) == user.id
    assert data.users.finish_email_verification(token.reveal()) is None
    again = data.users.get(user.id or "")
    assert again is not None
    assert again.email_verified
    assert again.email_verified_at is not None


def test_deletion(data: ScreenshotDataLayer, user: User, project: Any, code: Any) -> None:
    """A user goes with projects and codes."""
    assert data.users.delete(user.id or "") is True
    assert data.users.delete(user.id or "") is False
    assert data.projects.get(project.id) is None
    assert data.codes.get(code.id) is None


def test_another_constraint(data: ScreenshotDataLayer, user: User, admin: psycopg.Connection[Any]) -> None:
    """What a constraint of one's own refuses is not taken for a taken address."""
    admin.execute("ALTER TABLE screenshot.users ADD CONSTRAINT own CHECK (first_name <> 'Bad')")
    with pytest.raises(ConstraintViolation):
        data.users.save(User(email="c@example.com", first_name="Bad"))


def test_entity_methods() -> None:
    """Methods of a user change the object alone."""
    user = User(email="a@example.com", preferences={"a": None}, metadata={"b": 1})
    user.update_last_login("::1", "agent")
    assert (user.login_count, str(user.last_login_ip), user.last_login_user_agent) == (1, "::1", "agent")
    user.update_last_login()
    assert (user.login_count, user.last_login_ip, user.last_login_user_agent) == (2, None, None)
    assert user.get_preference("a", "default") == "default"
    assert user.get_metadata("b") == 1
    user.set_metadata("b", 2)
    assert user.metadata == {"b": 2}
    shown = user.to_dict()
    assert shown["lastLoginIp"] is None
    assert shown["loginCount"] == 2
    assert "passwordHash" not in shown
    assert user.to_dict("snake")["login_count"] == 2
    with pytest.raises(ValidationError):
        user.to_dict("kebab")  # type: ignore[arg-type]
