-- Why: a reader of user_sessions, or of a backup, should not be able to take over a session. So only hashes of
-- session tokens are stored: SHA-256, in hexadecimal, as surf_data.kernel.crypto makes it. Tokens that are stored
-- in plain text become their hashes, and who holds one stays logged in.
-- Code that stores or looks for a token itself cannot from here on.
-- Locks: ACCESS EXCLUSIVE on user_sessions until commit, while old tokens are hashed: a few seconds for a million
-- sessions. Delete those that have expired first. Therefore:
-- squawk-ignore-file constraint-missing-not-valid

-- migrate:up
LOCK TABLE user_sessions IN ACCESS EXCLUSIVE MODE;
UPDATE user_sessions
SET session_token = encode(sha256(convert_to(session_token, 'UTF8')), 'hex')
WHERE session_token !~ '^[0-9a-f]{64}$';
ALTER TABLE user_sessions
    ADD CONSTRAINT user_sessions_session_token_hashed CHECK (session_token ~ '^[0-9a-f]{64}$');

-- migrate:down
-- A hash stays a hash.
ALTER TABLE user_sessions
    DROP CONSTRAINT user_sessions_session_token_hashed;
