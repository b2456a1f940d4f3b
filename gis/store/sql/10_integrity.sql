-- What a row-wise foreign key would guard, guarded once per statement.
--
-- Nothing in these tables is ever deleted or renumbered (the triggers below see to that), so a
-- reference can only be wrong at the moment it comes in.

CREATE FUNCTION calc.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%.% keeps every row: % is refused', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION calc.refuse_renumbering() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'building % keeps its number', OLD.number USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER buildings_keep BEFORE DELETE OR TRUNCATE ON reg.buildings
    FOR EACH STATEMENT EXECUTE FUNCTION calc.refuse();
CREATE TRIGGER dwellings_keep BEFORE DELETE OR TRUNCATE ON reg.dwellings
    FOR EACH STATEMENT EXECUTE FUNCTION calc.refuse();
CREATE TRIGGER addresses_keep BEFORE DELETE OR TRUNCATE ON reg.addresses
    FOR EACH STATEMENT EXECUTE FUNCTION calc.refuse();
CREATE TRIGGER building_lineage_keep BEFORE DELETE OR TRUNCATE OR UPDATE ON reg.building_lineage
    FOR EACH STATEMENT EXECUTE FUNCTION calc.refuse();
CREATE TRIGGER building_versions_keep BEFORE DELETE OR TRUNCATE ON reg.building_versions
    FOR EACH STATEMENT EXECUTE FUNCTION calc.refuse();
CREATE TRIGGER building_events_keep BEFORE DELETE OR TRUNCATE OR UPDATE ON reg.building_events
    FOR EACH STATEMENT EXECUTE FUNCTION calc.refuse();
CREATE TRIGGER premises_keep BEFORE DELETE OR TRUNCATE ON reg.premises
    FOR EACH STATEMENT EXECUTE FUNCTION calc.refuse();
CREATE TRIGGER premises_events_keep BEFORE DELETE OR TRUNCATE OR UPDATE ON reg.premises_events
    FOR EACH STATEMENT EXECUTE FUNCTION calc.refuse();
CREATE TRIGGER inspections_keep BEFORE DELETE OR TRUNCATE OR UPDATE ON reg.inspections
    FOR EACH STATEMENT EXECUTE FUNCTION calc.refuse();
CREATE TRIGGER number_serials_keep BEFORE DELETE OR TRUNCATE ON reg.number_serials
    FOR EACH STATEMENT EXECUTE FUNCTION calc.refuse();
CREATE TRIGGER buildings_number_stays BEFORE UPDATE OF number ON reg.buildings
    FOR EACH ROW WHEN (OLD.number IS DISTINCT FROM NEW.number) EXECUTE FUNCTION calc.refuse_renumbering();


-- The register only counts forwards: a serial set back would issue a number twice.
CREATE FUNCTION calc.refuse_counting_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'numbers are counted forwards only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER number_serials_forwards BEFORE UPDATE ON reg.number_serials
    FOR EACH ROW WHEN (NEW.next_serial < OLD.next_serial OR NEW.next_seq < OLD.next_seq)
    EXECUTE FUNCTION calc.refuse_counting_back();

-- What a version says was said: it can only be closed, once.
CREATE FUNCTION calc.refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a version of building % is not rewritten', OLD.building_number
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER building_versions_once BEFORE UPDATE ON reg.building_versions
    FOR EACH ROW WHEN (OLD.closed_seq IS NOT NULL
        OR to_jsonb(OLD) - 'closed_seq' IS DISTINCT FROM to_jsonb(NEW) - 'closed_seq')
    EXECUTE FUNCTION calc.refuse_rewriting();

-- A dwelling's number means one dwelling for good.
CREATE FUNCTION calc.refuse_another_dwelling() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'dwelling % of building % keeps its number', OLD.sequence, OLD.building_number
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER dwellings_number_stays BEFORE UPDATE OF building_number, sequence ON reg.dwellings
    FOR EACH ROW WHEN (OLD.building_number <> NEW.building_number OR OLD.sequence <> NEW.sequence)
    EXECUTE FUNCTION calc.refuse_another_dwelling();
CREATE TRIGGER external_references_keep BEFORE DELETE OR TRUNCATE ON reg.external_references
    FOR EACH STATEMENT EXECUTE FUNCTION calc.refuse();

CREATE FUNCTION calc.check_building_references() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    missing bigint;
BEGIN
    SELECT i.division_code INTO missing
    FROM (SELECT DISTINCT division_code FROM incoming) i
    LEFT JOIN reg.divisions d ON d.code = i.division_code
    WHERE d.code IS NULL LIMIT 1;
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'division % is not known', missing USING ERRCODE = 'foreign_key_violation';
    END IF;
    SELECT i.premises_id INTO missing
    FROM (SELECT DISTINCT premises_id FROM incoming WHERE premises_id IS NOT NULL) i
    LEFT JOIN reg.premises p ON p.id = i.premises_id
    WHERE p.id IS NULL LIMIT 1;
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'premises % are not known', missing USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER buildings_references_in AFTER INSERT ON reg.buildings
    REFERENCING NEW TABLE AS incoming FOR EACH STATEMENT EXECUTE FUNCTION calc.check_building_references();
CREATE TRIGGER buildings_references_up AFTER UPDATE ON reg.buildings
    REFERENCING NEW TABLE AS incoming FOR EACH STATEMENT EXECUTE FUNCTION calc.check_building_references();

-- dwellings, addresses, references and events all point at a building by the same column name
CREATE FUNCTION calc.check_building_exists() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    missing bigint;
BEGIN
    -- min, not LIMIT 1: hoping to find a fault at once, the planner would look up every row singly
    SELECT min(i.building_number) INTO missing
    FROM incoming i
    WHERE i.building_number IS NOT NULL
        AND NOT EXISTS (SELECT FROM reg.buildings b WHERE b.number = i.building_number);
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'building % is not registered', missing USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER dwellings_building_in AFTER INSERT ON reg.dwellings
    REFERENCING NEW TABLE AS incoming FOR EACH STATEMENT EXECUTE FUNCTION calc.check_building_exists();
CREATE TRIGGER dwellings_building_up AFTER UPDATE ON reg.dwellings
    REFERENCING NEW TABLE AS incoming FOR EACH STATEMENT EXECUTE FUNCTION calc.check_building_exists();
CREATE TRIGGER addresses_building_in AFTER INSERT ON reg.addresses
    REFERENCING NEW TABLE AS incoming FOR EACH STATEMENT EXECUTE FUNCTION calc.check_building_exists();
CREATE TRIGGER addresses_building_up AFTER UPDATE ON reg.addresses
    REFERENCING NEW TABLE AS incoming FOR EACH STATEMENT EXECUTE FUNCTION calc.check_building_exists();
CREATE TRIGGER external_references_building_in AFTER INSERT ON reg.external_references
    REFERENCING NEW TABLE AS incoming FOR EACH STATEMENT EXECUTE FUNCTION calc.check_building_exists();
CREATE TRIGGER external_references_building_up AFTER UPDATE ON reg.external_references
    REFERENCING NEW TABLE AS incoming FOR EACH STATEMENT EXECUTE FUNCTION calc.check_building_exists();
CREATE TRIGGER building_versions_building_in AFTER INSERT ON reg.building_versions
    REFERENCING NEW TABLE AS incoming FOR EACH STATEMENT EXECUTE FUNCTION calc.check_building_exists();
CREATE TRIGGER inspections_building_in AFTER INSERT ON reg.inspections
    REFERENCING NEW TABLE AS incoming FOR EACH STATEMENT EXECUTE FUNCTION calc.check_building_exists();

-- Kinship runs from a building to one that its event has just made: then no family tree has a circle.
CREATE FUNCTION calc.check_lineage() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong bigint;
BEGIN
    SELECT min(i.child_number) INTO wrong
    FROM incoming i
    LEFT JOIN reg.buildings c ON c.number = i.child_number AND c.registered_seq = i.seq
    LEFT JOIN reg.buildings p ON p.number = i.parent_number AND p.registered_seq < i.seq
    WHERE c.number IS NULL OR p.number IS NULL;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'building % does not come of that event', wrong USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER building_lineage_in AFTER INSERT ON reg.building_lineage
    REFERENCING NEW TABLE AS incoming FOR EACH STATEMENT EXECUTE FUNCTION calc.check_lineage();

CREATE FUNCTION calc.check_event_buildings() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    missing bigint;
BEGIN
    SELECT min(n.number) INTO missing
    FROM incoming i CROSS JOIN LATERAL unnest(i.building_numbers) AS n(number)
    WHERE NOT EXISTS (SELECT FROM reg.buildings b WHERE b.number = n.number);
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'building % is not registered', missing USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER building_events_buildings_in AFTER INSERT ON reg.building_events
    REFERENCING NEW TABLE AS incoming FOR EACH STATEMENT EXECUTE FUNCTION calc.check_event_buildings();
