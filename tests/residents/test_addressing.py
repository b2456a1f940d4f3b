"""A roster import uses the matcher: what it links is registered, what it doubts waits with candidates."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import text

from gis.residents.rosters import RosterResult, import_roster
from gis.store import session

Person = Callable[[int], dict[str, str]]
Rows = Callable[..., pa.Table]


def load(rows: pa.Table, actor: str) -> RosterResult:
    return import_roster(rows, source="名册", file_name="roster.csv", actor=actor, batch_date=dt.date(2026, 11, 1))


def all_of(statement: str) -> list[tuple[Any, ...]]:
    with session.open("registrar", actor="office", purpose="roster_review") as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


@pytest.mark.parametrize(
    ("written", "dwelling"),
    [
        ("金凤区紫云公馆4号楼2单元501室", (2, "501")),
        ("金凤区紫云公馆4-2-501", (2, "501")),
        ("金凤区鲁银居委会羊市巷146号院4#2门5楼501", (2, "501")),
        ("金凤区鲁银社区羊市象146号紫云公馆4号楼2单元501室", (2, "501")),
        ("金凤区良田乡园林村委会三队30号", (None, None)),
    ],
)
def test_an_address_in_another_hand_reaches_its_dwelling(
    office: str, made_roster: Rows, a_person: Person, written: str, dwelling: tuple[int | None, str | None]
) -> None:
    assert load(made_roster(a_person(1) | {"address": written}), office).registered == 1
    assert all_of(
        "SELECT d.entrance, d.room FROM reg.residencies r JOIN reg.dwellings d"
        " ON (d.building_number, d.sequence) = (r.building_number, r.dwelling_sequence)"
    ) == [dwelling]


@pytest.mark.parametrize(
    ("written", "reason", "candidates"),
    [
        ("金凤区紫云公馆4号楼9单元501室", "dwelling_not_found", 1),
        ("西夏区紫云公馆4号楼2单元501室", "address_not_found", 1),
        ("金凤区紫云公馆5号楼2单元501室", "address_not_found", 0),
        ("金凤区紫云公馆2单元501室", "address_ambiguous", 1),
        ("金凤区紫云公馆4号楼对面", "address_not_found", 1),
    ],
)
def test_what_the_matcher_doubts_waits_with_what_it_considered(  # noqa: PLR0913 - a case has three faces
    office: str, made_roster: Rows, a_person: Person, *, written: str, reason: str, candidates: int
) -> None:
    result = load(made_roster(a_person(1) | {"address": written}), office)
    assert result.results["reason"].to_pylist() == [reason]
    [(kept,)] = all_of("SELECT candidates FROM reg.roster_rows")
    assert len(kept or []) == candidates
    assert all(set(one) == {"building", "agrees", "contradicts"} for one in kept or [])


def test_a_registrar_of_one_county_links_nothing_in_another(office: str, made_roster: Rows, a_person: Person) -> None:
    assert office
    result = load(made_roster(a_person(1) | {"address": "原州区上马泉村委会2队20号"}), "jinfeng")
    assert (result.registered, result.queued) == (0, 1)
