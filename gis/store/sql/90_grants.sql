-- Who may touch structures. Person tables: people.sql. Released counts: release.sql.

GRANT USAGE ON SCHEMA reg TO {registrar}, {planner}, {siting_job}, {resident_desk}, {accounts}, {public};
GRANT USAGE ON SCHEMA calc TO {registrar}, {planner}, {siting_job}, {resident_desk}, {accounts}, {public};
GRANT USAGE ON SCHEMA pub TO {registrar}, {planner}, {siting_job}, {public};

GRANT SELECT ON reg.divisions, reg.division_changes, reg.census_figures, reg.buildings, reg.dwellings,
    reg.addresses, reg.premises TO {registrar}, {planner}, {siting_job}, {public};
GRANT SELECT ON reg.divisions TO {resident_desk}, {accounts};
GRANT SELECT ON reg.sources, reg.batches, reg.batch_rows, reg.external_references, reg.building_events
    TO {registrar}, {planner};

GRANT INSERT ON reg.sources, reg.batches, reg.batch_rows, reg.premises, reg.buildings, reg.dwellings,
    reg.addresses, reg.external_references, reg.building_events TO {registrar};
GRANT UPDATE ON reg.batches, reg.premises, reg.buildings, reg.dwellings, reg.addresses,
    reg.external_references TO {registrar};
GRANT SELECT, UPDATE ON reg.number_serials TO {registrar};
