"""``surf-data cache``: a file is stored as a whole or not at all, and only this library's keys are deleted."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from surf_data import LampsDataLayer, SurfData

Cli = Callable[..., Any]

#: Nothing listens there.
NO_REDIS = "redis://surfer:tube-ride-8211@127.0.0.1:1/0"
GOOD = b'{"location_index": 2, "wave_height_m": 1.8, "wave_period_s": 14, "wind_speed_mps": 6, "tide": {"m": 0.4}}\n'


@pytest.fixture
def store(redis_url: str) -> Iterator["redis.Redis"]:
    """Return a client of the empty Redis."""
    with redis.Redis.from_url(redis_url) as client:
        yield client


def test_warm(cli: Cli, data: LampsDataLayer, redis_url: str, tmp_path: Path) -> None:
    """What is in the file is in the cache afterwards, for as long as was asked."""
    file = tmp_path / "surf.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + GOOD + b"\n  \r\n" + b'{"location_index": 0, "location_name": "San Diego"}')
    done = cli("cache", "warm", str(file), "--ttl", "600", redis=redis_url)
    assert (done.code, done.out, done.err) == (0, "Stored the surf data of 2 locations for 600 seconds.\n", "")
    found = data.cache.get_surf_data_many([0, 2])
    assert found[0].location_name == "San Diego"
    assert found[2].extra == {"tide": {"m": 0.4}}
    assert found[2].is_complete


def test_warm_from_standard_input(cli: Cli, store: "redis.Redis", redis_url: str) -> None:
    """A dash is standard input, and JSON says what was stored."""
    done = cli("cache", "warm", "-", "--json", redis=redis_url, stdin=GOOD)
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out) == {"stored": 1, "ttl_seconds": 1800}
    assert 1790 < store.ttl("surf_data:2") <= 1800


def test_warm_with_nothing(cli: Cli) -> None:
    """An empty file is stored at once, even where there is no Redis."""
    done = cli("cache", "warm", "-", redis=NO_REDIS)
    assert (done.code, done.out) == (0, "Stored the surf data of 0 locations for 1,800 seconds.\n")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b'{"location_index": 1, "wave_height_m": "high"}', "wave_height_m must be a number"),
        (b"secret", "invalid JSON: Expecting value at column 1"),
        (b'{"location_index": 2}', "location_index 2 is already on line 1"),
    ],
)
def test_warm_refuses(cli: Cli, store: "redis.Redis", redis_url: str, line: bytes, problem: str) -> None:
    """An error names the number of the line, and then nothing of the file is stored."""
    done = cli("cache", "warm", "-", redis=redis_url, stdin=GOOD + b"\n" + line + b"\n" + GOOD)
    assert done.out == ""
    assert done.error() == f"line 3: {problem}"
    assert store.keys() == []


@pytest.mark.parametrize(("url", "reason"), [(NO_REDIS, "connection refused"), (None, "not configured")])
def test_warm_without_redis(cli: Cli, url: str | None, reason: str) -> None:
    """Without Redis nothing is stored, and that is a failure."""
    done = cli("cache", "warm", "-", redis=url, stdin=GOOD)
    assert done.out == ""
    assert reason in done.error()


def test_warm_without_permission(cli: Cli, redis_user: Callable[..., str]) -> None:
    """A Redis that answers and does not store is a failure, too."""
    done = cli("cache", "warm", "-", redis=redis_user("+ping", "+client"), stdin=GOOD)
    assert "did not confirm" in done.error()


def test_warm_with_a_redis_that_hangs(cli: Cli, store: "redis.Redis", redis_url: str) -> None:
    """A Redis that does not answer in the time that is set for it is a failure."""
    pid = store.info("server")["process_id"]
    os.kill(pid, signal.SIGSTOP)
    try:
        done = cli("cache", "warm", "-", redis=redis_url, stdin=GOOD, variables={"SURF_DATA_CACHE_TIMEOUT": "0.05"})
    finally:
        os.kill(pid, signal.SIGCONT)
    assert "timed out" in done.error()


def test_progress_is_for_terminals(cli: Cli, terminal: Callable[..., str], redis_url: str, tmp_path: Path) -> None:
    """A terminal sees how far the reading is, of a file and of a pipe; no other output does."""
    file = tmp_path / "surf.jsonl"
    file.write_bytes(GOOD)
    assert "Reading" in terminal("cache", "warm", str(file), SURF_DATA_REDIS_URL=redis_url)
    assert "Reading" in terminal("cache", "warm", "-", stdin=GOOD, SURF_DATA_REDIS_URL=redis_url)
    assert cli("cache", "warm", str(file), redis=redis_url).err == ""


def test_flush(cli: Cli, data: LampsDataLayer, store: "redis.Redis", redis_url: str) -> None:
    """What this library keeps is deleted and counted, and nothing else."""
    data.cache.warm_surf_data({index: SurfData() for index in range(1500)})
    data.cache.set_system_stats({"lamps": 1})
    store.set("surf_data:other", "of another application")
    done = cli("cache", "flush", redis=redis_url)
    assert (done.code, done.out, done.err) == (0, "Deleted 1,501 keys.\n", "")
    assert store.keys() == [b"surf_data:other"]
    assert json.loads(cli("cache", "flush", "--json", redis=redis_url).out) == {"deleted": 0}


@pytest.mark.parametrize(("url", "reason"), [(NO_REDIS, "connection refused"), (None, "not configured")])
def test_flush_without_redis(cli: Cli, url: str | None, reason: str) -> None:
    """Without Redis nothing is deleted, and that is a failure."""
    done = cli("cache", "flush", "--json", redis=url)
    assert done.out == ""
    assert reason in done.error()


def test_flush_without_permission(cli: Cli, data: LampsDataLayer, redis_user: Callable[..., str]) -> None:
    """A Redis that answers and does not delete is a failure, too."""
    data.cache.set_system_stats({"lamps": 1})
    done = cli("cache", "flush", redis=redis_user("+ping", "+client", "+scan"))
    assert "0 keys" in done.error()
    assert data.cache.get_system_stats() == {"lamps": 1}
