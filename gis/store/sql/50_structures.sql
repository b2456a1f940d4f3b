-- What anybody with a session may know of a building: the structure, its address and its place.
-- The view runs with the rights of whoever asks.
CREATE VIEW calc.structures WITH (security_invoker = true) AS
    SELECT b.number, b.kind, b.kind_assumed, b.status, a.standard_address, b.division_code, d.name AS division_name,
        b.place_assumed, p.name AS premises, b.entrances, b.floors, b.rooms_per_floor, b.expires_on,
        (
            SELECT count(*) FROM reg.dwellings w WHERE w.building_number = b.number AND w.status = 'exists'
        ) AS dwellings,
        b.geometry
    FROM reg.buildings b
    LEFT JOIN reg.addresses a ON a.building_number = b.number AND a.main AND a.valid_to IS NULL
    LEFT JOIN reg.divisions d ON d.code = b.division_code
    LEFT JOIN reg.premises p ON p.id = b.premises_id;

GRANT SELECT ON calc.structures TO {public}, {planner}, {registrar};

-- What happened to each building: the events that touched it, and the one by which its batch registered it.
CREATE VIEW calc.building_history WITH (security_invoker = true) AS
    SELECT n.number AS building_number, e.seq, e.verb, e.actor, e.batch_id, e.reverts_seq, e.reason, e.source_document,
        e.happened_on, e.recorded_at
    FROM reg.building_events e CROSS JOIN LATERAL unnest(e.building_numbers) AS n(number)
    UNION ALL
    SELECT b.number, b.registered_seq, e.verb, e.actor, e.batch_id, NULL, e.reason, e.source_document, e.happened_on,
        e.recorded_at
    FROM reg.buildings b
    JOIN reg.building_events e ON e.batch_id = b.batch_id;
GRANT SELECT ON calc.building_history TO {registrar}, {planner};

-- A building as it is now, whole, in the form in which a version keeps it.
CREATE VIEW calc.building_snapshots WITH (security_invoker = true) AS
    SELECT b.number, b.kind, b.kind_assumed, b.status, b.division_code, b.place_assumed, b.premises_id, b.entrances,
        b.floors, b.rooms_per_floor, b.expires_on, b.geometry, b.registered_seq,
        coalesce((
            -- main and other addresses each by their own index: asked for together, neither would serve
            SELECT jsonb_agg(jsonb_build_array(a.standard_address, a.main) ORDER BY a.id)
            FROM (
                SELECT id, standard_address, main FROM reg.addresses
                WHERE building_number = b.number AND main AND valid_to IS NULL
                UNION ALL
                SELECT id, standard_address, main FROM reg.addresses
                WHERE building_number = b.number AND NOT main AND valid_to IS NULL
            ) a
        ), '[]'::jsonb) AS addresses,
        coalesce((
            SELECT jsonb_agg(jsonb_build_array(w.sequence, w.entrance, w.floor, w.room, w.status) ORDER BY w.sequence)
            FROM reg.dwellings w WHERE w.building_number = b.number
        ), '[]'::jsonb) AS dwellings
    FROM reg.buildings b;
GRANT SELECT ON calc.building_snapshots TO {registrar}, {planner};

-- All that was ever known of each building: since and until when in the world, from which event to which in the
-- register. A building without versions is as it was registered.
CREATE VIEW calc.building_timeline WITH (security_invoker = true) AS
    SELECT building_number, lower(during) AS since, upper(during) AS until, opened_seq, closed_seq, kind, kind_assumed,
        status, division_code, place_assumed, premises_id, entrances, floors, rooms_per_floor, expires_on,
        geometry::text AS geometry, addresses, dwellings
    FROM reg.building_versions
    UNION ALL
    SELECT b.number, (SELECT e.happened_on FROM reg.building_events e WHERE e.seq = b.registered_seq), NULL,
        b.registered_seq, NULL, b.kind, b.kind_assumed, b.status, b.division_code, b.place_assumed, b.premises_id,
        b.entrances, b.floors, b.rooms_per_floor, b.expires_on, b.geometry::text, b.addresses, b.dwellings
    FROM calc.building_snapshots b
    WHERE NOT EXISTS (SELECT FROM reg.building_versions v WHERE v.building_number = b.number);
GRANT SELECT ON calc.building_timeline TO {registrar}, {planner};

-- Whether an event was taken back, and that was not taken back in its turn. With the owner's rights: whoever asks
-- what became of a number need not read who did it, and learns nothing else of the event.
CREATE FUNCTION calc.is_undone(event bigint) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce((SELECT NOT calc.is_undone(r.seq) FROM reg.building_events r WHERE r.reverts_seq = event), false)
$$;
REVOKE EXECUTE ON FUNCTION calc.is_undone(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION calc.is_undone(bigint) TO {registrar}, {planner}, {public};

-- Kinship that holds: what an event has made, unless it was taken back.
CREATE VIEW calc.kinship WITH (security_invoker = true) AS
    SELECT parent_number, child_number, seq FROM reg.building_lineage WHERE NOT calc.is_undone(seq);
GRANT SELECT ON calc.kinship TO {registrar}, {planner}, {public};

-- How much two boxes around shapes share: no shapes share more. A fraction of what it costs to ask the shapes.
CREATE FUNCTION calc.shared_box(one geometry, other geometry) RETURNS double precision LANGUAGE sql IMMUTABLE AS $$
    SELECT greatest(least(ST_XMax(one), ST_XMax(other)) - greatest(ST_XMin(one), ST_XMin(other)), 0)
        * greatest(least(ST_YMax(one), ST_YMax(other)) - greatest(ST_YMin(one), ST_YMin(other)), 0)
$$;
REVOKE EXECUTE ON FUNCTION calc.shared_box(geometry, geometry) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION calc.shared_box(geometry, geometry) TO {registrar};

-- The active buildings that a shape is, or may be: two polygons of which one covers more than a share of the smaller,
-- a point within a polygon, or two points a few metres apart. Ratios are taken in degrees: an affine stretch changes
-- both areas alike. Written so that PostgreSQL can merge it into the statement that asks, and use the spatial index;
-- OFFSET 0 keeps what was measured from being measured again wherever it is mentioned.
CREATE FUNCTION calc.find_standing(
    shape geometry, covered double precision, same_iou double precision, same_point_m double precision,
    near_point_m double precision
) RETURNS TABLE (number bigint, certain boolean, shared double precision, apart_m double precision)
LANGUAGE sql STABLE AS $$
    SELECT judged.number, judged.certain, judged.shared, judged.apart_m
    FROM (
        SELECT met.number, met.shared, met.apart_m,
            coalesce(met.shared / nullif(met.shape_area + met.area - met.shared, 0) >= same_iou,
                met.apart_m <= same_point_m, false) AS certain,
            coalesce(met.shared > covered * least(met.shape_area, met.area), met.apart_m <= near_point_m, true)
                AS clashes
        FROM (
            SELECT b.number, ST_Area(shape) AS shape_area, ST_Area(b.geometry) AS area,
                CASE WHEN ST_Dimension(shape) + ST_Dimension(b.geometry) < 4 THEN NULL
                    WHEN shape = b.geometry THEN ST_Area(shape)
                    ELSE ST_Area(ST_Intersection(shape, b.geometry)) END AS shared,
                CASE WHEN ST_Dimension(shape) + ST_Dimension(b.geometry) = 0
                    THEN ST_Distance(shape::geography, b.geometry::geography) END AS apart_m
            FROM reg.buildings b
            WHERE b.status = 'active'
                AND b.geometry && CASE WHEN ST_Dimension(shape) = 2 THEN shape ELSE ST_Expand(shape,
                    0.00005 / greatest(cosd(ST_Y(shape)), 0.0001), 0.00005) END
                AND CASE ST_Dimension(shape) + ST_Dimension(b.geometry)
                    WHEN 4 THEN calc.shared_box(shape, b.geometry) > covered * least(ST_Area(shape), ST_Area(b.geometry))
                    WHEN 0 THEN true
                    ELSE ST_Intersects(shape, b.geometry) END
            OFFSET 0
        ) met
    ) judged
    WHERE judged.clashes
$$;
REVOKE EXECUTE ON FUNCTION calc.find_standing(
    geometry, double precision, double precision, double precision, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION calc.find_standing(
    geometry, double precision, double precision, double precision, double precision) TO {registrar};
