"""RDF specifications: which file of a project has which content, by hash; the contents, each stored once."""

import hashlib
from typing import Any, Literal

import attrs

from surf_data.kernel import validation
from surf_data.kernel.postgres import Executor, bulk
from surf_data.specify import fields
from surf_data.specify.base import BaseQueries, BaseRepository
from surf_data.specify.models import RDFSpecification
from surf_data.specify.statements import specify_queries
from surf_data.specify.table import Table

#: The largest content, in bytes of UTF-8.
MAX_CONTENT = 4_000_000
_BATCH = 1000

TABLE: Table[RDFSpecification] = Table(
    noun="a specification",
    stem="specification",
    row=RDFSpecification,
    checks={
        "project_id": fields.row_id,
        "file_path": fields.text(500),
        "content_hash": fields.digits(64),
        "spec_id": validation.uuid,
        "format": fields.text(50),
        "triple_count": fields.integer(0, validation.INT8_MAX),
        "valid": fields.boolean,
        "validation_errors": fields.optional(fields.text(100_000, 0)),
        "meta": fields.document,
    },
    required=("project_id", "file_path", "content_hash"),
    defaults={
        "spec_id": None,
        "format": "turtle",
        "triple_count": 0,
        "valid": True,
        "validation_errors": None,
        "meta": {},
    },
    identity=("project_id", "file_path"),
    unique={
        "rdf_specifications_project_id_file_path_key": "file_path",
        "rdf_specifications_spec_id_key": "spec_id",
    },
)


@attrs.frozen(kw_only=True)
class Verification:
    """Whether a content is the one that a specification has."""

    #: Whether it is.
    ok: bool
    #: The hash that the specification has.
    expected: str
    #: The hash of the content; ``None`` where there is none to compare.
    actual: str | None
    #: In a word: ``changed`` for another content, ``missing`` where none is stored.
    reason: Literal["verified", "changed", "missing"]


def content_hash(content: str) -> str:
    """Return the SHA-256 of a content's UTF-8, exactly as given, in hexadecimal.

    Raises:
        ValidationError: it is no text, or larger than 4,000,000 bytes.
    """
    return hashlib.sha256(fields.sized_text("content", content, MAX_CONTENT).encode()).hexdigest()


class RDFSpecificationQueries(BaseQueries[RDFSpecification]):
    """Reads specifications."""

    table = TABLE

    def find_by_project(self, project_id: int) -> list[RDFSpecification]:
        """Return the specifications of a project, the latest first; 10,000 at the most.

        Raises:
            ValidationError: ``project_id`` cannot be an id.
            DatabaseError: they cannot be read.
        """
        row_id = fields.row_id("project_id", project_id)
        return self._listed("of_project", project_id=row_id, row_limit=fields.MAX_ROWS)

    def find_by_hash(self, content_hash: str) -> list[RDFSpecification]:
        """Return the specifications that have a content, by its hash; 10,000 at the most.

        Raises:
            ValidationError: ``content_hash`` is no SHA-256 in hexadecimal.
            DatabaseError: they cannot be read.
        """
        return self._listed("by_hash", content_hash=fields.digits(64)("content_hash", content_hash))

    def get_invalid_specs(self) -> list[RDFSpecification]:
        """Return the specifications that are not valid; 10,000 at the most.

        Raises:
            DatabaseError: they cannot be read.
        """
        return self._listed("invalid", row_limit=fields.MAX_ROWS)

    def find_specifications(self, text: str, project_id: int | None = None, limit: int = 20) -> list[RDFSpecification]:
        """Return specifications by the words of their stored contents, the best match first.

        The first 200,000 characters of a content count; of a word that more than 2,000 have, the newest 2,000 are
        ranked.

        Arguments:
            text: words as for a web search, in English; 1 to 200 characters.
            project_id: of which project they are; ``None``: of all.
            limit: how many, 1 to 10,000.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: they cannot be read.
        """
        return self._listed(
            "find",
            query=validation.text("text", text, maximum=200),
            project_id=fields.optional(fields.row_id)("project_id", project_id),
            row_limit=fields.limit("limit", limit),
        )


class RDFSpecificationRepository(BaseRepository[RDFSpecification]):
    """Records specifications, and compares contents with them.

    Arguments:
        executor: runs the statements: a session, or a `DatabaseManager`.
    """

    def __init__(self, executor: Executor) -> None:
        #: Reads specifications.
        self.queries: RDFSpecificationQueries = RDFSpecificationQueries(executor)
        super().__init__(executor, self.queries)

    def create_specification(
        self, project_id: int, file_path: str, content: str, *, store_content: bool = True, **more: Any
    ) -> RDFSpecification:
        """Record a file with a specification.

        Arguments:
            project_id: the project it belongs to.
            file_path: its path in the project, 1 to 500 characters; unique there.
            content: what is in it, at most 4,000,000 bytes; the hash is that of its UTF-8, exactly as given.
            store_content: whether to store it, too, unless the same content is there already.
            more: ``format`` (``turtle`` when left out), ``triple_count``, ``valid``, ``validation_errors``, ``meta``,
                ``spec_id`` (a UUID).

        Raises:
            ValidationError: an argument is refused, or ``file_path is taken``.
            ConstraintViolation: there is no such project.
            DatabaseError: it could not be stored.
        """
        digest = content_hash(content)
        given = {"project_id": project_id, "file_path": file_path, "content_hash": digest, **more}
        with self._executor.transaction() as session:
            if fields.boolean("store_content", store_content):
                specify_queries().specification_content_store(session, content_hash=digest, content=content)
            return RDFSpecificationRepository(session).create(given)

    def update_specification(
        self, spec_id: int, content: str, *, store_content: bool = True, **more: Any
    ) -> RDFSpecification | None:
        """Record what is in a file now.

        Arguments:
            spec_id: the id of the specification's row.
            content: as for `create_specification`.
            store_content: likewise.
            more: other columns that change.

        Returns:
            The specification; ``None`` when there is none. Where nothing differs, ``updated_at`` stays.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: it could not be stored.
        """
        digest = content_hash(content)
        if not more and (known := self.get(spec_id)) is not None and known.content_hash == digest:
            return known
        with self._executor.transaction() as session:
            if fields.boolean("store_content", store_content):
                specify_queries().specification_content_store(session, content_hash=digest, content=content)
            return RDFSpecificationRepository(session).update(spec_id, {"content_hash": digest, **more})

    def get_content(self, spec_id: int) -> str | None:
        """Return the stored content of a specification; ``None`` when there is none, or none is stored.

        Raises:
            ValidationError: ``spec_id`` cannot be an id.
            DatabaseError: it cannot be read.
        """
        found = specify_queries().specification_content(self._executor, row_id=fields.row_id("spec_id", spec_id))
        return None if found is None else found[1]

    def verify_specification(self, spec_id: int, content: str | None = None) -> Verification | None:
        """Compare a content with the hash that a specification has.

        Arguments:
            spec_id: the id of the specification's row.
            content: what to compare; ``None``: what is stored.

        Returns:
            How it compares; ``None`` when there is no such specification.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: it cannot be read.
        """
        row_id = fields.row_id("spec_id", spec_id)
        given = None if content is None else content_hash(content)
        found = specify_queries().specification_content(self._executor, row_id=row_id)
        if found is None:
            return None
        expected, stored = found
        actual = content_hash(stored) if given is None and stored is not None else given
        ok = actual == expected
        return Verification(
            ok=ok,
            expected=expected,
            actual=actual,
            reason="verified" if ok else "missing" if actual is None else "changed",
        )

    def cleanup_contents(self) -> int:
        """Delete stored contents that no specification has any more, in portions.

        Those that were stored within the last hour stay, since a specification may be about to have them.

        Returns:
            How many were deleted.

        Raises:
            DatabaseError: they could not be deleted, or not all.
        """
        return bulk.in_batches(
            lambda rows: specify_queries().specification_contents_clean(self._executor, hours=1, batch=rows), _BATCH
        )
