"""The command line ``menpai``.

Exit 0: done. Exit 1: done, but some rows need a person. Exit 2: refused, with one clear line on
stderr. A command's module is imported when the command is called, so that each starts as quickly as
what it needs.
"""

import importlib
import os
import sys
from collections.abc import Sequence

import click

DONE, SOME_NEED_A_PERSON, REFUSED = 0, 1, 2

IMPORTS = {
    "buildings": ("structures:import_buildings", "Register the residential structures of a file."),
    "divisions": ("structures:import_divisions", "Add divisions from a list, or bring known ones up to date."),
    "boundaries": ("structures:import_boundaries", "Set the boundaries of divisions from GeoJSON."),
    "roads": ("roads:import_roads", "Put the roads of a file in the place of those its source brought before."),
    "facilities": ("planning:import_facilities", "Bring in service stations, police posts and what else stands."),
    "roster": ("people:import_roster", "Place the residents of a roster; needs --as and --purpose."),
}
NUMBERS = {
    "show": ("numbers:show", "Write building numbers in their groups of four."),
    "check": ("numbers:check", "Tell whether building numbers are valid: exit 0, else 2."),
}
MAPS = {"density": ("drawing:map_density", "Draw released counts as one HTML file, PNG or PDF.")}
SHEDS = {"due": ("sheds:due_list", "List work sheds and sites that are due for inspection.")}
ACCOUNTS = {
    "add": ("accounts:add", "Make an account; prints its one-time link."),
    "list": ("accounts:list_accounts", "List accounts with their roles and divisions."),
    "disable": ("accounts:disable", "Close an account and end its sessions."),
    "enable": ("accounts:enable", "Open a closed account again."),
    "grant": ("accounts:grant", "Give an account a role in a division, for a time."),
    "revoke": ("accounts:revoke", "End a role of an account."),
    "token": ("accounts:token", "Print a token for a program, narrowed to some roles."),
    "sessions": ("accounts:end_sessions", "End every session of an account."),
    "reset-factor": ("accounts:reset_factor", "End a second factor whose telephone is gone."),
    "identity": ("accounts:identity", "Link an account to an OpenID provider's identity, or part them."),
    "history": ("accounts:history", "Tell what was done to accounts, by whom."),
    "link": ("accounts:link", "Print a new one-time link, for a forgotten password."),
}
KEYS = {
    "init": ("people:init_keys", "Make the master key that seals identities."),
    "rotate": ("people:rotate_keys", "Put a new master key in its place; desks go on."),
    "backup": ("people:backup_keys", "Write the keys into a sealed file that is kept for a stated time."),
    "restore": ("people:restore_keys", "Bring the keys back where there are none."),
}
REVIEWS = {
    "list": ("reviewing:list_rows", "List rows of rosters that wait; needs --as and --purpose, as all of these do."),
    "open": ("reviewing:open_row", "Show who a row is about; leaves an access record."),
    "place": ("reviewing:place", "Register the person of a row in a dwelling."),
    "refuse": ("reviewing:refuse", "Decide against a row; who it is about is forgotten."),
}
LOG = {
    "verify": (
        "access_log:verify",
        "Check the access log against itself and a head from outside; exit 0 intact, else 2.",
    ),
    "head": ("access_log:head", "Seal the access log and export its signed head."),
    "show": ("access_log:show", "List accesses for an auditor, without persons."),
}
COMMANDS = {
    "up": ("server:up", "Start the private database and bring it to the present schema."),
    "down": ("server:down", "Stop the private database."),
    "status": ("server:status", "Tell what runs and what the register holds."),
    "doctor": ("doctor:doctor", "Look for what is wrong, and say what to do about it."),
    "run": ("running:run", "Start everything: database, sample where empty, release, service."),
    "serve": ("running:serve", "Serve the API and the map over a database that runs."),
    "sample": ("sample:sample", "Fill the register with a fictional sample."),
    "import": (IMPORTS, "Bring a file into the register."),
    "review": (REVIEWS, "Rows of rosters that wait for a person."),
    "match": ("matching:match", "Link a roster's addresses to a register's buildings: files only, no database."),
    "number": (NUMBERS, "Building numbers."),
    "sheds": (SHEDS, "What stands for a time, and must be looked at."),
    "release": ("drawing:release", "Make a dated release of counts through the disclosure gate."),
    "stats": ("counting:stats", "Write released counts of divisions, and their growth, as JSON, CSV or Parquet."),
    "map": (MAPS, "Draw maps."),
    "plan": ("planning:plan", "Say where stations, posts or other facilities should stand, and how good that is."),
    "export": ("exporting:export", "Write structures as a file; nobody who lives in them."),
    "account": (ACCOUNTS, "Accounts and what they may do."),
    "work": ("working:work", "Make plans that planners asked for; run and serve start one by themselves."),
    "erase": ("people:erase", "Erase residencies that ended long enough ago; --dry-run says how many."),
    "log": (LOG, "The access log: sealed, checked, shown to auditors."),
    "keys": (KEYS, "Keys that seal identities."),
    "categories": ("people:renew_categories", "Rule anew by Article 3 after divisions or the law have changed."),
    "backup": ("backups:backup", "Write the register, without its keys, into a file."),
    "restore": ("backups:restore", "Bring the register back from a backup into an empty database."),
}


class LateGroup(click.Group):
    """A group that knows its commands' names and one line about each, and imports the one called."""

    def __init__(self, name: str, table: dict[str, tuple[object, str]], summary: str) -> None:
        """Take the table: each name with ``module:attribute`` or a table beneath it, and its one line."""
        super().__init__(name, help=summary, no_args_is_help=False)
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names in the order of the table."""
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return a command; None where there is no such name."""
        if cmd_name not in self.table:
            return None
        place, summary = self.table[cmd_name]
        if isinstance(place, dict):
            return LateGroup(cmd_name, place, summary)
        module, _, attribute = str(place).partition(":")
        command: click.Command = getattr(importlib.import_module(f"api.commands.{module}"), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in self.table.items()])


menpai = LateGroup("menpai", dict(COMMANDS), "门牌 Menpai: the register of residential buildings of Ningxia.")


def answer(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; whatever goes wrong is told in one line."""
    try:
        code = menpai.main(args=arguments, prog_name="menpai", standalone_mode=False)
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except SystemExit as leaving:
        if leaving.code == SOME_NEED_A_PERSON:  # click's word for a closed pipe, and here for nothing else
            return DONE
        raise
    except Exception as error:
        if os.environ.get("MENPAI_DEBUG"):
            raise
        from api.refusals import sentence  # noqa: PLC0415 - nobody pays for it who is not refused

        click.echo(f"menpai: {sentence(error)}", err=True)
        return REFUSED
    return code if isinstance(code, int) else DONE


def main() -> None:
    """Enter from the console; leaves with the exit code."""
    sys.exit(answer())


if __name__ == "__main__":
    main()
