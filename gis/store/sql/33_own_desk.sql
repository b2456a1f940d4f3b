-- The resident's own desk (rights.md, 7; 个人信息保护法 articles 44 to 47): who has the receipt's code and the exact
-- document sees their own record, and nobody else's. The service states both as keyed hashes, menpai.receipt and
-- menpai.document; what they open is worked out here.

-- The declaration of a receipt that is still good, and whose it became. A receipt opens nothing without the document:
-- that of the person as it is known today or, before they are, that of the declaration. Runs as the owner, because
-- whoever asks may read nothing until it is known who they are.
CREATE FUNCTION calc.own_receipt(OUT declaration bigint, OUT person bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT d.id, d.person_id FROM reg.declarations d LEFT JOIN reg.persons p ON p.id = d.person_id
    WHERE d.receipt_digest = decode(current_setting('menpai.receipt', true), 'hex')
        AND coalesce(p.document_digest, d.document_digest) = decode(current_setting('menpai.document', true), 'hex')
        AND d.expires_on >= (now() AT TIME ZONE 'Asia/Shanghai')::date
$$;

-- Ends a residency of one's own after a last day, and tells whether there was one to end. Runs as the owner, because
-- a resident writes nothing in the register by hand.
CREATE FUNCTION calc.end_own(residency bigint, last_day date) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH closed AS (
        UPDATE reg.residencies r SET recorded_until = now()
        WHERE r.id = residency AND r.person_id = (calc.own_receipt()).person AND r.recorded_until IS NULL
            AND last_day >= lower(r.during) AND last_day < coalesce(upper(r.during), 'infinity') - 1
            AND last_day <= (now() AT TIME ZONE 'Asia/Shanghai')::date
        RETURNING r.*
    ), made AS (
        INSERT INTO reg.residencies (person_id, building_number, dwelling_sequence, division_code, during,
            principal, category, category_reason, basis, batch_id, source_id, occupant_id, row_digest, replaces_id)
        SELECT person_id, building_number, dwelling_sequence, division_code, daterange(lower(during), last_day, '[]'),
            principal, category, category_reason, basis, batch_id, source_id, occupant_id, row_digest, id
        FROM closed
        RETURNING 1
    )
    SELECT EXISTS (SELECT FROM made)
$$;

REVOKE EXECUTE ON FUNCTION calc.own_receipt(), calc.end_own(bigint, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION calc.own_receipt(), calc.end_own(bigint, date) TO {resident_desk};

GRANT SELECT ON reg.persons, reg.residencies, reg.declarations TO {resident_desk};
GRANT SELECT, INSERT (actor, purpose, act, person_id, fields) ON reg.access_records TO {resident_desk};
GRANT INSERT ON reg.declarations TO {resident_desk};
GRANT SELECT ON reg.buildings, reg.dwellings, reg.addresses TO {resident_desk};

DROP POLICY IF EXISTS own_record ON reg.persons;
CREATE POLICY own_record ON reg.persons FOR SELECT TO {resident_desk}
    USING (id = (SELECT person FROM calc.own_receipt()));
DROP POLICY IF EXISTS own_record ON reg.residencies;
CREATE POLICY own_record ON reg.residencies FOR SELECT TO {resident_desk}
    USING (person_id = (SELECT person FROM calc.own_receipt()));
DROP POLICY IF EXISTS own_declarations ON reg.declarations;
CREATE POLICY own_declarations ON reg.declarations FOR SELECT TO {resident_desk}
    USING (id = (SELECT declaration FROM calc.own_receipt()) OR person_id = (SELECT person FROM calc.own_receipt()));
-- to ask for a correction, of what is one's own, for one's own registrar to decide
DROP POLICY IF EXISTS own_correction ON reg.declarations;
CREATE POLICY own_correction ON reg.declarations FOR INSERT TO {resident_desk} WITH CHECK (
    kind = 'correction' AND status = 'waiting' AND person_id = (SELECT person FROM calc.own_receipt())
    AND document_digest = decode(current_setting('menpai.document', true), 'hex') AND receipt_digest IS NULL
    AND (residency_id, division_code) IN (
        SELECT r.id, r.division_code FROM reg.residencies r WHERE r.recorded_until IS NULL));
-- who opened it: singly, or with the roster that brought it
DROP POLICY IF EXISTS about_oneself ON reg.access_records;
CREATE POLICY about_oneself ON reg.access_records FOR SELECT TO {resident_desk} USING (
    person_id = (SELECT person FROM calc.own_receipt())
    OR batch_id IN (SELECT r.batch_id FROM reg.residencies r WHERE r.batch_id IS NOT NULL));
DROP POLICY IF EXISTS by_oneself ON reg.access_records;
CREATE POLICY by_oneself ON reg.access_records FOR INSERT TO {resident_desk} WITH CHECK (
    actor = '(resident)' AND purpose = 'resident_request'
    AND person_id IS NOT DISTINCT FROM (SELECT person FROM calc.own_receipt()));
