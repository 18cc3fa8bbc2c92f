-- Errors of the application.

-- name: error_groups(hours, row_limit)
-- Errors of the last hours that have one origin, the most frequent first.
-- example: hours=24, row_limit=100
SELECT
    el.fingerprint,
    min(el.name) AS name,
    min(el.message) AS message,
    min(el.severity) AS severity,
    count(*) AS errors,
    min(el.occurred_at) AS first_at,
    max(el.occurred_at) AS last_at
FROM daylight.error_logs AS el
WHERE el.occurred_at >= CURRENT_TIMESTAMP - make_interval(hours => :hours::int4)
GROUP BY el.fingerprint
ORDER BY count(*) DESC, el.fingerprint
LIMIT :row_limit::bigint;

-- name: error_insert(id, severity, name, message, stack, context, user_id, fingerprint)<!
-- Records an error, now.
INSERT INTO daylight.error_logs (
    id, occurred_at, severity, name, message, stack, context, user_id, fingerprint
) VALUES (
    :id::text,
    CURRENT_TIMESTAMP,
    :severity::text,
    :name::text,
    :message::text,
    :stack::text,
    :context::jsonb,
    :user_id::text,
    :fingerprint::text
)
RETURNING id, message, stack, name, context, user_id, occurred_at, severity, resolved, fingerprint;

-- name: error_list(severity, before_occurred_at, before_id, row_limit)
-- Errors, newest first, of one severity or all, from before a known one or from the newest.
-- example: severity='critical', before_occurred_at=null, before_id=null, row_limit=100
-- plan: custom
SELECT
    el.id,
    el.message,
    el.stack,
    el.name,
    el.context,
    el.user_id,
    el.occurred_at,
    el.severity,
    el.resolved,
    el.fingerprint
FROM daylight.error_logs AS el
WHERE
    (:severity::text IS NULL OR el.severity = :severity::text)
    AND (el.occurred_at, el.id) < (
        COALESCE(:before_occurred_at::timestamptz, 'infinity'::timestamptz),
        COALESCE(:before_id::text, '')
    )
ORDER BY el.occurred_at DESC, el.id DESC
LIMIT :row_limit::bigint;

-- name: error_resolve(error_id)!
-- Marks an error as resolved.
-- retry: idempotent
UPDATE daylight.error_logs AS el
SET resolved = true
WHERE el.id = :error_id::text AND NOT el.resolved;
