"""Checks that the prose of code, SQL and documents uses the field's words. Run by ``nox -s lint``.

Of Python only comments and text count, of SQL and Markdown everything but code in back quotes and blocks.
"""

import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

# Each word with the one that PostgreSQL's and Python's manuals use.
WORDS = {
    r"undone(?!['\"])": "rolled back",
    r"patience|glance": "timeout, poll interval",
    r"strays?": "rows in the default partition",
    r"(?:is|are) told(?: of)?": "is called with, receives",
    r"whoever|whomever|somebody|nobody(?![\"@])": "a caller, another transaction, no client",
    r"when the block (?:ends|raises)": "when the block exits, if it raises",
    r"may be called twice": "idempotent",
    r"for ever": "indefinitely",
    r"as it stands|as they stand": "unchanged, verbatim",
    r"hears what": "receives",
    r"poison(?:ed|s)?": "corrupt",
    r"looks? whether": "checks whether",
    r"he|him|his|himself|she|her": "it, of threads and readers",
    r"tells? whether": "returns whether",
    r"incarnation": "start time of the statistics",
}
PATTERN = re.compile("|".join(rf"(\b(?:{word})\b)" for word in WORDS), re.IGNORECASE)
# What is not ours: the requirement, and what others say.
LEFT_OUT = re.compile(
    r"^(CHANGELOG\.md|tests/lint/|tests/integration/(lamps/specification/|review/analysis/adversarial)|docs/benchmarks\.md)"
)
CODE = re.compile(r"```.*?```|``[^`]*``|`[^`]*`", re.DOTALL)


def blanked(match: re.Match[str]) -> str:
    """Return as many lines as the match has, with nothing in them."""
    return "\n" * match[0].count("\n")


def python(text: str) -> Iterator[tuple[int, str]]:
    """Yield the comments and texts of a program with their lines."""
    kinds = {tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", -1)}
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in kinds:
            yield token.start[0], CODE.sub(blanked, token.string)


def prose(text: str) -> Iterator[tuple[int, str]]:
    """Yield what is prose of a document or an SQL file."""
    yield 1, CODE.sub(blanked, text)


def found(path: Path) -> Iterator[str]:
    """Yield what is wrong with a file."""
    text = path.read_text("utf-8")
    for line, part in (python if path.suffix == ".py" else prose)(text):
        for match in PATTERN.finditer(part):
            better = list(WORDS.values())[(match.lastindex or 1) - 1]
            yield f"{path}:{line + part.count(chr(10), 0, match.start())}: {match[0]!r}: say {better}"


def main(arguments: list[str]) -> int:
    """Check the files that are named, else all that git knows; return the exit code."""
    named = arguments or subprocess.check_output(["git", "ls-files"], text=True).split()  # noqa: S607 - the developer's
    paths = [Path(name) for name in named if name.endswith((".py", ".md", ".sql")) and not LEFT_OUT.match(name)]
    problems = [problem for path in paths if path.is_file() for problem in found(path)]
    print("\n".join([*problems, f"{len(problems)} words in {len(paths)} files"]))  # noqa: T201 - its answer
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
