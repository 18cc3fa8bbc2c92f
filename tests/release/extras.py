"""Uses what each extra is for: ``extras.py INSTALLED...``, the extras that this environment was installed with.

A feature whose extra is installed must work, and any other must fail with a message that names its extra. The nox
session `release` runs this in an environment for each extra, where neither the sources nor pytest are.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import surf_data
from surf_data.errors import SurfDataError

TOPIC = "arn:aws:sns:us-east-1:123456789012:waves"


def alerts() -> None:
    """An alert by e-mail or webhook."""
    from surf_data.kernel.monitoring import AppriseChannel  # noqa: PLC0415
    from surf_data.kernel.secret import Secret  # noqa: PLC0415

    AppriseChannel("webhook", Secret("json://127.0.0.1:9/")).check()


def archive() -> None:
    """An archive of expired rows."""
    from surf_data.kernel.archive import csv_file  # noqa: PLC0415
    from surf_data.kernel.storage import LocalStore  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        store = LocalStore(Path(folder))
        store.initialize()
        csv_file.write(store, "waves.csv.zst", [b"height\n", b"1.5\n"])


def binary() -> None:
    """The driver with a libpq of its own: nothing of the system is used."""
    command("import surf_data", PSYCOPG_IMPL="binary")


def cli() -> None:
    """The command line."""
    command("import sys; from surf_data.cli import main; sys.argv[1:] = ['--version']; sys.exit(main())")


def crypto() -> None:
    """API keys that are encrypted."""
    from surf_data.kernel.crypto import new_key  # noqa: PLC0415

    surf_data.KeyRing(surf_data.Secret(new_key())).encrypt("a key", "here")


def embedded() -> None:
    """Servers for a laptop, a demo, a test."""
    from surf_data import embedded as servers  # noqa: PLC0415

    servers.start(redis=False).stop()


def metrics() -> None:
    """Figures for Prometheus, and the trace in statements."""
    from surf_data.kernel.monitoring import PrometheusCollector, instrument  # noqa: PLC0415

    with surf_data.open("postgresql://127.0.0.1:9/none", pool_min_size=0, trace_context=True) as data:
        list(PrometheusCollector(data).collect())
        instrument(data)


def passwords() -> None:
    """Hashes of passwords."""
    surf_data.PasswordHasher().hash("a password")


def review() -> None:
    """The layout of queries, and with it all that looks at them."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "waves.sql").write_text("-- name: waves()$\n-- One wave.\nSELECT 1 AS wave;\n", "utf-8")
        command("import sys; from surf_data.cli import main; sys.exit(main())", "format", "--check", folder)


def sns() -> None:
    """An alert by SNS."""
    from surf_data.kernel.monitoring import SnsChannel  # noqa: PLC0415

    SnsChannel(TOPIC).check()


def storage() -> None:
    """Objects in S3 and Azure."""
    from surf_data.kernel.storage.cloud import library  # noqa: PLC0415

    library()


def command(program: str, *arguments: str, **variables: str) -> None:
    """Run a program in a process of its own; fail with the last line that it writes to standard error."""
    environment = {**os.environ, **variables}
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SurfDataError(done.stderr.strip().rpartition("\n")[2])


FEATURES: dict[str, Callable[[], None]] = {
    feature.__name__: feature
    for feature in (alerts, archive, binary, cli, crypto, embedded, metrics, passwords, review, sns, storage)
}
# What an extra brings beside what it is called for.
BRINGS = {"cli": {"binary"}, "review": {"binary", "cli", "embedded"}}


def main(installed: set[str]) -> int:
    """Return how many features do otherwise than they should."""
    wrong = 0
    # Not what the machine has beside: a program that an extra brings may be there, too.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.defpath])
    there = installed.union(*(BRINGS.get(extra, set()) for extra in installed))
    if sys.version_info >= (3, 14):
        there.add("archive")
    for name, use in FEATURES.items():
        try:
            use()
            said = "works"
        except SurfDataError as error:
            said = str(error)
        # Without the command line none of its commands says anything else.
        expected = (
            "works" if name in there else f"surf-data[{'cli' if name == 'review' and 'cli' not in there else name}]"
        )
        fine = expected in said
        wrong += not fine
        sys.stdout.write(f"{'' if fine else 'WRONG: '}{name}: {said}\n")
    return wrong


if __name__ == "__main__":
    sys.exit(main(set(sys.argv[1:])))
