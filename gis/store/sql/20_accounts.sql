-- Accounts, their roles, sessions and second factors: the role {accounts} alone reads them, to sign somebody
-- in and to manage them. Row security is forced, so that a grant given by mistake still shows nothing.

GRANT SELECT ON reg.accounts, reg.account_grants, reg.account_tokens, reg.account_factors,
    reg.account_recovery_codes, reg.account_identities, reg.account_provider_requests, reg.account_attempts,
    reg.account_events TO {accounts};
GRANT INSERT (name), UPDATE (password_hash, disabled_at) ON reg.accounts TO {accounts};
GRANT INSERT (account_id, role, division_code, valid_until), UPDATE (valid_until) ON reg.account_grants TO {accounts};
GRANT INSERT (digest, account_id, use, expires_at, opened_by, second_factor_at, scope),
    UPDATE (used_at, revoked_at, active_at), DELETE ON reg.account_tokens TO {accounts};
GRANT INSERT (account_id, sealed), UPDATE (confirmed_at, ended_at, last_step) ON reg.account_factors TO {accounts};
GRANT INSERT (digest, account_id), UPDATE (used_at), DELETE ON reg.account_recovery_codes TO {accounts};
GRANT INSERT (account_id, issuer, subject), DELETE ON reg.account_identities TO {accounts};
GRANT INSERT, DELETE ON reg.account_provider_requests TO {accounts};
GRANT INSERT (digest), UPDATE (failures, failed_at, succeeded_at), DELETE ON reg.account_attempts TO {accounts};
GRANT INSERT (actor, act, account_id, role, division_code, valid_until) ON reg.account_events TO {accounts};

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['accounts', 'account_grants', 'account_tokens', 'account_factors',
        'account_recovery_codes', 'account_identities', 'account_provider_requests', 'account_attempts',
        'account_events'] LOOP
        EXECUTE format('ALTER TABLE reg.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE reg.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('DROP POLICY IF EXISTS accounts_only ON reg.%I', name);
        EXECUTE format('CREATE POLICY accounts_only ON reg.%I TO {accounts} USING (true) WITH CHECK (true)', name);
    END LOOP;
END $$;

CREATE TRIGGER account_events_keep BEFORE DELETE OR TRUNCATE OR UPDATE ON reg.account_events
    FOR EACH STATEMENT EXECUTE FUNCTION calc.refuse();
CREATE TRIGGER accounts_keep BEFORE DELETE OR TRUNCATE ON reg.accounts
    FOR EACH STATEMENT EXECUTE FUNCTION calc.refuse();
CREATE TRIGGER account_grants_keep BEFORE DELETE OR TRUNCATE ON reg.account_grants
    FOR EACH STATEMENT EXECUTE FUNCTION calc.refuse();

-- Who acts on accounts: the account that the service names, else whoever logged in to the database, as host:NAME.
-- The service itself is nobody: from there, an act without an account's name is refused.
CREATE FUNCTION calc.account_actor() RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    named text := nullif(current_setting('menpai.actor', true), '');
    served boolean := session_user = current_database() || '_service';
BEGIN
    IF named IS NULL AND NOT served THEN
        RETURN 'host:' || session_user;
    END IF;
    IF named IS NULL OR (served AND named LIKE 'host:%') THEN
        RAISE EXCEPTION 'who acts must be named' USING ERRCODE = 'MP409';
    END IF;
    RETURN named;
END $$;

-- The divisions in which an account manages accounts today. Whoever runs the machine manages them all.
CREATE FUNCTION calc.administers(actor text, division bigint) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT actor LIKE 'host:%' OR EXISTS (
        SELECT FROM reg.accounts a
        JOIN reg.account_grants g ON g.account_id = a.id
        WHERE a.name = actor AND a.disabled_at IS NULL AND g.role = 'account_administrator'
            AND g.valid_from <= current_date AND (g.valid_until IS NULL OR g.valid_until >= current_date)
            AND division >= g.division_code AND division < g.division_code + CASE
                WHEN g.division_code % 10000000000 = 0 THEN 10000000000
                WHEN g.division_code % 100000000 = 0 THEN 100000000
                WHEN g.division_code % 1000000 = 0 THEN 1000000
                WHEN g.division_code % 1000 = 0 THEN 1000
                ELSE 1
            END)
$$;

-- Nobody gives themselves a right, nobody gives what lies outside their own divisions, and who manages accounts
-- neither opens persons nor watches over those who do. Checked here, so that no door can forget it.
CREATE FUNCTION calc.check_grant() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    actor text := calc.account_actor();
    holder text;
BEGIN
    SELECT name INTO holder FROM reg.accounts WHERE id = NEW.account_id FOR UPDATE;  -- one grant at a time
    IF TG_OP = 'UPDATE' AND (NEW.account_id, NEW.role, NEW.division_code, NEW.valid_from)
            IS DISTINCT FROM (OLD.account_id, OLD.role, OLD.division_code, OLD.valid_from) THEN
        RAISE EXCEPTION 'a grant keeps its account, role and division; only its end changes' USING ERRCODE = 'MP409';
    END IF;
    IF holder = actor AND (TG_OP = 'INSERT' OR NEW.valid_until IS NULL OR NEW.valid_until > OLD.valid_until) THEN
        RAISE EXCEPTION 'nobody grants themselves a right: another administrator of accounts must do it'
            USING ERRCODE = 'MP409';
    END IF;
    IF holder <> actor AND NOT calc.administers(actor, NEW.division_code) THEN
        RAISE EXCEPTION '% manages no accounts in division %', actor, NEW.division_code USING ERRCODE = 'MP403';
    END IF;
    IF EXISTS (
        SELECT FROM reg.account_grants g
        WHERE g.account_id = NEW.account_id AND g.id IS DISTINCT FROM NEW.id
            AND g.valid_from <= coalesce(NEW.valid_until, 'infinity')
            AND NEW.valid_from <= coalesce(g.valid_until, 'infinity')
            AND coalesce(g.valid_until, 'infinity') >= current_date
            AND coalesce(NEW.valid_until, 'infinity') >= current_date
            AND (g.role, NEW.role) IN (('account_administrator', 'registrar'), ('registrar', 'account_administrator'),
                ('account_administrator', 'auditor'), ('auditor', 'account_administrator'),
                ('registrar', 'auditor'), ('auditor', 'registrar'))
    ) THEN
        RAISE EXCEPTION 'one account is only one of registrar, auditor and administrator of accounts: end the other'
            ' role first, or use another account' USING ERRCODE = 'MP409';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER account_grants_check BEFORE INSERT OR UPDATE ON reg.account_grants
    FOR EACH ROW EXECUTE FUNCTION calc.check_grant();

-- Somebody must be left who can let others in: the last administrator of accounts stays.
CREATE FUNCTION calc.check_administrators() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    concerned integer := CASE TG_TABLE_NAME WHEN 'accounts' THEN (to_jsonb(OLD) ->> 'id')::integer
        ELSE (to_jsonb(OLD) ->> 'account_id')::integer END;
    others bigint;
    was boolean;
BEGIN
    PERFORM pg_advisory_xact_lock(1835363696, 6);  -- two administrators who close each other: one comes second
    SELECT count(*) FILTER (WHERE a.id <> concerned OR TG_TABLE_NAME = 'account_grants' AND g.id <> OLD.id),
        coalesce(bool_or(a.id = concerned), false)
    INTO others, was
    FROM reg.accounts a
    JOIN reg.account_grants g ON g.account_id = a.id
    WHERE a.disabled_at IS NULL AND g.role = 'account_administrator' AND g.valid_from <= current_date
        AND (g.valid_until IS NULL OR g.valid_until >= current_date);
    IF was AND others = 0 THEN
        RAISE EXCEPTION 'this is the last administrator of accounts: name another one first' USING ERRCODE = 'MP409';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER accounts_last_administrator BEFORE UPDATE OF disabled_at ON reg.accounts
    FOR EACH ROW WHEN (OLD.disabled_at IS NULL AND NEW.disabled_at IS NOT NULL)
    EXECUTE FUNCTION calc.check_administrators();
CREATE TRIGGER account_grants_last_administrator BEFORE UPDATE OF valid_until ON reg.account_grants
    FOR EACH ROW WHEN (OLD.role = 'account_administrator' AND NEW.valid_until < current_date)
    EXECUTE FUNCTION calc.check_administrators();

-- What is done to accounts and grants is told by the database itself: no door can leave it out.
CREATE FUNCTION calc.record_account() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO reg.account_events (actor, act, account_id) VALUES (calc.account_actor(), CASE
        WHEN TG_OP = 'INSERT' THEN 'added'
        WHEN NEW.disabled_at IS NULL THEN 'enabled' ELSE 'disabled' END, NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER accounts_recorded_in AFTER INSERT ON reg.accounts
    FOR EACH ROW EXECUTE FUNCTION calc.record_account();
CREATE TRIGGER accounts_recorded_change AFTER UPDATE OF disabled_at ON reg.accounts
    FOR EACH ROW WHEN ((OLD.disabled_at IS NULL) <> (NEW.disabled_at IS NULL))
    EXECUTE FUNCTION calc.record_account();

CREATE FUNCTION calc.record_grant() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO reg.account_events (actor, act, account_id, role, division_code, valid_until)
    VALUES (calc.account_actor(), CASE TG_OP WHEN 'INSERT' THEN 'granted' ELSE 'grant_changed' END,
        NEW.account_id, NEW.role, NEW.division_code, NEW.valid_until);
    RETURN NULL;
END $$;
CREATE TRIGGER account_grants_recorded AFTER INSERT OR UPDATE ON reg.account_grants
    FOR EACH ROW EXECUTE FUNCTION calc.record_grant();

-- Who holds a session, with the roles that are in force today, narrowed to its scope. A disabled account holds
-- none; a page that nobody used for two hours is over. Roles that need a second factor are left out of a session
-- that showed none, and lacking says that there are such.
CREATE FUNCTION calc.bearer_of(digest bytea)
RETURNS TABLE (token_id bigint, account_id integer, name text, use text, opened_by text, expires_at timestamptz,
    proven_at timestamptz, second_factor_at timestamptz, stale boolean, lacking boolean, grants jsonb)
LANGUAGE sql STABLE AS $$
    SELECT t.id, a.id, a.name, t.use, t.opened_by, t.expires_at, t.proven_at, t.second_factor_at,
        t.active_at < now() - interval '5 minutes',
        coalesce(bool_or(NOT g.open), false),
        coalesce(jsonb_agg(jsonb_build_object('role', g.role, 'division', g.division_code::text,
            'until', g.valid_until) ORDER BY g.role, g.division_code) FILTER (WHERE g.open), '[]'::jsonb)
    FROM reg.account_tokens t
    JOIN reg.accounts a ON a.id = t.account_id
    LEFT JOIN LATERAL (
        SELECT h.role, h.division_code, h.valid_until,
            h.role NOT IN ('registrar', 'account_administrator') OR t.second_factor_at IS NOT NULL AS open
        FROM reg.account_grants h
        WHERE h.account_id = a.id AND h.valid_from <= current_date
            AND (h.valid_until IS NULL OR h.valid_until >= current_date)
            AND (t.scope IS NULL OR h.role = ANY (t.scope))
    ) g ON true
    WHERE t.digest = bearer_of.digest AND t.use IN ('bearer', 'page', 'program') AND t.revoked_at IS NULL
        AND t.expires_at > now() AND (t.use <> 'page' OR t.active_at > now() - interval '2 hours')
        AND a.disabled_at IS NULL
    GROUP BY t.digest, a.id
$$;

REVOKE EXECUTE ON FUNCTION calc.bearer_of(bytea), calc.account_actor(), calc.administers(text, bigint),
    calc.check_grant(), calc.check_administrators(), calc.record_account(), calc.record_grant() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION calc.bearer_of(bytea), calc.account_actor(), calc.administers(text, bigint) TO {accounts};
