"""A fictional sample into the register: invented buildings first, then the people who live in them."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

import pyarrow as pa

from api import accounts
from data import fiction
from data.fiction.places import county_of
from data.fiction.rosters import AS_OF
from gis.errors import BadArgument
from gis.register.batches import BuildingsResult, import_buildings
from gis.register.sheets import ImportOptions
from gis.residents import keys
from gis.residents.rosters import RosterResult, import_roster
from gis.terms import Purpose, Role

SOURCE: Final = "sample"
ACTOR: Final = "sample"
"""The account that loads samples; it has no password, so nobody can sign in with it."""
_WHOLE_REGION: Final = "640000"
_CHINA: Final = ZoneInfo("Asia/Shanghai")

Progress = Callable[[str, int], None]
"""Hears the name of the county at work and how many residents more are done."""


@dataclass
class Tally:
    """What became of rows."""

    registered: int = 0
    unchanged: int = 0
    queued: int = 0
    refused: int = 0

    def add(self, result: BuildingsResult | RosterResult) -> None:
        """Count one more batch."""
        self.registered += result.registered
        self.unchanged += result.unchanged
        self.queued += result.queued
        self.refused += result.refused


@dataclass(frozen=True)
class SampleSummary:
    """What became of a sample."""

    counties: int
    buildings: Tally = field(default_factory=Tally)
    residents: Tally = field(default_factory=Tally)


def load_sample(
    *, county: int | None, residents: int | None, seed: int, on_progress: Progress = lambda _name, _done: None
) -> SampleSummary:
    """Invent buildings and residents and register them, county by county; return what became of them.

    ``county`` is a code of six digits, None the region; ``residents`` is the sum over the counties, None the sizes of
    the census of 2020: 7.2 million for the region. Numbers begin with 9. The same arguments again change nothing.
    Each county's buildings and its residents are a transaction each. Raises UnknownDivision, DatabaseUnreachable,
    KeysUnreadable.
    """
    counties = fiction.plan(county, residents, seed)
    summary = SampleSummary(len(counties))
    keys.init()
    _let_act()
    for planned in counties:
        name = county_of(planned.code).prefix
        on_progress(name, 0)
        (buildings,) = fiction.structures([planned])
        summary.buildings.add(_register_buildings(planned, buildings))
        tables = list(fiction.roster(planned, buildings))
        if tables:
            people = pa.concat_tables(tables)
            summary.residents.add(_register_people(planned, people, partial(on_progress, name)))
    return summary


def _register_buildings(planned: fiction.CountyPlan, buildings: pa.Table) -> BuildingsResult:
    """Register a county's invented buildings."""
    options = ImportOptions(source=SOURCE, file_name=_file_name(planned), actor=ACTOR, test_numbers=True)
    return import_buildings(buildings, options)


def _register_people(planned: fiction.CountyPlan, people: pa.Table, on_progress: Callable[[int], None]) -> RosterResult:
    """Register a county's invented people; each county is a source of its own, which spares looking for known rows."""
    return import_roster(
        people,
        source=f"{SOURCE} {planned.code} {planned.seed}",
        file_name=_file_name(planned),
        actor=ACTOR,
        purpose=Purpose.ROSTER_REVIEW,
        batch_date=AS_OF,
        on_progress=on_progress,
    )


def _file_name(planned: fiction.CountyPlan) -> str:
    """Name what no file holds."""
    return f"fiction {planned.code} seed {planned.seed}"


def _let_act() -> None:
    """Make sure that the sample's account is there and may register in the region, today only."""
    known = {row.name: row for row in accounts.find_accounts()}
    if ACTOR in known and known[ACTOR].disabled:
        raise BadArgument(why=f"the account {ACTOR}, which loads samples, is disabled")
    if ACTOR not in known:
        accounts.add(ACTOR)
    if ACTOR not in known or Role.REGISTRAR not in {grant.role for grant in known[ACTOR].grants}:
        accounts.grant(ACTOR, Role.REGISTRAR, _WHOLE_REGION, until=dt.datetime.now(_CHINA).date())
