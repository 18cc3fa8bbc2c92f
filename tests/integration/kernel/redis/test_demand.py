"""Redis as a source of data: a failure is an error, said in fixed words and bounded in time."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any, Self

import pytest
import redis

from rig import RedisServer, Relay, SentinelService, eventually
from rig.caching import figures, manager_of, url_of
from surf_data.errors import RedisError, RedisUnavailable
from surf_data.kernel.redis import RedisManager, topology
from surf_data.kernel.redis.parser import BoundedHiredisParser, BoundedPythonParser

Refused = Callable[..., Any]


def test_an_answer_is_returned(manager: RedisManager) -> None:
    """What the operation returns is returned, written and read; what is not there is no error."""
    assert manager.demand(lambda client: client.set("key", "1"), read=False) is True
    assert manager.demand(lambda client: client.get("key"), read=True) == b"1"
    assert manager.demand(lambda client: client.get("other"), read=True) is None
    assert figures(manager) == {}


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), "1", True, None])
def test_a_timeout_is_a_number_above_zero(manager: RedisManager, refused: Refused, timeout: Any) -> None:
    """Anything else is refused before anything is sent."""
    error = refused(lambda: manager.demand(lambda client: client.ping(), read=True, timeout=timeout))
    assert error.field == "timeout"


@pytest.mark.parametrize(
    ("prepare", "operation", "code", "reason"),
    [
        (None, lambda client: client.lpush("key", "x"), "WRONGTYPE", "the key holds another type"),
        (None, lambda client: client.execute_command("SESAME"), "ERR", "refused the command"),
        (None, lambda client: client.evalsha("0" * 40, 0), "NOSCRIPT", "refused the command"),
        (None, lambda client: client.eval("return redis.error_reply('SESAME open')", 0), None, "refused the command"),
        ("CONFIG SET maxmemory 1", lambda client: client.set("a", "b"), "OOM", "out of memory"),
        ("CONFIG SET min-replicas-to-write 1", lambda client: client.set("a", "b"), "NOREPLICAS", "too few replicas"),
        ("REPLICAOF 127.0.0.1 1", lambda client: client.set("a", "b"), "READONLY", "read-only"),
        ("ACL SETUSER default -get", lambda client: client.get("key"), "NOPERM", "permission denied"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_refusal_is_an_error_with_its_code(
    own_redis: Callable[..., RedisServer],
    refused: Refused,
    prepare: str | None,
    operation: Callable[[redis.Redis], Any],
    code: str | None,
    reason: str,
) -> None:
    """What the server refuses is raised at once, its reason in fixed words; nothing that was sent is repeated."""
    server = own_redis("--maxmemory-policy", "noeviction")
    with server.client() as client:
        client.set("key", "value")
        if prepare:
            client.execute_command(*prepare.split())
    manager = manager_of(server.url)
    tries: list[int] = []
    error = refused(lambda: manager.demand(lambda client: (tries.append(1), operation(client)), read=True), RedisError)
    assert (error.code, error.reason, error.ambiguous) == (code, reason, False)
    assert str(error) == f"Redis refused or failed a command. ({reason})"
    assert not isinstance(error, RedisUnavailable)
    assert tries == [1]
    manager.close()


@pytest.mark.parametrize(("login", "code"), [("", "NOAUTH"), (":sesame@", "WRONGPASS")])
def test_a_password_is_wanted(own_redis: Callable[..., RedisServer], refused: Refused, login: str, code: str) -> None:
    """A missing and a wrong password have a reason and codes of their own, and are shown nowhere."""
    server = own_redis("--requirepass", "right")
    manager = manager_of(server.url.replace("://", f"://{login}"))
    error = refused(lambda: manager.demand(lambda client: client.get("key"), read=True), RedisUnavailable)
    assert (error.code, error.reason) == (code, "authentication failed")
    assert "sesame" not in repr([error, vars(error), error.args])


def test_what_only_reads_is_tried_again(between: Relay, refused: Refused) -> None:
    """A read whose connection is lost is made three times in all; a write whose reply is lost is not made again."""
    manager = manager_of(url_of(between), cache_breaker_failures=1000)
    manager.demand(lambda client: client.ping(), read=True)
    between.requests.clear()
    between.answers.extend([b"", b""])
    assert manager.demand(lambda client: client.get("key"), read=True) is None
    assert len(between.requests) == 3
    between.answers.extend([b"", b"", b""])
    error = refused(lambda: manager.demand(lambda client: client.get("key"), read=True), RedisUnavailable)
    assert (error.reason, error.ambiguous, len(between.requests)) == ("connection lost", False, 6)
    between.answers.append(b"")
    error = refused(lambda: manager.demand(lambda client: client.incr("n"), read=False), RedisUnavailable)
    assert (error.reason, error.ambiguous, len(between.requests)) == ("connection lost", True, 7)
    manager.close()


def test_a_write_that_was_not_sent_is_tried_again(own_redis: Callable[..., RedisServer]) -> None:
    """While nothing was sent, a write waits for the server to come back as a read does."""
    server = own_redis()
    manager = manager_of(server.url, cache_breaker_failures=1000)
    server.stop()
    starting = threading.Thread(target=server.start)
    starting.start()
    eventually(lambda: _incremented(manager))
    starting.join()
    assert manager.demand(lambda client: client.get("n"), read=True) == b"1"


def _incremented(manager: RedisManager) -> bool:
    try:
        return manager.demand(lambda client: client.incr("n"), read=False) == 1
    except RedisUnavailable as error:
        if error.ambiguous:
            raise
        return False


def test_an_open_breaker_answers_at_once(own_redis: Callable[..., RedisServer], refused: Refused) -> None:
    """A server that has failed several times in a row is not asked, and the error says so."""
    server = own_redis()
    manager = manager_of(server.url, cache_breaker_failures=1, cache_breaker_seconds=3600)
    server.stop()
    manager.call(lambda client: client.ping(), read=True, otherwise=None)
    error = refused(lambda: manager.demand(lambda client: client.ping(), read=True), RedisUnavailable)
    assert error.reason == "not asked: it failed several times in a row"


def test_not_configured_and_closed(redis_url: str, refused: Refused) -> None:
    """Without a Redis, and after the manager was closed, there is no waiting."""
    closed = manager_of(redis_url)
    closed.close()
    for manager, reason in ((manager_of(None), "not configured"), (closed, "closed")):
        error = refused(partial(manager.demand, lambda client: client.ping(), read=True), RedisUnavailable)
        assert error.reason == reason


def test_no_connection_becomes_free(redis_url: str, refused: Refused) -> None:
    """Waiting for a connection ends with the time-out, and says nothing against the server."""
    manager = manager_of(redis_url, cache_max_connections=1)

    def nested(_: redis.Redis) -> None:
        error = refused(lambda: manager.demand(lambda client: client.ping(), read=True, timeout=0.05), RedisUnavailable)
        assert error.reason == "no connection became free"

    manager.demand(nested, read=True)
    assert figures(manager) == {"errors": 1}


class Trickle:
    """A server that sends a byte of an endless reply every moment, so that no single wait is long."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}"
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(30)

    def _serve(self) -> None:
        with ExitStack() as stack:
            while not self._ended.is_set():
                try:
                    client = stack.enter_context(self._listener.accept()[0])
                except OSError:
                    return
                threading.Thread(target=self._send, args=(client,)).start()

    def _send(self, client: socket.socket) -> None:
        try:
            client.sendall(b"$1000000\r\n")
            while not self._ended.wait(0.01):
                client.sendall(b"x")
        except OSError:
            return


@pytest.fixture
def trickle() -> Iterator[Trickle]:
    """Return a server that is slow without end."""
    with Trickle() as server:
        yield server


@pytest.mark.parametrize("parser", [BoundedHiredisParser, BoundedPythonParser])
def test_a_slow_server(trickle: Trickle, monkeypatch: pytest.MonkeyPatch, refused: Refused, parser: type) -> None:
    """A server that sends a little of its reply again and again keeps no caller beyond the time-out."""
    monkeypatch.setattr(topology, "PARSER", parser)
    manager = manager_of(trickle.url)
    error = refused(lambda: manager.demand(lambda client: client.get("key"), read=True, timeout=0.3), RedisUnavailable)
    assert error.reason == "timed out"
    manager.close()


@pytest.mark.parametrize("parser", [BoundedHiredisParser, BoundedPythonParser])
def test_both_parsers_answer(redis_url: str, monkeypatch: pytest.MonkeyPatch, parser: type) -> None:
    """With hiredis and without it the same is answered, with and without a deadline."""
    monkeypatch.setattr(topology, "PARSER", parser)
    manager = manager_of(redis_url)
    assert manager.demand(lambda client: client.set("key", "x" * 100_000), read=False) is True
    assert manager.demand(lambda client: client.get("key"), read=True) == b"x" * 100_000
    assert manager.call(lambda client: client.get("key"), read=True, otherwise=b"") == b"x" * 100_000
    manager.close()


@pytest.mark.parametrize("parser", [BoundedHiredisParser, BoundedPythonParser])
def test_a_reply_that_is_nested_too_deeply(
    between: Relay, monkeypatch: pytest.MonkeyPatch, refused: Refused, parser: type
) -> None:
    """It is no reply of Redis's, whichever parser reads it; and the caller's stack is not at fault."""
    monkeypatch.setattr(topology, "PARSER", parser)
    manager = manager_of(url_of(between))
    between.answers.append(b"*1\r\n" * 5000)
    error = refused(lambda: manager.demand(lambda client: client.get("key"), read=False), RedisUnavailable)
    assert error.reason == "unexpected reply"
    manager.close()


def test_a_connection_of_ones_own(manager: RedisManager, refused: Refused) -> None:
    """It leads to the single server; where there is none, there is no such connection."""
    connection = manager.dedicated_connection()
    connection.connect()
    connection.send_command("PING")
    assert connection.read_response() == b"PONG"
    connection.disconnect()
    assert manager.is_single_server
    nowhere = manager_of(None)
    assert not nowhere.is_single_server
    assert refused(nowhere.dedicated_connection, RedisUnavailable).reason == "not a single server"


@pytest.mark.parametrize("fault", ["hung", "full", "away"])
def test_a_server_that_does_not_answer(own_redis: Callable[..., RedisServer], refused: Refused, fault: str) -> None:
    """Hung before or while something large is sent, or away: the time-out is for all of it."""
    server = own_redis()
    manager = manager_of(server.url)
    manager.demand(lambda client: client.ping(), read=True)
    server.stop() if fault == "away" else server.halt()
    value = b"x" * (50_000_000 if fault == "full" else 1)
    error = refused(
        lambda: manager.demand(lambda client: client.set("key", value), read=False, timeout=0.3), RedisUnavailable
    )
    assert error.reason in {"timed out", "connection lost", "file not found", "connection refused"}
    manager.close()


def test_sentinels_that_do_not_answer(refused: Refused) -> None:
    """The time-out is for the questions to the Sentinels, too."""
    with SentinelService() as service:
        manager = manager_of(service.url)
        assert manager.demand(lambda client: client.ping(), read=True) is True
        manager.close()
        manager = manager_of(service.url)
        for port in service.sentinels:
            service.servers[port].halt()
        started = time.monotonic()
        error = refused(lambda: manager.demand(lambda client: client.ping(), read=True, timeout=0.3), RedisUnavailable)
        # A bound, no measurement: the connections' own time-out is 20 seconds, for each of the three.
        assert time.monotonic() - started < 20
        assert error.reason in {"the Sentinels know no primary", "timed out"}
        manager.close()


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
def test_an_interruption_is_passed_on(manager: RedisManager, interruption: type[BaseException]) -> None:
    """Ctrl-C in an operation reaches the caller, and the next demand is answered."""

    def interrupt(_: redis.Redis) -> None:
        raise interruption

    with pytest.raises(interruption):
        manager.demand(interrupt, read=True)
    assert manager.demand(lambda client: client.ping(), read=True) is True
