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
    LEFT JOIN LATERAL (
        SELECT standard_address FROM reg.addresses
        WHERE building_number = b.number AND valid_to IS NULL ORDER BY id LIMIT 1
    ) a ON true
    LEFT JOIN reg.divisions d ON d.code = b.division_code
    LEFT JOIN reg.premises p ON p.id = b.premises_id;

GRANT SELECT ON calc.structures TO {public}, {planner}, {registrar};

-- What happened to each building: its own events, and the one by which its batch registered it.
CREATE VIEW calc.building_history WITH (security_invoker = true) AS
    SELECT building_number, seq, verb, actor, batch_id, reason, source_document, happened_on, recorded_at
    FROM reg.building_events WHERE building_number IS NOT NULL
    UNION ALL
    SELECT b.number, e.seq, e.verb, e.actor, e.batch_id, e.reason, e.source_document, e.happened_on, e.recorded_at
    FROM reg.buildings b
    JOIN reg.building_events e ON e.batch_id = b.batch_id AND e.building_number IS NULL;
GRANT SELECT ON calc.building_history TO {registrar}, {planner};
