"""The findings that there are, by their codes, and what a suppression of one says."""

from collections.abc import Mapping
from pathlib import Path

import attrs

#: What there is to be found: the code of each finding, and what it says.
CODES: Mapping[str, str] = {
    "ALL-SHARDS": "on a cluster, the query asks every shard",
    "BIG-SORT": "more is sorted than fits into memory",
    "CASCADE": "rows of other tables go or change with those that the query names",
    "COST": "the plan has become more expensive",
    "FK-INDEX": "no index serves a foreign key when rows of its parent go",
    "LOCK": "a migration locks a big table for as long as it works on it",
    "LOST-INDEX": "a cast on a column keeps an index from being used",
    "MANY-ROWS": "the query may return more rows than anyone reads",
    "NO-SHARD": "on a cluster, the query is refused",
    "NOT-HOT": "an update writes an indexed column, so that every index of the table gets an entry",
    "ONE-OF-MANY": "the caller gets one row, and the query may find several",
    "REWRITE": "a migration writes a big table anew",
    "SCAN": "a migration reads a big table from end to end",
    "SEQ-SCAN": "a big table is read from end to end",
    "SHARD-KEY": "on a cluster, a unique or foreign key of a table cannot be kept",
    "SHARD-TRIGGER": "on a cluster, a table has a trigger, which its shards may not have",
    "SQUAWK": "squawk warns of a migration",
    "STALE-ACCEPT": "what was accepted is not found any more",
    "TYPE-CHANGE": "an unchanged query has other types than before",
    "UNCALLED": "no Python code calls the query",
    "UNREAD-TYPE": "a column has a type that the driver does not know",
    "UNTYPED": "a parameter has its type from its surroundings alone",
    "UNUSED-INDEX": "no query uses the index, and no constraint needs it",
}

#: Those that are found in a migration.
OF_MIGRATIONS = frozenset({"LOCK", "REWRITE", "SCAN", "SQUAWK"})
#: The code of what says that another suppression has nothing to suppress.
STALE = "STALE-ACCEPT"
#: What can be suppressed: all but a suppression without its finding, which is mended by deleting a line.
ACCEPTABLE = frozenset(CODES) - {STALE}


@attrs.frozen(kw_only=True)
class Suppression:
    """A finding that may stay, and why."""

    code: str
    #: Of what, as the finding has it.
    subject: str
    reason: str
    #: Where it is said.
    file: Path
    line: int | None


def mistake(code: str, reason: str) -> str | None:
    """Return what is wrong with an acceptance, ``None`` if nothing is."""
    if code not in ACCEPTABLE:
        return f"there is no finding {code or 'without a code'}; there are {', '.join(sorted(ACCEPTABLE))}"
    return None if reason else f"say why {code} may stay"
