"""Draws what a terminal shows of two commands, for the README: ``nox -s site -- --draw``."""

import io
import os
import pty
import re
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from html import unescape
from pathlib import Path

import attrs
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

ROOT = Path(__file__).parents[2]
#: What a terminal is made as wide as, in columns.
WIDTH = 100

# Colours that are read on the picture's own dark ground.
_THEME = TerminalTheme(
    (13, 17, 23),
    (230, 237, 243),
    [
        *((72, 79, 88), (255, 123, 114), (63, 185, 80), (210, 153, 34)),
        *((88, 166, 255), (188, 140, 255), (57, 197, 207), (177, 186, 196)),
    ],
)
# As rich has it, without fonts from another server and without a window around.
_FORMAT = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {terminal_width} {terminal_height}" role="img">
<style>
.{unique_id}-matrix {{ font: {char_height}px/{line_height}px ui-monospace, Menlo, Consolas, monospace }}
{styles}
</style>
<defs>{lines}</defs>
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
<g transform="translate(8, 8)">{backgrounds}<g class="{unique_id}-matrix">{matrix}</g></g>
</svg>
"""
_SIZE = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')


@attrs.frozen
class Picture:
    """What is shown of a command."""

    #: The file, below docs/pictures.
    name: str
    #: What is typed after ``surf-data``.
    arguments: Sequence[str]
    #: Which part of what it prints.
    part: re.Pattern[str]

    @property
    def path(self) -> Path:
        """Where it is."""
        return ROOT / "docs" / "pictures" / self.name

    def shown(self, printed: str) -> str:
        """Return the part of what a terminal received."""
        found = self.part.search(printed.replace("\r", ""))
        if found is None:
            raise ValueError(f"there is no part for {self.name}")
        return found[0].strip("\n")

    def svg(self, printed: str) -> str:
        """Return the drawing of what a terminal received."""
        console = Console(width=WIDTH, record=True, file=io.StringIO(), force_terminal=True, color_system="truecolor")
        console.print(Text.from_ansi(f"\x1b[2m$\x1b[0m surf-data {' '.join(self.arguments)}\n\n{self.shown(printed)}"))
        drawn = console.export_svg(title="", theme=_THEME, code_format=_FORMAT)
        # Rich leaves no room at the edges.
        return _SIZE.sub(lambda size: f'viewBox="0 0 {float(size[1]) + 16:g} {float(size[2]) + 24:g}"', drawn)

    def is_current(self, printed: str) -> bool:
        """Return whether the drawing shows what a terminal received, whatever the figures in it are."""
        drawn = "".join(re.findall(r">([^<>]*)</text>", self.path.read_text("utf-8")))
        plain = Text.from_ansi(f"$ surf-data {' '.join(self.arguments)}\n{self.shown(printed)}").plain
        return _letters(unescape(drawn)) == _letters(plain)


DEMO = Picture("demo.svg", ["demo"], re.compile(r"\x1b[^\n]*3  Four lamps.*?(?=\n[^\n]*6  )", re.DOTALL))
REVIEW = Picture(
    "review.svg",
    ["review", "sql/lamps", "--migrations", "migrations/lamps", "--query", "user_delete"],
    re.compile(r"\x1b\[1muser_delete.*", re.DOTALL),
)


def _letters(text: str) -> str:
    return re.sub(r"[\W\d_]", "", text)


def _terminal(arguments: Sequence[str]) -> str:
    """Return what a terminal receives of ``surf-data``."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(WIDTH), "TERM": "xterm"}
    command = [sys.executable, "-m", "surf_data", *arguments]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=theirs, stderr=subprocess.DEVNULL) as process:
        os.close(theirs)
        received = b""
        # When the last writer has gone, Linux answers with an error.
        with suppress(OSError):
            while part := os.read(ours, 65536):
                received += part
    os.close(ours)
    if process.returncode:
        raise RuntimeError(f"surf-data {' '.join(arguments)} has failed")
    return received.decode()


if __name__ == "__main__":
    for picture in (DEMO, REVIEW):
        picture.path.write_text(picture.svg(_terminal(picture.arguments)), "utf-8")
        sys.stdout.write(f"{picture.path}\n")
