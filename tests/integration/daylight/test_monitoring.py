"""Monitoring and alerts: what happened is counted, and one outage is one alert and one recovery."""

import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client import CollectorRegistry, generate_latest

from rig import RedisServer
from rig.receivers import HttpReceiver, http_receiver, smtp_receiver
from surf_data import QueryEvent, daylight
from surf_data.daylight import DaylightDataLayer
from surf_data.daylight.alerting import channels
from surf_data.daylight.operation_records import AlertRule
from surf_data.errors import ConfigurationError, DatabaseError, SurfDataError
from surf_data.kernel.monitoring import (
    AppriseChannel,
    Dispatcher,
    Message,
    PrometheusCollector,
    SnsChannel,
    figures,
    instrument,
)
from surf_data.kernel.secret import Secret

Refused = Callable[..., SurfDataError]
Admin = psycopg.Connection[Any]

OLD = """
CREATE TABLE daylight.location_history_old PARTITION OF daylight.location_history
FOR VALUES FROM ('2020-01-06') TO ('2020-01-13')
"""
GONE = "DROP TABLE daylight.location_history_old"
RULE = AlertRule(
    id="overdue", name="Overdue", metric="retention_overdue_days", operator=">", threshold=7, severity="warning"
)


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    """Return an HTTP receiver."""
    with http_receiver() as running:
        yield running


@pytest.fixture
def alerting(app_url: str, redis_url: str, receiver: HttpReceiver, admin: Admin) -> Iterator[DaylightDataLayer]:
    """Open the data layer so that alerts go to the HTTP receiver, without the rules that the schema comes with."""
    admin.execute("DELETE FROM daylight.alert_rules")
    url = f"json://127.0.0.1:{receiver.port}/"
    with daylight.open(app_url, redis_url, node_env="production", alert_urls=url, metrics_interval=1) as data:
        yield data


def test_the_figures_have_the_originals_shape(data: DaylightDataLayer, refused: Refused, user_id: str) -> None:
    """Pool, times, errors, throughput and health, of what happened; what is not known is not made up."""
    data.plans.get_user_plans(user_id)
    with pytest.raises(DatabaseError), data.transaction() as tx:
        tx.sessions._database.run(_statement("SELECT 1/0"), {}, lambda _: None)
    data.monitoring.check_health()
    metrics = data.monitoring.get_metrics()
    assert metrics.keys() == {"connectionPool", "performance", "resources", "health"}
    assert metrics["connectionPool"].keys() == {"active", "idle", "total", "pending", "utilization"}
    assert metrics["performance"]["throughput"]["reads"] >= 1
    assert metrics["performance"]["throughput"]["writes"] >= 2
    assert 0 < metrics["performance"]["errorRate"] < 1
    assert metrics["health"]["status"] == "warning"
    assert set(metrics["resources"].values()) == {None}
    assert ("test", "DatabaseError") in [(each["query"], each["error"]) for each in data.monitoring.get_error_queries()]
    assert "hours" in str(refused(lambda: data.monitoring.get_metrics(0)))
    assert "limit" in str(refused(lambda: data.monitoring.get_slow_queries(0)))


def _statement(sql: str) -> Any:
    from surf_data.kernel.postgres import Statement  # noqa: PLC0415

    return Statement(name="test", sql=sql.encode(), prepare=False)


def test_slow_statements_are_remembered(app_url: str, redis_url: str) -> None:
    """Above the threshold, slowest first, without values; an observer of the caller's is called as well."""
    seen: list[QueryEvent] = []
    with daylight.open(app_url, redis_url, slow_query_ms=0.0001, observer=seen.append) as data:
        data.users.get_user_by_id("kai")
        data.users.get_user_by_id("eve")
        first, second = data.monitoring.get_slow_queries()
    assert first["query"] == "daylight.user_by_id"
    assert first["duration"] >= second["duration"]
    assert [event.query for event in seen if event.kind == "statement"] == ["daylight.user_by_id"] * 2


def test_a_sample_is_what_happened_since_the_last(data: DaylightDataLayer, admin: Admin) -> None:
    """A row for each query and sample: calls, errors, rows and times."""
    for _ in range(3):
        data.users.get_user_by_id("kai")
    assert data.monitoring.sample() >= 1
    data.users.get_user_by_id("kai")
    data.monitoring.sample()
    assert data.monitoring.sample() >= 0
    found = admin.execute(
        "SELECT calls, errors FROM daylight.performance_metrics "
        "WHERE query_name = 'daylight.user_by_id' ORDER BY measured_at"
    ).fetchall()
    assert found == [(3, 0), (1, 0)]


def test_prometheus_scrapes_what_there_is(data: DaylightDataLayer) -> None:
    """Histogram, errors and rows by query, connections by state, and whether Redis is left alone."""
    for _ in range(3):
        data.users.get_user_by_id("kai")
    registry = CollectorRegistry()
    registry.register(PrometheusCollector(data))
    text = generate_latest(registry).decode()
    assert 'surf_data_query_duration_seconds_count{query="daylight.user_by_id"} 3.0' in text
    assert 'surf_data_query_duration_seconds_bucket{le="+Inf",query="daylight.user_by_id"} 3.0' in text
    assert 'surf_data_query_errors_total{query="daylight.user_by_id"} 0.0' in text
    assert 'surf_data_pool_connections{state="max"} 5.0' in text
    assert "surf_data_cache_breaker_open 0.0" in text
    with pytest.raises(ZeroDivisionError), data.transaction():
        raise ZeroDivisionError
    data.redis.call(lambda client: client.get("none"), read=True, otherwise=None)
    text = generate_latest(registry).decode()
    assert "surf_data_transaction_duration_seconds_count 1.0" in text
    assert "surf_data_transaction_errors_total 1.0" in text
    assert 'surf_data_redis_duration_seconds_count{operation="read"} 1.0' in text
    assert 'surf_data_cache_events_total{event="hits"} 0.0' in text
    # The first connection had to be made.
    assert re.search(r'surf_data_pool_wait_duration_seconds_count{query="daylight\.[a-z_]+"} 1\.0', text)
    assert "# TYPE surf_data_retry_duration_seconds histogram" in text


def test_opentelemetry_collects_the_same(data: DaylightDataLayer) -> None:
    """Observable instruments under the semantic conventions' names."""
    data.users.get_user_by_id("kai")
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    instrument(data, provider.get_meter("test"))
    collected = reader.get_metrics_data()
    assert collected is not None
    metrics = {m.name: m for r in collected.resource_metrics for s in r.scope_metrics for m in s.metrics}
    points = {p.attributes["db.query.summary"]: p.value for p in metrics["surf_data.query.count"].data.data_points}
    assert points["daylight.user_by_id"] == 1
    assert {"db.client.connection.count", "db.client.connection.max", "surf_data.query.duration"} <= set(metrics)
    [transactions] = metrics["surf_data.transaction.count"].data.data_points
    assert (transactions.value, metrics["surf_data.pool.wait.count"].unit) == (0, "{wait}")
    hits = {p.attributes["surf_data.cache.event"]: p.value for p in metrics["surf_data.cache.events"].data.data_points}
    assert hits["hits"] == 0
    provider.shutdown()


def test_one_outage_is_one_alert_and_one_recovery(
    alerting: DaylightDataLayer, receiver: HttpReceiver, admin: Admin
) -> None:
    """It is sent when it begins and when it is over, and noted; within the cooldown nothing is sent again."""
    monitoring = alerting.monitoring
    monitoring.alerts.add_rule(RULE)
    assert monitoring.evaluate_rules() == []
    admin.execute(OLD)
    assert monitoring.evaluate_rules() == [("overdue", "alert")]
    assert monitoring.evaluate_rules() == []
    admin.execute(GONE)
    assert monitoring.evaluate_rules() == [("overdue", "recovery")]
    admin.execute(OLD)
    assert monitoring.evaluate_rules() == []
    admin.execute("UPDATE daylight.alert_states SET last_sent_at = now() - interval '301 seconds'")
    assert monitoring.evaluate_rules() == [("overdue", "alert")]
    monitoring.stop()
    assert [message["title"] for message in receiver.received] == [
        "daylight: Overdue",
        "daylight: Overdue: recovered",
        "daylight: Overdue",
    ]
    assert [message["type"] for message in receiver.received] == ["warning", "success", "warning"]
    assert [(sent.kind, sent.rule_id) for sent in monitoring.alerts.list_sent()] == [
        ("alert", "overdue"),
        ("recovery", "overdue"),
        ("alert", "overdue"),
    ]
    assert monitoring.alerts.dispatched() == {"sent": {"alert_urls_1": 3}, "failed": {}}


def test_a_rule_must_hold_and_recovery_must_hold(alerting: DaylightDataLayer, admin: Admin) -> None:
    """What is over before it has held is not sent; neither is a recovery before it has."""
    monitoring = alerting.monitoring
    monitoring.alerts.add_rule(AlertRule(**{**_fields(RULE), "hold_seconds": 60, "recover_seconds": 60}))
    admin.execute(OLD)
    assert monitoring.evaluate_rules() == []
    admin.execute("UPDATE daylight.alert_states SET breached_since = now() - interval '61 seconds'")
    assert monitoring.evaluate_rules() == [("overdue", "alert")]
    admin.execute(GONE)
    assert monitoring.evaluate_rules() == []
    admin.execute("UPDATE daylight.alert_states SET healthy_since = now() - interval '61 seconds'")
    assert monitoring.evaluate_rules() == [("overdue", "recovery")]
    monitoring.alerts.silence("overdue", 3600)
    admin.execute(OLD)
    admin.execute(
        "UPDATE daylight.alert_states SET last_sent_at = NULL, breached_since = now() - interval '61 seconds'"
    )
    assert monitoring.evaluate_rules() == []


def _fields(rule: AlertRule) -> dict[str, Any]:
    return {name: getattr(rule, name) for name in rule.__attrs_attrs__ and [a.name for a in rule.__attrs_attrs__]}


# Eight processes that are forked when the imports are done, and a pipe for each.
_PROCESSES = """
import os, sys
import apprise
from surf_data import daylight
pipes = [os.pipe() for _ in range(8)]
for reading, _ in pipes:
    if not os.fork():
        for _, writing in pipes:
            os.close(writing)
        with daylight.open(sys.argv[1], node_env="production", alert_urls=sys.argv[2]) as data:
            while os.read(reading, 1):
                for _ in range(3):
                    data.monitoring.evaluate_rules()
                os.write(1, b"done\\n")
        os._exit(0)
for line in sys.stdin:
    for _, writing in pipes:
        os.write(writing, b".")
for _, writing in pipes:
    os.close(writing)
sys.exit(max(os.waitstatus_to_exitcode(os.wait()[1]) for _ in pipes))
"""


def test_eight_processes_send_one_alert_and_one_recovery(
    alerting: DaylightDataLayer, app_url: str, receiver: HttpReceiver, admin: Admin
) -> None:
    """Eight processes observe one outage at the same time: each channel gets one alert, and one recovery."""
    alerting.monitoring.alerts.add_rule(RULE)
    admin.execute(OLD)
    url = f"json://127.0.0.1:{receiver.port}/"
    command = [sys.executable, "-c", _PROCESSES, app_url, url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as processes:
        assert processes.stdin is not None
        assert processes.stdout is not None
        for change in (None, GONE):
            if change:
                admin.execute(change)
            processes.stdin.write("go\n")
            processes.stdin.flush()
            assert [processes.stdout.readline() for _ in range(8)] == ["done\n"] * 8
        processes.stdin.close()
        assert processes.wait() == 0
    assert sorted(message["title"] for message in receiver.received) == [
        "daylight: Overdue",
        "daylight: Overdue: recovered",
    ]


def test_without_postgresql_redis_says_who_sends(
    app_url: str, redis_url: str, admin: Admin, receiver: HttpReceiver
) -> None:
    """PostgreSQL away: of two processes one sends, and one the recovery; without Redis each says it once."""
    admin.execute("DELETE FROM daylight.alert_rules WHERE id <> 'database_down'")
    settings: dict[str, Any] = {"node_env": "production", "alert_urls": f"json://127.0.0.1:{receiver.port}/"}
    with (
        daylight.open(app_url, redis_url, **settings) as first,
        daylight.open(app_url, redis_url, **settings) as second,
    ):
        layers = (first, second)
        assert [layer.monitoring.evaluate_rules() for layer in layers] == [[], []]
        services = {"database": False, "cache": True}
        for layer in layers:
            layer.monitoring.check_health = lambda: services  # type: ignore[method-assign]
        admin.execute("ALTER TABLE daylight.alert_states RENAME TO gone")
        assert [layer.monitoring.evaluate_rules() for layer in layers] == [[("database_down", "alert")], []]
        assert [layer.monitoring.evaluate_rules() for layer in layers] == [[], []]
        admin.execute("ALTER TABLE daylight.gone RENAME TO alert_states")
        services["database"] = True
        assert [layer.monitoring.evaluate_rules() for layer in layers] == [[("database_down", "recovery")], []]
    with daylight.open(app_url, **settings) as alone:
        alone.monitoring.evaluate_rules()
        alone.monitoring.check_health = lambda: {"database": False, "cache": True}  # type: ignore[method-assign]
        admin.execute("ALTER TABLE daylight.alert_states RENAME TO gone")
        admin.execute("ALTER TABLE daylight.alert_history RENAME TO gone_too")
        assert [alone.monitoring.evaluate_rules() for _ in range(2)] == [[("database_down", "alert")], []]


def test_figures_that_rules_compare(
    alerting: DaylightDataLayer,
    own_redis: Callable[..., RedisServer],
    app_url: str,
    caplog: pytest.LogCaptureFixture,
    admin: Admin,
) -> None:
    """Few statements make no rate; enough do; a breaker that is open counts; tables that are gone are a warning."""
    monitoring = alerting.monitoring
    for _ in range(30):
        alerting.users.get_user_by_id("kai")
    values = monitoring._values({"database": True, "cache": True})
    assert values["average_query_ms"] > 0
    assert monitoring._values({"database": True, "cache": True})["average_query_ms"] == 0
    server = own_redis()
    with daylight.open(app_url, server.url, cache_breaker_failures=1, cache_breaker_seconds=60) as data:
        server.kill()
        data.cache.get_weather_cache("x")
        assert figures(data).breaker_open is True
        assert data.monitoring.check_health() == {"database": True, "cache": False}
        assert data.monitoring.consecutive_failures() == {"database": 0, "cache": 1}
        assert data.monitoring.uptime_share() == 0
    admin.execute("ALTER TABLE daylight.retention_policies RENAME TO gone")
    admin.execute("ALTER TABLE daylight.alert_rules RENAME TO gone_too")
    assert monitoring.evaluate_rules() == []
    assert "retention not looked at" in [record.msg for record in caplog.records]
    assert "alert rules not read" in [record.msg for record in caplog.records]


def test_the_sampler_runs_until_it_is_stopped(
    alerting: DaylightDataLayer, receiver: HttpReceiver, admin: Admin, caplog: pytest.LogCaptureFixture
) -> None:
    """It evaluates and samples by itself, starts once, and a server that is away is a warning."""
    monitoring = alerting.monitoring
    monitoring.alerts.add_rule(RULE)
    admin.execute(OLD)
    admin.execute("ALTER TABLE daylight.performance_metrics RENAME TO gone")
    evaluated, evaluate = threading.Event(), monitoring.evaluate_rules
    twice: list[int] = []

    def observed() -> list[tuple[str, str]]:
        twice.append(1)
        if len(twice) == 2:
            evaluated.set()
        return evaluate()

    monitoring.evaluate_rules = observed  # type: ignore[method-assign]
    monitoring.start_monitoring()
    monitoring.start_monitoring()
    assert monitoring.is_started
    assert evaluated.wait(30)
    monitoring.stop()
    assert not monitoring.is_started
    assert len(receiver.received) == 1
    assert "sample not written" in [record.msg for record in caplog.records]


def test_email_and_slack_and_sns_arrive(receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each channel sends to a real receiver: SMTP, a webhook, SNS's protocol."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "planted-key")
    message = Message(title="daylight: x", body="y is 2.", severity="critical")
    with smtp_receiver() as smtp:
        mail = AppriseChannel("mail", Secret(f"mailto://127.0.0.1:{smtp.port}?from=a@example.org&to=ops@example.org"))
        mail.check()
        topic = SnsChannel("arn:aws:sns:us-east-1:1:alerts", f"http://127.0.0.1:{receiver.port}")
        topic.check()
        dispatcher = Dispatcher([mail, topic, AppriseChannel("hook", Secret(f"json://127.0.0.1:{receiver.port}"))])
        dispatcher.send(message)
        dispatcher.close(30)
        assert dispatcher.sent == {"mail": 1, "sns": 1, "hook": 1}
        [arrived] = smtp.received
    assert (arrived["Subject"], arrived["To"]) == ("daylight: x", "ops@example.org")
    by_kind = {("Subject" in document): document for document in receiver.received}
    assert by_kind[True]["TopicArn"].endswith(":alerts")
    assert by_kind[False]["message"] == "y is 2."


def test_a_channel_that_hangs_costs_no_caller_anything(
    receiver: HttpReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    """Sending returns at once, another channel goes on, the oldest waiting is dropped and counted."""
    receiver.hangs.set()
    with http_receiver() as well:
        hung = AppriseChannel("hung", Secret(f"json://planted:secret@127.0.0.1:{receiver.port}"))
        other = AppriseChannel("other", Secret(f"json://127.0.0.1:{well.port}"))
        dispatcher = Dispatcher([hung, other], pauses=())
        for number in range(150):
            dispatcher.send(Message(title=str(number), body="x", severity="info"))
        receiver.hangs.clear()
        receiver.released.set()
        dispatcher.close(60)
        assert dispatcher.dropped > 0
        assert well.received[-1]["title"] == receiver.received[-1]["title"] == "149"
        dispatcher.send(Message(title="late", body="x", severity="info"))
        dispatcher.close()
    assert "planted" not in caplog.text


def test_what_does_not_arrive_is_tried_again(receiver: HttpReceiver, caplog: pytest.LogCaptureFixture) -> None:
    """Three tries, then it is a failure; an error of a channel is its class alone."""
    receiver.status = 500
    refusing = AppriseChannel("refusing", Secret(f"json://127.0.0.1:{receiver.port}"))
    broken = AppriseChannel("broken", Secret("nothing://x"))
    dispatcher = Dispatcher([refusing, broken], pauses=(0.001, 0.001))
    dispatcher.send(Message(title="x", body="x", severity="info"))
    dispatcher.close(30)
    assert dispatcher.failed == {"refusing": 1, "broken": 1}
    assert len(receiver.received) == 3
    assert {record.error for record in caplog.records if record.msg == "alert not sent"} == {
        "refused",
        "ConfigurationError",
    }  # type: ignore[attr-defined]


def test_settings_name_channels(app_url: str) -> None:
    """Production alone sends; an address without a server, a topic that is none and a bad URL are refused by name."""
    settings: dict[str, Any] = {
        "node_env": "production",
        "alert_email": "ops@example.org",
        "alert_smtp_url": "mailto://u:p@mail.example.org",
        "alert_slack_webhook": "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
        "alert_sns_topic": "arn:aws:sns:us-east-1:1:alerts",
        "alert_urls": "json://a, json://b",
    }
    with daylight.open(app_url, **settings) as data:
        found = channels(data.own_settings)
    assert [channel.name for channel in found] == [
        "alert_email",
        "alert_slack_webhook",
        "sns",
        "alert_urls_1",
        "alert_urls_2",
    ]
    for channel in found:
        channel.check()  # type: ignore[attr-defined]
    with daylight.open(app_url, **{**settings, "node_env": "development"}) as data:
        assert channels(data.own_settings) == []
        data.monitoring.alerts.test_alert()
    for changes, name in (
        ({"alert_smtp_url": None}, "alert_smtp_url"),
        ({"alert_sns_topic": "topic"}, "alert_sns_topic"),
    ):
        with pytest.raises(ConfigurationError) as caught:
            daylight.open(app_url, **{**settings, **changes})
        assert caught.value.setting == name
    with pytest.raises(ConfigurationError, match="none that apprise knows"):
        AppriseChannel("x", Secret("nowhere")).check()


def test_thresholds_that_are_set_win(app_url: str, admin: Admin) -> None:
    """DB_LATENCY_THRESHOLD and its like count instead of the rule's own."""
    with daylight.open(app_url, connection_threshold=0.0) as data:
        data.users.get_user_by_id("kai")
        assert data.monitoring.alerts._thresholds == {"connection_limit": 0.0}
        with data.transaction():
            assert ("connection_limit", "alert") in data.monitoring.evaluate_rules()


def test_bad_rules_are_refused(data: DaylightDataLayer, refused: Refused) -> None:
    """What is no metric, operator, severity or number of seconds."""
    add = data.monitoring.alerts.add_rule
    for name, value in (
        ("metric", "mood"),
        ("operator", "!="),
        ("severity", "bad"),
        ("threshold", float("nan")),
        ("hold_seconds", -1),
    ):
        assert name in str(refused(lambda name=name, value=value: add(AlertRule(**{**_fields(RULE), name: value}))))
    assert "seconds" in str(refused(lambda: data.monitoring.alerts.silence("x", -1)))
    assert [rule.id for rule in data.monitoring.alerts.list_rules()][:2] == ["breaker_open", "connection_limit"]


def test_a_rule_that_is_disabled_sends_nothing(alerting: DaylightDataLayer, admin: Admin) -> None:
    """Whatever is the case."""
    alerting.monitoring.alerts.add_rule(AlertRule(**{**_fields(RULE), "enabled": False}))
    admin.execute(OLD)
    assert alerting.monitoring.evaluate_rules() == []


def test_nothing_was_done_before_the_first_statement(app_url: str, refused: Refused) -> None:
    """A sample of nothing writes nothing; the window of samples is refused by name."""
    with daylight.open(app_url) as data:
        assert data.monitoring.sample() == 0
        assert data.monitoring.read_window() == []
        assert "hours" in str(refused(lambda: data.monitoring.read_window(8785)))


def test_many_threads_may_send(receiver: HttpReceiver) -> None:
    """Threads that send at once share the channel's one thread."""
    dispatcher = Dispatcher([AppriseChannel("hook", Secret(f"json://127.0.0.1:{receiver.port}"))])
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: dispatcher.send(Message(title=str(n), body="x", severity="info")), range(16)))
    dispatcher.close(30)
    assert len(receiver.received) == 16
    assert re.fullmatch(r"\d+", receiver.received[0]["title"])
