-- The objects of a database, as facts: see catalog.sql.

-- name: catalog_extensions()
-- Extensions and where they are, but not their versions, which are the server's matter. Nor Citus, which says on which
-- nodes the rows of a table are, and nothing of what the table is.
SELECT
    '' AS name,
    'EXTENSION ' || quote_ident(pe.extname) AS object,
    format('CREATE EXTENSION %I SCHEMA %I', pe.extname, pn.nspname) AS definition
FROM pg_extension AS pe
INNER JOIN pg_namespace AS pn ON pe.extnamespace = pn.oid
WHERE pe.extname NOT IN ('citus', 'citus_columnar');

-- name: catalog_others()
-- What else people can make, by its name alone.
SELECT
    '' AS name,
    upper(poi.type) || ' ' || poi.identity AS object,
    'CREATE ' || upper(poi.type) || ' ' || poi.identity AS definition
FROM (
    SELECT
        pam.tableoid AS classid,
        pam.oid AS objid
    FROM pg_am AS pam
    UNION ALL
    SELECT
        pc.tableoid AS classid,
        pc.oid AS objid
    FROM pg_cast AS pc
    UNION ALL
    SELECT
        pc.tableoid AS classid,
        pc.oid AS objid
    FROM pg_collation AS pc
    UNION ALL
    SELECT
        pc.tableoid AS classid,
        pc.oid AS objid
    FROM pg_conversion AS pc
    UNION ALL
    SELECT
        pet.tableoid AS classid,
        pet.oid AS objid
    FROM pg_event_trigger AS pet
    UNION ALL
    SELECT
        pl.tableoid AS classid,
        pl.oid AS objid
    FROM pg_language AS pl
    UNION ALL
    SELECT
        po.tableoid AS classid,
        po.oid AS objid
    FROM pg_opclass AS po
    UNION ALL
    SELECT
        po.tableoid AS classid,
        po.oid AS objid
    FROM pg_operator AS po
    UNION ALL
    SELECT
        po.tableoid AS classid,
        po.oid AS objid
    FROM pg_opfamily AS po
    UNION ALL
    SELECT
        ptc.tableoid AS classid,
        ptc.oid AS objid
    FROM pg_ts_config AS ptc
    UNION ALL
    SELECT
        ptd.tableoid AS classid,
        ptd.oid AS objid
    FROM pg_ts_dict AS ptd
    UNION ALL
    SELECT
        pt.tableoid AS classid,
        pt.oid AS objid
    FROM pg_type AS pt
    WHERE pt.typtype = 'b' AND pt.typcategory <> 'A'
) AS made
CROSS JOIN LATERAL pg_identify_object(made.classid, made.objid, 0) AS poi
WHERE
    made.objid >= 16384
    AND NOT EXISTS (
        SELECT
        FROM pg_depend AS pd
        WHERE pd.classid = made.classid AND pd.objid = made.objid AND pd.deptype IN ('e', 'i')
    );

-- name: catalog_routines(routines)
-- Functions and procedures with their bodies, and aggregates.
SELECT
    '' AS name,
    upper(poi.type) || ' ' || poi.identity AS object,
    CASE
        WHEN pp.prokind <> 'a' THEN rtrim(pg_get_functiondef(pp.oid), E'\n')
        ELSE
            concat_ws(
                ' ',
                'CREATE AGGREGATE',
                poi.identity,
                'SFUNC ' || pa.aggtransfn::text,
                'STYPE ' || format_type(pa.aggtranstype, NULL),
                'FINALFUNC ' || nullif(pa.aggfinalfn, 0::regproc)::text,
                'COMBINEFUNC ' || nullif(pa.aggcombinefn, 0::regproc)::text,
                'INITCOND ' || quote_literal(pa.agginitval)
            )
    END AS definition
FROM pg_proc AS pp
LEFT JOIN pg_aggregate AS pa ON pp.oid = pa.aggfnoid
CROSS JOIN LATERAL pg_identify_object('pg_proc'::regclass, pp.oid, 0) AS poi
WHERE pp.oid = ANY(:routines::oid[]);

-- name: catalog_schemas(schemas)
-- Schemas.
SELECT
    '' AS name,
    'SCHEMA ' || quote_ident(pn.nspname) AS object,
    'CREATE SCHEMA ' || quote_ident(pn.nspname) AS definition
FROM pg_namespace AS pn
WHERE pn.oid = ANY(:schemas::oid[]);

-- name: catalog_sequences(relations)
-- Sequences with their limits, but not how far they have come.
SELECT
    '' AS name,
    upper(poi.type) || ' ' || poi.identity AS object,
    concat_ws(
        ' ',
        CASE pc.relpersistence WHEN 'u' THEN 'CREATE UNLOGGED SEQUENCE' ELSE 'CREATE SEQUENCE' END,
        poi.identity,
        'AS ' || format_type(ps.seqtypid, NULL),
        'INCREMENT ' || ps.seqincrement,
        'MINVALUE ' || ps.seqmin,
        'MAXVALUE ' || ps.seqmax,
        'START ' || ps.seqstart,
        'CACHE ' || ps.seqcache,
        CASE WHEN ps.seqcycle THEN 'CYCLE' END,
        'OWNED BY ' || (
            SELECT (pg_identify_object(pd.refclassid, pd.refobjid, pd.refobjsubid)).identity
            FROM pg_depend AS pd
            WHERE
                pd.classid = 'pg_class'::regclass
                AND pd.objid = ps.seqrelid
                AND pd.deptype IN ('a', 'i')
                AND pd.refobjsubid > 0
        )
    ) AS definition
FROM pg_sequence AS ps
INNER JOIN pg_class AS pc ON ps.seqrelid = pc.oid
CROSS JOIN LATERAL pg_identify_object('pg_class'::regclass, ps.seqrelid, 0) AS poi
WHERE ps.seqrelid = ANY(:relations::oid[]);

-- name: catalog_types(types)
-- Enumerations, domains and ranges.
SELECT
    '' AS name,
    upper(poi.type) || ' ' || poi.identity AS object,
    concat_ws(
        ' ',
        CASE pt.typtype WHEN 'd' THEN 'CREATE DOMAIN' ELSE 'CREATE TYPE' END,
        poi.identity,
        'AS ENUM (' || (
            SELECT string_agg(quote_literal(pe.enumlabel), ', ' ORDER BY pe.enumsortorder)
            FROM pg_enum AS pe
            WHERE pe.enumtypid = pt.oid
        ) || ')',
        CASE WHEN pt.typtype = 'd' THEN 'AS ' || format_type(pt.typbasetype, pt.typtypmod) END,
        'AS RANGE (SUBTYPE = ' || format_type(pr.rngsubtype, NULL) || ')',
        CASE
            WHEN pt.typtype = 'd' AND pt.typcollation <> base.typcollation THEN 'COLLATE ' || quote_ident(pco.collname)
        END,
        'DEFAULT ' || pt.typdefault,
        CASE WHEN pt.typnotnull THEN 'NOT NULL' END
    ) AS definition
FROM pg_type AS pt
LEFT JOIN pg_type AS base ON pt.typbasetype = base.oid
LEFT JOIN pg_collation AS pco ON pt.typcollation = pco.oid
LEFT JOIN pg_range AS pr ON pt.oid = pr.rngtypid
CROSS JOIN LATERAL pg_identify_object('pg_type'::regclass, pt.oid, 0) AS poi
WHERE pt.oid = ANY(:types::oid[]);

-- name: catalog_views(relations)
-- Views and materialized views with what they select.
SELECT
    '' AS name,
    upper(poi.type) || ' ' || poi.identity AS object,
    concat(
        'CREATE ',
        upper(poi.type),
        ' ',
        poi.identity,
        ' WITH (' || array_to_string(pc.reloptions, ', ') || ')',
        E' AS\n',
        pg_get_viewdef(pc.oid)
    ) AS definition
FROM pg_class AS pc
CROSS JOIN LATERAL pg_identify_object('pg_class'::regclass, pc.oid, 0) AS poi
WHERE pc.oid = ANY(:relations::oid[]) AND pc.relkind IN ('v', 'm');
