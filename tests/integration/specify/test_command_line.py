"""``surf-data specify``: statistics, lists, searches, imports, pruning."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import psycopg
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from surf_data.cli import specify_demo
from surf_data.cli.commands import surf_data_command
from surf_data.errors import SurfDataError
from surf_data.kernel import resources
from surf_data.migrate import seed
from surf_data.specify import Project, SpecifyDataLayer, User

Run = Callable[..., Any]


@pytest.fixture
def run(app_url: str) -> Run:
    """Return a function that runs ``surf-data specify`` and returns what it printed, or with --json what that is."""

    def invoke(*arguments: str, code: int = 0) -> Any:
        command = ["--database-url", app_url, "specify", *arguments]
        result: Result = CliRunner(env={"COLUMNS": "200"}).invoke(surf_data_command, command)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return json.loads(result.output) if "--json" in arguments else result.output

    return invoke


def test_nothing_yet(run: Run, tmp_path: Path) -> None:
    """An empty history has empty answers."""
    assert "0 commands" in run("stats", "--plot", f"{tmp_path / 'days.svg'}")
    assert run("stats", "--json")["total"] == 0
    assert run("commands", "--json") == []
    assert run("search", "surf", "--json") == {"commands": [], "projects": [], "specifications": [], "users": []}
    assert ET.parse(tmp_path / "days.svg").getroot().tag.endswith("svg")  # noqa: S314 - the library's own


def test_statistics_and_lists(data: SpecifyDataLayer, run: Run, user: User, project: Project, tmp_path: Path) -> None:
    """Tables for people, JSON for programs, a drawing of the days; filters narrow what is listed."""
    done = data.commands.start_command("specify init", "--here", user.id, project.id)
    data.commands.complete_command(done.id, 0)
    failed = data.commands.start_command("specify check", "api.ttl", user.id)
    data.commands.complete_command(failed.id, 2)
    data.specifications.create_specification(project.id, "api.ttl", "waves to surf")
    file = tmp_path / "days.svg"
    shown = run("stats", "--days", "2", "--time-zone", "Europe/Berlin", "--plot", f"{file}")
    assert "2 commands, 50.0% successful" in shown
    assert "day (Europe/Berlin)" in shown
    assert "1 failed" in file.read_text("utf-8")
    document = run("stats", "--json", "--user", f"{user.id}", "--project", f"{project.id}")
    assert (document["total"], document["by_status"]) == (1, {"success": 1})
    assert sum(day["total"] for day in document["by_day"]) == 2
    listed = run("commands", "--prefix", "specify", "--hours", "1", "--limit", "5")
    assert listed.index("specify check api.ttl") < listed.index("specify init --here")
    narrow = ("--name", "specify init", "--status", "success", "--contains", "here", "--project", f"{project.id}")
    assert [each["id"] for each in run("commands", "--json", *narrow, "--user", f"{user.id}")] == [done.id]
    found = run("search", "surf")
    assert "surf-api" in found
    assert "turtle" in found
    assert "commands: 0" in found
    hits = run("search", "alice", "--json")
    assert [each["username"] for each in hits["users"]] == ["alice"]
    assert "password_hash" not in hits["users"][0]
    assert "specify check" in run("search", "check")


def test_imports(data: SpecifyDataLayer, run: Run, tmp_path: Path, user: User) -> None:
    """Each file's format is found; a dry run stores nothing; what is refused is counted, and makes the exit code 1."""
    files = {
        "zsh": b": 1764400000:3;git push https://u:pw@example.com/x\n",
        "bash": b"#1764400000\nls\n",
        "fish": b"- cmd: ls\n  when: 1764400000\n",
        "otlp": b'{"resourceSpans": []}\nnot json\n',
    }
    paths = [tmp_path / name for name in files]
    for path in paths:
        path.write_bytes(files[path.name])
    names = [f"{path}" for path in paths]
    dry = run("import", *names, "--dry-run", "--json", code=1)
    assert dry["dry_run"]
    assert data.commands.queries.count() == 0
    shown = run("import", *names, "--host", "here", "--user", f"{user.id}", code=1)
    assert "document must be JSON" in shown
    assert data.commands.queries.count() == 3
    again = run("import", *names[:3], "--host", "here", "--json")
    assert {path: (each["format"], each["created"], each["known"]) for path, each in again["files"].items()} == {
        name: (path.name, 0, 1) for name, path in zip(names[:3], paths[:3], strict=True)
    }
    assert "example.com" in run("commands", "--name", "git")
    assert ":pw@" not in run("commands", "--name", "git")
    assert "would be stored" in run("import", names[1], "--format", "bash", "--dry-run")


def test_a_file_that_cannot_be_read(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named; nothing of the others is stored."""
    path = tmp_path / "history"
    path.write_bytes(b"ls\n")

    def refuse(*_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(SurfDataError, match="history: Permission denied"):
        run("import", f"{path}")


def test_pruning(data: SpecifyDataLayer, admin: psycopg.Connection[Any], run: Run, user: User) -> None:
    """A dry run says what would be done; then it is."""
    data.cache.set_cache("k", "v")
    data.tokens.create_session(user.id)
    data.commands.start_command("old")
    for change in ("cache_entries SET expires_at", "session_tokens SET expires_at", "commands SET started_at"):
        admin.execute(f"UPDATE specify.{change} = now() - interval '50 days'".encode())
    expected = {"orphans_ended": 1, "cache_entries": 1, "session_tokens": 1, "contents": 0, "commands": 1}
    arguments = ("prune", "--keep-commands", "30", "--json")
    assert run(*arguments, "--dry-run") == {**expected, "dry_run": True}
    assert run(*arguments) == {**expected, "dry_run": False}
    assert "Would be pruned" in run("prune", "--dry-run")
    assert data.commands.queries.count() == 0


def test_the_demo(data: SpecifyDataLayer, owner_url: str) -> None:
    """It shows commands, searches, imports, statistics and refusals; no secret is among them."""

    def connect() -> psycopg.Connection[Any]:
        return psycopg.connect(owner_url, autocommit=True)

    seed(connect, resources.directory("migrations") / "specify", "specify")
    console = Console(width=120, record=True, file=io.StringIO())
    specify_demo.story(data, console)
    shown = console.export_text()
    for expected in ("timeout", "surf-api", "history, again", "day (Europe/Berlin)", "rows[1].value must be finite"):
        assert expected in shown
    assert "hunter2" not in shown
