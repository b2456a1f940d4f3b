"""``menpai run`` and ``menpai serve``: the service, with everything it needs or over what runs already."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import click

from api import accounts, loading, serving
from api.commands import server
from gis import settings
from gis.errors import BadArgument
from gis.store import cluster, schema, session
from gis.terms import Role

FIRST = {"planner": Role.PLANNER, "administrator": Role.ACCOUNT_ADMINISTRATOR}
"""Accounts that the first start makes; whoever opens their links sets their passwords."""
WHOLE_REGION = "640000"
SAMPLE_RESIDENTS = 100_000
"""Enough to see every county on the map, and there within a minute; “menpai sample” makes the whole region."""
host_option = click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
port_option = click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65_535))


@click.command("run")
@host_option
@port_option
def run(host: str, port: int) -> None:
    """Start everything: database, schema, divisions, a sample where empty, a release, the service."""
    with _database():
        schema.upgrade()
        _fill()
        with serving.open_socket(host, port, search=True) as bound:
            url = serving.url_of(bound)
            taken = int(url.rstrip("/").rpartition(":")[2])
            if port not in {0, taken}:
                click.echo(f"端口 {port} 已被占用，改用 {taken}。 Port {port} is busy: taking {taken}.")
            click.echo(f"门牌 Menpai  {url}")
            _tell_links(url)
            click.echo("按 Ctrl-C 停止。 Ctrl-C stops it.")
            with serving.worker():
                serving.serve(bound)
        session.forget()
    click.echo("已停止 stopped")


@click.command("serve")
@host_option
@port_option
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes that serve.")
def serve(host: str, port: int, workers: int) -> None:
    """Serve over a database that runs; TERM, HUP or Ctrl-C ends it."""
    if not schema.is_current():
        raise BadArgument(why='the schema is not the present one; "menpai up" brings it there')
    with serving.open_socket(host, port, search=False) as bound:
        click.echo(f"门牌 Menpai  {serving.url_of(bound)}")
        with serving.worker():
            if workers == 1:
                serving.serve(bound)
            else:
                serving.serve_with_workers(bound, workers)


@contextmanager
def _database() -> Iterator[None]:
    """Keep the private server running meanwhile; a server of one's own is used as it is."""
    here = settings.read()
    if here.database_url is not None:
        yield
        return
    with cluster.running(here.var) as running:
        cluster.create_database(running, session.DATABASE)
        serving.settle_database()
        try:
            yield
        finally:
            session.forget()
            os.environ.pop("MENPAI_DATABASE_URL", None)


def _fill() -> None:
    """Load divisions where there are none, a sample where no building is registered, a release where none was made."""
    if not server.knows_divisions():
        click.echo(f"载入行政区划 loading divisions … {loading.load_reference():,}")
        schema.analyse()
    if server.is_empty():
        from api.commands.sample import load  # noqa: PLC0415 - a second start has no use for it

        click.echo("登记册为空，载入虚构样本。 The register is empty: loading a fictional sample.")
        load(county=None, residents=SAMPLE_RESIDENTS)
    if server.has_no_release():
        from gis.planning import disclosure  # noqa: PLC0415

        click.echo("发布统计 releasing counts …")
        disclosure.release()


def _tell_links(url: str) -> None:
    """Print one-time links for the first accounts, made where they are missing, until somebody set a password."""
    known = {row.name: row for row in accounts.find_accounts()}
    for name, role in FIRST.items():
        if name not in known:
            accounts.add(name)
            accounts.grant(name, role, WHOLE_REGION)
        elif known[name].disabled or known[name].has_password:
            continue
        click.echo(f"{role.zh}一次性登录 one-time link, {role.en}  {url}enter#{accounts.make_link(name)}")
