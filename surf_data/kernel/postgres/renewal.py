"""Whether a connection that comes back is as it was lent: a function may have changed its session."""

from collections.abc import Mapping

from psycopg.pq import TransactionStatus

from surf_data.errors import DatabaseError
from surf_data.kernel.postgres.connection import Connection
from surf_data.kernel.postgres.session import Session
from surf_data.kernel.postgres.session_queries import session_queries


def is_changed(connection: Connection, configuration: Mapping[str, str]) -> bool:
    """Whether ``connection`` must not serve another caller, after statements of which that is not known beforehand.

    The server says of each statement once for each connection whether it could; where it could not, that is all.

    Arguments:
        connection: one with statements in doubt, which are none afterwards.
        configuration: what the session was set to.
    """
    statements, connection.doubtful = connection.doubtful, set()
    idle = not connection.closed and connection.pgconn.transaction_status == TransactionStatus.IDLE
    if not idle or any(statement.keeps for statement in statements):
        return True
    names = {name for statement in statements for name in statement.suspects}
    texts = [statement.sql.decode() for statement in statements if "" in statement.suspects]
    try:
        possible, changed = session_queries().session_changes(
            Session(connection),
            names=sorted(names - {""}),
            texts=texts,
            identity=connection.identity,
            **configuration,
        )
    except DatabaseError:
        return True
    if not possible:
        connection.cleared |= statements
    return bool(changed)
