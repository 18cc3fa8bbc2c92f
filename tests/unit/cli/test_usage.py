"""What is wrong with what was typed or set: it is explained, and a password in it is not repeated."""

import os
import signal
from collections.abc import Callable
from functools import partial

import pytest

from surf_data.cli.entry import main
from surf_data.cli.program import run as run_program

Run = Callable[..., tuple[int, str, str]]

PASSWORD = "tube-ride-8211"
NOWHERE = f"postgresql://surfer:{PASSWORD}@127.0.0.1:1/waves"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs the command line in this process; the password must not come out of it."""
    for variable in [name for name in os.environ if name.startswith(("SURF_DATA_", "PG"))]:
        monkeypatch.delenv(variable)

    def ran(*arguments: str) -> tuple[int, str, str]:
        code = run_program(arguments)
        out, err = capsys.readouterr()
        assert PASSWORD not in out + err
        return code, out, err

    return ran


@pytest.mark.parametrize(
    "arguments",
    [
        ["--no-such-option"],
        ["no-such-command"],
        ["stats", "--hours", "0"],
        ["stats", "--hours", "8785"],
        ["cache", "warm", "/no/such/file"],
        ["cache", "warm", "/"],
        ["cache", "warm", "-", "--ttl", "0"],
        ["--database-url", NOWHERE, "demo"],
        ["health", NOWHERE],
        ["health", f"host=localhost password={PASSWORD}"],
        [f"password = '{PASSWORD} and {PASSWORD}'"],
    ],
)
def test_usage(run: Run, arguments: list[str]) -> None:
    """What is typed wrongly ends with 2 and an explanation that does not repeat a password."""
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert "Error: " in err


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SURF_DATA_DATABASE_URL", f"postgresql://surfer:{PASSWORD}@somewhere@else/waves"),
        ("SURF_DATA_REDIS_URL", f"redis://:{PASSWORD}#x@localhost"),
        ("SURF_DATA_POOL_TIMEOUT", PASSWORD),
        ("SURF_DATA_SURPRISE", PASSWORD),
    ],
)
def test_wrong_settings(run: Run, monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    """What is set wrongly ends with 2 and one line that names it."""
    monkeypatch.setenv(variable, value)
    code, out, err = run("health")
    assert (code, out) == (2, "")
    [line] = err.splitlines()
    assert variable.removeprefix("SURF_DATA_") in line.upper()


def test_a_signal_is_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that a signal ends exits with 128 and its number."""
    monkeypatch.setattr("surf_data.cli.program.run", partial(signal.raise_signal, signal.SIGTERM))
    assert main() == 143
