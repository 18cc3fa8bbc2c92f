-- Why: a lamp that is deleted takes its sessions along, and without an index on lamp_id each deletion reads all of
-- them; and surf-data maintain deletes sessions that have expired, which it finds by expires_at.
-- Locks: SHARE UPDATE EXCLUSIVE on user_sessions; reads and writes go on. Under a second for 100,000 sessions, and as
-- long as transactions last that were begun before.

-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY user_sessions_lamp_id ON user_sessions (lamp_id);
-- migrate:next
CREATE INDEX CONCURRENTLY user_sessions_expires_at ON user_sessions (expires_at);

-- migrate:down transaction:false
DROP INDEX CONCURRENTLY user_sessions_expires_at;
-- migrate:next
DROP INDEX CONCURRENTLY user_sessions_lamp_id;
