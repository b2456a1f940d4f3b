"""A real PostGIS for every test that asks: the private cluster, a database apart, emptied before each test."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, expect, sync_playwright
from psycopg import sql
from sqlalchemy.engine import make_url

from gis import settings
from gis.store import cluster, schema, session

DATABASE = "menpai_test"
expect.set_options(timeout=30_000)  # a page waits for the service, and a busy machine for both
CLOSED = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
KEPT = {"alembic_version", "divisions", "division_changes", "census_figures", "number_serials"}
"""Tables whose rows every test needs and none changes."""


def _test_url() -> str:
    """Return where the tests' own database is, made on the server the settings name."""
    here = settings.read()
    if here.database_url:
        url = make_url(here.database_url).set(drivername="postgresql", database=DATABASE)
        admin = make_url(here.database_url).set(drivername="postgresql")
        with psycopg.connect(admin.render_as_string(hide_password=False), autocommit=True) as connection:
            _make(connection)
        return url.render_as_string(hide_password=False)
    running = cluster.start(here.var)
    cluster.create_database(running, DATABASE)
    return f"postgresql://{running.superuser}@/{DATABASE}?host={running.socket_dir}&port={running.port}"


def _make(connection: psycopg.Connection) -> None:
    """Make the tests' database where there is none."""
    found = connection.execute("SELECT FROM pg_database WHERE datname = %s", (DATABASE,)).rowcount
    if not found:
        connection.execute(f"CREATE DATABASE {DATABASE}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start a Chromium that reaches nothing by itself: the one the set-up found, or the system's."""
    names = ("chromium", "chromium-browser", "google-chrome")
    chromium = os.environ.get("MENPAI_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if chromium is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=CLOSED)
        yield running
        running.close()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the URL of a database at the present schema, with Ningxia's divisions; settings point to it."""
    from api import loading  # noqa: PLC0415 - the door that puts reference data and register together

    url = _test_url()
    keys = tmp_path_factory.mktemp("keys") / "master.key"
    before = {name: os.environ.get(name) for name in ("MENPAI_DATABASE_URL", "MENPAI_KEY_FILE")}
    os.environ.update(MENPAI_DATABASE_URL=url, MENPAI_KEY_FILE=str(keys))
    try:
        schema.upgrade()
        loading.load_reference()
        yield url
    finally:
        session.forget()
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@pytest.fixture
def database(migrated: str) -> str:
    """Return the URL of the test database, holding divisions and nothing else."""
    with psycopg.connect(migrated) as connection:
        connection.execute("SET session_replication_role = replica")  # past the triggers that keep every row
        filled = _filled(connection)
        if filled:
            connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.SQL(", ").join(filled)))
        connection.execute(
            "SELECT setval(format('%%I.%%I', schemaname, sequencename)::regclass, 1, false) FROM pg_sequences"
            " WHERE schemaname IN ('reg', 'pub') AND last_value IS NOT NULL"
            " AND NOT EXISTS (SELECT FROM unnest(%s::text[]) AS kept"
            " WHERE starts_with(sequencename::text, kept || '_'))",
            (sorted(KEPT),),
        )
        connection.execute("UPDATE reg.number_serials SET next_serial = 1, next_seq = 1")
    return migrated


def _filled(connection: psycopg.Connection) -> list[sql.Identifier]:
    """Return the tables that hold rows: truncating fifty tables and their indexes takes longer than most tests."""
    rows = connection.execute(
        "SELECT schemaname, tablename FROM pg_tables"
        " WHERE schemaname IN ('reg', 'pub') AND NOT tablename = ANY(%s) ORDER BY 1, 2",
        (sorted(KEPT),),
    ).fetchall()
    tables = [sql.Identifier(*row) for row in rows]
    looks = [
        sql.SQL("SELECT {place} WHERE EXISTS (SELECT FROM {table})").format(place=sql.Literal(place), table=table)
        for place, table in enumerate(tables)
    ]
    return [tables[place] for (place,) in connection.execute(sql.SQL(" UNION ALL ").join(looks)).fetchall()]


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Return the folder of data that is not shipped, or skip and say so."""
    folder = os.environ.get("MENPAI_TEST_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("MENPAI_TEST_DATA names no folder: data that is not shipped is not here")
    return Path(folder)
