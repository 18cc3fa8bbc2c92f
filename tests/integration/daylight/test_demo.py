"""The day planner's part of the demo, on the sample day."""

import io
import re
from typing import Any

import psycopg
from rich.console import Console

from surf_data.cli import daylight_demo
from surf_data.daylight import DaylightDataLayer
from surf_data.kernel import resources
from surf_data.migrate import seed


def test_the_demo(owned: DaylightDataLayer, owner_url: str) -> None:
    """It shows a day, a limit and a week that expires and comes back."""

    def connect() -> psycopg.Connection[Any]:
        return psycopg.connect(owner_url, autocommit=True)

    seed(connect, resources.directory("migrations") / "daylight", "daylight")
    console = Console(width=120, record=True, file=io.StringIO())
    daylight_demo.story(owned, console)
    shown = console.export_text()
    for expected in ("A day", "Surf at dawn", "Ten logins a minute"):
        assert expected in shown
    # The sample day, too, has expired.
    counts = [re.findall(rf"{what} +(\d+) rows", shown) for what in ("expired", "deleted", "restored, identical")]
    assert counts == [["511"]] * 3
