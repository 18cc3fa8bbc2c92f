"""Record actions that no role of the application can change afterwards, not even the service that has recorded them.

It prints:

    logout session by alice
    config_change project by alice
    login session by alice
    the service may change them: False
    after alice is gone: alice, without an id: True
"""

import os

import psycopg

from surf_data.specify import (
    AuditAction,
    AuditLogRepository,
    UserRepository,
    close_db,
    get_engine,
    get_session,
    init_db,
)

init_db(os.environ.get("DATABASE_URL", "embedded:"))
engine = get_engine()
users, audit = UserRepository(engine), AuditLogRepository(engine)
alice = users.create_user("alice", "alice@example.com", b"hashed")
audit.log_action(AuditAction.LOGIN, "session", user_id=alice.id, ip_address="127.0.0.1")
audit.log_action("config_change", "project", "7", alice.id, details={"theme": "dark"})
audit.log_action("logout", "session", user_id=alice.id)
for row in audit.queries.get_recent_logs(hours=24):
    print(row.action.value, row.resource_type, "by", row.user_name)

with engine.connect() as connection:
    connection.execute("SET ROLE surf_specify_app")
    try:
        connection.execute("UPDATE specify.audit_logs SET success = false")
    except psycopg.errors.InsufficientPrivilege:
        print("the service may change them: False")

with get_session() as session:
    UserRepository(session).delete(alice.id)
    newest = AuditLogRepository(session).queries.get_recent_logs(limit=1)[0]
    print(f"after alice is gone: {newest.user_name}, without an id:", newest.user_id is None)
close_db()
