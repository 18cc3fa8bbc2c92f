-- Why: an attacker who takes over the application should find a role that cannot drop, create, truncate or alter
-- anything, nor change what the log says. So three roles share the work, and none of them can log in:
--   surf_lamp_owner  owns the tables. Who migrates is a member of it.
--   surf_lamp_app    reads and writes rows, only adds to activity_log, and cannot touch reference_version.
--   surf_lamp_read   reads all but credentials: password hashes, session tokens, API keys.
-- A trigger moves reference_version for every role that may change the configuration, with the owner's rights.
-- Roles belong to the server, not to the database. One that exists is used as it is, and the way down leaves all three,
-- because logins and other databases may use them. The settings are made together with a role, and hold for sessions
-- that log in as that very role; docs/security.md gives a login of another name the same.
-- Run it as the owner of database and tables. Without the right to create roles it fails and prints what an
-- administrator has to run. PUBLIC loses CREATE on the schema, which it has in databases that are older than PostgreSQL
-- 15.
-- Locks: ACCESS EXCLUSIVE on each table until commit, while its owner changes; nothing is scanned. Milliseconds at any
-- size.

-- migrate:up
DO $$
DECLARE
    roles CONSTANT text[] := ARRAY['surf_lamp_owner', 'surf_lamp_app', 'surf_lamp_read'];
    remedy CONSTANT text := 'Let an administrator run: '
        'CREATE ROLE surf_lamp_owner; CREATE ROLE surf_lamp_app; CREATE ROLE surf_lamp_read; '
        'GRANT surf_lamp_owner TO ' || quote_ident(current_user) || ' WITH INHERIT TRUE, SET TRUE; '
        'leave out what is there, and run the migration again.';
    role_name text;
    pinned text;
BEGIN
    FOREACH role_name IN ARRAY roles LOOP
        CONTINUE WHEN to_regrole(role_name) IS NOT NULL;
        BEGIN
            EXECUTE format('CREATE ROLE %I', role_name);
            CONTINUE WHEN role_name = 'surf_lamp_owner';
            -- Temporary tables last: else another role's temporary table could stand in for one of ours.
            pinned := format('ALTER ROLE %I SET search_path = %I, pg_temp', role_name, current_schema());
            EXECUTE pinned;
            EXECUTE format('ALTER ROLE %I SET lock_timeout = ''3s''', role_name);
            EXECUTE format('ALTER ROLE %I SET statement_timeout = ''15s''', role_name);
            EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = ''15s''', role_name);
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN
                -- Another database of this server has just made it.
                CONTINUE;
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'the role % is missing, and % may not create roles', role_name, current_user
                    USING HINT = remedy;
        END;
    END LOOP;

    FOR role_name IN
        SELECT pr.rolname
        FROM pg_roles AS pr
        WHERE
            pr.rolname = ANY(roles)
            AND (pr.rolsuper OR pr.rolcreaterole OR pr.rolcreatedb OR pr.rolreplication OR pr.rolbypassrls)
    LOOP
        RAISE EXCEPTION 'the role % exists, with more rights than it should have', role_name
            USING HINT = 'Let an administrator run: ALTER ROLE ' || quote_ident(role_name)
                || ' NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS';
    END LOOP;
    FOREACH role_name IN ARRAY roles[2:] LOOP
        IF pg_has_role(role_name, 'surf_lamp_owner', 'MEMBER') THEN
            RAISE EXCEPTION 'the role % is a member of surf_lamp_owner, and could do all that the owner can', role_name;
        END IF;
    END LOOP;

    IF NOT (pg_has_role('surf_lamp_owner', 'USAGE') AND pg_has_role('surf_lamp_owner', 'SET')) THEN
        BEGIN
            EXECUTE format('GRANT surf_lamp_owner TO %I WITH INHERIT TRUE, SET TRUE', current_user);
        EXCEPTION
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION '% is not a member of surf_lamp_owner, which is to own the tables', current_user
                    USING HINT = remedy;
        END;
    END IF;
END
$$;

DO $$
DECLARE
    home CONSTANT text := current_schema();
BEGIN
    BEGIN
        EXECUTE format('GRANT USAGE, CREATE ON SCHEMA %I TO surf_lamp_owner', home);
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO surf_lamp_app, surf_lamp_read', home);
        EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC', home);
    EXCEPTION
        WHEN insufficient_privilege THEN NULL;
    END;
    -- Without the right to grant there may be no more than a warning.
    IF
        has_schema_privilege('public', home, 'CREATE')
        OR NOT has_schema_privilege('surf_lamp_owner', home, 'CREATE')
        OR NOT has_schema_privilege('surf_lamp_owner', home, 'USAGE')
        OR NOT has_schema_privilege('surf_lamp_app', home, 'USAGE')
        OR NOT has_schema_privilege('surf_lamp_read', home, 'USAGE')
    THEN
        RAISE EXCEPTION '% may not grant rights on the schema %', current_user, home
            USING HINT = format(
                'Let its owner run: GRANT USAGE, CREATE ON SCHEMA %1$I TO surf_lamp_owner; '
                'GRANT USAGE ON SCHEMA %1$I TO surf_lamp_app, surf_lamp_read; REVOKE CREATE ON SCHEMA %1$I FROM PUBLIC; '
                'and run the migration again.', home
            );
    END IF;
    -- The history, which the runner keeps, is there except where files are tried out.
    IF to_regclass('schema_migrations') IS NOT NULL THEN
        ALTER TABLE schema_migrations OWNER TO surf_lamp_owner;
        REVOKE ALL ON schema_migrations FROM PUBLIC;
        GRANT SELECT ON schema_migrations TO surf_lamp_app, surf_lamp_read;
    END IF;
END
$$;

ALTER TABLE lamp_registry OWNER TO surf_lamp_owner;
ALTER TABLE api_configuration OWNER TO surf_lamp_owner;
ALTER TABLE system_configuration OWNER TO surf_lamp_owner;
ALTER TABLE activity_log OWNER TO surf_lamp_owner;
ALTER TABLE user_sessions OWNER TO surf_lamp_owner;
ALTER TABLE reference_version OWNER TO surf_lamp_owner;

-- Only this schema's owner decides what the names in the function mean, temporary tables included.
SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true) AS pinned;
CREATE OR REPLACE FUNCTION reference_version_move() RETURNS TRIGGER
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
BEGIN
    UPDATE reference_version SET version = gen_random_uuid();
    RETURN NULL;
END
$$;
ALTER FUNCTION reference_version_move() OWNER TO surf_lamp_owner;

REVOKE ALL ON FUNCTION reference_version_move() FROM public;
REVOKE ALL ON
lamp_registry, api_configuration, system_configuration, activity_log, user_sessions, reference_version
FROM public;
REVOKE ALL ON SEQUENCE api_configuration_id_seq, system_configuration_id_seq, activity_log_id_seq FROM public;

GRANT SELECT, INSERT, UPDATE, DELETE ON
lamp_registry, api_configuration, system_configuration, user_sessions
TO surf_lamp_app;
GRANT SELECT, INSERT ON activity_log TO surf_lamp_app;
GRANT SELECT ON reference_version TO surf_lamp_app;
GRANT USAGE ON SEQUENCE
api_configuration_id_seq, system_configuration_id_seq, activity_log_id_seq
TO surf_lamp_app;

GRANT SELECT (
    lamp_id, email, name, location_index, brightness, created_at, updated_at, is_active, last_seen, firmware_version,
    email_key
) ON lamp_registry TO surf_lamp_read;
GRANT SELECT (
    id, website_name, full_url, is_json, is_metric, city, created_at, is_active, priority_order
) ON api_configuration TO surf_lamp_read;
GRANT SELECT (id, lamp_id, expires_at, created_at) ON user_sessions TO surf_lamp_read;
GRANT SELECT ON system_configuration, activity_log, reference_version TO surf_lamp_read;

-- migrate:down
CREATE OR REPLACE FUNCTION reference_version_move() RETURNS TRIGGER
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    UPDATE reference_version SET version = gen_random_uuid();
    RETURN NULL;
END
$$;
GRANT EXECUTE ON FUNCTION reference_version_move() TO public;

REVOKE ALL ON
lamp_registry, api_configuration, system_configuration, activity_log, user_sessions, reference_version
FROM surf_lamp_app, surf_lamp_read;
REVOKE ALL ON SEQUENCE
api_configuration_id_seq, system_configuration_id_seq, activity_log_id_seq
FROM surf_lamp_app;

ALTER FUNCTION reference_version_move() OWNER TO CURRENT_USER;
ALTER TABLE lamp_registry OWNER TO CURRENT_USER;
ALTER TABLE api_configuration OWNER TO CURRENT_USER;
ALTER TABLE system_configuration OWNER TO CURRENT_USER;
ALTER TABLE activity_log OWNER TO CURRENT_USER;
ALTER TABLE user_sessions OWNER TO CURRENT_USER;
ALTER TABLE reference_version OWNER TO CURRENT_USER;

DO $$
BEGIN
    IF to_regclass('schema_migrations') IS NOT NULL THEN
        REVOKE ALL ON schema_migrations FROM surf_lamp_app, surf_lamp_read;
        ALTER TABLE schema_migrations OWNER TO CURRENT_USER;
    END IF;
    EXECUTE format('REVOKE ALL ON SCHEMA %I FROM surf_lamp_app, surf_lamp_read', current_schema());
    IF current_user <> 'surf_lamp_owner' THEN
        EXECUTE format('REVOKE ALL ON SCHEMA %I FROM surf_lamp_owner', current_schema());
    END IF;
END
$$;
