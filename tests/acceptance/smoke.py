"""What a stranger does first with an installed surf_data: migrate by the command line, then store and read.

The nox session `package` runs this with the wheel's own environment, where neither the sources nor pytest are.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from uuid import uuid4

import surf_data
from surf_data.kernel import resources


def main() -> None:
    """Fail with an exception where something does not work."""
    package = Path(surf_data.__file__).parent
    assert package.parent.name == "site-packages"
    assert {package} == {resources.directory(name).parent for name in ("sql", "migrations")}
    with tempfile.TemporaryDirectory() as folder:
        # Open to the account that runs the servers for root.
        Path(folder).chmod(0o755)
        os.environ["SURF_DATA_DATABASE_URL"] = f"embedded:{folder}/servers"
        command_line = [sys.executable, "-m", "surf_data", "migrate"]
        subprocess.run([*command_line, "up"], check=True)
        subprocess.run([*command_line, "status"], check=True)
        subprocess.run([sys.executable, "-m", "surf_data", "seed"], check=True)
        with surf_data.open() as data:
            store_and_read(data)


def store_and_read(data: surf_data.LampsDataLayer) -> None:
    """Register a user with a lamp, and surf data for the lamp's beach."""
    lamp_id = str(uuid4())
    user = {"lamp_id": lamp_id, "email": "kai@example.org", "name": "Kai", "password_hash": "$2b$12$invented"}
    assert data.users.register_user({**user, "location_index": 2})
    assert data.users.validate_user_credentials("KAI@example.org", user["password_hash"])
    lamp = data.lamps.get_lamp_configuration(lamp_id)
    assert lamp is not None
    assert lamp.location_name == "Honolulu"
    data.cache.set_surf_data_cache(lamp.location_index, {"wave_height_m": 1.5})
    surf = data.cache.get_surf_data_cache(lamp.location_index)
    assert surf is not None
    assert surf.wave_height_m == 1.5
    data.activity.log_activity(lamp_id, "surf_update", "success", {"waves": 3})
    assert len(data.activity.get_lamp_activity_history(lamp_id)) == 1
    assert data.health().overall.ok


if __name__ == "__main__":
    main()
