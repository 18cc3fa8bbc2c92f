"""What packs commands with hiredis, where it is installed."""

from typing import Any

from redis._parsers import _HiredisParser
from redis.connection import DefaultParser, HiredisRespSerializer


class SteadyPacker(HiredisRespSerializer):
    """Gives hiredis no numbers, but their text.

    hiredis asks Python for it, which is when a signal handler may run; if that raises, hiredis ends the process.
    """

    def pack(self, *args: Any) -> Any:
        """Return what is sent of a command."""
        return super().pack(*[arg if type(arg) in {str, bytes} else _text(arg) for arg in args])


def _text(arg: Any) -> Any:
    if isinstance(arg, bool):
        return arg
    if isinstance(arg, int):
        return int.__repr__(arg)
    return float.__repr__(arg) if isinstance(arg, float) else arg


#: hiredis where it is installed, and otherwise ``None``: the driver's own packer.
PACKER: SteadyPacker | None = SteadyPacker() if DefaultParser is _HiredisParser else None
