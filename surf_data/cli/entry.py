"""Where ``surf-data`` begins, before it is known whether what it needs is installed."""

import sys

from surf_data.cli import signals

_EXTRA = frozenset({"click", "rich"})


def main() -> int:
    """Run the command line.

    Returns:
        The exit code: 0 when all went well, 1 when something failed, 2 when what was typed or set is wrong, 128 and
        the signal's number when a signal ended it (130 for Ctrl-C).
    """
    try:
        with signals.raised():
            return _run()
    except signals.Stopped as stopped:
        return stopped.exit_code


def _run() -> int:
    try:
        # Everything of an extra is imported only where it is asked for.
        from surf_data.cli.program import run  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
    else:
        return run()
    print('surf-data: the command line needs: pip install "surf-data[cli]"', file=sys.stderr)
    return 1
