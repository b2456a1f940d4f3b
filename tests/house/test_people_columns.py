"""A person is few fields, in few tables, open to few roles (rights.md, 1, 2 and 8)."""

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import Table

from gis.store import (
    account_models,
    field_models,
    log_models,
    models,
    people_models,
    planning_models,
    released_models,
    road_models,
    schema,
    structure_models,
)
from gis.store.base import Base

PERSON_COLUMNS = {
    "persons": {
        *("id", "key_id", "envelope", "document_digest"),  # the envelope seals name, document, birth date, sex
        *("citizenship_class", "hukou_code", "hukou_as_of"),
    },
    "residencies": {
        *("id", "person_id", "building_number", "dwelling_sequence", "division_code", "during", "principal"),
        *("category", "category_reason", "basis", "batch_id", "source_id", "occupant_id", "row_digest"),
        *("recorded_at", "recorded_until", "replaces_id", "record_key"),
    },
    "declarations": {
        *("id", "uuid", "receipt_digest", "kind", "document_digest", "person_id", "key_id", "envelope"),
        *("citizenship_class", "hukou_code", "hukou_as_of", "building_number", "dwelling_sequence", "division_code"),
        *("during", "principal", "residency_id", "status", "more_needed", "decline_reason", "taken_by", "taken_at"),
        *("decide_by", "decided_by", "decided_at", "expires_on"),
    },
    "roster_rows": {
        *("batch_id", "row", "occupant_id", "address", "outcome", "reason", "detail", "candidates", "division_code"),
        *("key_id", "envelope", "document_digest", "citizenship_class", "hukou_code", "hukou_as_of"),
        *("during", "basis", "expires_on", "row_digest"),
    },
    "residency_reviews": {
        *("id", "residency_id", "building_number", "division_code", "seq", "opened_at", "decided_at", "decision"),
    },
    "access_records": {"id", "at", "actor", "purpose", "act", "person_id", "batch_id", "fields", "xid", "epoch"},
}
"""Everything the register may know of people. A column more is a decision about rights.md, not about this test."""
ACCOUNT_TABLES = (
    *("accounts", "account_grants", "account_tokens", "account_factors", "account_recovery_codes"),
    *("account_identities", "account_provider_requests", "account_attempts", "account_events"),
)
LOG_TABLES = ("access_leaves", "access_salts", "access_heads")
ALL = "all columns"
Rights = dict[tuple[str, str], dict[str, frozenset[str]]]
WRITTEN_DOWN: dict[tuple[str, str], dict[str, str]] = {
    ("registrar", "persons"): {
        "SELECT": ALL,
        "INSERT": ALL,
        "UPDATE": "envelope document_digest citizenship_class hukou_code hukou_as_of",
    },
    ("registrar", "residencies"): {
        "SELECT": ALL,
        "INSERT": ALL,
        "UPDATE": "recorded_until",
    },
    ("registrar", "declarations"): {
        "SELECT": ALL,
        "INSERT": ALL,
        "UPDATE": "receipt_digest person_id key_id envelope building_number dwelling_sequence during residency_id"
        " status more_needed decline_reason decided_by decided_at expires_on",
    },
    ("registrar", "roster_rows"): {
        "SELECT": ALL,
        "INSERT": ALL,
        "UPDATE": "outcome reason key_id envelope document_digest citizenship_class hukou_code hukou_as_of during"
        " basis",
        "DELETE": ALL,
    },
    ("registrar", "residency_reviews"): {"SELECT": ALL, "UPDATE": "decision decided_at"},
    ("registrar", "access_records"): {"SELECT": ALL, "INSERT": "actor purpose act person_id batch_id fields"},
    ("resident_desk", "persons"): {"SELECT": ALL},
    ("resident_desk", "residencies"): {"SELECT": ALL},
    ("resident_desk", "declarations"): {"SELECT": ALL, "INSERT": ALL},
    ("resident_desk", "access_records"): {"SELECT": ALL, "INSERT": "actor purpose act person_id fields"},
    ("eraser", "persons"): {"SELECT": "id key_id", "DELETE": ALL},
    ("eraser", "residencies"): {"SELECT": "id person_id during recorded_until replaces_id", "DELETE": ALL},
    ("eraser", "declarations"): {"SELECT": "id key_id person_id decided_at expires_on", "DELETE": ALL},
    ("eraser", "roster_rows"): {"SELECT": "batch_id row key_id expires_on", "DELETE": ALL},
    ("eraser", "residency_reviews"): {"SELECT": "residency_id", "DELETE": ALL},
    ("eraser", "access_records"): {"SELECT": "id person_id", "UPDATE": "person_id"},
    ("eraser", "access_salts"): {"SELECT": "record_id", "DELETE": ALL},
    ("sealer", "access_records"): {"SELECT": ALL},
    **{("sealer", table): {"SELECT": ALL, "INSERT": ALL} for table in LOG_TABLES},
    ("auditor", "access_records"): {"SELECT": "id at actor purpose act batch_id fields"},
    ("siting_job", "residencies"): {
        "SELECT": "building_number division_code category during principal recorded_until record_key",
    },
    ("accounts", "accounts"): {"SELECT": ALL, "INSERT": "name", "UPDATE": "password_hash disabled_at"},
    ("accounts", "account_grants"): {
        "SELECT": ALL,
        "INSERT": "account_id role division_code valid_until",
        "UPDATE": "valid_until",
    },
    ("accounts", "account_tokens"): {
        "SELECT": ALL,
        "INSERT": "digest account_id use expires_at opened_by second_factor_at scope",
        "UPDATE": "used_at revoked_at active_at",
        "DELETE": ALL,
    },
    ("accounts", "account_factors"): {
        "SELECT": ALL,
        "INSERT": "account_id sealed",
        "UPDATE": "confirmed_at ended_at last_step",
    },
    ("accounts", "account_recovery_codes"): {
        "SELECT": ALL,
        "INSERT": "digest account_id",
        "UPDATE": "used_at",
        "DELETE": ALL,
    },
    ("accounts", "account_identities"): {"SELECT": ALL, "INSERT": "account_id issuer subject", "DELETE": ALL},
    ("accounts", "account_provider_requests"): {"SELECT": ALL, "INSERT": ALL, "DELETE": ALL},
    ("accounts", "account_attempts"): {
        "SELECT": ALL,
        "INSERT": "digest",
        "UPDATE": "failures failed_at succeeded_at",
        "DELETE": ALL,
    },
    ("accounts", "account_events"): {
        "SELECT": ALL,
        "INSERT": "actor act account_id role division_code valid_until",
    },
}
"""What a role may do with tables of people and accounts; whoever is not named may do nothing."""
BANNED = {
    *("ethnicity", "ethnic", "minzu", "religion", "religious", "faith", "politics", "political", "party"),
    *("health", "disease", "medical", "vaccination", "blood", "disability", "biometric", "face", "iris", "dna"),
    *("photo", "photograph", "portrait", "picture", "phone", "telephone", "mobile", "tel", "email", "wechat", "qq"),
    *("vehicle", "car", "licence", "employer", "occupation", "job", "workplace", "income", "education", "marital"),
    *("remark", "remarks", "note", "notes", "comment", "comments", "memo", "flag", "flags", "score", "risk", "alert"),
    *("watch", "suspect", "criminal", "device", "camera", "imei", "mac", "tracking", "last_seen", "social_credit"),
}
"""Parts of column names that would say what the register never says of anybody."""


@pytest.fixture
def connection(upgraded: str) -> Iterator[psycopg.Connection]:
    """Yield a connection to the upgraded database, whose transaction is rolled back at the end."""
    with psycopg.connect(upgraded) as opened:
        yield opened
        opened.rollback()


def columns(connection: psycopg.Connection) -> dict[str, set[str]]:
    """Return the columns of each table of the register, counts included."""
    rows = connection.execute(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema IN ('reg', 'pub')"
    ).fetchall()
    found: dict[str, set[str]] = {}
    for table, column in rows:
        found.setdefault(table, set()).add(column)
    return found


def rights(connection: psycopg.Connection) -> Rights:
    """Return what each role may do with which columns of the tables of people and accounts, nothing left out."""
    roles = {role: f"{connection.info.dbname}_{role}" for role in schema.ROLES if role != "owner"}
    roles["everybody"] = "public"
    found: Rights = {}
    for role, name in roles.items():
        rows = connection.execute(
            "SELECT c.relname, p.privilege, a.attname FROM pg_class c"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
            " CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'REFERENCES', 'DELETE', 'TRUNCATE', 'TRIGGER'])"
            " AS p(privilege)"
            " WHERE c.relnamespace = 'reg'::regnamespace AND c.relname = ANY(%(tables)s)"
            " AND CASE WHEN p.privilege IN ('DELETE', 'TRUNCATE', 'TRIGGER')"
            " THEN has_table_privilege(%(role)s, c.oid, p.privilege)"
            " ELSE has_column_privilege(%(role)s, c.oid, a.attnum, p.privilege) END",
            {"role": name, "tables": [*PERSON_COLUMNS, *ACCOUNT_TABLES, *LOG_TABLES]},
        ).fetchall()
        for table, privilege, column in rows:
            may = found.setdefault((role, table), {})
            may[privilege] = may.get(privilege, frozenset()) | {column}
    return found


def written_down(connection: psycopg.Connection) -> Rights:
    """Return WRITTEN_DOWN with the names of all columns where it says so."""
    known = columns(connection)
    return {
        (role, table): {
            privilege: frozenset(known[table] if named == ALL else named.split()) for privilege, named in may.items()
        }
        for (role, table), may in WRITTEN_DOWN.items()
    }


def test_tables_of_people_have_the_allowed_columns_and_no_other(connection: psycopg.Connection) -> None:
    found = columns(connection)
    assert {table: found[table] for table in PERSON_COLUMNS} == PERSON_COLUMNS


def test_models_of_people_are_the_allowed_tables_and_no_other() -> None:
    classes = [made for made in vars(people_models).values() if isinstance(made, type) and issubclass(made, Base)]
    mapped = {
        table.name: {column.name for column in table.columns}
        for table in (made.__table__ for made in classes if made is not Base)
        if isinstance(table, Table)
    }
    assert mapped == PERSON_COLUMNS


def test_only_tables_of_people_refer_to_a_person(connection: psycopg.Connection) -> None:
    telling = {
        "person_id",
        "residency_id",
        "envelope",
        "document_digest",
        "citizenship_class",
        "hukou_code",
        "hukou_as_of",
    }
    named = {table for table, names in columns(connection).items() if names & telling}
    assert named == PERSON_COLUMNS.keys()


def test_no_table_has_a_column_for_what_is_never_recorded(connection: psycopg.Connection) -> None:
    modelled = {
        table.name: {column.name for column in table.columns}
        for module in (
            account_models,
            field_models,
            log_models,
            models,
            people_models,
            planning_models,
            released_models,
            road_models,
            structure_models,
        )
        for table in module.Base.metadata.tables.values()
    }
    found = {
        f"{table}.{column}"
        for tables in (columns(connection), modelled)
        for table, names in tables.items()
        for column in names
        if BANNED & {column, *column.split("_")}
    }
    assert found == set()


def test_each_role_has_the_rights_over_people_that_are_written_down(connection: psycopg.Connection) -> None:
    assert rights(connection) == written_down(connection)


@pytest.mark.parametrize(
    "grant",
    [
        "GRANT SELECT ON reg.persons TO {planner}",
        "GRANT SELECT (envelope) ON reg.persons TO {public}",
        "GRANT SELECT (person_id) ON reg.residencies TO {siting_job}",
        "GRANT TRUNCATE ON reg.access_records TO {registrar}",
        "GRANT REFERENCES (id) ON reg.persons TO {accounts}",
        "GRANT {registrar} TO {planner}",
        "GRANT DELETE ON reg.residencies TO PUBLIC",
    ],
)
def test_a_right_that_is_not_written_down_is_found(grant: str, connection: psycopg.Connection) -> None:
    named = {role: f"{connection.info.dbname}_{role}" for role in schema.ROLES}
    connection.execute(grant.format(**named).encode())
    assert rights(connection) != written_down(connection)


def test_row_security_is_forced_on_every_table_of_people_and_accounts(connection: psycopg.Connection) -> None:
    rows = connection.execute(
        "SELECT relname FROM pg_class"
        " WHERE relnamespace = 'reg'::regnamespace AND relrowsecurity AND relforcerowsecurity"
    ).fetchall()
    assert {row[0] for row in rows} == {*PERSON_COLUMNS, *ACCOUNT_TABLES, *LOG_TABLES}


def test_views_of_people_run_with_the_askers_rights_and_are_open_to_sums_alone(connection: psycopg.Connection) -> None:
    rows = connection.execute(
        "SELECT DISTINCT v.oid::regclass::text, coalesce('security_invoker=true' = ANY(v.reloptions), false),"
        " ARRAY(SELECT role FROM unnest(%(roles)s::text[]) AS role"
        " WHERE has_any_column_privilege(role, v.oid, 'SELECT'))"
        " FROM pg_rewrite w JOIN pg_class v ON v.oid = w.ev_class AND v.relkind IN ('v', 'm')"
        " JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid"
        " JOIN pg_class t ON t.oid = d.refobjid AND t.relnamespace = 'reg'::regnamespace"
        " WHERE t.relname = ANY(%(tables)s)",
        {
            "tables": [*PERSON_COLUMNS],
            "roles": ["public", *(f"{connection.info.dbname}_{role}" for role in schema.ROLES if role != "owner")],
        },
    ).fetchall()
    assert sorted(rows) == [
        (f"calc.{view}", True, [f"{connection.info.dbname}_siting_job"])
        for view in ("building_occupancy", "building_residents")
    ]


def test_functions_that_read_past_the_row_policies_are_open_to_registrars_or_to_oneself_alone(
    connection: psycopg.Connection,
) -> None:
    rows = connection.execute(
        "SELECT p.proname, role FROM pg_proc p CROSS JOIN unnest(%s::text[]) AS role"
        " WHERE p.prosecdef AND p.pronamespace = 'calc'::regnamespace"
        " AND has_function_privilege(role, p.oid, 'EXECUTE')",
        (["public", *(f"{connection.info.dbname}_{role}" for role in schema.ROLES if role != "owner")],),
    ).fetchall()
    of_people = {(name, role.rpartition("_")[2]) for name, role in rows if name != "is_undone"}  # which reads events
    by_registrars = ("jurisdiction", "find_claims", "find_occupants", "person_declaring", "end_earlier")
    by_oneself = ("own_receipt", "end_own")
    assert of_people == {(name, "registrar") for name in by_registrars} | {(name, "desk") for name in by_oneself} | {
        ("audited_actors", "auditor")
    }
