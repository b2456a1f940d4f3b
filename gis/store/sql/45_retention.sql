-- What is erased when its time is over (rights.md, 7). The role {eraser} sees of people which rows are due and which
-- keys they have, and no more; the service cannot take it.

GRANT USAGE ON SCHEMA reg, calc, pub TO {eraser};
GRANT SELECT (id, key_id), DELETE ON reg.persons TO {eraser};
GRANT SELECT (id, person_id, during, recorded_until, replaces_id), DELETE ON reg.residencies TO {eraser};
GRANT SELECT (id, key_id, person_id, decided_at, expires_on), DELETE ON reg.declarations TO {eraser};
GRANT SELECT (batch_id, row, key_id, expires_on), DELETE ON reg.roster_rows TO {eraser};
GRANT SELECT (residency_id), DELETE ON reg.residency_reviews TO {eraser};
GRANT SELECT, INSERT ON reg.erasures TO {eraser};
GRANT SELECT ON pub.releases TO {eraser};

DROP POLICY IF EXISTS what_is_due ON reg.persons;
CREATE POLICY what_is_due ON reg.persons TO {eraser} USING (true);
DROP POLICY IF EXISTS what_is_due ON reg.residencies;
CREATE POLICY what_is_due ON reg.residencies TO {eraser} USING (true);
DROP POLICY IF EXISTS what_is_due ON reg.declarations;
CREATE POLICY what_is_due ON reg.declarations TO {eraser} USING (true);
DROP POLICY IF EXISTS what_is_due ON reg.roster_rows;
CREATE POLICY what_is_due ON reg.roster_rows TO {eraser} USING (true);
DROP POLICY IF EXISTS what_is_due ON reg.residency_reviews;
CREATE POLICY what_is_due ON reg.residency_reviews TO {eraser} USING (true);
-- the log forgets whom it was about, and their salt; its chain keeps the hash of both
GRANT SELECT (id, person_id), UPDATE (person_id) ON reg.access_records TO {eraser};
GRANT SELECT (record_id), DELETE ON reg.access_salts TO {eraser};
DROP POLICY IF EXISTS what_is_due ON reg.access_records;
CREATE POLICY what_is_due ON reg.access_records TO {eraser} USING (true);
DROP POLICY IF EXISTS what_is_due ON reg.access_salts;
CREATE POLICY what_is_due ON reg.access_salts TO {eraser} USING (true);
CREATE TRIGGER erasures_keep BEFORE DELETE OR TRUNCATE OR UPDATE ON reg.erasures
    FOR EACH STATEMENT EXECUTE FUNCTION calc.refuse();
