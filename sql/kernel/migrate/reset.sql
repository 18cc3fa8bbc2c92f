-- What a database is like, so that another can be made like it.

-- name: reset_configure()$
-- Lets statements take as long as they take.
SELECT set_config('statement_timeout', '0', false) AS statement_timeout;

-- name: reset_state()^
-- The database of this session, as CREATE DATABASE and ALTER DATABASE would make it, and who is in the way.
-- privileges is null while nobody has granted or revoked anything; a null grantee is PUBLIC, a null role is every role.
-- PostgreSQL 17 has renamed daticulocale: by to_jsonb either name can be asked for.
SELECT
    pd.datcollate AS lc_collate,
    pd.datctype AS lc_ctype,
    pd.daticurules AS icu_rules,
    pd.datconnlimit AS connection_limit,
    pd.datistemplate AS is_template,
    pd.datname::text AS name,
    pt.spcname::text AS tablespace,
    pg_get_userbyid(pd.datdba)::text AS owner,
    pg_encoding_to_char(pd.encoding)::text AS encoding,
    CASE pd.datlocprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END AS locale_provider,
    COALESCE(to_jsonb(pd) ->> 'datlocale', to_jsonb(pd) ->> 'daticulocale') AS locale,
    shobj_description(pd.oid, 'pg_database') AS comment,
    CASE
        WHEN pd.datacl IS NOT NULL
            THEN (
                SELECT
                    COALESCE(
                        jsonb_agg(
                            jsonb_build_object(
                                'grantee', CASE WHEN acl.grantee <> 0 THEN pg_get_userbyid(acl.grantee) END,
                                'privilege', acl.privilege_type,
                                'grantable', acl.is_grantable
                            )
                        ),
                        '[]'::jsonb
                    )
                FROM aclexplode(pd.datacl) AS acl
            )
    END AS privileges,
    (
        SELECT
            COALESCE(
                jsonb_agg(
                    jsonb_build_object(
                        'role', CASE WHEN ps.setrole <> 0 THEN pg_get_userbyid(ps.setrole) END,
                        'name', split_part(setting.pair, '=', 1),
                        'value', substr(setting.pair, strpos(setting.pair, '=') + 1)
                    )
                ),
                '[]'::jsonb
            )
        FROM pg_db_role_setting AS ps
        CROSS JOIN LATERAL unnest(ps.setconfig) AS setting (pair)
        WHERE ps.setdatabase = pd.oid
    ) AS settings,
    (
        SELECT count(*)
        FROM pg_stat_activity AS pa
        WHERE pa.datid = pd.oid AND pa.pid <> pg_backend_pid() AND pa.backend_type = 'client backend'
    ) AS sessions,
    (
        SELECT count(*)
        FROM pg_prepared_xacts AS px
        WHERE px.database = pd.datname
    ) AS prepared_transactions,
    (
        SELECT count(*)
        FROM pg_replication_slots AS rs
        WHERE rs.database = pd.datname
    ) AS replication_slots,
    (
        SELECT count(*)
        FROM pg_subscription AS su
        WHERE su.subdbid = pd.oid
    ) AS subscriptions
FROM pg_database AS pd
INNER JOIN pg_tablespace AS pt ON pd.dattablespace = pt.oid
WHERE pd.datname = current_database();

-- name: reset_terminate(database)$
-- Ends all sessions of another database, and says how many there were.
SELECT count(pg_terminate_backend(pa.pid)) AS sessions
FROM pg_stat_activity AS pa
WHERE pa.datname = :database::text AND pa.pid <> pg_backend_pid();
