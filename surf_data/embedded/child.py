"""The supervisor as the child of the process that starts it."""

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from surf_data.embedded.folder import Folder
from surf_data.embedded.postgres import reason

# The package's own __init__ would import drivers, which take four times as long as all that the supervisor needs, and
# more memory. The name after the folder of the package is for those who list processes.
_PROGRAM = """\
import sys, types
root = sys.modules["surf_data"] = types.ModuleType("surf_data")
root.__path__ = [sys.argv[1]]
from surf_data.embedded.supervisor import main
main(sys.argv[3:])
"""

# By folder: what this process has started and has to collect when it has ended.
_children: dict[Path, int] = {}


def start_supervisor(folder: Folder) -> dict[str, str]:
    """Start the supervisor of a folder, and return its answer, see `surf_data.embedded.supervisor`.

    Arguments:
        folder: the folder, whose state says what to start, and which has no supervisor.
    """
    collect(folder)
    receiving, sending = os.pipe()
    with os.fdopen(receiving) as answer:
        try:
            child = _spawn(folder, sending)
        except OSError as error:
            return {"error": f"Python cannot be executed as {sys.executable!r}: {error.strerror}"}
        finally:
            os.close(sending)
        _children[folder.path] = child.pid
        # It is meant to outlive this object, which would warn of that.
        child.returncode = 0
        line = answer.readline()
    if line:
        facts: dict[str, str] = json.loads(line)
        return facts
    said = folder.log_path("supervisor").read_text(errors="replace")
    return {"error": f"the supervisor of the embedded servers has ended: {reason(said)}"}


def collect(folder: Folder) -> None:
    """Wait for the end of the supervisor, which is near, if this process has started it."""
    if pid := _children.pop(folder.path, None):
        # Not in a forked child, and not where the application collects all children.
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)


def _spawn(folder: Folder, answer: int) -> subprocess.Popen[bytes]:
    # It has to find the same modules, in whatever way this process has come by them.
    places = os.pathsep.join(str(place.absolute()) for place in map(Path, sys.path) if place.exists())
    package = str(Path(__file__).absolute().parents[1])
    with folder.new_log("supervisor") as log:
        return subprocess.Popen(
            [
                sys.executable,
                "-P",
                "-c",
                _PROGRAM,
                package,
                "surf_data.embedded.supervisor",
                str(folder.path),
                str(answer),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(answer,),
            # Out of reach of the terminal: an interrupt is for the users, who still need the servers to end.
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": places},
        )
