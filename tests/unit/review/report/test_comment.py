"""The comment for a pull request, as a renderer of Markdown reads it."""

from pathlib import Path

import attrs
import pytest
from markdown_it import MarkdownIt

from surf_data.kernel.postgres.query_source import parse
from surf_data.review.analysis.facts import Refusal
from surf_data.review.findings.finding import Comparison, Finding
from surf_data.review.report.changes import Change
from surf_data.review.report.comment import LIMIT, code, comment, plain
from surf_data.review.report.contents import Problem, Report
from surf_data.review.report.revision import Revision

HOSTILE = (
    "`tick` ``two`` *bold* _soft_ [link](https://evil.example) ![i](http://x.example/i.png) <img src=x onerror=a> "
    "<!-- c --> | pipe | @team #12 GH-7 https://www.evil.example www.evil.example ~~gone~~ &lt; \\* $x$ \u202e\x1b[31m"
)
[QUERY] = parse("\n\n-- name: shop_find()^\nSELECT 1", Path("sql/shop.sql"))
BASE = Revision(name="main", commit="0" * 40, top=Path("/top"), folder=Path("/folder"))


def change(name: str, *kinds: str) -> Change:
    """Return what became of a query that PostgreSQL refuses."""
    query = attrs.evolve(QUERY, name=name)
    refused = Refusal(query=query, reason="no", line=4)
    return Change(name=name, before=None, now=refused, kinds=kinds, differences=())


def finding(message: str, subject: str = "shop_find") -> Finding:
    """Return a finding."""
    return Finding(code="SEQ-SCAN", subject=subject, message=message, file=Path("sql/shop.sql"), line=3)


def kinds(markdown: str) -> set[str]:
    """Return what a renderer finds in a text."""
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(markdown)
    return {child.type for token in tokens for child in [token, *(token.children or ())]}


@pytest.mark.parametrize("text", [HOSTILE, "`", "``x`", " x ", "a|b", "\n# heading\n", "@a", "~~~", "\ud800"])
def test_nothing_is_markdown(text: str) -> None:
    """Whatever a text holds, it is shown verbatim: as prose, and as code."""
    assert kinds(f"x {plain(text)}") == {"paragraph_open", "inline", "text", "text_special", "paragraph_close"} & kinds(
        f"x {plain(text)}"
    )
    assert kinds(f"x {code(text)} y") == {"paragraph_open", "inline", "text", "code_inline", "paragraph_close"}


def test_nobody_is_called() -> None:
    """No team is mentioned, no issue is linked, and no address becomes a link."""
    said = MarkdownIt().render(plain(HOSTILE))
    for lure in ("@team", "#12", "GH-7", "<img", "\u202e", "\x1b"):
        assert lure not in said
    # What GitHub makes links of without any sign, it looks for before signs are taken off.
    assert "://" not in plain(HOSTILE)
    assert "www." not in plain(HOSTILE)


def test_comment() -> None:
    """It begins with the verdict, then says what is to be looked at, and then what changed."""
    report = Report(
        folder="sql",
        base=BASE,
        changes=[change("a", "new"), change("b", "SQL", "types"), change("c")],
        problems=[Problem(query=QUERY, line=4, text="no such column")],
        findings=Comparison(new=(finding("reads | all"),), old=(finding("x"),), fixed=(finding("y"),)),
        notes=["guessed <b>"],
    )
    assert comment(report).splitlines() == [
        "## SQL review of `sql` against `main`",
        "",
        (
            "**1 new problem and 1 new finding.** 3 queries, 1 new, 1 SQL changed, 1 types changed, 1 unchanged, "
            "1 known finding, 1 fixed finding."
        ),
        "",
        r"Note: guessed \<b\>",
        "",
        "### To be looked at",
        "",
        "- `sql/shop.sql:4: shop_find`: no such column",
        r"- **SEQ-SCAN** `sql/shop.sql:3: shop_find`: reads \| all",
        "",
        "### What changed",
        "",
        "| Query | Change | Cost before | Cost now | Rows |",
        "|---|---|--:|--:|---|",
        "| `b` | SQL changed, types changed | — | — | — |",
        "| `a` | new | — | — | — |",
        "",
        "All of it, with plans, types and locks, is in `report.html`.",
    ]


def test_alone() -> None:
    """Without an earlier revision nothing is new."""
    assert "**No findings.** 1 query." in comment(Report(folder="sql", changes=[change("a")]))


def test_limit() -> None:
    """However much there is to say, GitHub takes it; and what is left out is counted."""
    names = [f"folder|ä{number}" for number in range(4000)]
    report = Report(
        folder="sql",
        base=BASE,
        changes=[change(name, "new", "types") for name in names],
        findings=Comparison(new=tuple(finding(HOSTILE * 4, name) for name in names)),
        notes=["x" * 5000],
    )
    text = comment(report)
    assert 0.9 * LIMIT < len(text.encode()) <= LIMIT
    assert "…" in text
    rows = text.count("| new, types changed |")
    assert f"and {4000 - rows:,} more in `report.html`." in text
    assert r"| `folder\|ä0` | new, types changed |" in text
    assert {"html_inline", "html_block", "link_open", "image"} & kinds(text) == set()
