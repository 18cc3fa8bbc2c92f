"""Whatever is typed after ``surf-data``: no traceback, 0, 1 or 2, and what is wrong is said by its name."""

import io
import os
import sys
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import attrs
import click
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from surf_data.cli.commands import surf_data_command
from surf_data.cli.program import run as run_program

PASSWORD = "tube-ride-8211"
#: Refused at once, and for good.
NOWHERE = f"postgresql://surfer:{PASSWORD}@127.0.0.1:1/waves?sslmode=never"

# Where nothing is, in the way, of another kind, or not what its name says.
PATHS = (
    *("nothing", "empty.sql", "bytes.sql", "deep.json", "broken.toml", "not.sqlite", "folder", "loop", "dead"),
    *("queries", "queries/q.sql", ".", "..", "/dev/null", "queries/q.sql/x"),
)
MODULES = (
    *(":", "x:", ":x", "1:2", "..:x", "a.b:c", "os:environ", "os:path", "json:JSONEncoder", "class:def", "ä:ö"),
    *("wrong_syntax:x", "wrong_raises:x", "wrong_exit:x", "wrong_odd:x", "wrong_odd:y", "wrong_odd:Odd"),
    *("sys:modules", "surf_data:open", "surf_data.lamps.queries:lamps_queries"),
)
TEXTS = (
    *("", " ", "-", "--", "-1", "0", "1", "7", "1.5", "nan", "inf", "-inf", "1e400", str(10**30), str(2**63), "true"),
    *("ä🌊", "\udc80", "a\udcffb", "'; DROP TABLE x; --", "%s", ":x", "$1", "\\", "\n", "\x1b[31m", "x" * 5000),
    *(
        "*",
        "[",
        "((",
        "a=b",
        NOWHERE,
        f"postgresql://u:{PASSWORD}@x@y/z",
        "postgresql:",
        "redis://",
        "embedded:/dev/null",
    ),
    *("2025-01-01", "2025-01-01T25:00", "0001-01-01", "9999-12-31", "Mars/X", "UTC", "now", "id", "-id", "--help"),
    *("lamps", "Lamps", "specify", "daylight", "mining", "screenshot", "users", "asset", "HEAD", "HEAD~9999", "otlp"),
)
VALUES = (*TEXTS, *PATHS, *MODULES)

#: What replaces this process by another, starts servers of its own, or makes a database that the test would leave.
LEFT_OUT = {"psql", "demo", "screenshot database create"}
#: What is written to where nothing is said: not to the package itself.
WRITTEN = {"format": ["queries"]}
#: What is missing in the environment, whatever was typed.
UNSET = ("SURF_DATA_", "archives need a place")


@attrs.frozen
class Command:
    """A command of the program."""

    #: Its name, with those of its groups.
    name: str
    #: What it takes.
    parameters: tuple[click.Parameter, ...]

    @property
    def named(self) -> set[str]:
        """What its options and arguments are called in messages."""
        context = click.Context(click.Command("x"))
        found = {parameter.make_metavar(context) for parameter in self.parameters}
        found |= {name.lstrip("-") for parameter in self.parameters for name in parameter.opts}
        return {name.lower() for name in found if len(name) > 1}


def commands(command: click.Command = surf_data_command, *above: str) -> Iterator[Command]:
    """Yield all commands, those of groups below groups included."""
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            below = command.get_command(click.Context(command), name)
            assert below is not None
            yield from commands(below, *above, name)
    elif " ".join(above) not in LEFT_OUT:
        yield Command(" ".join(above), tuple(command.params))


ALL = tuple(commands())


def typed(command: Command, values: dict[str, list[str]], scratch: str) -> list[str]:
    """Return what is typed for a command with some values for its parameters.

    Arguments:
        command: it.
        values: by the names of the parameters; nothing for a flag.
        scratch: the server for scratch databases.
    """
    options, rest = [], []
    for parameter in command.parameters:
        name = str(parameter.name)
        if isinstance(parameter, click.Argument):
            rest += values.get(name) or WRITTEN.get(command.name) or (["nothing"] if parameter.required else [])
        elif parameter.is_flag:
            options += [parameter.opts[0]] if name in values else []
        elif name == "scratch" or name in values:
            options += [f"{parameter.opts[0]}={value}" for value in values.get(name, [scratch])]
    if command.name == "migrate new" and "folder" not in values:
        options.append("--folder=migrations")
    return [*command.name.split(), *options, "--", *rest]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder with files of many kinds the current one, deep enough for what is above to be the test's own."""
    for variable in [name for name in os.environ if name.startswith(("SURF_DATA_", "PG"))]:
        monkeypatch.delenv(variable)
    place = tmp_path / "a" / "b"
    for folder in ("folder", "migrations", "queries"):
        (place / folder).mkdir(parents=True)
    (place / "empty.sql").touch()
    (place / "bytes.sql").write_bytes(bytes(range(256)))
    (place / "deep.json").write_text("[" * 100_000)
    (place / "broken.toml").write_text("x = [\n")
    (place / "not.sqlite").write_bytes(b"SQLite format 3\0" + bytes(90))
    (place / "loop").symlink_to("loop")
    (place / "dead").symlink_to("nothing")
    (place / "folder" / "again").symlink_to(place / "folder")
    (place / "queries" / "q.sql").write_text("-- name: one(x)$\n-- One.\nSELECT :x::int;\n")
    (place / "migrations" / "0001_a.sql").write_text(
        "-- Why.\n-- migrate:up\nCREATE TABLE a (i int);\n-- migrate:down\nDROP TABLE a;\n"
    )
    (place / "wrong_syntax.py").write_text("def")
    (place / "wrong_raises.py").write_text("raise KeyError('x')")
    (place / "wrong_exit.py").write_text("raise SystemExit(7)")
    (place / "wrong_odd.py").write_text(
        "class Meta(type):\n    def __getattr__(self, name): raise RuntimeError\n"
        "class Odd(metaclass=Meta): pass\nx = object()\ndef __getattr__(name): raise ZeroDivisionError\n"
    )
    monkeypatch.chdir(place)
    monkeypatch.syspath_prepend(str(place))
    monkeypatch.setenv("SURF_DATA_DATABASE_URL", NOWHERE)
    monkeypatch.setenv("SURF_DATA_POOL_TIMEOUT", "0.05")
    return place


def check(arguments: list[str], command: Command) -> None:
    """Run the command line in this process, and check how it ends."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = out, err
    try:
        code = run_program(arguments)
    finally:
        sys.stdout, sys.stderr = before
    said, shown = ((stream.flush(), stream.buffer.getvalue())[1].decode() for stream in (err, out))  # type: ignore[attr-defined]
    assert code in {0, 1, 2}
    assert "Traceback" not in said + shown
    assert PASSWORD not in said + shown
    assert bool(said or shown) or not code
    if code == 2 and not any(words in said for words in UNSET):
        problem = said.rpartition("Error: ")[2].lower()
        assert any(name in problem for name in command.named), (arguments, said)


PARAMETERS = [(command, parameter) for command in ALL for parameter in command.parameters]


@pytest.mark.sweep
def test_each_parameter_of_each_command(place: Path, request: pytest.FixtureRequest) -> None:
    """Every option and argument by itself: empty or with one of the values, with --whole with each of them."""
    assert len(PARAMETERS) > 200
    turns = cycle(("", *VALUES))
    for command, parameter in PARAMETERS:
        name = str(parameter.name)
        flag = isinstance(parameter, click.Option) and parameter.is_flag
        tried = ("",) if flag else VALUES if request.config.getoption("--whole") else (next(turns),)
        for value in tried:
            check(typed(command, {name: [value]}, NOWHERE), command)


def test_several_parameters_at_once(place: Path, migrated_url: str, redis_url: str, monkeypatch: Any) -> None:
    """Several values at once, where there are servers that answer."""
    monkeypatch.setenv("SURF_DATA_DATABASE_URL", migrated_url)
    monkeypatch.setenv("SURF_DATA_REDIS_URL", redis_url)
    monkeypatch.setenv("SURF_DATA_POOL_TIMEOUT", "5")

    @settings(max_examples=settings().max_examples // 2, suppress_health_check=list(HealthCheck))
    @given(drawn=st.data())
    def tried(drawn: st.DataObject) -> None:
        command = drawn.draw(st.sampled_from(ALL))
        one, many = (
            st.lists(st.sampled_from(VALUES), min_size=1, max_size=1),
            st.lists(st.sampled_from(VALUES), max_size=3),
        )
        values = drawn.draw(
            st.fixed_dictionaries(
                {},
                optional={
                    str(parameter.name): many if parameter.multiple or parameter.nargs == -1 else one
                    for parameter in command.parameters
                },
            )
        )
        check(typed(command, values, migrated_url), command)

    tried()
