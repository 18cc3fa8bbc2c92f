"""What `surf_data.DataLayer.health` answers."""

from typing import Any

import attrs


@attrs.frozen(kw_only=True)
class Check:
    """How one part answered."""

    #: Whether it works.
    ok: bool
    #: Milliseconds until the answer, or until it was given up.
    latency_ms: float
    #: Why it does not work, or not fully, in words without secrets; ``None`` when all is well.
    reason: str | None = None


@attrs.frozen(kw_only=True)
class Health:
    """How the data layer is."""

    #: PostgreSQL.
    database: Check
    #: Redis. Not configured is not ok here, with that reason.
    cache: Check
    #: The whole: as good as the database, because the cache is never the reason for an outage. A cache that was
    #: configured and does not work shows in the reason only. So does what an operator of the database should see to.
    overall: Check
    #: The number of the last migration that is applied, 0 without any; ``None`` where that cannot be known.
    schema_version: int | None = None

    @classmethod
    def of(cls, database: Check, cache: Check, *, cache_wanted: bool, schema_version: int | None = None) -> "Health":
        """Return the health of the whole from that of its parts."""
        reason = database.reason
        if database.ok:
            reasons = [reason] if reason else []
            reasons += [f"cache {cache.reason}"] if cache_wanted and not cache.ok else []
            reason = f"degraded: {'; '.join(reasons)}" if reasons else None
        latency = database.latency_ms + cache.latency_ms
        overall = Check(ok=database.ok, latency_ms=latency, reason=reason)
        return cls(database=database, cache=cache, overall=overall, schema_version=schema_version)

    def to_dict(self) -> dict[str, Any]:
        """Return `database`, `cache`, `overall`, each with ``ok``, ``latency_ms`` and ``reason``; `schema_version`."""
        return attrs.asdict(self)
