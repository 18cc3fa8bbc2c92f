-- Why: the application gets a role that cannot drop, create or alter anything, and only adds to the audit log. Three
-- roles
-- share the work, and none of them can log in:
--   surf_screenshot_owner  owns the tables, and seals. Who migrates is a member of it.
--   surf_screenshot_app    reads and writes rows; only inserts into the audit log; only reads its seals.
--   surf_screenshot_read   reads all but credentials: password hashes, hashes of tokens and sessions, what sessions
--   hold.
-- Roles belong to the server, not to the database: one that exists is used as it is, and the way down leaves all three.
-- Run it as the owner of the database. Where it may not create roles, the error says what an administrator has to run.
-- Locks: ACCESS EXCLUSIVE on each table until commit, while its owner changes; nothing is scanned. Milliseconds at any
-- size.

-- migrate:up
DO $$
DECLARE
    roles CONSTANT text[] := ARRAY['surf_screenshot_owner', 'surf_screenshot_app', 'surf_screenshot_read'];
    remedy CONSTANT text := 'Let an administrator run: '
        'CREATE ROLE surf_screenshot_owner; CREATE ROLE surf_screenshot_app; CREATE ROLE surf_screenshot_read; '
        'GRANT surf_screenshot_owner TO ' || quote_ident(current_user) || ' WITH INHERIT TRUE, SET TRUE; '
        'leave out what is there, and run the migration again.';
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY roles LOOP
        CONTINUE WHEN to_regrole(role_name) IS NOT NULL;
        BEGIN
            EXECUTE format('CREATE ROLE %I', role_name);
            CONTINUE WHEN role_name = 'surf_screenshot_owner';
            EXECUTE format('ALTER ROLE %I SET search_path = screenshot, pg_temp', role_name);
            EXECUTE format('ALTER ROLE %I SET lock_timeout = ''3s''', role_name);
            EXECUTE format('ALTER ROLE %I SET statement_timeout = ''15s''', role_name);
            EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = ''15s''', role_name);
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN
                -- Another database of this server has just created it.
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
        IF pg_has_role(role_name, 'surf_screenshot_owner', 'MEMBER') THEN
            RAISE EXCEPTION 'the role % is a member of surf_screenshot_owner, and could do all that it can', role_name;
        END IF;
    END LOOP;

    IF NOT (pg_has_role('surf_screenshot_owner', 'USAGE') AND pg_has_role('surf_screenshot_owner', 'SET')) THEN
        BEGIN
            EXECUTE format('GRANT surf_screenshot_owner TO %I WITH INHERIT TRUE, SET TRUE', current_user);
        EXCEPTION
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION '% is not a member of surf_screenshot_owner, which is to own the tables', current_user
                    USING HINT = remedy;
        END;
    END IF;
END
$$;

ALTER SCHEMA screenshot OWNER TO surf_screenshot_owner;
REVOKE ALL ON SCHEMA screenshot FROM public;
GRANT USAGE ON SCHEMA screenshot TO surf_screenshot_app, surf_screenshot_read;

-- Partitions of tables, too, which may have been created meanwhile.
DO $$
DECLARE
    relation regclass;
    routine regprocedure;
BEGIN
    FOR relation IN
        SELECT pc.oid::regclass
        FROM pg_class AS pc
        WHERE pc.relnamespace = 'screenshot'::regnamespace AND pc.relkind IN ('r', 'p')
        ORDER BY pc.oid
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO surf_screenshot_owner', relation);
        EXECUTE format('REVOKE ALL ON %s FROM public', relation);
    END LOOP;
    FOR routine IN SELECT pp.oid::regprocedure FROM pg_proc AS pp WHERE pp.pronamespace = 'screenshot'::regnamespace LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO surf_screenshot_owner', routine);
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM public', routine);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO surf_screenshot_app', routine);
    END LOOP;
END
$$;
REVOKE EXECUTE ON FUNCTION screenshot.audit_protect_partitions() FROM surf_screenshot_app;
ALTER DOMAIN screenshot.email OWNER TO surf_screenshot_owner;
ALTER DOMAIN screenshot.url OWNER TO surf_screenshot_owner;

GRANT SELECT, INSERT, UPDATE, DELETE ON
screenshot.users, screenshot.projects, screenshot.generated_codes, screenshot.generated_images, screenshot.sessions,
screenshot.stored_objects
TO surf_screenshot_app;
GRANT SELECT, INSERT ON screenshot.audit_logs TO surf_screenshot_app;
GRANT SELECT ON screenshot.audit_seals TO surf_screenshot_app, surf_screenshot_read;

GRANT SELECT (
    id, email, email_key, first_name, last_name, display_name, avatar, status, role, auth_provider, azure_id, google_id,
    github_id, email_verified, email_verified_at, last_login_at, last_login_ip, last_login_user_agent, login_count,
    password_changed_at, reset_password_expires_at, email_verification_expires_at, preferences, metadata, created_at,
    updated_at
) ON screenshot.users TO surf_screenshot_read;
GRANT SELECT (
    id, status, type, expires_at, last_active_at, ip_address, user_agent, device_id, device_type, browser,
    browser_version, operating_system, os_version, country, city, timezone, metadata, request_count, revoked_at,
    revoked_reason, user_id, created_at, updated_at
) ON screenshot.sessions TO surf_screenshot_read;
GRANT SELECT ON
screenshot.projects, screenshot.generated_codes, screenshot.generated_images, screenshot.stored_objects,
screenshot.audit_logs
TO surf_screenshot_read;

-- migrate:down
DO $$
DECLARE
    relation regclass;
    routine regprocedure;
BEGIN
    FOR relation IN
        SELECT pc.oid::regclass
        FROM pg_class AS pc
        WHERE pc.relnamespace = 'screenshot'::regnamespace AND pc.relkind IN ('r', 'p')
        ORDER BY pc.oid
    LOOP
        EXECUTE format('REVOKE ALL ON %s FROM surf_screenshot_app, surf_screenshot_read', relation);
        EXECUTE format('ALTER TABLE %s OWNER TO %I', relation, current_user);
    END LOOP;
    FOR routine IN SELECT pp.oid::regprocedure FROM pg_proc AS pp WHERE pp.pronamespace = 'screenshot'::regnamespace LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM surf_screenshot_app', routine);
        EXECUTE format('ALTER FUNCTION %s OWNER TO %I', routine, current_user);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO public', routine);
    END LOOP;
    EXECUTE format('ALTER DOMAIN screenshot.email OWNER TO %I', current_user);
    EXECUTE format('ALTER DOMAIN screenshot.url OWNER TO %I', current_user);
    EXECUTE format('ALTER SCHEMA screenshot OWNER TO %I', current_user);
    REVOKE ALL ON SCHEMA screenshot FROM surf_screenshot_app, surf_screenshot_read;
END
$$;
