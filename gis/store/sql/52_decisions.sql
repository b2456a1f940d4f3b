-- Rows of structures files that wait for a person. What one was, stays; that it was decided is written once.
CREATE TRIGGER batch_rows_keep BEFORE DELETE OR TRUNCATE ON reg.batch_rows
    FOR EACH STATEMENT EXECUTE FUNCTION calc.refuse();

CREATE FUNCTION calc.refuse_deciding_twice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'row % of batch % was decided', OLD.row, OLD.batch_id USING ERRCODE = 'restrict_violation';
END $$;
REVOKE EXECUTE ON FUNCTION calc.refuse_deciding_twice() FROM PUBLIC;
CREATE TRIGGER batch_rows_once BEFORE UPDATE ON reg.batch_rows
    FOR EACH ROW WHEN (OLD.decided_at IS NOT NULL) EXECUTE FUNCTION calc.refuse_deciding_twice();

GRANT UPDATE (decision, decided_at, decided_by, event_seq) ON reg.batch_rows TO {registrar};

-- What waits, with the registered building it met and how much of each other the two shapes cover. Shares are taken
-- in degrees, as by calc.find_standing; they are null unless both are areas.
CREATE VIEW calc.queued_rows WITH (security_invoker = true) AS
    SELECT r.batch_id, r.row, r.reason, r.detail, r.source_code, r.content, r.geometry, r.fingerprint, r.division_code,
        d.name AS division_name, s.name AS source, b.source_id, b.file_name, b.options, b.recorded_at,
        r.building_number,
        both_shapes.shared / nullif(both_shapes.area + both_shapes.standing_area - both_shapes.shared, 0) AS iou,
        both_shapes.shared / nullif(least(both_shapes.area, both_shapes.standing_area), 0) AS shared_share,
        both_shapes.apart_m
    FROM reg.batch_rows r
    JOIN reg.batches b ON b.id = r.batch_id
    JOIN reg.sources s ON s.id = b.source_id
    LEFT JOIN reg.divisions d ON d.code = r.division_code
    LEFT JOIN reg.buildings standing ON standing.number = r.building_number
    LEFT JOIN LATERAL (
        SELECT ST_Area(r.geometry) AS area, ST_Area(standing.geometry) AS standing_area,
            CASE WHEN ST_Dimension(r.geometry) + ST_Dimension(standing.geometry) = 4
                THEN ST_Area(ST_Intersection(r.geometry, standing.geometry)) END AS shared,
            ST_Distance(r.geometry::geography, standing.geometry::geography) AS apart_m
        OFFSET 0
    ) both_shapes ON true
    WHERE r.outcome = 'queued' AND r.decided_at IS NULL;
GRANT SELECT ON calc.queued_rows TO {registrar};
