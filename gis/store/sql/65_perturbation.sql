-- Cell-key perturbation: the noise between what the register holds and what a release says.
--
-- The method is that of Fraser & Wooton (Australian Bureau of Statistics, 2005) and Thompson, Broadfoot & Elazar
-- (UNECE, 2013) as the Office for National Statistics runs it (github.com/ONSdigital/cell-key-perturbation, Method
-- Specification 1.1): every record carries a fixed random key from 0 to 255 (reg.residencies.record_key); the key of a
-- cell is the sum of its records' keys mod 256; a perturbation table gives each count and cell key its noise. The
-- same people always get the same noise, so asking again, in another map or another month, averages nothing away.
--
-- Where it differs: ONS draws noise for each published cell, so that overlapping cells carry several draws for the
-- same people, and bounded noise falls to whoever intersects them (Asghar & Kaafar, "Averaging attacks on bounded
-- noise-based disclosure control algorithms", PETS 2020). Here noise is drawn once, for a piece: the residents of one
-- category in one 100 m square of one division. Every square and every village is a sum of perturbed pieces. So
-- sums agree wherever areas overlap, and whatever is worked out from a release, by any algebra, is at best a
-- perturbed piece: never what the piece holds. The price is noise that grows with the root of the pieces.

-- The perturbation table ("p-table"): of 256 cell keys, how many give a count its noise. From 4 residents on all
-- counts have the same row. Each row is the distribution of greatest entropy with mean 0, noise from -4 to 4 and no
-- result below 0 (Giessing, 2016), rounded to 256ths. Variance: 1.01, 1.52, 2.03, 1.97. Nobody stays nobody.
CREATE VIEW calc.ptable_rows AS
    SELECT * FROM (VALUES
        (1, -1, ARRAY[97, 88, 50, 17, 3, 1]),
        (2, -2, ARRAY[29, 63, 79, 56, 23, 5, 1]),
        (3, -3, ARRAY[9, 29, 56, 70, 55, 27, 8, 2]),
        (4, -4, ARRAY[1, 8, 27, 56, 72, 56, 27, 8, 1])
    ) AS rows (residents, least_noise, keys);

-- The same, one row for each count and cell key.
CREATE VIEW calc.ptable AS
    SELECT residents, (row_number() OVER (PARTITION BY residents ORDER BY place) - 1)::integer AS cell_key,
        (least_noise + place - 1)::integer AS noise
    FROM calc.ptable_rows
    CROSS JOIN LATERAL unnest(keys) WITH ORDINALITY AS k (many, place)
    CROSS JOIN LATERAL generate_series(1, many);

-- Fills two temporary tables. "places": where buildings stand, a 100 m square of a division, and how many of them.
-- "pieces": who lives there on a day, by category: x residents, of whom z are spoken of.
-- The planner expects few residencies to hold on a day, and would sort millions for it.
CREATE FUNCTION calc.fill_pieces(day date) RETURNS void LANGUAGE plpgsql
SET work_mem = '256MB' SET enable_sort = off AS $$
BEGIN
    CREATE TEMPORARY TABLE places ON COMMIT DROP AS
        SELECT row_number() OVER ()::integer AS place, division_code, east_100m, north_100m,
            count(*)::integer AS buildings
        FROM reg.buildings WHERE status = 'active' GROUP BY division_code, east_100m, north_100m;
    ANALYZE places;
    CREATE TEMPORARY TABLE standing ON COMMIT DROP AS
        SELECT b.number, l.place FROM reg.buildings b JOIN places l USING (division_code, east_100m, north_100m)
        WHERE b.status = 'active';
    ANALYZE standing;
    CREATE TEMPORARY TABLE pieces ON COMMIT DROP AS
        WITH counted AS (
            SELECT s.place, r.category, count(*)::integer AS x, (sum(r.record_key) % 256)::integer AS cell_key
            FROM standing s
            JOIN reg.residencies r ON r.building_number = s.number
                AND r.principal AND r.recorded_until IS NULL AND r.during @> day
            GROUP BY s.place, r.category
        )
        SELECT c.place, c.category, c.x, c.x + t.noise AS z
        FROM counted c
        JOIN calc.ptable t ON t.residents = least(c.x, 4) AND t.cell_key = c.cell_key;
    ANALYZE pieces;
END $$;

-- No number is shown of fewer people than are withheld: where noise would lift such an area (of "counts") to the
-- limit, its pieces get no upward noise. It needs "covers", the areas of each place.
CREATE FUNCTION calc.hold_down(withheld_below integer) RETURNS void LANGUAGE plpgsql SET work_mem = '256MB' AS $$
BEGIN
    CREATE TEMPORARY TABLE lowered ON COMMIT DROP AS
        SELECT DISTINCT p.place, p.category, p.z - p.x AS lowered_by
        FROM counts c
        JOIN covers v USING (area)
        JOIN pieces p ON p.place = v.place AND c.category IN (p.category, 'all')
        WHERE c.x < withheld_below AND c.z >= withheld_below AND p.z > p.x;
    UPDATE pieces p SET z = x FROM lowered l WHERE l.place = p.place AND l.category = p.category;
    UPDATE counts c SET z = c.z - l.lowered_by
    FROM (
        SELECT v.area, coalesce(l.category, 'all') AS category, sum(l.lowered_by)::integer AS lowered_by
        FROM lowered l JOIN covers v USING (place) GROUP BY GROUPING SETS ((v.area, l.category), (v.area))
    ) l
    WHERE l.area = c.area AND l.category = c.category;
END $$;

-- A corrected or ended residency is another row for the same person: with a new key it would draw noise anew. The
-- trigger reads past the row policies, and says nothing of the row.
CREATE FUNCTION calc.keep_record_key() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.record_key := coalesce(
        (SELECT r.record_key FROM reg.residencies r WHERE r.id = NEW.replaces_id), NEW.record_key);
    RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION calc.keep_record_key() FROM PUBLIC;
CREATE TRIGGER residencies_keep_record_key BEFORE INSERT ON reg.residencies
    FOR EACH ROW WHEN (NEW.replaces_id IS NOT NULL) EXECUTE FUNCTION calc.keep_record_key();

GRANT SELECT ON calc.ptable_rows, calc.ptable TO {siting_job};
GRANT SELECT (record_key) ON reg.residencies TO {siting_job};
REVOKE EXECUTE ON FUNCTION calc.fill_pieces(date), calc.hold_down(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION calc.fill_pieces(date), calc.hold_down(integer) TO {siting_job};
