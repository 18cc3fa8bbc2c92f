"""The embedded servers shared by several processes, which may be killed at any time."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import psutil
import psycopg
import pytest

from surf_data import embedded
from surf_data.embedded.lock import Lock

Ask = Callable[[str, str], Any]
Remains = Callable[[str, str | Path], list[object]]
Processes = Callable[..., list[psutil.Process]]
Supervisor = Callable[[str | Path], psutil.Process]

SCRIPT = """
import json, os, sys
sys.path[:] = json.loads(os.environ["TEST_PATH"])
import psycopg
from surf_data import embedded
from surf_data.embedded.lock import Lock

def say(word):
    print(word, flush=True)

servers = embedded.start(os.environ.get("TEST_FOLDER"))
try:
    say(json.dumps([servers.database_url, str(servers.directory)]))
    sys.stdin.readline()
except KeyboardInterrupt:
    say("interrupted")
"""
STOP = """
servers.stop()
say("stopped")
"""


class User:
    """A process that uses the servers, goes on when asked to, and says so."""

    def __init__(self, directory: Path | None, then: str) -> None:
        environment = {**os.environ, "TEST_PATH": json.dumps(sys.path)}
        self.process = subprocess.Popen(
            # Isolated, and elsewhere: the supervisor must find the package even so.
            [sys.executable, "-I", "-c", SCRIPT + then],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            env={**environment, "TEST_FOLDER": str(directory)} if directory else environment,
            start_new_session=True,
        )
        self.database_url, self.directory = "", ""

    def started(self) -> Self:
        """Wait until it has its servers."""
        self.database_url, self.directory = json.loads(self.says())
        return self

    def go_on(self) -> None:
        """Tell it to go on."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def says(self) -> str:
        """Return the next line it says."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


@pytest.fixture
def user() -> Iterator[Callable[..., User]]:
    """Return a function that starts a process that uses the servers."""
    users: list[User] = []

    def start(directory: Path | None = None, then: str = STOP) -> User:
        users.append(User(directory, then))
        return users[-1]

    yield start
    for each in users:
        # Time to end by itself: it may be writing down what it has covered.
        with suppress(subprocess.TimeoutExpired):
            each.process.communicate(timeout=60)
        each.process.kill()
        each.process.wait()


def eventually(condition: Callable[[], object]) -> None:
    """Wait for a condition that another process brings about."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def kill(directory: str | Path, *victims: psutil.Process) -> None:
    """Kill processes, with a supervisor among them, and wait until the kernel has dropped the locks they held."""
    for process in victims:
        process.kill()
    eventually(lambda: not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in victims))
    with Lock(Path(directory, "supervisor.lock")) as lock:
        lock.take()


def test_two_processes(data_folder: Path, user: Callable[..., User], remains: Remains) -> None:
    """Two processes share a folder: the one that started the servers leaves, and the other does not notice."""
    first, second = user(data_folder).started(), user(data_folder).started()
    assert second.database_url == first.database_url
    with psycopg.connect(second.database_url) as connection:
        first.go_on()
        assert first.says() == "stopped"
        assert connection.execute("SELECT 1").fetchone() == (1,)
    second.go_on()
    assert second.says() == "stopped"
    eventually(lambda: remains(first.database_url, data_folder) == [])


def test_processes_that_start_at_once(data_folder: Path, user: Callable[..., User], remains: Remains) -> None:
    """Of several processes that start at once one starts the servers, and all have the same."""
    users = [user(data_folder) for _ in range(4)]
    [url] = {each.started().database_url for each in users}
    for each in users:
        each.go_on()
    assert [each.says() for each in users] == ["stopped"] * 4
    eventually(lambda: remains(url, data_folder) == [])


def test_temporary_folder_joined_by_its_path(user: Callable[..., User], ask: Ask, remains: Remains) -> None:
    """Who knows the path of a temporary folder can join, and the folder is removed when the last one leaves."""
    first = user().started()
    with embedded.start(first.directory) as second:
        first.go_on()
        assert first.says() == "stopped"
        assert ask(second.database_url, "SELECT 1") == 1
    eventually(lambda: remains(first.database_url, first.directory) == [])


def test_killed_user(user: Callable[..., User], remains: Remains) -> None:
    """When the only user is killed, the servers stop and the temporary folder goes."""
    killed = user().started()
    killed.process.kill()
    eventually(lambda: remains(killed.database_url, killed.directory) == [])


def test_ended_without_stop(user: Callable[..., User], remains: Remains) -> None:
    """When the only user just ends, the servers stop and the temporary folder goes."""
    careless = user(then="").started()
    careless.go_on()
    assert careless.process.wait() == 0
    eventually(lambda: remains(careless.database_url, careless.directory) == [])


def test_killed_while_starting(data_folder: Path, user: Callable[..., User], ask: Ask) -> None:
    """When a user is killed while servers start for it they stop, and the next user starts its own."""
    killed = user(data_folder)
    eventually(lambda: list(data_folder.glob("postgres.initdb-*")))
    killed.process.kill()
    with embedded.start(data_folder, redis=False) as servers:
        assert ask(servers.database_url, "SELECT 1") == 1


def test_killed_while_making_data(data_folder: Path, user: Callable[..., User], ask: Ask, processes: Processes) -> None:
    """When all are killed while data is being made, the half of it is removed, and it is made anew."""
    killed = user(data_folder)
    eventually(lambda: list(data_folder.glob("postgres.initdb-*")))
    killed.process.kill()
    kill(data_folder, *processes(data_folder))
    [half] = data_folder.glob("postgres.initdb-*")
    with embedded.start(data_folder, redis=False) as servers:
        assert ask(servers.database_url, "SELECT 1") == 1
        assert not half.exists()


def test_killed_supervisor(
    data_folder: Path, user: Callable[..., User], ask: Ask, supervisor: Supervisor, remains: Remains
) -> None:
    """When the supervisor is killed its servers go on, and the next user stops them and finds the data."""
    first = user(data_folder).started()
    ask(first.database_url, "CREATE TABLE kept AS SELECT 1 AS n")
    kill(data_folder, supervisor(data_folder))
    assert ask(first.database_url, "SELECT n FROM kept") == 1

    with embedded.start(data_folder) as servers:
        assert remains(first.database_url, "surf_data-nowhere") == []
        assert ask(servers.database_url, "SELECT n FROM kept") == 1
        first.go_on()
        assert first.says() == "stopped"
        assert ask(servers.database_url, "SELECT n FROM kept") == 1
    assert remains(servers.database_url, data_folder) == []


def test_killed_supervisor_and_stop(user: Callable[..., User], supervisor: Supervisor, remains: Remains) -> None:
    """When the supervisor is killed, the last user's stop ends the servers and removes the temporary folder."""
    last = user().started()
    kill(last.directory, supervisor(last.directory))
    last.go_on()
    assert last.says() == "stopped"
    assert remains(last.database_url, last.directory) == []


def test_killed_supervisor_of_a_temporary_folder(user: Callable[..., User], ask: Ask, supervisor: Supervisor) -> None:
    """Who joins a temporary folder without a supervisor by its path gets a new folder there, which is kept."""
    first = user().started()
    owner = supervisor(first.directory)
    orphans = owner.children()
    kill(first.directory, owner)
    with embedded.start(first.directory, redis=False) as servers:
        assert [each for each in orphans if each.is_running() and each.status() != psutil.STATUS_ZOMBIE] == []
        assert ask(servers.database_url, "SELECT current_setting('fsync')") == "on"
    shutil.rmtree(servers.directory)


def test_killed_user_and_supervisor(user: Callable[..., User], supervisor: Supervisor, remains: Remains) -> None:
    """When all are killed, the next start of temporary servers stops the old ones and removes their folder."""
    killed = user().started()
    kill(killed.directory, supervisor(killed.directory), psutil.Process(killed.process.pid))
    with embedded.start(redis=False) as servers:
        assert Path(killed.directory).parent == servers.directory.parent
        assert remains(killed.database_url, killed.directory) == []


def test_interrupt_at_the_terminal(user: Callable[..., User]) -> None:
    """Control-C does not take the servers from a user that needs them to finish its work."""
    query = "say(psycopg.connect(servers.database_url).execute('SELECT 7').fetchone()[0])\n"
    interrupted = user(then=query + STOP).started()
    os.killpg(interrupted.process.pid, signal.SIGINT)
    assert [interrupted.says() for _ in range(3)] == ["interrupted", "7", "stopped"]


FORK = """
receiving, sending = os.pipe()
if os.fork() == 0:
    os.read(receiving, 1)
    say(psycopg.connect(servers.database_url).execute('SELECT 7').fetchone()[0])
    sys.stdin.readline()
"""


def test_forked_child_outlives_its_parent(user: Callable[..., User], remains: Remains) -> None:
    """A forked child is a user: it keeps the servers when its parent has stopped using them, until it ends."""
    family = user(
        then=FORK + "    os._exit(0)\nservers.stop()\nsay('parent')\nos.write(sending, b'1')\nos.wait()"
    ).started()
    family.go_on()
    assert [family.says(), family.says()] == ["parent", "7"]
    family.go_on()
    eventually(lambda: remains(family.database_url, family.directory) == [])


def test_forked_child_leaves_first(user: Callable[..., User], remains: Remains) -> None:
    """A forked child that stops using the servers does not take them from its parent."""
    child = "    servers.stop()\n    say('child')\n    os._exit(0)\nos.write(sending, b'1')\nos.wait()\n"
    parent = "say(psycopg.connect(servers.database_url).execute('SELECT 8').fetchone()[0])\n"
    family = user(then=FORK + child + parent + STOP).started()
    family.go_on()
    assert family.says() == "7"
    family.go_on()
    assert [family.says() for _ in range(3)] == ["child", "8", "stopped"]
    assert remains(family.database_url, family.directory) == []
