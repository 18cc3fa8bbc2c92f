"""Users and projects: unique names, keys that are hashes, searches, what goes with what."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from surf_data import ConstraintViolation, DatabaseError, specify
from surf_data.kernel.crypto import token_digest
from surf_data.specify import Project, SpecifyDataLayer, User

Refused = Callable[..., Any]


def test_names_are_unique_in_any_spelling(data: SpecifyDataLayer, user: User, refused: Refused) -> None:
    """Case and composition do not make another user, but lookups want the spelling that was registered."""
    assert refused(lambda: data.users.create_user("ALICE ", "b@example.com", b"x")).field == "username"
    assert refused(lambda: data.users.create_user("b", "Alice@Example.com", b"x")).field == "email"
    key = user.api_key
    assert key is not None
    assert refused(lambda: data.users.create_user("b", "b@example.com", b"x", api_key=key)).field == "api_key"
    other = data.users.create_user("b", "b@example.com", b"x")
    assert refused(lambda: data.users.update(other.id, {"username": "Alice"})).field == "username"
    assert data.users.get_by_username("ALICE") is None
    assert data.users.get_by_email("alice@example.com") == data.users.get(user.id)
    assert data.users.update(9999, {"username": "c"}) is None


def test_keys_are_hashes(data: SpecifyDataLayer, admin: psycopg.Connection[Any], user: User) -> None:
    """The key is shown once and found by its hash; another one takes its place at once."""
    assert user.api_key is not None
    key = user.api_key.reveal()
    assert len(key) == 43
    stored = admin.execute("SELECT api_key_hash, api_key_preview FROM specify.users").fetchone()
    assert stored == (token_digest(key), key[-4:])
    assert key not in repr(user)
    assert "hashed" not in repr(user)
    found = data.users.get_by_api_key(key)
    assert found is not None
    assert found.api_key is None
    rotated = data.users.rotate_api_key(user.id)
    assert rotated is not None
    assert data.users.get_by_api_key(key) is None
    assert data.users.get_by_api_key(rotated) is not None
    assert data.users.rotate_api_key(9999) is None


def test_lists_of_users(data: SpecifyDataLayer, user: User) -> None:
    """Active users, administrators, all; logins; pages in each order."""
    bob = data.users.create_user("bob", "bob@example.com", b"x", is_admin=True, full_name="Bob 100%_\\")
    assert data.users.deactivate(bob.id) is not None
    queries = data.users.queries
    assert [found.username for found in queries.get_active_users()] == ["alice"]
    assert [found.username for found in queries.get_admins()] == ["bob"]
    assert [found.username for found in queries.get_all(limit=1, offset=1)] == ["bob"]
    activated = data.users.activate(bob.id)
    assert activated is not None
    assert activated.is_active
    logged_in = data.users.update_last_login(bob.id)
    assert logged_in is not None
    assert logged_in.last_login_at is not None
    assert data.users.update_last_login(9999) is None
    assert queries.count() == 2
    orders = {
        order: [found.id for found in queries.paginate(order_by=order).items] for order in ("id", "-id", "username")
    }
    assert orders == {"id": [1, 2], "-id": [2, 1], "username": [1, 2]}
    beyond = queries.paginate(page=9, per_page=10)
    assert (beyond.items, beyond.total, beyond.pages, beyond.has_prev) == ([], 2, 1, True)
    assert queries.delete_by_id(user.id)
    assert not queries.delete_by_id(user.id)


def test_searches_take_no_wildcards(data: SpecifyDataLayer, user: User) -> None:
    """``%``, ``_`` and backslashes are letters; the name itself comes first, then names that begin so."""
    for name in ("xali", "alib", "ali", "per%cent", "under_score"):
        data.users.create_user(name, f"{name}@example.com", b"x")
    search = data.users.queries.search_users
    assert [found.username for found in search("ali")] == ["ali", "alice", "alib", "xali"]
    assert [found.username for found in search("%")] == ["per%cent"]
    assert [found.username for found in search("_")] == ["under_score"]
    assert search("\\") == []


def test_projects(data: SpecifyDataLayer, user: User, refused: Refused) -> None:
    """Slugs are unique; archived projects leave lists, but not searches; words are found in any form."""
    projects = data.projects
    first = projects.create_project("Surf lamps", "lamps", user.id, description="Lamps that show waves")
    second = projects.create_project("Waves", "waves", user.id, meta={"a": 1}, settings={"b": [2]})
    assert refused(lambda: projects.create_project("Other", "lamps", user.id)).field == "slug"
    assert refused(lambda: projects.create_project("Other", "other", 9999), ConstraintViolation).constraint
    assert projects.get_by_slug("waves") == projects.get(second.id)
    assert projects.get_by_slug("none") is None
    assert projects.archive(first.id) is not None
    queries = projects.queries
    assert [found.slug for found in projects.get_user_projects(user.id)] == ["waves"]
    assert len(queries.find_by_owner(user.id, active_only=False)) == 2
    assert [found.slug for found in queries.get_active_projects()] == ["waves"]
    assert [found.slug for found in queries.search_projects("wave", owner_id=user.id)] == ["waves", "lamps"]
    assert [found.slug for found in queries.find_projects("wave -lamp")] == ["waves"]
    assert queries.find_projects("the") == []
    assert [queries.find_projects(hostile) for hostile in ("'", "a & | !", "; DROP", "(((", "🌊")] == [[]] * 5
    restored = projects.unarchive(first.id)
    assert restored is not None
    assert restored.updated_at > first.updated_at
    assert [found.slug for found in queries.get_recent_projects()] == ["lamps", "waves"]
    assert [found.id for found in queries.paginate(order_by="-updated_at").items] == [first.id, second.id]
    assert [found.id for found in queries.get_all()] == [first.id, second.id]


def test_what_goes_with_a_user(data: SpecifyDataLayer, user: User, project: Project) -> None:
    """Projects and tokens go, commands and audit rows stay, with the name that the user had."""
    own = data.commands.start_command("specify", user_id=user.id)
    data.audit.log_action("login", "session", user_id=user.id)
    token = data.tokens.create_session(user.id).token
    assert token is not None
    assert data.users.delete(user.id)
    assert data.projects.get(project.id) is None
    assert data.tokens.validate_token(token) is None
    command = data.commands.get(own.id)
    assert command is not None
    assert command.user_id is None
    [row] = data.audit.queries.get_recent_logs()
    assert (row.user_id, row.user_name) == (None, "alice")


def test_a_large_project_is_deleted_in_portions(data: SpecifyDataLayer, user: User, project: Project) -> None:
    """It goes with its commands; one that is not there is none."""
    data.commands.bulk_create([{"name": "a", "project_id": project.id}] * 1001)
    assert data.projects.delete_project(project.id)
    assert data.commands.queries.count() == 0
    assert not data.projects.delete_project(project.id)


def test_anonymisation(owner_url: str, data: SpecifyDataLayer, user: User, refused: Refused) -> None:
    """Nothing says any more who a user was; that something happened is still known. Only the owner may."""
    data.audit.log_action("login", "session", user_id=user.id, ip_address="10.0.0.1", user_agent="curl")
    data.commands.start_command("specify", "--me alice", user.id, environment={"HOME": "/home/alice"}, host="alice")
    data.tokens.create_session(user.id)
    refused(lambda: data.users.anonymise(user.id), DatabaseError)
    with specify.open(owner_url, pool_max_size=1) as owned:
        assert [owned.users.anonymise(each) for each in (user.id, user.id, 9999)] == [True, True, False]
    found = data.users.get(user.id)
    assert found is not None
    assert (found.username, found.email, found.is_active) == ("user-1", "user-1@invalid", False)
    [row] = data.audit.queries.find_by_user(user.id)
    assert (row.user_name, row.ip_address, row.user_agent) == (None, None, None)
    [command] = data.commands.queries.find_by_user(user.id)
    assert (command.args, command.environment, command.host) == (None, {}, None)


def test_many_users(data: SpecifyDataLayer, user: User, refused: Refused) -> None:
    """All are created or none, each with its key; the row that is wrong is named; updates may differ in their keys."""
    rows = [{"username": f"u{n}", "email": f"u{n}@example.com", "password_hash": b"x"} for n in range(20)]
    made = data.users.bulk_create(rows)
    assert [each.username for each in made] == [f"u{n}" for n in range(20)]
    assert len({each.api_key for each in made if each.api_key}) == 20
    assert data.users.bulk_create([]) == []
    more = [{"username": name, "email": f"{name}@more.example", "password_hash": b"x"} for name in ("v", "V", "w")]
    assert refused(lambda: data.users.bulk_create(more)).field == "rows[1].username"
    more[1] = {**more[1], "username": "x", "email": "U3@example.com"}
    assert refused(lambda: data.users.bulk_create(more)).field == "rows[1].email"
    assert data.users.queries.count() == 21
    updates = [{"id": made[0].id, "full_name": "Zero"}, {"id": 9999, "meta": {}}, {"id": made[1].id, "is_admin": True}]
    assert data.users.bulk_update(updates) == 2
    assert data.users.bulk_update([{"key": made[2].id, "full_name": "Two"}], id_key="key") == 1
    assert data.users.bulk_update([]) == 0
    changed = [data.users.get(each.id) for each in made[:3]]
    assert [(each.full_name, each.is_admin) for each in changed if each] == [
        ("Zero", False),
        (None, True),
        ("Two", False),
    ]
    clash = [{"id": made[0].id, "full_name": "No"}, {"id": made[1].id, "username": "u2"}]
    assert refused(lambda: data.users.bulk_update(clash)).field == "username"
    first = data.users.get(made[0].id)
    assert first is not None
    assert first.full_name == "Zero"


def test_updates_refer_to_what_is_there(data: SpecifyDataLayer, project: Project, refused: Refused) -> None:
    """What is no clash of names says which constraint it was; a transaction goes on."""
    error = refused(lambda: data.projects.update(project.id, {"owner_id": 9999}), ConstraintViolation)
    assert error.constraint == "projects_owner_id_fkey"
    with data.transaction() as transaction:
        with pytest.raises(ConstraintViolation):
            transaction.projects.update(project.id, {"owner_id": 9999})
        assert transaction.projects.update(project.id, {"name": "Renamed"}) is not None
    found = data.projects.get(project.id)
    assert found is not None
    assert found.name == "Renamed"
