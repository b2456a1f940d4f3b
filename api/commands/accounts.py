"""``menpai account``: who may sign in, and what they may do. Whoever runs the database may run these."""

import datetime as dt

import click

from api import accounts
from api.commands.options import TermChoice
from gis import settings
from gis.terms import Role

LOCAL = "http://127.0.0.1:8000"
role_type = TermChoice(Role)
until_type = click.DateTime(["%Y-%m-%d"])


@click.command("add")
@click.argument("name")
@click.option("--role", type=role_type, help="A role to begin with.")
@click.option("--division", default="640000", metavar="CODE", show_default=True, help="Where the role holds.")
@click.option("--until", type=until_type, help="Last day of the role.")
def add(name: str, role: Role | None, division: str, until: dt.datetime | None) -> None:
    """Make an account and print its one-time link; no password is ever printed."""
    accounts.add(name)
    if role is not None:
        accounts.grant(name, role, division, until.date() if until else None)
    _print_link(name)


@click.command("link")
@click.argument("name")
def link(name: str) -> None:
    """Print a new one-time link for an account; older links end."""
    _print_link(name)


@click.command("list")
def list_accounts() -> None:
    """List accounts with their roles and divisions."""
    for row in accounts.find_accounts():
        state = "停用 disabled" if row.disabled else "" if row.has_password else "未设密码 no password yet"
        roles = ", ".join(
            f"{each.role.value} {each.division}" + (f" until {each.until}" if each.until else "") for each in row.grants
        )
        click.echo("\t".join(part for part in (row.name, roles or "no role", state) if part))


@click.command("disable")
@click.argument("name")
def disable(name: str) -> None:
    """Close an account and end its sessions at once."""
    accounts.disable(name)
    click.echo(f"{name}: 已停用 disabled")


@click.command("grant")
@click.argument("name")
@click.argument("role", metavar="ROLE", type=role_type)
@click.argument("division")
@click.option("--until", type=until_type, help="Last day of the role.")
def grant(name: str, role: Role, division: str, until: dt.datetime | None) -> None:
    """Give an account a role in a division (6, 9 or 12 digits), from today."""
    accounts.grant(name, role, division, until.date() if until else None)
    click.echo(f"{name}: {role.zh} {role.value} {division}")


def _print_link(name: str) -> None:
    """Print where to go with a new one-time link."""
    click.echo(f"{settings.read().public_url or LOCAL}/enter#{accounts.make_link(name)}")
    click.echo("一次有效，24 小时内使用。 It works once, within 24 hours.", err=True)
