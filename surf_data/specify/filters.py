"""What lists can be filtered by. Of a filter everything that is given must hold; without any, all rows match."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import attrs

from surf_data.kernel import validation
from surf_data.specify import fields
from surf_data.specify.fields import Check, optional
from surf_data.specify.models import AuditAction, ExecutionStatus, MetricType

_STATUS = fields.choice(ExecutionStatus)


def _statuses(field: str, value: object) -> list[str]:
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, Collection) or isinstance(given, (bytes, Mapping)):
        raise validation.invalid(field, "must be a status or a list of them")
    return [_STATUS(field, each) for each in given]


def _pattern(field: str, value: object) -> str:
    return fields.like(validation.text(field, value, maximum=200))


def _document_text(field: str, value: object) -> str:
    return validation.jsonb_object(field, value)


def _filter(check: Check, parameter: str | None = None) -> Any:
    """Declare a condition: how it is checked, and the statement's parameter where that has another name."""
    return attrs.field(default=None, metadata={"check": optional(check), "parameter": parameter})


def _period(since: datetime | None, until: datetime | None) -> None:
    if since is not None and until is not None and since > until:
        raise validation.invalid("since", "must not be after until")


@attrs.frozen(kw_only=True)
class CommandFilter:
    """Conditions on commands."""

    #: The user who ran it.
    user_id: int | None = _filter(fields.row_id)
    #: The project it belongs to.
    project_id: int | None = _filter(fields.row_id)
    #: Its name.
    name: str | None = _filter(fields.text(200), "command_name")
    #: What its name begins with.
    name_prefix: str | None = _filter(fields.text(200))
    #: Its status, or one of several.
    status: ExecutionStatus | str | Collection[str] | None = _filter(_statuses, "statuses")
    #: Its exit code.
    exit_code: int | None = _filter(fields.integer(-validation.INT4_MAX))
    #: The command that started it.
    parent_id: int | None = _filter(fields.row_id)
    #: Milliseconds that it took at least.
    min_duration_ms: float | None = _filter(fields.number)
    #: A text in its name or arguments, in any case; no character is a wildcard. There is no index for it: give a
    #: user, a project or a time, too, where there are millions.
    text: str | None = _filter(_pattern, "pattern")
    #: When it began at the earliest.
    since: datetime | None = _filter(fields.moment)
    #: Before when it began.
    until: datetime | None = _filter(fields.moment)
    #: Within how many hours it began.
    hours: int | None = _filter(fields.hours)


@attrs.frozen(kw_only=True)
class MetricFilter:
    """Conditions on metrics."""

    #: The metric's name.
    name: str | None = _filter(fields.text(200), "metric_name")
    #: What its values mean.
    type: MetricType | str | None = _filter(fields.choice(MetricType), "metric_type")
    #: The command it was measured of.
    command_id: int | None = _filter(fields.row_id)
    #: The project it was measured of.
    project_id: int | None = _filter(fields.row_id)
    #: Labels that it has, among others.
    labels: Mapping[str, Any] | None = _filter(_document_text)
    #: When it was measured at the earliest.
    since: datetime | None = _filter(fields.moment)
    #: Before when it was measured.
    until: datetime | None = _filter(fields.moment)


@attrs.frozen(kw_only=True)
class AuditFilter:
    """Conditions on audit rows."""

    #: What was done.
    action: AuditAction | str | None = _filter(fields.choice(AuditAction))
    #: To what kind of thing.
    resource_type: str | None = _filter(fields.text(100))
    #: To which of them.
    resource_id: str | None = _filter(fields.text(100))
    #: By which user.
    user_id: int | None = _filter(fields.row_id)
    #: Whether it succeeded.
    success: bool | None = _filter(fields.boolean)
    #: From where.
    ip_address: Any = _filter(validation.ip_address)
    #: When at the earliest.
    since: datetime | None = _filter(fields.moment)
    #: Before when.
    until: datetime | None = _filter(fields.moment)
    #: Within how many hours.
    hours: int | None = _filter(fields.hours)


@attrs.frozen(kw_only=True)
class TelemetryFilter:
    """Conditions on spans."""

    #: The span's name.
    name: str | None = _filter(fields.text(200), "event_name")
    #: The command it belongs to.
    command_id: int | None = _filter(fields.row_id)
    #: Its status.
    status_code: str | None = _filter(fields.text(50))
    #: Nanoseconds that it took at least.
    min_duration_ns: int | None = _filter(fields.integer(0, validation.INT8_MAX))
    #: When it began at the earliest.
    since: datetime | None = _filter(fields.moment)
    #: Before when it began.
    until: datetime | None = _filter(fields.moment)


def parameters(kind: type[attrs.AttrsInstance], given: object) -> dict[str, Any]:
    """Return what a statement takes of a filter.

    Arguments:
        kind: the class of the filter.
        given: the filter; ``None`` for one without conditions.

    Raises:
        ValidationError: it is no such filter, or a condition is refused; the error names it.
    """
    found = kind() if given is None else given
    if not isinstance(found, kind):
        raise validation.invalid("matching", f"must be a {kind.__name__}")
    checked = {
        field.name: field.metadata["check"](field.name, getattr(found, field.name)) for field in attrs.fields(kind)
    }
    _period(checked["since"], checked["until"])
    return {field.metadata["parameter"] or field.name: checked[field.name] for field in attrs.fields(kind)}
