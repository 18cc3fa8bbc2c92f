"""What looks for secrets in the fault tests finds them: each leak here is one on purpose."""

import logging
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rig.secrecy import Watch, planted
from surf_data import SurfDataError

SECRET = planted("leak")
TESTS = Path(__file__).parents[1]

LEAKING = """
import logging
import pytest
from rig.secrecy import planted, pytest_runtest_makereport, watch
from surf_data import DatabaseError

def test_log():
    logging.getLogger("redis").debug("sent %s", planted("password"))

def test_error():
    try:
        raise ValueError(planted("value"))
    except ValueError:
        with pytest.raises(DatabaseError):
            raise DatabaseError

def test_print():
    print(planted("password"))

def test_failure():
    assert "" == planted("password")

def test_quiet():
    with pytest.raises(DatabaseError):
        raise DatabaseError
"""


def _args(error: SurfDataError) -> None:
    error.args = (b"", SECRET.encode())


def _attribute(error: SurfDataError) -> None:
    vars(error)["row"] = [SECRET]


def _note(error: SurfDataError) -> None:
    error.add_note(SECRET)


def _cause(error: SurfDataError) -> None:
    error.__cause__ = ValueError(SECRET)


def _hidden_context(error: SurfDataError) -> None:
    error.__context__, error.__suppress_context__ = KeyError(SECRET), True


def _further_down(error: SurfDataError) -> None:
    error.__cause__ = ValueError("failed")
    error.__cause__.__context__ = UnicodeEncodeError("utf-8", SECRET, 0, 1, "is no text")


@pytest.mark.parametrize("leak", [_args, _attribute, _note, _cause, _hidden_context, _further_down])
def test_errors(leak: Callable[[SurfDataError], None]) -> None:
    """A secret anywhere in an error, or in one that it carries, is found."""
    error = SurfDataError()
    watch = Watch()
    watch.remember(error)
    leak(error)
    watch.look_back()
    assert len(watch.found) == 1


def test_a_loop_of_errors() -> None:
    """Errors that carry each other are looked at once."""
    one, other = SurfDataError(), ValueError(SECRET)
    one.__cause__, other.__context__ = other, one
    watch = Watch()
    watch.look_at_error("here", one)
    assert watch.found == ["here: ValueError"]


@pytest.mark.parametrize(
    "record",
    [
        {"msg": "to %s", "args": (SECRET,)},
        {"msg": "sent", "value": [SECRET]},
        {"msg": "failed", "exc_info": (ValueError, ValueError(SECRET), None)},
    ],
    ids=["message", "facts", "traceback"],
)
def test_logs(record: dict[str, Any]) -> None:
    """A secret in a message, in the facts beside it, or in the error that is logged, is found."""
    watch = Watch()
    watch.handle(logging.makeLogRecord({"name": "leaking", **record}))
    assert {place.partition(":")[0] for place in watch.found} == {"the log of leaking"}


def test_a_secret_of_somebody_else() -> None:
    """A secret that the library has made is looked for, once it is known."""
    watch = Watch()
    watch.look("before", "token-1")
    watch.others.add("token-1")
    watch.look("after", "the token-1 is")
    assert watch.found == ["after"]


def test_a_test_that_leaks_fails(tmp_path: Path) -> None:
    """Where the watch is imported, a test that leaks fails, and one that does not passes; the secret is not shown."""
    (tmp_path / "test_leaking.py").write_text(LEAKING, "utf-8")
    (tmp_path / "conftest.py").write_text("from rig.secrecy import pytest_runtest_makereport, watch\n", "utf-8")
    (tmp_path / "pytest.ini").write_text(f"[pytest]\npythonpath = {TESTS}\n", "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = {line.partition(" - ")[0].replace("test_leaking.py::", "") for line in done.stdout.splitlines()}
    assert {"ERROR test_log", "ERROR test_error", "FAILED test_print", "FAILED test_failure"} < lines, done.stdout
    assert "PASSED test_quiet" in lines
    assert not re.search("planted[0-9a-f]{16}", done.stdout)
