"""Brings the headers of aiosql files into the form that `load_queries` takes, and leaves the SQL as it is.

A header gets the list of its parameters, in the order in which they come, and a line of description; its operator
stays. What a rule cannot decide, a person must: that is what `load_queries` says of the files as they would be.
"""

import codecs
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import attrs

from surf_data.errors import QueryFileError
from surf_data.kernel.postgres import load_queries
from surf_data.kernel.postgres.query_files import query_files
from surf_data.kernel.postgres.query_source import QuerySource, parse
from surf_data.review.writing import read_bytes, replace_file

#: What stands where a description has still to be written.
UNDESCRIBED = "To be described."


@attrs.frozen(kw_only=True)
class Adoption:
    """A file with other headers."""

    #: The file.
    path: Path
    #: Its text as it is, with one kind of line end.
    before: str
    #: Its text as it would be.
    now: str
    #: How many headers are others.
    headers: int
    #: The file as it would be.
    content: bytes

    def write(self) -> None:
        """Put the new text into the file, with the line ends, the owner and the permissions that it has.

        Raises:
            QueryFileError: it cannot be written.
        """
        replace_file(self.path, self.content)


@attrs.frozen(kw_only=True)
class Adopted:
    """What a folder of queries needs."""

    #: The files with other headers, in their order.
    files: tuple[Adoption, ...]
    #: The queries of all files, as they would be.
    queries: tuple[QuerySource, ...]
    #: What a person must decide: all that `load_queries` would still refuse.
    decisions: tuple[QueryFileError, ...]

    @property
    def undescribed(self) -> tuple[QuerySource, ...]:
        """The queries whose description is still to be written."""
        return tuple(query for query in self.queries if query.description == (UNDESCRIBED,))


def adopt(folder: Path, describe: Callable[[QuerySource], str] | None = None) -> Adopted:
    """Return the headers that the queries of a folder need. Nothing is written.

    Arguments:
        folder: where the files are, in any form that aiosql takes.
        describe: called for each query without a description, and returns one; without it, and where it returns
            nothing, the line says `UNDESCRIBED`.

    Raises:
        QueryFileError: a file cannot be read, or there is no query.
    """
    files: list[Adoption] = []
    texts: dict[Path, str] = {}
    queries: list[QuerySource] = []
    for found in query_files(folder):
        if isinstance(found, QueryFileError):
            raise found
        _, path = found
        adoption = _adoption(path, describe)
        texts[path] = adoption.now
        queries += parse(adoption.now, path)
        if adoption.now != adoption.before:
            files.append(adoption)
    if not queries:
        raise QueryFileError("there are no queries here", file=str(folder))
    return Adopted(files=tuple(files), queries=tuple(queries), decisions=tuple(_decisions(folder, texts)))


def _adoption(path: Path, describe: Callable[[QuerySource], str] | None) -> Adoption:
    raw = read_bytes(path)
    before = raw.decode("utf-8-sig").replace("\r\n", "\n")
    queries = list(parse(before, path))
    first = queries[0].pieces[0].start if queries else len(before)
    rewritten = [_rewritten(query, describe) for query in queries]
    now = before[:first] + "".join(rewritten)
    _prove(path, queries, list(parse(now, path)))
    ends = "\r\n" if b"\r\n" in raw else "\n"
    mark = codecs.BOM_UTF8 if raw.startswith(codecs.BOM_UTF8) else b""
    return Adoption(
        path=path,
        before=before,
        now=now,
        headers=sum(query.source != text for query, text in zip(queries, rewritten, strict=True)),
        content=mark + now.replace("\n", ends).encode(),
    )


def _rewritten(query: QuerySource, describe: Callable[[QuerySource], str] | None) -> str:
    """Return a query with its new header, and nothing else that is new."""
    header = query.pieces[0].text
    if query.name and query.code:
        parameters = query.parameters if query.declared is None else query.declared
        header = f"-- name: {query.name}({', '.join(parameters)}){query.operator}"
        # What else stands there is for a person to look at.
        header += f" {query.rest}" if query.rest else ""
        if not query.description:
            said = " ".join((describe(query) if describe else "").split()) or UNDESCRIBED
            header += f"\n-- {said}"
    return header + query.source[len(query.pieces[0].text) :]


def _prove(path: Path, before: Sequence[QuerySource], now: Sequence[QuerySource]) -> None:
    """Check that every query is what it was, token by token, with the same name, operator and options."""
    told, becomes = (
        [(each.name, each.operator, each.options, [token.text for token in each.code]) for each in queries]
        for queries in (before, now)
    )
    if told != becomes:
        raise QueryFileError("the headers cannot be rewritten and mean the same: see the descriptions", file=str(path))


def _decisions(folder: Path, texts: dict[Path, str]) -> Iterator[QueryFileError]:
    with tempfile.TemporaryDirectory(prefix="surf_data_") as temporary:
        there = Path(temporary, "queries")
        there.mkdir()
        for path, text in texts.items():
            copy = there / path.relative_to(folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(text, "utf-8")
        try:
            load_queries(there)
        except QueryFileError as error:
            for fault in error.faults or (error,):
                place = Path(fault.file or there)
                own = str(folder / place.relative_to(there))
                yield QueryFileError(fault.problem, file=own, line=fault.line)
