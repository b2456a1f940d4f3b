-- The disclosure gate (rights.md, 8): exact counts go in, a dated release comes out, and nothing else
-- in the program can read a count of people.
--
-- First gate: counts from 1 to 9 are withheld, and whatever an area with one or two buildings holds, were it
-- nobody: it would be the count of a home. Nor is a zero of all residents ever shown, for it says of each home
-- in the area that it is empty; below 1 km no zero is, so that an empty square and a small one look alike. A zero of
-- one category passes at 1 km and in divisions, where no one or two buildings are known to share in it.
-- Then, as long as some sum would give a withheld count back, the smallest count that hides it is withheld as well
-- (complementary suppression; Hundepool et al., Statistical Disclosure Control, 2012, ch. 4). Within a sum at least
-- two counts are withheld; together they leave room for ten values each and hold three buildings.
--
-- Where a building stands and in which division is no secret, so divisions and squares overlap in ways
-- anybody can work out. Sums are therefore those of the division tree, of the nested squares, of all
-- squares of 1 km, of the categories, and of a division's squares and a square's divisions. What is in
-- them and never published, the rest of a division that no finer one covers and the piece that a division
-- and a square share, is a row here too. It hides nothing, since another sum may tell what it is; whether one
-- does is worked out as well. This looks at sums one by one: tests/planning attacks it with all at once. A chain of
-- several sums can still tell (CHANGELOG.md, Known limits).

-- Counts of one day, in a temporary table "gate", as exact as the register has them; which of them add up
-- to which in "sums".
CREATE FUNCTION calc.fill_gate(day date) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    CREATE TEMPORARY TABLE exact ON COMMIT DROP AS
        SELECT b.division_code, b.east_100m, b.north_100m, r.category, count(*)::integer AS n, 0 AS buildings
        FROM reg.buildings b
        JOIN reg.residencies r ON r.building_number = b.number
            AND r.principal AND r.recorded_until IS NULL AND r.during @> day
        WHERE b.status = 'active'
        GROUP BY 1, 2, 3, 4
        UNION ALL
        SELECT division_code, east_100m, north_100m, NULL, 0, count(*)
        FROM reg.buildings
        WHERE status = 'active'
        GROUP BY 1, 2, 3;
    CREATE TEMPORARY TABLE places ON COMMIT DROP AS
        SELECT DISTINCT division_code, east_100m, north_100m FROM exact;
    -- the areas of a division's places, level by level; where nothing finer is known of them than of others
    -- in the same division, they are its rest
    CREATE TEMPORARY TABLE levels ON COMMIT DROP AS
        WITH placed AS (SELECT DISTINCT division_code FROM places),
        above AS (
            SELECT p.division_code, span, d.code, max(span) FILTER (WHERE d.code = p.division_code)
                OVER (PARTITION BY p.division_code) AS own_span
            FROM placed p
            CROSS JOIN unnest(ARRAY[1, 1000, 1000000, 100000000, 10000000000]) AS span
            JOIN reg.divisions d ON d.code = p.division_code / span * span
        ), mixed AS (
            SELECT code FROM above WHERE code <> division_code INTERSECT SELECT division_code FROM placed
        )
        SELECT a.division_code, a.span, a.code, m.code IS NOT NULL AS is_rest,
            a.code || CASE WHEN m.code IS NOT NULL THEN ' rest' ELSE '' END AS area
        FROM above a LEFT JOIN mixed m ON m.code = a.code AND a.span < a.own_span;
    CREATE TEMPORARY TABLE within ON COMMIT DROP AS
        SELECT DISTINCT l.division_code, l.area, NOT l.is_rest AS published, CASE WHEN l.is_rest THEN l.code::text
            ELSE (SELECT max(u.code)::text FROM levels u WHERE u.division_code = l.division_code AND u.code < l.code)
            END AS parent
        FROM levels l;
    CREATE TEMPORARY TABLE squares ON COMMIT DROP AS
        SELECT size, east_100m, north_100m, calc.square(size, east_100m, north_100m) AS area,
            CASE size WHEN 1000 THEN 'everywhere' WHEN 500 THEN calc.square(1000, east_100m, north_100m)
                ELSE calc.square(500, east_100m, north_100m) END AS parent
        FROM (SELECT DISTINCT east_100m, north_100m FROM places) e CROSS JOIN unnest(ARRAY[100, 500, 1000]) AS size;
    ANALYZE exact;
    ANALYZE within;
    ANALYZE squares;
    -- what a division and a square share; each of the two, where it lies in the other, is itself that piece
    CREATE TEMPORARY TABLE pieces ON COMMIT DROP AS
        SELECT w.area AS division, s.area AS square, s.size,
            sum(count(*)) OVER (PARTITION BY w.area, s.size) = count(*) AS whole_division,
            count(*) = min(all_of.places) AS whole_square
        FROM places
        JOIN within w USING (division_code)
        JOIN squares s USING (east_100m, north_100m)
        JOIN (
            SELECT s.area, count(*) AS places FROM places JOIN squares s USING (east_100m, north_100m) GROUP BY s.area
        ) all_of ON all_of.area = s.area
        WHERE s.size = 1000 OR w.area IN (SELECT area FROM levels WHERE span = 1)
        GROUP BY w.area, s.area, s.size;
    ALTER TABLE pieces ADD COLUMN area text;
    UPDATE pieces SET area = CASE WHEN whole_square THEN square WHEN whole_division THEN division
        ELSE division || ' ' || square END;
    ANALYZE pieces;

    -- family: which tree an area belongs to; sensitive: must not become known for what it is itself; guarded: must
    -- not become known for what it would give away, though it is never published
    CREATE TEMPORARY TABLE gate (
        family text, area text, category text, n integer, buildings integer, sensitive boolean, withheld boolean,
        published boolean, guarded boolean, PRIMARY KEY (area, category)
    ) ON COMMIT DROP;
    CREATE TEMPORARY TABLE sums (kind text, total text, part text) ON COMMIT DROP;
    INSERT INTO sums
        SELECT 'tree', parent, area FROM within WHERE parent IS NOT NULL
        UNION SELECT 'tree', parent, area FROM squares
        UNION SELECT 'squares of ' || size, division, area FROM pieces WHERE area <> division
        UNION SELECT 'divisions of ' || l.span, p.square, p.area
            FROM pieces p JOIN (SELECT DISTINCT span, area FROM levels) l ON l.area = p.division
            WHERE p.area <> p.square AND (p.size = 1000 OR l.span = 1);
    ANALYZE sums;
    -- which categories make up all; "not permanent" is never published, but all and permanent tell it
    CREATE TEMPORARY TABLE splits (kind, part) ON COMMIT DROP AS
        VALUES ('categories', 'permanent'), ('categories', 'floating'), ('categories', 'other'),
            ('categories', 'undetermined'), ('from elsewhere', 'permanent'), ('from elsewhere', 'not permanent');
    INSERT INTO gate
        SELECT s.family, s.area, c.category, coalesce(c.n, 0), s.buildings, false, NOT s.published, s.published, false
        FROM (
            SELECT family, area, published, sum(buildings) AS buildings, sum(n) AS everybody,
                sum(n) FILTER (WHERE category = 'permanent') AS permanent,
                sum(n) FILTER (WHERE category = 'floating') AS floating,
                sum(n) FILTER (WHERE category = 'other') AS other,
                sum(n) FILTER (WHERE category = 'undetermined') AS undetermined
            FROM (
                SELECT CASE WHEN w.published THEN 'division' ELSE 'rest' END AS family, w.area, w.published,
                    e.category, e.n, e.buildings
                FROM exact e JOIN within w USING (division_code)
                UNION ALL
                SELECT 'square ' || s.size, s.area, true, e.category, e.n, e.buildings
                FROM exact e JOIN squares s USING (east_100m, north_100m)
                UNION ALL
                SELECT 'piece', p.area, false, e.category, e.n, e.buildings
                FROM exact e JOIN within w USING (division_code) JOIN squares s USING (east_100m, north_100m)
                JOIN pieces p ON p.division = w.area AND p.square = s.area
                WHERE NOT p.whole_square AND NOT p.whole_division
                UNION ALL
                SELECT 'everywhere', 'everywhere', true, category, n, buildings FROM exact
            ) areas
            GROUP BY family, area, published
        ) s
        CROSS JOIN LATERAL (VALUES ('all', everybody), ('permanent', permanent), ('floating', floating),
            ('other', other), ('undetermined', undetermined),
            ('not permanent', everybody - coalesce(permanent, 0))) AS c (category, n);
    ANALYZE gate;
END $$;

CREATE FUNCTION calc.square(size integer, east_100m integer, north_100m integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT size || 'E' || floor(east_100m * 100.0 / size)::integer || 'N' || floor(north_100m * 100.0 / size)::integer
$$;

-- One pass of complementary suppression; the number of counts it changed, 0 when every sum is safe.
-- A sum is unsafe where its total is known while a single part to be kept is not, or parts so small that
-- little room is left or of so few buildings that they are a home; and where its total is withheld while every part
-- is known. What is never published may become known that way, unless it is sensitive itself or would give away a
-- total that is withheld: then it is guarded.
-- Its joins are over whole tables; the planner, who knows nothing of a sum before it is made, would nest loops.
CREATE FUNCTION calc.withhold_more(least_room integer, least_buildings integer) RETURNS integer
LANGUAGE plpgsql SET enable_nestloop = off SET work_mem = '256MB' AS $$
DECLARE
    guarded_now integer;
    implied integer;
    struck integer;
    told integer;
BEGIN
    UPDATE gate p SET guarded = true, withheld = true
    FROM sums s JOIN gate t ON t.area = s.total
    WHERE s.part = p.area AND t.category = p.category AND t.withheld AND t.published
        AND NOT p.published AND NOT p.guarded;
    GET DIAGNOSTICS guarded_now = ROW_COUNT;
    UPDATE gate r SET withheld = true
    FROM gate c
    WHERE r.area = c.area AND r.category = 'not permanent' AND c.category IN ('all', 'permanent')
        AND r.published AND c.withheld AND NOT r.withheld;
    GET DIAGNOSTICS implied = ROW_COUNT;

    CREATE TEMPORARY TABLE weighed ON COMMIT DROP AS
        SELECT s.*, t.withheld, t.published, t.published OR t.guarded OR t.sensitive AS precious
        FROM (
            SELECT s.kind, s.total AS area, p.category, count(*) FILTER (WHERE p.withheld) AS hidden,
                count(*) FILTER (WHERE p.withheld AND p.precious) AS protected,
                coalesce(sum(p.n) FILTER (WHERE p.withheld AND p.precious), 0) AS protected_n,
                sum(p.buildings) FILTER (WHERE p.withheld AND p.precious) AS protected_buildings
            FROM sums s
            JOIN (SELECT *, published OR guarded OR sensitive AS precious FROM gate) p ON p.area = s.part
            GROUP BY s.kind, s.total, p.category
            UNION ALL
            SELECT s.kind, p.area, 'all', count(*) FILTER (WHERE p.withheld), count(*) FILTER (WHERE p.withheld),
                coalesce(sum(p.n) FILTER (WHERE p.withheld), 0), min(p.buildings)
            FROM splits s JOIN gate p ON p.category = s.part WHERE p.published GROUP BY s.kind, p.area
        ) s
        JOIN gate t USING (area, category);
    CREATE TEMPORARY TABLE unsafe ON COMMIT DROP AS
        SELECT * FROM weighed
        WHERE (NOT withheld AND protected > 0 AND (protected < 2 OR protected_n < protected + least_room - 1
                OR protected_buildings < least_buildings))
            OR (withheld AND hidden = 0 AND precious);
    WITH parts AS (
        SELECT u.kind, u.area AS total, p.area, p.category, u.category AS total_category, p.n
        FROM unsafe u JOIN sums s ON s.total = u.area AND s.kind = u.kind
        JOIN gate p ON p.area = s.part AND p.category = u.category
        WHERE NOT p.withheld AND p.n > 0 AND p.published
        UNION ALL
        SELECT u.kind, u.area, p.area, p.category, u.category, p.n
        FROM unsafe u JOIN splits s ON s.kind = u.kind
        JOIN gate p ON p.area = u.area AND p.category = s.part
        WHERE NOT p.withheld AND p.n > 0
    ), next AS (
        SELECT DISTINCT ON (total, total_category, kind) total, total_category, kind, area, category
        FROM parts ORDER BY total, total_category, kind, n, area, category
    ), chosen AS (
        SELECT area, category FROM next
        UNION
        -- no part is left to withhold: the total goes
        SELECT u.area, u.category FROM unsafe u
        WHERE u.area <> 'everywhere' AND u.hidden > 0 AND NOT EXISTS (
            SELECT FROM next n WHERE (n.total, n.total_category, n.kind) = (u.area, u.category, u.kind))
    )
    UPDATE gate g SET withheld = true, guarded = NOT g.published FROM chosen c
    WHERE g.area = c.area AND g.category = c.category AND NOT g.withheld;
    GET DIAGNOSTICS struck = ROW_COUNT;

    -- what a sum now tells of things that are never published
    UPDATE gate g SET withheld = false
    FROM (
        SELECT s.part AS area, w.category FROM weighed w JOIN sums s ON s.total = w.area AND s.kind = w.kind
        WHERE NOT w.withheld AND w.hidden = 1 AND w.protected = 0
        UNION
        SELECT area, category FROM weighed WHERE withheld AND hidden = 0 AND NOT precious
    ) k
    WHERE g.area = k.area AND g.category = k.category AND g.withheld AND NOT g.published AND NOT g.guarded
        AND NOT g.sensitive;
    GET DIAGNOSTICS told = ROW_COUNT;
    DROP TABLE weighed, unsafe;
    RETURN guarded_now + implied + struck + told;
END $$;

-- Write the release of a day. Runs as siting_job, which sees sums and no person.
CREATE FUNCTION calc.release_counts(day date, withheld_below integer, least_buildings integer) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM calc.fill_gate(day);
    UPDATE gate SET sensitive = n BETWEEN 1 AND withheld_below - 1 OR buildings < least_buildings
        OR n = 0 AND category = 'all';
    UPDATE gate SET withheld = true
    WHERE (sensitive OR n = 0 AND family IN ('square 100', 'square 500')) AND family <> 'everywhere';
    WHILE calc.withhold_more(withheld_below, least_buildings) > 0 LOOP END LOOP;
    INSERT INTO pub.releases (release, withheld_below) VALUES (day, withheld_below);
    INSERT INTO pub.division_counts (release, division_code, category, n, withheld)
        SELECT day, area::bigint, category, CASE WHEN NOT withheld THEN n END, withheld
        FROM gate WHERE family = 'division' AND category <> 'not permanent';
    INSERT INTO pub.cells (cell, size, geometry)
        SELECT cell, split_part(cell, 'E', 1)::integer, shape FROM calc.square_shapes(ARRAY(
            SELECT DISTINCT g.area FROM gate g
            WHERE g.family LIKE 'square %' AND NOT EXISTS (SELECT FROM pub.cells c WHERE c.cell = g.area)
        ));
    INSERT INTO pub.cell_counts (release, size, cell, category, n, withheld)
        SELECT day, split_part(family, ' ', 2)::integer, area, category, CASE WHEN NOT withheld THEN n END, withheld
        FROM gate WHERE family LIKE 'square %' AND category <> 'not permanent';
END $$;

-- The squares of cells' names, "1000E512N388", in the register's CRS (contract: Cells). All are projected
-- in one call: PostGIS sets a projection given as text up anew for every call, which takes 6 ms. The planner
-- expects ten names; joining by nested loops, it took minutes over forty thousand.
CREATE FUNCTION calc.square_shapes(cells text[]) RETURNS TABLE (cell text, shape geometry)
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET enable_nestloop = off AS $$
    WITH named AS (
        SELECT row_number() OVER () AS place, name, parts[1]::double precision AS size,
            parts[2]::double precision AS east, parts[3]::double precision AS north
        FROM unnest(cells) AS given (name), regexp_match(name, '^(\d+)E(-?\d+)N(-?\d+)$') AS parts
        WHERE parts IS NOT NULL
    ), projected AS (
        SELECT (ST_Dump(ST_Transform(
            ST_Collect(ST_MakeEnvelope(size * east - 500000, size * north - 500000, size * (east + 1) - 500000,
                size * (north + 1) - 500000) ORDER BY place),
            '+proj=laea +lat_0=37.5 +lon_0=106 +x_0=0 +y_0=0 +a=6378137 +rf=298.257222101 +units=m +no_defs', 4490
        ))).*
        FROM named
    )
    SELECT n.name, p.geom FROM named n JOIN projected p ON p.path[1] = n.place
$$;

GRANT SELECT, INSERT ON pub.releases, pub.division_counts, pub.cells, pub.cell_counts TO {siting_job};
GRANT SELECT ON pub.releases, pub.cells TO {public}, {planner}, {registrar};
GRANT SELECT ON pub.division_counts, pub.cell_counts TO {planner};

-- Without an account one sees all residents, by division or at 1 km.
ALTER TABLE pub.division_counts ENABLE ROW LEVEL SECURITY;
ALTER TABLE pub.cell_counts ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS everything ON pub.division_counts;
DROP POLICY IF EXISTS everything ON pub.cell_counts;
DROP POLICY IF EXISTS all_residents ON pub.division_counts;
DROP POLICY IF EXISTS all_residents ON pub.cell_counts;
CREATE POLICY everything ON pub.division_counts TO {planner}, {siting_job} USING (true);
CREATE POLICY everything ON pub.cell_counts TO {planner}, {siting_job} USING (true);
CREATE POLICY all_residents ON pub.division_counts FOR SELECT TO {public}, {registrar} USING (category = 'all');
CREATE POLICY all_residents ON pub.cell_counts FOR SELECT TO {public}, {registrar}
    USING (category = 'all' AND size = 1000);
GRANT SELECT ON pub.division_counts, pub.cell_counts TO {public}, {registrar};

CREATE TRIGGER releases_keep BEFORE DELETE OR TRUNCATE OR UPDATE ON pub.releases
    FOR EACH STATEMENT EXECUTE FUNCTION calc.refuse();
CREATE TRIGGER division_counts_keep BEFORE DELETE OR TRUNCATE OR UPDATE ON pub.division_counts
    FOR EACH STATEMENT EXECUTE FUNCTION calc.refuse();
CREATE TRIGGER cell_counts_keep BEFORE DELETE OR TRUNCATE OR UPDATE ON pub.cell_counts
    FOR EACH STATEMENT EXECUTE FUNCTION calc.refuse();

REVOKE EXECUTE ON FUNCTION calc.release_counts(date, integer, integer), calc.withhold_more(integer, integer),
    calc.fill_gate(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION calc.release_counts(date, integer, integer), calc.withhold_more(integer, integer),
    calc.fill_gate(date) TO {siting_job};
