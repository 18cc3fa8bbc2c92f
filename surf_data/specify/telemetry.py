"""Telemetry: spans of OpenTelemetry traces, recorded one by one or as an exporter sends them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import attrs

from surf_data.errors import ValidationError
from surf_data.kernel import validation
from surf_data.kernel.paging import Page, keyset
from surf_data.kernel.postgres import Executor
from surf_data.specify import fields, filters, otlp
from surf_data.specify.base import BaseQueries, BaseRepository
from surf_data.specify.filters import TelemetryFilter
from surf_data.specify.models import TelemetryEvent
from surf_data.specify.redaction import redacted
from surf_data.specify.statements import specify_queries
from surf_data.specify.table import Document, Table, to_json

# Spans that one statement takes.
_BATCH = 1000

_OPTIONAL = {
    "parent_span_id": fields.optional(fields.digits(16)),
    "command_id": fields.optional(fields.row_id),
    "kind": fields.optional(fields.text(50, 0)),
    "status_code": fields.optional(fields.text(50, 0)),
    "end_time": fields.optional(fields.moment),
    "duration_ns": fields.optional(fields.integer(0, validation.INT8_MAX)),
    "event_id": validation.uuid,
}


def _complete(document: Document) -> None:
    start, end = document["start_time"], document["end_time"]
    if end is not None and end < start:
        raise validation.invalid("end_time", "must not be before start_time")
    if document["duration_ns"] is None and end is not None:
        document["duration_ns"] = round((end - start).total_seconds() * 1_000_000) * 1000
    for name in ("attributes", "resource_attributes"):
        document[name] = redacted(document[name])


TABLE: Table[TelemetryEvent] = Table(
    noun="a span",
    stem="telemetry",
    row=TelemetryEvent,
    checks={
        "trace_id": fields.digits(32),
        "span_id": fields.digits(16),
        "name": fields.text(200),
        "start_time": fields.moment,
        "attributes": fields.document,
        "resource_attributes": fields.document,
        **_OPTIONAL,
    },
    required=("trace_id", "span_id", "name", "start_time"),
    defaults={**dict.fromkeys(_OPTIONAL), "attributes": {}, "resource_attributes": {}},
    identity=("trace_id", "span_id", "start_time"),
    unique={"telemetry_events_span_key": "span_id"},
    complete=_complete,
    orders=("-start_time",),
    changes=False,
    newest=("-start_time", filters.parameters(TelemetryFilter, None)),
)


@attrs.frozen(kw_only=True)
class Trace:
    """A span and those within it."""

    #: The span.
    event: TelemetryEvent
    #: The spans that it has started, the earliest first.
    children: list["Trace"] = attrs.field(factory=list)


class TelemetryEventQueries(BaseQueries[TelemetryEvent]):
    """Reads spans."""

    table = TABLE

    def find_by_trace_id(self, trace_id: str) -> list[TelemetryEvent]:
        """Return the spans of a trace, the earliest first; 10,000 at the most.

        Arguments:
            trace_id: 32 hexadecimal digits.

        Raises:
            ValidationError: ``trace_id`` cannot be one.
            DatabaseError: they cannot be read.
        """
        digits = fields.digits(32)("trace_id", trace_id)
        return self._listed("trace", trace_id=digits, row_limit=fields.MAX_ROWS)

    def find_by_command(self, command_id: int) -> list[TelemetryEvent]:
        """Return the spans of a command, the earliest first; 10,000 at the most."""
        row_id = fields.row_id("command_id", command_id)
        return self._listed("of_command", command_id=row_id, row_limit=fields.MAX_ROWS)

    def get_trace(self, trace_id: str) -> list[Trace]:
        """Return a trace as trees: one, unless spans are missing above others.

        Raises:
            ValidationError: ``trace_id`` cannot be one.
            DatabaseError: it cannot be read.
        """
        nodes = {event.span_id: Trace(event=event) for event in self.find_by_trace_id(trace_id)}
        roots: list[Trace] = []
        for node in nodes.values():
            parent = nodes.get(node.event.parent_span_id or "")
            (roots if parent is None or parent is node else parent.children).append(node)
        return roots

    def get_slowest(self, name: str, hours: int = 24, limit: int = 20) -> list[TelemetryEvent]:
        """Return the slowest spans of a name in the last hours.

        Arguments:
            name: the span's name.
            hours: 1 to 87,840.
            limit: how many, 1 to 10,000.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: they cannot be read.
        """
        return self._listed(
            "slowest",
            event_name=validation.text("name", name, maximum=200),
            hours=fields.hours("hours", hours),
            row_limit=fields.limit("limit", limit),
        )

    def get_error_rates(self, hours: int = 24) -> list[dict[str, Any]]:
        """Return the spans of the last hours by name, those with most errors first.

        Returns:
            By name: ``name``, ``total``, ``errors``, ``avg_ms``.

        Raises:
            ValidationError: ``hours`` is refused.
            DatabaseError: they cannot be read.
        """
        rows = specify_queries().telemetry_errors(self._executor, hours=fields.hours("hours", hours))
        return [dict(zip(("name", "total", "errors", "avg_ms"), row, strict=True)) for row in rows]

    def list_events(
        self, matching: TelemetryFilter | None = None, page: int = 1, per_page: int = 20
    ) -> Page[TelemetryEvent]:
        """Return a page of the spans that match, newest first, and how many match, in one statement.

        Arguments:
            matching: the conditions; ``None``: none.
            page: its number, counted from 1.
            per_page: 1 to 1,000.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: they cannot be read.
        """
        return self._page("filtered", page, per_page, **filters.parameters(TelemetryFilter, matching), cap=None)

    def list_events_after(
        self,
        matching: TelemetryFilter | None = None,
        after: TelemetryEvent | None = None,
        limit: int = 100,
    ) -> list[TelemetryEvent]:
        """Return the next spans that match, newest first; ``after`` is the last one of the page before."""
        before_time, before_id = keyset("after", after, by="start_time")
        return self._listed(
            "list",
            **filters.parameters(TelemetryFilter, matching),
            before_time=before_time,
            before_id=before_id,
            row_limit=fields.limit("limit", limit),
        )


class TelemetryEventRepository(BaseRepository[TelemetryEvent]):
    """Records spans. They are appended; none is changed or deleted.

    Attributes whose names give a secret away, such as ``http.request.header.authorization``, are stored as ``***``.

    Arguments:
        executor: runs the statements: a session, or a `DatabaseManager`.
    """

    def __init__(self, executor: Executor) -> None:
        #: Reads spans.
        self.queries: TelemetryEventQueries = TelemetryEventQueries(executor)
        super().__init__(executor, self.queries)

    def record_event(self, trace_id: str, span_id: str, name: str, start_time: datetime, **more: Any) -> TelemetryEvent:
        """Record one span.

        Arguments:
            trace_id: 32 hexadecimal digits.
            span_id: 16 hexadecimal digits; with trace and start it is recorded once.
            name: 1 to 200 characters.
            start_time: when it began.
            more: ``end_time``, ``duration_ns`` (computed of the times when left out), ``parent_span_id``,
                ``command_id``, ``kind``, ``status_code``, ``attributes``, ``resource_attributes``, ``event_id``.

        Raises:
            ValidationError: an argument is refused, or ``span_id is taken``.
            ConstraintViolation: there is no such command.
            DatabaseError: it could not be stored.
        """
        given = {"trace_id": trace_id, "span_id": span_id, "name": name, "start_time": start_time}
        return self.create({**given, **more})

    def record_events(self, events: Iterable[Mapping[str, Any]]) -> int:
        """Record many spans, each once: those that are there already count as recorded.

        Arguments:
            events: at most 100,000, as `create` takes them.

        Returns:
            How many were new.

        Raises:
            ValidationError: a span is refused; the field says which: ``rows[17].span_id``. Then none is stored.
            DatabaseError: they could not be stored.
        """
        return self._record(self._checked_rows(events))

    def _record(self, documents: list[Document]) -> int:
        new = 0
        with self._executor.transaction() as session:
            for begin in range(0, len(documents), _BATCH):
                found = specify_queries().telemetry_insert(
                    session, documents=to_json(documents[begin : begin + _BATCH])
                )
                new += len(found)
        return new

    def record_otlp(self, document: bytes | str | Mapping[str, Any]) -> otlp.OtlpResult:
        """Record the spans that an OpenTelemetry exporter sends: the JSON of an ``ExportTraceServiceRequest``.

        A span that was sent before is not stored again. One that cannot be stored costs no other: it is counted, and
        the message says where it stands and why.

        Arguments:
            document: the body of ``POST /v1/traces``, at most 64 MB, or what it is as JSON.

        Returns:
            What to answer: ``result.to_dict()``.

        Raises:
            ValidationError: it is not such a document, and need not be sent again.
            DatabaseError: the spans could not be stored; then none was.
        """
        request = otlp.read("document", document)
        documents: list[Document] = []
        problems = [*request.problems]
        for place, span in request.spans:
            command = span.pop("command_uuid")
            problem = None
            try:
                documents.append({**TABLE.checked(span, creating=True), "command_uuid": command})
            except ValidationError as error:
                problem = str(error)
            if problem is not None:
                problems.append((place, problem))
        new = self._record(documents)
        return otlp.OtlpResult(accepted=len(documents), new=new, problems=problems)
