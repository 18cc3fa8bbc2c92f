"""Specifications, cache, configuration, session tokens: what comes back is what was stored, by fifty at once, too."""

import hashlib
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from surf_data import ConstraintViolation, EncryptionError, specify
from surf_data.kernel.crypto import new_key, token_digest
from surf_data.specify import Project, SpecifyDataLayer, User

Connection = psycopg.Connection[Any]
Refused = Callable[..., Any]
THREADS = 50


def together(work: Callable[[int], Any], number: int = THREADS) -> list[Any]:
    """Return what so many threads return that begin at once."""
    barrier = Barrier(number)

    def one(position: int) -> Any:
        barrier.wait()
        return work(position)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))


def test_specifications(data: SpecifyDataLayer, admin: Connection, project: Project, refused: Refused) -> None:
    """A content is stored once for however many specifications, verified by its hash, and found by its words."""
    specs = data.specifications
    text = "@prefix ex: <https://example.com/> . ex:waves a ex:Ocean .\r\n"
    first = specs.create_specification(project.id, "a.ttl", text, triple_count=1)
    second = specs.create_specification(project.id, "b.ttl", text, valid=False, validation_errors="no")
    bare = specs.create_specification(project.id, "c.ttl", "other", store_content=False)
    assert first.content_hash == hashlib.sha256(text.encode()).hexdigest()
    [(contents,)] = admin.execute("SELECT count(*) FROM specify.rdf_contents").fetchall()
    assert contents == 1
    assert refused(lambda: specs.create_specification(project.id, "a.ttl", "new")).field == "file_path"
    assert specs.get_content(first.id) == text
    assert specs.get_content(bare.id) is specs.get_content(9999) is None

    def reasons(*arguments: Any) -> Any:
        found = specs.verify_specification(*arguments)
        return found and (found.ok, found.reason)

    assert [reasons(*each) for each in ((first.id,), (first.id, text), (first.id, "x"), (bare.id,), (9999,))] == [
        (True, "verified"),
        (True, "verified"),
        (False, "changed"),
        (False, "missing"),
        None,
    ]
    unchanged = specs.update_specification(first.id, text)
    assert unchanged == first
    changed = specs.update_specification(first.id, "changed", triple_count=2, store_content=True)
    assert changed is not None
    assert (changed.triple_count, specs.get_content(first.id)) == (2, "changed")
    assert specs.update_specification(first.id, "bare", store_content=False) is not None
    assert specs.update_specification(9999, "x") is None
    queries = specs.queries
    assert [each.id for each in queries.find_by_project(project.id)] == [first.id, bare.id, second.id]
    assert [each.id for each in queries.find_by_hash(second.content_hash)] == [second.id]
    assert [each.id for each in queries.get_invalid_specs()] == [second.id]
    assert [each.id for each in queries.find_specifications("wave ocean")] == [second.id]
    assert queries.find_specifications("wave", project_id=9999) == []
    assert [each.file_path for each in queries.paginate(per_page=2).items] == ["a.ttl", "b.ttl"]
    assert specs.update(second.id, {"valid": True}) is not None
    with pytest.raises(psycopg.errors.CheckViolation):
        admin.execute("UPDATE specify.rdf_contents SET content = 'forged'")


def test_contents_are_cleaned(data: SpecifyDataLayer, admin: Connection, project: Project) -> None:
    """One that no specification has goes, unless it was stored just now."""
    specs = data.specifications
    spec = specs.create_specification(project.id, "a.ttl", "one")
    specs.update_specification(spec.id, "two")
    assert specs.cleanup_contents() == 0
    admin.execute("UPDATE specify.rdf_contents SET stored_at = now() - interval '1 day'")
    assert specs.cleanup_contents() == 1
    assert specs.get_content(spec.id) == "two"
    admin.execute("DELETE FROM specify.rdf_specifications")
    specs.create_specification(project.id, "a.ttl", "two")
    assert specs.cleanup_contents() == 0


def test_cache(data: SpecifyDataLayer, admin: Connection) -> None:
    """A read counts one, a write none; what has expired is not there, and goes with the clean-up."""
    cache = data.cache
    entry = cache.set_cache("k", "é", 3600)
    assert (entry.size_bytes, entry.value_hash, entry.access_count) == (2, hashlib.sha256("é".encode()).hexdigest(), 0)
    assert [cache.get_cache("k"), cache.get_cache("k", count=False), cache.get_cache("none")] == ["é", "é", None]
    again = cache.set_cache("k", "b")
    assert (again.id, again.access_count, again.expires_at) == (entry.id, 1, None)
    cache.set_cache("old", "x", 3600)
    admin.execute("UPDATE specify.cache_entries SET expires_at = now() - interval '1 s' WHERE key = 'old'")
    assert cache.get_cache("old") is cache.get_cache("old", count=False) is None
    assert cache.queries.find_by_key("old") is not None
    assert [each.key for each in cache.queries.get_expired_entries()] == ["old"]
    assert cache.queries.get_statistics() == {"entries": 2, "expired": 1, "size_bytes": 2, "reads": 1}
    assert (cache.cleanup_expired(), cache.cleanup_expired()) == (1, 0)
    assert (cache.delete_cache("k"), cache.delete_cache("k")) == (True, False)
    created = cache.create({"key": "c", "value": "v"})
    updated = cache.update(created.id, {"value": "w"})
    assert updated is not None
    assert (updated.value, updated.value_hash) == ("w", hashlib.sha256(b"w").hexdigest())
    assert cache.update(created.id, {"meta": {"a": 1}}) is not None
    assert cache.bulk_update([{"id": created.id, "value": "x"}]) == 1
    assert cache.get_cache("c") == "x"


def test_fifty_readers_of_a_cache_entry(data: SpecifyDataLayer) -> None:
    """Each read counts once, while others write; none fails, and none sees anything but a value that was written."""
    data.cache.set_cache("k", "0")
    seen = together(lambda n: data.cache.get_cache("k") if n % 5 else data.cache.set_cache("k", f"{n}").value)
    assert set(seen) <= {f"{n}" for n in range(0, THREADS, 5)}
    entry = data.cache.queries.find_by_key("k")
    assert entry is not None
    assert entry.access_count == THREADS * 4 // 5


def test_fifty_writers_of_a_configuration(data: SpecifyDataLayer, project: Project) -> None:
    """None fails, the last one wins, and no change is lost where the value before is compared."""
    together(lambda n: data.configuration.set_config(project.id, "theme", n))
    assert data.configuration.get_config(project.id, "theme") in range(THREADS)
    assert data.configuration.queries.count() == 1
    data.configuration.set_config(project.id, "count", 0)

    def add(_: int) -> None:
        known = data.configuration.get_config(project.id, "count")
        while not data.configuration.compare_and_set_config(project.id, "count", known, known + 1):
            known = data.configuration.get_config(project.id, "count")

    together(add)
    assert data.configuration.get_config(project.id, "count") == THREADS


def test_fifty_users_of_a_token(data: SpecifyDataLayer, user: User) -> None:
    """It is valid until it is revoked, for each of them; none fails."""
    token = data.tokens.create_session(user.id).token
    assert token is not None
    assert all(together(lambda _: data.tokens.validate_token(token)))
    together(lambda n: data.tokens.revoke_token(token) if n == 7 else data.tokens.validate_token(token))
    assert not any(together(lambda _: data.tokens.validate_token(token)))


def test_tokens(data: SpecifyDataLayer, admin: Connection, user: User, refused: Refused) -> None:
    """Only the hash is stored; a token holds until it expires, is revoked, or its user is taken out of use."""
    tokens = data.tokens
    session = tokens.create_session(user.id, 60, ip_address="::1", user_agent="curl", meta={"a": 1})
    assert session.token is not None
    token = session.token.reveal()
    assert not session.is_expired
    assert token not in repr(session)
    assert admin.execute("SELECT token_hash FROM specify.session_tokens").fetchone() == (token_digest(token),)
    validated = tokens.validate_token(token)
    assert validated is not None
    assert (validated.id, str(validated.ip_address), validated.token) == (session.id, "::1", None)
    used = admin.execute("SELECT last_used_at FROM specify.session_tokens").fetchone()
    assert used is not None
    assert used[0] is not None
    tokens.validate_token(token)
    assert admin.execute("SELECT last_used_at FROM specify.session_tokens").fetchone() == used
    data.users.deactivate(user.id)
    assert tokens.validate_token(token) is None
    data.users.activate(user.id)
    assert tokens.revoke_all(user.id) == 1
    assert tokens.validate_token(token) is None
    assert not tokens.revoke_token("unknown")
    soon = datetime.now(UTC) + timedelta(hours=1)
    made = tokens.bulk_create([{"user_id": user.id, "expires_at": soon}] * 3)
    assert len({each.token for each in made}) == 3
    assert all(tokens.validate_token(each.token) for each in made if each.token)
    expired = tokens.create({"user_id": user.id, "expires_at": soon - timedelta(hours=2)})
    assert expired.is_expired
    assert expired.token is not None
    assert tokens.validate_token(expired.token) is None
    assert tokens.update(expired.id, {"is_active": False}) is not None
    assert (tokens.cleanup_expired(), tokens.exists(expired.id)) == (1, False)
    refused(lambda: tokens.create_session(9999), ConstraintViolation)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=10,
)


def test_any_value_comes_back(data: SpecifyDataLayer, project: Project) -> None:
    """Equal, and of the same type, at any depth."""

    @settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)
    @given(value=JSON)
    def check(value: Any) -> None:
        data.configuration.set_config(project.id, "k", value)
        found = data.configuration.get_config(project.id, "k", "default")
        assert found == value
        assert type(found) is type(value)

    check()
    data.configuration.set_config(project.id, "k", -0.0)
    assert math.copysign(1, data.configuration.get_config(project.id, "k")) == -1
    for odd in (10**4300 - 1, -(10**300), 1e308, 5e-324, 1e22, (1, "a")):
        data.configuration.set_config(project.id, "k", odd)
        assert data.configuration.get_config(project.id, "k") == (list(odd) if isinstance(odd, tuple) else odd)


def test_configuration(data: SpecifyDataLayer, project: Project, refused: Refused) -> None:
    """Values are set, listed and deleted; description and meta stay; rows may bring their text and type."""
    config = data.configuration
    first = config.set_config(project.id, "a", 1, description="one", meta={"x": 1})
    again = config.set_config(project.id, "a", "two")
    assert (again.id, again.type, again.description, again.meta) == (first.id, "string", "one", {"x": 1})
    assert config.get_configs(project.id) == {"a": "two"}
    assert again.get_value() == "two"
    typed = config.create({"project_id": project.id, "key": "b", "value": "42", "type": "integer"})
    assert typed.get_value() == 42
    assert refused(lambda: config.create({"project_id": project.id, "key": "b", "value": 1})).field == "key"
    updated = config.update(typed.id, {"value": 1.5})
    assert updated is not None
    assert (updated.type, updated.get_value()) == ("float", 1.5)
    assert config.update(typed.id, {"description": "x"}) is not None
    assert not config.compare_and_set_config(project.id, "none", 1, 2)
    assert (config.delete_config(project.id, "a"), config.delete_config(project.id, "a")) == (True, False)
    refused(lambda: config.set_config(9999, "a", 1), ConstraintViolation)


def test_encrypted_configuration(app_url: str, admin: Connection, project: Project, refused: Refused) -> None:
    """It is stored encrypted, for its place alone, and comes back with its type to those who have the keys."""
    with specify.open(app_url, encryption_keys=new_key(), pool_max_size=1) as keyed:
        stored = keyed.configuration.set_config(project.id, "secret", {"pin": 1234}, encrypted=True)
        assert "1234" not in stored.value
        assert stored.get_value() == stored.value
        assert keyed.configuration.get_config(project.id, "secret") == {"pin": 1234}
        with keyed.transaction() as transaction:
            assert transaction.configuration.get_configs(project.id) == {"secret": {"pin": 1234}}
        admin.execute("UPDATE specify.configurations SET key = 'moved'")
        refused(lambda: keyed.configuration.get_config(project.id, "moved"), EncryptionError)
