-- A Citus cluster: what of it a database says, and how its tables are spread over the nodes.

-- name: cluster_configure()^
-- Leaves tables as they are that refer to one which becomes whole on each node, until the transaction ends. Else they would
-- become the cluster's own local tables, and one with an identity column could not be spread any more. Shards are created
-- one after another, as foreign keys to such a table ask for.
SELECT
    set_config('citus.enable_local_reference_table_foreign_keys', 'off', true) AS foreign_keys,
    set_config('citus.multi_shard_modify_mode', 'sequential', true) AS modify_mode;

-- name: cluster_extension()$
-- The version of the extension; null without it.
SELECT pe.extversion AS version
FROM pg_extension AS pe
WHERE pe.extname = 'citus';

-- name: cluster_nodes()^
-- Whether this is the coordinator, whether it is among the nodes itself, and how many workers take shards.
SELECT
    coalesce((SELECT dlg.groupid FROM pg_dist_local_group AS dlg), -1) = 0 AS is_coordinator,
    coalesce(bool_or(dn.groupid = 0), false) AS knows_itself,
    count(*) FILTER (WHERE dn.groupid <> 0 AND dn.isactive AND dn.shouldhaveshards) AS workers
FROM pg_dist_node AS dn;

-- name: cluster_prepared(seconds)
-- The transactions that a node has prepared and not ended for so many seconds: how many, on each node; and a node that
-- does not answer, without a number.
SELECT
    dn.nodename || ':' || dn.nodeport AS node,
    CASE WHEN r.success THEN r.result::int8 END AS transactions
FROM run_command_on_all_nodes(
        format(
            'SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database() '
            'AND prepared < clock_timestamp() - make_interval(secs => %L)',
            :seconds::int4
        ),
        give_warning_for_connection_errors => true
    ) AS r
INNER JOIN pg_dist_node AS dn ON r.nodeid = dn.nodeid
WHERE r.result IS DISTINCT FROM '0'
ORDER BY dn.nodename, dn.nodeport;

-- name: cluster_table_distribute(relation, distribution_column, beside)$
-- Spreads the rows of a table over shards: beside those of another table, or in a group of its own.
-- Writes to the table wait meanwhile.
SELECT
    create_distributed_table(
        :relation::oid::regclass, :distribution_column::text, colocate_with => coalesce(:beside::text, 'none')
    )::text AS done;

-- name: cluster_table_is_known(relation)$
-- Whether the cluster knows of a table, wherever its rows are.
SELECT count(*) > 0 AS is_known
FROM pg_dist_partition AS dp
WHERE dp.logicalrelid = :relation::oid::regclass;

-- name: cluster_table_keep(relation)$
-- Lets the cluster know of a table that stays on the coordinator, so that its foreign keys hold.
SELECT citus_add_local_table_to_metadata(:relation::oid::regclass, cascade_via_foreign_keys => true)::text AS done;

-- name: cluster_table_list()
-- The tables that are spread, without partitions: whole on each node, or in shards by a column; those of one group have
-- equal values on one node.
SELECT
    dp.logicalrelid::oid AS relation,
    dp.partmethod = 'n' AND dp.repmodel = 't' AS is_reference,
    CASE WHEN dp.partmethod = 'h' THEN column_to_column_name(dp.logicalrelid, dp.partkey) END AS distribution_column,
    dp.colocationid AS colocation
FROM pg_dist_partition AS dp
INNER JOIN pg_class AS pc ON dp.logicalrelid = pc.oid
WHERE NOT pc.relispartition AND (dp.partmethod = 'h' OR dp.repmodel = 't')
ORDER BY dp.logicalrelid;

-- name: cluster_table_refer(relation)$
-- Gives each node all rows of a table.
SELECT create_reference_table(:relation::oid::regclass)::text AS done;

-- name: cluster_table_truncate(relation)$
-- Frees what the coordinator still holds of rows that are in shards.
SELECT truncate_local_data_after_distributing_table(:relation::oid::regclass)::text AS done;

-- name: cluster_tables_choose(relations)$
-- Says, until the transaction ends, of which tables cluster_tables_restore is.
SELECT set_config('surf_data.relations', (:relations::oid[])::text, true) AS relations;

-- name: cluster_tables_restore()#
-- Takes the rows of the chosen tables back to the coordinator. No other session reads or writes them meanwhile.
-- Citus takes no table back that has an identity column. So the column loses its sequence, on the coordinator alone,
-- and has it again in the end as it was: name, state, owner and grants. Views are made anew, and so are granted anew. What
-- is tied to a table by foreign keys goes with it: tables that the cluster knows as local.
DO $$
DECLARE
    relations CONSTANT oid[] := current_setting('surf_data.relations')::oid[];
    names CONSTANT text[] := array(SELECT r.id::regclass::text FROM unnest(relations) AS r (id));
    identities CONSTANT jsonb := (
        SELECT coalesce(jsonb_agg(i), '[]')
        FROM (
            SELECT
                pa.attrelid::regclass::text AS table_name,
                quote_ident(pa.attname) AS column_name,
                CASE pa.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END AS generated,
                ps.seqrelid::regclass::text AS sequence_name,
                format(
                    'SEQUENCE NAME %s START %s INCREMENT %s MINVALUE %s MAXVALUE %s CACHE %s %s',
                    ps.seqrelid::regclass, ps.seqstart, ps.seqincrement, ps.seqmin, ps.seqmax, ps.seqcache,
                    CASE WHEN ps.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END
                ) AS options,
                pg_sequence_last_value(ps.seqrelid) AS last_value,
                array(
                    SELECT
                        format(
                            'GRANT %s ON SEQUENCE %s TO %s%s',
                            ae.privilege_type, ps.seqrelid::regclass,
                            CASE ae.grantee WHEN 0 THEN 'PUBLIC' ELSE ae.grantee::regrole::text END,
                            CASE WHEN ae.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
                        )
                    FROM pg_class AS pc
                    CROSS JOIN LATERAL aclexplode(pc.relacl) AS ae
                    WHERE pc.oid = ps.seqrelid AND ae.grantee <> pc.relowner
                ) AS grants
            FROM pg_attribute AS pa
            INNER JOIN pg_class AS pr ON pa.attrelid = pr.oid
            INNER JOIN pg_dist_partition AS dp ON pa.attrelid = dp.logicalrelid
            INNER JOIN pg_depend AS pd
                ON pd.refobjid = pa.attrelid AND pd.refobjsubid = pa.attnum AND pd.deptype = 'i'
                AND pd.classid = 'pg_class'::regclass AND pd.refclassid = 'pg_class'::regclass
            INNER JOIN pg_sequence AS ps ON pd.objid = ps.seqrelid
            WHERE
                pa.attidentity <> '' AND NOT pr.relispartition
                AND (pa.attrelid = ANY(relations) OR (dp.partmethod = 'n' AND dp.repmodel <> 't'))
        ) AS i
    );
    view_grants CONSTANT text[] := array(
        SELECT
            format(
                'GRANT %s%s ON %s TO %s%s',
                a.privilege_type, a.columns, pc.oid::regclass,
                CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END,
                CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
            )
        FROM pg_class AS pc
        CROSS JOIN LATERAL (
            SELECT ae.privilege_type, ae.grantee, ae.is_grantable, '' AS columns
            FROM aclexplode(pc.relacl) AS ae
            UNION ALL
            SELECT ae.privilege_type, ae.grantee, ae.is_grantable, format(' (%I)', pa.attname) AS columns
            FROM pg_attribute AS pa
            CROSS JOIN LATERAL aclexplode(pa.attacl) AS ae
            WHERE pa.attrelid = pc.oid
        ) AS a
        WHERE
            pc.relkind IN ('v', 'm') AND a.grantee <> pc.relowner
            AND pc.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
    );
    each record;
    command text;
BEGIN
    PERFORM set_config('citus.enable_ddl_propagation', 'off', true);
    FOR each IN SELECT i.* FROM jsonb_to_recordset(identities) AS i (table_name text, column_name text) LOOP
        EXECUTE format('ALTER TABLE %s ALTER COLUMN %s DROP IDENTITY', each.table_name, each.column_name);
    END LOOP;
    PERFORM set_config('citus.enable_ddl_propagation', 'on', true);
    FOREACH command IN ARRAY names LOOP
        IF EXISTS (SELECT FROM pg_dist_partition AS dp WHERE dp.logicalrelid = command::regclass) THEN
            PERFORM undistribute_table(command::regclass, cascade_via_foreign_keys => true);
        END IF;
    END LOOP;
    PERFORM set_config('citus.enable_ddl_propagation', 'off', true);
    FOR each IN
        SELECT i.*
        FROM jsonb_to_recordset(identities) AS i (
            table_name text, column_name text, generated text, sequence_name text, options text, last_value int8,
            grants jsonb
        )
    LOOP
        EXECUTE format(
            'ALTER TABLE %s ALTER COLUMN %s ADD GENERATED %s AS IDENTITY (%s)',
            each.table_name, each.column_name, each.generated, each.options
        );
        IF each.last_value IS NOT NULL THEN
            PERFORM setval(each.sequence_name::regclass, each.last_value);
        END IF;
        FOR command IN SELECT jsonb_array_elements_text(each.grants) LOOP
            EXECUTE command;
        END LOOP;
    END LOOP;
    FOREACH command IN ARRAY view_grants LOOP
        EXECUTE command;
    END LOOP;
END
$$;
