"""A statement of a .sql file, ready to be sent."""

from typing import Any

import attrs
from psycopg.rows import RowFactory, tuple_row

from surf_data.kernel.postgres.translation import Translation


@attrs.frozen(kw_only=True, eq=False)
class Statement:
    """One query of a .sql file, ready to be sent: whatever can be done at load has been done."""

    #: The query's name with its namespace: ``lamps.lamp_configuration``.
    name: str
    #: What is sent: tagged, in psycopg's parameter style, as UTF-8.
    sql: bytes
    #: Makes a row from its values.
    row_factory: RowFactory[Any] = tuple_row
    #: Whether the statement itself changes nothing; see `surf_data.kernel.postgres.effects`.
    reads: bool = False
    #: The functions that it may call, by name.
    functions: tuple[str, ...] = ()
    #: Whether running it twice is as good as running it once: ``-- retry: idempotent``.
    idempotent: bool = False
    #: Whether rows that are a little old will do: ``-- replica: ok``.
    replica: bool = False
    #: ``False`` to send it unprepared, so that it is planned with its values each time: ``-- plan: custom``. ``None``
    #: leaves it to the connection.
    prepare: bool | None = None
    #: Whether what it changes of its session is meant to stay: ``-- session: keeps``. A pooled connection that has run
    #: it is not lent again.
    keeps: bool = False
    #: Whether it returns no rows, or only such as the driver reads in binary; if not known it is asked, once.
    is_plain: bool = True
    #: The option of a COPY FROM that decides how a row is written; rows are written as without one.
    copy_option: str | None = None
    #: What may change its session without its text saying so: functions that are not PostgreSQL's own, by name; empty
    #: text for a DO block.
    suspects: tuple[str, ...] = ()
    #: Whether running it can change anything, by itself or by a function.
    may_write: bool = attrs.field(
        init=False, default=attrs.Factory(lambda self: bool(self.functions) or not self.reads, takes_self=True)
    )
    #: Whether its session has to be looked at when the connection comes back.
    is_doubtful: bool = attrs.field(
        init=False, default=attrs.Factory(lambda self: bool(self.keeps or self.suspects), takes_self=True)
    )
    #: Turns driver errors into ours, with the query's name.
    translation: Translation = attrs.field(
        init=False, default=attrs.Factory(lambda self: Translation(self.name, values=True), takes_self=True)
    )
