"""``surf-data review`` as a developer, a DBA and CI use it."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from rig.drawing import REVIEW, ROOT, WIDTH
from surf_data.cli.review import review as review_command

Cli = Callable[..., Any]

SCHEMA = """\
CREATE TABLE shop (id int4 PRIMARY KEY, name text NOT NULL);
CREATE TABLE board (id int4 PRIMARY KEY, shop int4 REFERENCES shop ON DELETE CASCADE, label text);
CREATE VIEW labels AS SELECT b.label FROM board AS b;
CREATE SEQUENCE tickets;
"""
QUERIES = """\
-- name: board-labels
-- The labels.
select label from labels;
-- name: shop_delete(id)!
-- Deletes a shop.
delete from shop where id = :id;
-- name: shop_find(id)^
-- One shop.
select id, name, (select max(b.label) from board as b) as label from shop where id = :id
-- name: ticket()$
select nextval('tickets')
-- name: tidy#
vacuum board
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, with a schema and with queries as other programs have them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "schema.sql").write_text(SCHEMA, "utf-8")
    (tmp_path / "queries").mkdir()
    (tmp_path / "queries" / "shop.sql").write_text(QUERIES, "utf-8")
    return tmp_path


@pytest.fixture
def review(cli: Cli, folder: Path, database_url: str) -> Cli:
    """Return a function that reviews the folder."""
    return lambda *options: cli("review", "queries", "--migrations", "schema.sql", "--scratch", database_url, *options)


def test_picture(terminal: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    """README shows what a review says of a query today."""
    monkeypatch.chdir(ROOT)
    assert REVIEW.is_current(terminal(*REVIEW.arguments, COLUMNS=str(WIDTH)))


def test_front(review: Cli) -> None:
    """Every query is there, with what it does, how many rows it has, its tables, and what follows from it."""
    done = review()
    assert done.err == ""
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    assert "board_labels SELECT many labels, board" in lines
    assert "shop_find SELECT at most one shop, board" in lines
    assert any(line.startswith("shop_delete DELETE at most one shop deletes rows") for line in lines)
    assert any(line.startswith("ticket SELECT exactly one nextval() writes") for line in lines)
    assert any(line.startswith("tidy not analysed PostgreSQL does not") for line in lines)


def test_page(review: Cli) -> None:
    """Of a query all is shown that is known of it, with reasons."""
    done = review("--query", "shop_find", "--query", "shop_delete", "--query", "board_labels", "--query", "ticket")
    shown = [" ".join(line.split()) for line in done.out.splitlines()]
    for line in (
        "shop_find queries/shop.sql:7",
        "One shop.",
        "SELECT, rows: at most one (the whole key shop_pkey is given)",
        "id integer never: no row meets the condition when it is null",
        "name text never: shop.name is NOT NULL shop.name",
        "label text may be: max() of no rows is null",
        "shop SELECT ACCESS SHARE id, name",
        "read-only",
        "board (through labels) SELECT ACCESS SHARE label",
        "not read-only: DELETE shop",
        "deletes rows of board by board_shop_fkey",
        "shop SELECT, DELETE ROW EXCLUSIVE, FOR UPDATE id",
        "calls nextval(), volatile",
    ):
        assert line in shown


def test_page_of_a_script(review: Cli) -> None:
    """Of a script only the reason is shown why there is nothing to be known."""
    done = review("--query", "tidy")
    assert done.out.splitlines()[-1] == "PostgreSQL does not analyse VACUUM before it runs"
    assert done.code == 0


def test_json(review: Cli) -> None:
    """A program gets the same."""
    labels, delete, find, _, tidy = json.loads(review("--json").out)["queries"]
    assert labels["query"] == {"name": "board_labels", "operator": "", "file": "queries/shop.sql", "line": 1}
    assert delete["facts"]["writes"] == ["DELETE shop"]
    assert [column["name"] for column in find["facts"]["columns"]] == ["id", "name", "label"]
    assert find["facts"]["rows"] == {"count": "at most one", "reason": "the whole key shop_pkey is given"}
    assert tidy["refused"]["reason"] == "PostgreSQL does not analyse VACUUM before it runs"


def test_problems(review: Cli, folder: Path) -> None:
    """A query that cannot be analysed is reported with file and line, and the others are shown all the same."""
    with (folder / "queries" / "shop.sql").open("a", encoding="utf-8") as file:
        file.write("-- name: lost\n-- Of nowhere.\nselect id\nfrom nowhere\n")
        file.write("-- name: feel(days)$\nselect make_interval(days => :days)\n")
    done = review()
    assert "shop_find" in done.out
    assert done.code == 1
    assert done.err.splitlines() == [
        'surf-data: queries/shop.sql:17: lost: relation "nowhere" does not exist',
        (
            "surf-data: queries/shop.sql:18: feel: function make_interval(days => bigint) does not exist: "
            ":days comes as bigint, write :days::integer"
        ),
    ]


ACCEPTED = """
[tables]
[[accept]]
code = "FK-INDEX"
subject = "board_shop_fkey"
reason = "shops stay"
"""


def test_findings(review: Cli, folder: Path) -> None:
    """What is not accepted is listed, with its place and what to do, and the command fails."""
    done = review()
    assert done.code == 1
    shown = [" ".join(block.split()) for block in done.out.split("\n\n")[1:]]
    assert shown[0].startswith(
        "CASCADE queries/shop.sql:4: shop_delete deletes rows of board by board_shop_fkey, as many"
    )
    assert shown[1].startswith("FK-INDEX board_shop_fkey a row of shop that goes")
    assert [shown[1][-40:], *shown[2:]] == ["CREATE INDEX CONCURRENTLY ON board (shop)"[-40:]]


def test_accepted_findings(review: Cli, folder: Path) -> None:
    """What is accepted, in the header of a query or in the scale, is counted, and shown with its query."""
    file = folder / "queries" / "shop.sql"
    text = QUERIES.replace("-- Deletes a shop.", "-- Deletes a shop.\n-- accept: CASCADE it has boards")
    file.write_text(text, "utf-8")
    (folder / "schema").mkdir()
    (folder / "schema" / "scale.toml").write_text(ACCEPTED, "utf-8")
    (folder / "schema" / "0001_none.sql").write_text("-- migrate:up\nSELECT 1;\n", "utf-8")
    done = review("--migrations", "schema")
    assert (done.code, done.out.splitlines()[-1]) == (0, "2 findings are accepted.")
    assert "The sizes in schema/scale.toml are left aside" in done.err
    page = review("--query", "shop_delete")
    assert (page.code, page.out.splitlines()[-1]) == (0, "    accepted: it has boards")
    file.write_text(text.replace("-- The labels.", "-- The labels.\n-- accept: UNTYPED it is not"), "utf-8")
    cascade, key, stale = json.loads(review("--json").out)["findings"]
    assert (cascade["code"], cascade["accepted"], cascade["line"]) == ("CASCADE", "it has boards", 5)
    assert (key["code"], key["accepted"], key["file"]) == ("FK-INDEX", None, None)
    assert (stale["code"], stale["subject"], stale["line"]) == ("STALE-ACCEPT", "board_labels", 3)


def test_callers(review: Cli, folder: Path) -> None:
    """Where the code is named, queries without a caller are found."""
    (folder / "app.py").write_text("queries.board_labels(c), queries.shop_find(c), queries.ticket(c)\n", "utf-8")
    found = json.loads(review("--code", "app.py", "--json").out)["findings"]
    assert [each["subject"] for each in found if each["code"] == "UNCALLED"] == ["shop_delete", "tidy"]


MIGRATIONS = {
    "0001_shop.sql": """\
-- migrate:up
CREATE TABLE shop (id bigint PRIMARY KEY, name text);
-- migrate:down
DROP TABLE shop;
""",
    "0002_name.sql": """\
-- Locks: see below.
-- migrate:up
ALTER TABLE shop
    ALTER COLUMN name TYPE char(9);
UPDATE shop SET name = '';
""",
    "0003_index.sql": """\
-- accept: SQUAWK it is left aside in this file
-- migrate:up
CREATE INDEX ON shop (name);
""",
}


def test_migrations(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What migrations do to tables of the declared size is found, and what squawk says of them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "schema").mkdir()
    for name, text in {**MIGRATIONS, "scale.toml": "[tables.shop]\nrows = 1_000_000_000"}.items():
        (tmp_path / "schema" / name).write_text(text, "utf-8")
    (tmp_path / "shop.sql").write_text("-- name: shop_find(id)^\nselect name from shop where id = :id", "utf-8")
    done = cli("review", "shop.sql", "--migrations", "schema")
    assert done.code == 1
    shown = [" ".join(block.split()) for block in done.out.split("\n\n")[1:]]
    assert shown[0].startswith("UNUSED-INDEX shop_name_idx no query's plan reads it")
    assert shown[1].startswith(
        "REWRITE schema/0002_name.sql:3 ACCESS EXCLUSIVE, rewrites 1,000,000,000 rows of shop: reads and writes wait"
    )
    assert shown[2].startswith("LOCK schema/0002_name.sql:5 ACCESS EXCLUSIVE, held since an earlier statement, reads")
    assert shown[3].startswith(
        "LOCK schema/0003_index.sql:3 SHARE, builds public.shop_name_idx over 1,000,000,000 rows"
    )
    assert shown[4].startswith("SQUAWK schema/0002_name.sql:4 changing-column-type: ")
    assert not any("0001_shop" in each for each in shown)
    assert all("timeout" not in each for each in shown)
    assert shown[-1].endswith("accepted.")


def test_without_squawk(folder: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where squawk is not installed, this is said, and the rest goes on."""
    monkeypatch.setattr("surf_data.review.findings.migration_trials.find_executable", lambda _name: None)
    (folder / "schema").mkdir()
    (folder / "schema" / "0001_shop.sql").write_text(SCHEMA, "utf-8")
    done = CliRunner().invoke(review_command, ["queries", "--migrations", "schema", "--scratch", database_url])
    assert "squawk is not installed" in done.stderr
    assert "FK-INDEX" in done.stdout
    assert "SQUAWK" not in done.stdout


def test_no_queries(cli: Cli, folder: Path, database_url: str) -> None:
    """That there are no queries is a failure, and the schema is looked at all the same."""
    (folder / "nothing").mkdir()
    done = cli("review", "nothing", "--migrations", "schema.sql", "--scratch", database_url)
    assert (done.code, done.err) == (1, "surf-data: nothing was reviewed: there are no queries below nothing\n")
    assert "FK-INDEX" in done.out
    (folder / "nothing" / "a.sql").write_text("--- :name find :one\nselect 1 where :x\n", "utf-8")
    for path in ("nothing", "nothing/a.sql"):
        done = cli("review", path, "--scratch", database_url)
        assert (done.code, "each begins with '-- name: noun_verb(parameters)'" in done.err) == (1, True)


def test_no_schema(cli: Cli, folder: Path, database_url: str) -> None:
    """Without a schema no query can be analysed, which fails and says what to name."""
    done = cli("review", "queries", "--scratch", database_url)
    assert done.code == 1
    assert "--migrations takes a folder of migrations" in done.err
    assert "nothing was reviewed: none of" in done.err


def test_no_server(cli: Cli, folder: Path) -> None:
    """Where the server that was named does not answer, this is said in one line."""
    done = cli("review", "queries", "--scratch", "postgresql://127.0.0.1:1/nowhere")
    assert done.error(1) == "connecting to the scratch server failed: connection refused"


def test_unknown_query(review: Cli) -> None:
    """A name that no query has is a usage error."""
    done = review("--query", "shop_fnid")
    assert done.code == 2
    assert "there is no query shop_fnid below queries" in done.err


SCALE = """\
[tables.shop]
rows = 200_000
columns.name = { distinct = 150_000, width = 20 }
[tables.board]
rows = 1_000_000_000
"""
PLANNED = """\
-- name: board_count(label)$
-- How many boards have a label.
-- example: label='Gun'
-- example: label=now()
select count(*) from board where label = :label;
-- name: board_copy()#
copy board to stdout;
-- name: shop_find(id)^
-- One shop.
select id, name from shop where id = :id;
-- name: shop_some(id)
-- One shop, or all.
-- plan: custom
-- example: id=7
select name from shop where :id::int4 is null or id = :id;
"""


@pytest.fixture
def planned(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Return a function that reviews a folder whose migrations have a scale."""
    monkeypatch.chdir(tmp_path)
    for folder in ("queries", "schema"):
        (tmp_path / folder).mkdir()
    (tmp_path / "schema" / "0001_shop.sql").write_text(SCHEMA, "utf-8")
    (tmp_path / "schema" / "scale.toml").write_text(SCALE, "utf-8")
    (tmp_path / "queries" / "shop.sql").write_text(PLANNED, "utf-8")
    return lambda *options: cli("review", "queries", "--migrations", "schema", *options)


GUESSED = "Not declared in {}, and so guessed: board.shop (nulls), board.label (distinct, nulls, width)."
WRONG = "surf-data: queries/shop.sql:1: board_count: write the example as name='value', name=1: label=now()"


def test_costs(planned: Cli) -> None:
    """With a scale in the folder of migrations every query has its cost, the dearest example's in brackets."""
    done = planned()
    costs = {line.split()[0]: " ".join(line.split()[-2:]) for line in done.out.split("\n\n")[0].splitlines()[2:]}
    generic, example = costs["board_count"].removesuffix(")").replace(",", "").split(" (")
    assert float(generic) > 1_000_000 < float(example)
    assert float(costs["shop_find"].split()[-1]) < 100
    # Its values are always known, so there is but one cost.
    assert float(costs["shop_some"].split()[-1]) < 100
    # It is no query to the planner.
    assert costs["board_copy"].split()[-1] == "board"
    assert " ".join(done.err.split()) == f"{GUESSED.format('schema/scale.toml')} {WRONG}"
    assert done.code == 1


def test_plans(planned: Cli, tmp_path: Path) -> None:
    """The page of a query has its plans as trees; which file is the scale can be said."""
    (tmp_path / "schema" / "scale.toml").rename(tmp_path / "large.toml")
    done = planned("--query", "board_count", "--scale", "large.toml")
    lines = [line.strip() for line in done.out.splitlines()]
    assert any(line.startswith("plan for any values: cost ") for line in lines)
    assert any(line.startswith("plan for label='Gun': cost ") for line in lines)
    assert any("Parallel Seq Scan on public.board" in line for line in lines)
    assert "no plan for any values: write the example as name='value', name=1: label=now()" in lines
    assert max(map(len, done.out.splitlines())) <= 100
    assert GUESSED.format("large.toml") in " ".join(done.err.split())


def test_plans_as_json(planned: Cli) -> None:
    """A program gets every step of every plan."""
    count, copy, find, some = json.loads(planned("--json").out)["queries"]
    assert [plan["example"] for plan in count["plans"]] == [{}, {"label": "'Gun'"}, {}]
    [plan] = find["plans"]
    assert plan["root"]["index"] == "shop_pkey"
    assert plan["root"]["total_cost"] == plan["cost"]
    assert [plan["example"] for plan in some["plans"]] == [{"id": "7"}]
    assert copy["plans"] == [{"example": {}, "reason": "PostgreSQL does not plan COPY"}]


def test_scales_that_cannot_be_used(planned: Cli, tmp_path: Path, database_url: str) -> None:
    """On a server that is not disposable there are no plans; two scales at once are an error, and so is a wrong one."""
    left = planned("--scratch", database_url)
    assert "cost" not in left.out
    assert " ".join(left.err.split()) == (
        "The sizes in schema/scale.toml are left aside: plans at a scale are made on a server that is thrown away, and "
        "so not with --scratch."
    )
    named = planned("--scratch", database_url, "--scale", "schema/scale.toml")
    assert "and so not with --scratch" in " ".join(named.err.split())
    assert named.code == 2
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "scale.toml").write_text(SCALE, "utf-8")
    several = planned("--migrations", "more")
    assert "there are several scales" in several.err
    assert several.code == 2
    (tmp_path / "schema" / "scale.toml").write_text("rows = 1", "utf-8")
    assert planned().error(2) == "schema/scale.toml: rows: is unknown; there are accept, settings, tables"


def test_scale_export(cli: Cli, migrated_url: str) -> None:
    """A scale is written from a database, named as an argument or as everywhere else."""
    named = cli("scale", "export", migrated_url)
    assert (named.code, named.err) == (0, "")
    assert "[tables.lamp_registry]" in named.out or "# lamp_registry was never analysed." in named.out
    assert cli("scale", "export", database=migrated_url).out == named.out
    assert tomllib.loads(named.out).keys() <= {"settings", "tables"}


def test_other_queries_than_a_domain_s(cli: Cli, folder: Path) -> None:
    """Queries of others, reviewed with a domain's schema, say nothing of the domain's indexes and acceptances."""
    (folder / "queries" / "shop.sql").write_text(
        "-- name: lamp_email(lamp_id)$\n-- One.\nSELECT email FROM lamp_registry WHERE lamp_id = :lamp_id::uuid;\n"
    )
    done = cli("review", "queries", "--domain", "lamps")
    assert "STALE-ACCEPT" not in done.out + done.err
    assert "UNUSED-INDEX" not in done.out + done.err
    assert "lamp_email" in done.out
