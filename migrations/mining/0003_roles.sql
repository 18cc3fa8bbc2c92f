-- Why: the application cannot drop, create, truncate or alter anything, and cannot change what is archived. Four roles
-- share the work, and none of them can log in:
--   surf_mining_owner  owns the tables and views. The role that migrates is a member of it.
--   surf_mining_app    reads and writes rows, only adds to final_cycles, and only reads what other services write.
--   surf_mining_read   reads the views of dx, for support.
--   surf_mining_pull   reads the views of dx and nothing else; a custom query runs as this role, which the application
--                      is a member of for SET ROLE alone.
-- Roles belong to the server, not to the database. One that exists is used as it is, and the way down leaves all four,
-- because logins and other databases may use them.
-- Run it as the owner of database and tables. Without the right to create roles it fails and prints what an
-- administrator has to run.
-- Only the owner may create anything in dx: a function there could pose as one of PostgreSQL's.
-- Locks: ACCESS EXCLUSIVE on each table until commit, while its owner changes; nothing is scanned. Milliseconds at any
-- size.

-- migrate:up
DO $$
DECLARE
    roles CONSTANT text[] := ARRAY['surf_mining_owner', 'surf_mining_app', 'surf_mining_read', 'surf_mining_pull'];
    remedy CONSTANT text := 'Let an administrator run: CREATE ROLE surf_mining_owner; CREATE ROLE surf_mining_app; '
        'CREATE ROLE surf_mining_read; CREATE ROLE surf_mining_pull; '
        'GRANT surf_mining_pull TO surf_mining_app WITH INHERIT FALSE, SET TRUE; '
        'GRANT surf_mining_owner TO ' || quote_ident(current_user) || ' WITH INHERIT TRUE, SET TRUE; '
        'leave out what is there, and run the migration again.';
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY roles LOOP
        CONTINUE WHEN to_regrole(role_name) IS NOT NULL;
        BEGIN
            EXECUTE format('CREATE ROLE %I', role_name);
            CONTINUE WHEN role_name = 'surf_mining_owner';
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
        IF pg_has_role(role_name, 'surf_mining_owner', 'MEMBER') THEN
            RAISE EXCEPTION 'the role % is a member of surf_mining_owner, and could do all that the owner can', role_name;
        END IF;
    END LOOP;
    IF pg_has_role('surf_mining_pull', 'surf_mining_app', 'MEMBER') THEN
        RAISE EXCEPTION 'the role surf_mining_pull is a member of surf_mining_app, and could do all that it can';
    END IF;

    BEGIN
        IF NOT (pg_has_role('surf_mining_owner', 'USAGE') AND pg_has_role('surf_mining_owner', 'SET')) THEN
            EXECUTE format('GRANT surf_mining_owner TO %I WITH INHERIT TRUE, SET TRUE', current_user);
        END IF;
        IF NOT pg_has_role('surf_mining_app', 'surf_mining_pull', 'SET') THEN
            GRANT surf_mining_pull TO surf_mining_app WITH INHERIT FALSE, SET TRUE;
        END IF;
    EXCEPTION
        WHEN insufficient_privilege THEN
            RAISE EXCEPTION '% may not grant the memberships that the roles need', current_user USING HINT = remedy;
    END;
END
$$;

GRANT USAGE, CREATE ON SCHEMA mining, dx TO surf_mining_owner;
GRANT USAGE ON SCHEMA mining TO surf_mining_app;
GRANT USAGE ON SCHEMA dx TO surf_mining_app, surf_mining_read, surf_mining_pull;

DO $$
DECLARE
    relation regclass;
BEGIN
    FOR relation IN
        SELECT pc.oid
        FROM pg_class AS pc
        WHERE pc.relnamespace IN ('mining'::regnamespace, 'dx'::regnamespace) AND pc.relkind IN ('r', 'p', 'v')
        ORDER BY pc.relkind = 'v', pc.oid
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO surf_mining_owner', relation);
    END LOOP;
END
$$;

GRANT SELECT, INSERT, UPDATE, DELETE ON mining.asset_cycles, mining.process_checkpoints TO surf_mining_app;
GRANT SELECT, INSERT ON mining.final_cycles TO surf_mining_app;
-- For the warning that no partition was created in time.
GRANT SELECT ON mining.final_cycles_default TO surf_mining_app;
GRANT SELECT ON mining.asset_master, mining.regions, mining.idle_states TO surf_mining_app;
GRANT USAGE ON SEQUENCE
mining.asset_cycles_asset_cycle_vlx_id_seq,
mining.final_cycles_asset_cycle_vlx_id_seq,
mining.process_checkpoints_tx_process_info_id_seq
TO surf_mining_app;
GRANT SELECT ON
dx.asset_cycle_tmp_vlx,
dx.asset_cycle_repro_tmp_vlx,
dx.asset_cycle_vlx,
dx.asset_cycles,
dx.tx_process_info,
dx.process_checkpoints,
dx.asset,
dx.asset_master,
dx.region
TO surf_mining_app, surf_mining_read, surf_mining_pull;

-- migrate:down
DO $$
DECLARE
    relation regclass;
BEGIN
    REVOKE ALL ON ALL TABLES IN SCHEMA mining, dx FROM surf_mining_app, surf_mining_read, surf_mining_pull;
    REVOKE ALL ON ALL SEQUENCES IN SCHEMA mining FROM surf_mining_app;
    FOR relation IN
        SELECT pc.oid
        FROM pg_class AS pc
        WHERE pc.relnamespace IN ('mining'::regnamespace, 'dx'::regnamespace) AND pc.relkind IN ('r', 'p', 'v')
        ORDER BY pc.relkind = 'v', pc.oid
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO CURRENT_USER', relation);
    END LOOP;
    REVOKE ALL ON SCHEMA mining, dx FROM surf_mining_app, surf_mining_read, surf_mining_pull;
    IF current_user <> 'surf_mining_owner' THEN
        REVOKE ALL ON SCHEMA mining, dx FROM surf_mining_owner;
    END IF;
END
$$;
