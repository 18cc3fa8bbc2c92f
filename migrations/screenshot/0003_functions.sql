-- Why: functions and domains that scripts beside the application know from the original. No query of the library calls
-- them, and the library sets updated_at itself, so that a view which is counted does not move a project in its list.
-- squawk-ignore-file ban-create-domain-with-constraint
-- Locks: none that another session waits for. Milliseconds.

-- migrate:up
CREATE DOMAIN screenshot.email AS text CHECK (value ~ '^[^@[:space:]]+@[^@[:space:]]+$');
CREATE DOMAIN screenshot.url AS text CHECK (value ~ '^https?://[^[:space:]]+$');

CREATE FUNCTION screenshot.update_updated_at_column() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    new.updated_at := clock_timestamp();
    RETURN new;
END
$$;

-- From random UUIDs, which are of the server's secure generator; 36 characters divide no byte evenly, so bytes of 252
-- and above are left out.
CREATE FUNCTION screenshot.generate_short_id(length integer DEFAULT 8) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    letters CONSTANT text := 'abcdefghijklmnopqrstuvwxyz0123456789';
    raw bytea;
    result text := '';
BEGIN
    IF length NOT BETWEEN 1 AND 64 THEN
        RAISE EXCEPTION 'the length must be from 1 to 64' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    LOOP
        -- The first six bytes: the others have fixed bits.
        raw := substring(uuid_send(gen_random_uuid()) FROM 1 FOR 6);
        FOR place IN 0..5 LOOP
            IF get_byte(raw, place) < 252 THEN
                result := result || substr(letters, get_byte(raw, place) % 36 + 1, 1);
            END IF;
            IF char_length(result) = length THEN
                RETURN result;
            END IF;
        END LOOP;
    END LOOP;
END
$$;

CREATE FUNCTION screenshot.password_strength(password text) RETURNS integer
LANGUAGE sql
IMMUTABLE
PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT
        (char_length(password) >= 8)::integer
        + (char_length(password) >= 12)::integer
        + (password ~ '[a-z]')::integer
        + (password ~ '[A-Z]')::integer
        + (password ~ '[0-9]')::integer
        + (password ~ '[^A-Za-z0-9]')::integer
$$;

-- At most 10,000 at a time, so that no lock is held for long.
CREATE FUNCTION screenshot.cleanup_expired_sessions() RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    removed integer;
BEGIN
    WITH over AS (
        SELECT s.id
        FROM screenshot.sessions AS s
        WHERE
            (s.status = 'expired' AND s.expires_at < clock_timestamp())
            OR (s.status = 'active' AND s.expires_at < clock_timestamp() - interval '7 days')
        LIMIT 10000
        FOR UPDATE SKIP LOCKED
    )

    DELETE FROM screenshot.sessions AS s
    USING over
    WHERE s.id = over.id;
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END
$$;

CREATE FUNCTION screenshot.generate_correlation_id() RETURNS text
LANGUAGE sql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT gen_random_uuid()::text
$$;

-- migrate:down
DROP FUNCTION screenshot.generate_correlation_id();
DROP FUNCTION screenshot.cleanup_expired_sessions();
DROP FUNCTION screenshot.password_strength(text);
DROP FUNCTION screenshot.generate_short_id(integer);
DROP FUNCTION screenshot.update_updated_at_column();
DROP DOMAIN screenshot.url;
DROP DOMAIN screenshot.email;
