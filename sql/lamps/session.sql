-- Sessions of users: who presents a token, until it expires. Stored is the SHA-256 of a token, in hexadecimal.

-- name: session_delete(session_token)!
-- Ends a session.
DELETE FROM user_sessions AS us
WHERE us.session_token = :session_token::text;

-- name: session_insert(session_id, lamp_id, session_token, seconds)!
-- Begins a session that ends by itself.
INSERT INTO user_sessions (id, lamp_id, session_token, expires_at)
VALUES (
    :session_id::uuid,
    :lamp_id::uuid,
    :session_token::text,
    CURRENT_TIMESTAMP + make_interval(secs => :seconds::int4)
);

-- name: session_lamp(session_token)$
-- The lamp of the active user whose session this is, unless it has expired.
SELECT us.lamp_id
FROM user_sessions AS us
INNER JOIN lamp_registry AS lr ON us.lamp_id = lr.lamp_id
WHERE us.session_token = :session_token::text AND us.expires_at > CURRENT_TIMESTAMP AND lr.is_active;
