-- What the review asks the catalogs of the scratch database, once, before it looks at the queries.

-- name: column_list()
-- Columns of all relations, and whether each is sure to hold no null.
-- A constraint that is not validated yet (PostgreSQL 18) says nothing about the rows that are there; and a table that
-- is read together with those that inherit from it is only as sure as they are.
WITH RECURSIVE descendant (ancestor, relation) AS (
    SELECT
        pi.inhparent,
        pi.inhrelid
    FROM pg_inherits AS pi
    UNION
    SELECT
        d.ancestor,
        pi.inhrelid
    FROM descendant AS d
    INNER JOIN pg_inherits AS pi ON d.relation = pi.inhparent
),

sure AS (
    SELECT
        pa.attrelid,
        pa.attname
    FROM pg_attribute AS pa
    INNER JOIN pg_class AS pc ON pa.attrelid = pc.oid
    WHERE
        pa.attnotnull
        AND pc.relkind IN ('r', 'p')
        AND NOT EXISTS (
            SELECT 1
            FROM pg_constraint AS pk
            WHERE
                pk.conrelid = pa.attrelid
                AND pk.contype = 'n'
                AND pk.conkey = ARRAY[pa.attnum]
                AND NOT pk.convalidated
        )
)

SELECT
    pa.attrelid AS relation,
    pa.attnum AS number,
    pa.attname::text AS name,
    pa.atttypid AS type,
    s.attname IS NOT NULL
    AND NOT EXISTS (
        SELECT 1
        FROM descendant AS d
        LEFT JOIN sure AS t ON d.relation = t.attrelid AND t.attname = pa.attname
        WHERE d.ancestor = pa.attrelid AND t.attname IS NULL
    ) AS not_null,
    pa.atthasdef OR pa.attidentity <> '' OR pt.typdefault IS NOT NULL AS has_default,
    pa.attnotnull OR pt.typnotnull AS needs_value
FROM pg_attribute AS pa
INNER JOIN pg_class AS pc ON pa.attrelid = pc.oid
INNER JOIN pg_type AS pt ON pa.atttypid = pt.oid
LEFT JOIN sure AS s ON pa.attrelid = s.attrelid AND pa.attname = s.attname
WHERE pa.attnum > 0 AND NOT pa.attisdropped AND pc.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
ORDER BY pa.attrelid, pa.attnum;

-- name: foreign_key_list()
-- Foreign keys, and what deleting or changing the row that is referred to does.
-- Those of partitions repeat their table's.
SELECT
    pk.conname::text AS name,
    pk.conrelid AS relation,
    pk.conkey AS columns,
    pk.confrelid AS parent,
    pk.confkey AS parent_columns,
    pk.confdeltype::text AS on_delete,
    pk.confupdtype::text AS on_update,
    pk.confmatchtype = 'f' AS is_full
FROM pg_constraint AS pk
WHERE pk.contype = 'f' AND pk.conparentid = 0 AND pk.conkey IS NOT NULL AND pk.confkey IS NOT NULL
ORDER BY pk.conrelid, pk.conname;

-- name: function_list()
-- Functions, and what of them matters to a caller.
SELECT
    pp.oid AS id,
    pp.proisstrict AS is_strict,
    pp.provolatile = 'v' AS is_volatile,
    CASE
        WHEN pg_function_is_visible(pp.oid) THEN quote_ident(pp.proname)
        ELSE quote_ident(pn.nspname) || '.' || quote_ident(pp.proname)
    END AS name,
    -- What a built-in function is to the server itself; overloaded functions share their name, but not this.
    CASE WHEN pl.lanname = 'internal' AND pn.nspname = 'pg_catalog' THEN pp.prosrc END AS internal,
    pp.provolatile = 'i' AS is_immutable
FROM pg_proc AS pp
INNER JOIN pg_namespace AS pn ON pp.pronamespace = pn.oid
INNER JOIN pg_language AS pl ON pp.prolang = pl.oid
ORDER BY pp.oid;

-- name: index_list()
-- Indexes of tables, but for those that repeat their partitioned table's.
-- An index without a constraint depends on each column that it mentions, in expressions and conditions, too.
SELECT
    px.indrelid AS relation,
    px.indnkeyatts AS size,
    px.indisunique AS is_unique,
    pc.relname::text AS name,
    px.indkey::int2[] AS columns,
    px.indexprs::text AS expressions,
    pc.oid IN (
        SELECT pk.conindid
        FROM pg_constraint AS pk
        WHERE pk.contype IN ('p', 'u', 'x')
    ) AS is_constraint,
    -- Since PostgreSQL 16, an update of what such an index alone covers leaves the other indexes as they are.
    pm.amname = 'brin' AS is_summary,
    ARRAY(
        SELECT m.place
        FROM (
            SELECT u.place
            FROM unnest(px.indkey::int2[]) AS u (place)
            WHERE u.place > 0
            UNION
            SELECT pd.refobjsubid
            FROM pg_depend AS pd
            WHERE
                pd.classid = 'pg_class'::regclass
                AND pd.objid = pc.oid
                AND pd.refclassid = 'pg_class'::regclass
                AND pd.refobjid = px.indrelid
                AND pd.refobjsubid > 0
        ) AS m
        ORDER BY m.place
    )::int2[] AS mentioned,
    pg_get_expr(px.indpred, px.indrelid) AS condition,
    -- By these names, too, plans call the index: those of its parts in the partitions.
    ARRAY(
        SELECT pp.relname::text
        FROM pg_partition_tree(pc.oid::regclass) AS tree
        INNER JOIN pg_class AS pp ON tree.relid = pp.oid
        ORDER BY pp.relname
    ) AS parts
FROM pg_index AS px
INNER JOIN pg_class AS pc ON px.indexrelid = pc.oid
INNER JOIN pg_am AS pm ON pc.relam = pm.oid
INNER JOIN pg_namespace AS pn ON pc.relnamespace = pn.oid
WHERE
    NOT pc.relispartition
    AND px.indisvalid
    AND pn.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
ORDER BY px.indrelid, pc.relname;

-- name: key_list()
-- Unique keys that hold at every moment, over columns, for all rows.
SELECT
    px.indrelid AS relation,
    px.indnkeyatts AS size,
    pc.relname::text AS name,
    px.indkey::int2[] AS columns,
    px.indcollation::oid[] AS collations,
    ARRAY(
        SELECT po.opcfamily
        FROM generate_series(0, px.indnkeyatts - 1) AS g (place)
        INNER JOIN pg_opclass AS po ON px.indclass[g.place] = po.oid
        ORDER BY g.place
    ) AS families,
    (
        SELECT pk.oid
        FROM pg_constraint AS pk
        WHERE pk.conindid = px.indexrelid AND pk.contype IN ('p', 'u')
    ) AS "constraint"
FROM pg_index AS px
INNER JOIN pg_class AS pc ON px.indexrelid = pc.oid
WHERE
    px.indisunique
    AND px.indimmediate
    AND px.indisvalid
    AND px.indexprs IS NULL
    AND px.indpred IS NULL
ORDER BY px.indrelid, pc.relname;

-- name: operator_list()
-- The operators that a B-tree or hash index searches by, with the family that they belong to.
SELECT
    po.amopopr AS operator,
    po.amopfamily AS family,
    pm.amname = 'hash' OR po.amopstrategy = 3 AS is_equal
FROM pg_amop AS po
INNER JOIN pg_am AS pm ON po.amopmethod = pm.oid
WHERE pm.amname IN ('btree', 'hash') AND po.amoppurpose = 's'
ORDER BY po.amopopr, po.amopfamily;

-- name: relation_list()
-- Tables, views and their like.
SELECT
    pc.oid AS id,
    pc.relkind::text AS kind,
    CASE
        WHEN pg_table_is_visible(pc.oid) THEN quote_ident(pc.relname)
        ELSE quote_ident(pn.nspname) || '.' || quote_ident(pc.relname)
    END AS name,
    -- A key of a table says nothing about those that inherit from it; partitions share their table's.
    pc.relkind = 'p' OR pc.oid NOT IN (SELECT pi.inhparent FROM pg_inherits AS pi) AS is_whole,
    pc.oid IN (
        SELECT pr.ev_class
        FROM pg_rewrite AS pr
        WHERE pr.rulename <> '_RETURN'
    ) AS has_rules,
    pn.nspname || '.' || pc.relname AS qualified,
    COALESCE(pg_partition_root(pc.oid::regclass)::oid, pc.oid) AS root,
    -- What the planner was told; a partitioned table has the rows of its partitions.
    CASE pc.relkind
        WHEN 'p'
            THEN (
                SELECT sum(pp.reltuples::bigint)::bigint
                FROM pg_partition_tree(pc.oid::regclass) AS tree
                INNER JOIN pg_class AS pp ON tree.relid = pp.oid
                WHERE tree.isleaf AND pp.reltuples >= 0
            )
        WHEN 'r' THEN nullif(pc.reltuples::bigint, -1)
    END AS rows
FROM pg_class AS pc
INNER JOIN pg_namespace AS pn ON pc.relnamespace = pn.oid
WHERE pc.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
ORDER BY pc.oid;

-- name: sort_memory()$
-- How many bytes are sorted in memory, by this session's settings.
SELECT pg_size_bytes(current_setting('work_mem')) AS bytes;

-- name: trigger_list()
-- Triggers of the schema's own that fire; those of a table's partitions count as its own.
-- The type is a set of bits: 1 for each row, 2 before, 4 INSERT, 8 DELETE, 16 UPDATE, 32 TRUNCATE, 64 instead.
SELECT
    pt.tgrelid AS relation,
    pt.tgname::text AS name,
    pt.tgtype AS kind,
    pt.tgattr::int2[] AS columns,
    pt.tgfoid::regproc::text AS function
FROM pg_trigger AS pt
WHERE NOT pt.tgisinternal AND pt.tgenabled IN ('O', 'A')
UNION
SELECT
    d.ancestor AS relation,
    pt.tgname::text AS name,
    pt.tgtype AS kind,
    pt.tgattr::int2[] AS columns,
    pt.tgfoid::regproc::text AS function
FROM (
    SELECT
        pc.oid AS ancestor,
        tree.relid::oid AS relation
    FROM pg_class AS pc
    CROSS JOIN LATERAL pg_partition_tree(pc.oid::regclass) AS tree
    WHERE pc.relkind = 'p'
) AS d
INNER JOIN pg_trigger AS pt ON d.relation = pt.tgrelid
WHERE NOT pt.tgisinternal AND pt.tgenabled IN ('O', 'A') AND pt.tgparentid = 0
ORDER BY relation, name;

-- name: type_list()
-- Types, with what a domain and an array are made of; int2vector and oidvector are no arrays to a client.
SELECT
    pt.oid AS id,
    pt.typtype::text AS kind,
    format_type(pt.oid, NULL) AS name,
    pe.oid AS element,
    CASE WHEN pt.typtype = 'd' THEN pt.typbasetype END AS base
FROM pg_type AS pt
LEFT JOIN pg_type AS pe ON pt.typelem = pe.oid AND pt.oid = pe.typarray
ORDER BY pt.oid;

-- name: view_list()
-- What each view is a name for, as the server keeps it.
SELECT
    pr.ev_class AS relation,
    pr.ev_action::text AS definition
FROM pg_rewrite AS pr
INNER JOIN pg_class AS pc ON pr.ev_class = pc.oid
INNER JOIN pg_namespace AS pn ON pc.relnamespace = pn.oid
WHERE
    pc.relkind = 'v'
    AND pr.ev_type = '1'
    AND pr.rulename = '_RETURN'
    AND pn.nspname NOT IN ('pg_catalog', 'information_schema')
ORDER BY pr.ev_class;
