"""Reads what OpenTelemetry exporters send as JSON: spans with hexadecimal ids, numbers as text, typed values."""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import attrs

from surf_data.kernel import validation

#: The largest document, in bytes.
MAX_DOCUMENT = 64_000_000
#: How many spans that were rejected a message names.
SHOWN = 5
#: The attribute that says to which command a span belongs: the command's UUID.
COMMAND_ATTRIBUTE = "specify.command_id"

_KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
_STATUSES = ("unset", "ok", "error")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_DEPTH = 32
_Span = dict[str, Any]


@attrs.frozen(kw_only=True)
class OtlpResult:
    """What became of a document of spans."""

    #: How many spans are stored now.
    accepted: int
    #: How many of these were not there before.
    new: int
    #: Those that were refused: where each stands, and why.
    problems: list[tuple[str, str]]

    @property
    def rejected(self) -> int:
        """How many were refused."""
        return len(self.problems)

    @property
    def error_message(self) -> str:
        """Where the first five that were refused stand, and why; empty without any."""
        return "; ".join(f"{place}: {reason}" for place, reason in self.problems[:SHOWN])

    def to_dict(self) -> dict[str, Any]:
        """Return the ``ExportTraceServiceResponse`` to answer with."""
        if not self.rejected:
            return {}
        return {"partialSuccess": {"rejectedSpans": str(self.rejected), "errorMessage": self.error_message}}


@attrs.frozen(kw_only=True)
class Request:
    """The spans of a document."""

    #: Each with its place, as `TelemetryEventRepository.create` takes it, and ``command_uuid``.
    spans: list[tuple[str, _Span]]
    #: What cannot be a span, with its place.
    problems: list[tuple[str, str]]


class _Malformed(Exception):
    """A part of the document is not what it should be."""


def read(field: str, document: object) -> Request:
    """Return the spans of a document.

    Arguments:
        field: what the error names.
        document: JSON as bytes or text, or what it is.

    Raises:
        ValidationError: it is no ``ExportTraceServiceRequest``.
    """
    found = _parsed(field, document)
    if not isinstance(found, Mapping):
        raise validation.invalid(field, "must be a JSON object")
    resources = found.get("resourceSpans", found.get("resource_spans"))
    if not isinstance(resources, list):
        raise validation.invalid(field, "must have a list resourceSpans: traces, not logs or metrics")
    request = Request(spans=[], problems=[])
    for position, resource in enumerate(resources):
        place = f"resourceSpans[{position}]"
        try:
            shared = _attributes(_member(_object(resource), "resource").get("attributes"))
            for inner, span in _spans(place, _object(resource)):
                _add(request, inner, span, shared)
        except _Malformed as error:
            request.problems.append((place, str(error)))
    return request


def _parsed(field: str, document: object) -> object:
    if not isinstance(document, (bytes, bytearray, str)):
        return document
    if len(document) > MAX_DOCUMENT:
        raise validation.invalid(field, f"must not be larger than {MAX_DOCUMENT:,} bytes")
    with suppress(ValueError, RecursionError):
        return json.loads(document)
    raise validation.invalid(field, "must be JSON")


def _spans(place: str, resource: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    for outer, scope in enumerate(_list(resource, "scopeSpans")):
        for inner, span in enumerate(_list(_object(scope), "spans")):
            yield f"{place}.scopeSpans[{outer}].spans[{inner}]", span


def _add(request: Request, place: str, span: object, shared: dict[str, Any]) -> None:
    try:
        request.spans.append((place, _span(_object(span), shared)))
    except _Malformed as error:
        request.problems.append((place, str(error)))


def _span(span: Mapping[str, Any], shared: dict[str, Any]) -> _Span:
    attributes = _attributes(span.get("attributes"))
    start, end = _nanoseconds(span, "startTimeUnixNano"), _nanoseconds(span, "endTimeUnixNano")
    if not start:
        raise _Malformed("startTimeUnixNano is missing")
    # A clock was set back: the start counts, the rest is unknown.
    known = bool(end) and end >= start
    command = attributes.get(COMMAND_ATTRIBUTE)
    return {
        "trace_id": _id(span, "traceId", 16),
        "span_id": _id(span, "spanId", 8),
        "parent_span_id": _id(span, "parentSpanId", 8) if span.get("parentSpanId") else None,
        "name": str(span.get("name") or "unnamed")[:200],
        "kind": _name(span.get("kind"), _KINDS, "SPAN_KIND_"),
        "status_code": _name(_member(span, "status").get("code"), _STATUSES, "STATUS_CODE_"),
        "start_time": _moment(start),
        "end_time": _moment(end) if known else None,
        "duration_ns": end - start if known else None,
        "attributes": attributes,
        "resource_attributes": shared,
        "command_uuid": _uuid(command),
    }


def _id(span: Mapping[str, Any], name: str, size: int) -> str:
    value = span.get(name)
    if not isinstance(value, str):
        raise _Malformed(f"{name} is missing")
    # Base64 where protobuf's rules for JSON are followed instead of OpenTelemetry's; the length tells.
    if len(value) == len(base64.b64encode(bytes(size))):
        with suppress(binascii.Error, ValueError):
            return base64.b64decode(value, validate=True).hex()
    return value


def _nanoseconds(span: Mapping[str, Any], name: str) -> int:
    value = span.get(name, 0)
    if isinstance(value, (int, str)) and not isinstance(value, bool):
        with suppress(ValueError):
            found = int(value)
            if 0 <= found <= validation.INT8_MAX:
                return found
    raise _Malformed(f"{name} must be nanoseconds since 1970")


def _moment(nanoseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)


def _name(value: object, names: tuple[str, ...], prefix: str) -> str:
    """Return the name of an enumeration's member, which may come as its number or its name."""
    if isinstance(value, int) and 0 <= value < len(names):
        return names[value]
    if isinstance(value, str) and (name := value.removeprefix(prefix).lower()) in names:
        return name
    return names[0]


def _uuid(value: object) -> UUID | None:
    with suppress(ValueError):
        return UUID(value) if isinstance(value, str) else None
    return None


def _attributes(value: object, depth: int = 0) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, list) or depth > _MAX_DEPTH:
        raise _Malformed("attributes must be a list")
    found: dict[str, Any] = {}
    for each in value:
        pair = _object(each)
        if not isinstance(pair.get("key"), str):
            raise _Malformed("an attribute has no key")
        found[pair["key"]] = _value(pair.get("value"), depth)
    return found


def _value(value: object, depth: int) -> Any:
    for kind, given in _object(value if value is not None else {}).items():
        match kind:
            case "stringValue" | "boolValue" | "doubleValue" | "bytesValue":
                return given
            case "intValue":
                return _integer(given)
            case "arrayValue":
                if depth >= _MAX_DEPTH:
                    raise _Malformed("attributes are nested too deep")
                return [_value(each, depth + 1) for each in _list(_object(given), "values")]
            case "kvlistValue":
                return _attributes(_object(given).get("values"), depth + 1)
            case _:
                continue
    return None


def _integer(value: object) -> int:
    with suppress(TypeError, ValueError):
        if isinstance(value, (int, str)):
            return int(value)
    raise _Malformed("intValue must be a whole number")


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _Malformed("must be an object")
    return value


def _member(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return _object(value.get(name) or {})


def _list(value: Mapping[str, Any], name: str) -> list[Any]:
    found = value.get(name)
    if found is None:
        return []
    if not isinstance(found, list):
        raise _Malformed(f"{name} must be a list")
    return found
