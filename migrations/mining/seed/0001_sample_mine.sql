-- A small mine, for a laptop or a test server: a site with two loaders and three trucks, places to load and to dump,
-- where
-- the loaders stood idle last, an open cycle of each truck, and two that are over. What exists is left as it is.
INSERT INTO mining.asset_master (guid, site_guid, asset_type_guid, client_guid) VALUES
('loader-EX-01', 'site-456', 'loader', 'client-7'),
('loader-EX-02', 'site-456', 'loader', 'client-7'),
('truck-123', 'site-456', 'truck', 'client-7'),
('truck-124', 'site-456', 'truck', 'client-7'),
('truck-HAU-001-SITE-456', 'site-456', 'truck', 'client-7')
ON CONFLICT (guid) DO NOTHING;

INSERT INTO mining.regions (guid, site_guid, points, fence_area, created_date)
SELECT
    v.guid,
    'site-456',
    v.points,
    v.fence_area,
    v.created_date
FROM (
    VALUES
    (
        'region-dump-north',
        '34.80 31.20,34.82 31.20,34.82 31.22,34.80 31.20',
        52000.5,
        '2026-01-05 08:00:00+00'::timestamptz
    ),
    (
        'region-dump-north',
        '34.80 31.20,34.83 31.20,34.83 31.22,34.80 31.20',
        61000.5,
        '2026-06-05 08:00:00+00'::timestamptz
    ),
    (
        'region-load-pit',
        '34.70 31.10,34.72 31.10,34.72 31.12,34.70 31.10',
        41000.25,
        '2026-01-05 08:00:00+00'::timestamptz
    )
) AS v (guid, points, fence_area, created_date)
WHERE NOT EXISTS (SELECT 1 AS found FROM mining.regions AS r WHERE r.guid = v.guid AND r.created_date = v.created_date);

INSERT INTO mining.process_checkpoints (
    asset_guid,
    site_guid,
    process_name,
    process_date,
    created_date,
    asset_type_guid,
    current_latitude,
    current_longitude
) VALUES
(
    'loader-EX-01',
    'site-456',
    'asset_idle_vlx',
    '2026-11-02 05:55:00+00',
    '2026-11-01 00:00:00+00',
    'loader',
    31.1101,
    34.7102
),
(
    'loader-EX-02',
    'site-456',
    'asset_idle_vlx',
    '2026-11-02 05:50:00+00',
    '2026-11-01 00:00:00+00',
    'loader',
    31.1155,
    34.7166
),
(
    'truck-123',
    'site-456',
    'asset_cycle_vlx',
    '2026-11-02 06:00:00+00',
    '2026-11-01 00:00:00+00',
    'truck',
    NULL,
    NULL
)
ON CONFLICT (asset_guid, process_name) DO NOTHING;

INSERT INTO mining.idle_states (
    asset_guid, start_state_utc, end_state_utc, end_location_latitude, end_location_longitude
)
SELECT
    v.asset_guid,
    v.start_state_utc,
    v.end_state_utc,
    v.latitude,
    v.longitude
FROM (
    VALUES
    (
        'loader-EX-01',
        '2026-11-02 05:30:00+00'::timestamptz,
        '2026-11-02 05:55:00+00'::timestamptz,
        31.1101::float8,
        34.7102::float8
    ),
    (
        'loader-EX-02',
        '2026-11-02 05:20:00+00'::timestamptz,
        '2026-11-02 05:50:00+00'::timestamptz,
        31.1155::float8,
        34.7166::float8
    )
) AS v (asset_guid, start_state_utc, end_state_utc, latitude, longitude)
WHERE
    NOT EXISTS (
        SELECT 1 AS found
        FROM mining.idle_states AS ids
        WHERE ids.asset_guid = v.asset_guid AND ids.start_state_utc = v.start_state_utc
    );

INSERT INTO mining.asset_cycles (
    asset_guid,
    cycle_number,
    cycle_status,
    site_guid,
    current_work_state_id,
    created_date,
    updated_date,
    cycle_start_utc,
    cycle_end_utc
)
SELECT
    v.asset_guid,
    v.cycle_number,
    v.cycle_status,
    'site-456',
    3,
    v.cycle_start_utc,
    coalesce(v.cycle_end_utc, v.cycle_start_utc),
    v.cycle_start_utc,
    v.cycle_end_utc
FROM (
    VALUES
    (
        'truck-123',
        1,
        'COMPLETE',
        '2026-11-02 05:00:00+00'::timestamptz,
        '2026-11-02 05:28:00+00'::timestamptz
    ),
    (
        'truck-124',
        1,
        'OUTLIER',
        '2026-11-02 05:05:00+00'::timestamptz,
        '2026-11-02 05:11:00+00'::timestamptz
    ),
    ('truck-123', 2, 'INPROGRESS', '2026-11-02 05:28:00+00'::timestamptz, NULL),
    ('truck-124', 2, 'INPROGRESS', '2026-11-02 05:11:00+00'::timestamptz, NULL),
    ('truck-HAU-001-SITE-456', 1, 'INPROGRESS', '2026-11-02 05:40:00+00'::timestamptz, NULL)
) AS v (asset_guid, cycle_number, cycle_status, cycle_start_utc, cycle_end_utc)
WHERE
    NOT EXISTS (
        SELECT 1 AS found
        FROM mining.asset_cycles AS ac
        WHERE ac.asset_guid = v.asset_guid AND ac.cycle_number = v.cycle_number
    );
