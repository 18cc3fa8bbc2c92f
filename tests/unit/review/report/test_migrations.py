"""The files of a schema that a revision changes, and what they replace."""

from collections.abc import Callable
from pathlib import Path

import pytest

from surf_data.migrate.statements import split
from surf_data.review.report.comment import comment
from surf_data.review.report.contents import Report
from surf_data.review.report.migrations import definition, migration_files
from surf_data.review.report.revision import Revision


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN 1", "FUNCTION f()"),
        (
            "create or replace function shop.F(a int, b text[] = '{}') returns int",
            "FUNCTION shop.f(a int, b text[] = '{}')",
        ),
        ('CREATE OR REPLACE FUNCTION "Shop"."F"(numeric(5, 2)) RETURNS int', 'FUNCTION "Shop"."F"(numeric(5, 2))'),
        ("CREATE PROCEDURE p(INOUT a int) LANGUAGE sql AS ''", "PROCEDURE p(inout a int)"),
        ("CREATE OR REPLACE VIEW shop.v (a) AS SELECT 1", "VIEW shop.v"),
        ("CREATE VIEW v AS SELECT 1", "VIEW v"),
        (
            "CREATE TRIGGER t BEFORE INSERT ON shop.board FOR EACH ROW EXECUTE FUNCTION f()",
            "TRIGGER t before insert on shop.board",
        ),
        ("CREATE OR REPLACE TRIGGER t AFTER DELETE ON board EXECUTE FUNCTION f()", "TRIGGER t after delete on board"),
        ("CREATE RULE r AS ON INSERT TO board DO NOTHING", "RULE r as on insert to board"),
        ("CREATE TRIGGER t", "TRIGGER t"),
        ("CREATE FUNCTION f", "FUNCTION f"),
        ("CREATE TABLE t (a int)", None),
        ("CREATE", None),
        ("ALTER FUNCTION f() STRICT", None),
    ],
)
def test_definitions(sql: str, name: str | None) -> None:
    """What a statement defines is known by its kind and its name, of a function with its arguments."""
    [statement] = split(sql)
    assert definition(statement) == name


TOTAL = "CREATE {}FUNCTION total(a int) RETURNS int LANGUAGE sql AS $$\n    SELECT a\n    + {}\n$$;\n"


@pytest.fixture
def revision(tmp_path: Path) -> Callable[[dict[str, str], dict[str, str]], tuple[Path, Revision]]:
    """Return a function that writes the files of two revisions."""

    def write(before: dict[str, str], now: dict[str, str]) -> tuple[Path, Revision]:
        for folder, texts in (("before", before), ("now", now)):
            (tmp_path / folder / "m").mkdir(parents=True)
            for name, text in texts.items():
                (tmp_path / folder / "m" / name).write_text(f"-- migrate:up\n{text}", "utf-8")
        at = Revision(name="main", commit="0" * 40, top=tmp_path / "now", folder=tmp_path / "before")
        return tmp_path / "now" / "m", at

    return write


def test_what_a_new_migration_replaces(
    revision: Callable[[dict[str, str], dict[str, str]], tuple[Path, Revision]],
) -> None:
    """Every new migration is listed, and a function that it replaces is shown as a difference to the one before."""
    first = {
        "0001_a.sql": TOTAL.format("", 1) + "CREATE VIEW v AS SELECT 1 AS a;\n",
        "0002_b.sql": TOTAL.format("OR REPLACE ", 2),
    }
    new = {
        "0003_c.sql": TOTAL.format("OR REPLACE ", "3 -- ```"),
        "0004_d.sql": "CREATE TABLE t (a int);",
        "0005_e.sql": "CREATE OR REPLACE VIEW v AS SELECT 1 AS a;\n" + TOTAL.format("OR REPLACE ", "3 -- ```"),
    }
    source, at = revision(first | {"0000_old.sql": "SELECT 1;"}, first | new)
    found = list(migration_files([source], at))
    assert [(file.name, [each.name for each in file.replaced]) for file in found] == [
        ("0000_old.sql", []),
        ("0003_c.sql", ["FUNCTION total(a int)"]),
        ("0004_d.sql", []),
        ("0005_e.sql", ["VIEW v"]),
    ]
    said = comment(Report(folder="sql", base=at, migrations=found)).partition("### Migrations\n\n")[2]
    assert said.splitlines()[:13] == [
        "- removed: `0000_old.sql`",
        "- new: `0003_c.sql`",
        "  replaces `FUNCTION total(a int)`:",
        "",
        "  ````diff",
        "  @@ -1,4 +1,4 @@",
        "   CREATE OR REPLACE FUNCTION total(a int) RETURNS int LANGUAGE sql AS $$",
        "       SELECT a",
        "  -    + 2",
        "  +    + 3 -- ```",
        "   $$",
        "  ````",
        "",
    ]
    assert "- new: `0004_d.sql`" in said


def test_changed_files_and_dumps(
    revision: Callable[[dict[str, str], dict[str, str]], tuple[Path, Revision]],
) -> None:
    """A file that is changed is listed as such, and one that is a schema by itself as well."""
    source, at = revision({"schema.sql": TOTAL.format("", 1)}, {"schema.sql": TOTAL.format("", 2)})
    [file] = migration_files([source / "schema.sql"], at)
    assert (file.name, file.replaced) == ("schema.sql", [])
    assert "- changed: `schema.sql`" in comment(Report(folder="sql", base=at, migrations=[file]))
