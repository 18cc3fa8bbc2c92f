"""A machine whose clock is an hour off, with real servers whose clocks are right."""

import subprocess
import sys
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from rig.azurite import AzuriteServer
from rig.clocks import shifted
from rig.object_storage import seaweed_store
from rig.seaweed import ACCESS_KEY, SECRET_KEY, SeaweedServer
from surf_data.kernel.secret import Secret
from surf_data.kernel.storage import azure_store

HOUR = 3_600

CALLS = f"""
import sys
from surf_data.errors import StorageDenied
from surf_data.kernel.secret import Secret
from surf_data.kernel.storage import s3_store

keys = {{"access_key_id": Secret({ACCESS_KEY!r}), "secret_access_key": Secret({SECRET_KEY!r})}}
store = s3_store("tests", endpoint=sys.argv[1], timeout=10, **keys)
for name, call in {{
    "initialize": store.initialize,
    "put": lambda: store.put("clock", b"x"),
    "put in parts": lambda: store.put("clock", iter([bytes(1 << 20)] * 7)),
    "get": lambda: store.get("clock").read(),
    "get_range": lambda: store.get_range("clock", 0, 1),
    "head": lambda: store.head("clock"),
    "list": lambda: list(store.list()),
    "delete": lambda: store.delete_many(["clock"]),
    "check": store.check,
}}.items():
    try:
        call()
    except StorageDenied as error:
        print(name, error.retryable, error)
    else:
        print(name, "done")
print(store.sign("there", 60))
"""
SIGN = """
import sys
from surf_data.kernel.secret import Secret
from surf_data.kernel.storage import azure_store

print(azure_store("tests", Secret(sys.argv[1])).sign("clock", 60))
"""


def child(program: str, seconds: int, *arguments: str) -> list[str]:
    """Return what a program prints on a machine whose clock is ahead by ``seconds``."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=shifted(seconds),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.splitlines()


def status(url: str) -> int:
    """Return the HTTP status of the answer to GET."""
    try:
        with urlopen(url) as answer:  # noqa: S310 - loopback
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code


@pytest.mark.parametrize("seconds", [-HOUR, HOUR])
def test_every_call_says_that_the_clock_is_wrong(seaweed: SeaweedServer, seconds: int) -> None:
    """Neither "access denied" nor "the server failed", not even of HEAD, whose answer has no reason in it.

    Ahead, a signed URL is good: SeaweedFS minds none that was signed in the future. `initialize` sends one.
    """
    store = seaweed_store(seaweed)
    store.initialize()
    store.put("there", b"x", create=False)
    *lines, url = child(CALLS, seconds, seaweed.endpoint)
    assert len(lines) == 9
    for line in lines:
        if seconds > 0 and line.startswith("initialize"):
            assert line == "initialize done"
        else:
            assert line.endswith(" failed: the clock of this machine differs too much from the server's")
            assert " False " in line
    assert status(url) == (200 if seconds > 0 else 403)
    store.delete_many(["there"])


@pytest.mark.parametrize("seconds", [-HOUR, HOUR])
def test_a_url_of_azure_is_good_by_azures_clock(azurite: AzuriteServer, seconds: int) -> None:
    """Behind, it has expired when it is made; ahead, its time has not begun. Azurite minds no other request."""
    store = azure_store("tests", Secret(azurite.connection_string))
    store.initialize()
    store.put("clock", b"x", create=False)
    assert status(store.sign("clock", 60)) == 200
    [url] = child(SIGN, seconds, azurite.connection_string)
    assert status(url) == 403
    store.delete_many(["clock"])
