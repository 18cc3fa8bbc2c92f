"""Does a deploy of this revision over another one break running code?

A deploy goes in three steps: the migrations that are not called ``post``, then the new code, then those that are. In
between, both revisions' code may run. So, on scratch databases of real servers:

- after each migration before the new code, the old revision's queries must mean what they meant;
- before the first ``post`` migration, and after each of them, this revision's queries must work.

A query works when the server can prepare it, with the parameter and result types that it had, when it runs with made-up
values as far as the schema is concerned, and when the roles that could run it still can. Where a revision has a
scenario of the domain in ``tests/rolling/scenarios/``, that is run too, by its own code, for what only running shows.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import attrs
import psycopg
from query import Connection, Outcome, Query, Unusable, grantees
from revision import Revision, laid_out, previous
from rich.console import Console
from rich.table import Table

from surf_data import embedded
from surf_data.errors import SurfDataError
from surf_data.migrate import Migration, Runner

UNTOUCHED = "what is there"


@attrs.frozen(kw_only=True)
class Meeting:
    """One revision's code on one state of the database."""

    #: The migration that made the state.
    state: str
    #: The revision.
    name: str
    #: What does not work, a line each.
    broken: list[str]


class Code:
    """The queries and the scenario of a revision, and what became of them on each state of a database."""

    def __init__(self, revision: Revision, domain: str, url: str) -> None:
        self._revision = revision
        self._domain = domain
        self._url = url
        self._queries, self._problems = revision.queries(domain)
        self._roles: list[str] | None = None
        self._met: list[tuple[str, dict[Query, Outcome], str | None]] = []

    def meet(self, connection: Connection, state: str) -> None:
        """See what works on the database as it is now."""
        # Who comes later has no code that runs already.
        self._roles = grantees(connection) if self._roles is None else self._roles
        outcomes = {query: query.outcome(connection, self._roles) for query in self._queries}
        self._met.append((state, outcomes, self._revision.play(self._domain, self._url)))

    def left_out(self) -> Iterator[str]:
        """Yield what did not work on the first state, so that the later ones cannot break it."""
        [(_, outcomes, played), *_] = self._met
        yield from self._problems
        yield from (f"{query.place}: {outcome.refusal}" for query, outcome in outcomes.items() if outcome.refusal)
        yield from filter(None, [played])

    def since(self) -> Iterator[Meeting]:
        """Yield what each later state breaks of what worked on the first one."""
        (_, first, played), *later = self._met
        for state, outcomes, now_played in later:
            broken = [
                f"{query.place}: {difference}"
                for query, outcome in first.items()
                if outcome.refusal is None
                for difference in outcome.differences(outcomes[query], _allowed([outcome]))
            ]
            broken += [now_played] if now_played and not played else []
            yield Meeting(state=state, name=self._revision.name, broken=broken)

    def always(self) -> Iterator[Meeting]:
        """Yield what does not work on each state, where all of it has to work on all of them."""
        for state, outcomes, played in self._met:
            broken = [*self._problems]
            for query, outcome in outcomes.items():
                every = [met[query] for _, met, _ in self._met]
                expected = next((each for each in every if each.refusal is None), outcome)
                broken += [f"{query.place}: {problem}" for problem in expected.differences(outcome, _allowed(every))]
            yield Meeting(state=state, name=self._revision.name, broken=[*broken, *filter(None, [played])])


class Deploy:
    """This revision on its way onto a server where the other one runs, for one domain.

    Raises:
        Unusable: no deploy can go that way.
    """

    def __init__(self, old: Revision, new: Revision, domain: str) -> None:
        self._old = old
        self._new = new
        self._domain = domain
        self._before = old.migrations(domain)
        after = new.migrations(domain)
        for known, now in zip(self._before, after, strict=False):
            if (known.path.name, known.checksum) != (now.path.name, now.checksum):
                raise Unusable(f"{now.path.name}: a migration of the other revision must stay as it is")
        if len(after) < len(self._before):
            raise Unusable(f"{self._before[len(after)].path.name}: a migration of the other revision must stay")
        added = after[len(self._before) :]
        contracts = [_contracts(migration) for migration in added]
        first = contracts.index(True) if True in contracts else len(added)
        self._expand, self._contract = added[:first], added[first:]
        for late in self._contract:
            if not _contracts(late):
                raise Unusable(f"{late.path.name}: it runs before the new code, but stands behind a 'post' migration")

    def run(self, url: str) -> tuple[list[Meeting], list[str]]:
        """Return what the code of both revisions meets on the way, and what of the old one cannot be compared."""
        old, new = Code(self._old, self._domain, url), Code(self._new, self._domain, url)
        with psycopg.connect(url, autocommit=True) as connection:
            if self._before:
                self._migrate(url, self._before[-1])
            # Before the new code nothing changes under the old one otherwise.
            if self._expand:
                old.meet(connection, UNTOUCHED)
            for migration in self._expand:
                self._migrate(url, migration)
                old.meet(connection, migration.label)
            new.meet(connection, self._expand[-1].label if self._expand else UNTOUCHED)
            for migration in self._contract:
                self._migrate(url, migration)
                new.meet(connection, migration.label)
        met, left_out = (old.since(), old.left_out()) if self._expand else ((), ())
        return [*met, *new.always()], list(left_out)

    def _migrate(self, url: str, migration: Migration) -> None:
        folder = self._new.root / "migrations" / self._domain
        Runner(partial(psycopg.connect, url), folder, self._domain).up(to=migration.number)


def _contracts(migration: Migration) -> bool:
    return migration.name.split("_")[0] == "post"


def _allowed(outcomes: list[Outcome]) -> set[str]:
    return {role for outcome in outcomes for role, refusal in outcome.roles.items() if refusal is None}


def report(old: Revision, new: Revision, version: int, console: Console, only: Sequence[str] = ()) -> bool:
    """Print what breaks on a version of PostgreSQL; return whether nothing does."""
    table = Table("domain", "schema after", "code of", "verdict", title=f"PostgreSQL {version}", title_justify="left")
    problems: list[str] = []
    notes: list[str] = []
    for domain in sorted({*old.domains(), *new.domains()} & set(only) if only else {*old.domains(), *new.domains()}):
        try:
            # Roles belong to a whole server, so each domain has its own.
            with embedded.start(postgres_version=version, redis=False) as servers:
                meetings, left_out = Deploy(old, new, domain).run(servers.database_url)
        except (Unusable, SurfDataError) as error:
            table.add_row(domain, "", "", "impossible")
            problems.append(str(error))
            continue
        for meeting in meetings:
            verdict = f"breaks {len(meeting.broken)}" if meeting.broken else "works"
            table.add_row(domain, meeting.state, meeting.name, verdict)
            problems += [f"after {meeting.state}, code of {meeting.name}: {line}" for line in meeting.broken]
        notes += [f"not compared, because it did not work before: {line}" for line in left_out]
    console.print(table)
    for line in (*problems, *notes):
        console.print(line, soft_wrap=True)
    return not problems


def main() -> int:
    """Return the exit code: 0 when nothing breaks."""
    parser = argparse.ArgumentParser(description="Does a deploy of this revision break running code?")
    parser.add_argument("--base", help="the revision that is running  [default: the previous commit]")
    parser.add_argument("--domain", action="append", help="one of those that are tried  [default: all]")
    parser.add_argument("--postgres", type=int, action="append", help="a version, 16 or 18  [default: both]")
    arguments = parser.parse_args()
    root, console = Path.cwd(), Console(markup=False, highlight=False)
    try:
        base = arguments.base or previous(root)
        if base is None:
            console.print("There is no previous commit here, so there is nothing that could break.")
            return 0
        with laid_out(root, base) as old:
            verdicts = [
                report(old, Revision("this", root), each, console, arguments.domain or ())
                for each in arguments.postgres or (18, 16)
            ]
    except Unusable as error:
        console.print(str(error), soft_wrap=True)
        return 1
    return 0 if all(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
