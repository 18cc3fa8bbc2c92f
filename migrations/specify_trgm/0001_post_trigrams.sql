-- Why: search_users and search_projects look for a text within names and descriptions, which reads every row. With
-- indexes of trigrams a text of three characters or more is found by them; below some 100,000 rows it is not worth it.
-- A folder and a history of its own, for servers that have the extension pg_trgm:
-- surf-data migrate --folder migrations/specify_trgm up.
-- Locks: SHARE UPDATE EXCLUSIVE while each index is built, which keeps no reader and no writer waiting.

-- migrate:up transaction:false
CREATE EXTENSION IF NOT EXISTS pg_trgm;
-- migrate:next
CREATE INDEX CONCURRENTLY IF NOT EXISTS users_username_trgm_idx ON specify.users USING gin (username gin_trgm_ops);
-- migrate:next
CREATE INDEX CONCURRENTLY IF NOT EXISTS users_email_trgm_idx ON specify.users USING gin (email gin_trgm_ops);
-- migrate:next
CREATE INDEX CONCURRENTLY IF NOT EXISTS users_full_name_trgm_idx ON specify.users USING gin (full_name gin_trgm_ops);
-- migrate:next
CREATE INDEX CONCURRENTLY IF NOT EXISTS projects_name_trgm_idx ON specify.projects USING gin (name gin_trgm_ops);
-- migrate:next
CREATE INDEX CONCURRENTLY IF NOT EXISTS projects_description_trgm_idx
ON specify.projects USING gin (description gin_trgm_ops);

-- migrate:down transaction:false
DROP INDEX CONCURRENTLY IF EXISTS specify.projects_description_trgm_idx;
-- migrate:next
DROP INDEX CONCURRENTLY IF EXISTS specify.projects_name_trgm_idx;
-- migrate:next
DROP INDEX CONCURRENTLY IF EXISTS specify.users_full_name_trgm_idx;
-- migrate:next
DROP INDEX CONCURRENTLY IF EXISTS specify.users_email_trgm_idx;
-- migrate:next
DROP INDEX CONCURRENTLY IF EXISTS specify.users_username_trgm_idx;
