"""Every block of the README and of docs/ does what it says.

- A ``python`` block is executed; the blocks of a document share their names.
- Of a ``console`` block the lines after ``$ `` (continued after ``> ``) go to bash and must succeed; the other lines
  show what it answers. The blocks of a document share one shell.
- Either is left alone after a line ``<!-- not run: the reason -->``.
- Blocks in other languages are pictures; the languages are few, so that none escapes by its spelling.

A document begins in an empty folder, with ``SURF_DATA_DATABASE_URL`` naming embedded servers beside it, and with long
timeouts: a busy machine must not make a cache miss of what a document has just stored. What its shell exports for this
library reaches its Python blocks.
"""

import os
import re
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from rig.command_line import CommandLine
from surf_data import embedded

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
# What a reader goes on with, in the same folder and shell.
READ_NEXT = {ROOT / "README.md": ROOT / "docs" / "tutorial.md"}
PICTURES = {"ini", "json", "sql", "text", "toml", "yaml"}
BLOCK = re.compile(
    r"(?:<!-- not run: (?P<reason>\S.*) -->\n\s*)?"
    r"^(?P<indent> *)```(?P<language>.*)\n(?P<body>(?s:.*?))^(?P=indent)```$",
    re.MULTILINE,
)
PREFIXES = ("SURF_DATA_", "PG")


class Block(NamedTuple):
    """A block that is to be executed."""

    #: The line of its first fence, counted from 1.
    line: int
    language: str
    body: str


class Shell:
    """One bash that runs the console blocks of a document in a folder; ``environment`` is a file of its own."""

    def __init__(self, folder: Path, environment: Path) -> None:
        self._environment = environment
        self._process = subprocess.Popen(
            ["bash", "-eu", "-o", "pipefail"],  # noqa: S607 - the reader's bash
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, place: str, commands: str) -> dict[str, str]:
        """Run ``commands`` and return the exported variables; if a command fails, the test fails with its output."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        # NUL is what no command prints; when it does not come, the shell has ended.
        stdin.write(f"{{\n{commands}\n}} </dev/null\nenv -0 >'{self._environment}'\nprintf '\\0\\n'\n")
        stdin.flush()
        output: list[str] = []
        for line in stdout:
            if line.endswith("\0\n"):
                return dict(pair.split("=", 1) for pair in self._environment.read_text().split("\0")[:-1])
            output.append(line)
        pytest.fail(f"{place}: a command failed\n{''.join(output)}", pytrace=False)

    def close(self) -> None:
        """End the shell."""
        self._process.communicate()


def executable_blocks(document: Path) -> Iterator[Block]:
    """Yield the Python and console blocks of a document that are not excused."""
    text = document.read_text("utf-8")
    for block in BLOCK.finditer(text):
        line = 1 + text.count("\n", 0, block.start("indent"))
        language = block["language"].strip()
        assert language in {"console", "python"} | PICTURES, (
            f"{document}:{line}: a block in {language or 'no language'}"
        )
        if language not in PICTURES and not block["reason"]:
            yield Block(line, language, textwrap.dedent(block["body"]))


def commands_in(console: str) -> str:
    """Return what a console block asks bash to do."""
    return "\n".join(line[2:] for line in console.splitlines() if line.startswith(("$ ", "> ")))


def follow(document: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Execute the blocks of a document."""
    names: dict[str, Any] = {"__name__": document.stem}
    for block in executable_blocks(document):
        if block.language == "python":
            # The empty lines make tracebacks name the document's own.
            exec(compile("\n" * block.line + block.body, document, "exec"), names)  # noqa: S102 - it is ours
            continue
        place = f"{document}:{block.line}"
        commands = commands_in(block.body)
        assert commands, f"{place}: a console block without a line that begins with '$ '"
        exported = shell.run(place, commands)
        for variable in [each for each in os.environ if each.startswith(PREFIXES) and each not in exported]:
            monkeypatch.delenv(variable)
        for variable, value in exported.items():
            if variable.startswith(PREFIXES):
                monkeypatch.setenv(variable, value)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Make a folder that is open to the account which runs the servers for root; pytest's own are closed to it.

    The reader's own is in it, so that what the servers write does not come and go there, under ``git add .``.
    """
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        Path(folder, "reader").mkdir()
        yield Path(folder)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_document(
    document: Path, folder: Path, tmp_path: Path, command_line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader who follows the document from top to bottom succeeds."""
    monkeypatch.chdir(folder / "reader")
    for variable in [variable for variable in os.environ if variable.startswith(PREFIXES)]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("SURF_DATA_DATABASE_URL", f"embedded:{folder / 'servers'}")
    monkeypatch.setenv("SURF_DATA_CACHE_TIMEOUT", "10")
    programs = (str(command_line.programs), str(Path(sys.executable).parent), os.environ["PATH"])
    monkeypatch.setenv("PATH", os.pathsep.join(programs))
    shell = Shell(folder / "reader", tmp_path / "environment")
    with ExitStack() as stack:
        stack.callback(shell.close)
        if next(executable_blocks(document), None):
            # They run all the time, so that commands find them instead of starting and stopping them each time.
            stack.enter_context(embedded.start(folder / "servers"))
        follow(document, shell, monkeypatch)
        if document in READ_NEXT:
            follow(READ_NEXT[document], shell, monkeypatch)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_fence_is_a_block(document: Path) -> None:
    """No block escapes because its fences do not match."""
    text = document.read_text("utf-8")
    fences = re.findall(r"^ *(?:```|~~~)", text, re.MULTILINE)
    assert len(fences) == 2 * len(BLOCK.findall(text))
