"""Histories of shells, each in its own format."""

from datetime import UTC, datetime, timedelta

from surf_data.specify.shell_history import Entry, Numbering, Shell, command, guess, read

AT = datetime.fromtimestamp(1764400000, UTC)


def texts(shell: Shell, content: bytes) -> list[tuple[int, str | None, datetime | None]]:
    """Return line, text and time of each entry."""
    return [(entry.line, entry.text, entry.started_at) for entry in read(shell, content.splitlines(keepends=True))]


def test_bash() -> None:
    """A time is a line of its own, and what follows it is one entry; without times each line is one."""
    timed = b"#1764400000\nls\n#1764400001\nfor i in 1\ndo\ndone\n#1764400002\n"
    assert texts("bash", timed) == [(1, "ls", AT), (3, "for i in 1\ndo\ndone", AT + timedelta(seconds=1))]
    assert texts("bash", b"ls\n\n# a comment\n") == [(1, "ls", None), (3, "# a comment", None)]


def test_zsh() -> None:
    """An entry has its time and its duration, may go on over lines, and some bytes are written in another way."""
    content = b": 1764400000:3;make \\\n  test\nplain\n\n: 1764400001:0;echo \xc3\x83\xa9\n"
    found = list(read("zsh", content.splitlines(keepends=True)))
    assert [entry.text for entry in found] == ["make \n  test", "plain", "echo \xc9"]
    assert [entry.taken for entry in found] == [timedelta(seconds=3), None, timedelta(0)]
    assert texts("zsh", b"make \\") == [(1, "make \\", None)]


def test_fish() -> None:
    """An entry is a command with its time; what else fish keeps is passed over."""
    content = b"- cmd: echo a\\nb \\\\ c\n  when: 1764400000\n  paths:\n    - a\n- cmd: ls\n"
    assert texts("fish", content) == [(1, "echo a\nb \\ c", AT), (5, "ls", None)]
    assert texts("fish", b"paths:\n") == []


def test_what_cannot_be_stored() -> None:
    """It is named with its line and the reason, and costs no other entry."""
    content = b"ls\n\xff\na\0b\n \n" + b"x" * 100_001 + b"\ndate\n"
    assert [(entry.line, entry.problem) for entry in read("bash", content.splitlines(keepends=True))] == [
        (1, None),
        (2, "is not UTF-8"),
        (3, "has NUL characters"),
        (4, "is blank"),
        (5, "is longer than 100,000 bytes"),
        (6, None),
    ]


def test_guess() -> None:
    """A file says whose history it is by how it begins."""
    assert guess(b"- cmd: ls\n  when: 1\n") == "fish"
    assert guess(b"ls\n: 1764400000:0;ls\n") == "zsh"
    assert guess(b"#1764400000\nls\n") == "bash"


def test_commands() -> None:
    """An entry becomes a command with the program's name, without secrets, and the same UUID each time."""
    entries = [
        Entry(line=1, text="A=1 API_TOKEN=x make  test", started_at=AT, taken=timedelta(seconds=2)),
        Entry(line=2, text="A=1", started_at=None),
    ]
    once, again = (
        [command(entry, "zsh", "here", AT, numbering) for entry in entries * 2]
        for numbering in (Numbering("zsh", "here"), Numbering("zsh", "here"))
    )
    assert once == again
    assert len({row["command_id"] for row in once}) == 4
    assert (once[0]["name"], once[0]["args"]) == ("make", "test")
    assert once[0]["completed_at"] == AT + timedelta(seconds=2)
    assert (once[1]["name"], once[1]["args"], once[1]["meta"]) == ("A=1", None, {"source": "zsh", "time": "unknown"})
