"""The ten examples run, and print what they say."""

import runpy
import textwrap
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[3] / "docs" / "examples" / "specify").glob("*.py"))


def test_there_are_ten() -> None:
    """They are numbered from 1 to 10."""
    assert [path.name[:2] for path in EXAMPLES] == [f"{number:02d}" for number in range(1, 11)]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example(
    example: Path, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On an empty database it prints what its docstring says, line by line."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    docstring = runpy.run_path(str(example), run_name="__main__")["__doc__"]
    expected = textwrap.dedent(docstring.partition("It prints:\n\n")[2])
    assert capsys.readouterr().out == expected
