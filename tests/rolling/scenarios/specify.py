"""What a command-line tool does with surf_data, on the database that SURF_DATA_DATABASE_URL names.

See the lamps' scenario: it leaves rows of its own behind and minds no others.
"""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from surf_data import specify


def main() -> None:
    """Fail with an exception where something does not work."""
    name, now = uuid4().hex, datetime.now(UTC)
    with specify.open(pool_min_size=1) as data:
        data.maintain()
        user = data.users.create_user(name, f"{name}@example.org", b"-")
        key = data.users.rotate_api_key(user.id)
        assert key is not None
        assert data.users.get_by_api_key(key) is not None
        project = data.projects.create_project("Surf lamp", name, user.id)
        with data.commands.running("specify init", "--here", user_id=user.id, project_id=project.id) as command:
            data.metrics.record_metric("files", 12, "counter", command_id=command.id)
            data.telemetry.record_event(name, name[:16], "init", now, command_id=command.id)
            data.telemetry.record_events(
                [{"trace_id": name, "span_id": name[16:], "name": "read", "start_time": now - timedelta(seconds=1)}]
            )
        done = data.commands.get(command.id)
        assert done is not None
        assert done.is_success
        assert [each.id for each in data.commands.queries.get_command_tree(command.id)] == [command.id]
        assert data.commands.queries.get_command_statistics()["total"] >= 1
        assert data.commands.queries.list_commands().total >= 1
        assert len(data.metrics.record_metrics([{"name": "files", "value": 3, "type": "gauge"}])) == 1
        assert data.metrics.queries.get_time_series("files")
        assert len(data.telemetry.queries.find_by_trace_id(name)) == 2
        with data.transaction() as transaction:
            transaction.audit.log_action("create", "project", str(project.id), user.id)
            stored = transaction.specifications.create_specification(project.id, "lamp.ttl", "<a> <b> <c> .")
        assert len(data.audit.queries.find_by_user(user.id)) == 1
        checked = data.specifications.verify_specification(stored.id)
        assert checked is not None
        assert checked.ok
        data.configuration.set_config(project.id, "colour", {"waves": 3})
        assert data.configuration.compare_and_set_config(project.id, "colour", {"waves": 3}, {"waves": 4})
        assert data.configuration.get_configs(project.id) == {"colour": {"waves": 4}}
        data.cache.set_cache(name, "value", 60)
        assert data.cache.get_cache(name) == "value"
        token = data.tokens.create_session(user.id).token
        assert token is not None
        assert data.tokens.validate_token(token) is not None
        assert data.tokens.revoke_all(user.id) == 1


if __name__ == "__main__":
    main()
