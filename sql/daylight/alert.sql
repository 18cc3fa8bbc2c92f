-- Rules, what is known of each, and what was sent.

-- name: alert_history_insert(rule_id, subject, kind, severity, value)!
-- Notes what was sent.
INSERT INTO daylight.alert_history (rule_id, subject, kind, severity, value)
VALUES (
    :rule_id::text,
    :subject::text,
    :kind::text,
    :severity::text,
    :value::float8
);

-- name: alert_history_list(row_limit)
-- What was sent, newest first.
SELECT
    ah.rule_id,
    ah.subject,
    ah.kind,
    ah.severity,
    ah.value,
    ah.sent_at
FROM daylight.alert_history AS ah
ORDER BY ah.sent_at DESC, ah.id DESC
LIMIT :row_limit::bigint;

-- name: alert_observe(rule_id, subject, is_broken, hold, cooldown, recover)$
-- Notes whether a rule is broken; 'alert' or 'recovery' for the one process that is to send it. See the function.
SELECT daylight.alert_observe(
    :rule_id::text,
    :subject::text,
    :is_broken::boolean,
    :hold::float8,
    :cooldown::float8,
    :recover::float8
) AS decision;

-- name: alert_rule_list()
-- All rules, by id.
SELECT
    ar.id,
    ar.name,
    ar.metric,
    ar.operator,
    ar.threshold,
    ar.severity,
    ar.enabled,
    ar.hold_seconds,
    ar.cooldown_seconds,
    ar.recover_seconds
FROM daylight.alert_rules AS ar
ORDER BY ar.id;

-- name: alert_rule_upsert(id, name, metric, operator, threshold, severity, enabled, hold_seconds, cooldown_seconds, recover_seconds)!
-- Stores a rule, also in place of the one with its id.
-- retry: idempotent
INSERT INTO daylight.alert_rules AS ar (
    id, name, metric, operator, threshold, severity, enabled, hold_seconds, cooldown_seconds, recover_seconds
) VALUES (
    :id::text,
    :name::text,
    :metric::text,
    :operator::text,
    :threshold::float8,
    :severity::text,
    :enabled::boolean,
    :hold_seconds::float8,
    :cooldown_seconds::float8,
    :recover_seconds::float8
)
ON CONFLICT (id) DO UPDATE
    SET
        name = excluded.name,
        metric = excluded.metric,
        operator = excluded.operator,
        threshold = excluded.threshold,
        severity = excluded.severity,
        enabled = excluded.enabled,
        hold_seconds = excluded.hold_seconds,
        cooldown_seconds = excluded.cooldown_seconds,
        recover_seconds = excluded.recover_seconds,
        updated_at = CURRENT_TIMESTAMP;

-- name: alert_silence(rule_id, subject, seconds)!
-- Has nothing sent of a rule for a while.
-- retry: idempotent
INSERT INTO daylight.alert_states AS s (rule_id, subject, state, silenced_until)
VALUES (:rule_id::text, :subject::text, 'ok', CURRENT_TIMESTAMP + make_interval(secs => :seconds::float8))
ON CONFLICT (rule_id, subject) DO UPDATE SET silenced_until = excluded.silenced_until;

-- name: metric_insert_many(queries, process, moment, calls, errors, row_counts, totals, p95s, longest)!
-- Notes what each query of a process did in a while.
-- retry: idempotent
INSERT INTO daylight.performance_metrics (
    query_name, process, measured_at, calls, errors, rows, total_ms, p95_ms, max_ms
)
SELECT
    e.query_name,
    :process::text AS process,
    :moment::timestamptz AS measured_at,
    e.calls,
    e.errors,
    e.row_count,
    e.total_ms,
    e.p95_ms,
    e.max_ms
FROM
    unnest(
        :queries::text[],
        :calls::bigint[],
        :errors::bigint[],
        :row_counts::bigint[],
        :totals::float8[],
        :p95s::float8[],
        :longest::float8[]
    ) AS e (query_name, calls, errors, row_count, total_ms, p95_ms, max_ms)
ON CONFLICT DO NOTHING;

-- name: metric_window(since)
-- What each query did since a moment, in all processes, the one that took the longest in all first.
SELECT
    pm.query_name,
    sum(pm.calls)::bigint AS calls,
    sum(pm.errors)::bigint AS errors,
    sum(pm.total_ms) / greatest(sum(pm.calls), 1) AS average_ms,
    max(pm.max_ms) AS max_ms
FROM daylight.performance_metrics AS pm
WHERE pm.measured_at >= :since::timestamptz
GROUP BY pm.query_name
ORDER BY sum(pm.total_ms) DESC, pm.query_name
LIMIT 1000;

-- name: retention_overdue_days()$
-- For how many days the oldest partition of locations that should be gone is overdue, set aside or not. The catalog says
-- so: no row is read.
SELECT
    COALESCE(
        max(
            extract(EPOCH FROM CURRENT_TIMESTAMP - make_interval(days => rp.keep_days::int4) - part.ends_at) / 86400
        ),
        0
    )::float8 AS overdue_days
FROM daylight.retention_policies AS rp
CROSS JOIN
    LATERAL (
        SELECT substring(bounds.expression FROM 'TO \(''([^'']+)''\)')::timestamptz AS ends_at
        FROM pg_inherits AS pi
        INNER JOIN pg_class AS pc ON pi.inhrelid = pc.oid
        CROSS JOIN LATERAL pg_get_expr(pc.relpartbound, pc.oid) AS bounds (expression)
        WHERE pi.inhparent = 'daylight.location_history'::regclass
        UNION ALL
        SELECT substring(pd.description FROM ' to (.*)$')::timestamptz AS ends_at
        FROM pg_description AS pd
        WHERE
            pd.classoid = 'pg_class'::regclass
            AND pd.objsubid = 0
            AND starts_with(pd.description, 'expired partition of daylight.location_history, from ')
    ) AS part
WHERE
    rp.table_name = 'location_history'
    AND rp.enabled
    AND part.ends_at < CURRENT_TIMESTAMP - make_interval(days => rp.keep_days::int4);
