-- Sessions of users: found by the hash of what their holder presents; an expired one is as missing.

-- name: auth_session_begin(session_hash, refresh_hash, user_id, ip_address, user_agent, seconds, most)!
-- Begins a session of a user, and ends the oldest beyond so many at once.
WITH ended AS (
    DELETE FROM daylight.auth_sessions AS old
    USING (
        SELECT a.session_hash
        FROM daylight.auth_sessions AS a
        WHERE a.user_id = :user_id::text
        ORDER BY a.created_at DESC, a.session_hash ASC
        OFFSET :most::bigint - 1
    ) AS surplus
    WHERE old.session_hash = surplus.session_hash
)

INSERT INTO daylight.auth_sessions (session_hash, refresh_hash, user_id, ip_address, user_agent, expires_at)
VALUES (
    :session_hash::text,
    :refresh_hash::text,
    :user_id::text,
    :ip_address::inet,
    :user_agent::text,
    CURRENT_TIMESTAMP + make_interval(secs => :seconds::float8)
);

-- name: auth_session_clean(row_limit)!
-- Deletes a portion of the logins that have expired; what another process is deleting is left to it.
-- example: row_limit=5000
DELETE FROM daylight.auth_sessions
WHERE ctid = ANY(ARRAY(
        SELECT a.ctid
        FROM daylight.auth_sessions AS a
        WHERE a.expires_at <= CURRENT_TIMESTAMP
        ORDER BY a.expires_at
        LIMIT :row_limit::bigint
        FOR UPDATE SKIP LOCKED
    ));

-- name: auth_session_end(session_hash)!
-- Ends a session.
DELETE FROM daylight.auth_sessions
WHERE session_hash = :session_hash::text;

-- name: auth_session_refresh(refresh_hash, new_session_hash, new_refresh_hash, seconds)$
-- Exchanges both tokens of a session that has not expired, and returns its user; the old tokens are as missing then.
-- accept: NOT-HOT both tokens are what it is found by
UPDATE daylight.auth_sessions AS a
SET
    session_hash = :new_session_hash::text,
    refresh_hash = :new_refresh_hash::text,
    last_seen_at = CURRENT_TIMESTAMP,
    expires_at = CURRENT_TIMESTAMP + make_interval(secs => :seconds::float8)
WHERE a.refresh_hash = :refresh_hash::text AND a.expires_at > CURRENT_TIMESTAMP
RETURNING a.user_id;

-- name: auth_session_user(session_hash)^
-- The active user of a session that has not expired, and the seconds it has left.
SELECT
    a.user_id,
    COALESCE(extract(EPOCH FROM a.expires_at - CURRENT_TIMESTAMP)::float8, 0) AS seconds_left
FROM daylight.auth_sessions AS a
INNER JOIN daylight.users AS u ON a.user_id = u.id
WHERE a.session_hash = :session_hash::text AND a.expires_at > CURRENT_TIMESTAMP AND u.is_active;

-- name: session_clean(row_limit)!
-- Deletes a portion of the sessions that have expired; what another process is deleting is left to it.
-- accept: SEQ-SCAN a portion of what maintenance removes; the more has expired the shorter the scan
-- example: row_limit=5000
DELETE FROM daylight.user_sessions
WHERE session_hash IN (
        SELECT us.session_hash
        FROM daylight.user_sessions AS us
        WHERE us.expires_at <= CURRENT_TIMESTAMP
        ORDER BY us.expires_at
        LIMIT :row_limit::bigint
        FOR UPDATE SKIP LOCKED
    );

-- name: session_create(session_hash, user_id, data, seconds)!
-- Begins a session that holds data.
INSERT INTO daylight.user_sessions (session_hash, user_id, data, expires_at)
VALUES (
    :session_hash::text,
    :user_id::text,
    :data::jsonb,
    CURRENT_TIMESTAMP + make_interval(secs => :seconds::float8)
);

-- name: session_destroy(session_hash)!
-- Ends a session.
DELETE FROM daylight.user_sessions
WHERE session_hash = :session_hash::text;

-- name: session_destroy_all(user_id)$
-- Ends all sessions of a user, of both kinds; returns how many.
WITH planner_sessions AS (
    DELETE FROM daylight.user_sessions
    WHERE user_id = :user_id::text
    RETURNING session_hash
),

auth AS (
    DELETE FROM daylight.auth_sessions
    WHERE user_id = :user_id::text
    RETURNING session_hash
)

SELECT
    (
        (SELECT count(*) FROM planner_sessions) + (SELECT count(*) FROM auth)
    ) AS ended_count;

-- name: session_get(session_hash)^
-- A session that has not expired.
SELECT
    us.user_id,
    us.data,
    us.expires_at,
    us.created_at
FROM daylight.user_sessions AS us
WHERE us.session_hash = :session_hash::text AND us.expires_at > CURRENT_TIMESTAMP;
