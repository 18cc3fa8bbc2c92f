-- Users: a lamp's row is its user's account.

-- name: user_password_hash(email_key)$
-- The password hash of an active user, to be compared in constant time by the caller.
-- The hash is not compared here, where an index lookup or a plan could tell how much of it was right.
SELECT lr.password_hash
FROM lamp_registry AS lr
WHERE lr.email_key = :email_key::text AND lr.is_active;
