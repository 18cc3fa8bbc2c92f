-- Why: a timestamp without time zone means another moment to each client. The stored values are read as UTC; where the
-- sessions that wrote them ran in another zone, shift the values before this file.
-- Locks: ACCESS EXCLUSIVE on each table until commit. In a session whose zone is UTC the two types have the same bytes,
-- so no table is rewritten (USING ... AT TIME ZONE would rewrite it); only idx_lamp_registry_last_seen is built anew.
-- Half a second at 1,000,000 lamps, and therefore:
-- squawk-ignore-file changing-column-type

-- migrate:up
SET LOCAL TIME ZONE 'UTC';
ALTER TABLE lamp_registry
    ALTER COLUMN created_at TYPE TIMESTAMPTZ,
    ALTER COLUMN updated_at TYPE TIMESTAMPTZ,
    ALTER COLUMN last_seen TYPE TIMESTAMPTZ;
ALTER TABLE api_configuration
    ALTER COLUMN created_at TYPE TIMESTAMPTZ;
ALTER TABLE system_configuration
    ALTER COLUMN updated_at TYPE TIMESTAMPTZ;
ALTER TABLE user_sessions
    ALTER COLUMN expires_at TYPE TIMESTAMPTZ,
    ALTER COLUMN created_at TYPE TIMESTAMPTZ;

-- migrate:down
SET LOCAL TIME ZONE 'UTC';
ALTER TABLE lamp_registry
    ALTER COLUMN created_at TYPE TIMESTAMP,
    ALTER COLUMN updated_at TYPE TIMESTAMP,
    ALTER COLUMN last_seen TYPE TIMESTAMP;
ALTER TABLE api_configuration
    ALTER COLUMN created_at TYPE TIMESTAMP;
ALTER TABLE system_configuration
    ALTER COLUMN updated_at TYPE TIMESTAMP;
ALTER TABLE user_sessions
    ALTER COLUMN expires_at TYPE TIMESTAMP,
    ALTER COLUMN created_at TYPE TIMESTAMP;
