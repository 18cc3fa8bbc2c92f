"""The audit log is sealed by the hour: a later change of an entry is found and named."""

from typing import Any

import psycopg

from surf_data.daylight import DaylightDataLayer


def test_a_changed_entry_is_found(owned: DaylightDataLayer, admin: psycopg.Connection[Any]) -> None:
    """Hours that have ended are sealed once, by maintenance; one changed word, or a missing entry, is named."""
    first = owned.audit.log_audit("data.read", "plan:7", "read")
    owned.audit.log_audit("data.read", "plan:8", "read")
    admin.execute("ALTER TABLE daylight.audit_logs DISABLE TRIGGER USER")
    admin.execute("ALTER TABLE daylight.audit_logs_default DISABLE TRIGGER USER")
    admin.execute("UPDATE daylight.audit_logs SET occurred_at = occurred_at - interval '3 hours'")
    owned.maintain()
    assert owned.audit.seal_audit() == 0
    verified = owned.audit.verify_audit()
    assert (verified.ok, verified.entries, verified.unsealed) == (True, 2, 0)
    admin.execute("UPDATE daylight.audit_logs SET action = 'reac' WHERE id = %s", (first,))
    found = owned.audit.verify_audit()
    assert found.first is not None
    assert (found.first.entry_id, found.first.what) == (first, "changed")
    admin.execute("SET daylight.expiring = 'on'")
    admin.execute("DELETE FROM daylight.audit_logs WHERE id = %s", (first,))
    found = owned.audit.verify_audit()
    assert found.first is not None
    assert found.first.what == "removed"
