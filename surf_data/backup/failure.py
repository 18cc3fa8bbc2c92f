"""Error messages for an operator when pg_dump or pg_restore fails.

Their own words may quote a row: ``COPY lamp_registry, line 1: "..."``. So they are passed on only where they are known
to hold nothing but the names of objects, and otherwise replaced by ours. The programs tell no SQLSTATE, and no option
and no variable makes them, so their text is all there is. They run with LC_ALL=C, and have the server speak English to
them where their role may choose that; where it may not, less is said, and nothing wrong.
"""

import re
from collections.abc import Callable

_ERROR = re.compile(r"pg_\w+: (?:error|detail): (.*)")
_ENTRY = re.compile(r"pg_restore: from TOC entry \d+; \d+ \d+ (.*)")

# In the order in which they are tried, whole lines as far as they may quote something.
_REASONS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"connection to server", lambda _: "it cannot connect to the server"),
        (r"server closed the connection|terminating connection|connection not open", lambda _: "connection lost"),
        (r"COPY failed for table (\".*?\")", lambda found: f"the rows of table {found[1]} were refused"),
        (
            r"No space left on device|Disk quota exceeded|File too large|Input/output error",
            lambda found: found[0],
        ),
        (r"unsupported version .* in file header", lambda _: "the file was made by a newer pg_dump"),
        (
            r"magic string|valid (?:tar )?archive|text format|end of file|too short|could not (?:read|uncompress|seek)",
            lambda _: "the file is damaged, or not what pg_dump --format=custom makes",
        ),
        (r'ERROR: +role ("\w+") does not exist$', lambda found: f"the role {found[1]} does not exist here"),
        (
            r'ERROR: +extension ("[\w-]+") is not available$',
            lambda found: f"the extension {found[1]} is not installed on this server",
        ),
        (
            r"ERROR: +((?:permission denied (?:for|to)|must be (?:owner|superuser|able to SET ROLE)) [\w \"]+)$",
            lambda found: found[1],
        ),
        (r"canceling statement due to (?:lock|statement) timeout", lambda _: "another session holds a lock on a table"),
        (r"affected by row-level security", lambda _: "row-level security hides rows from this role"),
        (r"out of shared memory", lambda _: "the server's max_locks_per_transaction is too low for so many objects"),
        (
            r"ERROR: +(unrecognized configuration parameter \"\w+\")$",
            lambda found: f"{found[1]}: it is of a newer version than the server",
        ),
    )
)


class ErrorReader:
    """Reads a program's standard error, line by line, for the reason of its failure."""

    def __init__(self) -> None:
        self._entry = ""
        self._failed = False
        self._reason: str | None = None

    def feed(self, line: str) -> None:
        """Process a line of standard error."""
        if entry := _ENTRY.fullmatch(line):
            self._entry = f", at {entry[1]}"
        if error := _ERROR.fullmatch(line):
            self._failed = True
            found = ((pattern.search(error[1]), words) for pattern, words in _REASONS)
            self._reason = self._reason or next((words(match) for match, words in found if match), None)

    def reason(self) -> str:
        """Return why the program failed."""
        unknown = "what it says may quote rows and is not repeated" if self._failed else "it does not say why"
        return (self._reason or unknown) + self._entry
