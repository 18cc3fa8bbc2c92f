"""Object storage: a row says what exists, an object has a key of its own, and clean-up brings both together.

A row is ``pending`` before its object is stored, ``stored`` from when both are there, and ``deleting`` until the object
is gone. Whatever is interrupted between two steps is found and finished by `StorageManager.cleanup`.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

import attrs

from surf_data.errors import ObjectNotFound, StorageError, StorageUnavailable, SurfDataError, ValidationError
from surf_data.kernel import validation
from surf_data.kernel.identifiers import new_id
from surf_data.kernel.postgres import Executor, Json
from surf_data.kernel.storage import Body, ObjectStore, Source, UrlSigner, decompressed
from surf_data.screenshot.entities import identifier
from surf_data.screenshot.queries import screenshot_queries
from surf_data.screenshot.rows import StorageUsage, StoredObject
from surf_data.screenshot.settings import ScreenshotSettings
from surf_data.screenshot.storage_cleanup import Cleaner, Cleanup, StorageCounts
from surf_data.screenshot.uploads import Content, attributes, checked_path, checked_type, extension
from surf_data.screenshot.users import checked_limit


@attrs.frozen(kw_only=True)
class OpenedObject:
    """An object that is being read."""

    object: StoredObject
    #: What is stored: compressed if ``object.content_encoding`` says so.
    body: Body


class StorageManager:
    """Stores objects under paths. Thread-safe.

    Arguments:
        store: keeps the objects.
        executor: runs the statements that belong to the caller: a pool, or a session in its transaction.
        database: runs those that count at once: the pool.
        settings: limits.
        signer: verifies URLs of local objects.
        counts: what has happened so far, shared by all managers of a store.
    """

    def __init__(
        self,
        store: ObjectStore,
        executor: Executor,
        database: Executor,
        settings: ScreenshotSettings,
        *,
        signer: UrlSigner | None,
        counts: StorageCounts,
    ) -> None:
        self._store = store
        self._executor = executor
        self._database = database
        self._settings = settings
        self._signer = signer
        self._counts = counts

    def upload(self, data: Source, path: str, content_type: str | None = None, **options: Any) -> str:
        """Store an object as `store` does, and return its URL (`url`)."""
        return self._store.url(self.store(data, path, content_type, **options).object_key)

    def store(
        self,
        data: Source,
        path: str,
        content_type: str | None = None,
        *,
        metadata: Mapping[str, Any] | None = None,
        user_id: UUID | str | None = None,
        project_id: UUID | str | None = None,
        expires_in: int | None = None,
        compress: bool = True,
        if_exists: Literal["replace", "refuse"] = "replace",
    ) -> StoredObject:
        """Store an object under a path, in place of the one that is there.

        In a transaction the object becomes the path's when that is committed; rolled back, it goes with the clean-up.

        Arguments:
            data: bytes, a binary file or an iterable of bytes; 1 byte to ``max_file_size``.
            path: what it is called: 1 to 512 characters; ``images/photo.jpg``.
            content_type: its media type; that of the path's extension when not given. The content must be of it.
            metadata: a JSON object to keep with it.
            user_id: whose it is.
            project_id: what it belongs to; it goes with the project.
            expires_in: seconds after which the clean-up removes it, 1 to 315,360,000.
            compress: whether text is compressed where that pays.
            if_exists: ``refuse`` leaves an object alone that has the path already.

        Raises:
            ValidationError: an argument is refused; the content is empty, too large or not of its type; the path is
                taken and ``refuse`` was asked for.
            StorageError: it could not be stored.
            DatabaseError: it could not be recorded; the object goes with the clean-up.
        """
        path = checked_path(path)
        kind = checked_type(content_type, path, self._settings.allowed_file_types)
        refuse = _choice("if_exists", if_exists, "replace", "refuse") == "refuse"
        parameters: dict[str, Any] = {
            "metadata": Json(validation.jsonb_object("metadata", {} if metadata is None else metadata)),
            "user_id": None if user_id is None else identifier("user_id", user_id),
            "project_id": None if project_id is None else identifier("project_id", project_id),
            "expires_in": None if expires_in is None else _seconds("expires_in", expires_in),
        }
        if refuse and self.exists(path):
            raise ValidationError("path is taken", field="path")
        content = Content(data, kind, self._settings.max_file_size, compress=compress)
        object_id = new_id()
        key = f"{datetime.now(UTC):%Y/%m}/{object_id}.{extension(kind)}"
        screenshot_queries().object_begin(
            self._database, id=object_id, path=path, object_key=key, content_type=kind, **parameters
        )
        with self._counted("uploads"):
            with self._undone(object_id, key):
                put = self._store.put(key, content, attributes(kind, content.encoding), create=False)
            stored, former = self._finish(object_id, path, content, put.size, put.etag, refuse=refuse)
        self._counts.add(bytes_in=put.size)
        if former and self._executor is self._database:
            Cleaner(self._store, self._database).remove(former)
        return stored

    def download(self, path: str) -> bytes:
        """Return the content of an object.

        Raises:
            ObjectNotFound: there is none.
            StorageError: it could not be read, or is not what was stored.
        """
        opened = self.open(path)
        found, raw = opened.object, opened.body.read()
        plain = raw if found.content_encoding is None else decompressed(raw, found.size_bytes)
        if plain is None or len(plain) != found.size_bytes:
            raise StorageError("get failed: the object is not what was stored", operation="get", key=found.object_key)
        return plain

    def open(self, path: str) -> OpenedObject:
        """Open an object, to read it in pieces.

        Raises:
            ObjectNotFound: there is none.
            StorageError: it could not be read.
        """
        return self._opened(self._found(path))

    def open_signed(self, url: str, method: str = "GET") -> OpenedObject:
        """Open the local object that a signed URL allows to read.

        Arguments:
            url: the URL of the request, or its path and query.
            method: of the request.

        Raises:
            SignedUrlInvalid: it was not signed here, or was changed.
            SignedUrlExpired: its time has passed.
            ObjectNotFound: the object was deleted.
            StorageError: it could not be read, or there are no keys to verify with.
        """
        key = self.verify_signed_url(url, method)
        found: StoredObject | None = screenshot_queries().object_by_key(self._executor, object_key=key)
        if found is None:
            raise _missing(key)
        return self._opened(found)

    def verify_signed_url(self, url: str, method: str = "GET") -> str:
        """Return the key of the object that a signed URL of a local store allows to use, see `open_signed`."""
        if self._signer is None:
            raise StorageError("URLs are verified with storage_signing_keys", operation="sign")
        return self._signer.verify(method, url).key

    def url(self, path: str) -> str:
        """Return the URL of an object without a signature: at the CDN if there is one.

        Raises:
            ObjectNotFound: there is none.
        """
        return self._store.url(self._found(path).object_key)

    def signed_url(self, path: str, expires_in: int = 3_600) -> str:
        """Return a URL with which anybody may read an object for ``expires_in`` seconds, 1 to 604,800. It is a secret.

        Raises:
            ObjectNotFound: there is none.
            StorageError: there are no ``storage_signing_keys`` for a local store.
        """
        return self._store.sign(self._found(path).object_key, expires_in)

    get_url = url
    generate_signed_url = signed_url

    def exists(self, path: str) -> bool:
        """Return whether there is an object of a path."""
        return bool(screenshot_queries().object_exists(self._executor, path=checked_path(path)))

    def info(self, path: str) -> StoredObject | None:
        """Return what is known of an object; ``None`` if there is none."""
        return screenshot_queries().object_by_path(self._executor, path=checked_path(path))

    def list(self, prefix: str = "", *, after: str = "", limit: int = 100) -> Sequence[StoredObject]:
        """Return objects whose path begins with a text, in the order of their paths.

        Arguments:
            prefix: 0 to 512 characters.
            after: the path of the last object of the page before.
            limit: how many at the most, 1 to 1,000.
        """
        return screenshot_queries().object_list(
            self._executor,
            prefix=validation.text("prefix", prefix, maximum=512, minimum=0),
            after_path=validation.text("after", after, maximum=512, minimum=0),
            row_limit=checked_limit(limit),
        )

    def update_metadata(self, path: str, metadata: Mapping[str, Any]) -> bool:
        """Replace the metadata of an object; return whether there is one."""
        document = Json(validation.jsonb_object("metadata", metadata))
        changed = screenshot_queries().object_metadata(self._executor, path=checked_path(path), metadata=document)
        return bool(changed)

    def delete(self, path: str) -> bool:
        """Delete an object; return whether there was one.

        In a transaction its path is free when that is committed, and the object goes with the clean-up.
        """
        released = screenshot_queries().object_release(self._executor, path=checked_path(path))
        self._counts.add(deletes=len(released))
        if released and self._executor is self._database:
            Cleaner(self._store, self._database).remove(released)
        return bool(released)

    def initialize(self) -> bool:
        """Create the folder, bucket or container if it is missing; return whether it was. Idempotent."""
        return self._store.initialize()

    def check(self) -> None:
        """Write, read and delete a trial object.

        Raises:
            StorageError: storage does not work.
        """
        self._store.check()

    def cleanup(self, *, dry_run: bool = False, force: bool = False) -> Cleanup:
        """Remove what was released, has expired or was never finished, and objects of this library without a row.

        Arguments:
            dry_run: whether to count only.
            force: whether to go on where most objects have no row, as with a wrong database.

        Raises:
            StorageError: most objects have no row, so nothing without one was removed.
        """
        return Cleaner(self._store, self._database).run(dry_run=dry_run, force=force)

    def adopt(self, prefix: str = "") -> int:
        """Note objects that another program has stored, each under its key as its path; return how many were new.

        Those with paths or types that are not accepted are left out.
        """
        return Cleaner(self._store, self._database).adopt(prefix, self._settings.allowed_file_types)

    def usage(self) -> StorageUsage:
        """Return what the database knows to be in storage. Reads all rows."""
        return screenshot_queries().object_usage(self._database)

    def stats(self) -> dict[str, Any]:
        """Return ``backend``, ``place``, and what this process has done so far.

        That is ``uploads``, ``downloads``, ``deletes``, ``errors``, ``bytes_in`` and ``bytes_out``.
        """
        return {"backend": self._store.backend, "place": self._store.place, **self._counts.snapshot()}

    def _found(self, path: str) -> StoredObject:
        found = self.info(path)
        if found is None:
            raise _missing(None)
        return found

    def _opened(self, found: StoredObject) -> OpenedObject:
        with self._counted("downloads"):
            body = self._store.get(found.object_key)
        self._counts.add(bytes_out=found.stored_bytes)
        return OpenedObject(object=found, body=body)

    def _finish(
        self, object_id: UUID, path: str, content: Content, size: int, etag: str | None, *, refuse: bool
    ) -> tuple[StoredObject, Sequence[Any]]:
        queries = screenshot_queries()
        with self._executor.transaction() as session:
            # By itself, before what reads: the next statement sees what those have committed that held the lock.
            queries.object_path_lock(session, path=path)
            if refuse and queries.object_exists(session, path=path):
                raise ValidationError("path is taken", field="path")
            former = queries.object_release(session, path=path)
            stored: StoredObject | None = queries.object_finish(
                session,
                id=object_id,
                size_bytes=content.size,
                stored_bytes=size,
                content_encoding=content.encoding,
                sha256=content.sha256,
                etag=etag,
                width=content.dimensions.width if content.dimensions else None,
                height=content.dimensions.height if content.dimensions else None,
            )
            if stored is None:
                raise StorageUnavailable("put failed: it took longer than clean-up allows", operation="put")
        return stored, former

    @contextmanager
    def _undone(self, object_id: UUID, key: str) -> Iterator[None]:
        try:
            yield
        except StorageUnavailable:
            # It may still arrive; the row stays until the clean-up, which removes both.
            raise
        except BaseException:
            Cleaner(self._store, self._database).remove([(object_id, key)])
            raise

    @contextmanager
    def _counted(self, what: str) -> Iterator[None]:
        try:
            yield
        except SurfDataError:
            self._counts.add(errors=1)
            raise
        self._counts.add(**{what: 1})


def _missing(key: str | None) -> ObjectNotFound:
    return ObjectNotFound("get failed: there is no such object", operation="get", key=key)


def _choice(field: str, value: object, *choices: str) -> str:
    if not isinstance(value, str) or value not in choices:
        raise validation.invalid(field, f"must be {' or '.join(choices)}")
    return value


def _seconds(field: str, value: object) -> int:
    return validation.integer(field, value, minimum=1, maximum=315_360_000)
