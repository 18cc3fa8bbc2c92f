-- Takes a domain back to its beginning.

-- name: reset_configure(lock_timeout)$
-- Lets the transaction wait for locks this long, and its statements take as long as they take.
SELECT
    set_config('lock_timeout', :lock_timeout::text, true) AS lock_timeout,
    set_config('statement_timeout', '0', true) AS statement_timeout;

-- name: reset_outside(schemas)
-- What there is outside of some schemas: columns, constraints, functions, policies, triggers and types, described.
-- Compared before and after a drop it tells what CASCADE took along.
WITH elsewhere AS (
    SELECT pn.oid
    FROM pg_namespace AS pn
    WHERE pn.nspname <> ALL(:schemas::text[]) AND pn.nspname !~ '^pg_' AND pn.nspname <> 'information_schema'
)

SELECT pg_describe_object('pg_class'::regclass, pc.oid, pa.attnum) AS description
FROM pg_class AS pc
INNER JOIN pg_attribute AS pa ON pc.oid = pa.attrelid
WHERE pc.relnamespace IN (SELECT el.oid FROM elsewhere AS el) AND pa.attnum > 0 AND NOT pa.attisdropped
UNION ALL
SELECT pg_describe_object('pg_constraint'::regclass, pk.oid, 0)
FROM pg_constraint AS pk
WHERE pk.connamespace IN (SELECT el.oid FROM elsewhere AS el)
UNION ALL
SELECT pg_describe_object('pg_proc'::regclass, pp.oid, 0)
FROM pg_proc AS pp
WHERE pp.pronamespace IN (SELECT el.oid FROM elsewhere AS el)
UNION ALL
SELECT pg_describe_object('pg_attrdef'::regclass, pd.oid, 0)
FROM pg_attrdef AS pd
INNER JOIN pg_class AS pc ON pd.adrelid = pc.oid
WHERE pc.relnamespace IN (SELECT el.oid FROM elsewhere AS el)
UNION ALL
SELECT pg_describe_object('pg_trigger'::regclass, pt.oid, 0)
FROM pg_trigger AS pt
INNER JOIN pg_class AS pc ON pt.tgrelid = pc.oid
WHERE pc.relnamespace IN (SELECT el.oid FROM elsewhere AS el) AND NOT pt.tgisinternal
UNION ALL
SELECT pg_describe_object('pg_policy'::regclass, po.oid, 0)
FROM pg_policy AS po
INNER JOIN pg_class AS pc ON po.polrelid = pc.oid
WHERE pc.relnamespace IN (SELECT el.oid FROM elsewhere AS el)
UNION ALL
SELECT pg_describe_object('pg_type'::regclass, py.oid, 0)
FROM pg_type AS py
WHERE py.typnamespace IN (SELECT el.oid FROM elsewhere AS el);
