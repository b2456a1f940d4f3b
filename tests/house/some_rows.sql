-- One row in most tables, for tests of what must not touch rows. Nobody here is anybody.
INSERT INTO reg.divisions (code, name, level, source) VALUES (999999000000, '测试区', 'county', 'test');
INSERT INTO reg.division_changes (year, change, old_code, source) VALUES (2009, 'renamed', 640103000000, 'test');
INSERT INTO reg.census_figures VALUES (999999000000, 2020, 12345, 'exact', 'test');
INSERT INTO reg.sources (name) VALUES ('test');
INSERT INTO reg.batches (kind, source_id, file_name, actor, options, registered, unchanged, queued, refused)
    SELECT 'buildings', id, 'test.csv', 'tester', '{}', 1, 0, 1, 0 FROM reg.sources;
INSERT INTO reg.batch_rows (batch_id, row, outcome, reason, content)
    SELECT id, 2, 'queued', 'doubtful_duplicate', '{}' FROM reg.batches;
INSERT INTO reg.premises (kind, name, division_code) VALUES ('estate', '测试小区', 999999000000);
INSERT INTO reg.buildings (number, registered_seq, kind, status, division_code, east_100m, north_100m, h3_10, geometry)
    VALUES (153273413646, 1, 'residential', 'active', 999999000000, 5000, 5000, 1, 'SRID=4490;POINT(106 37.5)');
INSERT INTO reg.dwellings (building_number, sequence) VALUES (153273413646, 1);
INSERT INTO reg.addresses (building_number, standard_address, normalised) VALUES (153273413646, '测试1号', '测试1号');
INSERT INTO reg.building_events (seq, building_numbers, verb, actor) VALUES (1, '{153273413646}', 'register', 'tester');
INSERT INTO reg.findings (uuid, kind, building_number, division_code, based_on_seq, seen_on, proposed, touches, actor)
    VALUES (gen_random_uuid(), 'gone', 153273413646, 999999000000, 1, '2026-01-01', '{}', '{status}', 'tester');
INSERT INTO reg.number_leases (uuid, actor, kind, division_code, many, expires_on)
    VALUES (gen_random_uuid(), 'tester', 'residential', 999999000000, 1, '2027-01-01');
INSERT INTO reg.leased_numbers (number, lease_uuid) SELECT 153273413646, uuid FROM reg.number_leases;
INSERT INTO reg.premises_events (premises_id, verb, actor) SELECT id, 'register', 'tester' FROM reg.premises;
INSERT INTO reg.inspections (building_number, found, inspected_on, actor, seq)
    VALUES (153273413646, 'still_there', '2026-01-01', 'tester', 1);
INSERT INTO reg.accounts (name) VALUES ('tester');
INSERT INTO reg.account_grants (account_id, role, division_code)
    SELECT id, 'registrar', 999999000000 FROM reg.accounts;
INSERT INTO reg.persons (key_id, envelope) VALUES (gen_random_uuid(), '\x00');
INSERT INTO reg.residencies (person_id, building_number, dwelling_sequence, division_code, during, category,
        category_reason, basis)
    SELECT id, 153273413646, 1, 999999000000, '[2026-01-01,)', 'floating', 'other_county', 'declaration'
    FROM reg.persons;
INSERT INTO reg.access_records (actor, purpose, act, fields) VALUES ('tester', 'declaration', 'register', '{}');
INSERT INTO reg.access_leaves SELECT 1, id, NULL, '\x00', '\x00' FROM reg.access_records;
INSERT INTO reg.access_salts SELECT id, '\x00' FROM reg.access_records;
INSERT INTO reg.access_heads (position, hash, at, waiting, erased, epoch, bound, key, signature)
    VALUES (1, '\x00', '2026-01-01', 0, 0, 1, '1', '\x00', '\x00');
INSERT INTO pub.releases (release, withheld_below) VALUES ('2026-01-01', 10);
INSERT INTO pub.division_counts VALUES ('2026-01-01', 999999000000, 'all', NULL, true);
