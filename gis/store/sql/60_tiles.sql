-- Vector tiles, one statement each. They run with the rights of whoever asks: a role that may not
-- read a count gets an error here, whatever the door let through.

-- The part of the register's CRS that a tile and its margin of 64/4096 cover.
CREATE FUNCTION calc.tile_reach(z integer, x integer, y integer) RETURNS geometry
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ST_Transform(ST_TileEnvelope(z, x, y, margin => 64.0 / 4096), 4490)
$$;

-- Buildings with what anybody may know of a structure, and no count.
CREATE FUNCTION calc.buildings_tile(z integer, x integer, y integer) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT ST_AsMVT(feature, 'buildings', 4096, 'shape', 'id')
    FROM (
        SELECT b.number AS id, b.number::text AS number, b.kind, b.status, a.standard_address,
            b.division_code::text AS division,
            ST_AsMVTGeom(ST_Transform(b.geometry, 3857), ST_TileEnvelope(z, x, y), 4096, 64) AS shape
        FROM reg.buildings b
        LEFT JOIN LATERAL (
            SELECT standard_address FROM reg.addresses
            WHERE building_number = b.number AND valid_to IS NULL ORDER BY id LIMIT 1
        ) a ON true
        WHERE b.geometry && calc.tile_reach(z, x, y) AND b.status <> 'retired'
    ) feature
    WHERE shape IS NOT NULL
$$;

-- Residents per km²; of a withheld count and of one that is not there it is NULL.
CREATE FUNCTION calc.density_of(n integer, boundary geometry) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN n IS NOT NULL THEN n / (ST_Area(boundary::geography) / 1e6) END
$$;

-- Divisions that have a boundary, the small ones over the large, with their counts of a release where one is given.
CREATE FUNCTION calc.divisions_tile(z integer, x integer, y integer, category text, release date) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT ST_AsMVT(feature, 'divisions', 4096, 'shape', 'id')
    FROM (
        SELECT d.code AS id, d.code::text AS code, d.name, d.level, count.n, count.withheld, count.noise_sd,
            calc.density_of(count.n, d.boundary) AS density, count.category, count.release::text AS release,
            ST_AsMVTGeom(ST_Transform(d.boundary, 3857), ST_TileEnvelope(z, x, y), 4096, 64) AS shape
        FROM reg.divisions d
        LEFT JOIN pub.division_counts count ON count.division_code = d.code
            AND count.category = divisions_tile.category AND count.release = divisions_tile.release
        WHERE d.boundary && calc.tile_reach(z, x, y)
        ORDER BY array_position(ARRAY['province', 'prefecture', 'county', 'township', 'village'], d.level), d.code
    ) feature
    WHERE shape IS NOT NULL
$$;

-- Squares of one size with their released counts; a withheld one carries no n.
CREATE FUNCTION calc.cells_tile(z integer, x integer, y integer, size integer, category text, release date)
RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT ST_AsMVT(feature, 'cells', 4096, 'shape')
    FROM (
        SELECT c.cell, count.n, count.withheld, count.noise_sd, count.category, count.release::text AS release,
            ST_AsMVTGeom(ST_Transform(c.geometry, 3857), ST_TileEnvelope(z, x, y), 4096, 64) AS shape
        FROM pub.cells c
        JOIN pub.cell_counts count ON count.cell = c.cell AND count.size = c.size
        WHERE c.geometry && calc.tile_reach(z, x, y) AND c.size = cells_tile.size
            AND count.category = cells_tile.category AND count.release = cells_tile.release
    ) feature
    WHERE shape IS NOT NULL
$$;

-- From which zoom on a class of road is drawn: a map of the region shows motorways, one of a quarter its paths.
CREATE FUNCTION calc.road_shown_from(road_class text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN road_class IN ('motorway', 'trunk') THEN 7
        WHEN road_class IN ('primary', 'motorway_link', 'trunk_link') THEN 9
        WHEN road_class IN ('secondary', 'primary_link') THEN 11
        WHEN road_class IN ('tertiary', 'secondary_link', 'tertiary_link') THEN 12
        WHEN road_class IN ('unclassified', 'residential', 'living_street', 'pedestrian', 'road') THEN 13
        ELSE 14
    END
$$;

-- Roads of the classes that a zoom has room for, the greater ones over the smaller.
CREATE FUNCTION calc.roads_tile(z integer, x integer, y integer) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT ST_AsMVT(feature, 'roads', 4096, 'shape', 'id')
    FROM (
        SELECT w.id, w.road_class, w.name, w.oneway, w.foot, w.motor,
            ST_AsMVTGeom(ST_Transform(w.geometry, 3857), ST_TileEnvelope(z, x, y), 4096, 64) AS shape
        FROM reg.road_ways w
        WHERE w.geometry && calc.tile_reach(z, x, y) AND calc.road_shown_from(w.road_class) <= z
        ORDER BY calc.road_shown_from(w.road_class) DESC, w.id
    ) feature
    WHERE shape IS NOT NULL
$$;

-- Two equal answers mean equal roads: a source is replaced whole, so its last row tells whether it was; each source
-- is found by one step along the index.
CREATE FUNCTION calc.roads_version() RETURNS text
LANGUAGE sql STABLE AS $$
    WITH RECURSIVE last_of AS (
        (SELECT w.source_id, w.id, w.xmin FROM reg.road_ways w ORDER BY w.source_id DESC, w.id DESC LIMIT 1)
        UNION ALL
        SELECT before.* FROM last_of CROSS JOIN LATERAL (
            SELECT w.source_id, w.id, w.xmin FROM reg.road_ways w WHERE w.source_id < last_of.source_id
            ORDER BY w.source_id DESC, w.id DESC LIMIT 1
        ) before
    )
    SELECT coalesce(string_agg(source_id::text || ' ' || id::text || ' ' || xmin::text, ',' ORDER BY source_id), '')
    FROM last_of
$$;

-- Two equal answers mean equal tiles: rows are never changed in place, so their xmin tells them apart.
CREATE FUNCTION calc.divisions_version() RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT md5(coalesce(string_agg(code::text || ' ' || xmin::text, ',' ORDER BY code), ''))
    FROM reg.divisions WHERE boundary IS NOT NULL
$$;

CREATE FUNCTION calc.release_version(release date) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT r.release::text || ' ' || r.xmin::text FROM pub.releases r WHERE r.release = release_version.release
$$;

-- Limits of five classes of a released count, by quantiles of what is shown.
CREATE FUNCTION calc.cell_breaks(release date, size integer, category text) RETURNS integer[]
LANGUAGE sql STABLE AS $$
    SELECT percentile_disc(ARRAY[0.2, 0.4, 0.6, 0.8, 1.0]) WITHIN GROUP (ORDER BY count.n)
    FROM pub.cell_counts count
    WHERE count.release = cell_breaks.release AND count.size = cell_breaks.size
        AND count.category = cell_breaks.category AND count.n > 0
$$;

-- The same of the densities of the counties.
CREATE FUNCTION calc.county_breaks(release date, category text) RETURNS double precision[]
LANGUAGE sql STABLE AS $$
    SELECT percentile_disc(ARRAY[0.2, 0.4, 0.6, 0.8, 1.0])
        WITHIN GROUP (ORDER BY calc.density_of(count.n, d.boundary))
    FROM pub.division_counts count
    JOIN reg.divisions d ON d.code = count.division_code AND d.level = 'county' AND d.boundary IS NOT NULL
    WHERE count.release = county_breaks.release AND count.category = county_breaks.category AND count.n > 0
$$;

-- What the standard deviation of the noise in half of the counts of a size does not exceed.
CREATE FUNCTION calc.cell_noise(release date, size integer, category text) RETURNS real
LANGUAGE sql STABLE AS $$
    SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY count.noise_sd)
    FROM pub.cell_counts count
    WHERE count.release = cell_noise.release AND count.size = cell_noise.size
        AND count.category = cell_noise.category AND count.n > 0
$$;

REVOKE EXECUTE ON FUNCTION calc.tile_reach(integer, integer, integer), calc.buildings_tile(integer, integer, integer),
    calc.divisions_tile(integer, integer, integer, text, date), calc.divisions_version(), calc.release_version(date),
    calc.density_of(integer, geometry), calc.cells_tile(integer, integer, integer, integer, text, date),
    calc.cell_breaks(date, integer, text), calc.county_breaks(date, text), calc.cell_noise(date, integer, text),
    calc.road_shown_from(text), calc.roads_tile(integer, integer, integer), calc.roads_version()
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION calc.tile_reach(integer, integer, integer), calc.buildings_tile(integer, integer, integer),
    calc.divisions_tile(integer, integer, integer, text, date), calc.divisions_version(), calc.release_version(date),
    calc.density_of(integer, geometry), calc.cells_tile(integer, integer, integer, integer, text, date),
    calc.cell_breaks(date, integer, text), calc.county_breaks(date, text), calc.cell_noise(date, integer, text),
    calc.road_shown_from(text), calc.roads_tile(integer, integer, integer), calc.roads_version()
    TO {public}, {planner}, {registrar};
