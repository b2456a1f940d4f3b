-- What a resident declares, and what the register does with it (Articles 3 and 7; rights.md, 3 and 7).
-- A residency is never rewritten: it is closed, and another version takes its place.

GRANT SELECT, INSERT ON reg.declarations TO {registrar};
GRANT UPDATE (receipt_digest, person_id, key_id, envelope, building_number, dwelling_sequence, during, residency_id,
    status, more_needed, decline_reason, decided_by, decided_at, expires_on) ON reg.declarations TO {registrar};
ALTER TABLE reg.declarations ENABLE ROW LEVEL SECURITY;
ALTER TABLE reg.declarations FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS own_divisions ON reg.declarations;
CREATE POLICY own_divisions ON reg.declarations TO {registrar}
    USING (division_code <@ (SELECT calc.jurisdiction())) WITH CHECK (division_code <@ (SELECT calc.jurisdiction()));
DROP POLICY IF EXISTS functions_above ON reg.declarations;
CREATE POLICY functions_above ON reg.declarations FOR SELECT TO {owner} USING (true);
DROP POLICY IF EXISTS versions_above ON reg.residencies;
CREATE POLICY versions_above ON reg.residencies FOR INSERT TO {owner} WITH CHECK (replaces_id IS NOT NULL);

-- Whose a declaration's document is, wherever they live: an id, and nothing else of them. Runs as the owner, because
-- somebody who comes from another county is not in this registrar's divisions yet.
CREATE FUNCTION calc.person_declaring(declaration bigint) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT p.id FROM reg.declarations d JOIN reg.persons p ON p.document_digest = d.document_digest
    WHERE d.id = declaration AND d.decided_at IS NULL AND d.division_code <@ (SELECT calc.jurisdiction())
$$;

-- Ends the declarer's earlier principal residencies on the day the declared one begins, wherever they are: the
-- registrar learns that one ended, and not where. One that begins on that day or later says otherwise than the
-- declaration: then nothing is ended. Runs as the owner, because the earlier one may be another county's.
CREATE FUNCTION calc.end_earlier(declaration bigint) RETURNS TABLE (ended bigint, elsewhere bigint, later bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    declared daterange;
    person bigint := calc.person_declaring(declaration);
BEGIN
    SELECT d.during INTO declared FROM reg.declarations d
    WHERE d.id = declaration AND d.kind = 'arrival' AND d.principal;
    SELECT count(*) INTO later FROM reg.residencies r
    WHERE r.person_id = person AND r.principal AND r.recorded_until IS NULL AND r.during && declared
        AND lower(r.during) >= lower(declared);
    ended := 0;
    elsewhere := 0;
    IF later = 0 THEN
        WITH closed AS (
            UPDATE reg.residencies r SET recorded_until = now()
            WHERE r.person_id = person AND r.principal AND r.recorded_until IS NULL AND r.during && declared
            RETURNING r.*
        ), made AS (
            INSERT INTO reg.residencies (person_id, building_number, dwelling_sequence, division_code, during,
                principal, category, category_reason, basis, batch_id, source_id, occupant_id, row_digest, replaces_id)
            SELECT c.person_id, c.building_number, c.dwelling_sequence, c.division_code,
                daterange(lower(c.during), lower(declared)), true, c.category, c.category_reason, c.basis, c.batch_id,
                c.source_id, c.occupant_id, c.row_digest, c.id
            FROM closed c
            RETURNING division_code
        )
        SELECT count(*), count(*) FILTER (WHERE NOT division_code <@ (SELECT calc.jurisdiction()))
        INTO ended, elsewhere FROM made;
    END IF;
    RETURN NEXT;
END $$;

-- What waits for a registrar about a residency goes on with the version that took its place, and is settled by one
-- that has ended.
CREATE FUNCTION calc.carry_reviews() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE reg.residency_reviews v SET residency_id = i.id,
        decision = CASE WHEN upper(i.during) <= (now() AT TIME ZONE 'Asia/Shanghai')::date THEN 'ended' END,
        decided_at = CASE WHEN upper(i.during) <= (now() AT TIME ZONE 'Asia/Shanghai')::date THEN now() END
    FROM incoming i WHERE v.residency_id = i.replaces_id AND v.decided_at IS NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER residencies_carry_reviews AFTER INSERT ON reg.residencies
    REFERENCING NEW TABLE AS incoming FOR EACH STATEMENT EXECUTE FUNCTION calc.carry_reviews();

-- A version is closed once, and says for ever what it said; where the building stands may be corrected.
CREATE FUNCTION calc.refuse_rewriting_residency() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a version of a residency is not rewritten' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER residencies_once BEFORE UPDATE ON reg.residencies
    FOR EACH ROW WHEN ((OLD.recorded_until IS NOT NULL AND NEW.recorded_until IS DISTINCT FROM OLD.recorded_until)
        OR (NEW.person_id, NEW.building_number, NEW.dwelling_sequence, NEW.during, NEW.principal, NEW.category,
            NEW.category_reason, NEW.basis, NEW.recorded_at) IS DISTINCT FROM
            (OLD.person_id, OLD.building_number, OLD.dwelling_sequence, OLD.during, OLD.principal, OLD.category,
            OLD.category_reason, OLD.basis, OLD.recorded_at))
    EXECUTE FUNCTION calc.refuse_rewriting_residency();

REVOKE EXECUTE ON FUNCTION calc.person_declaring(bigint), calc.end_earlier(bigint), calc.carry_reviews() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION calc.person_declaring(bigint), calc.end_earlier(bigint) TO {registrar};
