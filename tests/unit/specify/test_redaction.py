"""What gives itself away as a secret is not stored."""

from typing import Any

import pytest

from surf_data.specify.redaction import redacted, redacted_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("curl --password hunter2 example.com", "curl --password *** example.com"),
        ("curl --password=hunter2", "curl --password=***"),
        ("mysql --password='a b' x", "mysql --password=*** x"),
        ("export GITHUB_TOKEN=ghp_1 && make", "export GITHUB_TOKEN=*** && make"),
        ("psql postgresql://me:secret@host/db", "psql postgresql://***@host/db"),
        ('curl -H "Authorization: Bearer abcdef123456"', 'curl -H "Authorization: Bearer ***"'),
        ("git log --author=alice", "git log --author=alice"),
        ("tokenizer train the token", "tokenizer train the token"),
        ("run --token --verbose", "run --token --verbose"),
        ("git clone https://github.com/x", "git clone https://github.com/x"),
    ],
)
def test_command_lines(text: str, expected: str) -> None:
    """Values of options and variables with such names go, and so do passwords in URLs; the rest stays."""
    assert redacted_text(text).startswith(expected)


def test_documents() -> None:
    """Values under such names go at any depth, unless they are no secrets; other names stay."""
    document: dict[str, Any] = {
        "apiKey": "a",
        "x-api-key": 7,
        "db": {"password": "b", "user": "c"},
        "steps": [{"token": "d"}, "login --secret e"],
        "token": None,
        "author": "f",
        "count": 1,
    }
    assert redacted(document) == {
        "apiKey": "***",
        "x-api-key": "***",
        "db": {"password": "***", "user": "c"},
        "steps": [{"token": "***"}, "login --secret ***"],
        "token": None,
        "author": "f",
        "count": 1,
    }
