-- In place of the extension, which no embedded server has: the columns that sql/kernel/statistics reads, and
-- what the extension never leaves null.
CREATE TABLE pg_stat_statements (
    dbid oid,
    queryid bigint,
    query text,
    calls bigint,
    rows bigint NOT NULL,
    total_exec_time float8 NOT NULL,
    stddev_exec_time float8 NOT NULL,
    max_exec_time float8 NOT NULL
);
