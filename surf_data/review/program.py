"""Other people's programs, which look at SQL for us where they are installed."""

import os
import shutil
import sys
from pathlib import Path


def find_program(name: str) -> str | None:
    """Return a program, of this environment or on the PATH; ``None`` where it is not installed."""
    return shutil.which(name, path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
