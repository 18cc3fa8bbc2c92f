"""pgbench: what the server and its own client in C need, a floor for everybody."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile

from benchmarks.ground import Ground
from benchmarks.measuring import Side, Timing

_RATE = re.compile(r"^tps = ([0-9.]+) \(without initial connection time\)$", re.MULTILINE)


def program(ground: Ground) -> Path | None:
    """Return the server's own pgbench, or one on PATH; ``None`` without any."""
    found = shutil.which("pgbench", path=ground.servers.postgres_bin) or shutil.which("pgbench")
    return Path(found) if found else None


def pgbench(program: Path, name: str, url: str, script: str, variables: Mapping[str, int]) -> Side:
    """Return a side that runs a script of pgbench's, prepared, by one client; only its time can be measured."""
    defines = [f"--define={variable}={value}" for variable, value in variables.items()]

    def turn(calls: int) -> Timing:
        with NamedTemporaryFile("w", suffix=".sql") as file:
            file.write(script)
            file.flush()
            command = [program, "-n", "-M", "prepared", "-t", str(calls), "-f", file.name, *defines, url]
            output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        [rate] = _RATE.findall(output)
        return Timing(1_000_000 / float(rate), None)

    return Side(name, turn)
