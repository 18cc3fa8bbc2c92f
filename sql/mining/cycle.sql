-- Cycles of trucks: the work table, and the final one into which each closed cycle is copied once.
-- asset_guid stands in every condition: it is the distribution column, and it keeps a wrong id from another asset's cycle.

-- name: cycle_archive(asset_guid, cycle_ids)
-- Copies closed cycles of an asset into the final table and marks them; returns the ids of those that this call has copied.
-- The lock on the work row decides who copies it, and the rows are locked in one order, so that batches do not deadlock.
-- accept: NOT-HOT once in the life of a cycle, when it leaves the index of those that wait
WITH chosen AS (
    SELECT ac.asset_cycle_vlx_id
    FROM mining.asset_cycles AS ac
    WHERE
        ac.asset_guid = :asset_guid::text
        AND ac.asset_cycle_vlx_id = ANY(:cycle_ids::int8[])
        AND ac.finalized_date IS NULL
        AND ac.cycle_status IN ('COMPLETE', 'INVALID', 'OUTLIER')
    ORDER BY ac.asset_cycle_vlx_id
    FOR UPDATE OF ac
),

marked AS (
    UPDATE mining.asset_cycles AS ac
    SET finalized_date = CURRENT_TIMESTAMP
    FROM chosen AS c
    WHERE ac.asset_cycle_vlx_id = c.asset_cycle_vlx_id AND ac.asset_guid = :asset_guid::text
    RETURNING
        ac.asset_cycle_vlx_id,
        ac.asset_guid,
        ac.cycle_number,
        ac.cycle_status,
        ac.site_guid,
        ac.current_work_state_id,
        ac.created_date,
        ac.updated_date,
        ac.previous_work_state_id,
        ac.current_segment,
        ac.loader_asset_guid,
        ac.loader_latitude,
        ac.loader_longitude,
        ac.previous_loader_distance,
        ac.current_loader_distance,
        ac.dump_region_guid,
        ac.is_outlier,
        ac.outlier_position_latitude,
        ac.outlier_position_longitude,
        ac.load_start_utc,
        ac.load_end_utc,
        ac.dump_start_utc,
        ac.dump_end_utc,
        ac.load_travel_seconds,
        ac.empty_travel_seconds,
        ac.dump_seconds,
        ac.load_seconds,
        ac.total_cycle_seconds,
        ac.outlier_seconds,
        ac.current_process_date,
        ac.current_area,
        ac.current_asset_longitude,
        ac.current_asset_latitude,
        ac.load_region_guid,
        ac.is_within_load_region,
        ac.asset_load_region_distance,
        ac.idle_in_dump_region_guid,
        ac.tmp_idle_near_loader,
        ac.outlier_type_id,
        ac.all_assets_in_same_dump_area,
        ac.outlier_date_utc,
        ac.outlier_loader_guid,
        ac.outlier_loader_latitude,
        ac.outlier_loader_longitude,
        ac.outlier_dump_region_guid,
        ac.cycle_start_utc,
        ac.cycle_end_utc,
        ac.finalized_date
)

INSERT INTO mining.final_cycles AS fc (
    asset_guid,
    cycle_number,
    cycle_status,
    site_guid,
    current_work_state_id,
    created_date,
    updated_date,
    previous_work_state_id,
    current_segment,
    loader_asset_guid,
    loader_latitude,
    loader_longitude,
    previous_loader_distance,
    current_loader_distance,
    dump_region_guid,
    is_outlier,
    outlier_position_latitude,
    outlier_position_longitude,
    load_start_utc,
    load_end_utc,
    dump_start_utc,
    dump_end_utc,
    load_travel_seconds,
    empty_travel_seconds,
    dump_seconds,
    load_seconds,
    total_cycle_seconds,
    outlier_seconds,
    current_process_date,
    current_area,
    current_asset_longitude,
    current_asset_latitude,
    load_region_guid,
    is_within_load_region,
    asset_load_region_distance,
    idle_in_dump_region_guid,
    tmp_idle_near_loader,
    outlier_type_id,
    all_assets_in_same_dump_area,
    outlier_date_utc,
    outlier_loader_guid,
    outlier_loader_latitude,
    outlier_loader_longitude,
    outlier_dump_region_guid,
    cycle_start_utc,
    cycle_end_utc,
    work_cycle_id,
    completed_date,
    finalized_date
)
SELECT
    m.asset_guid,
    m.cycle_number,
    m.cycle_status,
    m.site_guid,
    m.current_work_state_id,
    m.created_date,
    m.updated_date,
    m.previous_work_state_id,
    m.current_segment,
    m.loader_asset_guid,
    m.loader_latitude,
    m.loader_longitude,
    m.previous_loader_distance,
    m.current_loader_distance,
    m.dump_region_guid,
    m.is_outlier,
    m.outlier_position_latitude,
    m.outlier_position_longitude,
    m.load_start_utc,
    m.load_end_utc,
    m.dump_start_utc,
    m.dump_end_utc,
    m.load_travel_seconds,
    m.empty_travel_seconds,
    m.dump_seconds,
    m.load_seconds,
    m.total_cycle_seconds,
    m.outlier_seconds,
    m.current_process_date,
    m.current_area,
    m.current_asset_longitude,
    m.current_asset_latitude,
    m.load_region_guid,
    m.is_within_load_region,
    m.asset_load_region_distance,
    m.idle_in_dump_region_guid,
    m.tmp_idle_near_loader,
    m.outlier_type_id,
    m.all_assets_in_same_dump_area,
    m.outlier_date_utc,
    m.outlier_loader_guid,
    m.outlier_loader_latitude,
    m.outlier_loader_longitude,
    m.outlier_dump_region_guid,
    m.cycle_start_utc,
    m.cycle_end_utc,
    m.asset_cycle_vlx_id,
    coalesce(m.cycle_end_utc, m.updated_date) AS completed_date,
    m.finalized_date
FROM marked AS m
RETURNING fc.work_cycle_id;

-- name: cycle_archive_lock(asset_guid, cycle_ids)
-- Which of these cycles wait to be archived, locked; those that another worker has locked are left to it.
-- For cycle_archive in the same transaction.
SELECT ac.asset_cycle_vlx_id
FROM mining.asset_cycles AS ac
WHERE
    ac.asset_guid = :asset_guid::text
    AND ac.asset_cycle_vlx_id = ANY(:cycle_ids::int8[])
    AND ac.finalized_date IS NULL
    AND ac.cycle_status IN ('COMPLETE', 'INVALID', 'OUTLIER')
ORDER BY ac.asset_cycle_vlx_id
FOR UPDATE SKIP LOCKED;

-- name: cycle_archive_refused(asset_guid, cycle_ids)
-- Which of these cycles of an asset cannot be archived: there is no such cycle (null), or its status is not a final one.
SELECT
    u.cycle_id,
    ac.cycle_status
FROM unnest(:cycle_ids::int8[]) AS u (cycle_id)
LEFT JOIN mining.asset_cycles AS ac
    ON u.cycle_id = ac.asset_cycle_vlx_id AND ac.asset_guid = :asset_guid::text
WHERE ac.cycle_status IS NULL OR ac.cycle_status NOT IN ('COMPLETE', 'INVALID', 'OUTLIER');

-- name: cycle_archive_waiting(max_rows)
-- The closed cycles that wait to be archived, the oldest first.
-- accept: ALL-SHARDS what was left behind is of any asset, and looked for once in a while
SELECT
    ac.asset_cycle_vlx_id,
    ac.asset_guid
FROM mining.asset_cycles AS ac
WHERE ac.finalized_date IS NULL AND ac.cycle_status IN ('COMPLETE', 'INVALID', 'OUTLIER')
ORDER BY ac.asset_cycle_vlx_id
LIMIT :max_rows::int8;

-- name: cycle_close(cycle_id, asset_guid, cycle_number, cycle_status, site_guid, current_work_state_id, created_date, updated_date, previous_work_state_id, current_segment, loader_asset_guid, loader_latitude, loader_longitude, previous_loader_distance, current_loader_distance, dump_region_guid, is_outlier, outlier_position_latitude, outlier_position_longitude, load_start_utc, load_end_utc, dump_start_utc, dump_end_utc, load_travel_seconds, empty_travel_seconds, dump_seconds, load_seconds, total_cycle_seconds, outlier_seconds, current_process_date, current_area, current_asset_longitude, current_asset_latitude, load_region_guid, is_within_load_region, asset_load_region_distance, idle_in_dump_region_guid, tmp_idle_near_loader, outlier_type_id, all_assets_in_same_dump_area, outlier_date_utc, outlier_loader_guid, outlier_loader_latitude, outlier_loader_longitude, outlier_dump_region_guid, cycle_start_utc, cycle_end_utc, service_type)!
-- Sets all of a cycle that is not archived, to a final status, and copies it into the final table: what cycle_update and
-- cycle_archive do one after the other, with one version of the row and of its entries in the indexes instead of two.
-- accept: NOT-HOT once in the life of a cycle, when it is closed
WITH closed AS (
    UPDATE mining.asset_cycles AS ac
    SET
        cycle_number = :cycle_number::int4,
        cycle_status = :cycle_status::text,
        site_guid = :site_guid::text,
        current_work_state_id = :current_work_state_id::int4,
        created_date = :created_date::timestamptz,
        updated_date = :updated_date::timestamptz,
        previous_work_state_id = :previous_work_state_id::int4,
        current_segment = :current_segment::text,
        loader_asset_guid = :loader_asset_guid::text,
        loader_latitude = :loader_latitude::float8,
        loader_longitude = :loader_longitude::float8,
        previous_loader_distance = :previous_loader_distance::float8,
        current_loader_distance = :current_loader_distance::float8,
        dump_region_guid = :dump_region_guid::text,
        is_outlier = :is_outlier::bool,
        outlier_position_latitude = :outlier_position_latitude::float8,
        outlier_position_longitude = :outlier_position_longitude::float8,
        load_start_utc = :load_start_utc::timestamptz,
        load_end_utc = :load_end_utc::timestamptz,
        dump_start_utc = :dump_start_utc::timestamptz,
        dump_end_utc = :dump_end_utc::timestamptz,
        load_travel_seconds = :load_travel_seconds::float8,
        empty_travel_seconds = :empty_travel_seconds::float8,
        dump_seconds = :dump_seconds::float8,
        load_seconds = :load_seconds::float8,
        total_cycle_seconds = :total_cycle_seconds::float8,
        outlier_seconds = :outlier_seconds::float8,
        current_process_date = :current_process_date::timestamptz,
        current_area = :current_area::text,
        current_asset_longitude = :current_asset_longitude::float8,
        current_asset_latitude = :current_asset_latitude::float8,
        load_region_guid = :load_region_guid::text,
        is_within_load_region = :is_within_load_region::bool,
        asset_load_region_distance = :asset_load_region_distance::float8,
        idle_in_dump_region_guid = :idle_in_dump_region_guid::text,
        tmp_idle_near_loader = :tmp_idle_near_loader::text,
        outlier_type_id = :outlier_type_id::int4,
        all_assets_in_same_dump_area = :all_assets_in_same_dump_area::bool,
        outlier_date_utc = :outlier_date_utc::timestamptz,
        outlier_loader_guid = :outlier_loader_guid::text,
        outlier_loader_latitude = :outlier_loader_latitude::float8,
        outlier_loader_longitude = :outlier_loader_longitude::float8,
        outlier_dump_region_guid = :outlier_dump_region_guid::text,
        cycle_start_utc = :cycle_start_utc::timestamptz,
        cycle_end_utc = :cycle_end_utc::timestamptz,
        finalized_date = CURRENT_TIMESTAMP
    WHERE
        ac.asset_cycle_vlx_id = :cycle_id::int8
        AND ac.asset_guid = :asset_guid::text
        AND ac.service_type = :service_type::text
        AND ac.finalized_date IS NULL
    RETURNING
        ac.asset_cycle_vlx_id,
        ac.asset_guid,
        ac.cycle_number,
        ac.cycle_status,
        ac.site_guid,
        ac.current_work_state_id,
        ac.created_date,
        ac.updated_date,
        ac.previous_work_state_id,
        ac.current_segment,
        ac.loader_asset_guid,
        ac.loader_latitude,
        ac.loader_longitude,
        ac.previous_loader_distance,
        ac.current_loader_distance,
        ac.dump_region_guid,
        ac.is_outlier,
        ac.outlier_position_latitude,
        ac.outlier_position_longitude,
        ac.load_start_utc,
        ac.load_end_utc,
        ac.dump_start_utc,
        ac.dump_end_utc,
        ac.load_travel_seconds,
        ac.empty_travel_seconds,
        ac.dump_seconds,
        ac.load_seconds,
        ac.total_cycle_seconds,
        ac.outlier_seconds,
        ac.current_process_date,
        ac.current_area,
        ac.current_asset_longitude,
        ac.current_asset_latitude,
        ac.load_region_guid,
        ac.is_within_load_region,
        ac.asset_load_region_distance,
        ac.idle_in_dump_region_guid,
        ac.tmp_idle_near_loader,
        ac.outlier_type_id,
        ac.all_assets_in_same_dump_area,
        ac.outlier_date_utc,
        ac.outlier_loader_guid,
        ac.outlier_loader_latitude,
        ac.outlier_loader_longitude,
        ac.outlier_dump_region_guid,
        ac.cycle_start_utc,
        ac.cycle_end_utc,
        ac.finalized_date
)

INSERT INTO mining.final_cycles (
    asset_guid,
    cycle_number,
    cycle_status,
    site_guid,
    current_work_state_id,
    created_date,
    updated_date,
    previous_work_state_id,
    current_segment,
    loader_asset_guid,
    loader_latitude,
    loader_longitude,
    previous_loader_distance,
    current_loader_distance,
    dump_region_guid,
    is_outlier,
    outlier_position_latitude,
    outlier_position_longitude,
    load_start_utc,
    load_end_utc,
    dump_start_utc,
    dump_end_utc,
    load_travel_seconds,
    empty_travel_seconds,
    dump_seconds,
    load_seconds,
    total_cycle_seconds,
    outlier_seconds,
    current_process_date,
    current_area,
    current_asset_longitude,
    current_asset_latitude,
    load_region_guid,
    is_within_load_region,
    asset_load_region_distance,
    idle_in_dump_region_guid,
    tmp_idle_near_loader,
    outlier_type_id,
    all_assets_in_same_dump_area,
    outlier_date_utc,
    outlier_loader_guid,
    outlier_loader_latitude,
    outlier_loader_longitude,
    outlier_dump_region_guid,
    cycle_start_utc,
    cycle_end_utc,
    work_cycle_id,
    completed_date,
    finalized_date
)
SELECT
    c.asset_guid,
    c.cycle_number,
    c.cycle_status,
    c.site_guid,
    c.current_work_state_id,
    c.created_date,
    c.updated_date,
    c.previous_work_state_id,
    c.current_segment,
    c.loader_asset_guid,
    c.loader_latitude,
    c.loader_longitude,
    c.previous_loader_distance,
    c.current_loader_distance,
    c.dump_region_guid,
    c.is_outlier,
    c.outlier_position_latitude,
    c.outlier_position_longitude,
    c.load_start_utc,
    c.load_end_utc,
    c.dump_start_utc,
    c.dump_end_utc,
    c.load_travel_seconds,
    c.empty_travel_seconds,
    c.dump_seconds,
    c.load_seconds,
    c.total_cycle_seconds,
    c.outlier_seconds,
    c.current_process_date,
    c.current_area,
    c.current_asset_longitude,
    c.current_asset_latitude,
    c.load_region_guid,
    c.is_within_load_region,
    c.asset_load_region_distance,
    c.idle_in_dump_region_guid,
    c.tmp_idle_near_loader,
    c.outlier_type_id,
    c.all_assets_in_same_dump_area,
    c.outlier_date_utc,
    c.outlier_loader_guid,
    c.outlier_loader_latitude,
    c.outlier_loader_longitude,
    c.outlier_dump_region_guid,
    c.cycle_start_utc,
    c.cycle_end_utc,
    c.asset_cycle_vlx_id,
    coalesce(c.cycle_end_utc, c.updated_date) AS completed_date,
    c.finalized_date
FROM closed AS c;

-- name: cycle_copy()#
-- Takes many new cycles whose ids cycle_reserve has given.
-- The format is quoted because sqruff takes the word alone for a type, and does not read on.
COPY mining.asset_cycles (
    asset_cycle_vlx_id,
    asset_guid,
    cycle_number,
    cycle_status,
    site_guid,
    current_work_state_id,
    created_date,
    updated_date,
    previous_work_state_id,
    current_segment,
    loader_asset_guid,
    loader_latitude,
    loader_longitude,
    previous_loader_distance,
    current_loader_distance,
    dump_region_guid,
    is_outlier,
    outlier_position_latitude,
    outlier_position_longitude,
    load_start_utc,
    load_end_utc,
    dump_start_utc,
    dump_end_utc,
    load_travel_seconds,
    empty_travel_seconds,
    dump_seconds,
    load_seconds,
    total_cycle_seconds,
    outlier_seconds,
    current_process_date,
    current_area,
    current_asset_longitude,
    current_asset_latitude,
    load_region_guid,
    is_within_load_region,
    asset_load_region_distance,
    idle_in_dump_region_guid,
    tmp_idle_near_loader,
    outlier_type_id,
    all_assets_in_same_dump_area,
    outlier_date_utc,
    outlier_loader_guid,
    outlier_loader_latitude,
    outlier_loader_longitude,
    outlier_dump_region_guid,
    cycle_start_utc,
    cycle_end_utc,
    service_type
) FROM STDIN (FORMAT "binary");

-- name: cycle_default_partition_rows()$
-- Whether there are archived cycles for which no month has a partition.
-- accept: ALL-SHARDS asked by health alone, and answered by empty partitions
SELECT coalesce((SELECT true FROM mining.final_cycles_default LIMIT 1), false) AS has_rows;

-- name: cycle_delete(cycle_id, asset_guid, service_type)!
-- Deletes a cycle that is not archived.
DELETE FROM mining.asset_cycles AS ac
WHERE
    ac.asset_cycle_vlx_id = :cycle_id::int8
    AND ac.asset_guid = :asset_guid::text
    AND ac.service_type = :service_type::text
    AND ac.finalized_date IS NULL;

-- name: cycle_exists(cycle_id, asset_guid)$
-- Whether there is a cycle with this id.
SELECT count(*) > 0 AS is_there
FROM mining.asset_cycles AS ac
WHERE ac.asset_cycle_vlx_id = :cycle_id::int8 AND ac.asset_guid = :asset_guid::text;

-- name: cycle_insert(cycle_id, asset_guid, cycle_number, cycle_status, site_guid, current_work_state_id, created_date, updated_date, previous_work_state_id, current_segment, loader_asset_guid, loader_latitude, loader_longitude, previous_loader_distance, current_loader_distance, dump_region_guid, is_outlier, outlier_position_latitude, outlier_position_longitude, load_start_utc, load_end_utc, dump_start_utc, dump_end_utc, load_travel_seconds, empty_travel_seconds, dump_seconds, load_seconds, total_cycle_seconds, outlier_seconds, current_process_date, current_area, current_asset_longitude, current_asset_latitude, load_region_guid, is_within_load_region, asset_load_region_distance, idle_in_dump_region_guid, tmp_idle_near_loader, outlier_type_id, all_assets_in_same_dump_area, outlier_date_utc, outlier_loader_guid, outlier_loader_latitude, outlier_loader_longitude, outlier_dump_region_guid, cycle_start_utc, cycle_end_utc, service_type)$
-- Inserts a cycle under an id of cycle_reserve, or else under a new one; returns it.
INSERT INTO mining.asset_cycles (
    asset_cycle_vlx_id,
    asset_guid,
    cycle_number,
    cycle_status,
    site_guid,
    current_work_state_id,
    created_date,
    updated_date,
    previous_work_state_id,
    current_segment,
    loader_asset_guid,
    loader_latitude,
    loader_longitude,
    previous_loader_distance,
    current_loader_distance,
    dump_region_guid,
    is_outlier,
    outlier_position_latitude,
    outlier_position_longitude,
    load_start_utc,
    load_end_utc,
    dump_start_utc,
    dump_end_utc,
    load_travel_seconds,
    empty_travel_seconds,
    dump_seconds,
    load_seconds,
    total_cycle_seconds,
    outlier_seconds,
    current_process_date,
    current_area,
    current_asset_longitude,
    current_asset_latitude,
    load_region_guid,
    is_within_load_region,
    asset_load_region_distance,
    idle_in_dump_region_guid,
    tmp_idle_near_loader,
    outlier_type_id,
    all_assets_in_same_dump_area,
    outlier_date_utc,
    outlier_loader_guid,
    outlier_loader_latitude,
    outlier_loader_longitude,
    outlier_dump_region_guid,
    cycle_start_utc,
    cycle_end_utc,
    service_type
) VALUES (
    coalesce(:cycle_id::int8, nextval('mining.asset_cycles_asset_cycle_vlx_id_seq')),
    :asset_guid::text,
    :cycle_number::int4,
    :cycle_status::text,
    :site_guid::text,
    :current_work_state_id::int4,
    :created_date::timestamptz,
    :updated_date::timestamptz,
    :previous_work_state_id::int4,
    :current_segment::text,
    :loader_asset_guid::text,
    :loader_latitude::float8,
    :loader_longitude::float8,
    :previous_loader_distance::float8,
    :current_loader_distance::float8,
    :dump_region_guid::text,
    :is_outlier::bool,
    :outlier_position_latitude::float8,
    :outlier_position_longitude::float8,
    :load_start_utc::timestamptz,
    :load_end_utc::timestamptz,
    :dump_start_utc::timestamptz,
    :dump_end_utc::timestamptz,
    :load_travel_seconds::float8,
    :empty_travel_seconds::float8,
    :dump_seconds::float8,
    :load_seconds::float8,
    :total_cycle_seconds::float8,
    :outlier_seconds::float8,
    :current_process_date::timestamptz,
    :current_area::text,
    :current_asset_longitude::float8,
    :current_asset_latitude::float8,
    :load_region_guid::text,
    :is_within_load_region::bool,
    :asset_load_region_distance::float8,
    :idle_in_dump_region_guid::text,
    :tmp_idle_near_loader::text,
    :outlier_type_id::int4,
    :all_assets_in_same_dump_area::bool,
    :outlier_date_utc::timestamptz,
    :outlier_loader_guid::text,
    :outlier_loader_latitude::float8,
    :outlier_loader_longitude::float8,
    :outlier_dump_region_guid::text,
    :cycle_start_utc::timestamptz,
    :cycle_end_utc::timestamptz,
    :service_type::text
)
RETURNING asset_cycle_vlx_id;

-- name: cycle_reserve(number)$
-- Ids for so many new cycles, as an array; those that are not used are lost, and that is all.
-- retry: idempotent
SELECT array_agg(nextval('mining.asset_cycles_asset_cycle_vlx_id_seq')) AS cycle_ids
FROM generate_series(1, :number::int8);

-- name: cycle_standing(cycle_id, asset_guid, service_type)^
-- Why a change found no row: whether the cycle is archived, and when it was changed last; no row when there is none.
SELECT
    ac.updated_date,
    ac.finalized_date IS NOT NULL AS is_archived
FROM mining.asset_cycles AS ac
WHERE
    ac.asset_cycle_vlx_id = :cycle_id::int8
    AND ac.asset_guid = :asset_guid::text
    AND ac.service_type = :service_type::text;

-- name: cycle_update(cycle_id, asset_guid, cycle_number, cycle_status, site_guid, current_work_state_id, created_date, updated_date, previous_work_state_id, current_segment, loader_asset_guid, loader_latitude, loader_longitude, previous_loader_distance, current_loader_distance, dump_region_guid, is_outlier, outlier_position_latitude, outlier_position_longitude, load_start_utc, load_end_utc, dump_start_utc, dump_end_utc, load_travel_seconds, empty_travel_seconds, dump_seconds, load_seconds, total_cycle_seconds, outlier_seconds, current_process_date, current_area, current_asset_longitude, current_asset_latitude, load_region_guid, is_within_load_region, asset_load_region_distance, idle_in_dump_region_guid, tmp_idle_near_loader, outlier_type_id, all_assets_in_same_dump_area, outlier_date_utc, outlier_loader_guid, outlier_loader_latitude, outlier_loader_longitude, outlier_dump_region_guid, cycle_start_utc, cycle_end_utc, service_type, expected_updated_date)!
-- Sets all of a cycle that is not archived; only if it was changed last at a given time, when one is given.
-- accept: NOT-HOT number and status change when a cycle is closed; with the same values the update is a HOT one
UPDATE mining.asset_cycles AS ac
SET
    cycle_number = :cycle_number::int4,
    cycle_status = :cycle_status::text,
    site_guid = :site_guid::text,
    current_work_state_id = :current_work_state_id::int4,
    created_date = :created_date::timestamptz,
    updated_date = :updated_date::timestamptz,
    previous_work_state_id = :previous_work_state_id::int4,
    current_segment = :current_segment::text,
    loader_asset_guid = :loader_asset_guid::text,
    loader_latitude = :loader_latitude::float8,
    loader_longitude = :loader_longitude::float8,
    previous_loader_distance = :previous_loader_distance::float8,
    current_loader_distance = :current_loader_distance::float8,
    dump_region_guid = :dump_region_guid::text,
    is_outlier = :is_outlier::bool,
    outlier_position_latitude = :outlier_position_latitude::float8,
    outlier_position_longitude = :outlier_position_longitude::float8,
    load_start_utc = :load_start_utc::timestamptz,
    load_end_utc = :load_end_utc::timestamptz,
    dump_start_utc = :dump_start_utc::timestamptz,
    dump_end_utc = :dump_end_utc::timestamptz,
    load_travel_seconds = :load_travel_seconds::float8,
    empty_travel_seconds = :empty_travel_seconds::float8,
    dump_seconds = :dump_seconds::float8,
    load_seconds = :load_seconds::float8,
    total_cycle_seconds = :total_cycle_seconds::float8,
    outlier_seconds = :outlier_seconds::float8,
    current_process_date = :current_process_date::timestamptz,
    current_area = :current_area::text,
    current_asset_longitude = :current_asset_longitude::float8,
    current_asset_latitude = :current_asset_latitude::float8,
    load_region_guid = :load_region_guid::text,
    is_within_load_region = :is_within_load_region::bool,
    asset_load_region_distance = :asset_load_region_distance::float8,
    idle_in_dump_region_guid = :idle_in_dump_region_guid::text,
    tmp_idle_near_loader = :tmp_idle_near_loader::text,
    outlier_type_id = :outlier_type_id::int4,
    all_assets_in_same_dump_area = :all_assets_in_same_dump_area::bool,
    outlier_date_utc = :outlier_date_utc::timestamptz,
    outlier_loader_guid = :outlier_loader_guid::text,
    outlier_loader_latitude = :outlier_loader_latitude::float8,
    outlier_loader_longitude = :outlier_loader_longitude::float8,
    outlier_dump_region_guid = :outlier_dump_region_guid::text,
    cycle_start_utc = :cycle_start_utc::timestamptz,
    cycle_end_utc = :cycle_end_utc::timestamptz
WHERE
    ac.asset_cycle_vlx_id = :cycle_id::int8
    AND ac.asset_guid = :asset_guid::text
    AND ac.service_type = :service_type::text
    AND ac.finalized_date IS NULL
    AND (
        :expected_updated_date::timestamptz IS NULL
        OR ac.updated_date = :expected_updated_date::timestamptz
    );
