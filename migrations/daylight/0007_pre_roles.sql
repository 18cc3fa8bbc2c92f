-- Why: the application gets a role that cannot drop, create or alter anything, and only adds to what is a record. Three
-- roles share the work, and none of them can log in:
--   surf_daylight_owner  owns the tables, and runs retention. Who migrates is a member of it.
--   surf_daylight_app    reads and writes rows; only inserts into the audit log; cannot change policies, holds,
--   archives.
--   surf_daylight_read   reads all but credentials: password hashes, session hashes, hashes of API keys.
-- Roles belong to the server, not to the database: one that exists is used as it is, and the way down leaves all three.
-- Run it as the owner of the database. Where it may not create roles, the error says what an administrator has to run.
-- Locks: ACCESS EXCLUSIVE on each table until commit, while its owner changes; nothing is scanned. Milliseconds at any
-- size.

-- migrate:up
DO $$
DECLARE
    roles CONSTANT text[] := ARRAY['surf_daylight_owner', 'surf_daylight_app', 'surf_daylight_read'];
    remedy CONSTANT text := 'Let an administrator run: '
        'CREATE ROLE surf_daylight_owner; CREATE ROLE surf_daylight_app; CREATE ROLE surf_daylight_read; '
        'GRANT surf_daylight_owner TO ' || quote_ident(current_user) || ' WITH INHERIT TRUE, SET TRUE; '
        'leave out what is there, and run the migration again.';
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY roles LOOP
        CONTINUE WHEN to_regrole(role_name) IS NOT NULL;
        BEGIN
            EXECUTE format('CREATE ROLE %I', role_name);
            CONTINUE WHEN role_name = 'surf_daylight_owner';
            EXECUTE format('ALTER ROLE %I SET search_path = daylight, pg_temp', role_name);
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
        IF pg_has_role(role_name, 'surf_daylight_owner', 'MEMBER') THEN
            RAISE EXCEPTION 'the role % is a member of surf_daylight_owner, and could do all that it can', role_name;
        END IF;
    END LOOP;

    IF NOT (pg_has_role('surf_daylight_owner', 'USAGE') AND pg_has_role('surf_daylight_owner', 'SET')) THEN
        BEGIN
            EXECUTE format('GRANT surf_daylight_owner TO %I WITH INHERIT TRUE, SET TRUE', current_user);
        EXCEPTION
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION '% is not a member of surf_daylight_owner, which is to own the tables', current_user
                    USING HINT = remedy;
        END;
    END IF;
END
$$;

ALTER SCHEMA daylight OWNER TO surf_daylight_owner;
ALTER SCHEMA daylight_restored OWNER TO surf_daylight_owner;
REVOKE ALL ON SCHEMA daylight, daylight_restored FROM public;
GRANT USAGE ON SCHEMA daylight TO surf_daylight_app, surf_daylight_read;

-- Partitions of tables, too, which may have been created meanwhile.
DO $$
DECLARE
    relation regclass;
BEGIN
    FOR relation IN
        SELECT pc.oid::regclass
        FROM pg_class AS pc
        WHERE pc.relnamespace = 'daylight'::regnamespace AND pc.relkind IN ('r', 'p')
        ORDER BY pc.oid
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO surf_daylight_owner', relation);
        EXECUTE format('REVOKE ALL ON %s FROM public', relation);
    END LOOP;
END
$$;
ALTER FUNCTION daylight.user_profile_follow() OWNER TO surf_daylight_owner;
ALTER FUNCTION daylight.audit_logs_append_only() OWNER TO surf_daylight_owner;
ALTER FUNCTION daylight.rate_limit_hit OWNER TO surf_daylight_owner;
ALTER FUNCTION daylight.alert_observe OWNER TO surf_daylight_owner;
REVOKE ALL ON FUNCTION
daylight.user_profile_follow(), daylight.audit_logs_append_only(), daylight.rate_limit_hit, daylight.alert_observe
FROM public;
GRANT EXECUTE ON FUNCTION daylight.rate_limit_hit, daylight.alert_observe TO surf_daylight_app;

GRANT SELECT, INSERT, UPDATE, DELETE ON
daylight.users, daylight.user_profiles, daylight.user_sessions, daylight.auth_sessions, daylight.plans,
daylight.locations, daylight.location_history, daylight.weather_cache, daylight.traffic_data, daylight.events_cache,
daylight.usage_analytics, daylight.error_logs, daylight.permissions, daylight.roles, daylight.role_permissions,
daylight.role_inherits, daylight.user_roles, daylight.api_keys, daylight.api_usage, daylight.api_usage_hourly,
daylight.rate_limits, daylight.rate_limit_states, daylight.alert_rules, daylight.alert_states,
daylight.import_runs, daylight.import_portions, daylight.import_quarantine
TO surf_daylight_app;
GRANT SELECT, INSERT ON daylight.audit_logs, daylight.performance_metrics, daylight.alert_history TO surf_daylight_app;
GRANT SELECT ON
daylight.retention_policies, daylight.legal_holds, daylight.data_archives, daylight.retention_logs,
daylight.audit_seals
TO surf_daylight_app;

GRANT SELECT (
    id, email, email_key, username, username_key, is_active, email_verified, created_at, updated_at, last_login_at,
    last_active_at, inactive_since
) ON daylight.users TO surf_daylight_read;
GRANT SELECT (user_id, data, expires_at, created_at) ON daylight.user_sessions TO surf_daylight_read;
GRANT SELECT (
    user_id, ip_address, user_agent, expires_at, created_at, last_seen_at
) ON daylight.auth_sessions TO surf_daylight_read;
GRANT SELECT (
    id, name, key_preview, user_id, organization_id, scopes, allowed_endpoints, allowed_methods, ip_whitelist, status,
    environment, expires_at, last_used_at, description, tags, created_by, created_at, updated_at
) ON daylight.api_keys TO surf_daylight_read;
GRANT SELECT ON
daylight.user_profiles, daylight.plans, daylight.locations, daylight.location_history, daylight.weather_cache,
daylight.traffic_data, daylight.events_cache, daylight.usage_analytics, daylight.performance_metrics,
daylight.error_logs, daylight.permissions, daylight.roles, daylight.role_permissions, daylight.role_inherits,
daylight.user_roles, daylight.api_usage, daylight.api_usage_hourly, daylight.rate_limits, daylight.rate_limit_states,
daylight.audit_logs, daylight.audit_seals, daylight.retention_policies, daylight.legal_holds, daylight.data_archives,
daylight.retention_logs, daylight.alert_rules, daylight.alert_states, daylight.alert_history, daylight.import_runs,
daylight.import_portions, daylight.import_quarantine
TO surf_daylight_read;

-- migrate:down
DO $$
DECLARE
    relation regclass;
BEGIN
    FOR relation IN
        SELECT pc.oid::regclass
        FROM pg_class AS pc
        WHERE pc.relnamespace = 'daylight'::regnamespace AND pc.relkind IN ('r', 'p')
        ORDER BY pc.oid
    LOOP
        EXECUTE format('REVOKE ALL ON %s FROM surf_daylight_app, surf_daylight_read', relation);
        EXECUTE format('ALTER TABLE %s OWNER TO %I', relation, current_user);
    END LOOP;
    EXECUTE format('ALTER FUNCTION daylight.user_profile_follow() OWNER TO %I', current_user);
    EXECUTE format('ALTER FUNCTION daylight.audit_logs_append_only() OWNER TO %I', current_user);
    EXECUTE format('ALTER FUNCTION daylight.rate_limit_hit OWNER TO %I', current_user);
    EXECUTE format('ALTER FUNCTION daylight.alert_observe OWNER TO %I', current_user);
    REVOKE ALL ON FUNCTION daylight.rate_limit_hit, daylight.alert_observe FROM surf_daylight_app;
    EXECUTE format('ALTER SCHEMA daylight OWNER TO %I', current_user);
    EXECUTE format('ALTER SCHEMA daylight_restored OWNER TO %I', current_user);
    REVOKE ALL ON SCHEMA daylight FROM surf_daylight_app, surf_daylight_read;
END
$$;
GRANT EXECUTE ON FUNCTION
daylight.user_profile_follow(), daylight.audit_logs_append_only(), daylight.rate_limit_hit, daylight.alert_observe
TO public;
