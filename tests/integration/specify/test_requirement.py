"""The usage blocks of the requirement, and the 28 cases that the original's tests have, through the names they use."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from surf_data import specify
from surf_data.kernel.postgres import Session
from surf_data.specify import (
    AuditAction,
    AuditLogRepository,
    CacheRepository,
    CommandRepository,
    ConfigurationRepository,
    DatabaseManager,
    ExecutionStatus,
    MetricType,
    MigrationManager,
    PerformanceMetricRepository,
    ProjectRepository,
    RDFSpecificationRepository,
    RetryConfig,
    SessionTokenRepository,
    UserRepository,
    close_db,
    get_session,
    health_check,
    init_db,
    verify_schema,
)
from surf_data.specify.queries import CommandQueries, ProjectQueries, UserQueries


@pytest.fixture
def database(owner_url: str) -> Iterator[DatabaseManager]:
    """Open the database of the process."""
    yield init_db(owner_url, pool_size=1, max_overflow=4)
    close_db()


@pytest.fixture
def session(database: DatabaseManager) -> Iterator[Session]:
    """Begin a transaction."""
    with database.get_session() as session:
        yield session


def test_basic_usage(owner_url: str) -> None:
    """The requirement's first block runs as it is written but for the URL."""
    init_db(owner_url)
    try:
        with get_session() as session:
            repo = UserRepository(session)
            user = repo.create_user(username="alice", email="alice@example.com", password_hash=b"hashed")
        assert user.id == 1
    finally:
        close_db()


def test_advanced_usage(database: DatabaseManager) -> None:
    """The requirement's second block runs as it is written, in one transaction."""
    with get_session() as session:
        UserRepository(session).create_user("alice", "alice@example.com", b"hashed")
    with get_session() as session:
        cmd_repo = CommandRepository(session)
        cmd = cmd_repo.start_command(name="specify init", user_id=1)
        metric_repo = PerformanceMetricRepository(session)
        metric_repo.record_metric(name="execution_time", value=150.5, unit="ms", command_id=cmd.id)
        cmd_repo.complete_command(cmd.id, exit_code=0)
        queries = CommandQueries(session)
        stats = queries.get_command_statistics()
    assert (stats["total"], stats["by_status"]) == (1, {"success": 1})
    assert stats["duration"]["avg_ms"] > 0


def test_a_block_is_one_transaction(database: DatabaseManager) -> None:
    """What a block did is rolled back when it raises."""
    with pytest.raises(KeyError), get_session() as session:
        UserRepository(session).create_user("alice", "alice@example.com", b"hashed")
        raise KeyError
    with get_session() as session:
        assert UserRepository(session).get_by_username("alice") is None


class TestModels:
    """Creation, defaults, computed values."""

    def test_user(self, session: Session) -> None:
        """A user is active, no administrator, and has an API key."""
        user = UserRepository(session).create_user("alice", "alice@example.com", b"hash")
        assert (user.is_active, user.is_admin) == (True, False)
        assert user.api_key
        assert user.api_key is not None
        assert UserRepository(session).get_by_api_key(user.api_key.reveal()) is not None

    def test_project(self, session: Session) -> None:
        """A project is in use and counts for its owner."""
        users = UserRepository(session)
        owner = users.create_user("alice", "alice@example.com", b"hash")
        project = ProjectRepository(session).create_project("P", "p", owner.id)
        assert project.is_active
        found = users.get(owner.id)
        assert found is not None
        assert found.active_projects_count == 1

    def test_command(self, session: Session) -> None:
        """A command gets an id and a UUID of 36 characters, and keeps its status."""
        command = CommandRepository(session).create_command("build", status="success", exit_code=0)
        assert command.id == 1
        assert len(command.command_id) == 36
        assert command.status == ExecutionStatus.SUCCESS
        assert command.is_success

    def test_duration(self, session: Session) -> None:
        """The duration of two seconds is 2,000 milliseconds."""
        now = datetime.now(UTC)
        command = CommandRepository(session).create_command(
            "build", status=ExecutionStatus.SUCCESS, started_at=now - timedelta(seconds=2), completed_at=now
        )
        assert command.duration_ms == 2000

    def test_cache_entry_that_has_expired(self, session: Session) -> None:
        """An entry whose time is over says so."""
        entry = CacheRepository(session).create(
            {"key": "k", "value": "v", "expires_at": datetime.now(UTC) - timedelta(hours=1)}
        )
        assert entry.is_expired

    def test_cache_entry_that_is_valid(self, session: Session) -> None:
        """One whose time is not over, or that has none, says so."""
        cache = CacheRepository(session)
        assert not cache.set_cache("k", "v", 3600).is_expired
        assert not cache.set_cache("other", "v").is_expired


class TestSession:
    """The manager, its health and retries."""

    def test_manager(self, database: DatabaseManager, owner_url: str) -> None:
        """It keeps its URL, and has an engine and a factory."""
        assert database.url == owner_url
        assert database.engine is not None
        assert database.session_factory is not None

    def test_health(self, database: DatabaseManager) -> None:
        """It is healthy, and says how long the answer took."""
        health = health_check()
        assert health == {**database.health_check(), "latency_ms": health["latency_ms"]}
        assert health["healthy"]
        assert health["latency_ms"] > 0

    def test_retry_config(self) -> None:
        """It keeps its values."""
        config = RetryConfig(max_attempts=5, initial_delay=0.5, max_delay=10.0, exponential_base=3.0)
        assert (config.max_attempts, config.initial_delay) == (5, 0.5)
        assert (config.max_delay, config.exponential_base) == (10.0, 3.0)


class TestQueries:
    """Filters, pages, statistics."""

    def test_users(self, session: Session) -> None:
        """They are found by name, by address, as administrators and by a part of a name."""
        users = UserRepository(session)
        users.create_user("alice", "alice@example.com", b"hash", is_admin=True)
        users.create_user("bob", "bob@example.com", b"hash")
        queries = UserQueries(session)
        assert queries.find_by_username("alice") is not None
        assert queries.find_by_email("bob@example.com") is not None
        assert [user.username for user in queries.get_admins()] == ["alice"]
        assert [user.username for user in queries.search_users("ali")] == ["alice"]

    def test_projects(self, session: Session) -> None:
        """They are found by slug and by owner, active ones alone."""
        owner = UserRepository(session).create_user("alice", "alice@example.com", b"hash")
        projects = ProjectRepository(session)
        projects.create_project("One", "one", owner.id)
        projects.create_project("Two", "two", owner.id, is_active=False)
        queries = ProjectQueries(session)
        assert queries.find_by_slug("one") is not None
        assert len(queries.find_by_owner(owner.id, active_only=True)) == 1
        assert [project.slug for project in queries.get_active_projects()] == ["one"]

    def test_commands(self, session: Session) -> None:
        """They are found by status and counted."""
        commands = CommandRepository(session)
        commands.create_command("one", status="success")
        commands.create_command("two", status="failed")
        queries = CommandQueries(session)
        assert len(queries.find_by_status(ExecutionStatus.SUCCESS)) == 1
        stats = queries.get_command_statistics()
        assert stats["total"] == 2
        assert stats["by_status"] == {"success": 1, "failed": 1}

    def test_pages(self, session: Session) -> None:
        """25 users are three pages of 10."""
        users = UserRepository(session)
        for number in range(25):
            users.create_user(f"user{number}", f"user{number}@example.com", b"hash")
        first, second = (UserQueries(session).paginate(page=page, per_page=10) for page in (1, 2))
        assert (len(first.items), first.total, first.pages) == (10, 25, 3)
        assert (first.has_next, first.has_prev) == (True, False)
        assert (second.has_next, second.has_prev) == (True, True)


class TestRepositories:
    """Each repository's own methods."""

    def test_user(self, session: Session) -> None:
        """A user is created, read and changed."""
        users = UserRepository(session)
        user = users.create_user("alice", "alice@example.com", b"hash")
        assert users.get(user.id) is not None
        changed = users.update(user.id, {"full_name": "Alice Smith"})
        assert changed is not None
        assert changed.full_name == "Alice Smith"

    def test_project(self, session: Session) -> None:
        """A project is created."""
        owner = UserRepository(session).create_user("alice", "alice@example.com", b"hash")
        assert ProjectRepository(session).create_project("P", "p", owner.id).id == 1

    def test_command(self, session: Session) -> None:
        """A command runs, and has succeeded when its exit code is 0."""
        commands = CommandRepository(session)
        command = commands.start_command("build")
        assert command.status == ExecutionStatus.RUNNING
        completed = commands.complete_command(command.id, 0)
        assert completed is not None
        assert (completed.status, completed.exit_code) == (ExecutionStatus.SUCCESS, 0)

    def test_metric(self, session: Session) -> None:
        """A metric is recorded with its type."""
        metric = PerformanceMetricRepository(session).record_metric("time", 150.5, type=MetricType.TIMER)
        assert (metric.value, metric.type) == (150.5, MetricType.TIMER)

    def test_cache(self, session: Session) -> None:
        """A text is kept, and another key has none."""
        cache = CacheRepository(session)
        cache.set_cache("key", "value", ttl_seconds=3600)
        assert (cache.get_cache("key"), cache.get_cache("missing")) == ("value", None)

    def test_configuration(self, session: Session) -> None:
        """A value is kept, and another key has the default."""
        owner = UserRepository(session).create_user("alice", "alice@example.com", b"hash")
        project = ProjectRepository(session).create_project("P", "p", owner.id)
        configuration = ConfigurationRepository(session)
        configuration.set_config(project.id, "theme", "dark")
        assert configuration.get_config(project.id, "theme") == "dark"
        assert configuration.get_config(project.id, "missing", "default") == "default"

    def test_audit(self, session: Session) -> None:
        """An action is recorded."""
        row = AuditLogRepository(session).log_action(AuditAction.CREATE, "project", "1", ip_address="127.0.0.1")
        assert (row.action, row.resource_type) == (AuditAction.CREATE, "project")

    def test_specification(self, session: Session) -> None:
        """The hash of a specification is the SHA-256 of its content."""
        owner = UserRepository(session).create_user("alice", "alice@example.com", b"hash")
        project = ProjectRepository(session).create_project("P", "p", owner.id)
        spec = RDFSpecificationRepository(session).create_specification(project.id, "a.ttl", "<a> <b> <c> .")
        assert spec.content_hash == hashlib.sha256(b"<a> <b> <c> .").hexdigest()


class TestMigrations:
    """The schema is verified."""

    def test_verification(self, database: DatabaseManager) -> None:
        """A migrated database has what the models need, and nothing else."""
        result = verify_schema(database.engine)
        assert {*result} == {"valid", "missing_tables", "extra_tables", "column_issues"}
        assert result["valid"]
        assert MigrationManager().verify() == result


class TestBase:
    """What every repository can do."""

    def test_bulk_create(self, session: Session) -> None:
        """Five users are created at once, in their order."""
        rows = [
            {"username": f"user{number}", "email": f"user{number}@example.com", "password_hash": b"hash"}
            for number in range(5)
        ]
        users = UserRepository(session).bulk_create(rows)
        assert [user.username for user in users] == [row["username"] for row in rows]
        assert all(user.id for user in users)

    def test_exists(self, session: Session) -> None:
        """A row is there or not."""
        users = UserRepository(session)
        user = users.create_user("alice", "alice@example.com", b"hash")
        assert users.exists(user.id)
        assert not users.exists(9999)

    def test_delete(self, session: Session) -> None:
        """A row that was deleted is gone."""
        users = UserRepository(session)
        user = users.create_user("alice", "alice@example.com", b"hash")
        assert users.delete(user.id)
        assert users.get(user.id) is None

    def test_tokens(self, session: Session) -> None:
        """A token is created, validated and revoked."""
        user = UserRepository(session).create_user("alice", "alice@example.com", b"hash")
        tokens = SessionTokenRepository(session)
        created = tokens.create_session(user.id)
        assert created.token is not None
        validated = tokens.validate_token(created.token)
        assert validated is not None
        assert validated.id == created.id
        assert tokens.revoke_token(created.token)
        assert tokens.revoke_token(created.token)
        assert tokens.validate_token(created.token) is None


@pytest.mark.parametrize("value", ["text", 42, True, 3.14, {"key": "value"}])
def test_configuration_types(session: Session, value: object) -> None:
    """A value comes back with its type."""
    owner = UserRepository(session).create_user("alice", "alice@example.com", b"hash")
    project = ProjectRepository(session).create_project("P", "p", owner.id)
    configuration = ConfigurationRepository(session)
    configuration.set_config(project.id, "key", value)
    found = configuration.get_config(project.id, "key")
    assert found == value
    assert type(found) is type(value)


def test_every_name_is_there() -> None:
    """What the package exports exists."""
    assert all(hasattr(specify, name) for name in specify.__all__)
