"""Archives: rows as compressed CSV in object storage, each with a manifest, and proved by being read back."""

from surf_data.kernel.archive.csv_file import ArchivedCsv, csv_blocks, prove, write
from surf_data.kernel.archive.manifest import Manifest, delete, read_manifest, write_manifest

__all__ = [
    "ArchivedCsv",
    "Manifest",
    "csv_blocks",
    "delete",
    "prove",
    "read_manifest",
    "write",
    "write_manifest",
]
