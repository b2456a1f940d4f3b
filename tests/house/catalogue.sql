-- Everything that a migration or the replayed SQL can leave in reg, pub and calc, as (kind, name, definition).
-- The order of columns, object ids and rows are left out: two ways to the same schema may differ in them.
WITH schemas AS (
    SELECT oid, nspname, nspowner, nspacl FROM pg_namespace WHERE nspname IN ('reg', 'pub', 'calc')
), relations AS (
    SELECT c.*, s.nspname || '.' || c.relname AS called FROM pg_class c JOIN schemas s ON s.oid = c.relnamespace
    WHERE c.relname NOT LIKE 'alembic_version%'
), functions AS (
    SELECT p.*, s.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')' AS called
    FROM pg_proc p JOIN schemas s ON s.oid = p.pronamespace
), grants AS (
    SELECT 'schema ' || nspname AS on_what, coalesce(nspacl, acldefault('n', nspowner)) AS acl FROM schemas
    UNION ALL
    SELECT 'relation ' || called,
        coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner))
    FROM relations WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
    UNION ALL
    SELECT 'column ' || r.called || '.' || a.attname, a.attacl
    FROM pg_attribute a JOIN relations r ON r.oid = a.attrelid WHERE a.attacl IS NOT NULL
    UNION ALL
    SELECT 'function ' || called, coalesce(proacl, acldefault('f', proowner)) FROM functions
    UNION ALL
    SELECT 'by default ' || d.defaclobjtype::text || ' ' || coalesce(n.nspname, 'everywhere'), d.defaclacl
    FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
)
SELECT 'schema' AS kind, nspname::text AS name, 'owner ' || pg_get_userbyid(nspowner) AS definition FROM schemas
UNION ALL
SELECT 'relation', called, concat_ws(' ', relkind, relpersistence, 'owner', pg_get_userbyid(relowner), reloptions::text)
FROM relations WHERE relkind NOT IN ('i', 'I')
UNION ALL
SELECT 'row security', called, concat_ws(' ', 'enabled', relrowsecurity, 'forced', relforcerowsecurity)
FROM relations WHERE relkind IN ('r', 'p')
UNION ALL
SELECT 'column', r.called || '.' || a.attname, concat_ws(' ', format_type(a.atttypid, a.atttypmod),
    CASE WHEN a.attnotnull THEN 'NOT NULL' END, 'default', pg_get_expr(d.adbin, d.adrelid),
    'identity', a.attidentity, 'generated', a.attgenerated, 'collation', a.attcollation::regcollation)
FROM relations r
JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE r.relkind IN ('r', 'p', 'v', 'm', 'c')
UNION ALL
SELECT 'constraint', c.conrelid::regclass || ' ' || c.conname,
    concat_ws(' ', pg_get_constraintdef(c.oid), CASE WHEN NOT c.convalidated THEN 'NOT VALID' END)
FROM pg_constraint c LEFT JOIN relations r ON r.oid = c.conrelid JOIN schemas s ON s.oid = c.connamespace
WHERE c.conrelid = 0 OR r.oid IS NOT NULL
UNION ALL
SELECT 'index', r.called, concat_ws(' ', pg_get_indexdef(i.indexrelid), CASE WHEN NOT i.indisvalid THEN 'INVALID' END)
FROM pg_index i JOIN relations r ON r.oid = i.indexrelid
UNION ALL
SELECT 'sequence', r.called, concat_ws(' ', format_type(s.seqtypid, NULL), 'from', s.seqstart, 'by', s.seqincrement,
    s.seqmin, s.seqmax, 'cache', s.seqcache, 'cycle', s.seqcycle, 'of', d.refobjid::regclass, d.deptype)
FROM pg_sequence s
JOIN relations r ON r.oid = s.seqrelid
LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid
    AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
UNION ALL
SELECT 'trigger', r.called || ' ' || t.tgname, concat_ws(' ', t.tgenabled, pg_get_triggerdef(t.oid))
FROM pg_trigger t JOIN relations r ON r.oid = t.tgrelid WHERE NOT t.tgisinternal
UNION ALL
SELECT 'policy', schemaname || '.' || tablename || ' ' || policyname,
    concat_ws(' ', permissive, cmd, 'TO', roles::text, 'USING', qual, 'CHECK', with_check)
FROM pg_policies WHERE schemaname IN (SELECT nspname FROM schemas)
UNION ALL
SELECT 'function', called, 'owner ' || pg_get_userbyid(proowner) || E'\n' || pg_get_functiondef(oid)
FROM functions WHERE prokind IN ('f', 'p')
UNION ALL
SELECT 'view', called, pg_get_viewdef(oid) FROM relations WHERE relkind IN ('v', 'm')
UNION ALL
SELECT 'type', s.nspname || '.' || t.typname, concat_ws(' ', t.typtype, format_type(t.typbasetype, t.typtypmod),
    (SELECT string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid))
FROM pg_type t JOIN schemas s ON s.oid = t.typnamespace WHERE t.typtype IN ('e', 'd', 'r')
UNION ALL
SELECT 'statistics', s.nspname || '.' || x.stxname, pg_get_statisticsobjdef(x.oid)
FROM pg_statistic_ext x JOIN schemas s ON s.oid = x.stxnamespace
UNION ALL
SELECT 'grant', g.on_what || ' to ' || CASE a.grantee WHEN 0 THEN 'everybody' ELSE pg_get_userbyid(a.grantee) END,
    string_agg(a.privilege_type || CASE WHEN a.is_grantable THEN ' with grant option' ELSE '' END, ', '
        ORDER BY a.privilege_type)
FROM grants g CROSS JOIN LATERAL aclexplode(g.acl) a GROUP BY g.on_what, a.grantee
