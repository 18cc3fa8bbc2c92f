-- Lamp Registry Table
CREATE TABLE lamp_registry (
    lamp_id UUID PRIMARY KEY,
    email VARCHAR(255) NOT NULL,
    name VARCHAR(255) NOT NULL,
    password_hash VARCHAR(255) NOT NULL,
    location_index INTEGER NOT NULL,
    brightness INTEGER DEFAULT 100,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    is_active BOOLEAN DEFAULT true,
    last_seen TIMESTAMP,
    firmware_version VARCHAR(50)
);

-- API Configuration Table
CREATE TABLE api_configuration (
    id SERIAL PRIMARY KEY,
    website_name VARCHAR(100) NOT NULL,
    full_url VARCHAR(500) NOT NULL,
    is_json BOOLEAN NOT NULL DEFAULT true,
    is_metric BOOLEAN NOT NULL DEFAULT true,
    api_key VARCHAR(255),
    city JSONB NOT NULL,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    is_active BOOLEAN DEFAULT true,
    priority_order INTEGER DEFAULT 1
);

-- System Configuration Table
CREATE TABLE system_configuration (
    id SERIAL PRIMARY KEY,
    config_key VARCHAR(100) NOT NULL UNIQUE,
    config_value JSONB NOT NULL,
    description TEXT,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    is_active BOOLEAN DEFAULT true
);

-- Activity Log Table
CREATE TABLE activity_log (
    id BIGSERIAL PRIMARY KEY,
    lamp_id UUID,
    activity_type VARCHAR(50) NOT NULL,
    status VARCHAR(20) NOT NULL,
    details JSONB,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    ip_address INET,
    user_agent TEXT,
    FOREIGN KEY (lamp_id) REFERENCES lamp_registry(lamp_id) ON DELETE SET NULL
);

-- User Sessions Table (for future web interface)
CREATE TABLE user_sessions (
    id UUID PRIMARY KEY,
    lamp_id UUID NOT NULL,
    session_token VARCHAR(255) NOT NULL UNIQUE,
    expires_at TIMESTAMP NOT NULL,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    FOREIGN KEY (lamp_id) REFERENCES lamp_registry(lamp_id) ON DELETE CASCADE
);

-- Performance Indexes
CREATE INDEX idx_lamp_registry_email ON lamp_registry(email);
CREATE INDEX idx_lamp_registry_location ON lamp_registry(location_index);
CREATE INDEX idx_lamp_registry_active ON lamp_registry(is_active);
CREATE INDEX idx_lamp_registry_last_seen ON lamp_registry(last_seen);
CREATE INDEX idx_api_config_active_priority ON api_configuration(is_active, priority_order);
CREATE INDEX idx_activity_log_lamp_time ON activity_log(lamp_id, created_at);
CREATE INDEX idx_activity_log_type_status ON activity_log(activity_type, status);
CREATE INDEX idx_activity_log_created_at ON activity_log(created_at);
CREATE INDEX idx_system_config_key ON system_configuration(config_key);

-- Initial Data Setup
INSERT INTO system_configuration (config_key, config_value, description) VALUES
('supported_locations', 
 '[
   {"index": 0, "name": "San Diego", "state": "CA", "coordinates": {"lat": 32.7157, "lon": -117.1611}},
   {"index": 1, "name": "Santa Cruz", "state": "CA", "coordinates": {"lat": 36.9741, "lon": -122.0308}},
   {"index": 2, "name": "Honolulu", "state": "HI", "coordinates": {"lat": 21.3099, "lon": -157.8581}},
   {"index": 3, "name": "Huntington Beach", "state": "CA", "coordinates": {"lat": 33.6595, "lon": -117.9988}},
   {"index": 4, "name": "Malibu", "state": "CA", "coordinates": {"lat": 34.0259, "lon": -118.7798}}
 ]',
 'Supported coastal cities with location indexes and coordinates'),
('cache_settings',
 '{"surf_data_ttl": 1800, "location_cache_ttl": 3600, "max_cache_size": 1000}',
 'Cache configuration settings'),
('api_settings',
 '{"request_timeout": 30, "max_retries": 3, "retry_delay": 5}',
 'External API configuration settings');

-- Sample API Configuration Data
INSERT INTO api_configuration (website_name, full_url, is_json, is_metric, api_key, city, priority_order) VALUES
('Surfline', 'https://services.surfline.com/kbyg/spots/forecasts', true, false, NULL, 
 '{"name": "San Diego", "spot_id": "5842041f4e65fad6a7708876"}', 1),
('WeatherAPI', 'https://api.weatherapi.com/v1/marine.json', true, true, 'WEATHER_API_KEY_PLACEHOLDER',
 '{"name": "San Diego", "q": "32.7157,-117.1611"}', 2);
