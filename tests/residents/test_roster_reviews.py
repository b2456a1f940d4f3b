"""A roster's row that waits is placed or refused by a registrar of its division, once, and nobody else sees it."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import text

from gis.errors import NotAllowed, PersonErased, ResidencyOverlaps, RosterRowUnfit, RowNotQueued
from gis.residents import reviews
from gis.residents.identities import unseal
from gis.residents.keys import KeyStore
from gis.residents.residencies import Dwelling
from gis.residents.rosters import RosterResult, import_roster
from gis.store import session

Person = Callable[[int], dict[str, str]]
Rows = Callable[..., pa.Table]
FLATS = "银川市金凤区长城中路街道鲁银社区羊市巷146号紫云公馆4幢"
NOWHERE = {"address": "金凤区无名路1号"}


def load(rows: pa.Table, actor: str = "office", source: str = "名册") -> RosterResult:
    return import_roster(rows, source=source, file_name="r.csv", actor=actor, batch_date=dt.date(2026, 11, 1))


def all_of(statement: str, actor: str = "office") -> list[tuple[Any, ...]]:
    with session.open("registrar", actor=actor, purpose="roster_review") as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def building(name: str) -> int:
    [(number,)] = all_of(f"SELECT building_number FROM reg.external_references WHERE code = '{name}'")  # noqa: S608
    return int(number)


def test_the_queue_of_a_division_has_its_rows_with_candidates_and_nobodys_name(
    office: str, made_roster: Rows, a_person: Person
) -> None:
    assert office
    batch = load(made_roster(a_person(1) | {"address": FLATS}, a_person(2) | NOWHERE, a_person(3))).batch_id
    mine, lost = reviews.find_waiting("office")
    assert [(each.batch, each.row, each.reason) for each in (mine, lost)] == [
        (batch, 1, "dwelling_missing"),
        (batch, 2, "address_not_found"),
    ]
    assert [one.building for one in mine.candidates] == [building("flats")]
    assert mine.candidates[0].standard_address
    assert "测试员" not in repr([mine, lost])
    assert [each.row for each in reviews.find_waiting("jinfeng")] == [1], "no address: the importer's alone"
    assert reviews.find_waiting("nobody") == []
    assert [each.row for each in reviews.find_waiting("office", after=(batch, 1))] == [2]


def test_candidates_stand_in_the_order_of_likeness_with_what_speaks_for_each(
    office: str, made_roster: Rows, a_person: Person
) -> None:
    load(made_roster(a_person(1) | {"address": "西夏区紫云公馆4号楼2单元501室"}), office)
    [row] = reviews.find_waiting(office)
    assert [one.building for one in row.candidates] == [building("flats")]
    assert row.candidates[0].agrees
    assert row.candidates[0].contradicts


def test_a_row_that_is_placed_becomes_a_residency_and_its_source_finds_it_unchanged(
    office: str, made_roster: Rows, a_person: Person, keys_made: KeyStore
) -> None:
    rows = made_roster(a_person(1) | NOWHERE | {"hukou_code": "610102", "until_date": "2026-06-30"})
    batch = load(rows).batch_id
    residency = reviews.place(batch, 1, Dwelling(building("yard"), 1), office)
    assert all_of(
        "SELECT r.id, r.building_number, r.during::text, r.category, r.category_reason, r.basis, r.batch_id,"
        " r.occupant_id FROM reg.residencies r"
    ) == [
        (
            *(residency, building("yard"), "[2026-01-01,2026-07-01)", "floating", "outside_ningxia"),
            *("household_register", batch, "P00001"),
        )
    ]
    [(key_id, envelope)] = all_of("SELECT key_id, envelope FROM reg.persons")
    assert unseal(bytes(envelope), key_id.bytes, keys_made).name == "测试员00001"
    assert all_of("SELECT act, batch_id, person_id IS NULL FROM reg.access_records ORDER BY id") == [
        ("import", batch, True),
        ("place roster row", batch, False),
    ]
    again = load(rows)
    assert (again.unchanged, again.queued) == (1, 0)
    with pytest.raises(RowNotQueued):
        reviews.place(batch, 1, Dwelling(building("yard"), 1), office)


def test_a_row_that_is_refused_is_forgotten_and_that_it_was_refused_is_not(
    office: str, made_roster: Rows, a_person: Person, keys_made: KeyStore
) -> None:
    batch = load(made_roster(a_person(1) | NOWHERE)).batch_id
    [(key_id, envelope)] = all_of("SELECT key_id, envelope FROM reg.roster_rows")
    reviews.refuse(batch, 1, office)
    with pytest.raises(PersonErased):
        unseal(bytes(envelope), key_id.bytes, keys_made)
    assert all_of("SELECT outcome, reason, envelope, document_digest, hukou_code, during FROM reg.roster_rows") == [
        ("refused", "declined", None, None, None, None)
    ]
    assert reviews.find_waiting(office) == []
    for again in (reviews.refuse, reviews.open_row):
        with pytest.raises(RowNotQueued):
            again(batch, 1, office)


def test_a_row_that_was_refused_waits_for_nobody_when_its_source_says_it_again(
    office: str, made_roster: Rows, a_person: Person
) -> None:
    reviews.refuse(load(made_roster(a_person(1) | NOWHERE, a_person(2))).batch_id, 1, office)
    again = load(made_roster(a_person(1) | NOWHERE, a_person(2)))
    assert (again.refused, again.unchanged, again.queued) == (1, 1, 0)
    assert again.results["reason"].to_pylist() == ["declined", None]
    changed = load(made_roster(a_person(1) | {"address": FLATS + "2单元501室"}, a_person(2)))
    assert (changed.registered, changed.unchanged) == (1, 1)


def test_opening_a_row_leaves_one_record_of_the_fields_that_were_shown(
    office: str, made_roster: Rows, a_person: Person
) -> None:
    batch = load(made_roster(a_person(1) | {"address": FLATS})).batch_id
    identity = reviews.open_row(batch, 1, "jinfeng")
    assert identity.name == "测试员00001"
    shown = {name for name, value in identity._asdict().items() if value is not None}
    [(actor, purpose, fields)] = all_of(
        "SELECT actor, purpose, fields FROM reg.access_records WHERE act = 'open roster row'", "jinfeng"
    )
    assert (actor, purpose, set(fields)) == ("jinfeng", "roster_review", shown)
    with pytest.raises(RowNotQueued):
        reviews.open_row(batch, 1, "nobody")
    assert office


def test_nobody_is_placed_outside_ones_divisions(office: str, made_roster: Rows, a_person: Person) -> None:
    batch = load(made_roster(a_person(1) | {"address": FLATS})).batch_id
    assert office
    with pytest.raises(NotAllowed):
        reviews.place(batch, 1, Dwelling(building("far yard"), 1), "jinfeng")
    assert all_of("SELECT count(*) FROM reg.persons") == [(0,)]
    assert len(reviews.find_waiting("jinfeng")) == 1


def test_somebody_who_is_known_keeps_their_record_and_one_principal_residency(
    office: str, made_roster: Rows, a_person: Person, keys_made: KeyStore
) -> None:
    load(made_roster(a_person(1) | {"until_date": "2026-03-31"}))
    rows = (
        a_person(1) | {"occupant_id": "later", "from_date": "2026-04-01"} | NOWHERE,
        a_person(1) | {"occupant_id": "clashing", "from_date": "2026-02-01"} | NOWHERE,
    )
    batch = load(made_roster(*rows), source="另一名册").batch_id
    reviews.place(batch, 1, Dwelling(building("yard"), 1), office)
    with pytest.raises(ResidencyOverlaps):
        reviews.place(batch, 2, Dwelling(building("yard"), 1), office)
    assert all_of("SELECT (SELECT count(*) FROM reg.persons), count(*) FROM reg.residencies") == [(1, 2)]
    assert keys_made.count() == 2, "the person's, and that of the row that still waits"


@pytest.mark.parametrize(
    "change", [{"id_number": "640106800101001"}, {"id_number": "640106188001010011"}, {"name": ""}, {"from_date": "?"}]
)
def test_no_dwelling_puts_a_document_right(
    office: str, made_roster: Rows, a_person: Person, change: dict[str, str]
) -> None:
    batch = load(made_roster(a_person(1) | change)).batch_id
    with pytest.raises(RosterRowUnfit):
        reviews.place(batch, 1, Dwelling(building("yard"), 1), office)
    assert all_of("SELECT count(*) FROM reg.persons") == [(0,)]


def test_a_source_that_says_otherwise_of_somebody_it_brought_is_no_second_residency(
    office: str, made_roster: Rows, a_person: Person
) -> None:
    load(made_roster(a_person(1)))
    batch = load(made_roster(a_person(1) | {"from_date": "2026-02-02"})).batch_id
    with pytest.raises(RosterRowUnfit):
        reviews.place(batch, 1, Dwelling(building("yard"), 1), office)
