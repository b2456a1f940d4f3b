-- Findings of field officers and numbers that tablets took along: kept whole, decided once, ended once.

CREATE TRIGGER findings_keep BEFORE DELETE OR TRUNCATE ON reg.findings
    FOR EACH STATEMENT EXECUTE FUNCTION calc.refuse();
CREATE TRIGGER number_leases_keep BEFORE DELETE OR TRUNCATE ON reg.number_leases
    FOR EACH STATEMENT EXECUTE FUNCTION calc.refuse();
CREATE TRIGGER leased_numbers_keep BEFORE DELETE OR TRUNCATE OR UPDATE ON reg.leased_numbers
    FOR EACH STATEMENT EXECUTE FUNCTION calc.refuse();

-- What somebody saw is not rewritten, and what a registrar decided is not decided again.
CREATE FUNCTION calc.refuse_deciding_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%.% is settled once: % is refused', TG_TABLE_SCHEMA, TG_TABLE_NAME, OLD.uuid
        USING ERRCODE = 'restrict_violation';
END $$;
REVOKE EXECUTE ON FUNCTION calc.refuse_deciding_again() FROM PUBLIC;
CREATE TRIGGER findings_once BEFORE UPDATE ON reg.findings
    FOR EACH ROW WHEN (OLD.status <> 'open'
        OR to_jsonb(OLD) - ARRAY['status', 'decided_by', 'decided_at', 'decline_reason', 'seq']
            IS DISTINCT FROM to_jsonb(NEW) - ARRAY['status', 'decided_by', 'decided_at', 'decline_reason', 'seq'])
    EXECUTE FUNCTION calc.refuse_deciding_again();
CREATE TRIGGER number_leases_once BEFORE UPDATE ON reg.number_leases
    FOR EACH ROW WHEN (OLD.ended_at IS NOT NULL
        OR to_jsonb(OLD) - ARRAY['ended_at', 'ended_by'] IS DISTINCT FROM to_jsonb(NEW) - ARRAY['ended_at', 'ended_by'])
    EXECUTE FUNCTION calc.refuse_deciding_again();

-- The last event that touched a building; empty where there is none. Events are looked up by building first:
-- looking through them from the last one on would take as long as nothing happened to it.
CREATE FUNCTION calc.last_seq_of(building bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT greatest(
        (SELECT max(found.seq) FROM (
            SELECT e.seq FROM reg.building_events e WHERE e.building_numbers @> ARRAY[building] OFFSET 0
        ) found),
        (SELECT b.registered_seq FROM reg.buildings b WHERE b.number = building))
$$;
REVOKE EXECUTE ON FUNCTION calc.last_seq_of(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION calc.last_seq_of(bigint) TO {registrar}, {planner};

-- Findings with what has come between: the last event of the building, and the open findings that would set the
-- same. Two new structures are the same where their shapes nearly touch (0.00005 degrees are 4 to 6 m here).
CREATE VIEW calc.findings WITH (security_invoker = true) AS
    SELECT f.uuid, f.kind, f.building_number, f.division_code, f.based_on_seq, f.seen_on, f.proposed, f.touches,
        f.geometry, f.actor, f.received_at, f.status, f.decided_by, f.decided_at, f.decline_reason, f.seq,
        CASE WHEN f.kind <> 'new_structure' THEN calc.last_seq_of(f.building_number) END AS last_seq,
        CASE WHEN f.status = 'open' THEN ARRAY(
            SELECT r.uuid FROM reg.findings r
            WHERE r.status = 'open' AND r.uuid <> f.uuid AND r.touches && f.touches
                AND r.building_number = f.building_number
            UNION
            SELECT r.uuid FROM reg.findings r
            WHERE r.status = 'open' AND r.uuid <> f.uuid AND r.kind = 'new_structure' AND f.kind = 'new_structure'
                AND ST_DWithin(r.geometry, f.geometry, 0.00005)
            ORDER BY uuid
        ) ELSE ARRAY[]::uuid[] END AS rivals
    FROM reg.findings f;
GRANT SELECT ON calc.findings TO {registrar};

-- Leased numbers with what came of them: a building has one, an open finding holds one, or it lies with its lease.
CREATE VIEW calc.lease_numbers WITH (security_invoker = true) AS
    SELECT n.number, n.lease_uuid,
        EXISTS (SELECT FROM reg.buildings b WHERE b.number = n.number) AS used,
        EXISTS (
            SELECT FROM reg.findings f
            WHERE f.building_number = n.number AND f.kind = 'new_structure' AND f.status = 'open'
        ) AS held
    FROM reg.leased_numbers n;
GRANT SELECT ON calc.lease_numbers TO {registrar};
