-- What a database consists of, as facts that can be compared with those of another. A fact has the name of what it is
-- about within an object, such as a column of a table; the object; and the definition, in SQL or nearly so.

-- name: catalog_comments(schemas, relations, history)
-- Comments on anything that is not PostgreSQL's own, an extension's or the runner's, or a partition that is left out.
SELECT
    coalesce(pa.attname::text, '') AS name,
    upper(poi.type) || ' ' || poi.identity AS object,
    concat_ws(
        ' ',
        'COMMENT',
        'ON COLUMN ' || quote_ident(pa.attname),
        'IS ' || quote_literal(pd.description)
    ) AS definition
FROM pg_description AS pd
LEFT JOIN pg_attribute AS pa
    ON
        pd.classoid = 'pg_class'::regclass
        AND pd.objoid = pa.attrelid
        AND pd.objsubid = pa.attnum
        AND pa.attnum > 0
CROSS JOIN LATERAL pg_identify_object(pd.classoid, pd.objoid, 0) AS poi
WHERE
    (pd.objoid >= 16384 OR (pd.classoid = 'pg_namespace'::regclass AND pd.objoid = ANY(:schemas::oid[])))
    AND pd.classoid NOT IN ('pg_extension'::regclass, 'pg_largeobject'::regclass)
    AND NOT (pd.classoid = 'pg_class'::regclass AND pd.objoid IS NOT DISTINCT FROM :history::oid)
    AND NOT EXISTS (
        SELECT
        FROM pg_depend AS pde
        WHERE pde.classid = pd.classoid AND pde.objid = pd.objoid AND pde.deptype = 'e'
    )
    AND NOT EXISTS (
        SELECT
        FROM pg_class AS pc
        WHERE
            pd.classoid = 'pg_class'::regclass
            AND pd.objoid = pc.oid
            AND pc.relispartition
            AND pc.relkind IN ('r', 'p', 'f')
            AND pc.oid <> ALL(:relations::oid[])
    );

-- name: catalog_configure()^
-- Makes definitions read the same, whatever a session or a database has set.
SELECT
    set_config('bytea_output', 'hex', true) AS bytea_output,
    set_config('datestyle', 'ISO, YMD', true) AS date_style,
    set_config('extra_float_digits', '1', true) AS extra_float_digits,
    set_config('intervalstyle', 'postgres', true) AS interval_style,
    set_config('quote_all_identifiers', 'off', true) AS quote_all_identifiers,
    set_config('search_path', '', true) AS search_path,
    set_config('timezone', 'UTC', true) AS time_zone;

-- name: catalog_default_grants()
-- What is granted on objects that are yet to be made, and what is not granted to everybody as it would be.
SELECT
    concat_ws(' ', pda.defaclobjtype::text, grants.action, grants.grantee) AS name,
    'DEFAULT PRIVILEGES' || coalesce(' IN SCHEMA ' || quote_ident(pn.nspname), '') AS object,
    concat_ws(
        ' ',
        grants.action,
        string_agg(DISTINCT grants.privilege_type, ', '),
        'ON',
        CASE pda.defaclobjtype
            WHEN 'r' THEN 'TABLES'
            WHEN 'S' THEN 'SEQUENCES'
            WHEN 'f' THEN 'FUNCTIONS'
            WHEN 'T' THEN 'TYPES'
            WHEN 'n' THEN 'SCHEMAS'
            ELSE 'LARGE OBJECTS'
        END,
        CASE grants.action WHEN 'GRANT' THEN 'TO' ELSE 'FROM' END,
        grants.grantee
    ) AS definition
FROM pg_default_acl AS pda
LEFT JOIN pg_namespace AS pn ON pda.defaclnamespace = pn.oid
CROSS JOIN
    LATERAL (
        SELECT
            'GRANT' AS action,
            ae.privilege_type,
            CASE ae.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(ae.grantee)) END AS grantee
        FROM aclexplode(pda.defaclacl) AS ae
        WHERE ae.grantee <> pda.defaclrole
        UNION ALL
        SELECT
            'REVOKE' AS action,
            ae.privilege_type,
            'PUBLIC' AS grantee
        FROM aclexplode(acldefault(pda.defaclobjtype, pda.defaclrole)) AS ae
        WHERE
            pda.defaclnamespace = 0
            AND ae.grantee = 0
            AND NOT EXISTS (
                SELECT
                FROM aclexplode(pda.defaclacl) AS kept
                WHERE kept.grantee = 0 AND kept.privilege_type = ae.privilege_type
            )
    ) AS grants
GROUP BY pn.nspname, pda.defaclobjtype, grants.action, grants.grantee;

-- name: catalog_grants(schemas, relations, routines, types, maintain)
-- What is granted, to others than the owner, who may do everything. MAINTAIN is left out where one side has none.
SELECT
    grants.grantee AS name,
    upper(poi.type) || ' ' || poi.identity AS object,
    concat(
        'GRANT ',
        string_agg(DISTINCT grants.privilege_type, ', '),
        ' (' || quote_ident(pa.attname) || ')',
        ' TO ',
        grants.grantee,
        CASE WHEN grants.is_grantable THEN ' WITH GRANT OPTION' END
    ) AS definition
FROM (
    SELECT
        'pg_class'::regclass AS classid,
        pc.oid AS objid,
        0 AS objsubid,
        pc.relowner AS owner,
        coalesce(
            pc.relacl,
            CASE pc.relkind WHEN 'S' THEN acldefault('s', pc.relowner) ELSE acldefault('r', pc.relowner) END
        ) AS acl
    FROM pg_class AS pc
    WHERE pc.oid = ANY(:relations::oid[]) AND pc.relkind <> 'c'
    UNION ALL
    SELECT
        'pg_class'::regclass AS classid,
        pat.attrelid AS objid,
        pat.attnum AS objsubid,
        pc.relowner AS owner,
        pat.attacl AS acl
    FROM pg_class AS pc
    INNER JOIN pg_attribute AS pat ON pc.oid = pat.attrelid
    WHERE pc.oid = ANY(:relations::oid[]) AND NOT pat.attisdropped
    UNION ALL
    SELECT
        'pg_namespace'::regclass AS classid,
        pn.oid AS objid,
        0 AS objsubid,
        pn.nspowner AS owner,
        coalesce(pn.nspacl, acldefault('n', pn.nspowner)) AS acl
    FROM pg_namespace AS pn
    WHERE pn.oid = ANY(:schemas::oid[])
    UNION ALL
    SELECT
        'pg_proc'::regclass AS classid,
        pp.oid AS objid,
        0 AS objsubid,
        pp.proowner AS owner,
        coalesce(pp.proacl, acldefault('f', pp.proowner)) AS acl
    FROM pg_proc AS pp
    WHERE pp.oid = ANY(:routines::oid[])
    UNION ALL
    SELECT
        'pg_type'::regclass AS classid,
        pt.oid AS objid,
        0 AS objsubid,
        pt.typowner AS owner,
        coalesce(pt.typacl, acldefault('T', pt.typowner)) AS acl
    FROM pg_type AS pt
    WHERE pt.oid = ANY(:types::oid[])
) AS granted
CROSS JOIN
    LATERAL (
        SELECT
            ae.privilege_type,
            ae.is_grantable,
            CASE ae.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(ae.grantee)) END AS grantee
        FROM aclexplode(granted.acl) AS ae
        WHERE ae.grantee <> granted.owner AND (ae.privilege_type <> 'MAINTAIN' OR :maintain::boolean)
    ) AS grants
CROSS JOIN LATERAL pg_identify_object(granted.classid, granted.objid, 0) AS poi
LEFT JOIN pg_attribute AS pa
    ON granted.classid = 'pg_class'::regclass AND granted.objid = pa.attrelid AND granted.objsubid = pa.attnum
GROUP BY poi.type, poi.identity, pa.attname, grants.grantee, grants.is_grantable;

-- name: catalog_history(schema)$
-- The table of the runner's history, which belongs to no migration; null while there is none.
SELECT to_regclass(quote_ident(:schema::text) || '.schema_migrations')::oid AS history;

-- name: catalog_owners(schemas, relations, routines, types)
-- Who owns what. Owners are not compared; but what is granted to one need not be granted on the other side.
SELECT
    upper(poi.type) || ' ' || poi.identity AS object,
    quote_ident(pg_get_userbyid(owned.owner)) AS owner
FROM (
    SELECT
        pc.tableoid AS classid,
        pc.oid AS objid,
        pc.relowner AS owner
    FROM pg_class AS pc
    WHERE pc.oid = ANY(:relations::oid[])
    UNION ALL
    SELECT
        pn.tableoid AS classid,
        pn.oid AS objid,
        pn.nspowner AS owner
    FROM pg_namespace AS pn
    WHERE pn.oid = ANY(:schemas::oid[])
    UNION ALL
    SELECT
        pp.tableoid AS classid,
        pp.oid AS objid,
        pp.proowner AS owner
    FROM pg_proc AS pp
    WHERE pp.oid = ANY(:routines::oid[])
    UNION ALL
    SELECT
        pt.tableoid AS classid,
        pt.oid AS objid,
        pt.typowner AS owner
    FROM pg_type AS pt
    WHERE pt.oid = ANY(:types::oid[])
) AS owned
CROSS JOIN LATERAL pg_identify_object(owned.classid, owned.objid, 0) AS poi;

-- name: catalog_scope(history)^
-- What is compared: all that is not PostgreSQL's own, a session's own, an extension's or the runner's, and not what
-- depends on the day: partitions by time. They come and go with the calendar where a default partition is there for
-- what has none of its own; that one is compared, and so is the table, which says what all of them are like.
WITH
outside AS (
    SELECT
        pd.classid,
        pd.objid
    FROM pg_depend AS pd
    WHERE pd.deptype = 'e'
    UNION ALL
    SELECT
        'pg_class'::regclass AS classid,
        pi.inhrelid AS objid
    FROM pg_partitioned_table AS pp
    INNER JOIN pg_inherits AS pi ON pp.partrelid = pi.inhparent
    INNER JOIN pg_attribute AS pa ON pp.partrelid = pa.attrelid AND pp.partattrs[0] = pa.attnum
    WHERE
        pp.partstrat = 'r'
        AND pp.partnatts = 1
        AND pa.atttypid IN ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype)
        AND pp.partdefid <> 0
        AND pi.inhrelid <> pp.partdefid
),

namespace AS (
    SELECT pn.oid
    FROM pg_namespace AS pn
    WHERE NOT starts_with(pn.nspname::text, 'pg_') AND pn.nspname <> 'information_schema'
)

SELECT
    array(
        SELECT ns.oid
        FROM namespace AS ns
        WHERE ('pg_namespace'::regclass, ns.oid) NOT IN (
                SELECT
                    os.classid,
                    os.objid
                FROM outside AS os
            )
    ) AS schemas,
    array(
        SELECT pc.oid
        FROM pg_class AS pc
        WHERE
            pc.relnamespace IN (SELECT ns.oid FROM namespace AS ns)
            AND pc.relkind IN ('r', 'p', 'f', 'c', 'v', 'm', 'S')
            AND pc.oid IS DISTINCT FROM :history::oid
            AND ('pg_class'::regclass, pc.oid) NOT IN (
                SELECT
                    os.classid,
                    os.objid
                FROM outside AS os
            )
    ) AS relations,
    array(
        SELECT pp.oid
        FROM pg_proc AS pp
        WHERE
            pp.pronamespace IN (SELECT ns.oid FROM namespace AS ns)
            AND ('pg_proc'::regclass, pp.oid) NOT IN (
                SELECT
                    os.classid,
                    os.objid
                FROM outside AS os
            )
            -- What a range type brings with it.
            AND NOT EXISTS (
                SELECT
                FROM pg_depend AS pd
                WHERE pd.classid = 'pg_proc'::regclass AND pd.objid = pp.oid AND pd.deptype = 'i'
            )
    ) AS routines,
    array(
        SELECT pt.oid
        FROM pg_type AS pt
        WHERE
            pt.typnamespace IN (SELECT ns.oid FROM namespace AS ns)
            AND pt.typtype IN ('d', 'e', 'r')
            AND ('pg_type'::regclass, pt.oid) NOT IN (
                SELECT
                    os.classid,
                    os.objid
                FROM outside AS os
            )
    ) AS types;
