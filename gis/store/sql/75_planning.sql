-- Facilities are public, as structures are. Plans hold what may be shown and nothing else; planners ask for them, and
-- the job that makes them, which alone sees exact sums (siting_job), writes the answer. Nobody deletes either a plan
-- or what it was made from: a council may ask next year.

GRANT SELECT ON reg.facilities TO {registrar}, {planner}, {siting_job}, {public};
GRANT SELECT, INSERT ON reg.plans TO {planner};
GRANT UPDATE (status, ended_at) ON reg.plans TO {planner};
GRANT SELECT ON reg.plans TO {siting_job};
GRANT UPDATE (status, data_version, heard_at, ended_at, tries, progress, answer, refusal) ON reg.plans TO {siting_job};
CREATE TRIGGER plans_keep BEFORE DELETE OR TRUNCATE ON reg.plans FOR EACH STATEMENT EXECUTE FUNCTION calc.refuse();

-- Facilities of every kind, for everybody.
CREATE FUNCTION calc.facilities_tile(z integer, x integer, y integer) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT ST_AsMVT(feature, 'facilities', 4096, 'shape', 'id')
    FROM (
        SELECT f.id, f.kind, f.name, f.address,
            ST_AsMVTGeom(ST_Transform(f.geometry, 3857), ST_TileEnvelope(z, x, y), 4096, 64) AS shape
        FROM reg.facilities f
        WHERE f.geometry && calc.tile_reach(z, x, y)
    ) feature
    WHERE shape IS NOT NULL
$$;
REVOKE EXECUTE ON FUNCTION calc.facilities_tile(integer, integer, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION calc.facilities_tile(integer, integer, integer) TO {public}, {planner}, {registrar};
