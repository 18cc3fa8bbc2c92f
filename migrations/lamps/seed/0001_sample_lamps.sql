-- One lamp at each beach of 0001_initial_schema.sql, for a laptop or a test server; the beaches themselves, and where
-- surf data comes from, are there since that file. No login is possible with these: no service makes such a
-- password_hash. What exists is left as it is.
INSERT INTO lamp_registry (lamp_id, email, email_key, name, password_hash, location_index, brightness) VALUES
(
    '5eed0000-0000-4000-8000-000000000000',
    'san-diego@example.com',
    'san-diego@example.com',
    'San Diego sample',
    '!',
    0,
    100
),
(
    '5eed0000-0000-4000-8000-000000000001',
    'santa-cruz@example.com',
    'santa-cruz@example.com',
    'Santa Cruz sample',
    '!',
    1,
    80
),
(
    '5eed0000-0000-4000-8000-000000000002',
    'honolulu@example.com',
    'honolulu@example.com',
    'Honolulu sample',
    '!',
    2,
    60
),
(
    '5eed0000-0000-4000-8000-000000000003',
    'huntington-beach@example.com',
    'huntington-beach@example.com',
    'Huntington Beach sample',
    '!',
    3,
    40
),
(
    '5eed0000-0000-4000-8000-000000000004',
    'malibu@example.com',
    'malibu@example.com',
    'Malibu sample',
    '!',
    4,
    20
)
ON CONFLICT DO NOTHING;
