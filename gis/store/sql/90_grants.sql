-- Who may touch structures. Person tables: people.sql. Released counts: release.sql.

GRANT USAGE ON SCHEMA reg TO {registrar}, {planner}, {siting_job}, {resident_desk}, {accounts}, {public},
    {sealer}, {auditor};
GRANT USAGE ON SCHEMA calc TO {registrar}, {planner}, {siting_job}, {resident_desk}, {accounts}, {public},
    {auditor};
GRANT USAGE ON SCHEMA pub TO {registrar}, {planner}, {siting_job}, {public};

GRANT SELECT ON reg.divisions, reg.division_changes, reg.census_figures, reg.buildings, reg.dwellings,
    reg.addresses TO {registrar}, {planner}, {siting_job}, {public};
GRANT SELECT ON reg.premises TO {registrar}, {planner};
-- What a site offers and when it was checked is for the desk; others see what it is and who answers for it.
REVOKE SELECT ON reg.premises FROM {siting_job}, {public};
GRANT SELECT (id, kind, name, division_code, responsible_organisation, permit, permit_until) ON reg.premises
    TO {siting_job}, {public};
GRANT SELECT ON reg.divisions TO {resident_desk}, {accounts};
GRANT SELECT ON reg.sources, reg.batches, reg.batch_rows, reg.external_references, reg.building_events,
    reg.building_versions, reg.premises_events, reg.inspections TO {registrar}, {planner};
GRANT SELECT ON reg.building_lineage TO {registrar}, {planner}, {public};
GRANT SELECT ON reg.number_serials TO {planner};

GRANT INSERT ON reg.sources, reg.batches, reg.batch_rows, reg.premises, reg.buildings, reg.dwellings,
    reg.addresses, reg.external_references, reg.building_events, reg.building_versions, reg.building_lineage,
    reg.premises_events, reg.inspections TO {registrar};
GRANT UPDATE (closed_seq) ON reg.building_versions TO {registrar};
GRANT UPDATE ON reg.batches, reg.premises, reg.buildings, reg.dwellings, reg.addresses,
    reg.external_references TO {registrar};
GRANT SELECT, UPDATE ON reg.number_serials TO {registrar};
-- Field officers have no role of their own: the service asks for their account's, and lets them find and lease.
GRANT SELECT, INSERT ON reg.findings, reg.number_leases, reg.leased_numbers TO {registrar};
GRANT UPDATE (status, decided_by, decided_at, decline_reason, seq) ON reg.findings TO {registrar};
GRANT UPDATE (ended_at, ended_by) ON reg.number_leases TO {registrar};

-- Roads are reference data, like boundaries: the owner brings them, everybody may see them.
GRANT SELECT ON reg.road_ways, reg.road_barriers TO {registrar}, {planner}, {siting_job}, {public};

-- How many residents a roster brought is a count of people, which only the disclosure gate gives out:
-- planners see batches of structures.
ALTER TABLE reg.batches ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS everything ON reg.batches;
DROP POLICY IF EXISTS structures_only ON reg.batches;
CREATE POLICY everything ON reg.batches TO {registrar} USING (true) WITH CHECK (true);
CREATE POLICY structures_only ON reg.batches FOR SELECT TO {planner} USING (kind <> 'roster');
