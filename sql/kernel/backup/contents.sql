-- What a backup holds and what a restore would meet.

-- name: database_state()^
-- The database of this session: its name, its server's version, its size on the server's disk in bytes.
SELECT
    current_database()::text AS name,
    current_setting('server_version_num')::integer AS version,
    coalesce(pg_database_size(current_database()), 0) AS size;

-- name: message_language_choice()$
-- Whether the server speaks another language than English, and this role may choose which one.
SELECT
    has_parameter_privilege('lc_messages', 'SET')
    AND current_setting('lc_messages') NOT IN ('C', 'POSIX')
    AND current_setting('lc_messages') NOT LIKE 'en%' AS choice;

-- name: object_list(at_most)
-- What was made in this database since it was created, described in words; temporary objects do not count.
-- PostgreSQL gives its own objects oids below 16384. The schema public and the language plpgsql are there from the
-- beginning, but they may have been dropped and created again. Members of an extension go with it, and partitions
-- with their table; that its key's columns go with it, too, makes it no part of anything.
SELECT pg_describe_object(made.classid, made.objid, 0) AS description
FROM (
    SELECT
        tableoid AS classid,
        oid AS objid,
        1 AS place
    FROM pg_extension
    WHERE extname <> 'plpgsql'
    UNION ALL
    SELECT
        tableoid AS classid,
        oid AS objid,
        2 AS place
    FROM pg_namespace
    WHERE nspname <> 'public' AND nspname NOT LIKE 'pg\_%'
    UNION ALL
    SELECT
        tableoid AS classid,
        oid AS objid,
        CASE relkind WHEN 'S' THEN 4 ELSE 3 END AS place
    FROM pg_class
    WHERE relpersistence <> 't' AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND NOT relispartition
    UNION ALL
    SELECT
        pt.tableoid AS classid,
        pt.oid AS objid,
        4 AS place
    FROM pg_type AS pt
    LEFT JOIN pg_class AS pc ON pt.typrelid = pc.oid
    -- The types of tables' rows and of arrays go with what they are of.
    WHERE (pc.relkind = 'c' OR pt.typrelid = 0) AND pt.typcategory <> 'A'
    UNION ALL
    SELECT
        tableoid AS classid,
        oid AS objid,
        5 AS place
    FROM pg_proc
    UNION ALL
    SELECT
        tableoid AS classid,
        oid AS objid,
        6 AS place
    FROM pg_operator
    UNION ALL
    SELECT
        tableoid AS classid,
        oid AS objid,
        6 AS place
    FROM pg_collation
    UNION ALL
    SELECT
        tableoid AS classid,
        oid AS objid,
        6 AS place
    FROM pg_cast
    UNION ALL
    SELECT
        tableoid AS classid,
        oid AS objid,
        6 AS place
    FROM pg_ts_config
    UNION ALL
    SELECT
        tableoid AS classid,
        oid AS objid,
        6 AS place
    FROM pg_ts_dict
    UNION ALL
    SELECT
        tableoid AS classid,
        oid AS objid,
        6 AS place
    FROM pg_foreign_data_wrapper
    UNION ALL
    SELECT
        tableoid AS classid,
        oid AS objid,
        6 AS place
    FROM pg_foreign_server
    UNION ALL
    SELECT
        tableoid AS classid,
        oid AS objid,
        6 AS place
    FROM pg_event_trigger
    UNION ALL
    SELECT
        tableoid AS classid,
        oid AS objid,
        6 AS place
    FROM pg_publication
    UNION ALL
    SELECT
        'pg_largeobject'::regclass AS classid,
        oid AS objid,
        7 AS place
    FROM pg_largeobject_metadata
) AS made
LEFT JOIN pg_depend AS pd
    ON made.classid = pd.classid AND made.objid = pd.objid AND pd.objsubid = 0 AND pd.deptype IN ('e', 'i')
WHERE made.objid >= 16384 AND pd.objid IS NULL
ORDER BY made.place, description
LIMIT :at_most::integer;

-- name: snapshot_export()$
-- The name under which pg_dump can look at the database as this transaction does, for as long as it is open.
SELECT pg_export_snapshot() AS snapshot;

-- name: table_list()
-- Every table that holds rows of its own, partitions included. What an extension brings is dumped by the extension.
SELECT
    pn.nspname::text AS schema,
    pc.relname::text AS name
FROM pg_class AS pc
INNER JOIN pg_namespace AS pn ON pc.relnamespace = pn.oid
WHERE
    pc.relkind = 'r'
    AND pc.relpersistence <> 't'
    AND pn.nspname <> 'information_schema'
    AND pn.nspname NOT LIKE 'pg\_%'
    AND NOT EXISTS (
        SELECT true
        FROM pg_depend AS pd
        WHERE pd.classid = 'pg_class'::regclass AND pd.objid = pc.oid AND pd.deptype = 'e'
    )
ORDER BY pn.nspname, pc.relname;

-- name: transaction_configure(lock_timeout)$
-- The transaction lasts as long as the copy does, idle or not; a lock is not waited for, because others would queue
-- behind. Rows that a policy would hide are an error instead of a smaller count. Older servers lack some settings.
SELECT count(set_config(ps.name, CASE ps.name WHEN 'lock_timeout' THEN :lock_timeout::text ELSE '0' END, true)) AS set
FROM pg_settings AS ps
WHERE
    ps.name IN (
        'idle_in_transaction_session_timeout',
        'lock_timeout',
        'row_security',
        'statement_timeout',
        'transaction_timeout'
    );
