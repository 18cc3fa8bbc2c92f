"""The tables that have a policy: by which column their rows age, whose they are, where archives go."""

from pathlib import Path

import attrs

from surf_data.daylight.settings import DaylightSettings
from surf_data.errors import ConfigurationError
from surf_data.kernel.storage import LocalStore, ObjectStore, s3_store

_S3 = "s3://"


@attrs.frozen
class Aging:
    """How the rows of a table age."""

    #: Its time column.
    by: str
    #: The column that says whose a row is.
    owner: str | None = None
    #: Whether the table is in partitions, which go as a whole.
    partitioned: bool = False


#: In the order in which they are maintained: what refers to users goes before they do.
TABLES: dict[str, Aging] = {
    "weather_cache": Aging("stored_at"),
    "traffic_data": Aging("stored_at"),
    "events_cache": Aging("stored_at"),
    "user_sessions": Aging("created_at", "user_id"),
    "location_history": Aging("recorded_at", "user_id", partitioned=True),
    "performance_metrics": Aging("measured_at", partitioned=True),
    "usage_analytics": Aging("occurred_at", "user_id", partitioned=True),
    "error_logs": Aging("occurred_at", "user_id", partitioned=True),
    "api_usage": Aging("occurred_at", "user_id", partitioned=True),
    "audit_logs": Aging("occurred_at", "user_id", partitioned=True),
    "plans": Aging("last_relevant_at", "user_id"),
    "locations": Aging("updated_at", "user_id"),
    # Of inactive accounts alone: those of active ones have no age.
    "user_profiles": Aging("inactive_since", "user_id"),
    "users": Aging("inactive_since", "id"),
}


@attrs.frozen
class ArchivePlace:
    """Where archives are."""

    store: ObjectStore
    #: What their keys begin with; nothing, or text that ends in ``/``.
    prefix: str


def archive_place(settings: DaylightSettings) -> ArchivePlace:
    """Return where archives are, as the settings say. A folder is created if it is missing.

    Raises:
        ConfigurationError: they do not say, or the extra ``storage`` is not installed.
        StorageError: the folder cannot be created.
    """
    url = settings.archive_url
    if url is None:
        raise ConfigurationError("archives need a place: archive_url", setting="archive_url")
    if not url.startswith(_S3):
        store = LocalStore(Path(url))
        store.initialize()
        return ArchivePlace(store, "")
    bucket, _, prefix = url.removeprefix(_S3).partition("/")
    cloud = s3_store(
        bucket,
        region=settings.aws_region,
        access_key_id=settings.archive_access_key_id,
        secret_access_key=settings.archive_secret_access_key,
        endpoint=settings.archive_endpoint,
    )
    return ArchivePlace(cloud, f"{prefix.strip('/')}/" if prefix.strip("/") else "")
