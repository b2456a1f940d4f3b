-- A building that is split, merged or taken down loses nobody: its residencies wait for their registrar, who
-- decides. ``register`` writes the event and knows no person; these triggers see to the rest in the same
-- transaction. They run as the owner, because whoever may change a structure need not be able to open the people in
-- it, and give nothing back.

CREATE FUNCTION calc.has_no_place_left(verb text, reverts bigint) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT verb IN ('split', 'merge', 'demolish', 'rebuild', 'move', 'retire') OR (verb = 'revert' AND (
        SELECT calc.has_no_place_left(e.verb, e.reverts_seq) OR e.verb IN ('register', 'reinstate')
        FROM reg.building_events e WHERE e.seq = reverts))
$$;

-- Queues the residencies of every building an event leaves without a place for them.
CREATE FUNCTION calc.review_residencies() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO reg.residency_reviews (residency_id, building_number, division_code, seq)
    SELECT r.id, r.building_number, r.division_code, i.seq
    FROM incoming i
    JOIN reg.residencies r ON r.building_number = ANY (i.building_numbers)
    WHERE calc.has_no_place_left(i.verb, i.reverts_seq) AND r.recorded_until IS NULL
        AND coalesce(upper(r.during), 'infinity') > (now() AT TIME ZONE 'Asia/Shanghai')::date
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER building_events_review AFTER INSERT ON reg.building_events
    REFERENCING NEW TABLE AS incoming FOR EACH STATEMENT EXECUTE FUNCTION calc.review_residencies();

-- The same for a dwelling that is taken out or merged while its building stands. The event in hand is the last one
-- numbered: events are written one at a time.
CREATE FUNCTION calc.review_dwellings() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO reg.residency_reviews (residency_id, building_number, division_code, seq)
    SELECT r.id, r.building_number, r.division_code, (SELECT s.next_seq - 1 FROM reg.number_serials s)
    FROM outgoing o
    JOIN incoming i ON i.building_number = o.building_number AND i.sequence = o.sequence
    JOIN reg.residencies r ON r.building_number = i.building_number AND r.dwelling_sequence = i.sequence
    WHERE o.status = 'exists' AND i.status <> 'exists' AND r.recorded_until IS NULL
        AND coalesce(upper(r.during), 'infinity') > (now() AT TIME ZONE 'Asia/Shanghai')::date
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER dwellings_review AFTER UPDATE ON reg.dwellings
    REFERENCING OLD TABLE AS outgoing NEW TABLE AS incoming
    FOR EACH STATEMENT EXECUTE FUNCTION calc.review_dwellings();

-- A building found to stand in another division takes its residencies' division along, by which their registrar is
-- known; in another county Article 3 may give another category, and a registrar looks at that.
CREATE FUNCTION calc.follow_division() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE reg.residencies r SET division_code = i.division_code
    FROM incoming i JOIN outgoing o ON o.number = i.number
    WHERE o.division_code <> i.division_code AND r.building_number = i.number;
    -- what waits goes with them: whoever may open them now is whom it waits for
    UPDATE reg.residency_reviews v SET division_code = i.division_code
    FROM incoming i
    JOIN outgoing o ON o.number = i.number
    JOIN reg.residencies r ON r.building_number = i.number
    WHERE o.division_code <> i.division_code AND v.residency_id = r.id AND v.building_number = i.number
        AND v.decided_at IS NULL;
    INSERT INTO reg.residency_reviews (residency_id, building_number, division_code, seq)
    SELECT r.id, r.building_number, i.division_code, (SELECT s.next_seq - 1 FROM reg.number_serials s)
    FROM outgoing o
    JOIN incoming i ON i.number = o.number
    JOIN reg.residencies r ON r.building_number = i.number
    WHERE o.division_code / 1000000 <> i.division_code / 1000000 AND r.recorded_until IS NULL
        AND coalesce(upper(r.during), 'infinity') > (now() AT TIME ZONE 'Asia/Shanghai')::date
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER buildings_division AFTER UPDATE ON reg.buildings
    REFERENCING OLD TABLE AS outgoing NEW TABLE AS incoming
    FOR EACH STATEMENT EXECUTE FUNCTION calc.follow_division();

REVOKE EXECUTE ON FUNCTION calc.has_no_place_left(text, bigint), calc.review_residencies(), calc.review_dwellings(),
    calc.follow_division() FROM PUBLIC;

GRANT SELECT, UPDATE (decision, decided_at) ON reg.residency_reviews TO {registrar};
ALTER TABLE reg.residency_reviews ENABLE ROW LEVEL SECURITY;
ALTER TABLE reg.residency_reviews FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS own_divisions ON reg.residency_reviews;
CREATE POLICY own_divisions ON reg.residency_reviews TO {registrar}
    USING (division_code <@ (SELECT calc.jurisdiction())) WITH CHECK (division_code <@ (SELECT calc.jurisdiction()));
DROP POLICY IF EXISTS triggers_above ON reg.residency_reviews;
CREATE POLICY triggers_above ON reg.residency_reviews TO {owner} USING (true) WITH CHECK (true);
DROP POLICY IF EXISTS division_follows ON reg.residencies;
CREATE POLICY division_follows ON reg.residencies FOR UPDATE TO {owner} USING (true) WITH CHECK (true);

-- A review is about a residency as it stands: where a version takes the place of another, what waits goes along.
CREATE FUNCTION calc.follow_version() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE reg.residency_reviews v SET residency_id = i.id
    FROM incoming i WHERE i.replaces_id IS NOT NULL AND v.residency_id = i.replaces_id AND v.decided_at IS NULL;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION calc.follow_version() FROM PUBLIC;
CREATE TRIGGER residencies_version AFTER INSERT ON reg.residencies
    REFERENCING NEW TABLE AS incoming FOR EACH STATEMENT EXECUTE FUNCTION calc.follow_version();
