"""What measurements were made with."""

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path


def machine(*packages: str) -> str:
    """Return a sentence on Python, the named packages, the processors and the system."""
    model = re.search(r"^model name\s*:\s*(.+)$", _cpu_facts(), re.MULTILINE)
    processor = model[1].strip() if model else platform.machine()
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    python = f"{platform.python_implementation()} {platform.python_version()}"
    system = f"{platform.system()} {platform.release().partition('-')[0]}"
    cores = f"{os.cpu_count()} cores ({processor})"
    return f"Measured with {python}, {versions}, on {cores}, {system}, all servers on the same machine."


def _cpu_facts() -> str:
    """Return what Linux knows of the processors, nothing elsewhere."""
    facts = Path("/proc/cpuinfo")
    return facts.read_text("utf-8") if facts.exists() else ""
