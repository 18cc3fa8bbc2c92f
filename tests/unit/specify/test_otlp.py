"""Reading what OpenTelemetry exporters write."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from surf_data.specify import otlp

TRACE, SPAN = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"


def document(*spans: Any, attributes: Any = None) -> dict[str, Any]:
    """Return a request with spans."""
    return {"resourceSpans": [{"resource": {"attributes": attributes}, "scopeSpans": [{"spans": list(spans)}]}]}


def span(**other: Any) -> dict[str, Any]:
    """Return a span that is whole."""
    times = {"startTimeUnixNano": "1764400000000000001", "endTimeUnixNano": 1764400000150500000}
    return {"traceId": TRACE, "spanId": SPAN, "name": "specify init", **times, **other}


def only(*spans: Any, **more: Any) -> dict[str, Any]:
    """Return the one span of a request."""
    request = otlp.read("document", document(*spans, **more))
    assert request.problems == []
    [(_, found)] = request.spans
    return found


def test_a_span() -> None:
    """Times keep their microseconds, the duration its nanoseconds; ids may be in base64, kinds and states names."""
    encoded = base64.b64encode(bytes.fromhex(TRACE)).decode()
    found = only(span(traceId=encoded, parentSpanId="", kind="SPAN_KIND_SERVER", status={"code": 2}))
    assert found["trace_id"] == TRACE
    assert (found["kind"], found["status_code"], found["parent_span_id"]) == ("server", "error", None)
    assert found["start_time"] == datetime(2025, 11, 29, 7, 6, 40, tzinfo=UTC)
    assert found["duration_ns"] == 150499999
    assert only(span(kind=9, status=None))["kind"] == "unspecified"
    assert only(span(spanId="=" * 12))["span_id"] == "=" * 12


def test_an_end_before_the_start() -> None:
    """The start counts; the end and the duration are unknown."""
    found = only(span(endTimeUnixNano="1"))
    assert (found["end_time"], found["duration_ns"]) == (None, None)


def test_attributes() -> None:
    """Typed values become JSON."""
    values = [
        {"key": "text", "value": {"stringValue": "a"}},
        {"key": "number", "value": {"intValue": "9007199254740993"}},
        {"key": "list", "value": {"arrayValue": {"values": [{"doubleValue": 1.5}, {"boolValue": True}]}}},
        {"key": "map", "value": {"kvlistValue": {"values": [{"key": "a", "value": {"bytesValue": "AA=="}}]}}},
        {"key": "nothing"},
        {"key": "future", "value": {"otherValue": 1}},
        {"key": "specify.command_id", "value": {"stringValue": "00000000-0000-4000-8000-000000000001"}},
    ]
    found = only(span(attributes=values), attributes=values[:1])
    assert found["resource_attributes"] == {"text": "a"}
    command = found["attributes"].pop("specify.command_id")
    assert found["attributes"] == {
        "text": "a",
        "number": 9007199254740993,
        "list": [1.5, True],
        "map": {"a": "AA=="},
        "nothing": None,
        "future": None,
    }
    assert str(found["command_uuid"]) == command
    broken = {"key": "specify.command_id", "value": {"stringValue": "7"}}
    assert only(span(attributes=[broken]))["command_uuid"] is None


def _nested(levels: int, kind: str) -> dict[str, Any]:
    value: dict[str, Any] = {"intValue": 1}
    for _ in range(levels):
        inner = [value] if kind == "arrayValue" else [{"key": "k", "value": value}]
        value = {kind: {"values": inner}}
    return value


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        ({"traceId": None}, "traceId is missing"),
        ({"startTimeUnixNano": 0}, "startTimeUnixNano is missing"),
        ({"startTimeUnixNano": "soon"}, "startTimeUnixNano must be nanoseconds since 1970"),
        ({"startTimeUnixNano": True}, "startTimeUnixNano must be nanoseconds since 1970"),
        ({"startTimeUnixNano": 2**63}, "startTimeUnixNano must be nanoseconds since 1970"),
        ({"attributes": {}}, "attributes must be a list"),
        ({"attributes": [1]}, "must be an object"),
        ({"attributes": [{"value": {}}]}, "an attribute has no key"),
        ({"attributes": [{"key": "a", "value": {"intValue": "x"}}]}, "intValue must be a whole number"),
        ({"attributes": [{"key": "a", "value": {"intValue": []}}]}, "intValue must be a whole number"),
        ({"attributes": [{"key": "a", "value": {"arrayValue": {"values": 1}}}]}, "values must be a list"),
        ({"attributes": [{"key": "a", "value": _nested(40, "arrayValue")}]}, "attributes are nested too deep"),
        ({"attributes": [{"key": "a", "value": _nested(40, "kvlistValue")}]}, "attributes must be a list"),
        ({"status": 1}, "must be an object"),
    ],
)
def test_a_broken_span_costs_no_other(broken: dict[str, Any], problem: str) -> None:
    """It is named with its place, without its values."""
    request = otlp.read("document", json.dumps(document(span(**broken), span())).encode())
    assert request.problems == [("resourceSpans[0].scopeSpans[0].spans[0]", problem)]
    assert [place for place, _ in request.spans] == ["resourceSpans[0].scopeSpans[0].spans[1]"]


def test_a_broken_resource_costs_no_other() -> None:
    """It is named with its place."""
    request = otlp.read("document", {"resourceSpans": [7, {"scopeSpans": 7}, {}, *document(span())["resourceSpans"]]})
    assert request.problems == [
        ("resourceSpans[0]", "must be an object"),
        ("resourceSpans[1]", "scopeSpans must be a list"),
    ]
    assert len(request.spans) == 1


def test_answers() -> None:
    """A request that was taken as a whole is answered with nothing; else with the number and five reasons."""
    whole = otlp.OtlpResult(accepted=1, new=1, problems=[])
    assert whole.to_dict() == {}
    some = otlp.OtlpResult(accepted=0, new=0, problems=[(f"spans[{n}]", "bad") for n in range(7)])
    message = "; ".join(f"spans[{n}]: bad" for n in range(5))
    assert some.to_dict() == {"partialSuccess": {"rejectedSpans": "7", "errorMessage": message}}
