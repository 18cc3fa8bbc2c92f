"""Seals an append-only log hour by hour, so that a later change of it can be shown.

A seal holds the id and a digest of each entry of an hour, and the digest of the seal before it; each seal's own digest
covers both. A copy of one seal elsewhere proves all that came before. Knows no table: the statements are a
domain's. Entries that come later for a sealed hour get a seal of their own.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, Literal, Self
from uuid import UUID

import attrs

from surf_data.errors import ConstraintViolation
from surf_data.kernel.postgres import Executor

# Of an entry in a manifest: its id, and as much of its digest.
_ID, _ENTRY = 16, 32
#: An hour is sealed when it has ended so long ago that all who wrote into it should have committed.
GRACE = timedelta(minutes=5)


@attrs.frozen
class Seal:
    """A seal of a log, without what it holds: a field for each column, in the order of the columns."""

    sealed_hour: datetime
    number: int
    entries: int
    previous: bytes
    digest: bytes
    manifest_digest: bytes


@attrs.frozen(kw_only=True, eq=False)
class SealStatements:
    """The statements of a sealed log."""

    #: ``hours(executor, since, until)``: hour, entries and sealed entries, where these differ.
    hours: Callable[..., Sequence[Any]]
    #: ``manifest(executor, sealed_hour)``: 32 bytes for each entry, in order; ``None`` for an hour without any.
    manifest: Callable[..., bytes | None]
    #: ``manifests(executor, sealed_hour)``: what the seals of an hour hold.
    manifests: Callable[..., Sequence[Any]]
    #: ``last(executor)``: the digest of the newest seal.
    last: Callable[..., bytes | None]
    #: ``insert(executor, ...)``: stores a seal; a violated constraint means that another one was stored meanwhile.
    insert: Callable[..., int]
    #: ``seals(executor, since)``: all seals without what they hold, in order.
    seals: Callable[..., Sequence[Seal]]

    @classmethod
    def of(cls, queries: Any) -> Self:
        """Return those that a domain's query functions call ``audit_manifest``, ``audit_seal_hours`` and so on."""
        return cls(
            hours=queries.audit_seal_hours,
            manifest=queries.audit_manifest,
            manifests=queries.audit_seal_manifests,
            last=queries.audit_seal_last,
            insert=queries.audit_seal_insert,
            seals=queries.audit_seal_list,
        )


@attrs.frozen(kw_only=True)
class Tampering:
    """The first place where a log is not what was sealed."""

    hour: datetime
    #: The entry; ``None`` if it is the seal itself.
    entry_id: UUID | None
    #: What was done to it.
    what: Literal["changed", "removed", "seal changed", "seal removed"]

    def __str__(self) -> str:
        entry = "" if self.entry_id is None else f" entry {self.entry_id}"
        return f"{self.hour.astimezone(UTC):%Y-%m-%d %H:00} UTC{entry}: {self.what}"


@attrs.frozen(kw_only=True)
class Verification:
    """What was found when a log was compared with its seals."""

    #: How many seals were compared.
    seals: int
    #: How many entries they hold.
    entries: int
    #: Entries of sealed hours that have no seal yet: they came late, or were added.
    unsealed: int
    #: The first difference; ``None`` if there is none.
    first: Tampering | None
    #: The digest of the newest seal, in hexadecimal: print it to where others keep it.
    anchor: str | None

    @property
    def ok(self) -> bool:
        """Whether the log is what was sealed."""
        return self.first is None


class SealedLog:
    """Seals a log and verifies it.

    Arguments:
        executor: runs the statements: a pool.
        statements: the log's.
    """

    def __init__(self, executor: Executor, statements: SealStatements) -> None:
        self._executor = executor
        self._statements = statements

    def seal(self, since: datetime, now: datetime) -> int:
        """Seal what hours that have ended hold beyond their seals; return how many entries were sealed.

        Arguments:
            since: the beginning of the first hour to look at.
            now: this moment.
        """
        sealed = 0
        for hour, *_ in self._statements.hours(self._executor, since=since, until=now - GRACE):
            known = [manifest for (manifest,) in self._statements.manifests(self._executor, sealed_hour=hour)]
            fresh = self._statements.manifest(self._executor, sealed_hour=hour) or b""
            if known:
                ids = {entry[:_ID] for manifest in known for entry in _entries(manifest)}
                fresh = b"".join(entry for entry in _entries(fresh) if entry[:_ID] not in ids)
            if fresh:
                if not self._insert(hour, len(known) + 1, fresh):
                    break
                sealed += len(fresh) // _ENTRY
        return sealed

    def verify(self, since: datetime | None = None) -> Verification:
        """Compare the log with its seals, and name the first difference.

        Arguments:
            since: the beginning of the first hour to compare; all when ``None``.
        """
        seals = self._statements.seals(self._executor, since=since)
        broken = _broken(seals, b"" if since is None else None)
        found, unsealed = list[Tampering](), 0
        for hour, _ in groupby(seals, lambda seal: seal.sealed_hour):
            tampering, extra = self._compare(hour)
            unsealed += extra
            found += [tampering] if tampering is not None else []
        found.sort(key=lambda tampering: tampering.hour)
        return Verification(
            seals=len(seals),
            entries=sum(seal.entries for seal in seals),
            unsealed=unsealed,
            first=found[0] if found else broken,
            anchor=seals[-1].digest.hex() if seals else None,
        )

    def _insert(self, hour: datetime, number: int, manifest: bytes) -> bool:
        previous = self._statements.last(self._executor) or b""
        digest = _digest(previous, hour, number, hashlib.sha256(manifest).digest())
        try:
            self._statements.insert(
                self._executor,
                sealed_hour=hour,
                number=number,
                entries=len(manifest) // _ENTRY,
                manifest=manifest,
                previous=previous,
                digest=digest,
            )
        except ConstraintViolation:
            # Another process seals as well, and goes on.
            return False
        return True

    def _compare(self, hour: datetime) -> tuple[Tampering | None, int]:
        manifests = [manifest for (manifest,) in self._statements.manifests(self._executor, sealed_hour=hour)]
        current = self._statements.manifest(self._executor, sealed_hour=hour) or b""
        if manifests == [current]:
            return None, 0
        there = {entry[:_ID]: entry[_ID:] for entry in _entries(current)}
        sealed = [entry for manifest in manifests for entry in _entries(manifest)]
        tampering = None
        for entry in sealed:
            digest = there.get(entry[:_ID])
            if digest != entry[_ID:]:
                what: Literal["changed", "removed"] = "removed" if digest is None else "changed"
                tampering = Tampering(hour=hour, entry_id=UUID(bytes=entry[:_ID]), what=what)
                break
        return tampering, len(there.keys() - {entry[:_ID] for entry in sealed})


def _broken(seals: Sequence[Seal], previous: bytes | None) -> Tampering | None:
    """Return where the chain of seals is broken."""
    for seal in seals:
        if previous is not None and seal.previous != previous:
            return Tampering(hour=seal.sealed_hour, entry_id=None, what="seal removed")
        if seal.digest != _digest(seal.previous, seal.sealed_hour, seal.number, seal.manifest_digest):
            return Tampering(hour=seal.sealed_hour, entry_id=None, what="seal changed")
        previous = seal.digest
    return None


def _digest(previous: bytes, hour: datetime, number: int, manifest_digest: bytes) -> bytes:
    place = f"{hour.astimezone(UTC).isoformat()} {number}".encode()
    return hashlib.sha256(b"".join((len(previous).to_bytes(), previous, place, manifest_digest))).digest()


def _entries(manifest: bytes) -> Iterator[bytes]:
    return (manifest[start : start + _ENTRY] for start in range(0, len(manifest), _ENTRY))
