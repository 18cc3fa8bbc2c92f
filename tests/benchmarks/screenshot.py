"""The screenshot domain beside its peers: ``python -m benchmarks.screenshot [--full]``; ratios of one run, medians.

Object storage is measured on a SeaweedFS of its own, and on an Azurite where there is one (``AZURITE``), beside boto3
and azure-storage-blob where they are installed.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

import attrs
import psycopg
import redis

from benchmarks.measuring import Measure, Measurement, side
from benchmarks.peer_screenshot import SqlAlchemy
from rig.azurite import AzuriteServer
from rig.object_storage import seaweed_store
from rig.seaweed import ACCESS_KEY, SECRET_KEY, SeaweedServer
from surf_data import embedded, screenshot
from surf_data.kernel.secret import Secret
from surf_data.kernel.storage import ObjectStore, azure_store
from surf_data.screenshot import AuditLog, GeneratedCode, Project, ScreenshotDataLayer, User

_SMALL = os.urandom(10_240)
_STREAM = 50 << 20


@attrs.frozen
class Ground:
    """What all sides share."""

    data: ScreenshotDataLayer
    raw: psycopg.Connection[Any]
    client: redis.Redis
    orm: SqlAlchemy
    user: User
    project: Project
    measure: Measure


def _puts(put: Callable[[str], object]) -> Callable[[], object]:
    """Return what puts 200 objects by 8 threads."""
    numbers = count()
    pool = ThreadPoolExecutor(8)
    return lambda: list(pool.map(lambda number: put(f"bench/{number}"), [next(numbers) for _ in range(200)]))


def _stream() -> Iterator[bytes]:
    return (_SMALL * 100 for _ in range(_STREAM // (len(_SMALL) * 100)))


def _boto3(endpoint: str) -> Any:
    import boto3  # noqa: PLC0415 - a peer that may be missing

    keys = {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": SECRET_KEY}
    return boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **keys)


def _container(connection: str) -> Any:
    from azure.storage.blob import ContainerClient  # noqa: PLC0415 - a peer that may be missing

    return ContainerClient.from_connection_string(connection, "bench")


def _s3(measure: Measure, endpoint: str, store: ObjectStore) -> None:
    client = _boto3(endpoint)
    presign = {"Bucket": "tests", "Key": "bench/0"}
    _say(
        "200 puts of 10 KB to S3 by 8 threads",
        measure.once(
            side("surf_data", _puts(lambda key: store.put(key, _SMALL, create=False))),
            side("boto3", _puts(lambda key: client.put_object(Bucket="tests", Key=key, Body=_SMALL))),
        ),
        base="surf_data",
    )
    _say(
        "Signing a URL of S3",
        measure(
            side("surf_data", lambda: store.sign("bench/0", 60)),
            side("boto3", lambda: client.generate_presigned_url("get_object", Params=presign, ExpiresIn=60)),
        ),
        base="surf_data",
    )
    folder = tempfile.mkdtemp()
    file = Path(folder, "stream")
    file.write_bytes(b"".join(_stream()))

    def ours() -> None:
        with file.open("rb") as source:
            store.put("bench/stream", source, create=False)

    _say(
        "50 MB from a file to S3",
        measure.once(
            side("surf_data", ours), side("boto3", lambda: client.upload_file(str(file), "tests", "bench/stream"))
        ),
        base="surf_data",
    )
    sys.stdout.write(f"Memory that 50 MB from a file to S3 take: {_memory(endpoint, str(file)):.1f} MB\n")
    file.unlink()


def _memory(endpoint: str, file: str) -> float:
    """Return how many MB a process grows by that puts a file and gets it again."""
    program = """
import sys, threading, time
import psutil
from rig.object_storage import seaweed_store
class Server: endpoint = sys.argv[1]
store = seaweed_store(Server)
store.put("bench/warm", b"warm", create=False)
store.get("bench/warm").read()
process, peak = psutil.Process(), [0]
def watch():
    while True:
        peak[0] = max(peak[0], process.memory_info().rss)
        time.sleep(0.002)
before = process.memory_info().rss
threading.Thread(target=watch, daemon=True).start()
with open(sys.argv[2], "rb") as source:
    store.put("bench/memory", source, create=False)
for piece in store.get("bench/memory"):
    pass
print(peak[0] - before)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", program, endpoint, file], env=environment, check=True, capture_output=True, text=True
    )
    return int(done.stdout) / 2**20


def _azure(measure: Measure, connection: str) -> None:
    store = azure_store("bench", Secret(connection))
    store.initialize()
    container = _container(connection)
    _say(
        "200 puts of 10 KB to Azure by 8 threads",
        measure.once(
            side("surf_data", _puts(lambda key: store.put(key, _SMALL, create=False))),
            side("azure-storage-blob", _puts(lambda key: container.upload_blob(key, _SMALL, overwrite=True))),
        ),
        base="surf_data",
    )


def _sessions(ground: Ground) -> None:
    data, client = ground.data, ground.client
    held = {"userId": "user-123", "role": "user", "permissions": ["read", "write"]}
    data.cache.set_session("s", held, 3_600)
    token = data.sessions.create(ground.user.id or "").token
    data.sessions.get(token)
    [name] = client.keys("stc:session-row:*")
    _say(
        "get_session",
        ground.measure(
            side("surf_data", lambda: data.cache.get_session("s")),
            side("redis-py GET and json.loads", lambda: json.loads(client.get("stc:session::s") or b"")),
        ),
        base="redis-py GET and json.loads",
    )
    _say(
        "A session by its token",
        ground.measure(
            side("sessions.get, in Redis", lambda: data.sessions.get(token)),
            side("redis-py GET and json.loads", lambda: json.loads(client.get(name) or b"")),
        ),
        base="redis-py GET and json.loads",
    )


def _entities(ground: Ground) -> None:
    data, orm, user, project = ground.data, ground.orm, ground.user, ground.project
    _say(
        "A user by e-mail address",
        ground.measure(
            side("surf_data", lambda: data.users.find_by_email("bench@example.com")),
            side("SQLAlchemy ORM", lambda: orm.user("bench@example.com")),
        ),
        base="surf_data",
    )

    def page() -> object:
        found = data.users.find_by_email("bench@example.com")
        assert found is not None
        return data.projects.list_with_latest_code(found.id or "")

    _say(
        "A user with 20 projects and the newest of 5 codes each",
        ground.measure(side("surf_data", page), side("SQLAlchemy ORM", lambda: orm.page("bench@example.com"))),
        base="surf_data",
    )
    pool = ThreadPoolExecutor(8)
    assert user.id is not None
    assert project.id is not None
    project_id = project.id

    def by_eight(call: Callable[[Any], object]) -> Callable[[], object]:
        return lambda: list(pool.map(call, [project_id] * 80))

    _say(
        "80 views of one project by 8 threads",
        ground.measure.once(
            side("surf_data", by_eight(data.projects.record_view)), side("SQLAlchemy", by_eight(orm.view))
        ),
        base="surf_data",
    )


def _audit(ground: Ground, url: str, rows: int) -> None:
    user = ground.user.id or ""

    def entry() -> AuditLog:
        return AuditLog.create_user_action("user_login", user, "User logged in", {"ipAddress": "192.168.1.1"})

    with screenshot.open(url, journal_buffer=1_000) as buffered:

        def together() -> None:
            for _ in range(500):
                buffered.audit.try_record(entry())
            buffered.audit.flush()

        def singly() -> None:
            for _ in range(500):
                ground.data.audit.record(entry())

        _say(
            "500 audit entries",
            ground.measure.once(side("with a buffer", together), side("single inserts", singly)),
            base="with a buffer",
        )
    ground.raw.execute(
        """
        INSERT INTO screenshot.audit_logs (
            id, action, category, description, is_success, ip_address, context, created_at
        )
        SELECT gen_random_uuid(), 'user_login', 'authentication', 'User logged in ' || n, true, '192.168.1.1',
            jsonb_build_object('n', n, 'agent', 'Mozilla/5.0'),
            date_trunc('hour', now()) - interval '2 hours' + n * interval '3 ms'
        FROM generate_series(1, %s) AS n
        """,
        [rows],
    )
    started = perf_counter()
    sealed = ground.data.audit.seal()
    between = perf_counter()
    verified = ground.data.audit.verify()
    assert verified.ok
    ended = perf_counter()
    sys.stdout.write(
        f"Sealing {sealed:,} entries: {between - started:.1f} s; verifying them: {ended - between:.1f} s\n"
    )


def _say(title: str, measurement: Measurement, *, base: str) -> None:
    sys.stdout.write(f"{title}\n")
    for name in measurement.names:
        told = f"{measurement.median(name).wall:>14,.1f} us  {name}"
        if name != base:
            ratio = measurement.ratio(name, base, "time")
            told += f": {ratio.value:.2f} times as long as {base} ({ratio.low:.2f} to {ratio.high:.2f})"
        sys.stdout.write(f"  {told}\n")
    sys.stdout.flush()


@contextmanager
def _opened(rounds: int, seconds: float) -> Iterator[tuple[Ground, str]]:
    with ExitStack() as stack:
        servers = stack.enter_context(embedded.start())
        data = stack.enter_context(screenshot.open(servers.database_url, servers.redis_url, cache_timeout=10.0))
        data.migrations.up()
        user = data.users.save(User(email="bench@example.com"))
        projects = [data.projects.save(Project(name=f"p{number}", user_id=user.id)) for number in range(20)]
        for project in projects:
            for _ in range(5):
                page = "<p>hello</p>" * 400
                data.codes.save(GeneratedCode(code=page, provider="claude", project_id=project.id))  # type: ignore[arg-type]
        raw = stack.enter_context(psycopg.connect(servers.database_url, autocommit=True))
        raw.execute("VACUUM ANALYZE")
        orm = SqlAlchemy(servers.database_url)
        stack.callback(orm.close)
        assert servers.redis_url is not None
        client = stack.enter_context(redis.Redis(unix_socket_path=urlsplit(servers.redis_url).path))
        yield Ground(data, raw, client, orm, user, projects[0], Measure(rounds, seconds)), servers.database_url


def main() -> None:
    """Measure all of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.screenshot", description=__doc__)
    parser.add_argument("--full", action="store_true", help="seal a million entries instead of 100,000")
    parser.add_argument("--rounds", type=int, default=21, metavar="N", help="rounds that count (default: 21)")
    parser.add_argument("--seconds", type=float, default=0.1, help="for one turn of one side (default: 0.1)")
    given = parser.parse_args()
    with _opened(given.rounds, given.seconds) as (ground, url):
        _entities(ground)
        _sessions(ground)
        _audit(ground, url, 1_000_000 if given.full else 100_000)
        with tempfile.TemporaryDirectory(prefix="surf", ignore_cleanup_errors=True) as folder:
            if SeaweedServer.program and find_spec("boto3"):
                seaweed = SeaweedServer(Path(folder))
                store = seaweed_store(seaweed)
                store.initialize()
                _s3(ground.measure, seaweed.endpoint, store)
                seaweed.stop()
        with tempfile.TemporaryDirectory(prefix="surf", ignore_cleanup_errors=True) as folder:
            if AzuriteServer.program and find_spec("azure"):
                azurite = AzuriteServer(Path(folder))
                _azure(ground.measure, azurite.connection_string)
                azurite.stop()


if __name__ == "__main__":
    main()
