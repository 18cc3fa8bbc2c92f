"""The command line, ``surf-data``: thin commands over `surf_data.open`. Needs the extra ``cli``."""

from surf_data.cli.entry import main

__all__ = ["main"]
