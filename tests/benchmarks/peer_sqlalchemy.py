"""SQLAlchemy 2.1, Core and ORM, over psycopg, its dialect's default."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, and_, bindparam, create_engine, func, select, true
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from benchmarks.peer_asyncpg import specified


class _Base(DeclarativeBase):
    pass


class Lamp(_Base):
    """A lamp."""

    __tablename__ = "lamp_registry"

    lamp_id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str]
    name: Mapped[str]
    location_index: Mapped[int]
    brightness: Mapped[int | None]
    is_active: Mapped[bool]
    last_seen: Mapped[datetime | None]


class ApiConfiguration(_Base):
    """A source of surf data."""

    __tablename__ = "api_configuration"

    id: Mapped[int] = mapped_column(primary_key=True)
    website_name: Mapped[str]
    full_url: Mapped[str]
    is_json: Mapped[bool]
    is_metric: Mapped[bool]
    api_key: Mapped[str | None]
    city: Mapped[Any] = mapped_column(JSONB)
    is_active: Mapped[bool]
    priority_order: Mapped[int | None]


class SystemConfiguration(_Base):
    """A setting of the system."""

    __tablename__ = "system_configuration"

    id: Mapped[int] = mapped_column(primary_key=True)
    config_key: Mapped[str]
    config_value: Mapped[Any] = mapped_column(JSONB)


_lamps, _sources, _settings = Lamp.__table__.c, ApiConfiguration.__table__.c, SystemConfiguration.__table__.c
_SOURCE = func.json_build_object(
    *(
        part
        for name in ("website_name", "full_url", "api_key", "city", "is_json", "is_metric")
        for part in (name, _sources[name])
    ),
    "priority",
    _sources.priority_order,
)
_LAMP_COLUMNS = [
    _lamps[name] for name in ("lamp_id", "email", "name", "location_index", "brightness", "is_active", "last_seen")
]
# The specification's statement.
_LAMP_CONFIGURATION = (
    select(
        *_LAMP_COLUMNS,
        _settings.config_value.label("location_data"),
        func.coalesce(
            func.json_agg(aggregate_order_by(_SOURCE, _sources.priority_order)).filter(_sources.id.is_not(None)),
            func.json_build_array(),
        ).label("api_configs"),
    )
    .select_from(Lamp.__table__)
    .outerjoin(ApiConfiguration.__table__, _sources.is_active == true())
    .outerjoin(SystemConfiguration.__table__, _settings.config_key == "supported_locations")
    .where(and_(_lamps.lamp_id == bindparam("lamp_id"), _lamps.is_active == true()))
    .group_by(*_LAMP_COLUMNS, _settings.config_value)
)


def engine(url: str) -> Engine:
    """Return an engine whose connections are in autocommit mode, its documentation's way only to read."""
    return create_engine(url.replace("postgresql:", "postgresql+psycopg:", 1), isolation_level="AUTOCOMMIT")


def core(engine: Engine, lamp_id: UUID) -> dict[str, Any] | None:
    """Return a lamp by Core."""
    with engine.connect() as connection:
        row = connection.execute(_LAMP_CONFIGURATION, {"lamp_id": lamp_id}).mappings().one_or_none()
        return None if row is None else specified(row)


def orm(engine: Engine, lamp_id: UUID) -> dict[str, Any] | None:
    """Return a lamp by the ORM, as the objects that it is made of."""
    with Session(engine) as session:
        lamp = session.scalars(select(Lamp).where(Lamp.lamp_id == lamp_id, Lamp.is_active)).one_or_none()
        if lamp is None:
            return None
        sources = session.scalars(
            select(ApiConfiguration).where(ApiConfiguration.is_active).order_by(ApiConfiguration.priority_order)
        )
        locations = session.scalars(
            select(SystemConfiguration.config_value).where(SystemConfiguration.config_key == "supported_locations")
        ).one()
        return specified(
            {
                **{name: getattr(lamp, name) for name in _LAMP_FIELDS},
                "location_data": locations,
                "api_configs": [
                    {**{name: getattr(source, name) for name in _SOURCE_FIELDS}, "priority": source.priority_order}
                    for source in sources
                ],
            }
        )


_LAMP_FIELDS = ("lamp_id", "location_index", "brightness", "is_active", "last_seen")
_SOURCE_FIELDS = ("website_name", "full_url", "api_key", "city")
