"""``menpai up``, ``down`` and ``status``: the database beneath the register."""

import click
from sqlalchemy import text

from api import loading
from gis import settings
from gis.errors import BadArgument
from gis.store import cluster, schema, session


@click.command("up")
def up() -> None:
    """Start the private database, bring it to the present schema, and load divisions where there are none."""
    here = settings.read()
    if here.database_url is None:
        running = cluster.start(here.var)
        cluster.create_database(running, session.DATABASE)
    schema.upgrade()
    if not knows_divisions():
        loading.load_reference()
        schema.analyse()
    click.echo(f"数据库已就绪 the database is up: {whereabouts()}")


@click.command("down")
def down() -> None:
    """Stop the private database; a server of one's own is left alone."""
    here = settings.read()
    if here.database_url is not None:
        raise BadArgument(why="MENPAI_DATABASE_URL names a server of your own; stop it by its own means")
    session.forget()
    stopped = cluster.stop(here.var)
    click.echo("数据库已停止 the database is down" if stopped else "数据库未运行 no database was running")


@click.command("status")
def status() -> None:
    """Tell what runs and what the register holds; refuses where the database does not answer."""
    click.echo(f"数据库 database: {whereabouts()}")
    if not schema.is_current():
        click.echo("结构 schema: not the present one; “menpai up” brings it there")
        return
    click.echo("结构 schema: current")
    for label, n in holdings():
        click.echo(f"{label}: {n}")


def whereabouts() -> str:
    """Return the database's name, server and PostGIS; raises DatabaseUnreachable."""
    with session.connect() as connection:
        name, version = connection.execute(text("SELECT current_database(), current_setting('server_version')")).one()
        postgis = connection.execute(
            text("SELECT extversion FROM pg_extension WHERE extname = 'postgis'")
        ).scalar_one_or_none()
    return f"{name} (PostgreSQL {version.split()[0]}, PostGIS {postgis or 'missing'})"


def holdings() -> list[tuple[str, str]]:
    """Return what the register holds, as label and figure; the owner counts, and no person is touched."""
    with session.open("owner") as connection:
        row = connection.execute(
            text(
                "SELECT (SELECT count(*) FROM reg.divisions) AS divisions,"
                " (SELECT count(*) FROM reg.buildings) AS buildings,"
                " (SELECT count(*) FROM reg.dwellings) AS dwellings,"
                " (SELECT count(*) FROM reg.batches) AS batches,"
                " (SELECT count(*) FROM reg.batches WHERE finished_at IS NULL) AS unfinished,"
                " (SELECT max(release) FROM pub.releases) AS release"
            )
        ).one()
    return [
        ("行政区划 divisions", f"{row.divisions:,}"),
        ("建筑物 buildings", f"{row.buildings:,}"),
        ("户室 dwellings", f"{row.dwellings:,}"),
        ("导入批次 batches", f"{row.batches:,}"),
        ("未完成的批次 unfinished batches", f"{row.unfinished:,}"),
        ("最近发布 latest release", str(row.release or "none")),
    ]


def is_empty() -> bool:
    """Tell whether no building is registered yet."""
    with session.open("owner") as connection:
        return not connection.execute(text("SELECT EXISTS (SELECT FROM reg.buildings)")).scalar_one()


def knows_divisions() -> bool:
    """Tell whether any division is known."""
    with session.open("owner") as connection:
        return bool(connection.execute(text("SELECT EXISTS (SELECT FROM reg.divisions)")).scalar_one())


def has_no_release() -> bool:
    """Tell whether counts were never released."""
    with session.open("owner") as connection:
        return not connection.execute(text("SELECT EXISTS (SELECT FROM pub.releases)")).scalar_one()
