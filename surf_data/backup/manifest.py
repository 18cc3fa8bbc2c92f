"""What is known of a backup beside its file: when and of what it was made, its checksum, how many rows it holds."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from io import FileIO
from pathlib import Path
from typing import Any

import attrs

from surf_data.errors import BackupError

_FORMAT = 1


@attrs.frozen(order=True)
class Table:
    """A table, by name."""

    #: Its schema.
    schema: str
    #: Its name in the schema.
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


@attrs.frozen(kw_only=True)
class Manifest:
    """Stands in ``FILE.json`` beside a backup ``FILE``."""

    #: When the snapshot was taken.
    created_at: datetime
    #: The name of the database.
    database: str
    #: The server's version, as ``server_version_num`` has it: 180004 is 18.4.
    server_version: int
    #: The major version of the pg_dump that wrote the file; only one that is not older can read it.
    pg_dump_version: int
    #: The size of the file in bytes.
    size: int
    #: SHA-256 of the file, in hexadecimal.
    sha256: str
    #: How many rows each table had in the snapshot.
    rows: Mapping[Table, int]

    def to_dict(self) -> dict[str, Any]:
        """Return the manifest as a JSON document."""
        return {
            "format": _FORMAT,
            "created_at": self.created_at.isoformat(),
            "database": self.database,
            "server_version": self.server_version,
            "pg_dump_version": self.pg_dump_version,
            "size": self.size,
            "sha256": self.sha256,
            "tables": [
                {"schema": table.schema, "table": table.name, "rows": count} for table, count in self.rows.items()
            ],
        }


def manifest_path(file: Path) -> Path:
    """Return where the manifest of the backup ``file`` is."""
    return file.with_name(f"{file.name}.json")


def read_manifest(file: Path) -> Manifest:
    """Return the manifest of the backup ``file``.

    Raises:
        BackupError: there is none, or it is not one of these.
    """
    path = manifest_path(file)
    problem = "is not the manifest of a backup"
    try:
        document = json.loads(path.read_text("utf-8"))
        if document["format"] == _FORMAT:
            return Manifest(
                created_at=datetime.fromisoformat(document["created_at"]),
                database=str(document["database"]),
                server_version=int(document["server_version"]),
                pg_dump_version=int(document["pg_dump_version"]),
                size=int(document["size"]),
                sha256=str(document["sha256"]),
                rows={Table(str(each["schema"]), str(each["table"])): int(each["rows"]) for each in document["tables"]},
            )
        problem = "is of a newer version of this library"
    except OSError as error:
        problem = f"cannot be read, so it is not known whether the backup is whole: {error.strerror}"
    except (KeyError, TypeError, ValueError):
        pass
    # Outside the handlers, so that it carries no other error.
    raise BackupError(problem, file=str(path))


def digest(file: FileIO) -> tuple[int, str]:
    """Return the size and the SHA-256 of an open file, which is at its beginning before and after."""
    file.seek(0)
    sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    size = file.seek(0, 2)
    file.seek(0)
    return size, sha256
