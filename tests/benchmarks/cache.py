"""Row 7: the cache has it."""

import csv
import json
import shutil
import subprocess
from itertools import cycle
from typing import cast
from urllib.parse import unquote, urlsplit

import redis

import surf_data
from benchmarks.ground import Ground
from benchmarks.measuring import Side, Timing, side
from benchmarks.results import AtLeast, AtMost, Question, Result, Row, compare
from rig.waiting import eventually
from surf_data.kernel.cache.json_values import Entry, loaded
from surf_data.lamps import surf_documents

_OURS, _NEAR, _OTHERS = "surf_data", "surf_data, near cache", "surf_data, a document not read lately"
#: More documents than are remembered.
_MANY = 1000
_SURF = {
    "wave_height_m": 1.4,
    "wave_period_s": 11.0,
    "wind_speed_mps": 5.2,
    "wind_deg": 270.0,
    "location_name": "Honolulu",
    "timestamp": 1_767_225_600.0,
    "data_source": "Surfline",
}


def cache_hit(ground: Ground) -> Row:
    """Row 7: surf data from Redis."""
    url = ground.servers.redis_url
    assert url is not None
    # A busy machine must not make misses of hits.
    with (
        surf_data.open(ground.url, url, cache_timeout=10.0) as data,
        surf_data.open(ground.url, url, cache_timeout=10.0, near_cache_bytes=16_000_000) as near,
        redis.Redis.from_url(url, decode_responses=True) as client,
    ):
        data.cache.set_surf_data_cache(2, _SURF)
        [key] = client.keys("surf_data:*")
        others = cycle(range(3, 3 + _MANY))
        data.cache.warm_surf_data({index: {**_SURF, "timestamp": index} for index in range(3, 3 + _MANY)})

        def by_hand() -> object:
            text = client.get(key)
            return None if text is None else json.loads(text)

        found = data.cache.get_surf_data_cache(2)
        if not found or by_hand() is None:
            raise AssertionError("there is no hit")
        eventually(lambda: near.cache.get_surf_data_cache(2) and near.stats()["cache"]["near_hits"])
        document = str(client.get(key)).encode()
        floor = shutil.which("redis-benchmark")
        measurement = ground.measure(
            side(_OURS, lambda: data.cache.get_surf_data_cache(2)),
            side(_NEAR, lambda: near.cache.get_surf_data_cache(2)),
            side("redis-py", by_hand),
            side(_OTHERS, lambda: data.cache.get_surf_data_cache(next(others))),
            side(f"{_OTHERS}, of which reading it", lambda: surf_documents.surf_data(cast("Entry", loaded(document)))),
            *([redis_benchmark(floor, url, key)] if floor else []),
        )
    others_ratio = measurement.ratio(_OTHERS, "redis-py", "time")
    work = "against redis-py and json.loads"
    least = "against redis-benchmark, one client"
    return Row(
        7,
        "cache hit",
        "a cache hit",
        [
            compare(measurement, work, _OURS, "redis-py", AtMost(1.15), asks=Question.HAND),
            compare(measurement, work, _OURS, "redis-py", None, quantity="CPU time"),
            Result(f"a document not read lately, {work}", "time, ours / theirs", ratio=others_ratio),
            compare(measurement, least, _OURS, "redis-benchmark", None)
            if floor
            else Result(least, "time, theirs / ours", why_not="no redis-benchmark"),
            compare(measurement, f"with the near cache, {work}", _NEAR, "redis-py", AtLeast(30), asks=Question.WAYS),
        ],
        [("a hit", measurement)],
        "What Redis answers is checked, unless the same bytes were answered lately. `redis-py` checks nothing.",
    )


def redis_benchmark(program: str, url: str, key: str) -> Side:
    """Return a side that gets a key by the server's own client in C; only its time can be measured."""
    address = urlsplit(url)
    where = (
        ["-s", unquote(address.path)] if address.scheme == "unix" else ["-h", address.hostname, "-p", str(address.port)]
    )

    def turn(calls: int) -> Timing:
        command = [program, *where, "-c", "1", "-n", str(calls), "--csv", "GET", key]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        rate = next(csv.DictReader(output.splitlines()))["rps"]
        return Timing(1_000_000 / float(rate), None)

    return Side("redis-benchmark", turn)
