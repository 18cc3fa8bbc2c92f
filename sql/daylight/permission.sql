-- What may be done, and what a role bundles.

-- name: permission_insert(id, name, description, resource, action, conditions)<!
-- Stores a permission; no row when the id is taken.
INSERT INTO daylight.permissions (id, name, description, resource, action, conditions)
VALUES (
    :id::text,
    :name::text,
    :description::text,
    :resource::text,
    :action::text,
    :conditions::jsonb
)
ON CONFLICT (id) DO NOTHING
RETURNING id, name, description, resource, action, conditions, created_at, updated_at;

-- name: permission_list()
-- All permissions, by id.
SELECT
    p.id,
    p.name,
    p.description,
    p.resource,
    p.action,
    p.conditions,
    p.created_at,
    p.updated_at
FROM daylight.permissions AS p
ORDER BY p.id;

-- name: role_by_id(role_id)^
-- A role with its permissions and the roles that it inherits.
SELECT
    r.id,
    r.name,
    r.description,
    COALESCE(
        (
            SELECT array_agg(rp.permission_id ORDER BY rp.permission_id)
            FROM daylight.role_permissions AS rp
            WHERE rp.role_id = r.id
        ),
        '{}'
    ) AS permissions,
    COALESCE(
        (
            SELECT array_agg(ri.inherited_id ORDER BY ri.inherited_id)
            FROM daylight.role_inherits AS ri
            WHERE ri.role_id = r.id
        ),
        '{}'
    ) AS inherited_roles,
    r.scope,
    r.metadata,
    r.created_at,
    r.updated_at
FROM daylight.roles AS r
WHERE r.id = :role_id::text;
