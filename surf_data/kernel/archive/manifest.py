"""What an archive holds, beside it in object storage, so that it can be restored where nothing else is known of it."""

import hashlib
import json
from contextlib import suppress
from datetime import datetime
from typing import Any

import attrs

from surf_data.errors import ArchiveError, ObjectNotFound
from surf_data.kernel.archive.csv_file import ArchivedCsv
from surf_data.kernel.storage import ObjectStore, checked_key
from surf_data.kernel.validation import invalid

_VERSION = 1
_MAX_BYTES = 1_000_000


@attrs.frozen(kw_only=True)
class Manifest:
    """What an archive holds."""

    #: The table whose rows they were, with its schema.
    table: str
    #: The columns of the CSV, in its order.
    columns: tuple[str, ...]
    #: Rows from ``since`` (of all times before, if ``None``) to before ``until``.
    since: datetime | None
    until: datetime
    #: The key of the CSV.
    location: str
    csv: ArchivedCsv

    @property
    def key(self) -> str:
        """The key of the manifest."""
        return manifest_key(self.location)


def manifest_key(location: str) -> str:
    """Return the key of the manifest of an archive.

    Arguments:
        location: the key of its CSV.
    """
    return f"{checked_key(location)}.manifest.json"


def write_manifest(store: ObjectStore, manifest: Manifest) -> None:
    """Store a manifest; what was there under its key is replaced.

    Raises:
        StorageError: it could not be stored.
    """
    if not isinstance(manifest, Manifest):
        raise invalid("manifest", "must be a Manifest")
    document = attrs.asdict(manifest) | {"format": "csv+zstd", "version": _VERSION}
    text = json.dumps(document, indent=2, sort_keys=True, default=datetime.isoformat)
    store.put(manifest.key, json.dumps({"archive": text, "sha256": _digest(text)}).encode(), create=False)


def read_manifest(store: ObjectStore, location: str) -> Manifest:
    """Return the manifest of an archive.

    Arguments:
        store: where it is.
        location: the key of its CSV.

    Raises:
        ArchiveError: it is missing, was edited, or is of a later version.
        StorageError: it could not be read.
    """
    key = manifest_key(location)
    raw: bytes | None = None
    with suppress(ObjectNotFound):
        raw = store.get_range(key, 0, _MAX_BYTES)
    if raw is None:
        raise ArchiveError("is missing", location=key)
    with suppress(KeyError, TypeError, ValueError, AttributeError):
        outer = json.loads(raw)
        text = outer["archive"]
        if outer["sha256"] == _digest(text):
            found = _manifest(json.loads(text))
            if found.location == location:
                return found
    raise ArchiveError("was edited, or is of a later version", location=key)


def delete(store: ObjectStore, location: str) -> None:
    """Delete an archive that is not needed: its manifest first, so that no manifest is without its CSV.

    Raises:
        StorageError: it could not be deleted.
    """
    store.delete_many([manifest_key(location)])
    store.delete_many([location])


def _manifest(document: dict[str, Any]) -> Manifest:
    if (document.pop("format"), document.pop("version")) != ("csv+zstd", _VERSION):
        raise ValueError
    since = document.pop("since")
    read: dict[str, Any] = {
        "columns": tuple(document["columns"]),
        "since": None if since is None else datetime.fromisoformat(since),
        "until": datetime.fromisoformat(document["until"]),
        "csv": ArchivedCsv(**document["csv"]),
    }
    return Manifest(**document | read)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
