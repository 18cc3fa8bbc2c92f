"""Cache entries in PostgreSQL: texts that expire, counted as they are read."""

import hashlib

from surf_data.kernel import validation
from surf_data.kernel.postgres import Executor, bulk
from surf_data.specify import fields
from surf_data.specify.base import BaseQueries, BaseRepository
from surf_data.specify.models import CacheEntry
from surf_data.specify.statements import specify_queries
from surf_data.specify.table import Document, Table

#: The largest value, in bytes of UTF-8.
MAX_VALUE = 1_000_000
_BATCH = 5000


def _key(field: str, value: object) -> str:
    return validation.text(field, value, maximum=200)


def _value(field: str, value: object) -> str:
    return fields.sized_text(field, value, MAX_VALUE)


def _complete(document: Document) -> None:
    if "value" in document:
        value = document["value"].encode()
        document["value_hash"], document["size_bytes"] = hashlib.sha256(value).hexdigest(), len(value)


TABLE: Table[CacheEntry] = Table(
    noun="a cache entry",
    stem="cache",
    row=CacheEntry,
    checks={"key": _key, "value": _value, "expires_at": fields.optional(fields.moment), "meta": fields.document},
    required=("key", "value"),
    defaults={"expires_at": None, "meta": {}},
    identity=("key",),
    unique={"cache_entries_key_key": "key"},
    complete=_complete,
)


class CacheQueries(BaseQueries[CacheEntry]):
    """Reads cache entries, without counting that."""

    table = TABLE

    def find_by_key(self, key: str) -> CacheEntry | None:
        """Return an entry by its key, also an expired one; ``None`` when there is none.

        Raises:
            ValidationError: ``key`` cannot be a key.
            DatabaseError: it cannot be read.
        """
        found: CacheEntry | None = specify_queries().cache_by_key(self._executor, key=_key("key", key))
        return found

    def get_expired_entries(self) -> list[CacheEntry]:
        """Return the entries that have expired, the earliest first; 10,000 at the most.

        Raises:
            DatabaseError: they cannot be read.
        """
        return self._listed("expired", row_limit=fields.MAX_ROWS)

    def cleanup_expired(self) -> int:
        """Delete the entries that have expired, in portions; any number of callers share the work.

        Returns:
            How many this call has deleted.

        Raises:
            DatabaseError: they could not be deleted, or not all.
        """
        return bulk.in_batches(lambda rows: specify_queries().cache_clean(self._executor, batch=rows), _BATCH)

    def get_statistics(self) -> dict[str, int]:
        """Return ``entries``, ``expired`` (those that the clean-up will delete), ``size_bytes`` and ``reads``.

        Raises:
            DatabaseError: they cannot be read.
        """
        row = specify_queries().cache_statistics(self._executor)
        return dict(zip(("entries", "expired", "size_bytes", "reads"), row, strict=True))


class CacheRepository(BaseRepository[CacheEntry]):
    """Keeps texts under keys, for a time. A crash of the server empties it; what must stay is configuration.

    Arguments:
        executor: runs the statements: a session, or a `DatabaseManager`.
    """

    def __init__(self, executor: Executor) -> None:
        #: Reads cache entries.
        self.queries: CacheQueries = CacheQueries(executor)
        super().__init__(executor, self.queries)

    def set_cache(self, key: str, value: str, ttl_seconds: float | None = None) -> CacheEntry:
        """Keep a text under a key, in place of the one before; the count of reads goes on.

        Arguments:
            key: 1 to 200 characters.
            value: at most 1,000,000 bytes.
            ttl_seconds: for how long, above 0 to a year; ``None``: until it is deleted.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: it could not be stored.
        """
        document: Document = {"value": _value("value", value)}
        _complete(document)
        stored: CacheEntry = specify_queries().cache_set(
            self._executor,
            key=_key("key", key),
            ttl_seconds=None if ttl_seconds is None else fields.seconds("ttl_seconds", ttl_seconds),
            **document,
        )
        return stored

    def get_cache(self, key: str, *, count: bool = True) -> str | None:
        """Return the text of a key; ``None`` when there is none, or it has expired.

        Arguments:
            key: 1 to 200 characters.
            count: whether to count the read, by exactly 1 however many read at once; without, nothing is written.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: it cannot be read.
        """
        take = specify_queries().cache_take if fields.boolean("count", count) else specify_queries().cache_read
        found = take(self._executor, key=_key("key", key))
        return found[0] if isinstance(found, tuple) else found

    def delete_cache(self, key: str) -> bool:
        """Delete an entry by its key; ``False`` when there is none.

        Raises:
            ValidationError: ``key`` cannot be a key.
            DatabaseError: it could not be deleted.
        """
        return bool(specify_queries().cache_remove(self._executor, key=_key("key", key)))

    def cleanup_expired(self) -> int:
        """Delete the entries that have expired; see `CacheQueries.cleanup_expired`."""
        return self.queries.cleanup_expired()
