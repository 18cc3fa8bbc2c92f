"""The original's way in SQLAlchemy 2.1: a session for each call, rows as objects, each write a commit and a refresh."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Engine, MetaData, create_engine, func, insert, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class _Base(DeclarativeBase):
    metadata = MetaData(schema="specify")


class Command(_Base):
    """A command."""

    __tablename__ = "commands"

    id: Mapped[int] = mapped_column(primary_key=True)
    command_id: Mapped[UUID] = mapped_column(default=uuid4)
    name: Mapped[str]
    args: Mapped[str | None]
    user_id: Mapped[int | None]
    project_id: Mapped[int | None]
    status: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC))
    completed_at: Mapped[datetime | None]
    exit_code: Mapped[int | None]
    stdout: Mapped[str | None]
    stderr: Mapped[str | None]
    environment: Mapped[Any] = mapped_column(JSONB, default=dict)
    meta: Mapped[Any] = mapped_column(JSONB, default=dict)
    parent_id: Mapped[int | None]


class Metric(_Base):
    """A metric."""

    __tablename__ = "performance_metrics"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    value: Mapped[float]
    unit: Mapped[str | None]
    timestamp: Mapped[datetime]
    labels: Mapped[Any] = mapped_column(JSONB)


class CacheEntry(_Base):
    """A cache entry."""

    __tablename__ = "cache_entries"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str]
    value: Mapped[str]
    expires_at: Mapped[datetime | None]
    access_count: Mapped[int]
    last_accessed_at: Mapped[datetime | None]


def engine(url: str) -> Engine:
    """Return an engine on a database."""
    return create_engine(url.replace("postgresql://", "postgresql+psycopg://"), pool_size=5, max_overflow=10)


def lifecycle(engine: Engine, user_id: int) -> None:
    """Start a command and complete it."""
    with Session(engine) as session:
        command = Command(name="specify init", user_id=user_id, status="running")
        session.add(command)
        session.commit()
        session.refresh(command)
        found = session.get(Command, command.id)
        if found is not None:
            found.status, found.exit_code, found.completed_at = "success", 0, datetime.now(UTC)
            session.commit()
            session.refresh(found)


def page(engine: Engine, **given: Any) -> tuple[int, list[Command]]:
    """Return a page of 20 commands with five conditions, and how many match: two statements."""
    with Session(engine) as session:
        query = select(Command).where(
            Command.project_id == given["project_id"],
            Command.status == given["status"],
            Command.user_id == given["user_id"],
            Command.started_at >= given["since"],
            Command.exit_code == given["exit_code"],
        )
        total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
        ordered = query.order_by(Command.started_at.desc(), Command.id.desc())
        return total, list(session.scalars(ordered.limit(20)))


def bulk(engine: Engine, rows: list[dict[str, Any]]) -> list[Command]:
    """Insert many commands and return them."""
    with Session(engine) as session:
        made = list(session.scalars(insert(Command).returning(Command), rows))
        session.commit()
        return made


def time_series(engine: Engine, name: str, hours: int) -> dict[datetime, list[float]]:
    """Return a metric of the last hours by the hour: all rows are read, and sorted into hours by Python."""
    with Session(engine) as session:
        cutoff = datetime.now(UTC) - timedelta(hours=hours)
        query = select(Metric).where(Metric.name == name, Metric.timestamp >= cutoff).order_by(Metric.timestamp)
        buckets: dict[datetime, list[float]] = {}
        for metric in session.scalars(query):
            buckets.setdefault(metric.timestamp.replace(minute=0, second=0, microsecond=0), []).append(metric.value)
        return {hour: [sum(each) / len(each), min(each), max(each), len(each)] for hour, each in buckets.items()}


def cached(engine: Engine, key: str) -> str | None:
    """Return a cached value, counted."""
    with Session(engine) as session:
        entry = session.scalar(select(CacheEntry).where(CacheEntry.key == key))
        if entry is None or (entry.expires_at is not None and entry.expires_at < datetime.now(UTC)):
            return None
        entry.access_count += 1
        entry.last_accessed_at = datetime.now(UTC)
        session.commit()
        return entry.value
