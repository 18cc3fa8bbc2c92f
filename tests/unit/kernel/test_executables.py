"""Where other programs are found."""

from pathlib import Path

import pytest

from surf_data.kernel.executables import executables, find_executable


def install(folder: Path, name: str = "pg_dump") -> Path:
    """Put a program into a folder, and return its path."""
    folder.mkdir()
    program = folder / name
    program.write_text("#!/bin/sh\n", "utf-8")
    program.chmod(0o755)
    return program


def test_the_running_environment_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program is taken from the environment of the running Python, then from PATH, then from the folders."""
    own, path, folder = (install(tmp_path / name) for name in ("environment", "path", "folder"))
    monkeypatch.setattr("sys.executable", str(own.parent / "python"))
    monkeypatch.setenv("PATH", f"{path.parent}:{tmp_path / 'nowhere'}:{path.parent}")
    assert list(executables("pg_dump", [folder.parent])) == [own, path, folder]
    assert find_executable("pg_dump", [folder.parent]) == own


def test_what_cannot_be_run_is_no_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file without the right to be executed is passed over, and so is what is not installed."""
    install(tmp_path / "path").chmod(0o644)
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    assert find_executable("pg_dump") is None
