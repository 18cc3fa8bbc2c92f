"""The roll-up of activity: what statistics say beside what the entries say."""

from typing import Any

import psycopg

from rig.waiting import eventually
from surf_data.lamps.queries import lamp_queries

Connection = psycopg.Connection[Any]

# The statistics as the entries have them.
PLAIN = """
SELECT activity_type, status, date_trunc('hour', created_at, 'UTC'), count(*)
FROM activity_log
WHERE created_at >= CURRENT_TIMESTAMP - make_interval(hours => %(hours)s)
GROUP BY GROUPING SETS ((), (activity_type), (status), (date_trunc('hour', created_at, 'UTC')))
"""
PLAIN_LAMPS = """
SELECT count(DISTINCT lamp_id) FROM activity_log
WHERE created_at >= CURRENT_TIMESTAMP - make_interval(hours => %(hours)s)
"""
#: Rolls up a portion; takes hours, entries, and what is to be over.
ROLL_UP = "SELECT activity_roll_up(CURRENT_TIMESTAMP - make_interval(hours => %s), %s, %s)"
#: From when until when entries are counted.
COUNTED = "SELECT rolled_from, rolled_until FROM activity_rollup"
CAUGHT_UP = (
    f"{COUNTED} WHERE rolled_from <= now() - interval '48 hours' AND rolled_until > now() - interval '4 minutes' "
    "AND NOT EXISTS (SELECT FROM activity_rollup_stale)"
)


def differences(connection: Connection, hours: int) -> list[Any]:
    """Return what the statistics say and the entries do not, or the other way round, in one snapshot."""
    with connection.transaction():
        asked = {"hours": hours, "allow_unrolled": True}
        ours = connection.execute(lamp_queries().activity_statistics.sql.encode(), asked).fetchall()
        plain = connection.execute(PLAIN.encode(), asked).fetchall()
        [lamps] = connection.execute(PLAIN_LAMPS.encode(), asked).fetchall()
    return [*({row[:4] for row in ours} ^ set(plain)), *({row[4:5] for row in ours} ^ {lamps})]


def rolled_up(connection: Connection, portion: int = 1000) -> None:
    """Roll up all that is over; what the server is doing by itself may hold that up."""
    eventually(lambda: not _is_behind(connection, portion))


def _is_behind(connection: Connection, portion: int) -> bool:
    while connection.execute(ROLL_UP, [48, portion, "infinity"]).fetchone() == (True,):
        pass
    return connection.execute(CAUGHT_UP).fetchone() is None
