-- Users: a lamp's row is its user's account.

-- name: user_delete(lamp_id)!
-- Deletes a user with the lamp and its sessions; the entries of the activity log stay, without the lamp.
-- accept: CASCADE sessions go with their user, and the log keeps its entries: both are what an erasure is
DELETE FROM lamp_registry AS lr
WHERE lr.lamp_id = :lamp_id::uuid;

-- name: user_lamp(email_key)$
-- The lamp of a user, active or not, locked until the transaction ends: no entry of the log is added for it meanwhile.
SELECT lr.lamp_id
FROM lamp_registry AS lr
WHERE lr.email_key = :email_key::text
FOR UPDATE;

-- name: user_password_hash(email_key)$
-- The password hash of an active user, to be compared in constant time by the caller.
-- The hash is not compared here, where an index lookup or a plan could tell how much of it was right.
SELECT lr.password_hash
FROM lamp_registry AS lr
WHERE lr.email_key = :email_key::text AND lr.is_active;
