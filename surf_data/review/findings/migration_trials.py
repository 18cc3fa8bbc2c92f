"""What was measured of migrations, and what squawk says of them."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import attrs

from surf_data.kernel.executables import find_executable
from surf_data.migrate import Migration, MigrationEffect, measure_locks
from surf_data.review.findings.finding import Finding
from surf_data.review.findings.squawk import squawk_findings
from surf_data.review.progress import OnStep
from surf_data.review.schema_files import read_migrations
from surf_data.review.workbench import Workbench


@attrs.frozen(kw_only=True)
class MigrationTrials:
    """What was found out about migrations."""

    migrations: Sequence[Migration] = ()
    #: What was measured of them.
    effects: Sequence[MigrationEffect] = ()
    #: What squawk says of them; ``None`` where it is not installed.
    squawk: Sequence[Finding] | None = None

    @classmethod
    def of(cls, workbench: Workbench, sources: Iterable[Path], on_step: OnStep) -> "MigrationTrials":
        """Try migrations, in databases of their own.

        Arguments:
            workbench: where they are tried.
            sources: what a schema is made of.
            on_step: called before each migration.

        Raises:
            MigrationError: a migration cannot be tried, or squawk fails.
        """
        migrations = [each for source in sources for each in read_migrations(source)]
        squawk = find_executable("squawk")
        return cls(
            migrations=migrations,
            effects=_effects(workbench, migrations, on_step),
            squawk=None if squawk is None else list(squawk_findings(squawk, migrations)),
        )

    def notes(self) -> tuple[str, ...]:
        """Return what could not be found out, and why."""
        if self.migrations and self.squawk is None:
            return ("squawk is not installed, and so its rules are left aside: pip install squawk-cli",)
        return ()


def _effects(workbench: Workbench, migrations: Sequence[Migration], on_step: OnStep) -> list[MigrationEffect]:
    if not migrations:
        return []
    with workbench.forgetting_roles():
        return measure_locks(
            workbench.connect,
            workbench.connect,
            [],
            [(migration, 0) for migration in migrations],
            lambda migration: on_step(f"trying {migration.label}"),
        )
