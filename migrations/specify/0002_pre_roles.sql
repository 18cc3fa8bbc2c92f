-- Why: the tables belong to one role, services use them as a second one that may change rows and nothing else, and
-- support and statistics read as a third. Audit rows, metrics and spans are append-only for services.
-- Roles belong to the server, not to the database. One that exists is used unchanged, and the way down leaves all
-- three,
-- because logins and other databases may use them. The settings hold for sessions that log in as that very role.
-- Run it as the owner of database and tables. Without the right to create roles, the error names the remedy.
-- Locks: ACCESS EXCLUSIVE on each table until commit, while its owner changes; nothing is scanned. Milliseconds at any
-- size.

-- migrate:up
DO $$
DECLARE
    roles CONSTANT text[] := ARRAY['surf_specify_owner', 'surf_specify_app', 'surf_specify_read'];
    remedy CONSTANT text := 'Let an administrator run: '
        'CREATE ROLE surf_specify_owner; CREATE ROLE surf_specify_app; CREATE ROLE surf_specify_read; '
        'GRANT surf_specify_owner TO ' || quote_ident(current_user) || ' WITH INHERIT TRUE, SET TRUE; '
        'leave out what is there, and run the migration again.';
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY roles LOOP
        CONTINUE WHEN to_regrole(role_name) IS NOT NULL;
        BEGIN
            EXECUTE format('CREATE ROLE %I', role_name);
            CONTINUE WHEN role_name = 'surf_specify_owner';
            -- Every statement names its schema, so no path is needed.
            EXECUTE format('ALTER ROLE %I SET search_path = pg_catalog, pg_temp', role_name);
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
        IF pg_has_role(role_name, 'surf_specify_owner', 'MEMBER') THEN
            RAISE EXCEPTION 'the role % is a member of surf_specify_owner, and could do all that the owner can', role_name;
        END IF;
    END LOOP;

    IF NOT (pg_has_role('surf_specify_owner', 'USAGE') AND pg_has_role('surf_specify_owner', 'SET')) THEN
        BEGIN
            EXECUTE format('GRANT surf_specify_owner TO %I WITH INHERIT TRUE, SET TRUE', current_user);
        EXCEPTION
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION '% is not a member of surf_specify_owner, which is to own the tables', current_user
                    USING HINT = remedy;
        END;
    END IF;
    -- The history of migrations, which the runner keeps, is there except where files are tried out.
    IF to_regclass('schema_migrations') IS NOT NULL THEN
        GRANT SELECT ON schema_migrations TO surf_specify_app, surf_specify_read;
    END IF;
END
$$;

ALTER SCHEMA specify OWNER TO surf_specify_owner;
REVOKE ALL ON SCHEMA specify FROM public;
GRANT USAGE ON SCHEMA specify TO surf_specify_app, surf_specify_read;

DO $$
DECLARE
    relation text;
BEGIN
    FOR relation IN
        SELECT pc.oid::regclass
        FROM pg_class AS pc
        WHERE pc.relnamespace = 'specify'::regnamespace AND pc.relkind IN ('r', 'p')
        ORDER BY pc.relkind, pc.relname
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO surf_specify_owner', relation);
        EXECUTE format('REVOKE ALL ON %s FROM PUBLIC', relation);
    END LOOP;
END
$$;

GRANT SELECT, INSERT, UPDATE, DELETE ON
specify.users, specify.projects, specify.commands, specify.rdf_specifications, specify.rdf_contents,
specify.cache_entries, specify.configurations, specify.session_tokens
TO surf_specify_app;
GRANT SELECT, INSERT ON specify.performance_metrics, specify.audit_logs, specify.telemetry_events
TO surf_specify_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA specify TO surf_specify_app;

GRANT SELECT (
    id, username, username_key, email, email_key, full_name, is_active, is_admin, created_at, updated_at,
    last_login_at, meta
) ON specify.users TO surf_specify_read;
GRANT SELECT (
    id, command_id, name, user_id, project_id, status, started_at, completed_at, duration_ms, exit_code, meta,
    parent_id, host, pid, heartbeat_at, lease_until
) ON specify.commands TO surf_specify_read;
GRANT SELECT (
    id, config_id, project_id, key, type, encrypted, description, created_at, updated_at, meta
) ON specify.configurations TO surf_specify_read;
GRANT SELECT (
    id, user_id, created_at, expires_at, last_used_at, ip_address, user_agent, is_active, meta
) ON specify.session_tokens TO surf_specify_read;
GRANT SELECT ON
specify.projects, specify.performance_metrics, specify.audit_logs, specify.rdf_specifications, specify.rdf_contents,
specify.telemetry_events
TO surf_specify_read;

-- migrate:down
REVOKE ALL ON ALL TABLES IN SCHEMA specify FROM surf_specify_app, surf_specify_read;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA specify FROM surf_specify_app;
REVOKE ALL ON SCHEMA specify FROM surf_specify_app, surf_specify_read;
DO $$
DECLARE
    relation text;
BEGIN
    FOR relation IN
        SELECT pc.oid::regclass
        FROM pg_class AS pc
        WHERE pc.relnamespace = 'specify'::regnamespace AND pc.relkind IN ('r', 'p')
        ORDER BY pc.relkind, pc.relname
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO CURRENT_USER', relation);
    END LOOP;
    IF to_regclass('schema_migrations') IS NOT NULL THEN
        REVOKE ALL ON schema_migrations FROM surf_specify_app, surf_specify_read;
    END IF;
END
$$;
ALTER SCHEMA specify OWNER TO CURRENT_USER;
