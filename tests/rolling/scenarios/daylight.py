"""What the day planner does with surf_data, on the database that SURF_DATA_DATABASE_URL names.

See the lamps' scenario: it leaves rows of its own behind and minds no others.
"""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from surf_data import daylight


def main() -> None:
    """Fail with an exception where something does not work."""
    name, now = uuid4().hex, datetime.now(UTC)
    with daylight.open(pool_min_size=1) as data:
        data.maintain()
        user, _ = data.users.create_user({"email": f"{name}@example.org", "username": name, "password_hash": "-"})
        plan = {"title": "Surf at dawn", "start_time": now, "end_time": now + timedelta(hours=2)}
        with data.transaction() as transaction:
            planned = transaction.plans.create_plan(user.id, plan)
            transaction.analytics.record_usage_event(user.id, "planned", {"plan": planned.id})
        assert data.plans.update_plan(planned.id, user.id, {"status": "completed"}) is not None
        points = [{"id": name, "location": {"lat": 21.6, "lng": -158.1}, "activity": "rest", "recorded_at": now}]
        assert data.history.add_location_histories(user.id, points).inserted == 1
        assert len(data.history.get_user_location_history(user.id)) == 1
        place = {"name": "Reef", "type": "favorite", "lat": 21.6, "lng": -158.1}
        assert data.locations.add_location(user.id, place) in data.locations.find_near(user.id, 21.6, -158.1, 100)
        data.cache.set_weather_cache(name, {"waves": 3})
        assert data.cache.get_weather_cache(name) == {"waves": 3}
        assert data.analytics.get_daily_analytics(now.date())
        assert data.errors.log_error(ValueError("no waves"), {}, user.id) is not None
        assert data.errors.get_error_groups()
        login = data.logins.begin(user.id)
        assert data.logins.refresh(login.refresh_token.reveal()) is not None
        assert data.sessions.get(data.sessions.create(user.id, {"cart": []}).reveal()) is not None
        data.roles.create_permission({"id": name, "name": name, "resource": name, "action": "read"})
        role = data.roles.create_role({"name": name, "permissions": [name]})
        data.roles.assign_role(user.id, role.id)
        assert data.roles.authorize(user.id, name, "read").allowed
        new = data.keys.create_api_key(user.id, {"name": "planner"})
        assert data.keys.validate_api_key(new.secret.reveal()).valid
        call = {"endpoint": "/", "method": "GET", "status_code": 200, "response_time": 3}
        assert data.keys.record_api_usage([{**call, "api_key_id": new.api_key.id, "user_id": user.id}]) == 1
        data.limits.set_limit({"name": name, "algorithm": "fixed_window", "requests": 9, "window_ms": 60_000})
        assert data.limits.check({"user": user.id}).allowed
        data.audit.log_audit("authentication.login", "users", "login", user_id=user.id)
        data.audit.seal_audit()
        assert data.monitoring.sample() >= 1
        data.monitoring.evaluate_rules()
        hold = data.retention.place_hold("plans", "case 7", user_id=user.id)
        assert data.retention.release_hold(hold.id)
        assert b"".join(data.privacy.export_user(user.id))
        data.privacy.erase_user(user.id)


if __name__ == "__main__":
    main()
