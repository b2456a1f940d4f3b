"""The one way to the database: an engine per process, and sessions that take a role for one transaction.

Only this module commits. A session is a transaction: what happens inside it happens whole or not at
all, and the role, actor and purpose it runs under end with it, so that a pooled connection carries
nothing into the next request.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, Literal

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, OperationalError

from gis import settings
from gis.errors import DatabaseUnreachable
from gis.store import cluster

DatabaseRole = Literal[
    "owner",
    "registrar",
    "planner",
    "siting_job",
    "resident_desk",
    "accounts",
    "public",
    "eraser",
    "sealer",
    "auditor",
]
"""Roles a session may take; in the server their names are ``<database>_<role>``."""
DATABASE = "menpai"
"""The database's name in the private cluster."""
_engines: dict[str, Engine] = {}


def conninfo() -> str:
    """Return libpq's words for reaching the database as the administrator.

    Raises DatabaseUnreachable where no server of one's own is named and the private one is down.
    """
    here = settings.read()
    if here.database_url:
        try:
            url = make_url(here.database_url).set(drivername="postgresql")
        except ArgumentError as error:  # its message repeats the address, and any password in it
            raise DatabaseUnreachable(
                why="MENPAI_DATABASE_URL is no address such as postgresql://user@host/name"
            ) from error
        return url.render_as_string(hide_password=False)
    running = cluster.find(here.var)
    if running is None:
        raise DatabaseUnreachable(why=f"no server runs under {here.var}")
    return running.conninfo(DATABASE)


def _new_engine(conninfo: str) -> Engine:
    """Return an engine for one database; the pool is checked, so a restarted server is no fault."""

    def connect() -> psycopg.Connection[Any]:
        return psycopg.connect(conninfo, application_name="menpai", connect_timeout=10)

    engine = create_engine("postgresql+psycopg://", creator=connect, pool_pre_ping=True, pool_size=8, max_overflow=8)

    @event.listens_for(engine, "connect")
    def settle(connection: Any, _record: object) -> None:  # noqa: ANN401 - SQLAlchemy's own type
        """Keep plans serial: parallel workers made a point look-up seventy times slower."""
        connection.execute("SET max_parallel_workers_per_gather = 0")
        connection.execute("SET TIME ZONE 'Asia/Shanghai'")
        connection.commit()

    return engine


def engine() -> Engine:
    """Return this process's engine for the database the settings name."""
    wanted = conninfo()
    if wanted not in _engines:
        _engines[wanted] = _new_engine(wanted)
    return _engines[wanted]


def forget() -> None:
    """Close every pooled connection: the server is about to stop, or another database is meant."""
    while _engines:
        _engines.popitem()[1].dispose()


def connect() -> Connection:
    """Return a pooled connection under the log-in itself, for looking at the server; raises DatabaseUnreachable."""
    try:
        return engine().connect()
    except OperationalError as error:
        raise DatabaseUnreachable(why=str(error.orig).strip().splitlines()[0]) from error


_TAKE: Final = text("""
    SELECT set_config('role', current_database() || '_' || CAST(:role AS text), true),
        CASE WHEN CAST(:actor AS text) IS NOT NULL THEN set_config('menpai.actor', CAST(:actor AS text), true) END,
        CASE WHEN CAST(:purpose AS text) IS NOT NULL THEN set_config('menpai.purpose', CAST(:purpose AS text), true) END
""")
"""One way to the server and back, where three would cost each request as much as what it came for."""


@contextmanager
def open(  # noqa: A001 - read as session.open(...), like every other open
    role: DatabaseRole, *, actor: str | None = None, purpose: str | None = None
) -> Iterator[Connection]:
    """Yield a connection in one transaction under a role; commit at the end, roll back on any error.

    ``actor`` and ``purpose`` stand as ``menpai.actor`` and ``menpai.purpose`` for policies and
    triggers to read. Raises DatabaseUnreachable when no server answers.
    """
    with connect() as connection, connection.begin():
        connection.execute(_TAKE, {"role": role, "actor": actor, "purpose": purpose})
        try:
            yield connection
        except BaseException:
            _drop_if_busy(connection)
            raise


def _drop_if_busy(connection: Connection) -> None:
    """Drop a connection that an interrupt caught between a command and its answer: it cannot even roll back.

    The command is cancelled, so that its locks go now; the server rolls back what was open.
    """
    if connection.invalidated or connection.closed:
        return
    beneath = driver(connection)
    if not beneath.closed and beneath.info.transaction_status == TransactionStatus.ACTIVE:
        with suppress(psycopg.Error):
            beneath.cancel_safe(timeout=5)
        connection.invalidate()


def take_role(connection: Connection, role: DatabaseRole) -> None:
    """Let the rest of the transaction run as a role of this database, as SET LOCAL ROLE does."""
    connection.execute(
        text("SELECT set_config('role', current_database() || '_' || CAST(:role AS text), true)"), {"role": role}
    )


def driver(connection: Connection) -> psycopg.Connection[Any]:
    """Return psycopg's connection beneath, for COPY."""
    beneath = connection.connection.driver_connection
    if not isinstance(beneath, psycopg.Connection):
        message = "the engine does not run on psycopg 3"
        raise TypeError(message)
    return beneath
