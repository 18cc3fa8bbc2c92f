"""What running a statement can change, as far as its text tells."""

from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from surf_data.kernel.postgres.scanner import Token

_READING = frozenset({"SELECT", "TABLE", "VALUES", "WITH"})
# FOR UPDATE is among them: whoever locks wants to do more.
_CHANGING = frozenset({"DELETE", "INSERT", "INTO", "MERGE", "UPDATE"})


def reads(code: "Sequence[Token]") -> bool:
    """Whether the statement itself changes nothing; the functions that it calls still may.

    Arguments:
        code: its tokens without spaces and comments.
    """
    words = [token.text.upper() for token in code if token.kind == "word"]
    return bool(words) and words[0] in _READING and _CHANGING.isdisjoint(words)


def functions(code: "Sequence[Token]") -> tuple[str, ...]:
    """Return the names of the functions that the statement may call, as the catalogue has them.

    Arguments:
        code: its tokens without spaces and comments.
    """
    names = {
        token.text.lower() if token.kind == "word" else token.text[1:-1].replace('""', '"')
        for token, after in pairwise(code)
        if token.kind in {"word", "identifier"} and after.text == "("
    }
    return tuple(sorted(names))


def may_write(names: Iterable[str]) -> bool:
    """Whether one of the functions with these names may change something, as far as one knows without a server.

    Only of PostgreSQL's own functions is it known that they do not.
    """
    return not _harmless().issuperset(names)


@cache
def _harmless() -> frozenset[str]:
    # Written by tests/rig/harmless_functions.py.
    return frozenset(
        resources.files("surf_data.kernel.postgres").joinpath("harmless_functions.txt").read_text("ascii").split()
    )
