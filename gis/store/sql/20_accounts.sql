-- Accounts, their roles and their tokens: the role {accounts} alone reads them, to sign somebody in
-- and to manage them. Row security is forced, so that a grant given by mistake still shows nothing.

GRANT SELECT ON reg.accounts, reg.account_grants, reg.account_tokens TO {accounts};
GRANT INSERT (name), UPDATE (password_hash, disabled_at) ON reg.accounts TO {accounts};
GRANT INSERT (account_id, role, division_code, valid_until), UPDATE (valid_until) ON reg.account_grants TO {accounts};
GRANT INSERT (digest, account_id, use, expires_at), UPDATE (used_at, revoked_at), DELETE ON reg.account_tokens
    TO {accounts};

ALTER TABLE reg.accounts ENABLE ROW LEVEL SECURITY;
ALTER TABLE reg.accounts FORCE ROW LEVEL SECURITY;
ALTER TABLE reg.account_grants ENABLE ROW LEVEL SECURITY;
ALTER TABLE reg.account_grants FORCE ROW LEVEL SECURITY;
ALTER TABLE reg.account_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE reg.account_tokens FORCE ROW LEVEL SECURITY;

DROP POLICY IF EXISTS accounts_only ON reg.accounts;
CREATE POLICY accounts_only ON reg.accounts TO {accounts} USING (true) WITH CHECK (true);
DROP POLICY IF EXISTS accounts_only ON reg.account_grants;
CREATE POLICY accounts_only ON reg.account_grants TO {accounts} USING (true) WITH CHECK (true);
DROP POLICY IF EXISTS accounts_only ON reg.account_tokens;
CREATE POLICY accounts_only ON reg.account_tokens TO {accounts} USING (true) WITH CHECK (true);

-- Who holds a bearer, with the roles that are in force today. A disabled account holds none.
CREATE FUNCTION calc.bearer_of(digest bytea)
RETURNS TABLE (account_id integer, name text, expires_at timestamptz, grants jsonb)
LANGUAGE sql STABLE AS $$
    SELECT a.id, a.name, t.expires_at,
        coalesce((
            SELECT jsonb_agg(jsonb_build_object('role', g.role, 'division', g.division_code::text,
                'until', g.valid_until) ORDER BY g.role, g.division_code)
            FROM reg.account_grants g
            WHERE g.account_id = a.id AND g.valid_from <= current_date
                AND (g.valid_until IS NULL OR g.valid_until >= current_date)
        ), '[]'::jsonb)
    FROM reg.account_tokens t
    JOIN reg.accounts a ON a.id = t.account_id
    WHERE t.digest = bearer_of.digest AND t.use = 'bearer' AND t.revoked_at IS NULL
        AND t.expires_at > now() AND a.disabled_at IS NULL
$$;
REVOKE EXECUTE ON FUNCTION calc.bearer_of(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION calc.bearer_of(bytea) TO {accounts};
