"""What squawk says of migrations: rules about what PostgreSQL does badly while others use the tables."""

import json
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from surf_data.errors import MigrationError
from surf_data.migrate import Migration
from surf_data.migrate.statements import split
from surf_data.review.findings.finding import Finding
from surf_data.review.schema_files import read_text, up_to_undoing

# What the runner sees to for every migration in this library's own format: it sets both timeouts, and goes on where a
# section without a transaction was interrupted.
_OF_THE_RUNNER = frozenset({"prefer-robust-stmts", "require-lock-timeout", "require-statement-timeout"})
# 0: nothing to say; 1: something to say.
_ENDS = frozenset({0, 1})


def squawk_findings(program: Path, migrations: Sequence[Migration]) -> Iterator[Finding]:
    """Yield what squawk says of migrations, without what undoes them. It heeds its own file, ``.squawk.toml``.

    Arguments:
        program: squawk.
        migrations: the migrations, in any format.

    Raises:
        MigrationError: it fails, or a migration cannot be read.
    """
    for assumed in (True, False):
        chosen = [each for each in migrations if _is_wrapped(each) == assumed]
        if chosen:
            # Without a transaction, every statement stands for itself.
            yield from _run(program, chosen, f"--{'' if assumed else 'no-'}assume-in-transaction")


def _is_wrapped(migration: Migration) -> bool:
    """Return whether a tool runs a file in a transaction, and not the file itself."""
    begins = any(statement.words[0] in {"BEGIN", "START"} for statement in split(read_text(migration.path)))
    return migration.up.transactional and not begins


def _run(program: Path, migrations: Sequence[Migration], option: str) -> Iterator[Finding]:
    with tempfile.TemporaryDirectory(prefix="surf_data_") as folder:
        # What undoes has to drop what squawk would keep; and what is cut off at the end moves no line.
        texts = {
            str(Path(folder, f"{place:04}.sql")): (migration, up_to_undoing(read_text(migration.path)))
            for place, migration in enumerate(migrations)
        }
        for copy, (_, text) in texts.items():
            Path(copy).write_text(text, "utf-8")
        done = subprocess.run(
            [program, "--reporter", "json", option, *texts], capture_output=True, text=True, check=False
        )
    if done.returncode not in _ENDS or not done.stdout.strip():
        raise MigrationError(f"squawk fails: {' '.join(done.stderr.split())}")
    told: set[tuple[str, str, str]] = set()
    for said in json.loads(done.stdout):
        migration, text = texts[said["file"]]
        advice = f" {said['help']}" if said["help"] else ""
        finding = Finding(
            code="SQUAWK",
            subject=migration.path.name,
            about=f"{said['rule_name']}: {text.splitlines()[said['line']].strip()}",
            message=f"{said['rule_name']}: {said['message']}{advice}",
            file=migration.path,
            line=said["line"] + 1,
        )
        # Of two columns on one line it says the same twice.
        if finding.identity not in told and not (migration.checksum and said["rule_name"] in _OF_THE_RUNNER):
            told.add(finding.identity)
            yield finding
