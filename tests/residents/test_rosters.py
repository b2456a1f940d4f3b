"""A roster's every row is registered in its dwelling, unchanged, waiting or refused, and nothing of it lies open."""

import csv
import datetime as dt
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from data.rosters import read_roster
from gis.errors import NotAllowed, PurposeMissing, RosterDisturbed
from gis.residents import registering, rosters
from gis.residents.identities import unseal
from gis.residents.keys import KeyStore
from gis.residents.rosters import RosterResult, import_roster
from gis.store import session
from gis.terms import Purpose

Person = Callable[[int], dict[str, str]]
Rows = Callable[..., pa.Table]
FLATS = "银川市金凤区长城中路街道鲁银社区羊市巷146号紫云公馆4幢"
FAR_YARD = "固原市原州区张易镇上马泉村2队20号"
DAY = dt.date(2026, 11, 1)


def load(rows: pa.Table, actor: str = "office", source: str = "户籍名册", **more: Any) -> RosterResult:  # noqa: ANN401
    return import_roster(rows, source=source, file_name="roster.csv", actor=actor, batch_date=DAY, **more)


def outcomes(result: RosterResult) -> list[tuple[str, str | None]]:
    return [(line["outcome"], line["reason"]) for line in result.results.to_pylist()]


def all_of(statement: str, actor: str = "office", purpose: str = "roster_review") -> list[tuple[Any, ...]]:
    with session.open("registrar", actor=actor, purpose=purpose) as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def test_a_row_is_registered_in_its_dwelling_with_period_category_and_basis(
    office: str, made_roster: Rows, a_person: Person
) -> None:
    rows = made_roster(
        a_person(1) | {"address": FLATS + "2单元501室", "hukou_code": "640104", "until_date": "2026-06-30"},
        a_person(2) | {"hukou_code": "610102", "from_date": "", "basis": "declaration"},
        {"occupant_id": "X", "address": FLATS + "1-602", "doc_type": "PASSPORT", "nationality": "FRA"},
    )
    result = load(rows, office)
    assert (result.registered, result.unchanged, result.queued, result.refused) == (3, 0, 0, 0)
    assert result.results.column_names == ["row", "source_id", "outcome", "building_no", "reason", "detail"]
    assert result.results["source_id"].to_pylist() == ["P00001", "P00002", "X"]
    found = all_of(
        "SELECT d.entrance, d.room, r.during::text, r.category, r.category_reason, r.basis, r.division_code / 1000000"
        " FROM reg.residencies r JOIN reg.dwellings d ON (d.building_number, d.sequence)"
        " = (r.building_number, r.dwelling_sequence) ORDER BY r.occupant_id"
    )
    assert found == [
        (2, "501", "[2026-01-01,2026-07-01)", "permanent", "urban_districts_of_one_city", "household_register", 640106),
        (None, None, "[2026-11-01,)", "floating", "outside_ningxia", "declaration", 640106),
        (1, "602", "[2026-11-01,)", "other", "foreign", "household_register", 640106),
    ]


def test_a_roster_of_codes_and_addresses_alone_is_accepted(
    office: str, made_roster: Rows, a_person: Person, keys_made: KeyStore
) -> None:
    result = load(made_roster({"occupant_id": "1", "address": a_person(1)["address"]}), office)
    assert result.registered == 1
    [(key_id, envelope, category)] = all_of(
        "SELECT p.key_id, p.envelope, r.category FROM reg.persons p JOIN reg.residencies r ON r.person_id = p.id"
    )
    assert category == "undetermined"
    assert set(unseal(bytes(envelope), key_id.bytes, keys_made)) == {None}


def test_a_second_import_registers_nothing_and_queues_what_changed(
    office: str, made_roster: Rows, a_person: Person
) -> None:
    people = [a_person(number) for number in range(5)]
    first = load(made_roster(*people), office)
    again = load(made_roster(*people), office)
    assert (first.registered, again.registered, again.unchanged) == (5, 0, 5)
    assert again.results["building_no"].to_pylist() == first.results["building_no"].to_pylist()
    people[3]["from_date"] = "2026-02-02"
    third = load(made_roster(*people), office)
    assert (third.registered, third.unchanged, third.queued) == (0, 4, 1)
    assert outcomes(third)[3] == ("queued", "changed_since_registered")
    assert all_of("SELECT count(*) FROM reg.residencies") == [(5,)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"address": "银川市金凤区无名路1号"}, "address_not_found"),
        ({"address": ""}, "address_not_found"),
        ({"address": FLATS}, "dwelling_missing"),
        ({"address": FLATS + "2单元"}, "dwelling_missing"),
        ({"address": FLATS + "501室"}, "dwelling_missing"),
        ({"address": FLATS + "2单元701室"}, "dwelling_not_found"),
        ({"address": FLATS + "3单元501室"}, "dwelling_not_found"),
        ({"id_number": "640106188001010011"}, "bad_document"),
        ({"id_number": "640106800101001"}, "old_document"),
        ({"doc_type": "学生证"}, "bad_document"),
        ({"name": ""}, "missing_identity"),
        ({"id_number": ""}, "missing_identity"),
        ({"doc_type": ""}, "missing_identity"),
        ({"birth_date": "1899-12-31"}, "bad_date"),
        ({"from_date": "去年"}, "bad_date"),
        ({"until_date": "2025-12-31"}, "bad_date"),
        ({"basis": "听说"}, "unreadable_attribute"),
    ],
)
def test_what_cannot_be_registered_waits_sealed_for_a_person(  # noqa: PLR0913, PLR0917 - four fixtures and the case
    office: str, made_roster: Rows, a_person: Person, keys_made: KeyStore, change: dict[str, str], reason: str
) -> None:
    row = a_person(1) | change
    result = load(made_roster(row, a_person(2)), office)
    assert outcomes(result) == [("queued", reason), ("registered", None)]
    assert result.results["building_no"].to_pylist()[0] is None
    [(key_id, envelope, expires_on)] = all_of("SELECT key_id, envelope, expires_on FROM reg.roster_rows")
    sealed = unseal(bytes(envelope), key_id.bytes, keys_made)
    assert sealed.name == (row["name"] or None)
    assert expires_on > dt.date.today() + dt.timedelta(days=30)  # noqa: DTZ011 - a day more or less does not matter


def test_an_occupant_without_a_code_is_refused_and_one_who_stands_twice_waits(
    office: str, made_roster: Rows, a_person: Person
) -> None:
    twice = a_person(2) | {"occupant_id": " P00001 "}
    result = load(made_roster(a_person(1), twice, a_person(3) | {"occupant_id": ""}), office)
    assert outcomes(result) == [
        ("queued", "repeated_occupant"),
        ("queued", "repeated_occupant"),
        ("refused", "unreadable_row"),
    ]


def test_an_overlapping_residency_waits_and_the_batch_goes_on(office: str, made_roster: Rows, a_person: Person) -> None:
    load(made_roster(a_person(1) | {"until_date": "2026-03-31"}), office)
    same = {"occupant_id": "other"}
    rows = made_roster(
        a_person(1) | same | {"from_date": "2026-03-31"},
        a_person(1) | {"occupant_id": "later", "from_date": "2026-04-01", "until_date": "2026-05-31"},
        a_person(2),
        a_person(2) | {"occupant_id": "within"},
        a_person(3),
    )
    assert outcomes(load(rows, office, source="另一名册")) == [
        ("queued", "overlapping_residency"),
        ("registered", None),
        ("registered", None),
        ("queued", "overlapping_residency"),
        ("registered", None),
    ]
    assert all_of("SELECT count(*) FROM reg.persons") == [(3,)]


def test_a_row_that_waited_is_taken_up_again_and_its_old_sealing_destroyed(
    office: str, made_roster: Rows, a_person: Person, keys_made: KeyStore
) -> None:
    load(made_roster(a_person(1) | {"address": "无名路1号"}), office)
    [(old_key,)] = all_of("SELECT key_id FROM reg.roster_rows")
    assert load(made_roster(a_person(1)), office).registered == 1
    assert all_of("SELECT count(*) FROM reg.roster_rows") == [(0,)]
    assert keys_made.count() == 1
    assert old_key


def test_an_address_outside_the_registrars_divisions_is_not_registered(
    office: str, made_roster: Rows, a_person: Person
) -> None:
    rows = made_roster(a_person(1), a_person(2) | {"address": FAR_YARD})
    result = load(rows, "jinfeng")
    assert office
    assert outcomes(result) == [("registered", None), ("queued", "outside_jurisdiction")]
    assert load(rows, "office", source="全区").registered == 1


def test_only_a_registrar_with_a_purpose_imports(office: str, made_roster: Rows, a_person: Person) -> None:
    assert office
    with pytest.raises(NotAllowed):
        load(made_roster(a_person(1)), "nobody")
    with pytest.raises(NotAllowed):
        load(made_roster(a_person(1)), "unheard of")
    with pytest.raises(PurposeMissing):
        load(made_roster(a_person(1)), "office", purpose="curiosity")


def test_a_registrar_sees_the_people_of_their_divisions_and_no_others(
    office: str, made_roster: Rows, a_person: Person
) -> None:
    load(made_roster(a_person(1), a_person(2) | {"address": FAR_YARD}), office)
    for table in ("persons", "residencies"):
        count = f"SELECT count(*) FROM reg.{table}"  # noqa: S608 - two names from the line above
        assert all_of(count, "office") == [(2,)]
        assert all_of(count, "jinfeng") == [(1,)]
        assert all_of(count, "nobody") == [(0,)]
        assert all_of(count, "office", purpose="curiosity") == [(0,)]


@pytest.mark.parametrize("role", ["planner", "siting_job", "public", "accounts"])
def test_no_other_role_reads_a_person(office: str, role: Any) -> None:  # noqa: ANN401 - a name of a role
    assert office
    for table in ("persons", "residencies", "roster_rows", "access_records"):
        with pytest.raises(DBAPIError, match="permission denied"), session.open(role) as connection:
            connection.execute(text(f"SELECT * FROM reg.{table}"))  # noqa: S608 - a name from the line above


@pytest.mark.parametrize("purpose", list(Purpose))
def test_every_purpose_of_the_list_opens_the_registrars_divisions(office: str, purpose: Purpose) -> None:
    assert all_of("SELECT calc.jurisdiction() @> 640106001000", office, purpose) == [(True,)]


@pytest.mark.parametrize(
    ("what", "value", "why"),
    [
        ("division_code", "640402000000", "does not stand in its division"),
        ("dwelling_sequence", "99", "a dwelling that is not there"),
        ("person_id", "99", "a person that is not there"),
    ],
)
def test_a_residency_says_the_truth_about_person_dwelling_and_division(  # noqa: PLR0913, PLR0917 - fixtures and case
    office: str, made_roster: Rows, a_person: Person, what: str, value: str, why: str
) -> None:
    load(made_roster(a_person(1)), office)
    columns = ["person_id", "building_number", "dwelling_sequence", "division_code"]
    chosen = ", ".join(value if column == what else column for column in columns)
    statement = (
        f"INSERT INTO reg.residencies ({', '.join(columns)}, during, category, category_reason, basis)"  # noqa: S608
        f" SELECT {chosen}, daterange('2020-01-01', '2020-12-31'), category, category_reason, basis"
        " FROM reg.residencies RETURNING 1"
    )
    with pytest.raises(DBAPIError, match=why):
        all_of(statement)


def test_a_desk_that_is_quicker_makes_the_roster_start_again(
    office: str, made_roster: Rows, a_person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(made_roster(a_person(1)), office)
    monkeypatch.setattr(registering, "_CLAIM", "SELECT 1")  # as if the person had not been there yet
    with pytest.raises(RosterDisturbed):
        load(made_roster(a_person(1)), office, source="另一名册")
    assert all_of("SELECT count(*) FROM reg.residencies") == [(1,)]


def test_sums_come_without_anybody_opening_a_person(office: str, made_roster: Rows, a_person: Person) -> None:
    load(made_roster(*[a_person(number) for number in range(4)]), office)
    with session.open("siting_job") as connection:
        found = connection.execute(text("SELECT category, residents FROM calc.building_residents")).all()
    assert [tuple(row) for row in found] == [("permanent", 4)]


def test_an_import_leaves_one_record_of_who_why_and_which_fields(
    office: str, made_roster: Rows, a_person: Person
) -> None:
    result = load(made_roster(a_person(1)), office)
    [(actor, purpose, act, batch_id, fields)] = all_of(
        "SELECT actor, purpose, act, batch_id, fields FROM reg.access_records"
    )
    assert (actor, purpose, act, batch_id) == ("office", "roster_review", "import", result.batch_id)
    assert {"name", "id_number", "address"} <= set(fields)
    assert "birth_date" not in fields


@pytest.mark.parametrize("change", ["UPDATE reg.access_records SET actor = 'x'", "DELETE FROM reg.access_records"])
def test_a_record_of_access_can_be_neither_changed_nor_removed(
    office: str, made_roster: Rows, a_person: Person, change: str
) -> None:
    load(made_roster(a_person(1)), office)
    with pytest.raises(DBAPIError, match="keeps every row"), session.open("owner") as connection:
        connection.execute(text(change))


def test_where_the_record_cannot_be_written_nothing_is_imported(
    office: str, made_roster: Rows, a_person: Person
) -> None:
    with session.open("owner") as connection:
        connection.execute(text("ALTER TABLE reg.access_records ADD CONSTRAINT broken CHECK (false) NOT VALID"))
    try:
        with pytest.raises(DBAPIError, match="broken"):
            load(made_roster(a_person(1)), office)
        assert all_of("SELECT count(*) FROM reg.residencies") == [(0,)]
    finally:
        with session.open("owner") as connection:
            connection.execute(text("ALTER TABLE reg.access_records DROP CONSTRAINT broken"))


KILLED = """
import os, signal, sys
from pathlib import Path
from data.rosters import read_roster
from gis.residents import registering, rosters
rosters.CHUNK_ROWS = 3
register, taken = registering.register, []
def die(connection, batch, sealed):
    register(connection, batch, sealed)
    taken.append(sealed.num_rows)
    if len(taken) == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
registering.register = die
rosters.import_roster(read_roster(Path(sys.argv[1])).rows, source="名册", file_name="roster.csv", actor="office")
"""


def test_an_import_that_is_killed_goes_on_where_it_stopped_under_its_batch(
    office: str, a_person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [a_person(number) for number in range(14)]
    people[1]["address"] = people[9]["address"] = "无名路1号"
    path = tmp_path / "roster.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.DictWriter(file, people[0].keys())
        lines.writeheader()
        lines.writerows(people)
    state = (
        "SELECT (SELECT count(*) FROM reg.persons), (SELECT count(*) FROM reg.roster_rows), registered + queued,"
        " finished_at IS NULL FROM reg.batches WHERE kind = 'roster'"
    )
    for killed_in, left in ((3, (5, 1, 6, True)), (2, (5, 1, 6, True)), (4, (8, 1, 9, True))):
        command = [sys.executable, "-P", "-c", KILLED, str(path), str(killed_in)]
        assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
        assert all_of(state) == [left]
    monkeypatch.setattr(rosters, "CHUNK_ROWS", 4)
    rows = read_roster(path).rows
    result = import_roster(rows, source="名册", file_name="roster.csv", actor=office)
    assert (result.registered, result.unchanged, result.queued) == (12, 0, 2)
    assert result.results["row"].to_pylist() == list(range(1, 15))
    assert outcomes(result)[1] == outcomes(result)[9] == ("queued", "address_not_found")
    assert None not in [line["building_no"] for line in result.results.to_pylist() if line["outcome"] == "registered"]
    assert all_of(state) == [(12, 2, 14, False)]
    again = import_roster(rows, source="名册", file_name="roster.csv", actor=office)
    assert (again.registered, again.unchanged, again.queued) == (0, 12, 2)
    assert again.batch_id != result.batch_id


def test_a_batch_broken_off_keeps_its_date_and_is_no_other_files(
    office: str, made_roster: Rows, a_person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rosters, "CHUNK_ROWS", 2)
    rows = made_roster(*[a_person(number) | {"from_date": ""} for number in range(5)])

    def stop(done: int) -> None:
        assert done == 2
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(rows, office, on_progress=stop)
    other = load(made_roster(a_person(7)), office)
    done: list[int] = []
    rest = import_roster(rows, source="户籍名册", file_name="roster.csv", actor=office, on_progress=done.append)
    assert (other.registered, rest.registered, done) == (1, 5, [2, 2, 1])
    assert rest.batch_id < other.batch_id
    assert all_of("SELECT DISTINCT lower(during) FROM reg.residencies WHERE occupant_id <> 'P00007'") == [(DAY,)]


def test_a_repeated_person_is_found_across_chunks(
    office: str, made_roster: Rows, a_person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rosters, "CHUNK_ROWS", 1)
    rows = made_roster(a_person(1), a_person(1) | {"occupant_id": "again"})
    assert outcomes(load(rows, office)) == [("registered", None), ("queued", "overlapping_residency")]
