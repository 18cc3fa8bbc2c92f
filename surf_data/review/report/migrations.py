"""The files that the schema is made of, as far as a revision changes them: new ones, and what they replace."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import attrs

from surf_data.kernel import sql_folders
from surf_data.migrate.statements import Statement
from surf_data.review.report.revision import Revision
from surf_data.review.schema_files import files, statements

# What a later file defines anew; of the others a definition is changed by a statement that says how.
_DEFINED = frozenset({"FUNCTION", "PROCEDURE", "VIEW", "TRIGGER", "RULE"})


@attrs.frozen(kw_only=True)
class Replacement:
    """A definition in the place of one of an earlier file."""

    #: What it is, and its name: ``FUNCTION shop.total(integer)``.
    name: str
    #: The earlier definition.
    before: str
    #: The later one.
    now: str


@attrs.frozen(kw_only=True)
class MigrationFile:
    """A file that the schema is made of."""

    name: str
    #: What it was; ``None`` if it was not there.
    before: str | None
    #: What it is; ``None`` if it is not there any more.
    now: str | None
    #: What it defines in the place of something that an earlier file did.
    replaced: Sequence[Replacement] = ()


def migration_files(sources: Iterable[Path], revision: Revision) -> Iterator[MigrationFile]:
    """Yield the files of a schema that are new, removed or others than in an earlier revision.

    Arguments:
        sources: folders of migrations and files with schemas, in the order in which they are applied.
        revision: the earlier revision.

    Raises:
        MigrationError: a file cannot be read.
    """
    defined: dict[str, str] = {}
    for source in sources:
        replaced = dict(_replaced(files(source), defined))
        before, now = (_texts(path) for path in (revision.path(source), source))
        for name in sorted(before.keys() | now.keys()):
            if before.get(name) != now.get(name):
                yield MigrationFile(
                    name=name, before=before.get(name), now=now.get(name), replaced=replaced.get(name, ())
                )


def _replaced(paths: Iterable[Path], defined: dict[str, str]) -> Iterator[tuple[str, Sequence[Replacement]]]:
    for path in paths:
        own = {name: statement.sql for statement, _ in statements(path) if (name := definition(statement))}
        yield (
            path.name,
            [
                Replacement(name=name, before=defined[name], now=text)
                for name, text in own.items()
                if defined.get(name, text) != text
            ],
        )
        defined |= own


def definition(statement: Statement) -> str | None:
    """Return what a statement defines, as a function with its arguments; ``None`` if it defines nothing of the kind."""
    words = statement.words
    if words[:1] != ("CREATE",):
        return None
    start = 3 if words[1:3] == ("OR", "REPLACE") else 1
    kind = words[start : start + 1]
    if not kind or kind[0] not in _DEFINED:
        return None
    named = [
        token.text if token.kind == "identifier" else token.text.lower() for token in statement.tokens[start + 1 :]
    ]
    end = _end(kind[0], named)
    return f"{kind[0]} {_spelled(named[:end])}"


def _end(kind: str, words: Sequence[str]) -> int:
    """Return how many words are the name: of a function with its arguments, of a trigger with its table."""
    if kind in {"FUNCTION", "PROCEDURE"}:
        depth = 0
        for place, word in enumerate(words):
            depth += (word == "(") - (word == ")")
            if word == ")" and depth == 0:
                return place + 1
    if kind in {"TRIGGER", "RULE"}:
        marker = "on" if kind == "TRIGGER" else "to"
        # The table is the last thing that counts, with its schema.
        place = words.index(marker) if marker in words else 0
        return place + (4 if words[place + 2 : place + 3] == ["."] else 2)
    return 3 if words[1:2] == ["."] else 1


def _spelled(words: Sequence[str]) -> str:
    text = ""
    for word in words:
        space = " " if text and text[-1] not in "(.[" and word not in {"(", ")", ",", ".", "[", "]"} else ""
        text += f"{space}{word}"
    return text


def _texts(source: Path | None) -> Mapping[str, str]:
    if source is None:
        return {}
    paths = [source] if source.is_file() else sql_folders.files(source)
    return {path.name: path.read_text(encoding="utf-8-sig", errors="replace") for path in paths}
