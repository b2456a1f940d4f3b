-- The seal of the access log (gis/residents/access_log.py), and what auditors see of it. The role {sealer} reads records
-- and appends to the chain; the service cannot take it. Row security is forced, as on the records themselves.

GRANT SELECT ON reg.access_records, reg.erasures TO {sealer};
GRANT SELECT, INSERT ON reg.access_leaves, reg.access_salts, reg.access_heads TO {sealer};

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['access_leaves', 'access_salts', 'access_heads'] LOOP
        EXECUTE format('ALTER TABLE reg.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE reg.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('DROP POLICY IF EXISTS sealed_only ON reg.%I', name);
        EXECUTE format('CREATE POLICY sealed_only ON reg.%I TO {sealer} USING (true) WITH CHECK (true)', name);
    END LOOP;
END $$;
DROP POLICY IF EXISTS sealed_whole ON reg.access_records;
CREATE POLICY sealed_whole ON reg.access_records FOR SELECT TO {sealer} USING (true);

CREATE TRIGGER access_leaves_keep BEFORE DELETE OR TRUNCATE OR UPDATE ON reg.access_leaves
    FOR EACH STATEMENT EXECUTE FUNCTION calc.refuse();
CREATE TRIGGER access_heads_keep BEFORE DELETE OR TRUNCATE OR UPDATE ON reg.access_heads
    FOR EACH STATEMENT EXECUTE FUNCTION calc.refuse();
CREATE TRIGGER access_salts_keep BEFORE TRUNCATE OR UPDATE ON reg.access_salts
    FOR EACH STATEMENT EXECUTE FUNCTION calc.refuse();

-- Whose accesses an auditor sees: of those who are or were registrars where the auditor audits today, and of
-- residents at their own desk where that is the whole region; NULL for who is no auditor. Runs as the owner,
-- because an auditor reads no account.
CREATE FUNCTION calc.audited_actors() RETURNS text[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH held AS (
        SELECT a.name, g.role, int8range(g.division_code, g.division_code + CASE
                WHEN g.division_code % 10000000000 = 0 THEN 10000000000
                WHEN g.division_code % 100000000 = 0 THEN 100000000
                WHEN g.division_code % 1000000 = 0 THEN 1000000
                WHEN g.division_code % 1000 = 0 THEN 1000
                ELSE 1
            END) AS divisions,
            a.disabled_at IS NULL AND g.valid_from <= (now() AT TIME ZONE 'Asia/Shanghai')::date
                AND (g.valid_until IS NULL OR g.valid_until >= (now() AT TIME ZONE 'Asia/Shanghai')::date) AS in_force
        FROM reg.accounts a JOIN reg.account_grants g ON g.account_id = a.id
    ), mine AS (
        SELECT range_agg(divisions) AS divisions FROM held
        WHERE role = 'auditor' AND in_force AND name = current_setting('menpai.actor', true)
    )
    SELECT ARRAY(SELECT DISTINCT h.name FROM held h WHERE h.role = 'registrar' AND h.divisions && mine.divisions)
        || CASE WHEN mine.divisions @> int8range(640000000000, 650000000000) THEN ARRAY['(resident)']
            ELSE ARRAY[]::text[] END
    FROM mine WHERE mine.divisions IS NOT NULL
$$;
REVOKE EXECUTE ON FUNCTION calc.audited_actors() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION calc.audited_actors() TO {auditor};

-- who, when, why, which fields: not whom
GRANT SELECT (id, at, actor, purpose, act, batch_id, fields) ON reg.access_records TO {auditor};
DROP POLICY IF EXISTS audited ON reg.access_records;
CREATE POLICY audited ON reg.access_records FOR SELECT TO {auditor}
    USING (actor = ANY ((SELECT calc.audited_actors())::text[]));
