-- Checkpoints: how far a process has come with an asset, one row for each asset and process.

-- name: checkpoint_advance(asset_guid, site_guid, process_name, process_date, created_date, updated_date, asset_type_guid, current_latitude, current_longitude)$
-- Stores a checkpoint, unless the stored one is as late: then there is no id to return. What is not known stays.
-- accept: NOT-HOT an asset seldom changes its site or type; with the same values the update is a HOT one
INSERT INTO mining.process_checkpoints AS pc (
    asset_guid,
    site_guid,
    process_name,
    process_date,
    created_date,
    updated_date,
    asset_type_guid,
    current_latitude,
    current_longitude
) VALUES (
    :asset_guid::text,
    :site_guid::text,
    :process_name::text,
    :process_date::timestamptz,
    :created_date::timestamptz,
    :updated_date::timestamptz,
    :asset_type_guid::text,
    :current_latitude::float8,
    :current_longitude::float8
)
ON CONFLICT (asset_guid, process_name) DO UPDATE
    SET
        site_guid = excluded.site_guid,
        process_date = excluded.process_date,
        updated_date = coalesce(excluded.updated_date, excluded.created_date),
        asset_type_guid = coalesce(excluded.asset_type_guid, pc.asset_type_guid),
        current_latitude = coalesce(excluded.current_latitude, pc.current_latitude),
        current_longitude = coalesce(excluded.current_longitude, pc.current_longitude)
    WHERE pc.process_date < excluded.process_date
RETURNING pc.tx_process_info_id;

-- name: checkpoint_copy()#
-- Takes many new checkpoints whose ids checkpoint_reserve has given.
COPY mining.process_checkpoints (
    tx_process_info_id,
    asset_guid,
    site_guid,
    process_name,
    process_date,
    created_date,
    updated_date,
    asset_type_guid,
    current_latitude,
    current_longitude
) FROM STDIN (FORMAT "binary");

-- name: checkpoint_delete(checkpoint_id, asset_guid)!
-- Deletes a checkpoint.
DELETE FROM mining.process_checkpoints AS pc
WHERE pc.tx_process_info_id = :checkpoint_id::int8 AND pc.asset_guid = :asset_guid::text;

-- name: checkpoint_exists(checkpoint_id, asset_guid)$
-- Whether there is a checkpoint with this id.
SELECT count(*) > 0 AS is_there
FROM mining.process_checkpoints AS pc
WHERE pc.tx_process_info_id = :checkpoint_id::int8 AND pc.asset_guid = :asset_guid::text;

-- name: checkpoint_insert(checkpoint_id, asset_guid, site_guid, process_name, process_date, created_date, updated_date, asset_type_guid, current_latitude, current_longitude)$
-- Inserts the checkpoint of a process that has none for the asset, under an id of checkpoint_reserve, or else under a new
-- one; returns it.
INSERT INTO mining.process_checkpoints (
    tx_process_info_id,
    asset_guid,
    site_guid,
    process_name,
    process_date,
    created_date,
    updated_date,
    asset_type_guid,
    current_latitude,
    current_longitude
) VALUES (
    coalesce(:checkpoint_id::int8, nextval('mining.process_checkpoints_tx_process_info_id_seq')),
    :asset_guid::text,
    :site_guid::text,
    :process_name::text,
    :process_date::timestamptz,
    :created_date::timestamptz,
    :updated_date::timestamptz,
    :asset_type_guid::text,
    :current_latitude::float8,
    :current_longitude::float8
)
RETURNING tx_process_info_id;

-- name: checkpoint_reserve(number)$
-- Ids for so many new checkpoints, as an array; those that are not used are lost, and that is all.
-- retry: idempotent
SELECT array_agg(nextval('mining.process_checkpoints_tx_process_info_id_seq')) AS checkpoint_ids
FROM generate_series(1, :number::int8);

-- name: checkpoint_update(checkpoint_id, asset_guid, site_guid, process_name, process_date, created_date, updated_date, asset_type_guid, current_latitude, current_longitude)!
-- Sets all of a checkpoint, whatever its time.
-- accept: NOT-HOT an asset seldom changes its site or type; with the same values the update is a HOT one
UPDATE mining.process_checkpoints AS pc
SET
    site_guid = :site_guid::text,
    process_name = :process_name::text,
    process_date = :process_date::timestamptz,
    created_date = :created_date::timestamptz,
    updated_date = :updated_date::timestamptz,
    asset_type_guid = :asset_type_guid::text,
    current_latitude = :current_latitude::float8,
    current_longitude = :current_longitude::float8
WHERE pc.tx_process_info_id = :checkpoint_id::int8 AND pc.asset_guid = :asset_guid::text;
