-- Who may touch a person. Row security is forced on every person table; the policies look up the rights
-- of menpai.actor themselves and trust no division the service might send.

-- The divisions in which the actor is a registrar today, for a stated purpose from the list; empty for
-- anybody else. Policies ask for it in an uncorrelated sub-select, so a statement works it out once. In PL/pgSQL,
-- whose plans stay: an SQL function with its owner's rights would be planned anew at every look-up.
CREATE FUNCTION calc.jurisdiction() RETURNS int8multirange
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN RETURN (
    SELECT coalesce(range_agg(int8range(g.division_code, g.division_code + CASE
        WHEN g.division_code % 10000000000 = 0 THEN 10000000000  -- the region
        WHEN g.division_code % 100000000 = 0 THEN 100000000      -- a city
        WHEN g.division_code % 1000000 = 0 THEN 1000000          -- a county
        WHEN g.division_code % 1000 = 0 THEN 1000                -- a town
        ELSE 1                                                   -- a village
    END)), int8multirange())
    FROM reg.accounts a
    JOIN reg.account_grants g ON g.account_id = a.id
    WHERE a.name = current_setting('menpai.actor', true) AND a.disabled_at IS NULL AND g.role = 'registrar'
        AND g.valid_from <= (now() AT TIME ZONE 'Asia/Shanghai')::date
        AND (g.valid_until IS NULL OR g.valid_until >= (now() AT TIME ZONE 'Asia/Shanghai')::date)
        AND current_setting('menpai.purpose', true) IN ('declaration', 'correction', 'move', 'roster_review',
            'resident_request', 'emergency', 'court_order')
); END $$;

-- What a roster may learn of people the register knows already, wherever they live: for each document
-- (by its keyed hash) which person it is and whether a principal residency overlaps. Not where.
CREATE FUNCTION calc.find_claims(digests bytea[], periods daterange[])
RETURNS TABLE (place bigint, person_id bigint, overlaps boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT w.place, p.id, EXISTS (
        SELECT FROM reg.residencies r
        WHERE r.person_id = p.id AND r.principal AND r.recorded_until IS NULL AND r.during && w.period
    )
    FROM unnest(digests, periods) WITH ORDINALITY w(digest, period, place)
    JOIN reg.persons p ON p.document_digest = w.digest
    WHERE (SELECT NOT isempty(calc.jurisdiction()))
$$;

-- What a source has registered already: its own opaque codes, the hash of the row, the building where that
-- stands in the actor's divisions, and the batch that brought it.
CREATE FUNCTION calc.find_occupants(source integer, codes text[])
RETURNS TABLE (occupant_id text, row_digest bytea, building_number bigint, batch_id integer)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT r.occupant_id, r.row_digest,
        CASE WHEN r.division_code <@ (SELECT calc.jurisdiction()) THEN r.building_number END,
        r.batch_id
    FROM unnest(codes) w(code)
    JOIN reg.residencies r ON r.source_id = source AND r.occupant_id = w.code AND r.recorded_until IS NULL
    WHERE (SELECT NOT isempty(calc.jurisdiction()))
$$;

REVOKE EXECUTE ON FUNCTION calc.jurisdiction(), calc.find_claims(bytea[], daterange[]),
    calc.find_occupants(integer, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION calc.jurisdiction(), calc.find_claims(bytea[], daterange[]),
    calc.find_occupants(integer, text[]) TO {registrar};

-- Grants. Nobody deletes a person or a residency: they end, and retention erases them.
GRANT SELECT, INSERT ON reg.persons, reg.residencies TO {registrar};
GRANT SELECT, INSERT (actor, purpose, act, person_id, batch_id, fields) ON reg.access_records TO {registrar};
GRANT UPDATE (envelope, document_digest, citizenship_class, hukou_code, hukou_as_of) ON reg.persons TO {registrar};
GRANT UPDATE (recorded_until) ON reg.residencies TO {registrar};
GRANT SELECT, INSERT, DELETE ON reg.roster_rows TO {registrar};
-- to decide against a row: that it was refused stays, who it is about goes
GRANT UPDATE (outcome, reason, key_id, envelope, document_digest, citizenship_class, hukou_code, hukou_as_of, during,
    basis) ON reg.roster_rows TO {registrar};
GRANT USAGE ON SEQUENCE reg.persons_id_seq TO {registrar};
GRANT SELECT (building_number, division_code, category, during, principal, recorded_until) ON reg.residencies
    TO {siting_job};

ALTER TABLE reg.persons ENABLE ROW LEVEL SECURITY;
ALTER TABLE reg.persons FORCE ROW LEVEL SECURITY;
ALTER TABLE reg.residencies ENABLE ROW LEVEL SECURITY;
ALTER TABLE reg.residencies FORCE ROW LEVEL SECURITY;
ALTER TABLE reg.roster_rows ENABLE ROW LEVEL SECURITY;
ALTER TABLE reg.roster_rows FORCE ROW LEVEL SECURITY;
ALTER TABLE reg.access_records ENABLE ROW LEVEL SECURITY;
ALTER TABLE reg.access_records FORCE ROW LEVEL SECURITY;

-- A person is open to a registrar where they live or lived (the policy of residencies says where that may be); a new one
-- can be written by any registrar, and is then seen through the residency that goes with it.
DROP POLICY IF EXISTS where_they_live ON reg.persons;
CREATE POLICY where_they_live ON reg.persons FOR SELECT TO {registrar} USING (EXISTS (
    SELECT FROM reg.residencies r
    WHERE r.person_id = persons.id AND r.recorded_until IS NULL
));
DROP POLICY IF EXISTS corrected_where_they_live ON reg.persons;
CREATE POLICY corrected_where_they_live ON reg.persons FOR UPDATE TO {registrar} USING (EXISTS (
    SELECT FROM reg.residencies r
    WHERE r.person_id = persons.id AND r.recorded_until IS NULL
));
DROP POLICY IF EXISTS new_by_a_registrar ON reg.persons;
CREATE POLICY new_by_a_registrar ON reg.persons FOR INSERT TO {registrar}
    WITH CHECK ((SELECT NOT isempty(calc.jurisdiction())));

DROP POLICY IF EXISTS own_divisions ON reg.residencies;
CREATE POLICY own_divisions ON reg.residencies TO {registrar}
    USING (division_code <@ (SELECT calc.jurisdiction())) WITH CHECK (division_code <@ (SELECT calc.jurisdiction()));
-- exact sums, by columns that name nobody (grants above)
DROP POLICY IF EXISTS sums_only ON reg.residencies;
CREATE POLICY sums_only ON reg.residencies FOR SELECT TO {siting_job} USING (true);

-- A waiting row belongs to the division where its address stands; where that is not known, to whoever
-- imported its batch.
DROP POLICY IF EXISTS own_divisions_or_batches ON reg.roster_rows;
CREATE POLICY own_divisions_or_batches ON reg.roster_rows TO {registrar}
    USING ((SELECT NOT isempty(calc.jurisdiction())) AND (division_code <@ (SELECT calc.jurisdiction())
        OR (division_code IS NULL AND batch_id IN (
            SELECT id FROM reg.batches WHERE actor = current_setting('menpai.actor', true)))));

-- A record of an access says the truth about who and why, and its writer sees their own.
DROP POLICY IF EXISTS in_own_name ON reg.access_records;
CREATE POLICY in_own_name ON reg.access_records FOR INSERT TO {registrar} WITH CHECK (
    actor = current_setting('menpai.actor', true) AND purpose = current_setting('menpai.purpose', true)
    AND (SELECT NOT isempty(calc.jurisdiction())));
DROP POLICY IF EXISTS own_records ON reg.access_records;
CREATE POLICY own_records ON reg.access_records FOR SELECT TO {registrar}
    USING (actor = current_setting('menpai.actor', true));

-- The owner is whom the functions of this file run as, and nobody's session: it migrates.
DROP POLICY IF EXISTS functions_above ON reg.persons;
CREATE POLICY functions_above ON reg.persons FOR SELECT TO {owner} USING (true);
DROP POLICY IF EXISTS functions_above ON reg.residencies;
CREATE POLICY functions_above ON reg.residencies FOR SELECT TO {owner} USING (true);
DROP POLICY IF EXISTS functions_above ON reg.accounts;
CREATE POLICY functions_above ON reg.accounts FOR SELECT TO {owner} USING (true);
DROP POLICY IF EXISTS functions_above ON reg.account_grants;
CREATE POLICY functions_above ON reg.account_grants FOR SELECT TO {owner} USING (true);

-- whom it was about can be erased with them, and nothing else of it, ever
CREATE TRIGGER access_records_keep BEFORE DELETE OR TRUNCATE
    OR UPDATE OF id, at, actor, purpose, act, batch_id, fields, xid, epoch ON reg.access_records
    FOR EACH STATEMENT EXECUTE FUNCTION calc.refuse();
CREATE TRIGGER access_records_person BEFORE UPDATE ON reg.access_records
    FOR EACH ROW WHEN (NEW.person_id IS NOT NULL) EXECUTE FUNCTION calc.refuse();

-- A residency's person, dwelling and division are what they are said to be. It reads persons past the
-- row policies and says nothing of them.
CREATE FUNCTION calc.check_residency_references() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- counted, not EXISTS: hoping to find a fault at once, the planner would look up every row singly
    IF (
        SELECT count(*) FROM incoming i
        LEFT JOIN reg.buildings b ON b.number = i.building_number AND b.division_code = i.division_code
        WHERE b.number IS NULL
    ) > 0 THEN
        RAISE EXCEPTION 'a residency names a building that does not stand in its division'
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    IF (
        SELECT count(*) FROM incoming i
        LEFT JOIN reg.dwellings d ON d.building_number = i.building_number AND d.sequence = i.dwelling_sequence
        WHERE d.sequence IS NULL
    ) > 0 THEN
        RAISE EXCEPTION 'a residency names a dwelling that is not there' USING ERRCODE = 'foreign_key_violation';
    END IF;
    IF (
        SELECT count(*) FROM incoming i LEFT JOIN reg.persons p ON p.id = i.person_id WHERE p.id IS NULL
    ) > 0 THEN
        RAISE EXCEPTION 'a residency names a person that is not there' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;

-- firing needs no right to call; without one nobody can hang it on a table of their own and ask who is there
REVOKE EXECUTE ON FUNCTION calc.check_residency_references() FROM PUBLIC;
CREATE TRIGGER residencies_references_in AFTER INSERT ON reg.residencies
    REFERENCING NEW TABLE AS incoming FOR EACH STATEMENT EXECUTE FUNCTION calc.check_residency_references();

-- Residents of a building today by category: exact sums, for the disclosure gate and for siting.
CREATE VIEW calc.building_residents WITH (security_invoker = true) AS
    SELECT building_number, division_code, category, count(*) AS residents
    FROM reg.residencies
    WHERE principal AND recorded_until IS NULL AND during @> (now() AT TIME ZONE 'Asia/Shanghai')::date
    GROUP BY building_number, division_code, category;
GRANT SELECT ON calc.building_residents TO {siting_job};

-- The same without regard to who they are: what a police post is sited on (rights.md, 9).
CREATE VIEW calc.building_occupancy WITH (security_invoker = true) AS
    SELECT building_number, division_code, count(*) AS residents
    FROM reg.residencies
    WHERE principal AND recorded_until IS NULL AND during @> (now() AT TIME ZONE 'Asia/Shanghai')::date
    GROUP BY building_number, division_code;
GRANT SELECT ON calc.building_occupancy TO {siting_job};
