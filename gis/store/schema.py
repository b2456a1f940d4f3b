"""Bring a database to the present schema: roles, extensions, migrations, and the SQL replayed.

Tables live in ``reg`` and change by forward-only migrations. Functions, views, triggers, policies
and grants live in ``sql/*.sql`` and are replayed into ``calc`` in the same transaction, so the law
in force is always the text in those files. Counts that have been released live in ``pub``.
"""

import hashlib
from importlib.resources import files
from pathlib import Path
from typing import Final, get_args

from alembic import command
from alembic.config import Config
from psycopg import sql
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Connection, text

from gis.errors import DatabaseLacksRights
from gis.store import session

ROLES: Final = get_args(session.DatabaseRole)
SERVICE = "service"
"""The log-in of the HTTP service: it owns nothing, inherits nothing, and may only take the roles it serves."""
SERVED = ("registrar", "planner", "resident_desk", "accounts", "public", "auditor")
EXTENSIONS = ("postgis", "btree_gist")
UPGRADE_LOCK = 0x6D656E70  # "menp"


def upgrade() -> None:
    """Bring the database to the present schema; does nothing where it stands there already.

    Raises DatabaseUnreachable, and DatabaseLacksRights where the account may not make roles or
    extensions and an administrator has not made them.
    """
    with session.connect() as connection, connection.begin():
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": UPGRADE_LOCK})
        if _applied(connection) == _digest():
            return
        prepare(connection)
        session.take_role(connection, "owner")
        # first, so that no view of it stands in the way of a migration; nothing in reg depends on it
        connection.execute(text("DROP SCHEMA IF EXISTS calc CASCADE"))
        migrate(connection)
        replay(connection)


def is_current() -> bool:
    """Tell whether the database stands at the present schema; raises DatabaseUnreachable."""
    with session.connect() as connection:
        return _applied(connection) == _digest()


def analyse() -> None:
    """Tell the query planner what the tables hold now; after a bulk load it would guess for a minute, badly."""
    with session.open("owner") as connection:
        raw = session.driver(connection)
        names = connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'reg'")).scalars()
        for name in names:
            raw.execute(sql.SQL("ANALYZE {}").format(sql.Identifier("reg", name)))


def prepare(connection: Connection) -> None:
    """Make the extensions, roles and schemas; what is there already is left alone."""
    database = connection.execute(text("SELECT current_database()")).scalar_one()
    raw = session.driver(connection)
    try:
        for statement in preparation(database):
            raw.execute(statement.as_string(raw).encode())
    except InsufficientPrivilege as error:
        raise DatabaseLacksRights(why=str(error).splitlines()[0]) from error


def preparation(database: str) -> list[sql.Composable]:
    """Return the statements that need an administrator; ``menpai doctor`` prints them."""
    names = {role: f"{database}_{role}" for role in ROLES}
    owner = sql.Identifier(names["owner"])
    statements: list[sql.Composable] = [
        sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(extension)) for extension in EXTENSIONS
    ]
    statements += [
        sql.SQL(
            "DO $$ BEGIN IF to_regrole({quoted}) IS NULL THEN CREATE ROLE {role} NOLOGIN; END IF; "
            "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        ).format(quoted=sql.Literal(sql.Identifier(name).as_string(None)), role=sql.Identifier(name))
        for name in names.values()
    ]
    statements += _service(database)
    statements += [
        sql.SQL("GRANT {} TO CURRENT_USER").format(sql.SQL(", ").join(sql.Identifier(name) for name in names.values())),
        sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(sql.Identifier(database), owner),
        sql.SQL("REVOKE CREATE ON SCHEMA public FROM PUBLIC"),
    ]
    statements += [
        sql.SQL("CREATE SCHEMA IF NOT EXISTS {} AUTHORIZATION {}").format(sql.Identifier(schema), owner)
        for schema in ("reg", "pub")
    ]
    return statements


def _service(database: str) -> list[sql.Composable]:
    """Return the statements that make the service's log-in; it gets no password here, so over a network no way in."""
    name = f"{database}_{SERVICE}"
    served = sql.SQL(", ").join(sql.Identifier(f"{database}_{role}") for role in SERVED)
    return [
        sql.SQL(
            "DO $$ BEGIN IF to_regrole({quoted}) IS NULL THEN CREATE ROLE {role} LOGIN NOINHERIT; END IF; "
            "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        ).format(quoted=sql.Literal(sql.Identifier(name).as_string(None)), role=sql.Identifier(name)),
        sql.SQL("GRANT {} TO {}").format(served, sql.Identifier(name)),
    ]


def migrate(connection: Connection) -> None:
    """Run the migrations that are still missing, in this transaction."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def replay(connection: Connection) -> None:
    """Make ``calc``, its triggers, policies and grants again from the files."""
    raw = session.driver(connection)
    database = connection.execute(text("SELECT current_database()")).scalar_one()
    roles = {role: sql.Identifier(f"{database}_{role}") for role in ROLES}
    raw.execute("DROP SCHEMA IF EXISTS calc CASCADE")  # a database made from the models has none
    raw.execute(sql.SQL("CREATE SCHEMA calc AUTHORIZATION {owner}").format(**roles))
    for name, body in _files():
        # a file names roles as {registrar}; other braces have no business in our SQL
        composed = sql.SQL(body).format(**roles)
        try:
            raw.execute(composed)
        except Exception as error:
            error.add_note(f"in gis/store/sql/{name}")
            raise
    raw.execute(sql.SQL("COMMENT ON SCHEMA calc IS {}").format(sql.Literal(_digest())))


def _files() -> list[tuple[str, str]]:
    """Return name and text of each SQL file, in the order they are replayed."""
    folder = files("gis.store") / "sql"
    return sorted((entry.name, entry.read_text("utf-8")) for entry in folder.iterdir() if entry.name.endswith(".sql"))


def _digest() -> str:
    """Return a hash of roles, migrations and SQL: what the database should stand at."""
    migrations = Path(__file__).parent / "migrations" / "versions"
    texts = [body for _, body in _files()] + [path.read_text("utf-8") for path in sorted(migrations.glob("*.py"))]
    texts += [statement.as_string(None) for statement in preparation("register")]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def _applied(connection: Connection) -> str | None:
    """Return the hash the database stands at, None for a new one."""
    applied: str | None = connection.execute(
        text("SELECT obj_description(to_regnamespace('calc')::oid, 'pg_namespace')")
    ).scalar_one_or_none()
    return applied
