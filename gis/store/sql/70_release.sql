-- The disclosure gate (rights.md, 8): exact counts go in, a dated release comes out, and nothing else
-- in the program can read a count of people.
--
-- First gate: counts from 1 to 9 are withheld; below 1 km a zero is withheld too, so that an empty
-- square and a small one look alike. Then, as long as some sum would give a withheld count back, the
-- smallest count that hides it is withheld as well (complementary suppression; Hundepool et al.,
-- Statistical Disclosure Control, 2012, ch. 4). Sums are those of the division tree, of the nested
-- squares, of all squares of 1 km, and of the categories. Within a sum at least two counts are
-- withheld, and together they leave room for ten values each.

-- Counts of one day, in a temporary table "gate", as exact as the register has them.
CREATE FUNCTION calc.fill_gate(day date) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    CREATE TEMPORARY TABLE exact ON COMMIT DROP AS
        SELECT b.division_code, b.east_100m, b.north_100m, r.category, count(r.building_number)::integer AS n
        FROM reg.buildings b
        LEFT JOIN reg.residencies r ON r.building_number = b.number
            AND r.principal AND r.recorded_until IS NULL AND r.during @> day
        WHERE b.status = 'active'
        GROUP BY 1, 2, 3, 4;
    -- family: which tree an area belongs to; parent: the area whose count it adds to
    CREATE TEMPORARY TABLE gate (
        family text, area text, parent text, category text, n integer, withheld boolean,
        PRIMARY KEY (area, category)
    ) ON COMMIT DROP;
    CREATE TEMPORARY TABLE areas ON COMMIT DROP AS
        SELECT 'division' AS family, d.code::text AS area,
            (SELECT max(p.code)::text FROM reg.divisions p
             WHERE p.code IN (d.code / 1000 * 1000, d.code / 1000000 * 1000000, d.code / 100000000 * 100000000,
                 d.code / 10000000000 * 10000000000) AND p.code < d.code) AS parent,
            e.category, e.n
        FROM (SELECT division_code, category, sum(n)::integer AS n FROM exact GROUP BY 1, 2) e
        JOIN reg.divisions d ON d.code IN (e.division_code, e.division_code / 1000 * 1000,
            e.division_code / 1000000 * 1000000, e.division_code / 100000000 * 100000000,
            e.division_code / 10000000000 * 10000000000)
        UNION ALL
        SELECT 'square ' || size, calc.square(size, east_100m, north_100m),
            CASE size WHEN 1000 THEN 'everywhere' WHEN 500 THEN calc.square(1000, east_100m, north_100m)
                ELSE calc.square(500, east_100m, north_100m) END,
            category, n
        FROM exact CROSS JOIN unnest(ARRAY[100, 500, 1000]) AS size
        UNION ALL
        SELECT 'everywhere', 'everywhere', NULL, category, sum(n)::integer FROM exact GROUP BY category;
    INSERT INTO gate
        SELECT s.family, s.area, s.parent, c.category, coalesce(c.n, 0), false
        FROM (
            SELECT family, area, parent, sum(n) AS everybody, sum(n) FILTER (WHERE category = 'permanent') AS permanent,
                sum(n) FILTER (WHERE category = 'floating') AS floating, sum(n) FILTER (WHERE category = 'other') AS other,
                sum(n) FILTER (WHERE category = 'undetermined') AS undetermined
            FROM areas GROUP BY family, area, parent
        ) s
        CROSS JOIN LATERAL (VALUES ('all', everybody), ('permanent', permanent), ('floating', floating),
            ('other', other), ('undetermined', undetermined)) AS c (category, n);
    ANALYZE gate;
END $$;

CREATE FUNCTION calc.square(size integer, east_100m integer, north_100m integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT size || 'E' || floor(east_100m * 100.0 / size)::integer || 'N' || floor(north_100m * 100.0 / size)::integer
$$;

-- One pass of complementary suppression; the number of counts it withheld, 0 when every sum is safe.
-- A sum is unsafe where its total is shown while a single part is withheld, or parts so small that
-- little room is left; and where its total is withheld while every part is shown.
-- Its joins are over whole tables; the planner, who knows nothing of a sum before it is made, would nest loops.
CREATE FUNCTION calc.withhold_more(least_room integer) RETURNS integer
LANGUAGE plpgsql SET enable_nestloop = off SET work_mem = '256MB' AS $$
DECLARE
    struck integer;
BEGIN
    WITH sums AS (
        SELECT parent AS total_area, category AS total_category, 'areas' AS kind,
            count(*) FILTER (WHERE withheld) AS hidden, coalesce(sum(n) FILTER (WHERE withheld), 0) AS hidden_n
        FROM gate WHERE parent IS NOT NULL GROUP BY parent, category
        UNION ALL
        SELECT area, 'all', 'categories', count(*) FILTER (WHERE withheld), coalesce(sum(n) FILTER (WHERE withheld), 0)
        FROM gate WHERE category <> 'all' GROUP BY area
    ), unsafe AS (
        SELECT s.* FROM sums s JOIN gate t ON t.area = s.total_area AND t.category = s.total_category
        WHERE (NOT t.withheld AND s.hidden > 0 AND (s.hidden < 2 OR s.hidden_n < s.hidden + least_room - 1))
            OR (t.withheld AND s.hidden = 0)
    ), parts AS (
        SELECT u.total_area, u.total_category, u.kind, p.area, p.category, p.n
        FROM unsafe u JOIN gate p ON p.parent = u.total_area AND p.category = u.total_category
        WHERE u.kind = 'areas' AND NOT p.withheld AND p.n > 0
        UNION ALL
        SELECT u.total_area, u.total_category, u.kind, p.area, p.category, p.n
        FROM unsafe u JOIN gate p ON p.area = u.total_area AND p.category <> 'all'
        WHERE u.kind = 'categories' AND NOT p.withheld AND p.n > 0
    ), next AS (
        SELECT DISTINCT ON (total_area, total_category, kind) total_area, total_category, kind, area, category
        FROM parts ORDER BY total_area, total_category, kind, n, area, category
    ), chosen AS (
        SELECT area, category FROM next
        UNION
        -- no part is left to withhold: the total goes
        SELECT u.total_area, u.total_category FROM unsafe u
        WHERE u.total_area <> 'everywhere' AND u.hidden > 0 AND NOT EXISTS (
            SELECT FROM next n WHERE (n.total_area, n.total_category, n.kind)
                = (u.total_area, u.total_category, u.kind))
    )
    UPDATE gate g SET withheld = true FROM chosen c
    WHERE g.area = c.area AND g.category = c.category AND NOT g.withheld;
    GET DIAGNOSTICS struck = ROW_COUNT;
    RETURN struck;
END $$;

-- Write the release of a day. Runs as siting_job, which sees sums and no person.
CREATE FUNCTION calc.release_counts(day date, withheld_below integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM calc.fill_gate(day);
    UPDATE gate SET withheld = true
    WHERE n < withheld_below AND (n > 0 OR family IN ('square 100', 'square 500')) AND family <> 'everywhere';
    WHILE calc.withhold_more(withheld_below) > 0 LOOP END LOOP;
    INSERT INTO pub.releases (release, withheld_below) VALUES (day, withheld_below);
    INSERT INTO pub.division_counts (release, division_code, category, n, withheld)
        SELECT day, area::bigint, category, CASE WHEN NOT withheld THEN n END, withheld
        FROM gate WHERE family = 'division';
    INSERT INTO pub.cells (cell, size, geometry)
        SELECT cell, split_part(cell, 'E', 1)::integer, shape FROM calc.square_shapes(ARRAY(
            SELECT DISTINCT g.area FROM gate g
            WHERE g.family LIKE 'square %' AND NOT EXISTS (SELECT FROM pub.cells c WHERE c.cell = g.area)
        ));
    INSERT INTO pub.cell_counts (release, size, cell, category, n, withheld)
        SELECT day, split_part(family, ' ', 2)::integer, area, category, CASE WHEN NOT withheld THEN n END, withheld
        FROM gate WHERE family LIKE 'square %';
END $$;

-- The squares of cells' names, "1000E512N388", in the register's CRS (contract: Cells). All are projected
-- in one call: PostGIS sets a projection given as text up anew for every call, which takes 6 ms.
CREATE FUNCTION calc.square_shapes(cells text[]) RETURNS TABLE (cell text, shape geometry)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
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

REVOKE EXECUTE ON FUNCTION calc.release_counts(date, integer), calc.withhold_more(integer), calc.fill_gate(date)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION calc.release_counts(date, integer), calc.withhold_more(integer), calc.fill_gate(date)
    TO {siting_job};
