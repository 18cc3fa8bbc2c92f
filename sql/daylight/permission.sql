-- What may be done.

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
