-- The lock that admits one run at a time to a database. It belongs to the session, so it dies with its process.

-- name: lock_acquire()$
-- Takes the lock if it is free, else says false at once.
-- A run polls instead of waiting in the server: CREATE INDEX CONCURRENTLY waits for every session that waits there.
-- session: keeps
SELECT pg_try_advisory_lock(hashtextextended(current_database() || '.schema_migrations', 0)) AS acquired;

-- name: lock_holder()$
-- The backend that holds the lock; none if it has just been given back.
-- accept: ONE-OF-MANY one session holds it, and no other queues for it: all only try
SELECT pl.pid
FROM pg_locks AS pl
INNER JOIN pg_database AS pd ON pl.database = pd.oid
WHERE
    pd.datname = current_database()
    AND pl.locktype = 'advisory'
    AND pl.objsubid = 1
    AND ((pl.classid::bigint << 32) | pl.objid::bigint)
    = hashtextextended(current_database() || '.schema_migrations', 0)
    AND pl.granted;

-- name: lock_release()$
-- Gives the lock back; false when this session did not hold it any more.
-- session: keeps
SELECT pg_advisory_unlock(hashtextextended(current_database() || '.schema_migrations', 0)) AS released;
