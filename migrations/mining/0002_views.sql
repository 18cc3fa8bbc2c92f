-- Why: what may be pulled from tables is a view of this schema, and nothing else is. The views bear the names that
-- callers
-- know: those of the real service, and the three of its documentation (asset_cycles, process_checkpoints,
-- asset_master).
-- What they leave out (how a cycle is archived, other services' own columns) is for the statements alone.
-- Plain views: the planner sees through them. A reader of one needs no right on the table behind it.
-- Locks: none that another session could wait for; all views are new.

-- migrate:up
CREATE SCHEMA dx;

CREATE VIEW dx.asset_cycle_tmp_vlx AS
SELECT
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
    ac.cycle_end_utc
FROM mining.asset_cycles AS ac
WHERE ac.service_type = 'realtime';

CREATE VIEW dx.asset_cycle_repro_tmp_vlx AS
SELECT
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
    ac.cycle_end_utc
FROM mining.asset_cycles AS ac
WHERE ac.service_type = 'reprocess';

CREATE VIEW dx.asset_cycle_vlx AS
SELECT
    fc.asset_cycle_vlx_id,
    fc.asset_guid,
    fc.cycle_number,
    fc.cycle_status,
    fc.site_guid,
    fc.current_work_state_id,
    fc.created_date,
    fc.updated_date,
    fc.previous_work_state_id,
    fc.current_segment,
    fc.loader_asset_guid,
    fc.loader_latitude,
    fc.loader_longitude,
    fc.previous_loader_distance,
    fc.current_loader_distance,
    fc.dump_region_guid,
    fc.is_outlier,
    fc.outlier_position_latitude,
    fc.outlier_position_longitude,
    fc.load_start_utc,
    fc.load_end_utc,
    fc.dump_start_utc,
    fc.dump_end_utc,
    fc.load_travel_seconds,
    fc.empty_travel_seconds,
    fc.dump_seconds,
    fc.load_seconds,
    fc.total_cycle_seconds,
    fc.outlier_seconds,
    fc.current_process_date,
    fc.current_area,
    fc.current_asset_longitude,
    fc.current_asset_latitude,
    fc.load_region_guid,
    fc.is_within_load_region,
    fc.asset_load_region_distance,
    fc.idle_in_dump_region_guid,
    fc.tmp_idle_near_loader,
    fc.outlier_type_id,
    fc.all_assets_in_same_dump_area,
    fc.outlier_date_utc,
    fc.outlier_loader_guid,
    fc.outlier_loader_latitude,
    fc.outlier_loader_longitude,
    fc.outlier_dump_region_guid,
    fc.cycle_start_utc,
    fc.cycle_end_utc
FROM mining.final_cycles AS fc;

-- With the status under two names: the documentation uses both.
CREATE VIEW dx.asset_cycles AS
SELECT
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
    ac.cycle_status AS status
FROM mining.asset_cycles AS ac
WHERE ac.service_type = 'realtime';

CREATE VIEW dx.tx_process_info AS
SELECT
    pc.tx_process_info_id,
    pc.asset_guid,
    pc.site_guid,
    pc.process_name,
    pc.process_date,
    pc.created_date,
    pc.updated_date,
    pc.asset_type_guid,
    pc.current_latitude,
    pc.current_longitude
FROM mining.process_checkpoints AS pc;

CREATE VIEW dx.process_checkpoints AS
SELECT
    pc.tx_process_info_id,
    pc.asset_guid,
    pc.site_guid,
    pc.process_name,
    pc.process_date,
    pc.created_date,
    pc.updated_date,
    pc.asset_type_guid,
    pc.current_latitude,
    pc.current_longitude
FROM mining.process_checkpoints AS pc;

CREATE VIEW dx.asset AS
SELECT
    am.guid,
    am.site_guid,
    am.asset_type_guid,
    am.client_guid
FROM mining.asset_master AS am;

CREATE VIEW dx.asset_master AS
SELECT
    am.guid AS asset_guid,
    am.guid,
    am.site_guid,
    am.asset_type_guid,
    am.client_guid
FROM mining.asset_master AS am;

CREATE VIEW dx.region AS
SELECT
    r.guid,
    r.site_guid,
    r.points,
    r.fence_area,
    r.created_date,
    r.is_deleted
FROM mining.regions AS r;

-- migrate:down
DROP VIEW dx.region;
DROP VIEW dx.asset_master;
DROP VIEW dx.asset;
DROP VIEW dx.process_checkpoints;
DROP VIEW dx.tx_process_info;
DROP VIEW dx.asset_cycles;
DROP VIEW dx.asset_cycle_vlx;
DROP VIEW dx.asset_cycle_repro_tmp_vlx;
DROP VIEW dx.asset_cycle_tmp_vlx;
DROP SCHEMA dx;
