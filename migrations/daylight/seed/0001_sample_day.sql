-- A user with a profile, a plan, two places and a morning's locations, for a laptop or a test server.
-- No password matches this hash. What exists is left unchanged.
INSERT INTO daylight.users (id, email, email_key, username, username_key, password_hash)
VALUES ('sample', 'sample@example.com', 'sample@example.com', 'sample', 'sample', '!')
ON CONFLICT DO NOTHING;

INSERT INTO daylight.user_profiles (user_id, first_name, last_name, timezone)
SELECT
    u.id AS user_id,
    'Sample' AS first_name,
    'User' AS last_name,
    'Pacific/Honolulu' AS timezone
FROM daylight.users AS u
WHERE u.id = 'sample'
ON CONFLICT DO NOTHING;

INSERT INTO daylight.plans (id, user_id, title, location, start_time, end_time)
SELECT
    'sample-plan' AS id,
    u.id AS user_id,
    'Surf at dawn' AS title,
    '{"name": "Pipeline"}'::jsonb AS location,
    date_trunc('day', CURRENT_TIMESTAMP) + interval '16 hours' AS start_time,
    date_trunc('day', CURRENT_TIMESTAMP) + interval '18 hours' AS end_time
FROM daylight.users AS u
WHERE u.id = 'sample'
ON CONFLICT DO NOTHING;

INSERT INTO daylight.locations (id, user_id, name, lat, lng, type)
SELECT
    l.id,
    u.id AS user_id,
    l.name,
    l.lat,
    l.lng,
    l.type
FROM (
    VALUES
    ('sample-home', 'Home', 21.594, -158.103, 'home'),
    ('sample-beach', 'Pipeline', 21.664, -158.054, 'favorite')
) AS l (id, name, lat, lng, type)
INNER JOIN daylight.users AS u ON u.id = 'sample'
ON CONFLICT DO NOTHING;

INSERT INTO daylight.location_history (id, user_id, location, lat, lng, activity, recorded_at)
SELECT
    'sample-' || n.number AS id,
    u.id AS user_id,
    jsonb_build_object('lat', 21.594 + n.number * 0.007, 'lng', -158.103 + n.number * 0.0049) AS location,
    21.594 + n.number * 0.007 AS lat,
    -158.103 + n.number * 0.0049 AS lng,
    CASE WHEN n.number < 10 THEN 'driving' ELSE 'surfing' END AS activity,
    '2026-01-05 16:00:00+00'::timestamptz + n.number * interval '2 minutes' AS recorded_at
FROM generate_series(0, 10) AS n (number)
INNER JOIN daylight.users AS u ON u.id = 'sample'
ON CONFLICT DO NOTHING;
