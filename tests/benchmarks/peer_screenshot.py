"""The original's way in SQLAlchemy 2.1: entities with relations, loaded and saved by a session."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, ForeignKey, MetaData, create_engine, select, update
from sqlalchemy.dialects.postgresql import ARRAY, INET, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload
from sqlalchemy.types import Text


class _Base(DeclarativeBase):
    metadata = MetaData(schema="screenshot")


class User(_Base):
    """A user with its projects."""

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str]
    email_key: Mapped[str]
    first_name: Mapped[str]
    last_name: Mapped[str]
    display_name: Mapped[str | None]
    avatar: Mapped[str | None]
    status: Mapped[str]
    role: Mapped[str]
    auth_provider: Mapped[str]
    azure_id: Mapped[str | None]
    google_id: Mapped[str | None]
    github_id: Mapped[str | None]
    email_verified: Mapped[bool]
    email_verified_at: Mapped[datetime | None]
    last_login_at: Mapped[datetime | None]
    last_login_ip: Mapped[Any] = mapped_column(INET)
    last_login_user_agent: Mapped[str | None]
    login_count: Mapped[int]
    password_changed_at: Mapped[datetime | None]
    preferences: Mapped[Any] = mapped_column(JSONB)
    metadata_: Mapped[Any] = mapped_column("metadata", JSONB)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    projects: Mapped[list["Project"]] = relationship(order_by="Project.updated_at.desc()")


class Project(_Base):
    """A project with its codes."""

    __tablename__ = "projects"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    description: Mapped[str | None]
    status: Mapped[str]
    type: Mapped[str]
    settings: Mapped[Any] = mapped_column(JSONB)
    tags: Mapped[Any] = mapped_column(ARRAY(Text))
    view_count: Mapped[int]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("screenshot.users.id"))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    codes: Mapped[list["Code"]] = relationship(order_by="Code.version.desc()")


class Code(_Base):
    """Generated code."""

    __tablename__ = "generated_codes"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    status: Mapped[str]
    code_stack: Mapped[str]
    provider: Mapped[str]
    model: Mapped[str]
    code: Mapped[str]
    project_id: Mapped[UUID] = mapped_column(ForeignKey("screenshot.projects.id"))
    created_at: Mapped[datetime]


class SqlAlchemy:
    """What the original does with its ORM."""

    def __init__(self, url: str) -> None:
        self._engine: Engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))

    def user(self, email_key: str) -> User | None:
        """Find a user by e-mail address."""
        with Session(self._engine) as session:
            return session.scalar(select(User).where(User.email_key == email_key))

    def page(self, email_key: str) -> list[tuple[str, str | None]]:
        """Load a user with projects and their codes, and take the newest of each."""
        loading = selectinload(User.projects).selectinload(Project.codes)
        with Session(self._engine) as session:
            user = session.scalar(select(User).where(User.email_key == email_key).options(loading))
            assert user is not None
            return [(project.name, project.codes[0].code if project.codes else None) for project in user.projects]

    def view(self, project_id: UUID) -> None:
        """Count a view."""
        with Session(self._engine) as session:
            counted = update(Project).where(Project.id == project_id).values(view_count=Project.view_count + 1)
            session.execute(counted)
            session.commit()

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()
