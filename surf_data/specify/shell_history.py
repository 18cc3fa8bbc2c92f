"""Reads the histories that shells keep: bash, zsh and fish, each in its own format."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID, uuid5

import attrs

from surf_data.specify.redaction import redacted_text

Shell = Literal["bash", "zsh", "fish"]

#: The longest entry, in bytes.
MAX_ENTRY = 100_000

_NAMESPACE = UUID("c0e1b1f4-3f43-4a0c-9d0e-6f6f7c1d2a57")
_TIME = re.compile(rb"#(\d{9,11})")
_EXTENDED = re.compile(rb": (\d{9,11}):(\d{1,9});(.*)", re.DOTALL)
_FISH_TIME = re.compile(rb"\s+when: (\d{9,11})")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=\S*")
# zsh writes some bytes as this one and themselves with a bit turned.
_META, _TURNED = 0x83, 0x20


@attrs.frozen(kw_only=True)
class Entry:
    """What was typed, once."""

    #: Where the entry begins, counted from 1.
    line: int
    #: What was typed; ``None`` if that cannot be stored.
    text: str | None
    #: Why it cannot be stored.
    problem: str | None = None
    #: When it began; ``None`` where the shell has not kept that.
    started_at: datetime | None = None
    #: How long it took; ``None`` where the shell has not kept that.
    taken: timedelta | None = None


def read(shell: Shell, lines: Iterable[bytes]) -> Iterator[Entry]:
    """Yield the entries of a history, the oldest first.

    Arguments:
        shell: whose history it is.
        lines: its lines, as a file yields them.
    """
    yield from _READERS[shell](enumerate((line.rstrip(b"\n") for line in lines), start=1))


def guess(head: bytes) -> Shell:
    """Return whose history a file is, by its beginning: bash's, if it is no other's."""
    lines = head.split(b"\n", 20)
    if any(line.startswith(b"- cmd: ") for line in lines):
        return "fish"
    return "zsh" if any(_EXTENDED.match(line) for line in lines) else "bash"


_Lines = Iterator[tuple[int, bytes]]


def _bash(lines: _Lines) -> Iterator[Entry]:
    began, time, text = 0, b"", b""
    for number, line in lines:
        if found := _TIME.fullmatch(line):
            if text:
                yield _entry(began, text, time)
            began, time, text = number, found[1], b""
        elif time:
            # What follows a time is one entry up to the next time, however many lines it has.
            text = text + b"\n" + line if text else line
        elif line:
            yield _entry(number, line)
    if text:
        yield _entry(began, text, time)


def _zsh(lines: _Lines) -> Iterator[Entry]:
    for number, first in lines:
        line = first
        while line.endswith(b"\\") and (more := next(lines, None)) is not None:
            line = line[:-1] + b"\n" + more[1]
        if found := _EXTENDED.fullmatch(line):
            yield _entry(number, _unmetafied(found[3]), found[1], found[2])
        elif line:
            yield _entry(number, _unmetafied(line))


def _fish(lines: _Lines) -> Iterator[Entry]:
    began, time, text = 0, b"", b""
    for number, line in lines:
        if line.startswith(b"- cmd: "):
            if text:
                yield _entry(began, text, time)
            began, time, text = number, b"", _unescaped(line[len(b"- cmd: ") :])
        elif found := _FISH_TIME.fullmatch(line):
            time = found[1]
    if text:
        yield _entry(began, text, time)


def _unmetafied(text: bytes) -> bytes:
    if _META not in text:
        return text
    found = bytearray()
    turned = False
    for byte in text:
        if byte == _META and not turned:
            turned = True
            continue
        found.append(byte ^ _TURNED if turned else byte)
        turned = False
    return bytes(found)


def _unescaped(text: bytes) -> bytes:
    return re.sub(rb"\\(.)", lambda found: b"\n" if found[1] == b"n" else found[1], text)


def _entry(line: int, text: bytes, time: bytes = b"", taken: bytes = b"") -> Entry:
    if len(text) > MAX_ENTRY:
        return Entry(line=line, text=None, problem=f"is longer than {MAX_ENTRY:,} bytes")
    try:
        decoded = text.decode()
    except UnicodeDecodeError:
        return Entry(line=line, text=None, problem="is not UTF-8")
    if "\0" in decoded:
        return Entry(line=line, text=None, problem="has NUL characters")
    if not decoded.strip():
        return Entry(line=line, text=None, problem="is blank")
    return Entry(
        line=line,
        text=decoded,
        # Eleven digits are some three thousand years.
        started_at=datetime.fromtimestamp(int(time), UTC) if time else None,
        taken=timedelta(seconds=int(taken)) if taken else None,
    )


_READERS: dict[Shell, Callable[[_Lines], Iterator[Entry]]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}


class Numbering:
    """Gives each entry of a history a UUID that it has again when the history is read again.

    Arguments:
        shell: whose history it is.
        host: on which machine it was kept.
    """

    def __init__(self, shell: Shell, host: str) -> None:
        self._prefix = f"{shell}\0{host}"
        self._seen: Counter[tuple[datetime | None, str]] = Counter()

    def uuid(self, entry: Entry, text: str) -> UUID:
        """Return the UUID of an entry: of its time, its text without secrets, and how many such came before."""
        key = (entry.started_at, text)
        self._seen[key] += 1
        time = "" if entry.started_at is None else entry.started_at.isoformat()
        return uuid5(_NAMESPACE, f"{self._prefix}\0{time}\0{self._seen[key]}\0{text}")


def command(entry: Entry, shell: Shell, host: str, read_at: datetime, numbering: Numbering) -> dict[str, object]:
    """Return an entry as `CommandRepository.create` takes a command.

    Arguments:
        entry: an entry without a problem.
        shell: whose history it is.
        host: on which machine it was kept.
        read_at: when it began, as far as is known, where the shell has not kept that.
        numbering: of this history.
    """
    text = redacted_text((entry.text or "").strip())
    words = text.split(maxsplit=1)
    while len(words) > 1 and _ASSIGNMENT.fullmatch(words[0]):
        words = words[1].split(maxsplit=1)
    started = entry.started_at or read_at
    return {
        "command_id": numbering.uuid(entry, text),
        "name": words[0][:200],
        "args": words[1] if len(words) > 1 else None,
        # It was run; how it ended, no shell has kept.
        "status": "success",
        "started_at": started,
        "completed_at": None if entry.taken is None else started + entry.taken,
        "host": host,
        "meta": {"source": shell, **({} if entry.started_at else {"time": "unknown"})},
    }
