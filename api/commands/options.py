"""Options that several commands share, and who is acting."""

import getpass
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from gis.terms import Datum, Term

Decorated = Callable[..., Any]
existing_file = click.Path(path_type=Path)
"""Whether it is there is the reader's to say, in one sentence."""


class TermChoice(click.Choice[str]):
    """One of the words of a list; click itself would ask for the names of its members."""

    def __init__(self, terms: type[Term], *others: str) -> None:
        """Take the terms, and words that stand beside them."""
        super().__init__([*others, *(term.value for term in terms)])
        self.terms = terms

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """Return the term, or the other word; fails as click does."""
        word = super().convert(value, param, ctx)
        return next((term for term in self.terms if term == word), word)


def file_options(command: Decorated) -> Decorated:
    """Add the options of every import of structures."""
    for option in (
        click.option("--dry-run", is_flag=True, help="Do everything, keep nothing."),
        click.option("--out", type=click.Path(path_type=Path), help="Write what became of every row as CSV."),
        click.option("--datum", type=TermChoice(Datum), help="Shift of the coordinates."),
        click.option("--layer", help="Layer of a file that has several."),
        click.option("--source", help="Name of the source; without it the file's."),
        click.option("--as", "actor", metavar="ACTOR", help="Who acts; without it your log-in name."),
    ):
        command = option(command)
    return command


def acting(actor: str | None) -> str | None:
    """Return who acts: the account of MENPAI_TOKEN, else the one named; None where nobody is.

    Raises NotSignedIn for a token that is over, SecondFactorMissing for a session that does not carry its roles.
    """
    token = os.environ.get("MENPAI_TOKEN")
    if not token:
        return actor
    from api import accounts  # noqa: PLC0415 - argon2 is only needed where somebody signs in

    return accounts.full_caller_of(token).name


def log_in_name() -> str:
    """Return the name of the operating system's account, which stands in for an actor on structures."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in some containers
        return "command line"


@contextmanager
def stages(what: str, many: int) -> Iterator[Callable[[str], None]]:
    """Yield a function that hears the name of each stage; a terminal shows them as a bar, a file sees nothing."""
    with tqdm(
        total=many, desc=what, disable=not sys.stderr.isatty(), leave=False, bar_format="{desc} {bar} {postfix}"
    ) as bar:
        started = False

        def hear(stage: str) -> None:
            nonlocal started
            bar.update(int(started))
            bar.set_postfix_str(stage)
            started = True

        yield hear
