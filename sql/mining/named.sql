-- The named queries of the service: pull_data_from_table takes them in the place of a composed statement.

-- name: last_cycle_number(asset_guid, until)
-- The number of the last archived cycle of an asset that ended at or before a time: one row, with null if there is none.
SELECT
    (
        SELECT fc.cycle_number
        FROM mining.final_cycles AS fc
        WHERE fc.asset_guid = :asset_guid::text AND fc.cycle_end_utc <= :until::timestamptz
        ORDER BY fc.cycle_end_utc DESC, fc.cycle_number DESC
        LIMIT 1
    ) AS cycle_number;

-- name: loaders_from_asset_idle(site_guid, asset_type_guid, until)
-- The loaders of a site with the place where each stood idle last, at or before a time.
-- accept: NO-SHARD an index leads to each loader's last place, which a cluster cannot use; loaders_from_process_info works
SELECT
    am.guid AS asset_guid,
    am.site_guid,
    latest.latitude,
    latest.longitude
FROM mining.asset_master AS am
INNER JOIN LATERAL (
    SELECT
        ids.end_location_latitude AS latitude,
        ids.end_location_longitude AS longitude
    FROM mining.idle_states AS ids
    WHERE
        ids.asset_guid = am.guid
        AND coalesce(ids.end_state_utc, ids.start_state_utc) <= :until::timestamptz
        AND ids.end_location_latitude IS NOT NULL
        AND ids.end_location_longitude IS NOT NULL
    ORDER BY coalesce(ids.end_state_utc, ids.start_state_utc) DESC, ids.idle_state_id DESC
    LIMIT 1
) AS latest ON true
WHERE am.site_guid = :site_guid::text AND am.asset_type_guid = :asset_type_guid::text
ORDER BY am.guid;

-- name: loaders_from_process_info(site_guid, asset_type_guid)
-- The loaders of a site with the place that the idle service has noted for each.
-- accept: ALL-SHARDS the loaders of a site are in any shard, each with what else is known of it
SELECT
    pc.asset_guid,
    pc.site_guid,
    pc.current_latitude AS latitude,
    pc.current_longitude AS longitude
FROM mining.process_checkpoints AS pc
WHERE
    pc.site_guid = :site_guid::text
    AND pc.process_name = 'asset_idle_vlx'
    AND pc.asset_type_guid = :asset_type_guid::text
    AND pc.current_latitude IS NOT NULL
    AND pc.current_longitude IS NOT NULL
ORDER BY pc.asset_guid;

-- name: regions_of_asset(asset_guid)
-- The regions of the asset's site, the newest version of each, unless that is deleted or has no points; the smallest
-- area first.
WITH versions AS (
    SELECT DISTINCT ON (r.guid)
        r.guid,
        r.points,
        r.fence_area,
        r.is_deleted
    FROM mining.asset_master AS am
    INNER JOIN mining.regions AS r ON am.site_guid = r.site_guid
    WHERE am.guid = :asset_guid::text
    ORDER BY r.guid ASC, r.created_date DESC, r.region_id DESC
)

SELECT
    v.guid AS region_guid,
    v.points AS region_points
FROM versions AS v
WHERE NOT v.is_deleted AND v.points IS NOT NULL
ORDER BY v.fence_area ASC NULLS LAST, v.guid ASC;
