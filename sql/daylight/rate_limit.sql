-- How often what may be done, and what was used of it while Redis is away.

-- name: rate_limit_clean(row_limit)!
-- Deletes a portion of the states that have no meaning any more.
-- example: row_limit=5000
DELETE FROM daylight.rate_limit_states
WHERE limit_key IN (
        SELECT rs.limit_key
        FROM daylight.rate_limit_states AS rs
        WHERE rs.expires_at <= CURRENT_TIMESTAMP
        ORDER BY rs.expires_at
        LIMIT :row_limit::bigint
        FOR UPDATE SKIP LOCKED
    );

-- name: rate_limit_delete(limit_id)!
-- Deletes a limit.
DELETE FROM daylight.rate_limits
WHERE id = :limit_id::text;

-- name: rate_limit_hit(limit_keys, algorithms, requests, windows, blocks, cost)
-- Uses some of several limits, of all or of none; see the function. Microseconds.
SELECT
    h.is_allowed,
    h.remaining,
    h.retry_after,
    h.reset_at
FROM daylight.rate_limit_hit(
        :limit_keys::text[],
        :algorithms::text[],
        :requests::bigint[],
        :windows::bigint[],
        :blocks::bigint[],
        :cost::bigint
    ) AS h
ORDER BY h.ordinal;

-- name: rate_limit_list()
-- All limits, by priority.
SELECT
    rl.id,
    rl.name,
    rl.algorithm,
    rl.requests,
    rl.window_ms,
    rl.scope,
    rl.endpoints,
    rl.methods,
    rl.action,
    rl.block_ms,
    rl.enabled,
    rl.priority,
    rl.on_failure,
    rl.on_failure_last
FROM daylight.rate_limits AS rl
ORDER BY rl.priority DESC, rl.id ASC;

-- name: rate_limit_reset(limit_keys)!
-- Forgets what was used.
DELETE FROM daylight.rate_limit_states
WHERE limit_key = ANY(:limit_keys::text[]);

-- name: rate_limit_upsert(id, name, algorithm, requests, window_ms, scope, endpoints, methods, action, block_ms, enabled, priority, on_failure, on_failure_last)<!
-- Stores a limit, also in place of the one with its id.
-- retry: idempotent
INSERT INTO daylight.rate_limits AS rl (
    id,
    name,
    algorithm,
    requests,
    window_ms,
    scope,
    endpoints,
    methods,
    action,
    block_ms,
    enabled,
    priority,
    on_failure,
    on_failure_last
) VALUES (
    :id::text,
    :name::text,
    :algorithm::text,
    :requests::bigint,
    :window_ms::bigint,
    :scope::text,
    :endpoints::text[],
    :methods::text[],
    :action::text,
    :block_ms::bigint,
    :enabled::boolean,
    :priority::bigint,
    :on_failure::text,
    :on_failure_last::text
)
ON CONFLICT (id) DO UPDATE
    SET
        name = excluded.name,
        algorithm = excluded.algorithm,
        requests = excluded.requests,
        window_ms = excluded.window_ms,
        scope = excluded.scope,
        endpoints = excluded.endpoints,
        methods = excluded.methods,
        action = excluded.action,
        block_ms = excluded.block_ms,
        enabled = excluded.enabled,
        priority = excluded.priority,
        on_failure = excluded.on_failure,
        on_failure_last = excluded.on_failure_last,
        updated_at = CURRENT_TIMESTAMP
RETURNING
    rl.id,
    rl.name,
    rl.algorithm,
    rl.requests,
    rl.window_ms,
    rl.scope,
    rl.endpoints,
    rl.methods,
    rl.action,
    rl.block_ms,
    rl.enabled,
    rl.priority,
    rl.on_failure,
    rl.on_failure_last;
