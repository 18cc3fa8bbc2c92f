"""Users whose password hashes are planted secrets."""

from typing import Any
from uuid import uuid4

from rig.secrecy import planted


def user_data(**changes: Any) -> dict[str, Any]:
    """Return the data of a new user with an address of its own."""
    lamp_id = changes.get("lamp_id", uuid4())
    user = {"lamp_id": lamp_id, "email": f"{lamp_id}@example.org", "name": "Kai", "location_index": 0}
    return {**user, "password_hash": planted("hash"), **changes}
