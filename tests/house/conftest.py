"""Two databases made apart, one by the migrations and one from the models, and what the tests read them with."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

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
    session,
    structure_models,
)
from gis.store.base import Base

Catalogue = dict[str, dict[str, str]]
ReadCatalogue = Callable[[psycopg.Connection], Catalogue]
MODELLED = (
    account_models,
    field_models,
    log_models,
    models,
    people_models,
    planning_models,
    released_models,
    road_models,
    structure_models,
)  # importing them fills Base.metadata


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the top of the checkout."""
    return Path(__file__).parents[2]


@pytest.fixture(scope="session")
def upgraded(migrated: str) -> Iterator[str]:
    """Yield the URL of an empty database that ``schema.upgrade`` brought to the present schema."""
    with _own_database(migrated, "upgraded") as url:
        with _named_by_the_settings(url):
            schema.upgrade()
        yield url


@pytest.fixture(scope="session")
def modelled(migrated: str) -> Iterator[str]:
    """Yield the URL of an empty database whose tables were made from the models, without a migration."""
    with _own_database(migrated, "modelled") as url:
        with _named_by_the_settings(url), session.connect() as connection, connection.begin():
            schema.prepare(connection)
            session.take_role(connection, "owner")
            Base.metadata.create_all(connection)
            schema.replay(connection)
        yield url


@pytest.fixture
def settled(upgraded: str) -> Iterator[str]:
    """Yield the URL of the upgraded database while the settings name it."""
    with _named_by_the_settings(upgraded):
        yield upgraded


@pytest.fixture(scope="session")
def read_catalogue() -> ReadCatalogue:
    """Return what reads a database's catalogue as {kind: {name: definition}}, its name taken out of the roles'."""
    statement = Path(__file__).with_name("catalogue.sql").read_text("utf-8").encode()

    def read(connection: psycopg.Connection) -> Catalogue:
        connection.execute("SET LOCAL search_path = ''")  # so that every name is written with its schema
        rows = connection.execute(statement).fetchall()
        connection.execute("SET LOCAL search_path TO DEFAULT")
        found: Catalogue = {}
        for kind, name, definition in rows:
            plain = [str(word).replace(connection.info.dbname, "register") for word in (name, definition)]
            found.setdefault(kind, {})[plain[0]] = plain[1]
        return found

    return read


@contextmanager
def _named_by_the_settings(url: str) -> Iterator[None]:
    """Let the program work on another database for a while."""
    with pytest.MonkeyPatch.context() as settings:
        settings.setenv("MENPAI_DATABASE_URL", url)
        yield
    session.forget()


@contextmanager
def _own_database(server: str, suffix: str) -> Iterator[str]:
    """Make a database for a while; take it and its roles away again."""
    name = f"menpai_house_{suffix}_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        session.forget()
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
            for role in (*schema.ROLES, schema.SERVICE):
                connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(f"{name}_{role}")))
