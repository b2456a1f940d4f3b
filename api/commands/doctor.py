"""``menpai doctor``: look for what is wrong, and say what to do about it."""

import shutil
import stat
from collections.abc import Iterator

import click
from sqlalchemy import text

from api.commands.server import whereabouts
from gis import settings
from gis.errors import BadArgument, MenpaiError
from gis.store import programs, schema, session
from gis.store.cluster import ClusterError

LEAST_FREE_BYTES = 2 * 1024**3
OPEN_TO_OTHERS = stat.S_IRWXG | stat.S_IRWXO

Finding = tuple[bool, str]
"""Whether it is well, and one line about it."""


@click.command("doctor")
def doctor() -> None:
    """Check programs, server, rights, schema, keys and disk; exit 2 where something is wrong."""
    wrong = 0
    for examine in (_programs, _disk, _keys, _database):
        for well, line in examine():
            click.echo(f"{'  ok ' if well else '错 no '} {line}")
            wrong += not well
    if wrong:
        raise BadArgument(why=f"{wrong} of these need attention")


def _programs() -> Iterator[Finding]:
    """Tell which PostgreSQL with PostGIS the private server would use."""
    here = settings.read()
    if here.database_url is not None:
        yield True, "MENPAI_DATABASE_URL names a server of your own"
        return
    found = programs.installations(here.var)
    if found:
        yield True, f"PostgreSQL {found[0].version} with PostGIS in {found[0].bin_dir}"
    else:
        yield False, "no PostgreSQL with PostGIS here: install postgresql and postgresql-NN-postgis-3"


def _disk() -> Iterator[Finding]:
    """Tell how much room the state has."""
    place = settings.read().var
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    yield free >= LEAST_FREE_BYTES, f"{free / 1024**3:.1f} GiB free under {place}"


def _keys() -> Iterator[Finding]:
    """Tell whether the keys are there, and closed to others."""
    here = settings.read()
    if not here.key_file.exists():
        yield True, f"no master key yet ({here.key_file}); “menpai keys init” makes one before the first roster"
        return
    for path in (here.key_file, here.key_store):
        if path.exists():
            closed = not path.stat().st_mode & OPEN_TO_OTHERS
            yield closed, f"{path}" + ("" if closed else f" is open to others: chmod 600 {path}")


def _database() -> Iterator[Finding]:
    """Tell whether the server answers, grants what is needed, and stands at the present schema."""
    try:
        yield True, whereabouts()
        yield from _rights()
        current = schema.is_current()
        yield current, "schema: current" if current else "schema: not the present one; “menpai up” brings it there"
        if current:
            yield from _contents()
    except (MenpaiError, ClusterError) as error:
        yield False, str(error)


def _rights() -> Iterator[Finding]:
    """Tell whether the log-in may make what is missing; if not, print what an administrator must run."""
    with session.connect() as connection:
        database, may = connection.execute(
            text("SELECT current_database(), rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user")
        ).one()
        missing = set(schema.EXTENSIONS) - set(connection.execute(text("SELECT extname FROM pg_extension")).scalars())
        wanted = {f"{database}_{role}" for role in schema.ROLES}
        absent = wanted - set(connection.execute(text("SELECT rolname FROM pg_roles")).scalars())
        if may or not (missing or absent):
            yield True, "rights: enough"
            return
        yield False, "rights: an administrator must run, in this database, as one who may log in as you:"
        for statement in schema.preparation(database):
            click.echo(f"{statement.as_string(session.driver(connection))};")


def _contents() -> Iterator[Finding]:
    """Tell whether numbers and dwellings are as they must be."""
    with session.open("owner") as connection:
        homeless = connection.execute(
            text(
                "SELECT count(*) FROM reg.buildings b WHERE NOT EXISTS"
                " (SELECT FROM reg.dwellings d WHERE d.building_number = b.number)"
            )
        ).scalar_one()
        yield homeless == 0, f"{homeless:,} buildings without a dwelling"
