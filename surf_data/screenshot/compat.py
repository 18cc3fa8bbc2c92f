"""The names of the original: one data layer for the process, and repositories by entity. New code uses `open`."""

import threading
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar, Unpack, cast

import attrs

from surf_data.errors import ConfigurationError, SurfDataError
from surf_data.kernel import validation
from surf_data.screenshot import layer
from surf_data.screenshot.audit_log import AuditLog
from surf_data.screenshot.caching import CacheManager
from surf_data.screenshot.entities import Entity
from surf_data.screenshot.generated_code import GeneratedCode
from surf_data.screenshot.generated_image import GeneratedImage
from surf_data.screenshot.project import Project
from surf_data.screenshot.queries import screenshot_queries
from surf_data.screenshot.session import Session
from surf_data.screenshot.settings import ScreenshotKeywords
from surf_data.screenshot.storage import StorageManager
from surf_data.screenshot.user import User

T = TypeVar("T", bound=Entity)
Key = tuple[str, ...]

_lock = threading.RLock()
_current: tuple[layer.ScreenshotDataLayer, Mapping[str, Any]] | None = None
#: Seconds that `check_data_layer_health` takes at the most.
_HEALTH_SECONDS = 2.0


def initialize_data_layer(
    database_url: str | None = None, redis_url: str | None = None, **settings: Unpack[ScreenshotKeywords]
) -> layer.ScreenshotDataLayer:
    """Open the data layer of this process, and find out whether all its parts work. Thread-safe and idempotent.

    Returns:
        The services: ``database``, ``cache``, ``storage`` and the repositories; the same for each call.

    Raises:
        ConfigurationError: a setting is malformed; or it was initialized with other settings.
        DatabaseError: PostgreSQL cannot be reached.
        StorageError: storage does not work.
    """
    global _current  # noqa: PLW0603 - the original's interface: one for the process
    asked = {"database_url": database_url, "redis_url": redis_url, **settings}
    with _lock:
        if _current is not None:
            if _current[1] != asked:
                raise ConfigurationError("the data layer was initialized with other settings: shut it down first")
            return _current[0]
        opened = layer.open(database_url, redis_url, **settings)
        try:
            opened.database.ping()
            opened.storage.initialize()
        except BaseException:
            opened.close()
            raise
        _current = (opened, asked)
        return opened


def shutdown_data_layer() -> None:
    """Close the data layer of this process. Idempotent."""
    global _current
    with _lock:
        known, _current = _current, None
    if known is not None:
        known[0].close()


def current_data_layer() -> layer.ScreenshotDataLayer:
    """Return the data layer of this process.

    Raises:
        ConfigurationError: it was not initialized.
    """
    known = _current
    if known is None:
        raise ConfigurationError("the data layer is not initialized: call initialize_data_layer first")
    return known[0]


def check_data_layer_health() -> dict[str, bool]:
    """Return ``database``, ``cache`` and ``overall``, which is both. Never raises.

    A cache that is away makes ``overall`` false here, as in the original. For a readiness probe use
    ``ScreenshotDataLayer.health``, for which it does not.
    """
    database = cache = False
    try:
        data = current_data_layer()
        with data.deadline(_HEALTH_SECONDS):
            health = data.health()
        database, cache = health.database.ok, data.cache.health()
    except SurfDataError:
        pass
    return {"database": database, "cache": cache, "overall": database and cache}


def get_data_layer_stats() -> dict[str, Any]:
    """Return statistics under the keys of the original: ``database``, ``cache`` and ``storage``. Asks PostgreSQL.

    Raises:
        ConfigurationError: the data layer was not initialized.
        DatabaseError: PostgreSQL cannot answer.
    """
    data = current_data_layer()
    stats = data.stats()
    tables = {
        name: {"rows": rows, "bytes": size}
        for name, rows, size in screenshot_queries().statistics_tables(data.database)
    }
    return {
        "database": {"tables": tables, **{name: stats[name] for name in ("queries", "pool", "replica")}},
        "cache": data.cache.stats(),
        "storage": {**stats["storage"], "initialized": True},
    }


class Repository(Generic[T]):
    """One kind of entity, with the original's `find_one` and `save`."""

    def __init__(self, save: Callable[[T], T], finders: Mapping[Key, Callable[..., T | None]]) -> None:
        self._save = save
        self._finders = finders

    def save(self, entity: T) -> T:
        """Store an entity, as the domain's repository does."""
        return self._save(entity)

    def find_one(self, where: Mapping[str, Any]) -> T | None:
        """Return the entity of a key; ``None`` if there is none.

        Arguments:
            where: a key for which there is a reviewed statement, ``{"email": "user@example.com"}``.

        Raises:
            ValidationError: there is no statement for such a key; the error lists those that there are.
        """
        key = tuple(sorted(validation.mapping("where", where)))
        if key not in self._finders:
            known = " or ".join(" and ".join(each) for each in self._finders)
            raise validation.invalid("where", f"must be {known}")
        return self._finders[key](*(where[name] for name in key))


class AppDataSource:
    """Gives the repositories of the data layer of this process by entity."""

    def get_repository(self, kind: type[T]) -> Repository[T]:
        """Return the repository of an entity.

        Raises:
            ValidationError: there is none for such a class.
            ConfigurationError: the data layer was not initialized.
        """
        data = current_data_layer()
        known: dict[type[Entity], Repository[Any]] = {
            User: Repository(
                data.users.save,
                {
                    ("id",): data.users.get,
                    ("email",): data.users.find_by_email,
                    ("azure_id",): data.users.find_by_azure_id,
                    ("google_id",): data.users.find_by_google_id,
                    ("github_id",): data.users.find_by_github_id,
                },
            ),
            Project: Repository(data.projects.save, {("id",): data.projects.get}),
            GeneratedCode: Repository(
                data.codes.save,
                {
                    ("id",): data.codes.get,
                    ("project_id", "version"): data.codes.get_version,
                },
            ),
            GeneratedImage: Repository(data.images.save, {("id",): data.images.get}),
            Session: Repository(_no_save, {("id",): data.sessions.find}),
            AuditLog: Repository(data.audit.record, {}),
        }
        found = known.get(kind)
        if found is None:
            raise validation.invalid("kind", f"must be one of {', '.join(each.__name__ for each in known)}")
        return found


@attrs.frozen
class _Proxy:
    """A part of the data layer of this process, whichever that is now."""

    _name: str

    def __getattr__(self, name: str) -> Any:
        return getattr(getattr(current_data_layer(), self._name), name)


def _no_save(_: Session) -> Session:
    raise validation.invalid("entity", "is made by sessions.create, which gives its token away once")


#: `CacheManager` of the data layer of this process.
cache_manager: CacheManager = cast("Any", _Proxy("cache"))
#: `StorageManager` of the data layer of this process.
storage_manager: StorageManager = cast("Any", _Proxy("storage"))
#: The repositories of the data layer of this process.
app_data_source: AppDataSource = AppDataSource()
