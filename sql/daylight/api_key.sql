-- Keys of the API, found by their hash, and what was done with them.

-- name: api_key_insert(id, name, key_hash, key_preview, user_id, organization_id, scopes, allowed_endpoints, allowed_methods, ip_whitelist, environment, expires_at, description, tags, created_by)<!
-- Stores a key.
INSERT INTO daylight.api_keys (
    id,
    name,
    key_hash,
    key_preview,
    user_id,
    organization_id,
    scopes,
    allowed_endpoints,
    allowed_methods,
    ip_whitelist,
    environment,
    expires_at,
    description,
    tags,
    created_by
) VALUES (
    :id::text,
    :name::text,
    :key_hash::text,
    :key_preview::text,
    :user_id::text,
    :organization_id::text,
    :scopes::text[],
    :allowed_endpoints::text[],
    :allowed_methods::text[],
    :ip_whitelist::text[],
    :environment::text,
    :expires_at::timestamptz,
    :description::text,
    :tags::jsonb,
    :created_by::text
)
RETURNING
    id,
    name,
    key_preview,
    user_id,
    organization_id,
    scopes,
    allowed_endpoints,
    allowed_methods,
    ip_whitelist,
    status,
    environment,
    expires_at,
    last_used_at,
    description,
    tags,
    created_at,
    updated_at,
    created_by;

-- name: api_key_list(user_id)
-- Keys of a user, oldest first.
SELECT
    ak.id,
    ak.name,
    ak.key_preview,
    ak.user_id,
    ak.organization_id,
    ak.scopes,
    ak.allowed_endpoints,
    ak.allowed_methods,
    ak.ip_whitelist,
    ak.status,
    ak.environment,
    ak.expires_at,
    ak.last_used_at,
    ak.description,
    ak.tags,
    ak.created_at,
    ak.updated_at,
    ak.created_by
FROM daylight.api_keys AS ak
WHERE ak.user_id = :user_id::text
ORDER BY ak.created_at, ak.id
LIMIT 10000;

-- name: api_key_rotate(key_id, user_id, new_id, key_hash, key_preview, overlap_seconds)<!
-- Gives a key that is not revoked a successor with the same rights; the old one expires after an overlap.
WITH old AS (
    UPDATE daylight.api_keys AS ak
    SET
        expires_at = least(
            COALESCE(ak.expires_at, 'infinity'),
            CURRENT_TIMESTAMP + make_interval(secs => :overlap_seconds::float8)
        ),
        updated_at = CURRENT_TIMESTAMP
    WHERE ak.id = :key_id::text AND ak.user_id = :user_id::text AND ak.status <> 'revoked'
    RETURNING
        ak.name,
        ak.organization_id,
        ak.scopes,
        ak.allowed_endpoints,
        ak.allowed_methods,
        ak.ip_whitelist,
        ak.environment,
        ak.description,
        ak.tags
)

INSERT INTO daylight.api_keys (
    id,
    name,
    key_hash,
    key_preview,
    user_id,
    organization_id,
    scopes,
    allowed_endpoints,
    allowed_methods,
    ip_whitelist,
    environment,
    description,
    tags,
    created_by
)
SELECT
    :new_id::text AS id,
    o.name,
    :key_hash::text AS key_hash,
    :key_preview::text AS key_preview,
    :user_id::text AS user_id,
    o.organization_id,
    o.scopes,
    o.allowed_endpoints,
    o.allowed_methods,
    o.ip_whitelist,
    o.environment,
    o.description,
    o.tags,
    :user_id::text AS created_by
FROM old AS o
RETURNING
    id,
    name,
    key_preview,
    user_id,
    organization_id,
    scopes,
    allowed_endpoints,
    allowed_methods,
    ip_whitelist,
    status,
    environment,
    expires_at,
    last_used_at,
    description,
    tags,
    created_at,
    updated_at,
    created_by;

-- name: api_key_update(key_id, user_id, changed, name, status, scopes, allowed_endpoints, allowed_methods, ip_whitelist, expires_at, description, tags)<!
-- Changes the named columns of a user's key, and no other. A key that was revoked stays so: then there is no row.
-- retry: idempotent
UPDATE daylight.api_keys AS ak
SET
    name = CASE WHEN 'name' = ANY(:changed::text[]) THEN :name::text ELSE ak.name END,
    status = CASE WHEN 'status' = ANY(:changed::text[]) THEN :status::text ELSE ak.status END,
    scopes = CASE WHEN 'scopes' = ANY(:changed::text[]) THEN :scopes::text[] ELSE ak.scopes END,
    allowed_endpoints = CASE
        WHEN 'allowed_endpoints' = ANY(:changed::text[]) THEN :allowed_endpoints::text[] ELSE ak.allowed_endpoints
    END,
    allowed_methods = CASE
        WHEN 'allowed_methods' = ANY(:changed::text[]) THEN :allowed_methods::text[] ELSE ak.allowed_methods
    END,
    ip_whitelist = CASE
        WHEN 'ip_whitelist' = ANY(:changed::text[]) THEN :ip_whitelist::text[] ELSE ak.ip_whitelist
    END,
    expires_at = CASE WHEN 'expires_at' = ANY(:changed::text[]) THEN :expires_at::timestamptz ELSE ak.expires_at END,
    description = CASE WHEN 'description' = ANY(:changed::text[]) THEN :description::text ELSE ak.description END,
    tags = CASE WHEN 'tags' = ANY(:changed::text[]) THEN :tags::jsonb ELSE ak.tags END,
    updated_at = CURRENT_TIMESTAMP
WHERE
    ak.id = :key_id::text
    AND ak.user_id = :user_id::text
    AND (ak.status <> 'revoked' OR 'status' = ANY(:changed::text[]) AND :status::text = 'revoked')
RETURNING
    ak.id,
    ak.name,
    ak.key_preview,
    ak.user_id,
    ak.organization_id,
    ak.scopes,
    ak.allowed_endpoints,
    ak.allowed_methods,
    ak.ip_whitelist,
    ak.status,
    ak.environment,
    ak.expires_at,
    ak.last_used_at,
    ak.description,
    ak.tags,
    ak.created_at,
    ak.updated_at,
    ak.created_by;

-- name: api_key_validate(key_hash)^
-- The key with a hash, and whether it has expired. Its last use is noted in the same statement, once a minute at the
-- most: it is read far more often than anybody looks at that.
WITH touched AS (
    UPDATE daylight.api_keys AS ak
    SET last_used_at = CURRENT_TIMESTAMP
    WHERE
        ak.key_hash = :key_hash::text
        AND ak.status = 'active'
        AND (ak.expires_at IS NULL OR ak.expires_at > CURRENT_TIMESTAMP)
        AND (ak.last_used_at IS NULL OR ak.last_used_at < CURRENT_TIMESTAMP - interval '1 minute')
)

SELECT
    ak.id,
    ak.name,
    ak.key_preview,
    ak.user_id,
    ak.organization_id,
    ak.scopes,
    ak.allowed_endpoints,
    ak.allowed_methods,
    ak.ip_whitelist,
    ak.status,
    ak.environment,
    ak.expires_at,
    ak.last_used_at,
    ak.description,
    ak.tags,
    ak.created_at,
    ak.updated_at,
    ak.created_by,
    COALESCE(ak.expires_at <= CURRENT_TIMESTAMP, false) AS is_expired
FROM daylight.api_keys AS ak
WHERE ak.key_hash = :key_hash::text;

-- name: api_usage_record(ids, key_ids, user_ids, endpoints, methods, status_codes, times_ms, request_sizes, response_sizes, limited, ip_addresses, user_agents, error_codes, moments)$
-- Records calls of the API, and adds them to the sums of their hours; returns how many are new. A call that was recorded
-- before is left out of both, so the statement can be repeated.
-- retry: idempotent
WITH stored AS (
    INSERT INTO daylight.api_usage (
        id,
        api_key_id,
        user_id,
        endpoint,
        method,
        status_code,
        response_time_ms,
        request_size,
        response_size,
        rate_limit_hit,
        ip_address,
        user_agent,
        error_code,
        occurred_at
    )
    SELECT
        e.id,
        e.api_key_id,
        e.user_id,
        e.endpoint,
        e.method,
        e.status_code,
        e.response_time_ms,
        e.request_size,
        e.response_size,
        e.rate_limit_hit,
        e.ip_address,
        e.user_agent,
        e.error_code,
        e.occurred_at
    FROM
        unnest(
            :ids::text[],
            :key_ids::text[],
            :user_ids::text[],
            :endpoints::text[],
            :methods::text[],
            :status_codes::bigint[],
            :times_ms::float8[],
            :request_sizes::bigint[],
            :response_sizes::bigint[],
            :limited::boolean[],
            :ip_addresses::inet[],
            :user_agents::text[],
            :error_codes::text[],
            :moments::timestamptz[]
        ) AS e (
            id,
            api_key_id,
            user_id,
            endpoint,
            method,
            status_code,
            response_time_ms,
            request_size,
            response_size,
            rate_limit_hit,
            ip_address,
            user_agent,
            error_code,
            occurred_at
        )
    ON CONFLICT (id, occurred_at) DO NOTHING
    RETURNING api_key_id, endpoint, status_code, response_time_ms, request_size, response_size, occurred_at
),

summed AS (
    INSERT INTO daylight.api_usage_hourly AS h (
        api_key_id, endpoint, hour, calls, errors, total_ms, request_bytes, response_bytes
    )
    SELECT
        s.api_key_id,
        s.endpoint,
        date_bin('1 hour', s.occurred_at, '2000-01-01 00:00:00+00') AS hour,
        count(*) AS calls,
        count(*) FILTER (WHERE s.status_code >= 400) AS errors,
        sum(s.response_time_ms) AS total_ms,
        sum(s.request_size)::bigint AS request_bytes,
        sum(s.response_size)::bigint AS response_bytes
    FROM stored AS s
    GROUP BY s.api_key_id, date_bin('1 hour', s.occurred_at, '2000-01-01 00:00:00+00'), s.endpoint
    ORDER BY s.api_key_id, date_bin('1 hour', s.occurred_at, '2000-01-01 00:00:00+00'), s.endpoint
    ON CONFLICT (api_key_id, hour, endpoint) DO UPDATE
        SET
            calls = h.calls + excluded.calls,
            errors = h.errors + excluded.errors,
            total_ms = h.total_ms + excluded.total_ms,
            request_bytes = h.request_bytes + excluded.request_bytes,
            response_bytes = h.response_bytes + excluded.response_bytes
)

SELECT count(*) AS recorded
FROM stored;

-- name: api_usage_series(key_id, since, until, bucket)
-- What a key was used for between two moments, by buckets of whole hours, from the sums of the hours.
SELECT
    date_bin(COALESCE(:bucket::interval, interval '1 hour'), h.hour, '2000-01-01 00:00:00+00') AS bucket,
    sum(h.calls)::bigint AS calls,
    sum(h.errors)::bigint AS errors,
    sum(h.total_ms) / sum(h.calls) AS average_ms,
    sum(h.request_bytes)::bigint AS request_bytes,
    sum(h.response_bytes)::bigint AS response_bytes
FROM daylight.api_usage_hourly AS h
WHERE
    h.api_key_id = :key_id::text
    AND h.hour >= :since::timestamptz
    AND h.hour < :until::timestamptz
GROUP BY date_bin(COALESCE(:bucket::interval, interval '1 hour'), h.hour, '2000-01-01 00:00:00+00')
ORDER BY date_bin(COALESCE(:bucket::interval, interval '1 hour'), h.hour, '2000-01-01 00:00:00+00');
