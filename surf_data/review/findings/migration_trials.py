"""What was measured of migrations, and what squawk says of them."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import attrs

from surf_data.errors import MigrationError
from surf_data.kernel.executables import find_executable
from surf_data.migrate import Migration, MigrationEffect
from surf_data.migrate.locks import measure_in
from surf_data.review.findings.finding import Finding
from surf_data.review.findings.squawk import squawk_findings
from surf_data.review.progress import OnStep
from surf_data.review.schema_files import read_migrations
from surf_data.review.workbench import ScratchDatabase, Workbench, create_role, scratch


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
        sources = list(sources)
        with workbench.forgetting_roles():
            migrations, effects = _measured(workbench, sources, on_step)
        squawk = find_executable("squawk")
        return cls(
            migrations=migrations,
            effects=effects,
            squawk=None if squawk is None else list(squawk_findings(squawk, migrations)),
        )

    def notes(self) -> tuple[str, ...]:
        """Return what could not be found out, and why."""
        if self.migrations and self.squawk is None:
            return ('squawk is not installed, and so its rules are left aside: pip install "surf-data[review]"',)
        return ()


def _measured(
    workbench: Workbench, sources: Sequence[Path], on_step: OnStep
) -> tuple[list[Migration], list[MigrationEffect]]:
    if not any(source.is_dir() for source in sources):
        return [], []
    # As often as a role is missing: what a migration has done before it failed cannot be taken back.
    while True:
        with scratch(workbench.connect, private=workbench.data is not None) as database:
            try:
                return _measured_in(database, sources, on_step)
            except MigrationError as error:
                problem = error
            role = database.missing_role(problem)
            if role is None:
                # Outside the handler, so that it carries no other error.
                raise database.advised(problem)
        # After the database, with which the roles go that were created for it.
        create_role(workbench.connect, role)


def _measured_in(
    database: ScratchDatabase, sources: Sequence[Path], on_step: OnStep
) -> tuple[list[Migration], list[MigrationEffect]]:
    migrations: list[Migration] = []
    effects: list[MigrationEffect] = []
    for source in sources:
        found = read_migrations(source, database.stubs)
        if found:
            pending = [(migration, 0) for migration in found]
            effects += measure_in(database.connect, pending, lambda each: on_step(f"trying {each.label}"))
        else:
            # A schema, and no change of one; what comes later builds on it.
            database.apply(source)
        migrations += found
    return migrations, effects
