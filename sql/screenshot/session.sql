-- Sessions of users. session_id is the SHA-256 of a token, in hexadecimal; only its holder knows the token.

-- name: session_by_id(id)^
-- A session, whatever its state.
SELECT
    s.id,
    s.session_id,
    s.status,
    s.type,
    s.expires_at,
    s.last_active_at,
    s.ip_address,
    s.user_agent,
    s.device_id,
    s.device_type,
    s.browser,
    s.browser_version,
    s.operating_system,
    s.os_version,
    s.country,
    s.city,
    s.timezone,
    s.session_data,
    s.metadata,
    s.request_count,
    s.revoked_at,
    s.revoked_reason,
    s.user_id,
    s.created_at,
    s.updated_at
FROM screenshot.sessions AS s
WHERE s.id = :id::uuid;

-- name: session_by_session_id(session_id)^
-- The session of an active user for a token, unless it has ended.
SELECT
    s.id,
    s.session_id,
    s.status,
    s.type,
    s.expires_at,
    s.last_active_at,
    s.ip_address,
    s.user_agent,
    s.device_id,
    s.device_type,
    s.browser,
    s.browser_version,
    s.operating_system,
    s.os_version,
    s.country,
    s.city,
    s.timezone,
    s.session_data,
    s.metadata,
    s.request_count,
    s.revoked_at,
    s.revoked_reason,
    s.user_id,
    s.created_at,
    s.updated_at
FROM screenshot.sessions AS s
INNER JOIN screenshot.users AS u ON s.user_id = u.id
WHERE
    s.session_id = :session_id::text
    AND s.status = 'active'
    AND s.expires_at > clock_timestamp()
    AND u.status = 'active';

-- name: session_data(session_id, session_data, expected)$
-- Replaces what a session holds if it is what was read before; null expects nothing. Whether it was replaced; no row
-- when there is no such session.
UPDATE screenshot.sessions AS s
SET
    session_data = CASE
        WHEN :expected::jsonb IS NULL OR s.session_data = :expected::jsonb THEN :session_data::jsonb ELSE s.session_data
    END,
    updated_at = clock_timestamp()
WHERE s.session_id = :session_id::text AND s.status = 'active' AND s.expires_at > clock_timestamp()
RETURNING s.session_data = :session_data::jsonb AS replaced;

-- name: session_expire(row_limit)!
-- Marks sessions whose time is up as expired.
-- plan: custom
-- example: row_limit=1000
WITH ended AS (
    SELECT s.id
    FROM screenshot.sessions AS s
    WHERE s.expires_at <= clock_timestamp() AND s.status = 'active'
    ORDER BY s.expires_at DESC
    LIMIT :row_limit::int8
    FOR UPDATE SKIP LOCKED
)

UPDATE screenshot.sessions AS s
SET status = 'expired', updated_at = clock_timestamp()
FROM ended
WHERE s.id = ended.id;

-- name: session_extend(session_id, seconds)$
-- Lets a session that has not ended go on for so many seconds from now; when it ends.
-- accept: NOT-HOT it is found or ordered by what changes
UPDATE screenshot.sessions AS s
SET expires_at = clock_timestamp() + make_interval(secs => :seconds::int4), updated_at = clock_timestamp()
WHERE s.session_id = :session_id::text AND s.status = 'active' AND s.expires_at > clock_timestamp()
RETURNING s.expires_at;

-- name: session_insert(id, seconds, session_id, type, ip_address, user_agent, device_id, device_type, browser, browser_version, operating_system, os_version, country, city, timezone, session_data, metadata, user_id)<!
-- Begins a session that ends by itself, for an active user; no row for another one.
INSERT INTO screenshot.sessions (
    id,
    expires_at,
    session_id,
    type,
    ip_address,
    user_agent,
    device_id,
    device_type,
    browser,
    browser_version,
    operating_system,
    os_version,
    country,
    city,
    timezone,
    session_data,
    metadata,
    user_id
)
SELECT
    :id::uuid,
    clock_timestamp() + make_interval(secs => :seconds::int4),
    :session_id::text,
    :type::text,
    :ip_address::inet,
    :user_agent::text,
    :device_id::text,
    :device_type::text,
    :browser::text,
    :browser_version::text,
    :operating_system::text,
    :os_version::text,
    :country::text,
    :city::text,
    :timezone::text,
    :session_data::jsonb,
    :metadata::jsonb,
    u.id
FROM screenshot.users AS u
WHERE u.id = :user_id::uuid AND u.status = 'active'
RETURNING
    id,
    session_id,
    status,
    type,
    expires_at,
    last_active_at,
    ip_address,
    user_agent,
    device_id,
    device_type,
    browser,
    browser_version,
    operating_system,
    os_version,
    country,
    city,
    timezone,
    session_data,
    metadata,
    request_count,
    revoked_at,
    revoked_reason,
    user_id,
    created_at,
    updated_at;

-- name: session_list_active(user_id, row_limit)
-- The sessions of a user that have not ended, the one that ends last first.
SELECT
    s.id,
    s.session_id,
    s.status,
    s.type,
    s.expires_at,
    s.last_active_at,
    s.ip_address,
    s.user_agent,
    s.device_id,
    s.device_type,
    s.browser,
    s.browser_version,
    s.operating_system,
    s.os_version,
    s.country,
    s.city,
    s.timezone,
    s.session_data,
    s.metadata,
    s.request_count,
    s.revoked_at,
    s.revoked_reason,
    s.user_id,
    s.created_at,
    s.updated_at
FROM screenshot.sessions AS s
WHERE s.user_id = :user_id::uuid AND s.expires_at > clock_timestamp() AND s.status = 'active'
ORDER BY s.expires_at DESC
LIMIT :row_limit::int8;

-- name: session_purge(days, row_limit)!
-- Deletes sessions that ended so many days ago.
-- plan: custom
-- example: days=30, row_limit=1000
WITH ended AS (
    SELECT s.id
    FROM screenshot.sessions AS s
    WHERE s.expires_at < clock_timestamp() - make_interval(days => :days::int4)
    ORDER BY s.expires_at
    LIMIT :row_limit::int8
    FOR UPDATE SKIP LOCKED
)

DELETE FROM screenshot.sessions AS s
USING ended
WHERE s.id = ended.id;

-- name: session_revoke(session_id, reason)!
-- Ends a session for good.
UPDATE screenshot.sessions AS s
SET
    status = 'revoked',
    revoked_at = clock_timestamp(),
    revoked_reason = :reason::text,
    updated_at = clock_timestamp()
WHERE s.session_id = :session_id::text AND s.status = 'active';

-- name: session_revoke_all(user_id, keep, reason)
-- Ends all sessions of a user for good, but for one that is to be kept; the hashes of those that were ended.
UPDATE screenshot.sessions AS s
SET
    status = 'revoked',
    revoked_at = clock_timestamp(),
    revoked_reason = :reason::text,
    updated_at = clock_timestamp()
WHERE
    s.user_id = :user_id::uuid
    AND s.status = 'active'
    AND s.session_id IS DISTINCT FROM :keep::text
RETURNING s.session_id;

-- name: session_rotate(session_id, new_session_id)!
-- Gives a session that has not ended another token.
-- accept: NOT-HOT it is found or ordered by what changes
UPDATE screenshot.sessions AS s
SET session_id = :new_session_id::text, updated_at = clock_timestamp()
WHERE s.session_id = :session_id::text AND s.status = 'active' AND s.expires_at > clock_timestamp();

-- name: session_touch(session_id, requests, every)!
-- Notes that a session is in use, at most once in so many seconds, and counts the requests meanwhile.
UPDATE screenshot.sessions AS s
SET last_active_at = clock_timestamp(), request_count = s.request_count + :requests::int4
WHERE
    s.session_id = :session_id::text
    AND s.status = 'active'
    AND s.last_active_at < clock_timestamp() - make_interval(secs => :every::int4);
