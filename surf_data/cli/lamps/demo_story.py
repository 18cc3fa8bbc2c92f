"""The people, lamps and waves of the demo. All are invented."""

import secrets
import time
from typing import Any
from uuid import UUID

import attrs

from surf_data.lamps import SurfData


@attrs.frozen(kw_only=True)
class Owner:
    """A person with a lamp."""

    #: The lamp.
    lamp_id: UUID
    #: Whose it is.
    person: str
    #: What its owner calls it.
    name: str
    #: The address that its owner registers with.
    email: str
    #: The beach it shows, as the first migration numbers them.
    location_index: int
    #: Per cent.
    brightness: int
    #: What a service would make of the password.
    password_hash: str = attrs.field(factory=lambda: secrets.token_hex(32), repr=False)

    def registration(self) -> dict[str, Any]:
        """Return what ``register_new_lamp`` and ``register_user`` take."""
        return attrs.asdict(self, filter=attrs.filters.exclude("person"))


KAI = Owner(
    lamp_id=UUID("0199c1b2-7a10-4c6e-9d58-1f0a5b7c2e01"),
    person="Kai",
    name="Reef lamp",
    email="kai@example.com",
    location_index=2,
    brightness=80,
)
NOOR = Owner(
    lamp_id=UUID("0199c1b2-7a10-4c6e-9d58-1f0a5b7c2e02"),
    person="Noor",
    name="Kitchen lamp",
    email="noor@example.com",
    location_index=4,
    brightness=60,
)
MATEO = Owner(
    lamp_id=UUID("0199c1b2-7a10-4c6e-9d58-1f0a5b7c2e03"),
    person="Mateo",
    name="Dawn patrol",
    email="mateo@example.com",
    location_index=0,
    brightness=100,
)
INGRID = Owner(
    lamp_id=UUID("0199c1b2-7a10-4c6e-9d58-1f0a5b7c2e04"),
    person="Ingrid",
    name="Steamer Lane",
    email="ingrid@example.com",
    location_index=1,
    brightness=35,
)
#: Registered as a user, on the web page; the others register their lamps.
LEILANI = Owner(
    lamp_id=UUID("0199c1b2-7a10-4c6e-9d58-1f0a5b7c2e05"),
    person="Leilani",
    name="Pier light",
    email="Leilani@Example.com",
    location_index=3,
    brightness=100,
)

LAMP_OWNERS = (KAI, NOOR, MATEO, INGRID)
#: Kai's address as it is typed the second time.
KAI_RESPELT = "KAI@Example.COM"


def surf() -> dict[int, SurfData]:
    """Return surf data by location: none of Santa Cruz, and incomplete data of San Diego."""
    now = time.time()
    honolulu: dict[str, Any] = {"wave_height_m": 1.8, "wave_period_s": 14, "wind_speed_mps": 6.2, "wind_deg": 65}
    huntington: dict[str, Any] = {"wave_height_m": 1.1, "wave_period_s": 12, "wind_speed_mps": 3.4, "wind_deg": 210}
    malibu: dict[str, Any] = {"wave_height_m": 0.9, "wave_period_s": 11, "wind_speed_mps": 2.1, "wind_deg": 275}
    return {
        0: SurfData(location_name="San Diego", wave_height_m=0.8, timestamp=now - 1500, data_source="WeatherAPI"),
        2: SurfData(location_name="Honolulu", **honolulu, timestamp=now - 240, data_source="Surfline"),
        3: SurfData(location_name="Huntington Beach", **huntington, timestamp=now - 420, data_source="Surfline"),
        4: SurfData(location_name="Malibu", **malibu, timestamp=now - 660, data_source="Surfline"),
    }


def reports() -> list[dict[str, Any]]:
    """Return what the lamps report of an evening, as activity."""
    entries = []
    for owner in LAMP_OWNERS:
        for update in range(6):
            failed = owner is INGRID and update % 2 == 1
            entries.append(
                {
                    "lamp_id": owner.lamp_id,
                    "activity_type": "surf_update",
                    "status": "failure" if failed else "success",
                    "details": {"error": "no data for this beach"} if failed else {"waves": update + 1},
                    "ip_address": "203.0.113.7",
                    "user_agent": "surf-lamp/2.1",
                }
            )
    return entries
