"""SQL in tokens, as PostgreSQL's own scanner sees them."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surf_data.kernel.postgres.scanner import Token, significant_tokens, tokens

PIECES = [
    *("'", '"', "''", "E'", "e'", "\\", "\\'", "U&'", "$$", "$a$", "$é$", "$1", "$", "a", "E", "é", "🏄", "_1", "42"),
    *("--", "-", "/*", "*/", "*", "/", "\n", "\r\n", " ", "\t", "\f", "\v", "\u00a0", ":", "::", ":x", ":=", "[", "]"),
    *("(", ")", ";", ",", "%", "?", "{"),
]


def kinds(sql: str) -> list[tuple[str, str]]:
    """Return kind and text of what PostgreSQL heeds in ``sql``."""
    return [(token.kind, token.text) for token in significant_tokens(tokens(sql))]


@given(sql=st.lists(st.sampled_from(PIECES)).map("".join) | st.text())
def test_tokens_are_all_of_the_text(sql: str) -> None:
    """Nothing is lost or doubled: the tokens put together are the SQL, each at its place and on its line."""
    found = list(tokens(sql))
    assert sql == "".join(token.text for token in found)
    for token in found:
        assert sql.startswith(token.text, token.start)
        assert token.text
        assert token.line == sql.count("\n", 0, token.start) + 1


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("'it''s'", "string"),
        ("'no \\'", "string"),
        ("E'it\\'s'", "escape"),
        ("e'\\\\'", "escape"),
        ("E'a''b'", "escape"),
        ('"a ""b"""', "identifier"),
        ("$$it's$$", "dollar"),
        ("$a$ $$ $b$ $a$", "dollar"),
        ("$été$ ' $été$", "dollar"),
        ("$🏄$ ' $🏄$", "dollar"),
        ("a$b$c", "word"),
        ("_a1", "word"),
        ("naïve", "word"),
        ("\u00a0", "word"),
        ("$12", "positional"),
        (":lamp_id", "parameter"),
        ("::", "cast"),
        ("1e10", "number"),
        ("0xfe", "number"),
    ],
)
def test_one_token(sql: str, kind: str) -> None:
    """Each kind of token is taken whole."""
    assert kinds(sql) == [(kind, sql)]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("U&'\\0041'", ["U", "&", "'\\0041'"]),
        ("xE'a'", ["xE", "'a'"]),
        ("1$$a$$", ["1", "$$a$$"]),
        ("a::b", ["a", "::", "b"]),
        (":a::int", [":a", "::", "int"]),
        ("a := 1", ["a", ":", "=", "1"]),
        ("[1 : 2]", ["[", "1", ":", "2", "]"]),
        (":'x'", [":", "'x'"]),
        ("a--b\nc", ["a", "c"]),
        ("a/*b*/c", ["a", "c"]),
        ("a /* b /* c */ d */ e", ["a", "e"]),
        ("a */ b", ["a", "*", "/", "b"]),
        ("a /*/ b */ c", ["a", "c"]),
        ("1-- $$ ' \n2", ["1", "2"]),
        ("'a' -- '\n'b'", ["'a'", "'b'"]),
        ("$1a$1", ["$1", "a$1"]),
        ("a /* b", ["a"]),
        ("'a", ["'", "a"]),
        ('"a', ['"', "a"]),
        ("$a$ b", ["$", "a$", "b"]),
    ],
)
def test_several_tokens(sql: str, expected: list[str]) -> None:
    """Tokens end where PostgreSQL ends them, and comments mean nothing."""
    assert expected == [text for _, text in kinds(sql)]


def test_a_comment_is_told_from_a_block() -> None:
    """Comments to the end of the line and block comments have kinds of their own."""
    assert list(tokens("--a\n/*b*/")) == [
        Token("comment", "--a", 0, 1),
        Token("space", "\n", 3, 1),
        Token("block", "/*b*/", 4, 2),
    ]


@pytest.mark.parametrize(
    "literal",
    ["'{}'", "E'{}\\\\'", '"{}"', "$${}$$", "/* {} */", "-- {}\n", "'a''{}'"],
)
def test_a_large_literal_takes_little_memory(literal: str) -> None:
    """The memory for a token is a small multiple of its text, whatever it is made of."""
    sql = literal.format("a''\\n " * 40_000 if literal.startswith(("'", "E")) else "abc " * 60_000)
    tracemalloc.start()
    list(tokens(sql))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5 * len(sql)
