-- One step of the cycle service: what it reads of a truck before it decides.

-- name: cycle_state(asset_guid, site_guid, process_name, loader_type_guid, service_type)^
-- An asset, its checkpoint, its last open cycle at the site and the site's loaders: four reads in one round trip.
-- Always one row; what there is not is null.
-- accept: ALL-SHARDS the loaders of the site are in any shard; the other three are in one, and can be read apart
SELECT
    am.guid AS asset_guid,
    am.site_guid AS asset_site_guid,
    am.asset_type_guid,
    am.client_guid,
    pc.tx_process_info_id,
    pc.site_guid AS checkpoint_site_guid,
    pc.process_date,
    pc.created_date AS checkpoint_created_date,
    pc.updated_date AS checkpoint_updated_date,
    pc.asset_type_guid AS checkpoint_asset_type_guid,
    pc.current_latitude,
    pc.current_longitude,
    loaders.asset_guids AS loader_asset_guids,
    loaders.latitudes AS loader_latitudes,
    loaders.longitudes AS loader_longitudes,
    ac.asset_cycle_vlx_id,
    ac.asset_guid AS cycle_asset_guid,
    ac.cycle_number,
    ac.cycle_status,
    ac.site_guid AS cycle_site_guid,
    ac.current_work_state_id,
    ac.created_date AS cycle_created_date,
    ac.updated_date AS cycle_updated_date,
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
    ac.cycle_end_utc
FROM (VALUES (:asset_guid::text)) AS wanted (asset_guid)
LEFT JOIN mining.asset_master AS am ON wanted.asset_guid = am.guid
LEFT JOIN mining.process_checkpoints AS pc
    ON wanted.asset_guid = pc.asset_guid AND pc.process_name = :process_name::text
LEFT JOIN LATERAL (
    SELECT
        oc.asset_cycle_vlx_id,
        oc.asset_guid,
        oc.cycle_number,
        oc.cycle_status,
        oc.site_guid,
        oc.current_work_state_id,
        oc.created_date,
        oc.updated_date,
        oc.previous_work_state_id,
        oc.current_segment,
        oc.loader_asset_guid,
        oc.loader_latitude,
        oc.loader_longitude,
        oc.previous_loader_distance,
        oc.current_loader_distance,
        oc.dump_region_guid,
        oc.is_outlier,
        oc.outlier_position_latitude,
        oc.outlier_position_longitude,
        oc.load_start_utc,
        oc.load_end_utc,
        oc.dump_start_utc,
        oc.dump_end_utc,
        oc.load_travel_seconds,
        oc.empty_travel_seconds,
        oc.dump_seconds,
        oc.load_seconds,
        oc.total_cycle_seconds,
        oc.outlier_seconds,
        oc.current_process_date,
        oc.current_area,
        oc.current_asset_longitude,
        oc.current_asset_latitude,
        oc.load_region_guid,
        oc.is_within_load_region,
        oc.asset_load_region_distance,
        oc.idle_in_dump_region_guid,
        oc.tmp_idle_near_loader,
        oc.outlier_type_id,
        oc.all_assets_in_same_dump_area,
        oc.outlier_date_utc,
        oc.outlier_loader_guid,
        oc.outlier_loader_latitude,
        oc.outlier_loader_longitude,
        oc.outlier_dump_region_guid,
        oc.cycle_start_utc,
        oc.cycle_end_utc
    FROM mining.asset_cycles AS oc
    WHERE
        oc.asset_guid = wanted.asset_guid
        AND oc.site_guid = :site_guid::text
        AND oc.cycle_status = 'INPROGRESS'
        AND oc.service_type = :service_type::text
    ORDER BY oc.cycle_number DESC
    LIMIT 1
) AS ac ON true
CROSS JOIN LATERAL (
    SELECT
        array_agg(lo.asset_guid ORDER BY lo.asset_guid) AS asset_guids,
        array_agg(lo.current_latitude ORDER BY lo.asset_guid) AS latitudes,
        array_agg(lo.current_longitude ORDER BY lo.asset_guid) AS longitudes
    FROM mining.process_checkpoints AS lo
    WHERE
        lo.site_guid = :site_guid::text
        AND lo.process_name = 'asset_idle_vlx'
        AND lo.asset_type_guid = :loader_type_guid::text
        AND lo.current_latitude IS NOT NULL
        AND lo.current_longitude IS NOT NULL
) AS loaders;
