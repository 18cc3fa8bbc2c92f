"""A day planner: users, plans, places and where they were; kept exactly as long as it should be."""

from surf_data.daylight.layer import DOMAIN, DaylightDataLayer, DaylightTransaction, open
from surf_data.daylight.rate_limits import Decision

__all__ = ["DOMAIN", "DaylightDataLayer", "DaylightTransaction", "Decision", "open"]
