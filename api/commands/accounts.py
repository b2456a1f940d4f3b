"""``menpai account``: who may sign in, and what they may do. Whoever runs the database may run these."""

import datetime as dt

import click

from api import accounts
from api.accounts import events
from api.commands.options import TermChoice
from gis import settings
from gis.errors import BadArgument
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


@click.command("enable")
@click.argument("name")
def enable(name: str) -> None:
    """Open a closed account again."""
    accounts.enable(name)
    click.echo(f"{name}: 已启用 open again")


@click.command("revoke")
@click.argument("name")
@click.argument("role", metavar="ROLE", type=role_type)
@click.argument("division")
def revoke(name: str, role: Role, division: str) -> None:
    """End a role of an account in a division, as of now."""
    accounts.revoke(name, role, division)
    click.echo(f"{name}: {role.zh} {role.value} {division} 已终止 ended")


@click.command("token")
@click.argument("name")
@click.option("--role", "roles", type=role_type, multiple=True, help="Only this role; may be given several times.")
@click.option("--hours", type=click.IntRange(1, 12), default=12, show_default=True, help="How long it lasts.")
def token(name: str, roles: tuple[Role, ...], hours: int) -> None:
    """Print a token with which a program acts as an account, for MENPAI_TOKEN or a bearer header."""
    click.echo(accounts.mint(name, roles or None, dt.timedelta(hours=hours)).token)


@click.command("sessions")
@click.argument("name")
def end_sessions(name: str) -> None:
    """End every session and link of an account."""
    click.echo(f"{name}: {accounts.end_sessions(name)} 个会话已终止 sessions ended")


@click.command("reset-factor")
@click.argument("name")
def reset_factor(name: str) -> None:
    """End an account's second factor and its sessions; a new one-time link lets it set up another."""
    accounts.reset_factor(name)
    click.echo(f"{name}: 第二因素已停用 second factor ended")


@click.command("identity")
@click.argument("name")
@click.argument("subject", required=False)
@click.option("--issuer", help="The provider; without it the one of MENPAI_OIDC_ISSUER.")
@click.option("--none", "unlink", is_flag=True, help="Part the account from every provider.")
def identity(name: str, subject: str | None, issuer: str | None, *, unlink: bool) -> None:
    """Let whom a provider calls SUBJECT enter as an account, or part them."""
    if unlink:
        accounts.unlink_identities(name)
        click.echo(f"{name}: 已取消外部身份 parted from every provider")
        return
    issuer = issuer or settings.read().oidc_issuer
    if not subject or not issuer:
        raise BadArgument(why="name the SUBJECT, and the provider with --issuer or MENPAI_OIDC_ISSUER")
    accounts.link_identity(name, issuer, subject)
    click.echo(f"{name}: 已关联 linked to {subject}")


@click.command("history")
@click.argument("name", required=False)
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="How many acts.")
def history(name: str | None, limit: int) -> None:
    """Tell what was done to accounts, the newest first."""
    for each in events.find_events(None, limit, name):
        role = " ".join(str(part) for part in (each.role, each.division, each.valid_until) if part)
        click.echo(
            "\t".join(
                part for part in (f"{each.at:%Y-%m-%d %H:%M:%S}", each.actor, each.act, each.account, role) if part
            )
        )


def _print_link(name: str) -> None:
    """Print where to go with a new one-time link."""
    click.echo(f"{settings.read().public_url or LOCAL}/enter#{accounts.make_link(name)}")
    click.echo("一次有效，24 小时内使用。 It works once, within 24 hours.", err=True)
