"""The rows of screenshot: beside SQLAlchemy's ORM, redis-py, boto3 and azure-storage-blob.

Object storage is measured on a SeaweedFS of its own, and on an Azurite where there is one (``AZURITE``) and
azure-storage-blob is installed.
"""

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

from benchmarks.measuring import Measure, Ratio, side
from benchmarks.peer_screenshot import SqlAlchemy
from benchmarks.results import AtLeast, AtMost, Question, Result, Row, compare
from benchmarks.sizes import Sizes
from rig.azurite import AzuriteServer
from rig.object_storage import seaweed_store
from rig.seaweed import ACCESS_KEY, SECRET_KEY, SeaweedServer
from surf_data import embedded, screenshot
from surf_data.kernel.secret import Secret
from surf_data.kernel.storage import azure_store
from surf_data.screenshot import AuditLog, GeneratedCode, Project, ScreenshotDataLayer, User

_OURS, _ORM, _BY_HAND = "surf_data", "SQLAlchemy ORM", "redis-py and json.loads"
_SMALL = os.urandom(10_240)
_STREAM = 50 << 20
_AUDIT = """
INSERT INTO screenshot.audit_logs (id, action, category, description, is_success, ip_address, context, created_at)
SELECT gen_random_uuid(), 'user_login', 'authentication', 'User logged in ' || n, true, '192.168.1.1',
    jsonb_build_object('n', n, 'agent', 'Mozilla/5.0'),
    date_trunc('hour', now()) - interval '2 hours' + n * interval '3 ms'
FROM generate_series(1, %s) AS n
"""


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
    url: str
    #: Audit entries that are sealed.
    sealed: int


def _puts(put: Callable[[str], object]) -> Callable[[], object]:
    """Return what puts 200 objects by 8 threads."""
    numbers = count()
    pool = ThreadPoolExecutor(8)
    return lambda: list(pool.map(lambda number: put(f"bench/{number}"), [next(numbers) for _ in range(200)]))


def _boto3(endpoint: str) -> Any:
    import boto3  # noqa: PLC0415 - a peer that may be missing

    keys = {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": SECRET_KEY}
    return boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **keys)


def _container(connection: str) -> Any:
    from azure.storage.blob import ContainerClient  # noqa: PLC0415 - a peer that may be missing

    return ContainerClient.from_connection_string(connection, "bench")


def s3(ground: Ground) -> Row:
    """Row 6: objects in S3."""
    title, short = "objects in S3", "S3"
    if not SeaweedServer.program or not find_spec("boto3"):
        return Row(6, title, short, [Result("against boto3", "time, theirs / ours", why_not="no SeaweedFS or boto3")])
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="surf", ignore_cleanup_errors=True))
        server = SeaweedServer(Path(folder))
        stack.callback(server.stop)
        store, client = seaweed_store(server), _boto3(server.endpoint)
        store.initialize()
        presign = {"Bucket": "tests", "Key": "bench/0"}
        file = Path(folder, "stream")
        file.write_bytes(b"".join(_SMALL * 100 for _ in range(_STREAM // (len(_SMALL) * 100))))

        def ours() -> None:
            with file.open("rb") as source:
                store.put("bench/stream", source, create=False)

        puts = ground.measure.once(
            side(_OURS, _puts(lambda key: store.put(key, _SMALL, create=False))),
            side("boto3", _puts(lambda key: client.put_object(Bucket="tests", Key=key, Body=_SMALL))),
        )
        signing = ground.measure(
            side(_OURS, lambda: store.sign("bench/0", 60)),
            side("boto3", lambda: client.generate_presigned_url("get_object", Params=presign, ExpiresIn=60)),
        )
        streamed = ground.measure.once(
            side(_OURS, ours), side("boto3", lambda: client.upload_file(str(file), "tests", "bench/stream"))
        )
        memory = Ratio.of([_memory(server.endpoint, str(file))])
    works = {"200 puts of 10 KB by 8 threads": (puts, 2), "signing": (signing, 5), "50 MB from a file": (streamed, 1)}
    return Row(
        6,
        title,
        short,
        [
            *(
                compare(measured, f"{work}, against boto3", _OURS, "boto3", AtLeast(goal), asks=Question.OTHERS)
                for work, (measured, goal) in works.items()
            ),
            Result("memory that 50 MB from a file take", "growth", AtMost(16, "MB"), memory),
        ],
        [(work, measured) for work, (measured, _) in works.items()],
    )


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


def azure(ground: Ground) -> Row:
    """Row 7: objects in Azure."""
    theirs, title, short = "azure-storage-blob", "objects in Azure", "Azure"
    work = f"200 puts of 10 KB by 8 threads, against {theirs}"
    if not AzuriteServer.program or not find_spec("azure"):
        why_not = "no Azurite or azure-storage-blob"
        return Row(7, title, short, [Result(work, "time, theirs / ours", AtLeast(2), why_not=why_not)])
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="surf", ignore_cleanup_errors=True))
        server = AzuriteServer(Path(folder))
        stack.callback(server.stop)
        store = azure_store("bench", Secret(server.connection_string))
        store.initialize()
        container = _container(server.connection_string)
        measured = ground.measure.once(
            side(_OURS, _puts(lambda key: store.put(key, _SMALL, create=False))),
            side(theirs, _puts(lambda key: container.upload_blob(key, _SMALL, overwrite=True))),
        )
    result = compare(measured, work, _OURS, theirs, AtLeast(2), asks=Question.OTHERS)
    return Row(7, title, short, [result], [("200 puts", measured)])


def sessions(ground: Ground) -> Row:
    """Row 4: sessions in Redis."""
    data, client = ground.data, ground.client
    held = {"userId": "user-123", "role": "user", "permissions": ["read", "write"]}
    data.cache.set_session("s", held, 3_600)
    token = data.sessions.create(ground.user.id or "").token
    data.sessions.get(token)
    [name] = client.keys("stc:session-row:*")
    by_id = ground.measure(
        side(_OURS, lambda: data.cache.get_session("s")),
        side(_BY_HAND, lambda: json.loads(client.get("stc:session::s") or b"")),
    )
    by_token = ground.measure(
        side(_OURS, lambda: data.sessions.get(token)),
        side(_BY_HAND, lambda: json.loads(client.get(name) or b"")),
    )
    works = {"`get_session`": by_id, "`sessions.get` by token": by_token}
    return Row(
        4,
        "sessions in Redis",
        "a session",
        [
            compare(measured, f"{work}, against {_BY_HAND}", _OURS, _BY_HAND, AtMost(1.3), asks=Question.HAND)
            for work, measured in works.items()
        ],
        list(works.items()),
    )


def user(ground: Ground) -> Row:
    """Row 1: a user by e-mail address."""
    measured = ground.measure(
        side(_OURS, lambda: ground.data.users.find_by_email("bench@example.com")),
        side(_ORM, lambda: ground.orm.user("bench@example.com")),
    )
    result = compare(measured, f"against {_ORM}", _OURS, _ORM, None, asks=Question.OTHERS)
    return Row(1, "a user by e-mail address", "a user", [result], [("one user", measured)])


def projects(ground: Ground) -> Row:
    """Row 2: a user with its projects and their newest codes."""

    def page() -> object:
        found = ground.data.users.find_by_email("bench@example.com")
        assert found is not None
        return ground.data.projects.list_with_latest_code(found.id or "")

    measured = ground.measure(side(_OURS, page), side(_ORM, lambda: ground.orm.page("bench@example.com")))
    result = compare(measured, f"against {_ORM}", _OURS, _ORM, AtLeast(3), asks=Question.OTHERS)
    title = "a user with 20 projects and the newest of 5 codes each"
    return Row(2, title, "20 projects", [result], [("one user", measured)])


def views(ground: Ground) -> Row:
    """Row 3: views of one project are counted by many threads."""
    project_id = ground.project.id
    assert project_id is not None
    with ThreadPoolExecutor(8) as pool:

        def by_eight(call: Callable[[Any], object]) -> Callable[[], object]:
            return lambda: list(pool.map(call, [project_id] * 80))

        measured = ground.measure.once(
            side(_OURS, by_eight(ground.data.projects.record_view)), side(_ORM, by_eight(ground.orm.view))
        )
    result = compare(measured, f"against {_ORM}", _OURS, _ORM, None, asks=Question.OTHERS)
    return Row(3, "80 views of one project by 8 threads", "80 views", [result], [("80 views", measured)])


def audit(ground: Ground) -> Row:
    """Row 5: audit entries are written, sealed and verified."""
    user_id = ground.user.id or ""

    def entry() -> AuditLog:
        return AuditLog.create_user_action("user_login", user_id, "User logged in", {"ipAddress": "192.168.1.1"})

    with screenshot.open(ground.url, journal_buffer=1_000) as buffered:

        def together() -> None:
            for _ in range(500):
                buffered.audit.try_record(entry())
            buffered.audit.flush()

        def singly() -> None:
            for _ in range(500):
                ground.data.audit.record(entry())

        measured = ground.measure.once(side("with a buffer", together), side("single inserts", singly))
    ground.raw.execute(_AUDIT, [ground.sealed])
    started = perf_counter()
    entries = ground.data.audit.seal()
    between = perf_counter()
    assert ground.data.audit.verify().ok
    ended = perf_counter()
    work = "with a buffer, against single inserts"
    return Row(
        5,
        "500 audit entries",
        "500 audit entries",
        [
            compare(measured, work, "with a buffer", "single inserts", AtLeast(5), asks=Question.WAYS),
            Result(
                f"sealing {entries:,} of them",
                "time of a million",
                AtMost(30, "s"),
                Ratio.of([(between - started) / entries * 1e6]),
            ),
            Result(
                f"verifying {entries:,} of them",
                "time of a million",
                ratio=Ratio.of([(ended - between) / entries * 1e6]),
                unit="s",
            ),
        ],
        [("500 entries", measured)],
    )


ROWS: dict[int, Callable[[Ground], Row]] = {
    1: user,
    2: projects,
    3: views,
    4: sessions,
    5: audit,
    6: s3,
    7: azure,
}


def data(sizes: Sizes) -> str:
    """Return a sentence on how much data there is."""
    return f"20 projects with 5 codes each; {sizes.sealed:,} audit entries are sealed."


@contextmanager
def opened(sizes: Sizes, measure: Measure) -> Iterator[Ground]:
    """Yield what the rows are given: servers with a user, its projects and their codes."""
    with ExitStack() as stack:
        servers = stack.enter_context(embedded.start())
        layer = stack.enter_context(screenshot.open(servers.database_url, servers.redis_url, cache_timeout=10.0))
        layer.migrations.up()
        owner = layer.users.save(User(email="bench@example.com"))
        made = [layer.projects.save(Project(name=f"p{number}", user_id=owner.id)) for number in range(20)]
        for project in made:
            for _ in range(5):
                page = "<p>hello</p>" * 400
                layer.codes.save(GeneratedCode(code=page, provider="claude", project_id=project.id))  # type: ignore[arg-type]
        raw = stack.enter_context(psycopg.connect(servers.database_url, autocommit=True))
        raw.execute("VACUUM ANALYZE")
        orm = SqlAlchemy(servers.database_url)
        stack.callback(orm.close)
        assert servers.redis_url is not None
        client = stack.enter_context(redis.Redis(unix_socket_path=urlsplit(servers.redis_url).path))
        yield Ground(layer, raw, client, orm, owner, made[0], measure, servers.database_url, sizes.sealed)
