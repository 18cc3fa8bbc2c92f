"""Everything that a service does with surf_data, on the database that SURF_DATA_DATABASE_URL names.

The check of rolling deploys runs this, with the code of one revision and the schema of another. It leaves rows of its
own behind and minds no others.
"""

from uuid import uuid4

import surf_data


def main() -> None:
    """Fail with an exception where something does not work."""
    lamp_id, user_id = str(uuid4()), str(uuid4())
    lamp = {"lamp_id": lamp_id, "email": f"{lamp_id}@example.org", "name": "Kai", "password_hash": "-"}
    user = {"lamp_id": user_id, "email": f"{user_id}@example.org", "name": "Leilani", "password_hash": "-"}
    with surf_data.open(pool_min_size=1) as data:
        assert data.lamps.register_new_lamp({**lamp, "location_index": 2})
        assert data.users.register_user({**user, "location_index": 1})
        assert data.users.validate_user_credentials(user["email"], user["password_hash"])
        with data.transaction() as transaction:
            assert transaction.lamps.update_lamp_status(lamp_id, "inactive")
            assert transaction.lamps.update_lamp_status(lamp_id, "active")
            transaction.activity.log_activity(lamp_id, "status", "success", {"by": "operator"})
        for found in (data.lamps.get_lamp_configuration(lamp_id), *data.lamps.get_lamp_configurations([lamp_id])):
            assert found is not None
            assert found.location_name
        assert lamp_id in {str(each.lamp_id) for each in data.lamps.get_all_active_lamps()}
        assert lamp_id in {str(each.lamp_id) for each in data.lamps.iter_active_lamps()}
        entry = {"activity_type": "surf_update", "status": "success", "details": {"waves": 3}}
        assert data.activity.log_activities([{**entry, "lamp_id": lamp_id}]) == 1
        history = data.activity.get_lamp_activity_history(lamp_id)
        assert {"status", "surf_update"} <= {each["activity_type"] for each in history}
        assert data.activity.get_activity_statistics(1)["total"] > 0
        assert data.stats()["activity"] == {"failures": 0}


if __name__ == "__main__":
    main()
