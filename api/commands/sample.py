"""``menpai sample``: invented buildings and residents on real divisions."""

import sys
import time

import click
from tqdm import tqdm

from api import sampling
from api.commands.results import told
from gis.errors import UnknownDivision
from gis.register import divisions
from gis.store import schema
from gis.terms import DivisionLevel

FIRST_SEED = 1
COUNTY_SPAN = 10**6
"""What stands below a county in a code of twelve digits."""


@click.command("sample")
@click.option("--county", metavar="CODE", help="One county, not the region.")
@click.option(
    "--residents", type=click.IntRange(0, 20_000_000), help="How many in all; without it as the census of 2020 found."
)
@click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), default=FIRST_SEED, show_default=True, help="Draws the lots."
)
def sample(county: str | None, residents: int | None, seed: int) -> None:
    """Invent buildings and residents, and register them; the same seed again changes nothing."""
    load(county, residents, seed)


def load(county: str | None, residents: int | None, seed: int = FIRST_SEED) -> None:
    """Load a sample, with a bar on a terminal, and print what became of it; raises UnknownDivision."""
    code = None if county is None else _county(county)
    began = time.monotonic()
    with tqdm(total=residents, unit=" residents", disable=not sys.stderr.isatty(), leave=False) as bar:

        def hear(name: str, done: int) -> None:
            bar.set_description_str(name)
            bar.update(done)

        summary = sampling.load_sample(county=code, residents=residents, seed=seed, on_progress=hear)
    schema.analyse()
    click.echo(f"建筑物 buildings: {told(summary.buildings)}")
    click.echo(f"居民 residents: {told(summary.residents)}")
    click.echo(f"{summary.counties} counties 县（市、区）, {time.monotonic() - began:.0f} s")


def _county(code: str) -> int:
    """Return a county's code of six digits; raises UnknownDivision."""
    full = divisions.parse_code(code)
    if divisions.level_of(full) is not DivisionLevel.COUNTY:
        raise UnknownDivision(code=code)
    return full // COUNTY_SPAN
