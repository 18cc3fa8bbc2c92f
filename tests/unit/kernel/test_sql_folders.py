"""What of a folder is meant as SQL."""

from pathlib import Path

import pytest

from surf_data.kernel import sql_folders


def test_files_below_a_folder(tmp_path: Path) -> None:
    """Files are found in folders below, sorted and in any case; not what is hidden, nor behind a link to a folder."""
    for name in ("b.SQL", "a/c.sql", "a/notes.txt", ".git/d.sql", "a/.#c.sql"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("SELECT 1;", "utf-8")
    (tmp_path / "z").symlink_to(tmp_path)
    assert sql_folders.files(tmp_path) == [tmp_path / "a" / "c.sql", tmp_path / "b.SQL"]
    assert sql_folders.entries(tmp_path) == [tmp_path / "a", tmp_path / "b.SQL", tmp_path / "z"]


@pytest.mark.parametrize("name", ["a.sql", "A.SQL", "a.b.sql", "a.pgsql", "a.PSQL", "a.sql.txt", "a.sql ", "a.SQL.TXT"])
def test_what_looks_meant(name: str) -> None:
    """A file that looks as if it were meant is read, or named by what cannot read it."""
    assert sql_folders.is_sql(Path(name))


@pytest.mark.parametrize(
    "name", ["a", "a.sql~", "a.sql.bak", "a.sql.orig", "a.sql.swp", "a.sqlite", "a.txt", "sql", "a.mysql"]
)
def test_what_is_left_over(name: str) -> None:
    """What editors leave beside a file, and other files, are passed over."""
    assert not sql_folders.is_sql(Path(name))
