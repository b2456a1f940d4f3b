"""``menpai number``: building numbers without a database."""

import click

from gis import numbering
from gis.errors import InvalidNumber


@click.command("show")
@click.argument("numbers", metavar="NUMBER…", nargs=-1, required=True)
def show(numbers: tuple[str, ...]) -> None:
    """Write building numbers in their groups of four; refuses one that is not valid."""
    for number in numbers:
        if not numbering.is_valid(number):
            raise InvalidNumber(number=number)
        click.echo(numbering.show(number))


@click.command("check")
@click.argument("numbers", metavar="NUMBER…", nargs=-1, required=True)
def check(numbers: tuple[str, ...]) -> None:
    """Exit 0 where every number is valid; else 2, naming those that are not."""
    wrong = [number for number in numbers if not numbering.is_valid(number)]
    if wrong:
        raise InvalidNumber(number=", ".join(wrong))
    for number in numbers:
        click.echo(f"{numbering.show(number)} valid 有效")
