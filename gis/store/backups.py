"""A backup of the register: what pg_dump writes of its three schemas, and never a key.

Identities lie in it sealed; what opens them is in the key store, which has a backup of its own (``menpai keys``).
A person whose key was destroyed since stays erased, whichever backup is brought back.
"""

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import text

from gis import settings
from gis.errors import BadArgument, FileNotReadable
from gis.store import programs, schema, session
from gis.store.programs import ClusterError

SCHEMAS: Final = ("reg", "pub", "calc")
_MAGIC: Final = b"PGDMP"
"""First bytes of a file in pg_dump's custom format."""


def backup(path: Path) -> int:
    """Write the register into a new file, whole or not at all, and return its bytes.

    Raises BadArgument where there is a file already or none can be written, DatabaseUnreachable, ClusterError.
    """
    if path.exists():
        raise BadArgument(why=f"{path} is there already; a backup never writes over another file")
    try:
        handle, name = tempfile.mkstemp(dir=path.resolve().parent, prefix=f".{path.name}.")  # for ourselves alone
    except OSError as error:
        raise BadArgument(why=f"{path} cannot be written: {error.strerror}") from error
    os.close(handle)
    draft = Path(name)
    try:
        _run("pg_dump", "--format=custom", *(f"--schema={each}" for each in SCHEMAS), f"--file={draft}")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return path.stat().st_size


def restore(path: Path) -> None:
    """Bring the register back from a backup into a database that holds none, at the present schema.

    The database has the name it had, since its roles do. Raises FileNotReadable, BadArgument where buildings, people
    or accounts are registered already, DatabaseUnreachable, DatabaseLacksRights, ClusterError.
    """
    _check(path)
    with session.connect() as connection, connection.begin():
        if connection.execute(text("SELECT to_regclass('reg.accounts') IS NOT NULL")).scalar_one():
            filled = connection.execute(text(_FILLED)).scalar_one()
            if filled:
                raise BadArgument(why="the register is not empty; a backup comes back into an empty one only")
        schema.prepare(connection)
        connection.execute(text("DROP SCHEMA IF EXISTS calc, reg, pub CASCADE"))
    session.forget()  # no pooled connection knows the tables that are gone
    _run("pg_restore", "--exit-on-error", "--single-transaction", str(path.resolve()))
    schema.upgrade()
    schema.analyse()


def _check(path: Path) -> None:
    """Refuse a file that is no backup, before anything is touched."""
    try:
        with path.open("rb") as file:
            start = file.read(len(_MAGIC))
    except OSError as error:
        raise FileNotReadable(path=path, why=error.strerror or error) from error
    if start != _MAGIC:
        raise FileNotReadable(path=path, why="it is no backup of a register")


def _run(name: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs on the register's database; raises ClusterError with its own last line.

    A password goes by the environment: arguments can be read by everybody on the machine.
    """
    words = {name: str(word) for name, word in conninfo_to_dict(session.conninfo()).items()}
    password = words.pop("password", None)
    found = programs.fitting(settings.read().var)
    done = subprocess.run(  # noqa: S603 - a program found by us, no shell
        [str(found.bin_dir / name), f"--dbname={make_conninfo('', **words)}", *arguments],
        env=found.environment() | ({"PGPASSWORD": password} if password else {}),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word of why"])[-1]
        message = f"{name} failed: {last}"
        raise ClusterError(message)


_FILLED: Final = """
    SELECT EXISTS (SELECT FROM reg.buildings) OR EXISTS (SELECT FROM reg.batches) OR EXISTS (SELECT FROM reg.accounts)
"""
