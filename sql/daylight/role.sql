-- Sets of permissions.

-- name: role_delete(role_id)!
-- Deletes a role; refused by its foreign keys while it is assigned or inherited.
-- accept: CASCADE what a role permits and inherits goes with it
DELETE FROM daylight.roles
WHERE id = :role_id::text;

-- name: role_inherits_cycle(role_id)$
-- Whether a role inherits itself, by whatever way.
WITH RECURSIVE reached (role_id) AS (
    SELECT ri.inherited_id
    FROM daylight.role_inherits AS ri
    WHERE ri.role_id = :role_id::text
    UNION
    SELECT ri.inherited_id
    FROM reached AS r
    INNER JOIN daylight.role_inherits AS ri ON r.role_id = ri.role_id
)

SELECT EXISTS(
    SELECT FROM reached AS r
    WHERE r.role_id = :role_id::text
) AS is_cycle;

-- name: role_insert(id, name, description, scope, metadata)!
-- Stores a role; no row when the id is taken.
INSERT INTO daylight.roles (id, name, description, scope, metadata)
VALUES (:id::text, :name::text, :description::text, :scope::text, :metadata::jsonb)
ON CONFLICT (id) DO NOTHING;

-- name: role_lock()#
-- Lets one transaction at a time change which role inherits which.
LOCK TABLE daylight.role_inherits IN SHARE ROW EXCLUSIVE MODE;

-- name: role_set_inherited(role_id, inherited)!
-- Makes a role inherit these roles as well.
INSERT INTO daylight.role_inherits (role_id, inherited_id)
SELECT
    :role_id::text AS role_id,
    i.inherited_id
FROM unnest(:inherited::text[]) AS i (inherited_id)
ON CONFLICT DO NOTHING;

-- name: role_set_permissions(role_id, permissions)!
-- Gives a role these permissions as well.
INSERT INTO daylight.role_permissions (role_id, permission_id)
SELECT
    :role_id::text AS role_id,
    p.permission_id
FROM unnest(:permissions::text[]) AS p (permission_id)
ON CONFLICT DO NOTHING;

-- name: role_unset_inherited(role_id, inherited)!
-- Leaves a role these inherited roles alone.
DELETE FROM daylight.role_inherits
WHERE role_id = :role_id::text AND inherited_id <> ALL(:inherited::text[]);

-- name: role_unset_permissions(role_id, permissions)!
-- Leaves a role these permissions alone.
DELETE FROM daylight.role_permissions
WHERE role_id = :role_id::text AND permission_id <> ALL(:permissions::text[]);

-- name: role_update(role_id, changed, name, description, scope, metadata)!
-- Changes the named columns of a role, and no other.
-- accept: NOT-HOT a handful of roles
-- retry: idempotent
UPDATE daylight.roles AS r
SET
    name = CASE WHEN 'name' = ANY(:changed::text[]) THEN :name::text ELSE r.name END,
    description = CASE WHEN 'description' = ANY(:changed::text[]) THEN :description::text ELSE r.description END,
    scope = CASE WHEN 'scope' = ANY(:changed::text[]) THEN :scope::text ELSE r.scope END,
    metadata = CASE WHEN 'metadata' = ANY(:changed::text[]) THEN :metadata::jsonb ELSE r.metadata END,
    updated_at = CURRENT_TIMESTAMP
WHERE r.id = :role_id::text;
