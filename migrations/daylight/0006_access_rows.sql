-- Why: the permissions, roles and rate limits that the requirement's original begins with.
-- Locks: none that another session waits for: rows are added to tables that are new. Milliseconds.

-- migrate:up
INSERT INTO daylight.permissions (id, name, resource, action)
SELECT
    p.area || ':' || p.action AS id,
    p.area || ':' || p.action AS name,
    p.area,
    p.action
FROM (
    VALUES
    ('users', 'read'), ('users', 'update'), ('users', 'delete'), ('users', 'manage_roles'),
    ('roles', 'read'), ('roles', 'create'), ('roles', 'update'), ('roles', 'delete'),
    ('data', 'read'), ('data', 'create'), ('data', 'update'), ('data', 'delete'), ('data', 'export'),
    ('audit', 'read'), ('audit', 'export'),
    ('compliance', 'read'), ('compliance', 'manage'),
    ('security', 'read'), ('security', 'manage'), ('security', 'alerts'), ('security', 'incidents'),
    ('admin', 'system'), ('admin', 'config'), ('admin', 'monitoring')
) AS p (area, action);

INSERT INTO daylight.roles (id, name, description) VALUES
('user', 'user', 'Reads data and users'),
('premium_user', 'premium_user', 'Creates, updates and exports data as well'),
('moderator', 'moderator', 'Manages data and users, and reads the audit log'),
('admin', 'admin', 'Everything'),
('security_officer', 'security_officer', 'Audit, compliance and security');

INSERT INTO daylight.role_permissions (role_id, permission_id)
SELECT
    g.role_id,
    p.id
FROM (
    VALUES
    ('user', ARRAY['data:read', 'users:read']),
    ('premium_user', ARRAY['data:read', 'users:read', 'data:create', 'data:update', 'data:export', 'users:update']),
    (
        'moderator',
        ARRAY['data:read', 'data:create', 'data:update', 'data:delete', 'users:read', 'users:update', 'audit:read']
    ),
    (
        'security_officer',
        ARRAY[
            'users:read', 'roles:read', 'audit:read', 'audit:export', 'compliance:read', 'compliance:manage',
            'security:read', 'security:manage', 'security:alerts', 'security:incidents'
        ]
    )
) AS g (role_id, permission_ids)
INNER JOIN daylight.permissions AS p ON p.id = ANY(g.permission_ids)
UNION ALL
SELECT
    'admin' AS role_id,
    p.id
FROM daylight.permissions AS p;

INSERT INTO daylight.rate_limits (
    id, name, algorithm, requests, window_ms, scope, endpoints, block_ms, enabled, priority, on_failure_last
) VALUES
('rl_free', 'Free', 'fixed_window', 1000, 3600000, 'api_key', '{}', 0, false, 100, 'allow'),
('rl_premium', 'Premium', 'token_bucket', 10000, 1000000, 'api_key', '{}', 0, false, 100, 'allow'),
('rl_enterprise', 'Enterprise', 'sliding_window', 100000, 3600000, 'api_key', '{}', 0, false, 100, 'allow'),
('rl_login', 'Login', 'fixed_window', 10, 60000, 'ip', '{/login}', 900000, true, 200, 'deny'),
('rl_general', 'General', 'fixed_window', 100, 60000, 'ip', '{}', 0, true, 50, 'allow');

-- migrate:down
DELETE FROM daylight.rate_limits;
DELETE FROM daylight.role_permissions;
DELETE FROM daylight.role_inherits;
DELETE FROM daylight.user_roles;
DELETE FROM daylight.roles;
DELETE FROM daylight.permissions;
