"""The example service of the screenshot domain: it starts, serves, and its deployment files say what there is.

No image can be built here. What the Dockerfile installs and copies is compared with what there is, and the command by
which it starts the service is executed; `nox -s package` installs the wheel into an environment of its own.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rig import eventually
from rig.pictures import png
from rig.seaweed import free_ports
from surf_data.cli.program import surf_data_command

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "screenshot"


def variables(text: str) -> dict[str, str]:
    """Return what an .env file sets."""
    return dict(line.split("=", 1) for line in text.splitlines() if re.match(r"[A-Z]\w*=", line))


@pytest.fixture
def environment(database_url: str, redis_url: str, tmp_path: Path) -> dict[str, str]:
    """Return the variables of .env.example, for the servers of the tests."""
    [port] = free_ports(1)
    example = variables((EXAMPLE / ".env.example").read_text())
    known = psycopg.conninfo.conninfo_to_dict(database_url)
    example |= {
        "DB_HOST": str(known["host"]),
        "DB_PORT": str(known["port"]),
        "DB_NAME": str(known["dbname"]),
        "DB_USERNAME": str(known["user"]),
        "REDIS_URL": redis_url,
        "LOCAL_STORAGE_PATH": str(tmp_path / "uploads"),
        "PORT": str(port),
        "SURF_DATA_SCREENSHOT_STORAGE_FSYNC": "false",
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "SURF_DATA_"))}
    return {**inherited, **example, "PYTHONPATH": str(ROOT)}


@pytest.fixture
def service(environment: dict[str, str]) -> Iterator[HTTPConnection]:
    """Migrate, and start the service by the Dockerfile's command; return a connection to it."""
    migrate = ["-m", "surf_data", "screenshot", "database", "migrate"]
    subprocess.run([sys.executable, *migrate], env=environment, check=True, capture_output=True)
    [command] = re.findall(r"^CMD (\[.*\])$", (EXAMPLE / "Dockerfile").read_text(), re.MULTILINE)
    arguments = json.loads(command)[1:]
    process = subprocess.Popen([sys.executable, *arguments], cwd=EXAMPLE, env=environment, stderr=subprocess.PIPE)
    connection = HTTPConnection("127.0.0.1", int(environment["PORT"]))

    def answers() -> bool:
        assert process.poll() is None, process.stderr and process.stderr.read()
        with suppress(ConnectionRefusedError):
            connection.request("GET", "/health")
            return connection.getresponse().read() == b'{"ok": true}'
        connection.close()
        return False

    eventually(answers)
    yield connection
    connection.close()
    process.terminate()
    process.wait(30)
    assert process.stderr is not None
    logged = process.stderr.read().decode()
    process.stderr.close()
    assert "sig=" not in logged
    assert "replace-me" not in logged
    assert all(json.loads(line)["service"] == "data-layer" for line in logged.splitlines())


def ask(connection: HTTPConnection, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, Any]:
    """Return status and body of an answer."""
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    content = answer.read()
    return answer.status, json.loads(content) if answer.headers["Content-Type"] == "application/json" else content


def test_the_service(service: HTTPConnection) -> None:
    """The service is healthy and ready, takes a picture, and gives it to who has its signed URL."""
    assert ask(service, "GET", "/health") == (200, {"ok": True})
    status, health = ask(service, "GET", "/ready")
    assert (status, health["overall"]["ok"]) == (200, True)
    status, stored = ask(service, "PUT", "/upload/shots/a.png", png(), **{"Content-Type": "image/png"})
    assert (status, stored["path"], stored["sizeBytes"]) == (201, "shots/a.png", len(png()))
    path = stored["url"].removeprefix("http://localhost:3000")
    assert ask(service, "GET", path) == (200, png())
    assert ask(service, "HEAD", path)[0] == 200
    status, refused = ask(service, "GET", path.replace("e=", "e=9"), **{"X-Correlation-Id": "abc-123"})
    assert (status, refused["correlationId"]) == (404, "abc-123")
    status, refused = ask(service, "PUT", "/upload/b.png", b"<html>", **{"Content-Type": "image/png"})
    assert (status, refused["error"]) == (400, "data is not image/png")
    assert ask(service, "GET", "/nowhere")[0] == 404


def test_deployment_files() -> None:
    """Commands in the deployment files are commands of the program, and paths are those of the service."""
    files = [(EXAMPLE / name).read_text() for name in ("compose.yaml", "kubernetes.yaml")]
    commands = [json.loads(found) for text in files for found in re.findall(r'command: (\["/app/.*\])', text)]
    assert len(commands) == 5
    for program, *arguments in commands:
        assert program == "/app/venv/bin/surf-data"
        context = surf_data_command.make_context("surf-data", [*arguments, "--help"], resilient_parsing=True)
        command: Any = surf_data_command
        for name in arguments:
            if name.startswith("-"):
                break
            command = command.get_command(context, name)
            assert command is not None, name
    service = (EXAMPLE / "service.py").read_text()
    for path in re.findall(r"path: (/\w+)", files[1]):
        assert f'"{path}"' in service


def test_the_dockerfile() -> None:
    """The Dockerfile installs extras that there are, copies files that there are, and does not run as root."""
    lines = [line for line in (EXAMPLE / "Dockerfile").read_text().splitlines() if line and not line.startswith("#")]
    [extras] = re.findall(r"surf-data\[(.*)\]", "\n".join(lines))
    pyproject = (ROOT / "pyproject.toml").read_text()
    assert all(re.search(rf"^{extra} = \[", pyproject, re.MULTILINE) for extra in extras.split(","))
    for line in lines:
        if line.startswith("COPY "):
            assert (EXAMPLE / shlex.split(line)[1]).is_file()
    assert any(line.startswith("USER ") and not line.endswith("root") for line in lines)
