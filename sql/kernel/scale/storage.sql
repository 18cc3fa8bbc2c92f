-- What decides how large tables and indexes are, and how a throw-away database is made to believe that they are.

-- name: storage_column_list()
-- Columns of tables, with what their values are stored as.
-- The smaller-than operator is the one that ANALYZE would note with the order of the values: that of the type, or of
-- the type that it is stored as.
WITH stored AS (
    SELECT
        pa.attrelid,
        pa.attnum,
        pa.attname,
        pa.attnotnull,
        pa.attlen,
        pa.atttypmod,
        pa.attcollation,
        pt.oid AS type,
        pt.typname,
        pt.typtype,
        pt.typcategory
    FROM pg_attribute AS pa
    INNER JOIN pg_class AS pc ON pa.attrelid = pc.oid
    INNER JOIN pg_namespace AS pn ON pc.relnamespace = pn.oid
    INNER JOIN pg_type AS pd ON pa.atttypid = pd.oid
    INNER JOIN pg_type AS pt ON pt.oid = CASE WHEN pd.typtype = 'd' THEN pd.typbasetype ELSE pd.oid END
    WHERE
        pc.relkind IN ('r', 'p', 'm')
        AND pa.attnum > 0
        AND NOT pa.attisdropped
        AND NOT starts_with(pn.nspname, 'pg_')
        AND pn.nspname <> 'information_schema'
)

SELECT
    s.attrelid AS relation,
    s.attnum AS number,
    s.attname::text AS name,
    s.attnotnull AS not_null,
    s.attlen AS length,
    s.atttypmod AS modifier,
    s.attcollation AS sorting,
    s.type,
    s.typname::text AS type_name,
    CASE
        WHEN s.typname = 'bool' THEN 2
        WHEN s.typtype = 'e' THEN (
            SELECT count(*)
            FROM pg_enum AS pe
            WHERE pe.enumtypid = s.type
        )
    END AS values,
    (
        SELECT po.amopopr
        FROM pg_opclass AS pk
        INNER JOIN pg_am AS pm ON pk.opcmethod = pm.oid
        INNER JOIN pg_amop AS po
            ON
                pk.opcfamily = po.amopfamily
                AND pk.opcintype = po.amoplefttype
                AND pk.opcintype = po.amoprighttype
                AND po.amopstrategy = 1
        WHERE
            pm.amname = 'btree'
            AND pk.opcdefault
            AND (
                pk.opcintype = s.type
                OR (s.typtype = 'e' AND pk.opcintype = 'anyenum'::regtype)
                OR (s.typtype = 'r' AND pk.opcintype = 'anyrange'::regtype)
                OR (s.typcategory = 'A' AND pk.opcintype = 'anyarray'::regtype)
                OR EXISTS (
                    SELECT 1
                    FROM pg_cast AS pt
                    WHERE
                        pt.castsource = s.type
                        AND pt.casttarget = pk.opcintype
                        AND pt.castmethod = 'b'
                        AND pt.castcontext = 'i'
                )
            )
        ORDER BY pk.opcintype <> s.type, pk.oid
        LIMIT 1
    ) AS smaller
FROM stored AS s
ORDER BY s.attrelid, s.attnum;

-- name: storage_forget(relations)!
-- Removes what is known of the values in tables.
DELETE FROM pg_statistic
WHERE starelid = ANY(:relations::oid[]);

-- name: storage_index_list()
-- Indexes, with what decides how large they are.
SELECT
    px.indrelid AS relation,
    px.indexrelid AS id,
    px.indisunique AS is_unique,
    px.indnkeyatts AS size,
    pm.amname::text AS method,
    -- 0 stands for an expression.
    px.indkey::int2[] AS columns,
    pg_get_expr(px.indpred, px.indrelid) AS condition,
    -- Types whose equal values may differ cannot share an entry.
    NOT EXISTS (
        SELECT 1
        FROM pg_attribute AS pa
        WHERE
            pa.attrelid = px.indexrelid
            AND pa.atttypid IN ('numeric'::regtype, 'jsonb'::regtype, 'float4'::regtype, 'float8'::regtype)
    ) AS shares_entries,
    coalesce(pg_relation_filepath(px.indexrelid), '') AS file
FROM pg_index AS px
INNER JOIN pg_class AS pc ON px.indexrelid = pc.oid
INNER JOIN pg_namespace AS pn ON pc.relnamespace = pn.oid
INNER JOIN pg_am AS pm ON pc.relam = pm.oid
WHERE pc.relkind = 'i' AND NOT starts_with(pn.nspname, 'pg_')
ORDER BY px.indexrelid;

-- name: storage_layout()^
-- How files are cut, in bytes, and the database that is asked.
SELECT
    current_setting('block_size')::int8 AS page,
    coalesce(pg_size_bytes(current_setting('segment_size')), 0) AS segment,
    current_database()::text AS database;

-- name: storage_note(statistics)!
-- Notes what ANALYZE would have found in columns. Kind 1 of a statistic are frequent values, here those of a boolean;
-- kind 2 is a histogram, kind 3 a correlation.
INSERT INTO pg_statistic (
    starelid, staattnum, stainherit, stanullfrac, stawidth, stadistinct,
    stakind1, staop1, stacoll1, stavalues1,
    stakind2, staop2, stacoll2, stanumbers2,
    stakind3, staop3, stacoll3, stavalues3, stanumbers3,
    stakind4, staop4, stacoll4,
    stakind5, staop5, stacoll5
)
WITH none AS (
    SELECT
        0::int2 AS kind,
        0::oid AS id
)

SELECT
    s.relation,
    s.number,
    s.inherited,
    s.nulls,
    s.width,
    s.distinct_values,
    CASE WHEN s.histogram IS NULL THEN n.kind ELSE 2::int2 END AS kind1,
    CASE WHEN s.histogram IS NULL THEN n.id ELSE s.smaller END AS operator1,
    CASE WHEN s.histogram IS NULL THEN n.id ELSE s.sorting END AS collation1,
    array_in(s.histogram::cstring, s.type, -1) AS values1,
    CASE WHEN s.correlation IS NULL THEN n.kind ELSE 3::int2 END AS kind2,
    CASE WHEN s.correlation IS NULL THEN n.id ELSE s.smaller END AS operator2,
    CASE WHEN s.correlation IS NULL THEN n.id ELSE s.sorting END AS collation2,
    CASE WHEN s.correlation IS NOT NULL THEN ARRAY[s.correlation] END AS numbers2,
    CASE WHEN s.shares IS NULL THEN n.kind ELSE 1::int2 END AS kind3,
    CASE WHEN s.shares IS NULL THEN n.id ELSE '=(bool,bool)'::regoperator::oid END AS operator3,
    n.id AS collation3,
    CASE WHEN s.shares IS NOT NULL THEN array_in('{t,f}', s.type, -1) END AS values3,
    s.shares AS numbers3,
    n.kind AS kind4,
    n.id AS operator4,
    n.id AS collation4,
    n.kind AS kind5,
    n.id AS operator5,
    n.id AS collation5
FROM none AS n
CROSS JOIN jsonb_to_recordset(:statistics::text::jsonb) AS s (
    relation oid,
    number int2,
    inherited bool,
    nulls float4,
    width int4,
    distinct_values float4,
    type oid,
    smaller oid,
    sorting oid,
    histogram text,
    correlation float4,
    shares float4[]
);

-- name: storage_resize(sizes)!
-- Notes how large tables and indexes are, and keeps autovacuum from reading what is not there.
UPDATE pg_class AS pc
SET
    reltuples = s.rows,
    relpages = s.pages,
    relallvisible = s.visible,
    reloptions = CASE
        WHEN pc.relkind IN ('r', 'm') THEN coalesce(pc.reloptions, '{}') || '{autovacuum_enabled=false}'
        ELSE pc.reloptions
    END
FROM jsonb_to_recordset(:sizes::text::jsonb) AS s (id oid, rows float4, pages int4, visible int4)
WHERE pc.oid = s.id;

-- name: storage_sees(file)$
-- Whether the folder of the server's data has a file of that name.
SELECT (pg_stat_file(:file::text, true)).size IS NOT NULL AS sees;

-- name: storage_table_list()
-- Tables with what decides how large they are.
SELECT
    pc.oid AS id,
    pn.nspname::text AS schema,
    pc.relname::text AS name,
    pi.inhparent AS parent,
    coalesce(pg_table_is_visible(pc.oid), false) AS is_visible,
    coalesce(
        (
            SELECT po.option_value::int4
            FROM pg_options_to_table(pc.reloptions) AS po
            WHERE po.option_name = 'fillfactor'
        ),
        100
    ) AS fill,
    pg_relation_filepath(pc.oid) AS file
FROM pg_class AS pc
INNER JOIN pg_namespace AS pn ON pc.relnamespace = pn.oid
LEFT JOIN pg_inherits AS pi ON pc.relispartition AND pc.oid = pi.inhrelid
WHERE
    pc.relkind IN ('r', 'p', 'm')
    AND pc.relpersistence <> 't'
    AND NOT starts_with(pn.nspname, 'pg_')
    AND pn.nspname <> 'information_schema'
ORDER BY pn.nspname, pc.relname;
