-- Who has which role, and what that allows.

-- name: authorize(user_id, resource, action, scope, context)^
-- Whether an active user may do something: the roles that allow it, and all that the user has. Roles inherit, eight
-- deep at the most; UNION makes cycles harmless. Patterns are stored: '*' stands for every resource or action.
-- replica: ok
WITH RECURSIVE held (role_id, depth) AS (
    SELECT
        ur.role_id,
        0 AS depth
    FROM daylight.user_roles AS ur
    INNER JOIN daylight.users AS u ON ur.user_id = u.id
    WHERE
        ur.user_id = :user_id::text
        AND u.is_active
        AND (ur.expires_at IS NULL OR ur.expires_at > CURRENT_TIMESTAMP)
        AND ur.scope IN ('*', :scope::text)
        AND :context::jsonb @> ur.conditions
    UNION
    SELECT
        ri.inherited_id,
        h.depth + 1
    FROM held AS h
    INNER JOIN daylight.role_inherits AS ri ON h.role_id = ri.role_id
    WHERE h.depth < 8
)

SELECT
    COALESCE(array_agg(DISTINCT h.role_id) FILTER (WHERE p.id IS NOT NULL), '{}') AS allowing,
    COALESCE(array_agg(DISTINCT h.role_id), '{}') AS roles
FROM held AS h
LEFT JOIN daylight.role_permissions AS rp ON h.role_id = rp.role_id
LEFT JOIN
    daylight.permissions AS p
    ON
        rp.permission_id = p.id
        AND p.resource IN ('*', :resource::text)
        AND p.action IN ('*', :action::text)
        AND :context::jsonb @> p.conditions;

-- name: role_assign(user_id, role_id, scope, assigned_by, expires_at, conditions)!
-- Gives a user a role; again, it replaces what was given.
-- retry: idempotent
INSERT INTO daylight.user_roles AS ur (user_id, role_id, scope, assigned_by, expires_at, conditions)
VALUES (
    :user_id::text,
    :role_id::text,
    :scope::text,
    :assigned_by::text,
    :expires_at::timestamptz,
    :conditions::jsonb
)
ON CONFLICT (user_id, role_id, scope) DO UPDATE
    SET
        assigned_by = excluded.assigned_by,
        assigned_at = CURRENT_TIMESTAMP,
        expires_at = excluded.expires_at,
        conditions = excluded.conditions;

-- name: role_of_user(user_id)
-- Roles that a user has now, and where.
SELECT
    ur.user_id,
    ur.role_id,
    ur.assigned_by,
    ur.assigned_at,
    ur.expires_at,
    ur.scope,
    ur.conditions
FROM daylight.user_roles AS ur
WHERE ur.user_id = :user_id::text AND (ur.expires_at IS NULL OR ur.expires_at > CURRENT_TIMESTAMP)
ORDER BY ur.role_id, ur.scope;

-- name: role_revoke(user_id, role_id, scope)!
-- Takes a role from a user: in one scope, or in all.
DELETE FROM daylight.user_roles
WHERE
    user_id = :user_id::text
    AND role_id = :role_id::text
    AND (:scope::text IS NULL OR scope = :scope::text);
