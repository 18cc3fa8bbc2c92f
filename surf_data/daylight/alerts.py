"""Alerts: rules, and who sends what of them. One process sends, however many observe the same."""

import operator
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from surf_data.daylight import checks
from surf_data.daylight.operation_records import AlertRule, SentAlert
from surf_data.daylight.queries import daylight_queries
from surf_data.errors import DatabaseError
from surf_data.kernel import forking, validation
from surf_data.kernel.log_messages import error_facts, get_logger
from surf_data.kernel.monitoring import Channel, Dispatcher, Message, Observed

METRICS = (
    "average_query_ms",
    "error_rate",
    "pool_utilization",
    "breaker_open",
    "database_down",
    "retention_overdue_days",
)
OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
    ">=": operator.ge,
    "<=": operator.le,
}
SEVERITIES = ("info", "warning", "critical")

_log = get_logger(__name__)


class AlertService:
    """Stores rules, and sends alerts and recoveries by channels, each once.

    Arguments:
        observed: the data layer.
        channels: where alerts go.
        thresholds: thresholds that are set, by the id of the rule; they count instead of the rule's own.
    """

    def __init__(
        self, observed: Observed, channels: Sequence[Channel] = (), thresholds: Mapping[str, float] | None = None
    ) -> None:
        self._observed = observed
        self._dispatcher = Dispatcher(channels)
        self._thresholds = dict(thresholds or {})
        self._rules: list[AlertRule] = []
        self.reset_after_fork()
        forking.register(self)

    def reset_after_fork(self) -> None:
        """In a forked child: nothing was sent."""
        # Rules that this process has sent while PostgreSQL could not say whether another one had.
        self._without_state: set[str] = set()
        self._process = f"{socket.gethostname()}:{os.getpid()}"

    def list_rules(self) -> list[AlertRule]:
        """Return all rules, by id.

        Raises:
            DatabaseError: the question could not be answered.
        """
        return daylight_queries().alert_rule_list(self._observed.database)

    def add_rule(self, rule: AlertRule) -> None:
        """Store a rule, also in place of the one with its id.

        Raises:
            ValidationError: the rule is refused.
            DatabaseError: it could not be stored.
        """
        values: dict[str, Any] = {
            "id": checks.identifier("id", rule.id),
            "name": validation.text("name", rule.name, maximum=255),
            "metric": checks.choice("metric", rule.metric, METRICS),
            "operator": checks.choice("operator", rule.operator, OPERATORS),
            "threshold": float(validation.number("threshold", rule.threshold)),
            "severity": checks.choice("severity", rule.severity, SEVERITIES),
            "enabled": checks.flag("enabled", rule.enabled),
            **{
                name: _seconds(name, getattr(rule, name))
                for name in ("hold_seconds", "cooldown_seconds", "recover_seconds")
            },
        }
        daylight_queries().alert_rule_upsert(self._observed.database, **values)

    def silence(self, rule_id: str, seconds: float) -> None:
        """Have nothing sent of a rule for a while, by any process.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: it could not be stored, for example because there is no such rule.
        """
        daylight_queries().alert_silence(
            self._observed.database,
            rule_id=checks.identifier("rule_id", rule_id),
            subject="",
            seconds=_seconds("seconds", seconds),
        )

    def list_sent(self, limit: int = 100) -> list[SentAlert]:
        """Return what was sent, newest first.

        Raises:
            ValidationError: ``limit`` is refused.
            DatabaseError: the question could not be answered.
        """
        return daylight_queries().alert_history_list(self._observed.database, row_limit=checks.limit(limit))

    def evaluate(self, values: Mapping[str, float | None], *, is_database_up: bool) -> list[tuple[str, str]]:
        """Compare figures with the rules, and send what this process is to send. Never raises because of a server.

        Arguments:
            values: by the name of the metric; ``None`` is not known.
            is_database_up: whether the rules can be read; else those that were read last count.

        Returns:
            What was sent: ``("high_latency", "alert")``.
        """
        if is_database_up:
            try:
                self._rules = self.list_rules()
            except DatabaseError as error:
                _log.warning("alert rules not read", extra=error_facts(error))
        sent: list[tuple[str, str]] = []
        for rule in self._rules:
            value = values.get(rule.metric)
            if rule.enabled and value is not None:
                threshold = self._thresholds.get(rule.id, rule.threshold)
                decision = self._decision(rule, is_broken=OPERATORS[rule.operator](value, threshold))
                if decision is not None:
                    self._send(rule, decision, value, threshold)
                    sent.append((rule.id, decision))
        return sent

    def test_alert(self) -> None:
        """Send a message by every channel, to see that it arrives."""
        self._dispatcher.send(Message(title="daylight: test", body="This is a test.", severity="info"))

    def dispatched(self) -> dict[str, dict[str, int]]:
        """Return by channel how many messages were ``sent`` and ``failed``."""
        return {"sent": dict(self._dispatcher.sent), "failed": dict(self._dispatcher.failed)}

    def _decision(self, rule: AlertRule, *, is_broken: bool) -> str | None:
        """Return what this process is to send of a rule: ``alert``, ``recovery`` or nothing."""
        try:
            decision = daylight_queries().alert_observe(
                self._observed.database,
                rule_id=rule.id,
                subject="",
                is_broken=is_broken,
                hold=rule.hold_seconds,
                cooldown=rule.cooldown_seconds,
                recover=rule.recover_seconds,
            )
        except DatabaseError:
            return self._decision_without_state(rule, is_broken=is_broken)
        if rule.id in self._without_state and not is_broken:
            return self._decision_without_state(rule, is_broken=False) or decision
        return decision

    def _decision_without_state(self, rule: AlertRule, *, is_broken: bool) -> str | None:
        """Decide by Redis which process sends; without it, each does so once."""
        key = f"daylight:alert:{rule.id}"
        milliseconds = int(max(rule.cooldown_seconds, 1) * 1000)
        if is_broken:
            known = rule.id in self._without_state
            self._without_state.add(rule.id)
            first = self._observed.redis.call(
                lambda client: bool(client.set(key, self._process, nx=True, px=milliseconds)),
                read=False,
                otherwise=not known,
            )
            return "alert" if first else None
        self._without_state.discard(rule.id)
        ended = self._observed.redis.call(lambda client: client.delete(key) == 1, read=False, otherwise=True)
        return "recovery" if ended else None

    def _send(self, rule: AlertRule, decision: str, value: float, threshold: float) -> None:
        _log.warning("alert notification", extra={"rule": rule.id, "kind": decision, "value": value})
        if decision == "recovery":
            message = Message(
                title=f"daylight: {rule.name}: recovered", body=f"{rule.metric} is {value:g}.", severity="recovery"
            )
        else:
            body = f"{rule.metric} is {value:g}, which is {rule.operator} {threshold:g}. Severity: {rule.severity}."
            severity: Any = rule.severity
            message = Message(title=f"daylight: {rule.name}", body=body, severity=severity)
        self._dispatcher.send(message)
        try:
            daylight_queries().alert_history_insert(
                self._observed.database,
                rule_id=rule.id,
                subject="",
                kind=decision,
                severity=rule.severity,
                value=value,
            )
        except DatabaseError as error:
            _log.warning("alert not noted", extra={"rule": rule.id, **error_facts(error)})

    def close(self) -> None:
        """Send what waits, for 5 seconds at the most. Idempotent."""
        self._dispatcher.close()


def _seconds(name: str, value: object) -> float:
    number = float(validation.number(name, value))
    if not 0 <= number <= 31_622_400:  # noqa: PLR2004 - a year
        raise validation.invalid(name, "must be from 0 to 31622400")
    return number
