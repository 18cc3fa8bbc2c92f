-- What PostgreSQL has counted of the statements that it ran, by the extension pg_stat_statements.

-- name: statement_list()
-- The statements of this database, the ones that took most time in all first. Times are in milliseconds.
-- Of others' statements only those see the text who have the rights of pg_read_all_stats.
SELECT
    pss.queryid AS query_id,
    pss.query AS text,
    pss.calls,
    pss.rows,
    pss.total_exec_time AS total,
    pss.stddev_exec_time AS deviation,
    pss.max_exec_time AS longest
FROM pg_stat_statements AS pss
INNER JOIN pg_database AS pd ON pss.dbid = pd.oid
WHERE pd.datname = current_database() AND pss.calls > 0
ORDER BY pss.total_exec_time DESC, pss.queryid ASC;
