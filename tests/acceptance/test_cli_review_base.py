"""``surf-data review --base --out`` as those use it who review a pull request."""

import html.parser
import itertools
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]

HOSTILE = "</pre><script>alert(1)</script><img src=//evil.example/i.png onerror=alert(1)> \u202e`|@team"
FIRST = """\
-- migrate:up
CREATE ROLE reviewed_reader;
CREATE TABLE shop (id int8 PRIMARY KEY, name text NOT NULL);
CREATE TABLE board (id int8 PRIMARY KEY, shop_id int8 REFERENCES shop ON DELETE CASCADE, label text);
GRANT SELECT ON shop TO reviewed_reader;
"""
SECOND = """\
-- accept: LOCK no client writes at night
-- accept: SQUAWK no client writes at night
-- migrate:up
-- Boards are looked up by their label.
CREATE INDEX board_label ON board (label);
ALTER TABLE shop ALTER COLUMN name DROP NOT NULL;
"""
BEFORE = """\
-- name: board_find(label)
-- Boards with a label.
select b.id, b.label from board as b where b.label = :label;
-- name: feel(days)$
-- Refused before and after.
select make_interval(days => :days);
-- name: shop_find(id)^
-- One shop.
select id, name from shop where id = :id;
-- name: shop_list()
-- All shops.
select id from shop;
"""
NOW = f"""\
-- name: board_find(label)
-- Boards with a label.
SELECT
    b.id,
    b.label
FROM board AS b
WHERE b.label = :label;
-- name: feel(days)$
-- Refused before and after.
select make_interval(days => :days);
-- name: hostile()$
-- {HOSTILE}
SELECT '{HOSTILE}' -- {HOSTILE}
AS a;
-- name: shop_delete(id)!
-- Closes a shop.
-- accept: CASCADE its boards go with it
DELETE FROM shop WHERE id = :id;
-- name: shop_find(id)^
-- One shop.
-- accept: TYPE-CHANGE callers can do without a name
select id, name from shop where id = :id;
"""
SCALE = """\
[tables.shop]
rows = 200_000
[tables.board]
rows = 100_000_000
columns.label = { distinct = 50_000_000, nulls = 0, width = 20 }
"""


class Page(html.parser.HTMLParser):
    """What a browser finds in a document."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append(tag)
        self.text += " " if tag in {"th", "td"} else ""
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.text += data

    def values(self, name: str) -> list[str]:
        """Return the values of an attribute."""
        return [value for each, value in self.attributes if each == name]

    def section(self, heading: str) -> str:
        """Return the words of a query's section."""
        return " ".join(
            self.text.split("Query by query")[1].split(f"\n{heading}\n")[1].split("back to all queries")[1].split()
        )


def git(*arguments: str) -> None:
    """Run git in the current folder, without settings of the user's own."""
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", *identity, *arguments], check=True, capture_output=True, env=environment)  # noqa: S607


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder: a repository with a commit, and a working tree that differs from it."""
    monkeypatch.chdir(tmp_path)
    for name in ("sql", "schema"):
        (tmp_path / name).mkdir()
    (tmp_path / "sql" / "shop.sql").write_text(BEFORE, "utf-8")
    (tmp_path / "schema" / "0001_shop.sql").write_text(FIRST, "utf-8")
    git("init", "-q", "-b", "main")
    git("add", ".")
    git("commit", "-q", "-m", "first")
    (tmp_path / "sql" / "shop.sql").write_text(NOW, "utf-8")
    (tmp_path / "schema" / "0002_label.sql").write_text(SECOND, "utf-8")
    return tmp_path


@pytest.fixture
def review(cli: Cli, folder: Path, database_url: str) -> Cli:
    """Return a function that reviews the folder on a server that is there."""
    # On a server that is not disposable nothing drops the role between the two databases.
    for file in (folder / "schema").iterdir():
        file.write_text(re.sub(".*reviewed_reader.*\n", "", file.read_text("utf-8")), "utf-8")
    git("commit", "-q", "--amend", "-m", "first", "schema/0001_shop.sql")
    return lambda *options: cli("review", "sql", "--migrations", "schema", "--scratch", database_url, *options)


def test_document(cli: Cli, folder: Path) -> None:
    """The document tells what changed and why, for a DBA: on a server of its own, with plans at the declared sizes."""
    (folder / "schema" / "scale.toml").write_text(SCALE, "utf-8")
    (folder / "app.py").write_text(
        "def close(queries, c, id):\n    queries.shop_delete(c, id=id), queries.hostile(c)\n", "utf-8"
    )
    done = cli("review", "sql", "--migrations", "schema", "--code", "app.py", "--base", "main", "--out", "new/out")
    # What was wrong before, or cannot be analysed in both revisions, is no news. Code that is new calls nothing.
    assert done.code == 0, done
    assert "surf-data:" not in done.err
    assert re.search(r"^board_find +layout only, plan changed +[0-9,]+ +[0-9.]+$", done.out, re.MULTILINE)
    page = Page((folder / "new" / "out" / "report.html").read_text("utf-8"))
    front = " ".join(page.text.split("Skip to the queries")[1].split("Query by query")[0].split())
    assert "No new findings" in front
    assert re.search(r"board_find layout only plan changed SELECT many [0-9,]+ → [0-9.]+ ", front), front
    assert "shop_list removed" in front
    find = page.section("shop_find")
    assert "column name may be null now: shop.name may be null" in find
    assert ":id bigint int never null: no row meets the condition when it is null" in find
    assert "name text str | None may be null: shop.name may be null shop.name" in find
    assert "shop SELECT ACCESS SHARE id, name" in find
    found = page.section("board_find")
    assert "+ Index Scan using board_label on public.board b" in found
    assert "+ Index Cond: (b.label = :label)" in found
    assert "fixed SEQ-SCAN reads all of 100,000,000 rows of board" in found
    delete = page.section("shop_delete")
    assert "accepted CASCADE deletes rows of board by board_shop_id_fkey" in delete
    assert "Accepted: its boards go with it" in delete
    assert "Called from app.py:2 in close" in delete
    assert "Called from No Python code names it." in find
    assert "known FK-INDEX" in page.text.split("\nIndexes and keys\n")[1]
    assert "refused" in page.values("class")
    assert "CREATE INDEX board_label ON board (label);" in page.text.split("\n0002_label.sql\n")[1]


def test_document_is_safe_and_stands_alone(review: Cli, folder: Path) -> None:
    """Whatever SQL and comments hold, nothing of it becomes markup; and nothing is fetched from anywhere."""
    assert review("--base", "main", "--out", "out").code == 0
    text = (folder / "out" / "report.html").read_text("utf-8")
    page = Page(text)
    assert not {"script", "img", "link", "iframe"} & set(page.tags)
    assert {name for name, _ in page.attributes} <= {
        *("aria-label", "aria-labelledby", "charset", "class", "content", "data-label", "href", "http-equiv", "id"),
        *("lang", "name", "role", "scope", "title"),
    }
    assert all(value.startswith("#") for value in page.values("href"))
    assert page.text.count("<script>alert(1)</script>") == 3
    assert "\\u202e" in page.text
    assert "\u202e" not in text
    # As a person without a mouse, or without eyes, needs it.
    assert page.tags[:2] == ["html", "head"]
    headings = [int(tag[1]) for tag in page.tags if re.fullmatch("h[1-6]", tag)]
    assert headings[0] == 1
    assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(headings))
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    assert {value[1:] for value in page.values("href")} <= set(ids)
    comment = (folder / "out" / "comment.md").read_text("utf-8")
    assert comment.startswith("## SQL review of `sql` against `main`\n\n**No new findings.** 5 queries, 2 new,")


def test_terminal_and_program(review: Cli) -> None:
    """A terminal shows what became of each query, and a program gets it, too."""
    done = review("--base", "main", "--query", "shop_find", "--query", "board_find", "--json")
    board, shop = (each["change"] for each in json.loads(done.out)["queries"])
    assert board == {"kinds": ["layout only"], "differences": []}
    assert shop == {"kinds": ["types", "header"], "differences": ["column name may be null now: shop.name may be null"]}
    shown = review("--base", "main").out.split("\n\n")
    lines = [" ".join(line.split()) for line in shown[0].splitlines()]
    assert lines[2:] == [
        "shop_list removed",
        "shop_find types changed, header changed",
        "hostile new",
        "shop_delete new",
        "board_find layout only",
    ]
    assert [each.strip() for each in shown[1:]] == ["1 query unchanged.", "5 findings are accepted."]
    git("add", ".")
    git("commit", "-q", "-m", "second")
    done = review("--base", "HEAD")
    assert done.code == 0
    assert done.out.splitlines()[0].strip() == "5 queries unchanged."


def test_only_what_is_new_fails(review: Cli, folder: Path) -> None:
    """What is wrong now and was not before fails; a review of the present alone has no such excuse."""
    with (folder / "sql" / "shop.sql").open("a", encoding="utf-8") as file:
        file.write("-- name: lost()\nselect nope;\n")
    lost = 'sql/shop.sql:24: lost: column "nope" does not exist'
    assert review("--base", "main", "--out", "out").error() == lost
    assert "**1 new problem.**" in (folder / "out" / "comment.md").read_text("utf-8")
    alone = review("--out", "out")
    assert alone.code == 1
    assert [line.split(": ")[2] for line in alone.err.splitlines()] == ["feel", "lost"]
    text = (folder / "out" / "comment.md").read_text("utf-8")
    assert text.startswith("## SQL review of `sql`\n\n**2 problems and 1 finding.** 6 queries.\n")


def test_earlier_revisions_that_cannot_be_looked_at(review: Cli, folder: Path) -> None:
    """What cannot be made of the earlier revision is said, and the present is reviewed all the same."""
    git("checkout", "-q", "-b", "work")
    git("add", ".")
    git("commit", "-q", "-m", "second")
    (folder / "schema" / "0003_no.sql").write_text("-- migrate:up\nSELECT nope;\n", "utf-8")
    git("add", ".")
    git("commit", "-q", "-m", "broken schema")
    git("rm", "-q", "schema/0003_no.sql")
    schema = review("--base", "work")
    # Of what was wrong before nothing is known.
    assert schema.code == 1
    said = " ".join(schema.err.split())
    assert "work cannot be analysed: work:schema/0003_no.sql:2: UndefinedColumn" in said
    (folder / "sql" / "shop.sql").write_text(f"{NOW}{NOW}", "utf-8")
    git("commit", "-q", "-a", "-m", "broken queries")
    (folder / "sql" / "shop.sql").write_text(BEFORE.partition("-- name: feel")[0], "utf-8")
    queries = review("--base", "work")
    # All that is found is new then.
    assert queries.code == 1
    assert "nothing can be compared, because work:sql/shop.sql:23: the name board_find is taken" in " ".join(
        queries.err.split()
    )


def test_new_folder(cli: Cli, folder: Path, database_url: str) -> None:
    """Where the earlier revision has no such folder, every query is new."""
    (folder / "more").mkdir()
    (folder / "more" / "a.sql").write_text("-- name: one()$\nSELECT 1;\n", "utf-8")
    (folder / "more" / "schema.sql").write_text("CREATE TABLE t ();", "utf-8")
    options = ["--migrations", "more/schema.sql", "--scratch", database_url, "--base", "main", "--out", "out"]
    done = cli("review", "more/a.sql", *options)
    assert "more/a.sql is not in main, so every query is new" in done.err
    assert "one new 0 queries unchanged." in " ".join(done.out.split())
    assert "schema.sql" in Page((folder / "out" / "report.html").read_text("utf-8")).text.split("Migrations")[1]


def test_mistakes(cli: Cli, review: Cli, folder: Path) -> None:
    """A revision that is not there, a folder that cannot be written, a missing package: each is one line."""
    assert review("--base", "nope").error(2).startswith("git knows no revision nope here; a shallow clone")
    (folder / "file").write_text("", "utf-8")
    assert "file/out" in review("--base", "main", "--out", "file/out").err
    without = (sys.executable, "-c", "import sys; sys.modules['jinja2'] = None; from surf_data.cli import main; main()")
    done = cli("review", "sql", "--out", "out", command=without)
    assert 'pip install "surf-data[review]"' in done.err


def test_progress(terminal: Callable[..., str], folder: Path, database_url: str) -> None:
    """On a terminal one sees how many queries are done."""
    (folder / "sql" / "shop.sql").write_text("-- name: one()$\nSELECT 1 AS a;\n", "utf-8")
    assert "analysing the queries" in terminal("review", "sql", "--scratch", database_url)
