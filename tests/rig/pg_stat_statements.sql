-- In place of the extension, which no embedded server has: the columns that sql/statistics reads.
CREATE TABLE pg_stat_statements (
    dbid oid,
    queryid bigint,
    query text,
    calls bigint,
    rows bigint,
    total_exec_time float8,
    stddev_exec_time float8,
    max_exec_time float8
);
