-- The disclosure gate (rights.md, 8): exact counts go in, a dated release comes out, and nothing else
-- in the program can read a count of people.
--
-- 1. Noise. Squares and villages are sums of perturbed pieces (65_perturbation.sql). Townships and what lies above
--    are exact where at least least_pieces pieces of a category share the noise that this gives away, their sum; with
--    fewer they too are sums of perturbed pieces. What is perturbed in a township is taken off its largest category,
--    so that all residents are exact there and categories add up. A county is the sum of what its townships say.
-- 2. Withheld are counts under withheld_below, as perturbed, and no number stands for fewer people than that
--    (hold_down); whatever an area with one or two buildings holds, were it nobody; and every zero of all residents. A
--    zero of one category is shown at 1 km and in divisions; a perturbed zero is anything from 0 to 4 for each piece.
-- 3. What a total would give back of these is withheld too (complementary suppression; Hundepool et al., Statistical
--    Disclosure Control, 2012, ch. 4): in the tree of divisions, in the nested squares, and among categories.
--
-- Why it holds. Everything released follows from where buildings stand, which is public, the z of each piece, that
-- areas spoken of as ten or more hold ten, and exact sums over pieces of their own, least_pieces or more: each category
-- told exactly, and the largest one together with what is perturbed. Whoever knew every z would still find for each
-- piece at least five counts that the perturbation table turns into that z, and could bring the sums to their values
-- with several of them, unless all other pieces of a sum stood at the same end of what they may hold. That takes thirty
-- pieces of one resident each, none of which noise has made a nobody: less than one in a million. So no algebra over
-- areas, categories, squares against H3, tiles against files, or dates recovers a count. Suppression is a second wall
-- before it, for the counts of homes that a plain difference would give roughly. tests/planning attacks both, an
-- integer program knowing every z.
-- What it does not hide: that somebody of a category lives in a piece (z > 0 means x > 0), where overlapping
-- areas tell; and counts from somebody who knows from elsewhere how many moved between many releases.

-- Which areas there are, "areas", and the places of each, "covers". A "rest" is what of a division no finer one covers
-- where others do: it is never published, and follows from what is.
CREATE FUNCTION calc.fill_areas() RETURNS void LANGUAGE plpgsql SET work_mem = '256MB' AS $$
BEGIN
    CREATE TEMPORARY TABLE lineage ON COMMIT DROP AS
        SELECT DISTINCT p.division_code, d.code, d.level
        FROM (SELECT DISTINCT division_code FROM places) p
        CROSS JOIN unnest(ARRAY[1, 1000, 1000000, 100000000, 10000000000]) AS span
        JOIN reg.divisions d ON d.code = p.division_code / span * span;
    CREATE TEMPORARY TABLE rests ON COMMIT DROP AS
        SELECT DISTINCT code FROM lineage WHERE code <> division_code
        INTERSECT SELECT division_code FROM places;
    CREATE TEMPORARY TABLE squares ON COMMIT DROP AS
        SELECT l.place, s.size, calc.square(s.size, l.east_100m, l.north_100m) AS area,
            CASE s.size WHEN 100 THEN calc.square(500, l.east_100m, l.north_100m)
                WHEN 500 THEN calc.square(1000, l.east_100m, l.north_100m) END AS parent
        FROM places l CROSS JOIN unnest(ARRAY[100, 500, 1000]) AS s (size);
    CREATE TEMPORARY TABLE areas ON COMMIT DROP AS
        SELECT DISTINCT 'square ' || size AS family, area, parent FROM squares
        UNION ALL
        SELECT DISTINCT CASE l.level WHEN 'village' THEN 'village' ELSE 'division' END, l.code::text, (
            SELECT max(u.code)::text FROM lineage u WHERE u.division_code = l.division_code AND u.code < l.code)
        FROM lineage l
        UNION ALL
        SELECT 'rest', code || ' rest', code::text FROM rests;
    CREATE TEMPORARY TABLE covers ON COMMIT DROP AS
        SELECT area, place FROM squares
        UNION ALL SELECT i.code::text, l.place FROM places l JOIN lineage i USING (division_code)
        UNION ALL SELECT r.code || ' rest', l.place FROM places l JOIN rests r ON r.code = l.division_code;
    ANALYZE areas;
    ANALYZE covers;
END $$;

-- The counts of townships and what lies above, "settled": n, and how many pieces' noise is in it. A pool is a
-- township, or what of a division above lies in none.
CREATE FUNCTION calc.settle_divisions(least_pieces integer) RETURNS void LANGUAGE plpgsql SET work_mem = '256MB' AS $$
BEGIN
    CREATE TEMPORARY TABLE settled ON COMMIT DROP AS
        WITH pools AS (
            SELECT division_code, max(code) AS pool FROM lineage WHERE level <> 'village' GROUP BY division_code
        ), pooled AS (
            SELECT l.pool, p.category, sum(p.x)::integer AS x, sum(p.z)::integer AS z,
                count(*) FILTER (WHERE p.z > 0) AS pieces, count(*) FILTER (WHERE p.z > 0) >= least_pieces AS safe
            FROM pieces p JOIN places USING (place) JOIN pools l USING (division_code)
            GROUP BY l.pool, p.category
        ), ranked AS (
            SELECT *, row_number() OVER (PARTITION BY pool ORDER BY pieces DESC, category) = 1 AS largest,
                coalesce(sum(x - z) FILTER (WHERE NOT safe) OVER (PARTITION BY pool), 0) AS taken_off,
                coalesce(sum(pieces) FILTER (WHERE NOT safe) OVER (PARTITION BY pool), 0) AS noisy
            FROM pooled
        ), told AS (
            SELECT pool, category, safe AND largest AS absorbs,
                CASE WHEN NOT safe THEN z WHEN largest THEN x + taken_off ELSE x END AS n,
                CASE WHEN NOT safe THEN pieces WHEN largest THEN noisy ELSE 0 END AS noisy
            FROM ranked
        ), whole AS (
            SELECT pool, category, n, noisy FROM told
            UNION ALL
            SELECT pool, 'all', sum(n), CASE WHEN bool_or(absorbs) THEN 0 ELSE sum(noisy) END FROM told GROUP BY pool
        )
        SELECT u.code::text AS area, w.category, sum(w.n)::integer AS n, sum(w.noisy)::integer AS noisy
        FROM whole w
        JOIN (
            SELECT DISTINCT p.pool, l.code FROM pools p JOIN lineage l USING (division_code) WHERE l.level <> 'village'
        ) u USING (pool)
        GROUP BY u.code, w.category;
END $$;

-- What a release would say were nothing withheld, in a temporary table "gate": every area, every category.
CREATE FUNCTION calc.fill_gate(day date, withheld_below integer, least_pieces integer) RETURNS void
LANGUAGE plpgsql SET work_mem = '256MB' AS $$
BEGIN
    PERFORM calc.fill_pieces(day);
    PERFORM calc.fill_areas();
    CREATE TEMPORARY TABLE counts ON COMMIT DROP AS
        SELECT v.area, coalesce(p.category, 'all') AS category, sum(p.x)::integer AS x, sum(p.z)::integer AS z,
            (count(*) FILTER (WHERE p.z > 0))::integer AS pieces
        FROM covers v JOIN pieces p USING (place)
        GROUP BY GROUPING SETS ((v.area, p.category), (v.area));
    ANALYZE counts;
    PERFORM calc.hold_down(withheld_below);
    PERFORM calc.settle_divisions(least_pieces);
    ANALYZE settled;
    CREATE TEMPORARY TABLE gate ON COMMIT DROP AS
        SELECT a.family, a.area, a.parent, c.category, b.buildings, a.family <> 'rest' AS published,
            CASE a.family WHEN 'division' THEN coalesce(s.n, 0) ELSE coalesce(t.z, 0) END AS n,
            CASE a.family WHEN 'division' THEN coalesce(s.noisy, 0) ELSE coalesce(t.pieces, 0) END AS noisy,
            false AS withheld, false AS moved
        FROM areas a
        JOIN (SELECT v.area, sum(l.buildings)::integer AS buildings FROM covers v JOIN places l USING (place)
            GROUP BY v.area) b USING (area)
        CROSS JOIN unnest(ARRAY['all', 'permanent', 'floating', 'other', 'undetermined']) AS c (category)
        LEFT JOIN settled s ON a.family = 'division' AND s.area = a.area AND s.category = c.category
        LEFT JOIN counts t ON t.area = a.area AND t.category = c.category;
    ANALYZE gate;
END $$;

CREATE FUNCTION calc.square(size integer, east_100m integer, north_100m integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT size || 'E' || floor(east_100m::double precision * 100 / size)::integer
        || 'N' || floor(north_100m::double precision * 100 / size)::integer
$$;

-- One round of complementary suppression, over the totals that are "due"; how many are in the next round, 0 when none
-- gives anything back: those that what this round withheld is a part of, and those that it is.
-- A total that is shown gives back what is withheld of its parts: one alone, or together so few people, or so few
-- buildings, that it would be withheld itself. A total that is withheld is given back where all its parts are shown.
-- Then the smallest part that is shown is withheld as well, and where none is left the total is. Its joins are over
-- whole tables; the planner, who knows nothing of a sum before it is made, would nest loops.
CREATE FUNCTION calc.withhold_more(this_round integer, withheld_below integer, least_buildings integer)
RETURNS integer LANGUAGE plpgsql SET enable_nestloop = off SET work_mem = '256MB' AS $$
DECLARE
    next_round integer;
BEGIN
    WITH parts AS (
        SELECT d.kind, t.area AS total, t.category AS total_category, t.withheld AS total_withheld,
            p.area, p.category, p.buildings, p.published, p.n, p.withheld OR NOT p.published AS hidden
        FROM due d
        JOIN gate t ON t.area = d.total AND t.category = d.total_category AND t.n > 0
        JOIN gate p ON p.parent = t.area AND p.category = t.category
        WHERE d.round = this_round AND d.kind = 'tree'
        UNION ALL
        SELECT d.kind, t.area, 'all', t.withheld, p.area, p.category, p.buildings, p.published,
            CASE WHEN p.moved THEN 0 ELSE p.n END, p.withheld
        FROM due d
        JOIN gate t ON t.area = d.total AND t.category = 'all' AND t.n > 0 AND t.published
        JOIN gate p ON p.area = t.area AND p.category <> 'all'
        WHERE d.round = this_round AND d.kind = 'categories'
    ), unsafe AS (
        SELECT kind, total, total_category, sum(n) FILTER (WHERE hidden) AS n FROM parts
        GROUP BY kind, total, total_category, total_withheld
        HAVING CASE WHEN total_withheld THEN NOT bool_or(hidden) ELSE bool_or(hidden) AND (
            count(*) FILTER (WHERE hidden) = 1 AND bool_or(hidden AND published AND n > 0)
            OR sum(n) FILTER (WHERE hidden) BETWEEN 1 AND withheld_below - 1
            OR kind = 'tree' AND sum(buildings) FILTER (WHERE hidden) < least_buildings
            OR kind = 'tree' AND total_category = 'all' AND sum(n) FILTER (WHERE hidden) = 0) END
    ), next AS (
        SELECT DISTINCT ON (u.kind, u.total, u.total_category) u.total, u.total_category, p.area, p.category
        FROM unsafe u
        LEFT JOIN parts p ON p.kind = u.kind AND p.total = u.total AND p.total_category = u.total_category
            AND NOT p.hidden
        ORDER BY u.kind, u.total, u.total_category, coalesce(u.n, 0) < withheld_below AND p.n = 0, p.n, p.area,
            p.category
    ), struck AS (
        UPDATE gate g SET withheld = true
        FROM (SELECT DISTINCT coalesce(area, total) AS area, coalesce(category, total_category) AS category FROM next) c
        WHERE g.area = c.area AND g.category = c.category AND NOT g.withheld
        RETURNING g.area, g.parent, g.category
    )
    INSERT INTO due
        SELECT this_round + 1, 'tree', parent, category FROM struck WHERE parent IS NOT NULL
        UNION SELECT this_round + 1, 'tree', area, category FROM struck
        UNION SELECT this_round + 1, 'categories', area, 'all' FROM struck;
    GET DIAGNOSTICS next_round = ROW_COUNT;
    RETURN next_round;
END $$;

-- Categories of which few are withheld, against a largest one that is shown and at least twenty times as many, are
-- told together with it: the categories shown then add up to all, and nothing has to be withheld for their sake.
CREATE FUNCTION calc.move_to_largest(withheld_below integer) RETURNS void LANGUAGE plpgsql SET work_mem = '256MB' AS $$
BEGIN
    CREATE TEMPORARY TABLE moves ON COMMIT DROP AS
        SELECT area, sum(n) FILTER (WHERE withheld AND category <> 'all') AS n,
            (array_agg(category ORDER BY n DESC, category)
                FILTER (WHERE NOT withheld AND category <> 'all'))[1] AS largest
        FROM gate WHERE published GROUP BY area
        HAVING bool_or(category = 'all' AND NOT withheld)
            AND sum(n) FILTER (WHERE withheld AND category <> 'all') BETWEEN 1 AND withheld_below - 1
            AND sum(n) FILTER (WHERE withheld AND category <> 'all') * 20
                <= max(n) FILTER (WHERE NOT withheld AND category <> 'all');
    UPDATE gate g SET moved = g.withheld, n = CASE WHEN g.withheld THEN g.n ELSE g.n + m.n END
    FROM moves m
    WHERE m.area = g.area AND (g.withheld OR g.category = m.largest) AND g.category <> 'all';
END $$;

-- Write the release of a day. Runs as siting_job, which sees sums and no person.
CREATE FUNCTION calc.release_counts(day date, withheld_below integer, least_buildings integer, least_pieces integer)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    round integer := 1;
BEGIN
    PERFORM calc.fill_gate(day, withheld_below, least_pieces);
    UPDATE gate SET withheld = true
    WHERE buildings < least_buildings
        OR n < withheld_below AND (n <> 0 OR category = 'all' OR family IN ('square 100', 'square 500'));
    PERFORM calc.move_to_largest(withheld_below);
    CREATE TEMPORARY TABLE due ON COMMIT DROP AS
        SELECT round, kind, area AS total, category AS total_category
        FROM gate CROSS JOIN unnest(ARRAY['tree', 'categories']) AS kind WHERE kind = 'tree' OR category = 'all';
    WHILE calc.withhold_more(round, withheld_below, least_buildings) > 0 LOOP
        round := round + 1;
    END LOOP;
    INSERT INTO pub.releases (release, withheld_below, most_noise) VALUES (day, withheld_below,
        (SELECT max(abs(noise)) FROM calc.ptable));
    INSERT INTO pub.division_counts (release, division_code, category, n, withheld, noise_sd)
        SELECT day, area::bigint, category, CASE WHEN NOT withheld THEN n END, withheld,
            CASE WHEN NOT withheld THEN calc.noise_sd(noisy) END
        FROM gate WHERE family IN ('division', 'village');
    INSERT INTO pub.cells (cell, size, geometry)
        SELECT cell, split_part(cell, 'E', 1)::integer, shape FROM calc.square_shapes(ARRAY(
            SELECT a.area FROM areas a
            WHERE a.family LIKE 'square %' AND NOT EXISTS (SELECT FROM pub.cells c WHERE c.cell = a.area)
        ));
    INSERT INTO pub.cell_counts (release, size, cell, category, n, withheld, noise_sd)
        SELECT day, split_part(family, ' ', 2)::integer, area, category, CASE WHEN NOT withheld THEN n END, withheld,
            CASE WHEN NOT withheld THEN calc.noise_sd(noisy) END
        FROM gate WHERE family LIKE 'square %';
END $$;

-- The standard deviation of the noise of so many pieces; the perturbation table's largest rows have a variance of 2.
CREATE FUNCTION calc.noise_sd(pieces integer) RETURNS real LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT round(sqrt(2.0 * pieces), 1)::real
$$;

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

REVOKE EXECUTE ON FUNCTION calc.release_counts(date, integer, integer, integer), calc.fill_gate(date, integer, integer),
    calc.withhold_more(integer, integer, integer), calc.move_to_largest(integer), calc.settle_divisions(integer),
    calc.fill_areas(), calc.noise_sd(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION calc.release_counts(date, integer, integer, integer), calc.fill_gate(date, integer, integer),
    calc.withhold_more(integer, integer, integer), calc.move_to_largest(integer), calc.settle_divisions(integer),
    calc.fill_areas(), calc.noise_sd(integer) TO {siting_job};
